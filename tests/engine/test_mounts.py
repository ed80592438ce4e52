"""What is mounted is what was checked, whoever moves things on the host in between."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.world import User

pytestmark = pytest.mark.engine

SWAP = """#!/bin/sh
# The agent of another workspace, in the instant before the engine mounts.
case " $* " in
    *" compose "*" up "*opencode*)
        [ ! -e {home}/armed ] || {{ rm -rf {home}/armed {home}/project/sub
            ln -s {home}/vault {home}/project/sub; }} ;;
esac
exec {docker} "$@"
"""


def config(home: Path, memory: str = "2g") -> str:
    return f"""
trust = ["{home}/project/sub"]
{world.certificates()}
[defaults]
enable_docker = false
expose_port = false
memory = "{memory}"
[workspaces.swap]
paths = ["~/project"]
mounts = ["~/project/sub:/home/agent/sub:ro"]
"""


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    world.remove("jailoc-swap")
    with world.home("swap") as made:
        (made.home / "project/sub").mkdir(parents=True)
        (made.home / "project/sub/here").write_text("ordinary")
        (made.home / "vault").mkdir()
        (made.home / "vault/secret").write_text("treasure")
        made.write(config(made.home))
        real = shutil.which("docker")
        script = tmp_path / "docker"
        script.write_text(SWAP.format(home=made.home, docker=real))
        script.chmod(0o755)
        try:
            yield made
        finally:
            world.remove("jailoc-swap")


def up(user: User, tmp_path: Path) -> world.Result:
    """Run `up` with the swap armed."""
    (user.home / "armed").touch()
    result = user.run("up", "swap", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert not (user.home / "armed").exists(), result.stderr
    return result


def running() -> str:
    return world.call("docker", "ps", "--quiet", "--filter", "name=jailoc-swap-opencode")


def test_a_source_that_is_swapped_before_the_mount_is_seen_before_the_agent_begins(
    user: User, tmp_path: Path
) -> None:
    result = up(user, tmp_path)
    assert result.status == 1
    assert "`/home/agent/sub` in the sandbox is not" in result.stderr
    assert not running(), "nothing ran before, and nothing runs"


def test_control_the_same_swap_gives_a_plain_container_the_treasure(user: User) -> None:
    sub = user.home / "project/sub"
    shutil.rmtree(sub)
    sub.symlink_to(user.home / "vault")
    told = world.call("docker", "run", "--rm", "--volume", f"{sub}:/sub:ro", "debian:trixie-slim",
                      "cat", "/sub/secret")  # fmt: skip
    assert told == "treasure"


def test_the_way_back_mounts_nothing_else_either(user: User, tmp_path: Path) -> None:
    user.ok("up", "swap")
    told = world.call("docker", "exec", "jailoc-swap-opencode-1", "cat", "/home/agent/sub/here")
    assert told == "ordinary"
    user.write(config(user.home, "3g"))
    result = up(user, tmp_path)
    assert result.status == 1
    assert "`/home/agent/sub` in the sandbox is not" in result.stderr
    assert not running()


def test_a_container_of_our_own_sees_what_a_user_may_not(user: User) -> None:
    user.ok("up", "swap")
    container = "jailoc-swap-opencode-1"
    image = json.loads(world.call("docker", "inspect", "jailoc-swap-firewall-1"))[0]["Image"]
    program = (
        "import sys; from jailoc.bin.deploy import proof; "
        "proof._belongs = lambda *_: False if sys.argv[3] else True; "
        "print(proof.look(sys.argv[1], ['/home/agent/sub'], sys.argv[2]))"
    )
    place = (user.home / "project/sub").stat()
    environment = os.environ | {"HOME": str(user.home), "PYTHONPATH": str(world.ROOT / ".pkg")}
    for other in ("", "yes"):
        done = subprocess.run(
            ["python3", "-c", program, container, image, other],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert str((place.st_dev, place.st_ino)) in done.stdout


ENDS = """#!/bin/sh
# The agent, which ends itself in the instant before one of jailoc's calls.
if [ -e {home}/armed ]; then
    case " $* " in
        {call})
            rm {home}/armed
            mv {home}/project/sub {home}/project/old
            ln -s {home}/vault {home}/project/sub
            {docker} kill jailoc-swap-opencode-1 >/dev/null ;;
    esac
elif [ "$1 $2" = "rm --force" ]; then
    {docker} top jailoc-swap-opencode-1 -o pid,args >>{home}/began 2>&1 || true
