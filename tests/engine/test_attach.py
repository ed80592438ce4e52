"""Attach with the real client to the real server, in a real terminal, from outside and inside."""

import json
import os
import re
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.engine import world
from tests.engine.conftest import Sandbox
from tests.engine.world import ROOT

pytestmark = pytest.mark.engine

HOME_SCREEN = "Ask anything"
DEAD_PROXY = "http://127.0.0.1:9"
MARKER = "ran-on-the-host"


@pytest.fixture(scope="module")
def client(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the client that npm put into the agent's image to the host: the very same version."""
    folder = tmp_path_factory.mktemp("client")
    agent = sandbox.container("opencode")
    real = world.call("docker", "exec", agent, "realpath", "/usr/local/bin/opencode").strip()
    world.call("docker", "cp", f"{agent}:{real}", str(folder / "opencode"))
    return folder


@pytest.fixture(scope="module", autouse=True)
def as_before(sandbox: Sandbox) -> Iterator[None]:
    """Leave the shared sandbox as it was found."""
    yield
    sandbox.user.write(sandbox.config())
    sandbox.user.ok("up", sandbox.name)


class Attached:
    """A client in a terminal, and the terminal's modes from before."""

    def __init__(self, terminal: Any) -> None:
        self.terminal = terminal
        self.before = termios.tcgetattr(terminal.child_fd)

    def until(self, text: str, timeout: float = 90) -> str:
        """Wait for a text; return what came before, with lines whole that were too long."""
        self.terminal.expect_exact(text.encode(), timeout=timeout)
        return re.sub(r"\r\n {2,}", " ", self.terminal.before.decode(errors="replace"))

    def drawn(self) -> str:
        """Wait until the client shows its home screen and listens; return what came before."""
        said = self.until(HOME_SCREEN)
        self.until("commands")
        return said

    def resized(self, rows: int, columns: int) -> None:
        """Resize the terminal; the client draws into its new last line."""
        self.terminal.setwinsize(rows, columns)
        self.until(f"\x1b[{rows};")

    def answers_ctrl_p(self) -> None:
        """One key, held back by nobody, opens the list of commands."""
        self.terminal.send("\x10")
        self.until("Commands")
        self.terminal.send("\x1b")

    def quit(self) -> str:
        """Leave as a user does."""
        time.sleep(0.5)  # an escape key that is followed at once is another key
        self.terminal.send("\x03")
        return self.ended(0)

    def ended(self, status: int) -> str:
        """Wait for the end; return what was said last."""
        self.terminal.expect(pexpect.EOF, timeout=60)
        last = re.sub(r"\r\n {2,}", " ", self.terminal.before.decode(errors="replace"))
        assert termios.tcgetattr(self.terminal.child_fd) == self.before
        self.terminal.close()
        assert self.terminal.exitstatus == status, last
        return last


@contextmanager
def attached(
    sandbox: Sandbox, client: Path, *words: str, cwd: str = "project", **more: str
) -> Iterator[Attached]:
    environment = {
        "PATH": f"{client}:{os.environ['PATH']}",
        "HOME": str(sandbox.user.home),
        "PYTHONPATH": str(ROOT / ".pkg"),
        "TERM": "xterm-256color",
    }
    if host := os.environ.get("DOCKER_HOST"):
        environment["DOCKER_HOST"] = host
    with pexpect.spawn(
        sys.executable,
        ["-P", "-m", "jailoc.bin", *words],
        env=environment | more,
        cwd=str(sandbox.user.home / cwd),
        dimensions=(30, 100),
    ) as terminal:
        yield Attached(terminal)


def server_ready(sandbox: Sandbox) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        (found,) = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))
        if found["State"].get("Health", {}).get("Status") == "healthy":
            return
        time.sleep(0.2)
    raise AssertionError("the agent did not become healthy")


def processes(*where: str) -> list[tuple[str, str]]:
    """Return user and command line of the processes that have a client's words."""
    lines = [line.split(maxsplit=2) for line in world.call(*where).splitlines()]
    return [(user, words) for _, user, words in lines if "attach http" in words]


def test_the_hosts_client_draws_resizes_and_takes_keys_without_the_password_in_sight(
    sandbox: Sandbox, client: Path
) -> None:
    with attached(sandbox, client, "--remote", HTTP_PROXY=DEAD_PROXY) as shown:
        said = shown.drawn()
        assert f"attaching to walled (remote mode, {client}/opencode, http://127.0.0.1:" in said
        shown.resized(41, 121)
        shown.answers_ctrl_p()
        found = processes("ps", "-wweo", "pid,uid,args")
        own = [line for _, line in found if str(client) in line]
        assert own
        assert all(f"--dir {sandbox.user.home}/project" in line for line in own)
        password = sandbox.user.password(sandbox.name)
        assert password not in world.call("ps", "-wweo", "args")
        shown.quit()


