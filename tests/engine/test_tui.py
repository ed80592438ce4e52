"""OpenCode's own client in the container shows which sandbox it is in."""

import base64
import json
import os
import re
import time
import urllib.request

import pexpect
import pytest

from tests.engine import world
from tests.engine.conftest import Sandbox

pytestmark = pytest.mark.engine

ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[\]P_^X][^\x07\x1b]*(\x07|\x1b\\)|.)", re.DOTALL)
SIGN = "jailoc / walled"
SIZE = (50, 200)
"""Rows and columns; a narrow client has no sidebar."""


@pytest.fixture(scope="module")
def session(sandbox: Sandbox) -> str:
    """Make a session: only with one open is there a sidebar."""
    token = base64.b64encode(f"opencode:{sandbox.user.password('walled')}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{sandbox.port}/session?directory={sandbox.user.home}/project",
        data=b"{}",
        headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return str(json.load(answer)["id"])


def drawn(command: list[str], environment: dict[str, str], wanted: str, more: float = 0) -> str:
    """Return what a client draws until a text is there, and some seconds on; or half a minute."""
    child = pexpect.spawn(
        command[0], command[1:], env=environment, dimensions=SIZE, encoding="utf-8", timeout=1
    )
    seen, deadline, late = "", time.monotonic() + 30, False
    try:
        while time.monotonic() < deadline:
            if not late and wanted in ESCAPES.sub("", seen):
                deadline, late = time.monotonic() + more, True
            try:
                seen += child.read_nonblocking(1 << 16, timeout=0.2)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
    finally:
        child.close(force=True)
    return ESCAPES.sub("", seen)


def test_the_client_in_the_container_shows_the_workspace_in_its_sidebar(
    sandbox: Sandbox, session: str
) -> None:
    command = [
        "docker", "exec", "--interactive", "--tty", "--user", "1000:1000",
        "--env", "TERM=xterm-256color", "--env", "OPENCODE_TUI_CONFIG=/etc/jailoc/tui.json",
        "--env", "OPENCODE_SERVER_PASSWORD",
        sandbox.container("opencode"),
        "opencode", "attach", "http://localhost:4096",
        "--dir", str(sandbox.user.home / "project"), "--session", session,
    ]  # fmt: skip
    environment = {**os.environ, "OPENCODE_SERVER_PASSWORD": sandbox.user.password("walled")}
    assert SIGN in drawn(command, environment, SIGN)


def test_the_agent_cannot_change_what_its_client_loads(sandbox: Sandbox) -> None:
    agent = sandbox.container("opencode")
    for place in ("tui.json", "tui-plugin/tui.js", "tui-plugin/new.js"):
        script = f"echo x >/etc/jailoc/{place}"
        done = world.call("docker", "exec", agent, "/bin/sh", "-c", f"{script} || echo refused")
        assert done == "refused\n"
    # The agent is not the user who wrote them, and reads them all the same.
    assert "jailoc" in world.call("docker", "exec", agent, "cat", "/etc/jailoc/tui-plugin/tui.js")