fi
exec {docker} "$@"
"""


@pytest.mark.parametrize(
    ("call", "told"),
    [
        # Before jailoc looks whether it runs, and afterwards.
        ('*" network ls --quiet "*', "`/home/agent/sub` in the sandbox is not"),
        ('*" compose "*" up "*', "jailoc-swap-opencode-1 exited"),
    ],
)
def test_an_agent_that_ends_itself_meanwhile_begins_nowhere_unseen(
    user: User, tmp_path: Path, call: str, told: str
) -> None:
    user.write(config(user.home).replace("enable_docker = false", "enable_docker = true"))
    user.ok("up", "swap")
    # It is not the agent that is renewed.
    world.call("docker", "rm", "--force", "jailoc-swap-dind-1")
    script = tmp_path / "docker"
    real = shutil.which("docker")
    script.write_text(ENDS.format(home=user.home, docker=real, call=call))
    result = up(user, tmp_path)
    assert result.status == 1
    assert told in result.stderr
    assert not running()
    began = [line.split(maxsplit=1)[-1] for line in (user.home / "began").read_text().splitlines()]
    assert not [each for each in began if each.startswith("opencode ")]
    assert [each for each in began if "sh /etc/jailoc/agent.sh" in each], "it was there, and waited"


TRAP = """
import os, pathlib, sys, time
end, told = time.time() + 60, set()

def tell(what):
    if what not in told:
        told.add(what)
        print(what, flush=True)

tell("set")
while time.time() < end and not os.path.exists("/home/agent/enough"):
    for number in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            words = pathlib.Path(f"/proc/{number}/cmdline").read_text()
        except OSError:
            continue
        if sys.argv[1] not in words or number == os.getpid():
            continue
        tell("there")
        for what, touch in (("signal", lambda: os.kill(number, 0)),
                            ("trace", lambda: open(f"/proc/{number}/mem", "r+b").close())):
            try:
                touch()
                tell(what)
            except OSError:
                continue
    time.sleep(0.001)
"""
"""What an agent does that waits for a program of a container that sees its processes."""


def test_the_agent_cannot_touch_who_looks_where_a_user_may_not(user: User) -> None:
    user.ok("up", "swap")
    container = "jailoc-swap-opencode-1"
    image = json.loads(world.call("docker", "inspect", "jailoc-swap-firewall-1"))[0]["Image"]
    (agent,) = json.loads(world.call("docker", "inspect", container))
    program = (
        "import sys; from jailoc.bin.deploy import proof; proof._belongs = lambda *_: False; "
        "[proof.look(sys.argv[1], ['/home/agent/sub'], sys.argv[2]) for _ in range(3)]"
    )
    environment = os.environ | {"HOME": str(user.home), "PYTHONPATH": str(world.ROOT / ".pkg")}
    ways = (
        (["python3", "-c", program, container, image], "S_ISLNK", ()),
        # The control: as the agent, which can touch every program of its own.
        (["docker", "run", "--rm", "--network", "none", "--pid", f"container:{agent['Id']}",
          "--user", agent["Config"]["User"], "--cap-drop", "ALL", "--entrypoint", "/bin/sleep",
          image, "1.8765"], "1.8765", ("signal",)),
    )  # fmt: skip
    for words, mark, touched in ways:
        trap = subprocess.Popen(
            ["docker", "exec", container, "/usr/bin/python3", "-c", TRAP, mark],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert trap.stdout is not None
        assert trap.stdout.readline() == "set\n"
        subprocess.run(words, env=environment, check=True, timeout=60)
        world.call("docker", "exec", container, "touch", "/home/agent/enough")
        told = trap.communicate(timeout=60)[0].split()
        world.call("docker", "exec", container, "rm", "/home/agent/enough")
        # A kernel may let nobody trace but whoever is above (Yama): signals tell enough.
        assert {*told} - ({"trace"} if touched else set()) == {"there", *touched}


def test_a_missing_source_is_refused_and_nothing_is_made(user: User) -> None:
    text = config(user.home).replace('"~/project"]', '"~/project", "~/typo"]')
    user.write(text.replace(':ro"]', ':ro", "~/.npmrc:/home/agent/.npmrc:ro"]'))
    before = user.files()
    for command in ("up", "restart"):
        result = user.run(command, "swap")
        assert result.status == 1
        assert "/typo` does not exist" in result.stderr
        assert "/.npmrc` does not exist" in result.stderr
    made = user.files() - before
    assert not {each for each in made if not each.startswith((".cache", ".local/share"))}
    assert not running()
    validated = user.run("validate")
    assert validated.status == 0
    assert "config.toml:" in validated.stderr
    assert "/typo` does not exist" in validated.stderr
