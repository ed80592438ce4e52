"""A real ACP client library, the real agent behind the filter, and a hostile one in its place."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import acp
import pytest

from tests.engine import world
from tests.engine.conftest import Sandbox, address, network
from tests.engine.world import ROOT

pytestmark = pytest.mark.engine

NAME, PORT, MODEL_PORT = "acp", 4210, 18105
# Answers as an OpenAI-compatible provider does: first with a call of a tool, then with words.
PROVIDER = r"""
import http.server, json, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words): pass
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked = body["messages"][-1]
        tools = {each["function"]["name"] for each in body.get("tools", [])}
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        def say(delta, reason=None):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            data = {"id": "x", "object": "chat.completion.chunk", "created": 1,
                    "model": "made", "choices": [choice]}
            self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")
        if "write" in tools and asked["role"] == "user" and "WRITE" in json.dumps(asked):
            wanted = json.dumps({"filePath": sys.argv[2] + "/made.txt", "content": "by the agent"})
            say({"role": "assistant", "tool_calls": [{"index": 0, "id": "call_1",
                 "type": "function", "function": {"name": "write", "arguments": wanted}}]})
            say({}, "tool_calls")
        else:
            say({"role": "assistant", "content": "made answer"})
            say({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")
http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Answers).serve_forever()
"""
HOSTILE = r"""
import json, sys, time
def say(**fields): sys.stdout.write(json.dumps({"jsonrpc": "2.0", **fields}) + "\n")
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("method") == "initialize":
        say(id=asked["id"], result={"protocolVersion": 1, "agentCapabilities": {}, "authMethods": [
            {"id": "a", "name": "a", "_meta": {"terminal-auth": {"command": "sh", "args": []}}}]})
    elif asked.get("method") == "session/new":
        say(id=asked["id"], result={"sessionId": "s"})
    elif asked.get("method") == "session/prompt":
        for number, method in enumerate(%(methods)r):
            say(id="h%%d" %% number, method=method,
                params={"sessionId": "s", "path": "%(outside)s", "content": "evil",
                        "command": "sh", "args": ["-c", "touch %(outside)s"]})
            say(method=method, params={"sessionId": "s"})
        for number in range(0, 50):
            say(id=number, result={"stopReason": "forged"}) if number != asked["id"] else None
        say(id=True, result={"stopReason": "forged"})
        sys.stdout.write('[{"jsonrpc":"2.0","id":0,"method":"fs/write_text_file","params":{}}]\n')
        sys.stdout.write('{"jsonrpc":"2.0","method":"session/update","method":"fs/write_text_file",'
                         '"id":9,"params":{}}\n')
        sys.stdout.write("[" * 100000 + "\n")
        say(method="session/update", params={"sessionId": "s", "update": {
            "sessionUpdate": "tool_call", "toolCallId": "t", "title": "t",
            "locations": [{"path": "/etc/passwd"}, {"path": "%(inside)s/../../x"},
                          {"path": "/proc/self/cwd/x"}, {"path": "/dev/fd/../cwd/x"}],
            "content": [{"type": "diff", "path": "%(outside)s", "newText": "evil"},
                        {"type": "diff", "path": "%(inside)s/link/x", "newText": "evil"}]}})
        refused = 0
        sys.stdout.flush()
        while refused < len(%(methods)r):
            refused += json.loads(sys.stdin.readline()).get("error", {}).get("code") == -32601
        say(id=asked["id"], result={"stopReason": "refusal"})
    sys.stdout.flush()
"""
METHODS = (
    "fs/read_text_file", "fs/write_text_file", "terminal/create", "terminal/output",
    "terminal/release", "terminal/wait_for_exit", "terminal/kill", "elicitation/create",
    "elicitation/complete", "mcp/connect", "mcp/message", "mcp/disconnect", "authenticate", "_any",
)  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as user:
        project = user.home / "project"
        project.mkdir()
        (project / "link").symlink_to("/")
        models = {
            "made": {"name": "made", "tool_call": True, "limit": {"context": 9999, "output": 99}}
        }
        (project / "opencode.json").write_text(json.dumps({
            "model": "made/made", "small_model": "made/made", "permission": {"edit": "ask"},
            "provider": {"made": {
                "npm": "@ai-sdk/openai-compatible", "models": models,
                "options": {"baseURL": f"http://model.test:{MODEL_PORT}/v1", "apiKey": "made"},
            }},
        }))  # fmt: skip
        for each in (project, project / "opencode.json"):
            os.chown(each, 1000, 1000)
        user.write(f"""{world.certificates()}
[defaults]
enable_docker = false
egress = "allowlist"
[workspaces.{NAME}]
paths = ["~/project"]
port = {PORT}
allowed_hosts = ["model.test:{MODEL_PORT}"]
""")
        user.ok("up", NAME)
        sandbox = Sandbox(user, NAME)
        (agent,) = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))
        model = world.call(
            "docker", "run", "--detach", "--rm", "--init", "--log-opt", "max-size=1m", "--network",
            network(sandbox), "--network-alias", "model.test", "--entrypoint", "python3",
            agent["Image"], "-c", PROVIDER, str(MODEL_PORT), str(project),
        ).strip()  # fmt: skip
        try:
            assert address(model)
            yield sandbox
        finally:
            world.call("docker", "rm", "--force", model)
            world.remove(f"jailoc-{NAME}")


class Editor:
    """An editor that offers everything, and writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.updates: list[Any] = []
        self.allows = "allow_once"

    async def request_permission(
        self, options: Any, session_id: str, tool_call: Any, **more: Any
    ) -> Any:
        self.asked.append("permission")
        chosen = next(each for each in options if each.kind == self.allows)
        outcome = acp.schema.AllowedOutcome(outcome="selected", option_id=chosen.option_id)
        return acp.RequestPermissionResponse(outcome=outcome)

    async def session_update(self, session_id: str, update: Any, **more: Any) -> None:
        self.updates.append(update)

    def on_connect(self, connection: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        async def method(*words: Any, **more: Any) -> Any:
            self.asked.append(name)

        if name.startswith(("write_", "read_", "create_", "terminal_", "release_", "wait_", "kill_",
                            "ext_", "complete_", "connect_", "mcp_")):  # fmt: skip
            return method
        raise AttributeError(name)


def arguments(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "jailoc.bin", "acp", *words]


def environment(sandbox: Sandbox) -> dict[str, str]:
    """Return as little as an editor passes on: not which engine it is."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(sandbox.user.home),
        "PYTHONPATH": str(ROOT / ".pkg"),
    }


async def conversation(sandbox: Sandbox, editor: Editor, told: Path) -> dict[str, Any]:
    project = str(sandbox.user.home / "project")
    capabilities = acp.schema.ClientCapabilities(
        fs=acp.schema.FileSystemCapabilities(read_text_file=True, write_text_file=True),
        terminal=True,
    )
    found: dict[str, Any] = {}
    with told.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *arguments(), cwd=project, env=environment(sandbox), limit=1 << 22,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
        assert process.stdin
        assert process.stdout
        connection = acp.connect_to_agent(cast("acp.Client", editor), process.stdin, process.stdout)
        begun = await connection.initialize(protocol_version=1, client_capabilities=capabilities)
        found["login"] = begun.auth_methods
        session = await connection.new_session(cwd=project, mcp_servers=[])
        for key, text in (("words", "say something"), ("file", "WRITE it")):
            answer = await connection.prompt(
                session_id=session.session_id, prompt=[acp.text_block(text)]
            )
            found[key] = answer.stop_reason
        for wrong in ("/etc", "/", str(sandbox.user.home)):
            with pytest.raises(acp.RequestError, match="paths"):
                await connection.new_session(cwd=wrong, mcp_servers=[])
        process.stdin.close()
        begin = time.monotonic()
        found["status"] = await asyncio.wait_for(process.wait(), 30)
        found["end"] = time.monotonic() - begin
    return found


def snippets() -> Iterator[list[str]]:
    """Yield the commands that the page on editors shows."""
    page = (ROOT / "docs/how-to/use-from-your-editor.md").read_text(encoding="utf-8")
    for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL):
        shown = json.loads(block)["agent_servers"]["jailoc"]
        yield [shown["command"], *shown["args"]]
    command, words = re.findall(r'command = "([^"]*)", args = {([^}]*)}', page)[0]
    yield [command, *re.findall(r'"([^"]*)"', words)]


def inside(sandbox: Sandbox, text: str) -> bool:
    top = world.call("docker", "top", sandbox.container("opencode"), "-eo", "pid,args")
    return text in top


def test_a_whole_conversation_with_the_real_agent(running: Sandbox, tmp_path: Path) -> None:
    editor, told = Editor(), tmp_path / "stderr"
    made = running.user.home / "project/made.txt"
    found = asyncio.run(asyncio.wait_for(conversation(running, editor, told), 120))
    said = told.read_text()
    assert found["words"] == "end_turn", said
    assert found["file"] == "end_turn", said
    text = "".join(
        each.content.text for each in editor.updates
        if each.session_update == "agent_message_chunk"
    )  # fmt: skip
    assert "made answer" in text
    assert editor.asked == ["permission"], "and nothing else, though the agent asks for more"
    assert made.read_text() == "by the agent", "by itself, in the sandbox"
    assert "fs/write_text_file of the agent (1)" in said
    assert found["login"] == []
    assert found["status"] == 0
    assert not inside(running, "opencode acp")


@pytest.mark.thorough
def test_control_without_the_filter_the_agent_asks_the_editor_to_write(running: Sandbox) -> None:
    """What the filter refuses is what the agent truly sends, capability or not."""
    project = str(running.user.home / "project")

    async def talk(editor: Editor) -> None:
        process = await asyncio.create_subprocess_exec(
            "docker", "exec", "-i", "-u", "1000:1000", "-w", project,
            running.container("opencode"), "/bin/sh", "/etc/jailoc/agent.sh", "opencode", "acp",
            limit=1 << 22, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin
        assert process.stdout
        connection = acp.connect_to_agent(cast("acp.Client", editor), process.stdin, process.stdout)
        await connection.initialize(protocol_version=1)
        session = await connection.new_session(cwd=project, mcp_servers=[])
        await connection.prompt(session_id=session.session_id, prompt=[acp.text_block("WRITE it")])
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 30)

    editor = Editor()
    (running.user.home / "project/made.txt").unlink(missing_ok=True)
    asyncio.run(asyncio.wait_for(talk(editor), 120))
    assert "write_text_file" in editor.asked


@pytest.fixture
def hostile(running: Sandbox) -> Iterator[Path]:
    """Put a hostile agent in the place of the real one, as whoever has the image could."""
    outside = running.user.home / "outside"
    script = HOSTILE % {
        "methods": METHODS, "outside": outside, "inside": running.user.home / "project",
    }  # fmt: skip

    def root(*command: str, stdin: str | None = None) -> str:
        agent = running.container("opencode")
        return world.call("docker", "exec", "-i", "-u", "0", agent, *command, stdin=stdin)

    found = root("sh", "-c", "readlink -f $(command -v opencode)").strip()
    root("mv", found, f"{found}.real")
    place = f"{found}.py"
    wrapper = (
        f'#!/bin/sh\n[ "$1" = acp ] || exec {found}.real "$@"\nexec /usr/bin/python3 {place}\n'
    )
    for name, body in ((place, script), (found, wrapper)):
        root("sh", "-c", 'cat >"$0"; chmod 755 "$0"', name, stdin=body)
    try:
        yield outside
    finally:
        root("mv", f"{found}.real", found)


def test_a_hostile_agent_gets_nothing_through(
    running: Sandbox, hostile: Path, tmp_path: Path
) -> None:
    project = str(running.user.home / "project")
    said = [
        {"id": 100, "method": "initialize", "params": {"protocolVersion": 1}},
        {"id": 101, "method": "session/new", "params": {"cwd": project, "mcpServers": []}},
        {"id": 102, "method": "session/prompt", "params": {"sessionId": "s", "prompt": []}},
    ]
    lines: list[dict[str, Any]] = []
    with (tmp_path / "said").open("wb") as stderr, subprocess.Popen(
        arguments(), cwd=project, env=environment(running), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=stderr,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        for each in said:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **each}).encode() + b"\n")
            process.stdin.flush()
            while not lines or lines[-1].get("id") != each["id"]:
                lines.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        lines += [json.loads(each) for each in process.stdout.read().splitlines()]
        assert process.wait(30) == 0
    told = (tmp_path / "said").read_text()
    (update,) = [each for each in lines if "method" in each]
    assert update["method"] == "session/update"
    assert update["params"]["update"]["content"] == []
    assert update["params"]["update"]["locations"] == []
    answers = {each["id"]: each["result"] for each in lines if "method" not in each}
    assert answers == {
        100: {"protocolVersion": 1, "agentCapabilities": {"loadSession": False}, "authMethods": []},
        101: {"sessionId": "s"},
        102: {"stopReason": "refusal"},
    }, "no forged answer, and the true one"
    for method in METHODS:
        assert f"{method} of the agent (2)" in told
    assert "an answer to no question of the agent" in told
    assert not hostile.exists()


def begin(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """Say who speaks, and return the agent's answer."""
    begun = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": 1}}
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(begun).encode() + b"\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())["result"]
    return answer


@pytest.mark.thorough
@pytest.mark.parametrize("number", [9, 15])
def test_an_editor_that_kills_it_leaves_nothing_behind(running: Sandbox, number: int) -> None:
    with subprocess.Popen(
        arguments(str(running.user.home / "project")), cwd="/",
        env=environment(running), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        begin(process)
        assert inside(running, "opencode acp")
        process.send_signal(number)
        assert process.wait(30) == (128 + number if number == 15 else -9)
    end = time.monotonic() + 30
    while inside(running, "opencode acp"):
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.thorough
def test_what_the_page_shows_for_each_editor_begins_a_conversation(running: Sandbox) -> None:
    shown = list(snippets())
    assert len(shown) == 3
    assert {tuple(each) for each in shown} == {("jailoc", "acp")}
    tools = running.user.home / "tools"
    tools.mkdir()
    (tools / shown[0][0]).symlink_to(ROOT / "bin/jailoc")
    variables = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(running.user.home)}
    with subprocess.Popen(
        ["env", *shown[0]], cwd=running.user.home / "project", env=variables,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert begin(process)["protocolVersion"] == 1
        assert process.stdin
        process.stdin.close()
        assert process.wait(60) == 0
