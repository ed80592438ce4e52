"""Another agent is another record: all that is compiled and run for it follows from that."""

import http.server
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jailoc.generators.artefacts.compile import bundle
from jailoc.generators.artefacts.health import SETTLED
from jailoc.generators.artefacts.tui_plugin import configuration, container, package
from jailoc.generators.attach import client as attachment
from jailoc.generators.attach.client import AttachMode, Request
from jailoc.generators.attach.resume_hint import Rewriter
from jailoc.generators.config.resolve import built_in_mounts, resolve
from jailoc.generators.runtime.image_check import END, script, unsuitable
from jailoc.model import mount
from jailoc.model.agents.agent import ANSWER_SHOWN, Agent
from jailoc.model.agents.opencode1 import OPENCODE_1
from jailoc.model.bundle import Bundle
from jailoc.model.diagnostic import Refused
from jailoc.model.host import FileKind
from jailoc.model.workspace import Workspace
from tests.agents import OTHER, PLUGIN
from tests.strategies import HOST, config_of, file_of


def workspace(name: str, agent: Agent) -> Workspace:
    """Resolve a workspace, and give it an agent, which no configuration can yet."""
    text = f'[workspaces.{name}]\npaths = ["/home/alice/code"]\n'
    found = resolve(config_of(text), name, HOST)
    there = {f"{HOST.home}/{each.path}": FileKind.DIRECTORY for each in agent.mounts}
    host = HOST.model_copy(update={"kinds": there})
    mounts = mount.merge((("built-in", built_in_mounts(host, agent)),))
    return found.model_copy(update={"agent": agent, "mounts": mounts})


def compiled(agent: Agent = OTHER) -> Bundle:
    return bundle(workspace("api", agent), HOST)


def test_nothing_that_is_compiled_for_another_agent_is_opencodes() -> None:
    for path, text in ((each.path, each.text) for each in compiled().files):
        # The service is called so whoever runs in it.
        kept = [
            line
            for line in text.lower().splitlines()
            if "opencode" in line and line.strip() not in {"opencode:", '"opencode": {'}
        ]
        assert kept == [], path
    assert "opencode-ai" in file_of(compiled(OPENCODE_1), "images/agent/Dockerfile")


def test_two_workspaces_have_an_agent_each() -> None:
    pair = [bundle(workspace("a", OTHER), HOST), bundle(workspace("b", OPENCODE_1), HOST)]
    assert [each.agent.name for each in pair] == ["Other", "OpenCode"]
    commands = [each.compose.services["opencode"].command for each in pair]
    assert commands[0] == ("othr", "listen", "4096")
    assert commands[1] is not None
    assert commands[1][:2] == ("opencode", "serve")


def test_the_image_and_its_check_follow_the_record() -> None:
    text = file_of(compiled(), "images/agent/Dockerfile")
    assert "ARG OTHER_VERSION=3.2.1\n" in text
    assert '"@example/other@${OTHER_VERSION}"' in text
    assert "mkdir -p .local/bin .local/share/other " in text
    assert "command -v othr " in script(OTHER)
    refusal = unsuitable("x:1", None, OTHER, ["othr", "start oh", END])
    assert refusal is not None
    missing, broken = refusal.diagnostics
    assert missing.message == "image `x:1` has no `othr` on its PATH"
    assert "@example/other" in (missing.hint or "")
    assert "--entrypoint othr" in (broken.hint or "")


def test_environment_password_and_volumes_follow_the_record() -> None:
    made = compiled()
    environment = made.compose.services["opencode"].environment
    assert environment["OTHER_LEVEL"].text == "debug"
    assert not [each for each in environment if "OPENCODE" in each]
    taken = [
        line for line in file_of(made, "agent/agent.sh").splitlines() if "_take .server-" in line
    ]
    assert taken == [
        "_jailoc_take .server-password OTHER_KEY",
        "_jailoc_take .server-password OLD_KEY",
    ]
    assert set(made.compose.volumes) == {
        "other-data-api", "dind-data", "dind-socket", "evidence", "refused",
    }  # fmt: skip
    assert "/home/agent/.local/share/other" in file_of(made, "docker-compose.yml")


