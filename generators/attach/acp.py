"""The filter between an editor and the agent of a sandbox, in the Agent Client Protocol.

Both sides are parsed, checked and written anew, so that no two readers can take one text for two
messages. The agent is not believed: it may ask for a permission and tell of its work, and nothing
of the editor's machine is read, written or executed for it.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote

from jailoc.generators.attach.json_rpc import Object, WrongMessage, kind_of, parse, steady
from jailoc.model import acp
from jailoc.model.path import clean
from jailoc.model.repository import fold
from jailoc.model.text import cut, visible

Place = Callable[[str], bool]
"""Tells something of an absolute path without `.` and `..`."""

_NAME = 60
"""Characters of a method's name that are told."""
_MOST_KINDS = 50
"""Kinds of refusals that are counted by name."""
_OTHERS = "others"


class Passed(NamedTuple):
    """What follows from a message: lines for the agent and for the editor."""

    to_agent: bytes = b""
    to_editor: bytes = b""


class _Pending(NamedTuple):
    """A request that waits for its answer."""

    id: Any
    """As the one who asked spelt it."""
    method: str
    options: frozenset[str] = frozenset()
    """Of a permission, what may be chosen."""


class Bridge:
    """Takes the lines of both sides, and says what each is sent."""

    def __init__(self, inside: Place, open_: Place, directory: Place, *, mcp: bool) -> None:
        """Begin without any session.

        Args:
            inside: Whether a path, links followed, is in what the agent works in.
            open_: Whether it is also nothing that the host executes or obeys.
            directory: Whether a path is a directory that a session may begin in.
            mcp: Whether the editor's MCP servers are handed to the agent.
        """
        self._inside, self._open, self._directory, self._mcp = inside, open_, directory, mcp
        self._editors: dict[int, _Pending] = {}
        self._agents: dict[int, _Pending] = {}
        self._last = 0
        self.refused: Counter[str] = Counter()
        """How often what was refused, in words."""

    def from_editor(self, line: bytes) -> Passed:
        """Return what follows from a line of the editor's."""
        message: Object = {}
        try:
            message = parse(line)
            match kind_of(message):
                case "request":
                    return Passed(to_agent=self._ask_agent(message))
                case "notification":
                    return Passed(to_agent=self._tell_agent(message))
                case _:
                    return Passed(to_agent=self._answer_agent(message))
        except WrongMessage as wrong:
            self._count("the editor", wrong, message)
            if message and not {"method", "id"} <= message.keys():
                # To what is no question an answer would be one to another question.
                return Passed()
            return Passed(to_editor=_error(message.get("id"), wrong.code, str(wrong)))

    def from_agent(self, line: bytes) -> Passed:
        """Return what follows from a line of the agent's."""
        message: Object = {}
        try:
            message = parse(line, steady)
            match kind_of(message):
                case "request":
                    return Passed(to_editor=self._ask_editor(message))
                case "notification":
                    return Passed(to_editor=self._tell_editor(message))
                case _:
                    return Passed(to_editor=self._answer_editor(message))
        except WrongMessage as wrong:
            self._count("the agent", wrong, message)
            if "method" in message and "id" in message:
                return Passed(to_agent=_error(message["id"], wrong.code, str(wrong)))
            return Passed()

    def too_long(self, *, editor: bool) -> Passed:
        """Return what follows from a line that is longer than any may be."""
        wrong = WrongMessage(acp.PARSE, f"a message of more than {acp.LONGEST >> 20} MiB")
        self._count("the editor" if editor else "the agent", wrong, {})
        return Passed(to_editor=_error(None, wrong.code, str(wrong)) if editor else b"")

    def _count(self, who: str, wrong: WrongMessage, message: Object) -> None:
        method = message.get("method")
        named = isinstance(method, str) and wrong.code == acp.METHOD
        self._note(f"{cut(visible(str(method)), _NAME)} of {who}" if named else f"{wrong} of {who}")

    def _note(self, what: str) -> None:
        known = what in self.refused or len(self.refused) < _MOST_KINDS
        self.refused[what if known else _OTHERS] += 1

    def _id(self, pending: dict[int, _Pending], request: _Pending) -> int:
        if len(pending) >= acp.MOST_PENDING:
            raise WrongMessage(acp.INTERNAL, "too many requests wait for an answer")
        self._last += 1
        pending[self._last] = request
        return self._last

    # What the editor says.

    def _ask_agent(self, message: Object) -> bytes:
        method, params = message["method"], message["params"]
        call = acp.EDITOR_REQUESTS.get(method)
        if call is None:
            raise WrongMessage(acp.METHOD, "there is no such method here")
        passed = _kept(params, call.params)
        if method == acp.INITIALIZE:
            passed |= {"protocolVersion": acp.VERSION, "clientCapabilities": {}}
            if "clientInfo" in passed:
                passed["clientInfo"] = _kept(_object(passed["clientInfo"]), acp.INFO)
        if method in acp.OPENS or params.get("cwd") is not None:
            self._begin_in(params.get("cwd"))
        if method in acp.OPENS:
            for each in _list(params.get("additionalDirectories")):
                self._begin_in(each)
            passed["mcpServers"] = self._servers(_list(params.get("mcpServers")))
        number = self._id(self._editors, _Pending(message["id"], method))
        return _line({"id": number, "method": method, "params": passed})

    def _begin_in(self, path: object) -> None:
        if not (isinstance(path, str) and _absolute(path) and self._directory(path)):
            raise WrongMessage(
                acp.PARAMS,
                "a session begins in a directory of the workspace's own paths, as the sandbox "
                "has it now",
            )

    def _servers(self, servers: list[Any]) -> list[Any]:
        if servers and not self._mcp:
            self._note("MCP servers of the editor (acp_mcp = true hands them over)")
            return []
        return servers

    def _tell_agent(self, message: Object) -> bytes:
        call = acp.EDITOR_NOTIFICATIONS.get(message["method"])
        if call is None:
            raise WrongMessage(acp.METHOD, "there is no such notification here")
        params = _kept(message["params"], call.params)
        return _line({"method": message["method"], "params": params})

    def _answer_agent(self, message: Object) -> bytes:
        asked = self._answered(self._agents, message)
        if "error" in message:
            return _line({"id": asked.id, "error": _complaint(message["error"])})
        outcome = _object(_object(message["result"]).get("outcome"))
        chosen = outcome.get("optionId")
        passed: Object = {"outcome": "cancelled"}
        if outcome.get("outcome") == "selected" and _one_of(chosen, asked.options):
            passed = {"outcome": "selected", "optionId": chosen}
        return _line({"id": asked.id, "result": {"outcome": passed}})

    def _answered(self, pending: dict[int, _Pending], message: Object) -> _Pending:
        number = message["id"]
        asked = pending.pop(number, None) if type(number) is int else None
        if asked is None:
            raise WrongMessage(acp.INVALID, "an answer to no question")
        return asked

    # What the agent says.

    def _ask_editor(self, message: Object) -> bytes:
        method, params = message["method"], message["params"]
        call = acp.AGENT_REQUESTS.get(method)
        if call is None:
            raise WrongMessage(acp.METHOD, "there is no such method here")
        passed = _kept(params, call.params)
        passed["toolCall"] = self._tool_call(_object(params.get("toolCall")))
        options = [
            _kept(each, acp.OPTION)
            for each in _objects(params.get("options"))
            if _one_of(each.get("kind"), acp.OPTION_KINDS) and isinstance(each.get("optionId"), str)
        ]
        for each in options:
            each["name"] = _named(each["kind"], each.get("name"))
        passed["options"] = options
        names = frozenset(each["optionId"] for each in options)
        number = self._id(self._agents, _Pending(message["id"], method, names))
        return _line({"id": number, "method": method, "params": passed})

    def _tell_editor(self, message: Object) -> bytes:
        call = acp.AGENT_NOTIFICATIONS.get(message["method"])
        if call is None:
            raise WrongMessage(acp.METHOD, "there is no such notification here")
        params = _kept(message["params"], call.params)
        update = _object(params.get("update"))
        kind = update.get("sessionUpdate")
        fields = acp.UPDATES.get(kind) if isinstance(kind, str) else None
        if fields is None:
            raise WrongMessage(acp.PARAMS, "an update of an unknown kind")
        if fields is acp.TOOL_CALL:
            passed = self._tool_call(update)
        else:
            passed = _kept(update, fields)
            if "content" in fields:
                passed["content"] = self._block(update.get("content"))
                if passed["content"] is None:
                    raise WrongMessage(acp.PARAMS, "content that does not pass")
        params["update"] = {"sessionUpdate": kind, **passed}
        return _line({"method": message["method"], "params": params})

    def _answer_editor(self, message: Object) -> bytes:
        asked = self._answered(self._editors, message)
        if "error" in message:
            return _line({"id": asked.id, "error": _complaint(message["error"])})
        try:
            result = self._result(asked.method, message["result"])
        except WrongMessage as wrong:
            # Whoever waits is told.
            return _error(asked.id, acp.INTERNAL, str(wrong))
        return _line({"id": asked.id, "result": result})

    def _result(self, method: str, given: object) -> Object:
        found = {} if given is None else _object(given)
        result = _kept(found, acp.EDITOR_REQUESTS[method].result)
        if method == acp.LIST:
            result["sessions"] = [
                _kept(each, acp.LISTED)
                for each in _objects(found.get("sessions"))
                if self._shown(each.get("cwd"))
            ]
        if method == acp.INITIALIZE:
            if result.get("protocolVersion") != acp.VERSION:
                raise WrongMessage(acp.INTERNAL, f"the agent does not speak version {acp.VERSION}")
            offered = _object(found.get("agentCapabilities", {}))
            result["agentCapabilities"] = self._capabilities(offered)
            if "agentInfo" in result:
                result["agentInfo"] = _kept(_object(result["agentInfo"]), acp.INFO)
            result["authMethods"] = []
        return result

    def _capabilities(self, offered: Object) -> Object:
        passed: Object = {"loadSession": offered.get("loadSession") is True}
        for name, fields in acp.CAPABILITIES.items():
            if isinstance(offered.get(name), dict):
                passed[name] = _kept(offered[name], fields)
        if self._mcp and isinstance(offered.get("mcpCapabilities"), dict):
            passed["mcpCapabilities"] = _kept(offered["mcpCapabilities"], acp.MCP_CAPABILITIES)
        return passed

    def _tool_call(self, call: Object) -> Object:
        passed = _kept(call, acp.TOOL_CALL)
        if "content" in passed:
            found = (self._tool_content(each) for each in _objects(passed["content"]))
            passed["content"] = [each for each in found if each is not None]
        if "locations" in passed:
            places = _objects(passed["locations"])
            shown = [_kept(each, acp.LOCATION) for each in places if self._shown(each.get("path"))]
            self._dropped("locations", len(places) - len(shown))
            passed["locations"] = shown
        return passed

    def _tool_content(self, item: Object) -> Object | None:
        kind = item.get("type")
        if kind == "content" and (block := self._block(item.get("content"))) is not None:
            return {"type": kind, "content": block}
        path = item.get("path")
        if kind == "diff" and isinstance(path, str) and self._shown(path):
            if self._open(path):
                return {"type": kind, **_kept(item, acp.DIFF)}
            self._note("diffs of what the host executes or obeys, of the agent")
            return None
        self._dropped("content", 1)
        return None

    def _block(self, block: object) -> Object | None:
        """Return a block of content; None if it does not pass."""
        if not isinstance(block, dict):
            return None
        kind = block.get("type")
        fields = acp.BLOCKS.get(kind) if isinstance(kind, str) else None
        if fields is None:
            return None
        passed = {"type": kind, **_kept(block, fields)}
        if kind == "resource":
            passed["resource"] = _kept(_object(block.get("resource")), acp.RESOURCE)
            return passed if self._linked(passed["resource"].get("uri")) else None
        return passed if kind != "resource_link" or self._linked(block.get("uri")) else None

    def _dropped(self, what: str, count: int) -> None:
        for _ in range(count):
            self._note(f"{what} outside of the workspace, or of an unknown kind, of the agent")

    def _shown(self, path: object) -> bool:
        return isinstance(path, str) and _absolute(path) and self._inside(path)

    def _linked(self, uri: object) -> bool:
        """Tell whether an editor may follow a link (RFC 8089, 3986)."""
        if not isinstance(uri, str):
            return False
        if uri.startswith("file:///"):
            whole = uri.removeprefix("file://")
            # Some readers take a query and a fragment for such (RFC 3986, 3.4 and 3.5), some for a
            # name. What is no UTF-8 becomes half a surrogate pair, which no path has.
            return all(
                self._shown(unquote(each, errors="surrogateescape"))
                for each in {whole, whole.partition("#")[0], re.split("[?#]", whole)[0]}
            )
        return re.match(r"https?://[^/\\]", uri) is not None


