"""What passes between an editor and a hostile agent, and what never does."""

import json
import os
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.attach.acp import Bridge, Passed
from jailoc.generators.runtime.obeyed import executed
from jailoc.model import acp

ROOT = "/home/alice/api"
REFUSED = (
    "fs/read_text_file", "fs/write_text_file", "terminal/create", "terminal/output",
    "terminal/release", "terminal/wait_for_exit", "terminal/kill", "elicitation/create",
    "elicitation/complete", "mcp/connect", "mcp/message", "mcp/disconnect", "authenticate",
    "_private/anything", "$/cancel_request", "session/prompt", "initialize", "",
)  # fmt: skip
LISTED = {*acp.AGENT_REQUESTS, *acp.AGENT_NOTIFICATIONS}


def bridge(*, mcp: bool = False) -> Bridge:
    def inside(path: str) -> bool:
        return path == ROOT or path.startswith(ROOT + "/")

    return Bridge(
        inside,
        lambda path: not executed(path.removeprefix(ROOT).lstrip("/"), ()),
        lambda path: inside(path) and "missing" not in path,
        mcp=mcp,
    )


def line(**fields: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0"} | fields).encode()


def read(text: bytes) -> list[dict[str, Any]]:
    assert text == b"" or text.endswith(b"\n")
    assert text.isascii()
    return [json.loads(each) for each in text.splitlines()]


def one(text: bytes) -> dict[str, Any]:
    (found,) = read(text)
    return found


def asked(between: Bridge, method: str = "session/prompt", number: Any = 7, **params: Any) -> int:
    """Let the editor ask; return the number that the agent sees."""
    passed = between.from_editor(line(id=number, method=method, params=params))
    assert passed.to_editor == b""
    return int(one(passed.to_agent)["id"])


def updated(between: Bridge, **update: Any) -> Passed:
    return between.from_agent(
        line(method=acp.UPDATE, params={"sessionId": "s", "update": update, "more": 1})
    )


def permission(between: Bridge, number: Any = "a", **call: Any) -> dict[str, Any]:
    options = [{"optionId": "yes", "name": "Yes", "kind": "allow_once"},
               {"optionId": "run", "name": "Run", "kind": "execute_on_host"}]  # fmt: skip
    passed = between.from_agent(
        line(id=number, method=acp.ASK,
             params={"sessionId": "s", "toolCall": call, "options": options})
    )  # fmt: skip
    return one(passed.to_editor)


@pytest.mark.parametrize("method", REFUSED)
def test_what_the_agent_may_not_ask_is_answered_for_the_editor(method: str) -> None:
    between = bridge()
    params = {"path": "/etc/passwd", "content": "x"}
    passed = between.from_agent(line(id=3, method=method, params=params))
    assert passed.to_editor == b""
    assert one(passed.to_agent) | {"error": None} == {"jsonrpc": "2.0", "id": 3, "error": None}
    assert one(passed.to_agent)["error"]["code"] == acp.METHOD
    assert between.from_agent(line(method=method)) == Passed()
    assert sum(between.refused.values()) == 2
    if method:
        assert any(method[:20] in each for each in between.refused)


@pytest.mark.parametrize(
    "method", ["authenticate", "logout", "session/delete", "providers/set", "mcp/message", "_x"]
)
def test_what_an_editor_may_not_ask_is_refused_to_it(method: str) -> None:
    passed = bridge().from_editor(line(id="x", method=method, params={}))
    assert (passed.to_agent, one(passed.to_editor)["error"]["code"]) == (b"", acp.METHOD)
    assert one(passed.to_editor)["id"] == "x"


def test_no_capability_and_no_login_passes() -> None:
    between = bridge()
    passed = between.from_editor(
        line(id=0, method="initialize", params={
            "protocolVersion": 99, "_meta": {"terminal-auth": True},
            "clientCapabilities": {"fs": {"writeTextFile": True}, "terminal": True,
                                   "_meta": {"terminal-auth": True}},
            "clientInfo": {"name": "zed", "version": "1", "home": "/home/alice"},
        })
    )  # fmt: skip
    sent = one(passed.to_agent)
    assert sent["params"] == {
        "protocolVersion": 1, "clientInfo": {"name": "zed", "version": "1"},
        "clientCapabilities": {},
    }  # fmt: skip
    answer = between.from_agent(
        line(id=sent["id"], result={
            "protocolVersion": 1, "agentInfo": {"name": "OpenCode"},
            "authMethods": [{"id": "x", "_meta": {"terminal-auth": {"command": "sh"}}}],
            "agentCapabilities": {
                "loadSession": True, "mcpCapabilities": {"http": True}, "auth": {"logout": {}},
                "promptCapabilities": {"image": True, "nes": True},
                "sessionCapabilities": {"list": {}, "delete": {}},
            },
        })
    )  # fmt: skip
    assert one(answer.to_editor)["result"] == {
        "protocolVersion": 1, "agentInfo": {"name": "OpenCode"}, "authMethods": [],
        "agentCapabilities": {
            "loadSession": True, "promptCapabilities": {"image": True},
            "sessionCapabilities": {"list": {}},
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    "cwd",
    ["/", "/etc", f"{ROOT}x", f"{ROOT}/../other", f"{ROOT}/missing", "api", "", None, 7, [ROOT],
     f"{ROOT}\0", f"{ROOT}/./x", f"//{ROOT}"],
)  # fmt: skip
@pytest.mark.parametrize("method", acp.OPENS)
def test_a_session_begins_in_the_workspace_only(method: str, cwd: Any) -> None:
    params = {"cwd": cwd, "mcpServers": [], "sessionId": "s"}
    passed = bridge().from_editor(line(id=1, method=method, params=params))
    assert passed.to_agent == b""
    assert one(passed.to_editor)["error"]["code"] == acp.PARAMS
    also = {"cwd": ROOT, "additionalDirectories": [ROOT, cwd]}
    passed = bridge().from_editor(line(id=1, method=method, params=also))
    assert (passed.to_agent, one(passed.to_editor)["error"]["code"]) == (b"", acp.PARAMS)


def test_servers_of_the_editor_stay_there_unless_it_is_said_otherwise() -> None:
    server = {"name": "x", "command": "/bin/x", "args": [], "env": [{"name": "T", "value": "s3"}]}
    params = {"cwd": ROOT, "mcpServers": [server]}
    closed, opened = bridge(), bridge(mcp=True)
    sent = one(closed.from_editor(line(id=1, method="session/new", params=params)).to_agent)
    assert sent["params"] == {"cwd": ROOT, "mcpServers": []}
    assert any("acp_mcp" in each for each in closed.refused)
    sent = one(opened.from_editor(line(id=1, method="session/new", params=params)).to_agent)
    assert sent["params"]["mcpServers"] == [server]


def test_each_answer_goes_to_who_asked_under_the_id_that_he_gave() -> None:
    between = bridge()
    numbers = {given: asked(between, number=given) for given in ("a", 1, -5, None, "1")}
    assert len({*numbers.values()}) == len(numbers)
    for given_id, number in reversed(numbers.items()):
        answer = one(
            between.from_agent(line(id=number, result={"stopReason": "end_turn"})).to_editor
        )
        assert (answer["id"], answer["result"]) == (given_id, {"stopReason": "end_turn"})


def test_forged_answers_are_dropped() -> None:
    between = bridge()
    number = asked(between)
    for wrong in (number + 1, str(number), float(number), True, None, [number], {"a": 1}):
        assert between.from_agent(line(id=wrong, result={"stopReason": "forged"})) == Passed()
    answer = line(id=number, result={"stopReason": "end_turn"})
    assert b"end_turn" in between.from_agent(answer).to_editor
    assert between.from_agent(answer) == Passed(), "an answer counts once"
    # An answer is no answer to what the agent itself has asked.
    own = permission(between)["id"]
    assert between.from_agent(line(id=own, result={})) == Passed()


def test_a_permission_is_asked_and_only_an_offered_answer_comes_back() -> None:
    between = bridge()
    for outcome, expected in (
        ({"outcome": "selected", "optionId": "yes"}, {"outcome": "selected", "optionId": "yes"}),
        ({"outcome": "selected", "optionId": "run"}, {"outcome": "cancelled"}),
        ({"outcome": "cancelled"}, {"outcome": "cancelled"}),
    ):
        request = permission(between, "a", toolCallId="t", title="rm", evil=1)
        assert request["params"]["toolCall"] == {"toolCallId": "t", "title": "rm"}
        assert [each["optionId"] for each in request["params"]["options"]] == ["yes"]
        back = between.from_editor(
            line(id=request["id"], result={"outcome": outcome, "_meta": {"token": "s3"}})
        )
        assert one(back.to_agent) == {"jsonrpc": "2.0", "id": "a", "result": {"outcome": expected}}
        again = between.from_editor(line(id=request["id"], result={"outcome": outcome}))
        assert again == Passed(), "no error either: its id may be that of another question"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", f"{ROOT}/../../bob", "relative", f"{ROOT}2", "", None, 3]
)
def test_what_lies_outside_is_no_diff_and_no_location(path: Any) -> None:
    between = bridge()
    good = {"type": "diff", "path": f"{ROOT}/a", "oldText": "1", "newText": "2"}
    passed = updated(
        between, sessionUpdate="tool_call_update", toolCallId="t",
        content=[good | {"path": path}, good | {"command": "sh"}, {"type": "terminal", "id": "1"},
                 {"type": "content", "content": {"type": "text", "text": "hi"}}, "x"],
        locations=[{"path": path}, {"path": f"{ROOT}/a", "line": 3}],
    )  # fmt: skip
    update = one(passed.to_editor)["params"]["update"]
    assert update["content"] == [
        good, {"type": "content", "content": {"type": "text", "text": "hi"}},
    ]  # fmt: skip
    assert update["locations"] == [{"path": f"{ROOT}/a", "line": 3}]


@pytest.mark.parametrize(
    "path",
    [".git/hooks/pre-commit", "a/.GIT/config", "x/.vscode/tasks.json", ".envrc", ".gitattributes"],
)
def test_no_change_of_what_the_host_executes_is_offered(path: str) -> None:
    between = bridge()
    diff = {"type": "diff", "oldText": "1", "newText": "evil"}
    passed = updated(
        between, sessionUpdate="tool_call", toolCallId="t",
        content=[diff | {"path": f"{ROOT}/{path}"}, diff | {"path": f"{ROOT}/src/a.py"}],
    )  # fmt: skip
    (shown,) = one(passed.to_editor)["params"]["update"]["content"]
    assert shown["path"] == f"{ROOT}/src/a.py"
    assert between.refused["diffs of what the host executes or obeys, of the agent"] == 1


def test_an_option_is_called_by_what_choosing_it_does() -> None:
    given = [("Reject", "allow_always"), ("always allow", "allow_always"), (None, "reject_once"),
             ("Reject", "reject_once"), ("No, and tell", "reject_once")]  # fmt: skip
    options = [{"optionId": str(at), "name": name, "kind": kind}
               for at, (name, kind) in enumerate(given)]  # fmt: skip
    passed = bridge().from_agent(
        line(id=1, method=acp.ASK, params={"toolCall": {}, "options": options})
    )
    assert [each["name"] for each in one(passed.to_editor)["params"]["options"]] == [
        "Always allow: Reject", "Always allow", "Reject", "Reject", "Reject: No, and tell",
    ]  # fmt: skip


def test_no_text_steers_a_terminal_or_breaks_a_reader() -> None:
    text = "a\n\tb\x1b[2J\x9b\u202ec\ud800d \U0001f468\u200d\U0001f469"
    passed = updated(bridge(), sessionUpdate="agent_message_chunk",
                     content={"type": "text", "text": text})  # fmt: skip
    assert b"\\ud800" not in passed.to_editor
    assert one(passed.to_editor)["params"]["update"]["content"]["text"] == (
        "a\n\tb\u241b[2J\ufffd\ufffdc\ufffdd \U0001f468\u200d\U0001f469"
    )
    question = line(id=1, method="session/prompt", params={"prompt": [{"text": "\udfff\x1b"}]})
    (said,) = read(bridge().from_editor(question).to_agent)
    assert said["params"]["prompt"] == [{"text": "\ufffd\x1b"}], "the user's words are the user's"


@pytest.mark.parametrize(
    ("uri", "passes"),
    [(f"file://{ROOT}/a%20b", True), ("https://example.com/x", True), ("file:///etc/passwd", False),
     (f"file://{ROOT}/%2e%2e/%2e%2e/bob", False), (f"file://{ROOT}/a%00", False),
     ("vscode://run/x", False), ("javascript:alert(1)", False), ("file://host/share", False),
     ("zed://x", False), (None, False), ("/etc/passwd", False)],
)  # fmt: skip
def test_a_link_leads_into_the_workspace_or_to_the_web(uri: Any, passes: bool) -> None:
    for block in (
        {"type": "resource_link", "uri": uri, "name": "x"},
        {"type": "resource", "resource": {"uri": uri, "text": "x"}},
    ):
        passed = updated(bridge(), sessionUpdate="agent_message_chunk", content=block)
        assert bool(passed.to_editor) is passes


@pytest.mark.parametrize("more", ["", "?b", "#b", "#L1?x", "?x#L1"])
@pytest.mark.parametrize("name", ["a", "a%3Fb", "a%23b"])
def test_a_link_is_looked_at_as_every_reader_takes_it(name: str, more: str) -> None:
    """RFC 3986, 3: an editor opens what stands before `?` and `#`."""
    uri = f"file://{ROOT}/{name}{more}"
    outside = unquote(f"{ROOT}/{name}")
    content = {"type": "resource_link", "uri": uri, "name": "x"}
    for leads, passes in ((outside, False), (f"{outside}x", True)):
        between = Bridge(leads.__ne__, lambda _: True, lambda _: True, mcp=False)
        passed = updated(between, sessionUpdate="agent_message_chunk", content=content)
        assert bool(passed.to_editor) is passes
    # Others take all of it for a name.
    whole = Bridge(unquote(uri[7:]).__ne__, lambda _: True, lambda _: True, mcp=False)
    assert not updated(whole, sessionUpdate="agent_message_chunk", content=content).to_editor


@pytest.mark.parametrize("kind", ["terminal_output", "run_command", "", None, 5, ["plan"]])
def test_an_unknown_update_is_dropped(kind: Any) -> None:
    assert updated(bridge(), sessionUpdate=kind, content={"type": "text", "text": "x"}) == Passed()


@pytest.mark.parametrize(
    "text",
    [b'[{"jsonrpc":"2.0","method":"session/update","params":{}}]', b"[" * 100_000, b"\xff", b"nul",
     b'{"jsonrpc":"2.0","method":"fs/read","method":"session/update","params":{}}',
     b'{"jsonrpc":"2.0","id":1,"id":2,"result":{}}', b'{"jsonrpc":"2.0","id":1}', b"1", b'"x"',
     b'{"method":"session/update","params":{}}', b'{"jsonrpc":"1.0","id":1,"result":{}}',
     b'{"jsonrpc":"2.0","id":1,"result":{},"error":{}}',
     b'{"jsonrpc":"2.0","id":1,"method":"session/update","result":{}}',
     b'{"jsonrpc":"2.0","method":"session/update","params":[1]}',
     b'{"jsonrpc":"2.0","method":"session/update","params":{"x":NaN}}',
     b'{"jsonrpc":"2.0","method":"session/update","params":{"x":1e999}}',
     b'{"jsonrpc":"2.0","method":"session/update","params":{"x":' + b"9" * 5000 + b"}}",
     b'{"jsonrpc":"2.0","method":"session/update","params":' + b'{"a":' * 70 + b"1" + b"}" * 71],
)  # fmt: skip
def test_what_two_readers_could_read_in_two_ways_goes_nowhere(text: bytes) -> None:
    between = bridge()
    asked(between)
    passed = between.from_agent(text)
    assert passed.to_editor == b""
    assert all("error" in each for each in read(passed.to_agent))
    between = bridge()
    permission(between)
    passed = between.from_editor(text)
    assert passed.to_agent == b""
    assert all("error" in each for each in read(passed.to_editor))
    assert sum(between.refused.values()) == 1


def test_a_list_of_sessions_holds_those_of_the_workspace() -> None:
    between = bridge()
    number = asked(between, acp.LIST)
    found = [{"sessionId": "1", "cwd": ROOT, "x": 1}, {"sessionId": "2", "cwd": "/"}, 3]
    answer = one(between.from_agent(line(id=number, result={"sessions": found})).to_editor)
    assert answer["result"] == {"sessions": [{"sessionId": "1", "cwd": ROOT}]}


@pytest.mark.parametrize("code", [-32000, -32042, -32603])
@pytest.mark.parametrize("method", ["session/new", "session/prompt"])
def test_an_error_carries_no_login_and_no_address_to_open(code: int, method: str) -> None:
    """Editors start the program of a terminal login with the arguments that they are told."""
    between = bridge()
    number = asked(between, method, **({"cwd": ROOT} if method == "session/new" else {}))
    login = {"type": "terminal", "id": "x", "args": ["-c", "evil"], "env": {"LD_PRELOAD": "/x"}}
    data = {"authMethods": [login], "elicitations": [{"mode": "url", "url": "http://127.0.0.1"}]}
    error = {"code": code, "message": "log in", "data": data, "more": 1}
    answer = one(between.from_agent(line(id=number, error=error)).to_editor)
    assert answer == {"jsonrpc": "2.0", "id": 7, "error": {"code": code, "message": "log in"}}


def test_an_answer_of_another_shape_is_an_error_for_who_asked() -> None:
    wrong: list[Any] = [[], "x", 5, {"sessions": 5, "protocolVersion": 2}]
    for method in (acp.INITIALIZE, acp.LIST):
        for result in wrong:
            between = bridge()
            number = asked(between, method)
            answer = one(between.from_agent(line(id=number, result=result)).to_editor)
            assert (answer["id"], answer["error"]["code"]) == (7, acp.INTERNAL)


def test_the_agents_questions_do_not_pile_up() -> None:
    between = bridge()
    for number in range(acp.MOST_PENDING):
        assert "params" in permission(between, number)
    passed = between.from_agent(
        line(id="last", method=acp.ASK, params={"toolCall": {}, "options": []})
    )
    assert (passed.to_editor, one(passed.to_agent)["id"]) == (b"", "last")
    for number in range(1000):
        between.from_agent(line(method=f"x{number}"))
    assert len(between.refused) <= 51
    assert sum(between.refused.values()) == 1001


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([*LISTED, *REFUSED, *acp.EDITOR_REQUESTS, *acp.UPDATES, *acp.BLOCKS, ROOT]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from([
            "jsonrpc", "id", "method", "params", "result", "error", "sessionId", "update", "_meta",
            "sessionUpdate", "content", "type", "path", "uri", "toolCall", "options", "locations",
            "outcome", "authMethods", "cwd", "mcpServers", "agentCapabilities", "protocolVersion",
        ]) | st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip
MESSAGES = st.builds(
    lambda fields, more: {"jsonrpc": "2.0"} | more | fields,
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.integers(0, 12) | st.text(max_size=2) | JSON,
            "method": st.sampled_from([*LISTED, *REFUSED, *acp.EDITOR_REQUESTS]) | JSON,
            "params": JSON, "result": JSON, "error": JSON,
        },
    ),
    st.dictionaries(st.text(max_size=3), JSON, max_size=2),
)  # fmt: skip
LINES = MESSAGES.map(lambda each: json.dumps(each).encode()) | st.binary(max_size=40)