def test_the_client_inside_is_the_agents_user_and_the_images_own(
    sandbox: Sandbox, client: Path
) -> None:
    agent = sandbox.container("opencode")
    # What the agent put first on its own path is not what runs.
    fake = "/home/agent/.local/bin/opencode"
    world.call("docker", "exec", agent, "sh", "-c", f"echo 'exit 9' >{fake}; chmod 755 {fake}")
    try:
        with attached(sandbox, client, "--exec", LANG="C") as shown:
            said = shown.drawn()
            assert "exec mode, /usr/local/bin/opencode in the sandbox" in said
            shown.resized(41, 121)
            shown.answers_ctrl_p()
            found = processes("docker", "top", agent, "-eo", "pid,uid,args")
            assert {user for user, _ in found} == {"1000"}
            assert sandbox.user.password(sandbox.name) not in world.call("ps", "-wweo", "args")
            status = world.call(
                "docker", "exec", "--user", "1000:1000", agent, "/bin/sh", "-c",
                "for each in /proc/[0-9]*; do grep -qs 'attach' $each/cmdline && "
                "grep -h 'CapEff\\|CapBnd\\|NoNewPrivs' $each/status; done; true",
            )  # fmt: skip
            values = set(re.sub(r"\s+", " ", status).replace(" No", "\nNo").split())
            assert values == {"CapEff:", "CapBnd:", "NoNewPrivs:", "0000000000000000", "1"}
            shown.quit()
        assert processes("docker", "top", agent, "-eo", "pid,uid,args") == []
    finally:
        world.call("docker", "exec", agent, "rm", fake)


def session(sandbox: Sandbox, place: str = "project") -> str:
    """Make a session in the server, as the agent's own client would."""
    script = (
        'curl -s -u "opencode:$(cat /run/secrets/.server-password)" '
        "-H Content-Type:application/json"
        ' -d \'{"title":"kept"}\' "http://127.0.0.1:4096/session?directory=$PWD"'
    )
    text = world.call(
        "docker", "exec", "--workdir", f"{sandbox.user.home}/{place}",
        sandbox.container("opencode"), "sh", "-c", script,
    )  # fmt: skip
    return str(json.loads(text)["id"])


def test_the_last_session_of_a_directory_that_has_none_is_a_new_one(
    sandbox: Sandbox, client: Path
) -> None:
    (sandbox.user.home / "project/new").mkdir(exist_ok=True)
    said = f"no session of {sandbox.user.home}/project/new to go on with: a new one begins"
    for mode in ("--exec", "--remote"):
        with attached(sandbox, client, mode, "-c", cwd="project/new") as shown:
            assert said in shown.drawn()
            shown.answers_ctrl_p()
            shown.quit()
    session(sandbox, "project/new")
    with attached(sandbox, client, "--exec", "-c", cwd="project/new") as shown:
        assert "no session of" not in shown.until("commands")
        shown.quit()


def test_the_closing_hint_can_be_pasted_back(sandbox: Sandbox, client: Path) -> None:
    kept = session(sandbox)
    with attached(sandbox, client, "--exec", "-s", kept) as shown:
        shown.until("commands")
        last = shown.quit()
        assert f"jailoc -s {kept}" in last
        assert "opencode -s" not in last


def test_a_plugin_that_the_agent_leaves_in_the_project_does_not_run_on_the_host(
    sandbox: Sandbox, client: Path
) -> None:
    project = sandbox.user.home / "project"
    marker = sandbox.user.home / MARKER
    plugin = (
        f'import fs from "fs"; fs.writeFileSync("{marker}", "");\n'
        'export default { id: "evil", tui: async () => {} };\n'
    )
    try:
        (project / "evil.js").write_text(plugin)
        (project / "tui.json").write_text(json.dumps({"plugin": [f"file://{project}/evil.js"]}))
        with attached(sandbox, client, "--remote") as shown:
            shown.drawn()
            port = shown_port(sandbox)
            shown.quit()
        assert not marker.exists()
        # The same client without jailoc does run it.
        environment = {"PATH": os.environ["PATH"], "HOME": str(sandbox.user.home),
                       "TERM": "xterm", "OPENCODE_SERVER_PASSWORD":
                       sandbox.user.password(sandbox.name)}  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        with pexpect.spawn(
            str(client / "opencode"), ["attach", url, "--dir", str(project)], env=environment
        ) as bare:
            bare.expect_exact(HOME_SCREEN, timeout=60)
        assert marker.exists()
    finally:
        for path in (project / "evil.js", project / "tui.json", marker):
            path.unlink(missing_ok=True)


