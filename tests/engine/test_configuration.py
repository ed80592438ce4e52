"""What the configuration promises, looked at in the running sandbox."""

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jailoc.generators.runtime.uncovered import GONE
from tests.engine import world
from tests.engine.conftest import Sandbox

pytestmark = pytest.mark.engine

NAME = "configured"
VALUES = {
    "TOKEN_OF_HOST": "s3cret-from-env",
    "FILE_OF_HOST": "s3cret-for-a-file",
}
BIG = "big-secret-" + "x" * 200_000
MULTILINE = "s3cret-line-one\nline two\n\n"
PLANTED = (*VALUES.values(), "big-secret-", "s3cret-line-one")

CONFIG = f"""
{world.certificates()}
[defaults]
expose_port = false
enable_docker = false
ssh_auth_sock = true
[defaults.secrets.env]
TOKEN.from_env = "TOKEN_OF_HOST"
LINES.from_file = "~/lines"
[workspaces.{NAME}]
paths = ["~/project"]
dockerfile = "~/docker/Dockerfile"
env = ["a b=c $HOME"]
env_file = ["~/agent.env"]
allowed_networks = ["{world.CLOSED["private-10"]}/32:{world.PORT}",
                    "{world.CLOSED["private-172"]}/32:{world.PORT + 1}"]
host_ports = [{world.OTHER_PORT}]
[workspaces.{NAME}.secrets.file]
key.from_env = "FILE_OF_HOST"
big.from_file = "~/big"
"""