def test_mounts_and_seeds_follow_the_record() -> None:
    made = compiled()
    assert [(each.path, each.text) for each in made.seeds] == [
        ("/home/alice/.other/.gitignore", "made\n")
    ]
    assert "/home/alice/.other" in file_of(made, "docker-compose.yml")


def test_an_agent_that_insists_on_no_file_gets_none() -> None:
    assert compiled(OTHER.model_copy(update={"gitignore": ()})).seeds == ()


def test_attaching_follows_the_record() -> None:
    request = Request(session="s1", resume=True)
    assert attachment.arguments(OTHER, "http://u", "/p", request) == (
        "--server", "http://u", "-s", "s1", "-c", "/p",
    )  # fmt: skip
    # A word of the user's is never one to be filled in.
    odd = attachment.arguments(OTHER, "{session}", "{url}", Request(session="{directory}"))
    assert odd == ("--server", "{session}", "-s", "{directory}", "{url}")
    found = attachment.remote_environment({}, "api", OTHER, "secret")
    assert {each: found[each] for each in ("OTHER_KEY", "OLD_KEY", "OTHER_PROJECT")} == {
        "OTHER_KEY": "secret", "OLD_KEY": "secret", "OTHER_PROJECT": "0",
    }  # fmt: skip
    assert not [each for each in found if "OPENCODE" in each]
    with pytest.raises(Refused, match="`othr` or `othr-cli` on PATH") as refused:
        attachment.choose(AttachMode.REMOTE, "", "api", OTHER, exposed=True, client=False)
    assert "install Other" in (refused.value.diagnostics[0].hint or "")


def test_the_hint_that_is_replaced_is_the_clients_own() -> None:
    rewriter = Rewriter(OTHER.client.hint)
    shown = rewriter.feed(b"opencode -s x othr res") + rewriter.feed(b"ume y")
    assert shown == b"opencode -s x jailoc -s y"


def test_the_plugin_follows_the_record() -> None:
    agent = OTHER.model_copy(update={"plugin": PLUGIN})
    assert {each.path for each in container(agent, "agent")} == {
        "agent/tui-plugin/package.json", "agent/tui-plugin/tui.js", "agent/other.json",
    }  # fmt: skip
    assert '"./other": "./tui.js"' in package(PLUGIN, "other.plugin")[0].text
    assert '"extensions"' in configuration(PLUGIN, "file:///x").text
    assert attachment.inner_environment({}, agent, "/x")["OTHER_CONFIG"] == "/x"
    assert container(OTHER, "agent") == ()
    assert "/x" not in attachment.inner_environment({}, OTHER, "/x").values()


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/well" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as door:
        thread = threading.Thread(target=door.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield door.server_address[1]
        finally:
            door.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "well"),
    [
        (200, b'{"version":"3.2.1","pid":7}', True),
        (200, b'{"pid":7,"version":"3.0.0"}\n', True),
        (200, b'{"healthy":true,"version":"1.18.4"}', False),
        (200, b'<html>{"version":"3.2.1"}', False),
        (200, b"", False),
        (500, b'{"version":"3.2.1"}', False),
        (401, b'{"version":"3.2.1"}', False),
        (200, b'{"version":"3.' + b" " * (65 << 10), False),
    ],
)
def test_an_answer_that_must_say_something_is_judged_by_what_it_says(
    tmp_path: Path, status: int, body: bytes, well: bool
) -> None:
    health = compiled().compose.services["opencode"].health
    assert health is not None
    (tmp_path / "password").write_text('a"b\\c')
    with answering(status, body) as port:
        question = (
            health.test[1]
            .replace("/run/secrets/.server-password", f"{tmp_path}/password")
            .replace(":4096", f":{port}")
            .replace(f"-ge {SETTLED} ]", f"-ge {1 << 40} ]")  # as if it were new
        )
        done = subprocess.run(["/bin/sh", "-c", question], capture_output=True, check=False)
    assert (done.returncode == 0) is well
    # Of another answer the beginning is kept, to say who gave it.
    assert done.stdout in ({b""} if well or status != 200 else {b"", body[:ANSWER_SHOWN]})