def without_meta(value: Any) -> bool:
    if isinstance(value, dict):
        return "_meta" not in value and all(map(without_meta, value.values()))
    return not isinstance(value, list) or all(map(without_meta, value))


@given(st.lists(st.tuples(st.booleans(), LINES), max_size=12))
def test_whatever_is_said_only_what_is_listed_passes(said: list[tuple[bool, bytes]]) -> None:
    between = bridge()
    # Three questions of the editor's, which the agent may answer once each.
    waiting = {asked(between, method, number): number
               for number, method in (("p", "session/prompt"), ("l", acp.LIST),
                                      ("i", acp.INITIALIZE))}  # fmt: skip
    open_ids, offered = [*waiting.values()], 0
    for editor, text in said:
        passed = between.from_editor(text) if editor else between.from_agent(text)
        for each in read(passed.to_editor):
            assert without_meta(each)
            if "method" in each:
                assert not editor
                assert each["method"] in LISTED
                assert ("id" in each) == (each["method"] == acp.ASK)
                offered += each["method"] == acp.ASK
            elif not editor:
                # Nothing but an answer to what was asked, once.
                open_ids.remove(each["id"])
                assert each.get("result", {}).get("authMethods", []) == []
        for each in read(passed.to_agent):
            assert without_meta(each)
            if "method" in each:
                assert editor
                assert each["method"] in {*acp.EDITOR_REQUESTS, *acp.EDITOR_NOTIFICATIONS}
                assert each["params"].get("mcpServers", []) == []
                if "id" in each:
                    open_ids.append(json.loads(text)["id"])
            elif editor:
                offered -= 1
                assert offered >= 0, "an answer to a question of the agent's"


