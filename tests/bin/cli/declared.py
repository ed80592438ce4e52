"""The table of what commands take, made from their declarations by asking cyclopts."""

import enum
import importlib
import inspect
import types
import typing
from datetime import date
from typing import Any

from cyclopts import App
from cyclopts.argument import Argument

from jailoc.bin.cli.app import app as root

HEAD = '''"""What commands take, as a table: made from the declarations, never by hand.

After a change of theirs: `pytest tests/bin/cli/test_grammar.py --update-golden`.
"""

# A line is as long as what it holds.
# ruff: noqa: E501
# fmt: off
from typing import Any

'''
Path = tuple[str, ...]
_KINDS: dict[object, str] = {bool: "bool", int: "int", float: "float", date: "date"}


def table() -> str:
    """Return the text of `bin/cli/grammar.py`."""
    importlib.import_module("jailoc.bin.cli.launch")  # which knows every command
    lines = ["COMMANDS: dict[tuple[str, ...], Any] = {"]
    for path, command in _commands((), root):
        lines.append(f"    {path!r}: {{")
        for key in ("text", "below", "runs"):
            lines.append(f"        {key!r}: {command[key]!r},")
        lines.append("        'arguments': (")
        lines += [f"            {each!r}," for each in command["arguments"]]
        lines += ["        ),", "    },"]
    lines += ["}", "SHARED: tuple[dict[str, Any], ...] = ("]
    lines += [f"    {_argument(each)!r}," for each in _shown(root.meta)]
    return HEAD + "\n".join([*lines, ")"]) + "\n"


def _commands(path: Path, app: App) -> typing.Iterator[tuple[Path, dict[str, Any]]]:
    below = tuple(sorted(name for name in app if not name.startswith("-") and app[name].show))
    runs = app.default_command is not None
    yield (
        path,
        {
            "text": inspect.cleandoc(app.help or "").partition("\n\nParameters\n---")[0],
            "below": below,
            "runs": runs,
            "arguments": tuple(map(_argument, _shown(app))) if runs else (),
        },
    )
    for name in below:
        yield from _commands((*path, name), app[name])


def _shown(app: App) -> tuple[Argument, ...]:
    found = app.assemble_argument_collection(parse_docstring=True)
    return tuple(each for each in found if each.parameter.show is not False)


def _argument(argument: Argument) -> dict[str, Any]:
    kind = _kind(argument)
    found = {
        "field": argument.field_info.name,
        "names": (argument.name, *(each for each in argument.names if each != argument.name)),
        "kind": _KINDS.get(kind, "text"),
        "help": argument.parameter.help or "",
    }
    more = {
        "choices": _choices(kind),
        "many": typing.get_origin(argument.hint) is tuple,
        "required": bool(argument.required),
        "on": argument.field_info.default is True,
    }
    return found | {key: value for key, value in more.items() if value}


def _kind(argument: Argument) -> Any:
    hint: Any = argument.hint
    while typing.get_origin(hint) in {typing.Union, types.UnionType, tuple, list, typing.Annotated}:
        hint = next(each for each in typing.get_args(hint) if each is not type(None))
    return hint


def _choices(kind: Any) -> tuple[str, ...]:
    if typing.get_origin(kind) is typing.Literal:
        return tuple(str(each) for each in typing.get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return tuple(str(each.value) for each in kind)
    return ()
