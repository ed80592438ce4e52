"""Changes to the text of a configuration file that leave every other byte as it is."""

import re
from contextlib import suppress
from typing import Any

import tomlkit
from tomlkit.container import OutOfOrderTableProxy
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Item
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
    whole, text = text, without_mark(text)
    mark = whole.removesuffix(text)
    try:
        document = tomlkit.parse(text)
    except TOMLKitError:
        raise _refused("what keeps its layout cannot read it") from None
    before = document.unwrap()
    if tomlkit.dumps(document) != text:
        raise _refused("its layout would change elsewhere, too")
    changed = _append(document, workspace, key, value)
    before["workspaces"][workspace].setdefault(key, []).append(value)
    with suppress(TOMLKitError):
        if tomlkit.parse(changed).unwrap() == before:
            return mark + changed
    raise _refused("the way this workspace is written does not allow it")


def _item(value: Value) -> Item:
    if isinstance(value, str):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _refused(what: str) -> Exception:
    return refuse("edit", f"the file cannot be edited safely: {what}", hint="edit it by hand")


def _append(document: TOMLDocument, workspace: str, key: str, value: Value) -> str:
    tables: Any = document["workspaces"]
    table = tables[workspace]
    if key in table:
        array = table[key]
        if not isinstance(array, Array):
            raise _refused(f"`{key}` is not an array")
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
