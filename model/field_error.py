"""The error that a field's own check raises; loading turns it into a `Diagnostic`."""

from pydantic_core import PydanticCustomError


def problem(
    code: str, message: str, allowed: str | None = None, hint: str | None = None
) -> PydanticCustomError:
    """Build the error of a value: a stable code, what is wrong, what is allowed, what to do."""
    # The message goes through a template; the values are data and may hold braces.
    return PydanticCustomError(
        "jailoc", "{message}", {"code": code, "message": message, "allowed": allowed, "hint": hint}
    )