ODD: tuple[Any, ...] = (
    [],
    {},
    [[]],
    {"a": []},
    "\ud800",
    "/\udcff",
    f"{ROOT}/\udfff",
    "\0",
    1.5,
    True,
)
"""What no reader expects: values that cannot be keys, halves of surrogate pairs."""


def on_this_machine() -> Bridge:
    """Return a bridge that looks at paths as the operating system does."""

    def inside(path: str) -> bool:
        return os.path.realpath(path) == ROOT

    return Bridge(inside, inside, os.path.isdir, mcp=True)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_nothing_that_the_agent_says_stops_the_bridge(odd: Any) -> None:
    between = on_this_machine()
    number = asked(between, acp.LIST)
    for message in (
        line(method=acp.UPDATE, params={"update": {"sessionUpdate": odd}}),
        line(method=acp.UPDATE, params={"update": odd}),
        line(id="o", method=acp.ASK, params={
            "toolCall": {"locations": [{"path": odd}, odd], "content": [
                {"type": "diff", "path": odd}, {"type": odd}, {"type": "content", "content": odd}]},
            "options": [{"optionId": odd, "kind": odd}, {"optionId": "a", "kind": odd}, odd]}),
        line(id=number, result={"sessions": [{"cwd": odd}, odd], "nextCursor": odd}),
        *(line(method=acp.UPDATE, params={"update": {
            "sessionUpdate": "agent_message_chunk", "content": block}}) for block in (
                {"type": odd}, {"type": "resource_link", "uri": odd},
                {"type": "resource_link", "uri": "file:///%ff%00%ed%a0%80"},
                {"type": "resource", "resource": {"uri": odd}})),
    ):  # fmt: skip
        passed = between.from_agent(message)
        read(passed.to_editor)
        assert all("error" in each for each in read(passed.to_agent))


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_nor_does_anything_that_the_editor_says(odd: Any) -> None:
    between = on_this_machine()
    for place in (odd, "/" + "a" * 5000):
        passed = between.from_editor(line(id=1, method="session/new", params={"cwd": place}))
        assert one(passed.to_editor)["error"]["code"] == acp.PARAMS
    number = permission(between)["id"]
    for outcome in (odd, {"outcome": odd}, {"outcome": "selected", "optionId": odd}):
        passed = between.from_editor(line(id=number, result={"outcome": outcome}))
        assert "selected" not in passed.to_agent.decode()
