"""Changes to the text of a configuration file that leave every other byte as it is."""

import re
from collections.abc import Collection
from copy import deepcopy
from typing import Any

import tomlkit
from tomlkit.container import OutOfOrderTableProxy
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Item, Table
from tomlkit.toml_document import TOMLDocument

from jailoc.model.diagnostic import refuse
from jailoc.model.text import without_mark

Value = str | dict[str, Any]
"""What a list holds: text, or a table that is written on one line."""


def append(text: str, workspace: str, key: str, value: Value) -> str:
    """Append a value to a list of a workspace; a missing list is made.

    Args:
        text: The configuration file, valid TOML.
        workspace: A workspace that is in it.
        key: The list's name.
        value: The new last element.

    Raises:
        Refused: the file cannot be changed without changing more than that.
    """
    document, before, mark = parsed(text)
    changed = _append(document, workspace, key, value)
    before["workspaces"][workspace].setdefault(key, []).append(value)
    if says(changed, before):
        return mark + changed
    raise refused("the way this workspace is written does not allow it")


def remove(text: str, workspace: str, key: str, gone: Collection[int]) -> str:
    """Remove values from a list of a workspace, each with the comment behind it.

    Args:
        text: The configuration file, valid TOML.
        workspace: A workspace that is in it, and has the list.
        key: The list's name.
        gone: The places of the values.

    Raises:
        Refused: the file cannot be changed without changing more than that.
    """
    document, before, mark = parsed(text)
    tables: Any = document["workspaces"]
    array = tables[workspace][key]
    if not isinstance(array, Array):
        raise refused(f"`{key}` is not an array")
    for each in sorted(gone, reverse=True):
        del array[each]
        del before["workspaces"][workspace][key][each]
    if not array and array.as_string() == "[]" and not array.trivia.comment:
        # As it was before the first was added: lists of a workspace are added to the defaults'.
        shorter, told = tomlkit.parse(tomlkit.dumps(document)), deepcopy(before)
        tables = shorter["workspaces"]
        del tables[workspace][key]
        del told["workspaces"][workspace][key]
        if says(tomlkit.dumps(shorter), told):
            return mark + tomlkit.dumps(shorter)
    changed = tomlkit.dumps(document)
    if says(changed, before):
        return mark + changed
    raise refused("the way this list is written does not allow it")


def put_set(text: str, name: str, value: dict[str, Any]) -> str:
    """Write a set of hosts: a table `[sets.NAME]` at the end, or new values in the one there is.

    Args:
        text: The configuration file, valid TOML.
        name: The name of the set.
        value: Its keys; what else the table has stays.

    Raises:
        Refused: the file cannot be changed without changing more than that.
    """
    document, before, mark = parsed(text)
    known = before.setdefault("sets", {}).setdefault(name, {})
    if known:
        tables: Any = document["sets"]
        for key, each in value.items():
            if known.get(key) != each:
                tables[name][key] = _lines(each) if isinstance(each, list) else each
        changed = tomlkit.dumps(document)
    else:
        table = tomlkit.table()
        for key, each in value.items():
            table[key] = _lines(each) if isinstance(each, list) else each
        changed = _with_table(document, f"[sets.{name}]", table)
    known.update(value)
    if not says(changed, before):
        raise refused("the way its sets are written does not allow it")
    return mark + changed


def put_workspace(text: str, name: str, path: str) -> str:
    """Write a workspace of one path: a table `[workspaces.NAME]` at the end.

    Args:
        text: The configuration file, valid TOML.
        name: A name that no workspace of it has.
        path: The workspace's one path, as it is to be written.

    Raises:
        Refused: the file cannot be changed without changing more than that.
    """
    document, before, mark = parsed(text)
    table = tomlkit.table()
    table["paths"] = [path]
    changed = _with_table(document, f"[workspaces.{name}]", table)
    before.setdefault("workspaces", {})[name] = {"paths": [path]}
    if not says(changed, before):
        raise refused("the way its workspaces are written does not allow it")
    return mark + changed


def _with_table(document: TOMLDocument, header: str, table: Table) -> str:
    """Return the text of a document with a table more, after a blank line at its end."""
    whole = tomlkit.dumps(document)
    end = "\r\n" if "\r\n" in whole else "\n"
    new = f"{header}\n{table.as_string()}".replace("\n", end)
    return whole + (end if whole.endswith("\n") or not whole else end * 2) + new


def says(text: str, values: dict[str, Any]) -> bool:
    """Tell whether a text has these values, and no others."""
    try:
        return bool(tomlkit.parse(text).unwrap() == values)
    except TOMLKitError:
        return False


def _lines(values: list[Any]) -> Array:
    """Return an array with one value a line."""
    array = tomlkit.array()
    array.extend(values)
    return array.multiline(True)


def parsed(text: str) -> tuple[TOMLDocument, dict[str, Any], str]:
    """Return a document that can be edited, its values, and the mark before it.

    Raises:
        Refused: it would not stay as it is elsewhere.
    """
    whole, text = text, without_mark(text)
    try:
        document = tomlkit.parse(text)
    except TOMLKitError:
        raise refused("what keeps its layout cannot read it") from None
    if tomlkit.dumps(document) != text:
        raise refused("its layout would change elsewhere, too")
    return document, document.unwrap(), whole.removesuffix(text)


def _item(value: Value) -> Item:
    if isinstance(value, str):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    table.update(value)
    return table


def refused(what: str) -> Exception:
    """Return the refusal of a change that would be more than it should."""
    return refuse("edit", f"the file cannot be edited safely: {what}", hint="edit it by hand")


def _append(document: TOMLDocument, workspace: str, key: str, value: Value) -> str:
    tables: Any = document["workspaces"]
    table = tables[workspace]
    if key in table:
        array = table[key]
        if not isinstance(array, Array):
            raise refused(f"`{key}` is not an array")
        comma = re.search(r",[ \t]*(#[^\n]*)?\r?\n[^\n]*\Z", array.as_string())
        array.append(_item(value))
        text = tomlkit.dumps(document)
        return _with_comma(text, value) if comma else text
    new = tomlkit.array()
    new.append(_item(value))
    text = tomlkit.dumps(document)
    line = f"{key} = {new.as_string()}"
    header = re.compile(rf"^[ \t]*\[[ \t]*workspaces[ \t]*\.[ \t]*(\"{workspace}\"|'{workspace}'|"
                        rf"{workspace})[ \t]*\][^\n]*(\n|\Z)", re.MULTILINE)  # fmt: skip
    if len(headers := list(header.finditer(text))) == 1:
        # At the head of its table: what follows the last key may be about the next table.
        place = headers[0].end()
        end = "\r\n" if headers[0][0].endswith("\r\n") else "\n"
        before = text[:place] if headers[0][2] else text[:place] + end
        return f"{before}{line}{end}{text[place:]}"
    if isinstance(table, OutOfOrderTableProxy):  # dotted keys, one a line
        table[key] = new
    else:
        table.append(key, new)
    return tomlkit.dumps(document)


def _with_comma(text: str, value: Value) -> str:
    """Give the new last line of an array the comma that the others have."""
    quoted = re.escape(_item(value).as_string())
    return re.sub(rf"({quoted})(\r?\n[ \t]*\])", r"\1,\2", text, count=1)