def test_nobody_gets_the_hosts_client_unasked(sandbox: Sandbox, client: Path) -> None:
    assert (client / "opencode").is_file()
    with attached(sandbox, client) as shown:
        assert "exec mode, /usr/local/bin/opencode in the sandbox" in shown.drawn()
        shown.quit()


def test_what_the_agent_has_the_hosts_client_show_passes_the_filter(
    sandbox: Sandbox, client: Path
) -> None:
    """Its server tells a client what to do; the terminal is no part of that."""
    said = json.dumps({"message": "begin\x1b]52;c;eA==\x07", "variant": "info"})
    script = (
        'curl -s -u "opencode:$(cat /run/secrets/.server-password)" '
        f"-H Content-Type:application/json -d '{said}' http://127.0.0.1:4096/tui/show-toast"
    )

    def seen(shown: Attached) -> bytes:
        shown.drawn()
        world.call("docker", "exec", "--workdir", f"{sandbox.user.home}/project",
                   sandbox.container("opencode"), "sh", "-c", script)  # fmt: skip
        shown.until("begin")
        found: bytes = shown.terminal.after
        shown.answers_ctrl_p()
        found += shown.terminal.before
        shown.quit()
        return found

    with attached(sandbox, client, "--remote") as shown:
        assert b"\x1b]52" not in seen(shown)
    command = [str(client / "opencode"), "attach", f"http://127.0.0.1:{sandbox.port}",
               "--dir", f"{sandbox.user.home}/project"]  # fmt: skip
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(client),
        "TERM": "xterm-256color",
        "OPENCODE_SERVER_PASSWORD": sandbox.user.password(sandbox.name),
    }
    with pexpect.spawn(
        command[0], command[1:], env=environment, cwd="/", dimensions=(30, 100)
    ) as terminal:
        assert b"\x1b]52" in seen(Attached(terminal)), "the control: the client alone"


def test_a_configuration_of_the_projects_compiler_does_not_load_its_code_on_the_host(
    sandbox: Sandbox, client: Path, tmp_path: Path
) -> None:
    """The client reads a `tsconfig.json` where it is: what a plugin imports follows it."""
    project, marker = sandbox.user.home / "project", tmp_path / MARKER
    paths = {"compilerOptions": {"baseUrl": ".", "paths": {"*": ["./any.js"]}}}
    plugin = tmp_path / "plugin.js"
    plugin.write_text('import "@opentui/solid"\nexport default { id: "own", async tui() {} }\n')
    own = tmp_path / "tui.json"
    own.write_text(json.dumps({"plugin": [plugin.as_uri()]}))
    (project / "tsconfig.json").write_text(json.dumps(paths))
    (project / "any.js").write_text(
        f'require("fs").writeFileSync({json.dumps(str(marker))}, "")\nexport default {{}}\n'
    )
    try:
        with attached(sandbox, client, "--remote") as shown:
            shown.drawn()
            shown.quit()
        assert not marker.exists()
        with attached(sandbox, client, "--remote", OPENCODE_TUI_CONFIG=str(own)) as shown:
            shown.drawn()
            shown.quit()
        assert marker.exists(), "the control: a plugin of the user's own"
    finally:
        for path in (project / "tsconfig.json", project / "any.js"):
            path.unlink()