def _line(message: Object) -> bytes:
    return json.dumps({"jsonrpc": "2.0"} | message, separators=(",", ":")).encode() + b"\n"


def _error(number: Any, code: int, message: str) -> bytes:
    return _line({"id": number, "error": {"code": code, "message": f"jailoc: {message}"}})


def _complaint(error: Any) -> Object:
    """Return the error of an answer (JSON-RPC 2.0, 5.1), without its data.

    Editors find ways to log in there, which are programs that they run, and addresses to open.
    """
    found = error if isinstance(error, dict) else {}
    code, message = found.get("code"), found.get("message")
    return {
        "code": code if type(code) is int else acp.INTERNAL,
        "message": message if isinstance(message, str) else "an error without words",
    }


def _named(kind: str, name: object) -> str:
    """Return what an option is called: by what choosing it does, whatever the agent says."""
    does = acp.OPTION_KINDS[kind]
    return does if not isinstance(name, str) or fold(name) == fold(does) else f"{does}: {name}"


def _kept(given: Object, fields: Iterable[str]) -> Object:
    return {each: given[each] for each in fields if each in given}


def _object(value: Any) -> Object:
    if not isinstance(value, dict):
        raise WrongMessage(acp.PARAMS, "a message of another shape")
    return value


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise WrongMessage(acp.PARAMS, "a message of another shape")
    return value


def _objects(value: Any) -> list[Object]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _one_of(value: Any, known: Collection[str]) -> bool:
    """Tell whether a value, of whatever kind, is a word that is known."""
    return isinstance(value, str) and value in known


def _absolute(path: str) -> bool:
    """Tell whether a path means the same to everybody: nothing in it goes upwards."""
    whole = re.search("[\0\ud800-\udfff]", path) is None
    return path.startswith("/") and whole and clean(path) == (path.rstrip("/") or "/")
