"""The change of a configuration that `learn` proposes: text in, text out, every other byte kept."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import Array

from jailoc.generators.config.edit import parsed, refused, says
from jailoc.model.base import Model


class Line(Model):
    """A line of a list: a value, or a comment."""

    value: str | dict[str, Any] | None = None
    comment: str = ""


def extend(
    text: str,
    workspace: str,
    lists: dict[str, tuple[Line, ...]],
    values: Mapping[str, str | bool],
) -> str:
    """Append lines to lists of a workspace, and set single values of it.

    Args:
        text: The configuration file, valid TOML.
        workspace: A workspace that is in it.
        lists: By key what is appended.
        values: By key the new value.

    Raises:
        Refused: the file cannot be changed without changing more than that.
    """
    document, wanted, mark = parsed(text)
    mine = wanted["workspaces"][workspace]
    table: Any = document["workspaces"]
    table = table[workspace]
    new: list[str] = []
    for key, value in values.items():
        if key in table:
            table[key] = value
        else:
            new.append(f"{key} = {tomlkit.item(value).as_string()}")
        mine[key] = value
    for key, lines in lists.items():
        entries = [each.value for each in lines if each.value is not None]
        if key in table:
            _append(table[key], lines)
        elif entries:
            new += [f"{key} = [", *(f"    {_spelt(each)}" for each in lines), "]"]
        else:
            new += [f"# {key}: {each.comment}" for each in lines]
        if entries:
            mine.setdefault(key, []).extend(entries)
    changed = _headed(tomlkit.dumps(document), workspace, new)
    if not says(changed, wanted):
        raise refused("the way this workspace is written does not allow it")
    return mark + changed


def _spelt(line: Line) -> str:
    if line.value is None:
        return f"# {line.comment}"
    note = f"  # {line.comment}" if line.comment else ""
    return f"{_item(line.value).as_string()},{note}"


def _item(value: str | dict[str, Any]) -> Any:
    if isinstance(value, str):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _append(array: Any, lines: tuple[Line, ...]) -> None:
    if not isinstance(array, Array):
        raise refused("a list is no array")
    for each in lines:
        if each.value is None:
            array.add_line(indent="    ", comment=each.comment)
        else:
            array.add_line(_item(each.value), indent="    ", comment=each.comment or None)
    array.add_line(indent="")


def _headed(text: str, workspace: str, lines: list[str]) -> str:
    """Put lines at the head of the table of a workspace."""
    if not lines:
        return text
    header = re.compile(rf"^[ \t]*\[[ \t]*workspaces[ \t]*\.[ \t]*(\"{workspace}\"|'{workspace}'|"
                        rf"{workspace})[ \t]*\][^\n]*(\n|\Z)", re.MULTILINE)  # fmt: skip
    found = list(header.finditer(text))
    if len(found) != 1:
        raise refused("the way this workspace is written does not allow it")
    end = "\r\n" if found[0][0].endswith("\r\n") else "\n"
    before = text[: found[0].end()] + ("" if found[0][2] else end)
    return before + "".join(f"{each}{end}" for each in lines) + text[found[0].end() :]


def without(text: str, places: tuple[tuple[str | int, ...], ...]) -> str:
    """Remove elements of lists.

    Args:
        text: The configuration file, valid TOML.
        places: Their paths in it, each ending in the number of the element.

    Raises:
        Refused: the file cannot be changed without changing more than that.
    """
    document, wanted, mark = parsed(text)
    for *above, index in sorted(places, key=lambda each: [str(part) for part in each[:-1]] +
                                [f"{int(each[-1]):09}"], reverse=True):  # fmt: skip
        values: Any = wanted
        array: Any = document
        for part in above:
            values, array = values[part], array[part]
        if not isinstance(array, Array):
            raise refused("a list is no array")
        del values[int(index)]
        del array[int(index)]
    changed = tomlkit.dumps(document)
    if not says(changed, wanted):
        raise refused("the way this list is written does not allow it")
    return mark + changed


def patch(before: str, after: str, name: str) -> str:
    """Return a change in the form that `git apply` takes in the directory of the file."""
    lines = []
    for line in difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{name}",
        f"b/{name}",
    ):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)