@contextmanager
def ssh_agent(folder: Path) -> Iterator[Path]:
    """Run a real SSH agent as the user that the agent's container has."""
    place = folder / "socket"
    place.mkdir()
    os.chown(place, 1000, 1000)
    socket = place / "agent.sock"
    process = subprocess.Popen(
        ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups",
         "ssh-agent", "-D", "-a", str(socket)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 20
        while not socket.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield socket
    finally:
        process.kill()
        process.wait()


def furnish(home: Path) -> None:
    project = home / "project"
    for folder in (".git/hooks", ".vscode", "src"):
        (project / folder).mkdir(parents=True)
    (project / ".git/config").write_text("[core]\n")
    (project / ".envrc").write_text("export A=1\n")
    for path in (project, *project.rglob("*")):
        os.chown(path, 1000, 1000)
    docker = home / "docker"
    docker.mkdir()
    (docker / "Dockerfile").write_text(
        "# syntax of old\nFROM ${BASE}\nUSER root\nCOPY . /opt/context\nUSER nobody\n"
        'ENTRYPOINT ["/bin/false"]\n'
    )
    (docker / "wanted").write_text("wanted")
    (docker / "ignored").write_text("ignored")
    (docker / ".dockerignore").write_text("ignored\n")
    docker.chmod(0o555)
    (home / ".gitconfig").write_text("[user]\n\tname = Alice\n")
    (home / ".ssh").mkdir()
    (home / ".ssh/known_hosts").write_text("git.example.com ssh-ed25519 AAAA\n")
    (home / "lines").write_text(MULTILINE)
    (home / "lines").chmod(0o600)
    (home / "big").write_text(BIG)
    (home / "big").chmod(0o600)
    (home / ".config/opencode").mkdir(parents=True)
    (home / ".config/opencode/opencode.json").write_text("{}")
    for name in ("service.json", "service-next.json"):
        (home / ".config/opencode" / name).write_text('{"password": "canary"}')
        (home / ".config/opencode" / name).chmod(0o600)
        os.chown(home / ".config/opencode" / name, 1000, 1000)
    (home / "agent.env").write_text('QUOTED="x # y" # z\n')


def watch_command_lines(stop: threading.Event, seen: set[bytes]) -> None:
    while not stop.is_set():
        for process in Path("/proc").iterdir():
            if process.name.isdecimal():
                with contextlib.suppress(OSError):
                    seen.add((process / "cmdline").read_bytes())


@pytest.fixture(scope="module")
def started(hosts: None) -> Iterator[tuple[Sandbox, dict[str, str], str, set[bytes]]]:
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as user:
        furnish(user.home)
        user.write(CONFIG)
        with ssh_agent(user.home) as socket:
            environment = VALUES | {"SSH_AUTH_SOCK": str(socket)}
            stop, seen = threading.Event(), set[bytes]()
            watcher = threading.Thread(target=watch_command_lines, args=(stop, seen))
            watcher.start()
            try:
                result = user.run("up", NAME, **environment)
            finally:
                stop.set()
                watcher.join()
            try:
                assert result.status == 0, result.stderr[-6000:]
                output = result.stdout + result.stderr
                yield Sandbox(user, NAME), environment, output, seen
            finally:
                world.remove(f"jailoc-{NAME}")


@pytest.fixture
def sandbox(started: tuple[Sandbox, dict[str, str], str, set[bytes]]) -> Sandbox:
    return started[0]


@pytest.fixture
def environment(started: tuple[Sandbox, dict[str, str], str, set[bytes]]) -> dict[str, str]:
    return started[1]


def inside(sandbox: Sandbox, script: str, check: bool = True) -> str:
    return world.call(
        "docker", "exec", "--user", "1000:1000", "--workdir", str(sandbox.user.home / "project"),
        sandbox.container("opencode"), "/bin/sh", "-c", script, check=check,
    )  # fmt: skip


def variables(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment of the agent's own process."""
    found = inside(sandbox, "cat /proc/$(pgrep -xo opencode || pgrep -of 'opencode serve')/environ")
    return dict(each.split("=", 1) for each in found.rstrip("\0").split("\0"))


def ids(sandbox: Sandbox) -> dict[str, str]:
    return {
        service: world.call(
            "docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}",
            sandbox.container(service),
        )
        for service in ("firewall", "opencode")
    }  # fmt: skip


def test_secrets_arrive_as_variables_and_as_files(sandbox: Sandbox) -> None:
    found = variables(sandbox)
    assert found["TOKEN"] == VALUES["TOKEN_OF_HOST"]
    assert found["LINES"] == MULTILINE.rstrip("\n")
    assert inside(sandbox, "cat /run/secrets/key") == VALUES["FILE_OF_HOST"]
    assert inside(sandbox, "cat /run/secrets/big") == BIG
    assert found["QUOTED"] == "x # y"
    assert found["a b"] == "c $HOME"
    assert not {name for name in found if "jailoc_" in name}


def test_secrets_are_in_memory_and_the_agents_alone(sandbox: Sandbox) -> None:
    assert inside(sandbox, "stat -f -c %T /run/secrets") == "tmpfs\n"
    assert (
        inside(sandbox, "stat -c '%a %u %g' /run/secrets/*").split("\n")[:-1] == ["440 0 1000"] * 4
    )
    assert inside(sandbox, "echo x >/run/secrets/key; rm /run/secrets/key", check=False) == ""
    assert inside(sandbox, "cat /run/secrets/key") == VALUES["FILE_OF_HOST"]


def test_no_secret_is_in_a_file_an_inspection_a_log_an_output_or_a_command_line(
    started: tuple[Sandbox, dict[str, str], str, set[bytes]],
) -> None:
    sandbox, _, output, command_lines = started
    password = sandbox.user.password(NAME)
    texts = {"output": output, "command lines": repr(command_lines)}
    for service in ("firewall", "opencode"):
        container = sandbox.container(service)
        texts[f"inspection of {service}"] = world.call("docker", "inspect", container)
        texts[f"log of {service}"] = world.call("docker", "logs", container)
    own = [sandbox.user.home / ".cache/jailoc", sandbox.user.home / ".config/jailoc"]
    for place in (path for folder in own for path in folder.rglob("*") if path.is_file()):
        texts[str(place)] = place.read_text()
    for command in (["config"], ["render"], ["render", "--json"], ["status", "--json"]):
        result = sandbox.user.run(*command, **started[1])
        texts[" ".join(command)] = result.stdout + result.stderr
    assert len(command_lines) > 20, "the watch saw something"
    for where, text in texts.items():
        for value in (*PLANTED, password):
            assert value not in text, where


def test_a_restarted_container_still_has_its_secrets(sandbox: Sandbox) -> None:
    world.call("docker", "restart", "--time", "5", sandbox.container("opencode"))
    assert variables(sandbox)["TOKEN"] == VALUES["TOKEN_OF_HOST"]


def test_an_agent_whose_secret_is_gone_does_not_start(
    sandbox: Sandbox, environment: dict[str, str]
) -> None:
    agent = sandbox.container("opencode")
    world.call("docker", "exec", "--user", "0", sandbox.container("firewall"),
               "rm", "/run/secrets/TOKEN")  # fmt: skip
    world.call("docker", "restart", "--time", "5", agent)
    world.call("docker", "wait", agent)
    assert "/run/secrets/TOKEN is missing" in world.logs(agent)
    done = sandbox.user.run("up", NAME, **environment)
    assert done.status == 0, done.stderr
    assert variables(sandbox)["TOKEN"] == VALUES["TOKEN_OF_HOST"]


def test_a_missing_secret_is_refused_and_changes_nothing(
    sandbox: Sandbox, environment: dict[str, str]
) -> None:
    before, files = ids(sandbox), sandbox.user.files()
    result = sandbox.user.run("up", NAME, SSH_AUTH_SOCK=environment["SSH_AUTH_SOCK"])
    assert result.status == 1
    assert "secret `TOKEN`: variable `TOKEN_OF_HOST` is not set" in result.stderr
    assert "secret `key`: variable `FILE_OF_HOST` is not set" in result.stderr
    assert (ids(sandbox), sandbox.user.files()) == (before, files)


def test_a_changed_secret_restarts_the_agent_and_nothing_else(
    sandbox: Sandbox, environment: dict[str, str]
) -> None:
    before = ids(sandbox)
    changed = environment | dict.fromkeys(("TOKEN_OF_HOST",), "s3cret-renewed")
    assert sandbox.user.run("up", NAME, **changed).status == 0
    after = ids(sandbox)
    assert variables(sandbox)["TOKEN"] == changed["TOKEN_OF_HOST"]
    assert after["firewall"] == before["firewall"]
    assert after["opencode"].split()[0] != before["opencode"].split()[0], "made anew"
    assert sandbox.user.run("up", NAME, **changed).status == 0
    assert ids(sandbox) == after, "nothing to do the second time"


ATTACKS = {
    "write a hook": "echo evil >.git/hooks/post-checkout",
    "change git's configuration": "echo evil >>.git/config",
    "replace git's configuration": "echo evil >x && mv x .git/config",
    "remove what an editor runs": "rm -rf .vscode && mkdir .vscode",
    "put a task beside it": "touch .vscode/tasks.json",
    "move the repository away": "mv .git .old",
    "replace the hooks by a link": "mv .git/hooks .git/h && ln -s /tmp .git/hooks",
    "change what direnv loads": "echo evil >.envrc",
    "exchange the two": 'python3 -c "import ctypes, sys; '
    "sys.exit(ctypes.CDLL(None).renameat2(-100, b'.envrc', -100, b'src', 2) and 1)\"",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_the_host_executes_cannot_be_changed(sandbox: Sandbox, attack: str) -> None:
    done = inside(sandbox, f"({ATTACKS[attack]}) 2>/dev/null && echo through; true")
    assert done == ""
    project = sandbox.user.home / "project"
    assert (project / ".git/config").read_text() == "[core]\n"
    assert (project / ".envrc").read_text() == "export A=1\n"
    assert list((project / ".git/hooks").iterdir()) == []
    assert list((project / ".vscode").iterdir()) == []


def test_the_rest_of_the_project_can_be_worked_in(sandbox: Sandbox) -> None:
    inside(sandbox, "echo x >src/new && echo x >.git/HEAD.new && mkdir .git/refs && rm src/new")


def test_a_protection_that_has_lapsed_is_found_and_renewed(
    sandbox: Sandbox, environment: dict[str, str]
) -> None:
    file = sandbox.user.home / "project/.envrc"
    fresh = file.with_name("fresh")
    fresh.write_text("export A=2\n")
    os.chown(fresh, 1000, 1000)
    fresh.rename(file)
    assert inside(sandbox, "test -w .envrc && echo open") == "open\n", "as the documentation says"
    (row,) = json.loads(sandbox.user.ok("status", NAME, "--json"))["workspaces"]
    assert row["uncovered"] == [f"{file}: {GONE}"]
    result = sandbox.user.run("up", NAME, **environment)
    assert result.status == 0
    assert f"look at {file}: {GONE}: the agent could write it" in result.stderr
    assert f"the protection of {file} has lapsed" in result.stderr
    assert inside(sandbox, "test -w .envrc || echo shut") == "shut\n"
    back = file.with_name("back")
    back.write_text("export A=1\n")
    os.chown(back, 1000, 1000)
    back.rename(file)
    assert sandbox.user.run("up", NAME, **environment).status == 0


def test_a_repository_made_after_the_start_is_told_and_then_covered(
    sandbox: Sandbox, environment: dict[str, str]
) -> None:
    inside(sandbox, "git init -q src/later && cd src/later/.git && "
                    "git config core.fsmonitor 'touch x\033[31m' && "
                    "echo >hooks/pre-commit && chmod +x hooks/pre-commit")  # fmt: skip
    place = sandbox.user.home / "project/src/later/.git"

    def told() -> list[str]:
        (row,) = json.loads(sandbox.user.ok("status", NAME, "--json"))["workspaces"]
        return [str(each) for each in row["uncovered"]]

    try:
        assert told()[0].startswith(f"{place}/config (core.fsmonitor = touch x")
        assert told()[1] == f"{place}/hooks (hook pre-commit)"
        shown = sandbox.user.run("status", NAME, **environment).stdout
        assert f"{place}/hooks (hook pre-commit)" in shown
        assert "\033" not in shown
        checks = sandbox.user.run("verify", NAME, "--json", **environment)
        differing = [each["subject"] for each in json.loads(checks.stdout)["checks"]
                     if each["kind"] == "executes"]  # fmt: skip
        assert f"{place}/hooks (hook pre-commit)" in differing
        planned = sandbox.user.run("plan", NAME, **environment)
        assert f"{place.relative_to(sandbox.user.home)}/commondir" in planned.stdout
        assert sandbox.user.run("up", NAME, **environment).status == 0
        assert told() == []
        assert (place / "commondir").read_text() == ".\n"
        for name in ("config", "commondir", "hooks/pre-commit"):
            attack = f"(echo evil >>src/later/.git/{name}) 2>/dev/null && echo through; true"
            assert inside(sandbox, attack) == ""
        inside(sandbox, "cd src/later && git -c user.name=a -c user.email=a@b -c core.fsmonitor= "
                        "-c core.hooksPath=/dev/null commit -q --allow-empty -m x")  # fmt: skip
    finally:
        world.call("rm", "-rf", str(place.parent))
        assert sandbox.user.run("up", NAME, **environment).status == 0


def test_what_the_agent_commits_over_a_cover_is_told_until_somebody_has_taken_it(
    sandbox: Sandbox, environment: dict[str, str]
) -> None:
    place = sandbox.user.home / "project/src/hooked"
    hook, git = place / ".husky/pre-commit", f"git -C {place} -c user.name=a -c user.email=a@b"
    try:
        world.call(
            "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "sh", "-ec",
            f"mkdir -p {hook.parent}; echo good >{hook}; git init -q {place}; "
            f"{git} add -A; {git} commit -qm first",
        )  # fmt: skip
        assert sandbox.user.run("up", NAME, **environment).status == 0
        assert (
            inside(sandbox, "(echo evil >src/hooked/.husky/pre-commit) 2>&- || echo shut")
            == "shut\n"
        )
        evil = inside(sandbox, "cd src/hooked; echo evil | git hash-object -w --stdin").strip()
        entry = f"100755,{evil},.husky/pre-commit"
        inside(sandbox, f"cd src/hooked; git update-index --cacheinfo {entry}; "
                        "git -c user.name=a -c user.email=a@b commit -qm quiet")  # fmt: skip
        what = f"{hook}: staged and committed since the start"

        (row,) = json.loads(sandbox.user.ok("status", NAME, "--json"))["workspaces"]
        assert [each.partition(",")[0] for each in row["committed"]] == [what]
        assert what in sandbox.user.run("status", NAME, **environment).stdout
        checks = sandbox.user.run("verify", NAME, "--json", **environment)
        assert checks.status == 2
        assert [each["subject"] for each in json.loads(checks.stdout)["checks"]
                if each["kind"] == "committed"] == [str(hook)]  # fmt: skip
        paused = sandbox.user.run("pause", NAME, "--", "touch", str(place / "ran"), **environment)
        assert what in paused.stderr
        assert not (place / "ran").exists()
        assert sandbox.user.run("up", NAME, **environment).status == 0
        (row,) = json.loads(sandbox.user.ok("status", NAME, "--json"))["workspaces"]
        assert len(row["committed"]) == 1

        # What Git does with it, which is why it is told.
        world.call("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups",
                   "sh", "-ec", f"cd {place}; {git} checkout -q .")  # fmt: skip
        assert hook.read_text() == "evil\n"
        (row,) = json.loads(sandbox.user.ok("status", NAME, "--json"))["workspaces"]
        assert row["committed"] == []
    finally:
        world.call("rm", "-rf", str(place))
        assert sandbox.user.run("up", NAME, **environment).status == 0


def test_a_link_in_git_that_leads_out_is_told_and_nothing_is_started_over_it(
    sandbox: Sandbox, environment: dict[str, str]
) -> None:
    victim = sandbox.user.home / ".bashrc"
    place = sandbox.user.home / "project/.git/COMMIT_EDITMSG"
    inside(sandbox, f"ln -s {victim} {place}")
    try:
        (row,) = json.loads(sandbox.user.ok("status", NAME, "--json"))["workspaces"]
        assert row["uncoverable"] == [
            f"{place}: it is a symbolic link, and Git follows it when it writes there, "
            f"to `{victim}`"
        ]
        checks = sandbox.user.run("verify", NAME, "--json", **environment)
        assert checks.status == 2
        told = [each for each in json.loads(checks.stdout)["checks"] if each["kind"] == "executes"]
        assert [each["subject"].partition(":")[0] for each in told] == [str(place)]
        before = ids(sandbox)
        refused = sandbox.user.run("up", NAME, **environment)
        assert refused.status == 1
        assert f"`{place}` cannot be protected" in refused.stderr
        sandbox.user.config.write_text(f'trust = ["{place}"]\n{CONFIG}')
        assert sandbox.user.run("up", NAME, **environment).status == 0
        assert ids(sandbox) == before
    finally:
        sandbox.user.write(CONFIG)
        place.unlink()


def test_git_and_ssh_of_the_user_are_handed_on(sandbox: Sandbox) -> None:
    assert inside(sandbox, "git config --global user.name") == "Alice\n"
    assert "no identities" in inside(sandbox, "ssh-add -l || true")
    assert "git.example.com" in inside(sandbox, "cat ~/.ssh/known_hosts")
    assert inside(sandbox, "echo x >~/.gitconfig 2>/dev/null && echo through; true") == ""


def test_the_password_of_the_hosts_own_server_is_not_shown(sandbox: Sandbox) -> None:
    place = "/home/agent/.config/opencode"
    script = f"cd {place}; cat service.json service-next.json; echo :; cat opencode.json"
    assert inside(sandbox, script) == ":\n{}"
    for change in ("rm -f", "truncate -s0", "mv -t /tmp"):
        assert inside(sandbox, f"{change} {place}/service.json && echo done", check=False) == ""
    # Without the cover whoever is UID 1000 reads it.
    (agent,) = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))
    read = world.call(
        "docker", "run", "--rm", "--network", "none", "--user", "1000:1000", "--volume",
        f"{sandbox.user.home}/.config/opencode:/c:ro", "--entrypoint", "cat", agent["Image"],
        "/c/service.json",
    )  # fmt: skip
    assert read == '{"password": "canary"}'


def test_a_dockerfile_is_laid_over_the_image(sandbox: Sandbox) -> None:
    assert inside(sandbox, "ls -A /opt/context").split() == [
        ".dockerignore",
        "Dockerfile",
        "wanted",
    ]
    assert inside(sandbox, "id -u") == "1000\n"
    folder = sandbox.user.home / "docker"
    assert {each.name for each in folder.iterdir()} == {
        "Dockerfile", "wanted", "ignored", ".dockerignore",
    }  # fmt: skip


def test_a_single_port_is_opened_and_no_other(sandbox: Sandbox) -> None:
    both = [("open", world.CLOSED["private-10"], world.PORT),
            ("shut", world.CLOSED["private-172"], world.PORT)]  # fmt: skip
    found = world.probe(sandbox.container("opencode"), both)
    assert found["open"][0] == "hello"
    assert found["shut"][0] != "hello"


def test_a_port_of_the_machine_is_open_and_no_other(sandbox: Sandbox) -> None:
    container = sandbox.container("firewall")
    every = world.gateways(container) | {"by name": "host.docker.internal"}
    found = world.probe(
        sandbox.container("opencode"),
        [(name, address, world.OTHER_PORT) for name, address in every.items()]
        + [(f"{name} shut", address, world.THIRD_PORT) for name, address in every.items()],
    )
    for name in every:
        assert found[name][0] == "hello", name
        assert found[f"{name} shut"][0] != "hello", name


def test_an_added_directory_is_there_at_once(sandbox: Sandbox, environment: dict[str, str]) -> None:
    more = sandbox.user.home / "more"
    more.mkdir()
    (more / "marker").write_text("here")
    image = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Image"]
    result = sandbox.user.run("add", str(more), "--workspace", NAME, **environment)
    assert result.status == 0, result.stderr
    assert "stopping the agent" in result.stderr, "nothing can be swapped while mounts are made"
    assert inside(sandbox, f"cat {more}/marker") == "here"
    now = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Image"]
    assert now == image, "the workspace keeps its own image"
