"""Read one message of JSON-RPC 2.0, and refuse what two readers could read in two ways.

Source: https://www.jsonrpc.org/specification, over RFC 8259.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from jailoc.model import acp
from jailoc.model.text import visible

Object = dict[str, Any]
_HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, as streams are cut; not every reader takes one (RFC 8259, 8.2)."""
_STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls but tabulator and line ends, and what turns the direction of a text (UAX 9)."""


class WrongMessage(Exception):  # noqa: N818 -- a verdict on a message
    """A message is refused: with the code of an error (JSON-RPC 2.0, 5.1)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def whole(text: str) -> str:
    """Return a text of nothing but characters."""
    return _HALF.sub("\ufffd", text)


def steady(text: str) -> str:
    """Return a text that steers no terminal and reads in the order that it has."""
    return _STEERING.sub(lambda match: visible(match[0]), whole(text))


def parse(line: bytes, text: Callable[[str], str] = whole) -> Object:
    """Return a message (JSON-RPC 2.0 in RFC 8259) without what an extension put into it.

    Args:
        line: The message.
        text: What each text in it becomes.

    Raises:
        WrongMessage: it is none, or one that readers could understand in two ways.
    """
    try:
        found = json.loads(
            line.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_constant
        )
    except WrongMessage:
        raise
    except (ValueError, RecursionError):
        raise WrongMessage(acp.PARSE, "a line that is no JSON") from None
    if isinstance(found, list):
        raise WrongMessage(acp.INVALID, "a batch")
    message = _plain(found, acp.DEEPEST, text)
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise WrongMessage(acp.INVALID, "a line that is no message")
    if "id" in message and not isinstance(message["id"], str | int | None):
        del message["id"]
        raise WrongMessage(acp.INVALID, "a message with an impossible id")
    return message


def kind_of(message: Object) -> str:
    """Return what a message is, its parameters there.

    Raises:
        WrongMessage: it is nothing, or two things.
    """
    method = message.get("method")
    if "method" in message:
        if not isinstance(method, str) or message.keys() & {"result", "error"}:
            raise WrongMessage(acp.INVALID, "a message that is none, or two")
        params = message.setdefault("params", {})
        if params is None:
            message["params"] = {}
        elif not isinstance(params, dict):
            raise WrongMessage(acp.PARAMS, "parameters without names")
        return "request" if "id" in message else "notification"
    if "id" not in message or ("result" in message) == ("error" in message):
        raise WrongMessage(acp.INVALID, "a message that is none, or two")
    return "answer"


def _unique(pairs: Sequence[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise WrongMessage(acp.PARSE, "a key that is there twice")
    return found


def _constant(name: str) -> Any:
    raise WrongMessage(acp.PARSE, "a number that is none")


def _plain(value: Any, depth: int, text: Callable[[str], str]) -> Any:
    """Return a value without `_meta`, in which anybody may hide anything for anybody.

    Raises:
        WrongMessage: it is too deep, or a number that JSON does not have.
    """
    if depth == 0:
        raise WrongMessage(acp.PARSE, "a message that is too deep")
    if isinstance(value, dict):
        kept = ((key, each) for key, each in value.items() if key != "_meta")
        return {text(key): _plain(each, depth - 1, text) for key, each in kept}
    if isinstance(value, list):
        return [_plain(each, depth - 1, text) for each in value]
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float) and value in {float("inf"), float("-inf")}:
        raise WrongMessage(acp.PARSE, "a number that is none")
    return value