def test_a_module_that_the_agent_leaves_in_the_project_is_not_loaded_on_the_host(
    sandbox: Sandbox, client: Path
) -> None:
    """The client's runtime looks for modules, and for what maps them, where it was started."""
    project = sandbox.user.home / "project"
    marker = sandbox.user.home / MARKER
    module = project / "node_modules/esprima/index.js"
    mapped = project / "tsconfig.json"
    text = f'require("fs").writeFileSync("{marker}", "");\n'
    try:
        module.parent.mkdir(parents=True)
        module.write_text(text)
        (project / "evil.ts").write_text(text)
        mapped.write_text(json.dumps({"compilerOptions": {"paths": {"*": ["./evil.ts"]}}}))
        with attached(sandbox, client, "--remote") as shown:
            shown.drawn()
            time.sleep(3)
            shown.quit()
        assert not marker.exists()
        # The same client, started in the project, does load it.
        environment = {"PATH": os.environ["PATH"], "HOME": str(sandbox.user.home), "TERM": "xterm",
                       "OPENCODE_DISABLE_PROJECT_CONFIG": "1"}  # fmt: skip
        subprocess.run(
            [str(client / "opencode"), "--version"], env=environment, cwd=project,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert marker.exists()
    finally:
        shutil.rmtree(project / "node_modules", ignore_errors=True)
        for path in (project / "evil.ts", mapped, marker):
            path.unlink(missing_ok=True)


def shown_port(sandbox: Sandbox) -> int:
    found = json.loads(sandbox.user.ok("status", sandbox.name, "--json"))
    return int(found["workspaces"][0]["port"])


@pytest.mark.parametrize("mode", ["--remote", "--exec"])
def test_a_restart_of_the_container_ends_the_client_with_its_reason(
    sandbox: Sandbox, client: Path, mode: str
) -> None:
    with attached(sandbox, client, mode) as shown:
        shown.drawn()
        world.call("docker", "restart", "--time", "1", sandbox.container("opencode"))
        last = shown.ended(1)
        assert re.search("attach to `walled` ended: the container was (restarted|stopped)", last)
        assert "\x1b[?1049l" in last, "the client's screen is left"
    if mode == "--remote":
        # A server that is still starting is waited for: it is held as soon as it is there.
        agent = sandbox.container("opencode")
        world.call("docker", "restart", "--time", "1", agent)
        held = ("docker", "exec", "--user", "1000:1000", agent, "pkill", "-f", "opencode serve")
        while subprocess.run([*held, "--signal", "STOP"], check=False).returncode != 0:
            time.sleep(0.05)
        with attached(sandbox, client, mode) as shown:
            shown.until("waiting for walled: its server does not answer yet")
            world.call(*held, "--signal", "CONT")
            shown.drawn()
            shown.quit()
    server_ready(sandbox)


def test_a_signal_ends_the_client_inside_too(sandbox: Sandbox, client: Path) -> None:
    with attached(sandbox, client, "--exec") as shown:
        shown.drawn()
        shown.terminal.kill(15)
        assert "interrupted" in shown.ended(1)
    assert processes("docker", "top", sandbox.container("opencode"), "-eo", "pid,uid,args") == []


def test_another_password_is_noticed_and_mended_by_a_restart(
    sandbox: Sandbox, client: Path
) -> None:
    place = sandbox.user.home / f".local/share/jailoc/{sandbox.name}/password"
    place.write_text("a new one: '\"\\ $x")
    piped = subprocess.run(
        [sys.executable, "-P", "-m", "jailoc.bin", "--remote"],
        env={"PATH": f"{client}:{os.environ['PATH']}", "HOME": str(sandbox.user.home),
             "PYTHONPATH": str(ROOT / ".pkg"), "DOCKER_HOST": os.environ.get("DOCKER_HOST", "")},
        cwd=sandbox.user.home / "project", input="y\n", capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert piped.returncode == 1
    assert "the server of `walled` has another password" in piped.stderr
    assert "`jailoc up walled` mends that" in piped.stderr
    with attached(sandbox, client, "--remote") as shown:
        shown.until("Restart its agent with the kept one? [y/N]")
        shown.terminal.sendline("y")
        shown.drawn()
        shown.quit()


def test_a_new_directory_is_mounted_before_it_is_opened_and_the_real_port_is_used(
    sandbox: Sandbox, client: Path
) -> None:
    user = sandbox.user
    before = shown_port(sandbox)
    (user.home / "new").mkdir()
    try:
        with attached(sandbox, client, "-w", "walled", "--remote", cwd="new") as shown:
            shown.until("Add it, and start its agent anew? [y/N]")
            shown.terminal.sendline("y")
            shown.drawn()
            shown.quit()
        world.call("docker", "exec", sandbox.container("opencode"), "ls", f"{user.home}/new")
        # A workspace that sorts before it moves its port in the configuration alone.
        user.config.write_text(user.config.read_text() + "[workspaces.aaa]\n")
        with attached(sandbox, client, "--remote", cwd="new") as shown:
            assert f"http://127.0.0.1:{before})" in shown.drawn()
            shown.quit()
    finally:
        user.write(sandbox.config())


def test_a_port_that_is_not_published_leaves_exec_mode(sandbox: Sandbox, client: Path) -> None:
    user = sandbox.user
    user.write(user.config.read_text().replace("[defaults]", "[defaults]\nexpose_port = false"))
    user.ok("up", sandbox.name)
    with attached(sandbox, client, "--remote") as shown:
        assert "its port is not exposed" in shown.ended(1)
    (user.home / "project/newer").mkdir(exist_ok=True)
    with attached(sandbox, client, "-c", cwd="project/newer") as shown:
        assert "project/newer to go on with: a new one begins" in shown.drawn()
        shown.quit()
    with attached(sandbox, client) as shown:
        assert "exec mode" in shown.drawn()
        world.call("docker", "rm", "--force", sandbox.container("opencode"))
        assert "the container was stopped" in shown.ended(1)
