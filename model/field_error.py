"""The error that a field's own check raises; loading turns it into a `Diagnostic`."""

from pydantic_core import PydanticCustomError

WANTED = {
    "string_type": "a string in quotes",
    "bool_type": "true or false",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "tuple_type": "an array",
}
"""What a value has to be, by the type of pydantic's error."""


def problem(
    code: str, message: str, allowed: str | None = None, hint: str | None = None
) -> PydanticCustomError:
    """Build the error of a value: a stable code, what is wrong, what is allowed, what to do."""
    # The message goes through a template; the values are data and may hold braces.
    return PydanticCustomError(
        "jailoc", "{message}", {"code": code, "message": message, "allowed": allowed, "hint": hint}
    )
