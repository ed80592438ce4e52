"""A mount lands at its own place, or nothing begins: what an agent has left leads none away."""

import json
import os
from collections.abc import Iterator

import pytest

from tests.engine import world
from tests.engine.world import User

pytestmark = pytest.mark.engine

NAME = "led"
BEFORE_THE_GATE = """#!/bin/sh
touch {here}/began
"""


def config(user: User, more: str) -> str:
    return f"""
{world.certificates()}
[defaults]
enable_docker = false
expose_port = false
[workspaces.{NAME}]
paths = ["~/project"]
{more}
"""


def mounts(user: User) -> str:
    home = user.home
    return f'mounts = ["~/lib:{home}/project/vendor/lib", "~/lib2:/home/agent/work/lib"]'


@pytest.fixture(scope="module")
def led() -> Iterator[User]:
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as user:
        for each in ("project/vendor", "lib", "lib2"):
            (user.home / each).mkdir(parents=True)
            # In the place of jailoc's own, if the mount lands there.
            script = user.home / each / "agent.sh"
            script.write_text(BEFORE_THE_GATE.format(here="/etc/jailoc"))
            script.chmod(0o755)
        world.call("chown", "-R", "1000:1000", *(str(user.home / each) for each in
                                                 ("project", "lib", "lib2")))  # fmt: skip
        user.write(config(user, mounts(user)))
        user.ok("up", NAME)
        try:
            yield user
        finally:
            world.remove(f"jailoc-{NAME}")


def agent(script: str) -> str:
    return world.call("docker", "exec", "--user", "1000:1000", f"jailoc-{NAME}-opencode-1",
                      "sh", "-ec", script)  # fmt: skip


def began(user: User) -> bool:
    return any((user.home / each / "began").exists() for each in ("lib", "lib2"))


def running() -> str:
    return world.call("docker", "ps", "--quiet", "--filter", f"name=jailoc-{NAME}-opencode")


def test_control_the_engine_follows_what_lies_on_the_way(led: User) -> None:
    """As a plain container with the same mounts has them: over what it begins with."""
    image = world.call("docker", "inspect", "--format", "{{.Image}}",
                       f"jailoc-{NAME}-opencode-1").strip()  # fmt: skip
    outer = led.home / "outer"
    outer.mkdir()
    (outer / "lib").symlink_to("/etc/apt")
    world.call("chmod", "755", str(led.home))
    seen = world.call(
        "docker", "run", "--rm", "--network", "none", "--volume", f"{outer}:/work", "--volume",
        f"{led.home}/lib:/work/lib", "--entrypoint", "ls", image, "/etc/apt",
    )  # fmt: skip
    assert "agent.sh" in seen


def test_a_link_in_a_workspace_path_leads_no_mount_away(led: User) -> None:
    project = led.home / "project"
    agent(f"cd {project}; if mv vendor old 2>/dev/null; then exit 1; fi")  # it is held in its place
    # What one has left there before it was, say.
    (project / "vendor").rename(project / "old")
    (project / "vendor").mkdir()
    (project / "vendor/lib").symlink_to("/etc/jailoc")
    try:
        for command in ("restart", "up"):
            done = led.run(command, NAME)
            assert done.status == 1
            assert f"`{project}/vendor/lib` would land elsewhere" in done.stderr
            assert "[mount-swapped]" in done.stderr
            assert not began(led)
            assert not running()
    finally:
        world.call("rm", "-rf", str(project / "vendor"))
        (project / "old").rename(project / "vendor")
    led.ok("up", NAME)
    assert running()


def test_what_is_left_in_the_containers_own_files_leads_no_mount_away(led: User) -> None:
    agent("cd ~; mv work old; mkdir work; ln -s /etc/jailoc work/lib; touch mine")
    world.call("docker", "kill", f"jailoc-{NAME}-opencode-1")
    assert "recreate" in led.ok("plan", NAME)
    led.ok("up", NAME)
    assert not began(led)
    assert agent("ls -d ~/mine ~/old 2>/dev/null || echo new").strip() == "new"
    assert agent("ls ~/work/lib").strip() == "agent.sh"


def test_the_way_back_starts_no_container_a_second_time(led: User) -> None:
    """What a failed change returns to is a container of its own, too."""
    agent("cd ~; mv work old; mkdir work; ln -s /etc/jailoc work/lib; touch mine")
    led.write(config(led, mounts(led) + '\nimage = "debian:trixie-slim"'))
    failed = led.run("up", NAME)
    led.write(config(led, mounts(led)))
    assert failed.status == 1
    led.ok("up", NAME)
    assert not began(led)
    assert agent("ls ~/work/lib").strip() == "agent.sh"


def test_a_link_in_a_volume_leads_no_mount_away(led: User) -> None:
    agent("cd ~/.cache; ln -s /etc/jailoc pip; mkdir -m 0 shut; mkdir -p deep")
    led.write(config(led, mounts(led) + '\nvolumes = ["pip:~/.cache/pip"]'))
    done = led.run("up", NAME)
    assert done.status == 1
    assert "`/home/agent/.cache/pip` would land elsewhere" in done.stderr
    assert "in volume" in done.stderr
    assert not began(led)
    # What it ran with before runs again.
    led.write(config(led, mounts(led)))
    led.ok("up", NAME)
    agent("rm ~/.cache/pip")
    led.write(config(led, mounts(led) + '\nvolumes = ["pip:~/.cache/pip", "x:~/.cache/deep/x"]'))
    led.ok("up", NAME)
    told = json.loads(led.ok("verify", NAME, "--json"))
    assert told["ok"]


@pytest.mark.parametrize("halted", [False, True])
def test_another_agent_leads_no_mount_away_between_the_look_and_the_start(
    led: User, halted: bool
) -> None:
    """It is halted meanwhile; as a control somebody lets it go on just before the start."""
    project, other = led.home / "project", f"jailoc-{NAME}-b-opencode-1"
    # What an agent does at that moment; the engine is asked by the very program that jailoc asks.
    swap = f"cd {project} && mv vendor old && mkdir vendor && ln -s /etc/jailoc vendor/lib"
    folder = led.home / f"wrapped-{halted}"
    folder.mkdir()
    docker = world.call("sh", "-c", "command -v docker").strip()
    let_go = "" if halted else f"{docker} unpause {other}"
    (folder / "docker").write_text(
        f'#!/bin/sh\n[ "$1" != start ] || {{ {let_go}\n'
        f"{docker} exec --user 1000:1000 {other} sh -ec '{swap}'; }} >{folder}/said 2>&1\n"
        f'exec {docker} "$@"\n'
    )
    (folder / "docker").chmod(0o755)
    second = f'[workspaces.{NAME}-b]\npaths = ["~/project"]\n'
    led.write(config(led, mounts(led)) + second)
    try:
        led.ok("up", NAME)
        led.ok("up", f"{NAME}-b")
        led.ok("down", NAME)
        done = led.run("up", NAME, PATH=f"{folder}:{os.environ['PATH']}")
        said = (folder / "said").read_text()
        assert world.call("docker", "inspect", "--format", "{{.State.Status}}", other).strip() == \
            "running"  # fmt: skip
        if halted:
            assert "is paused" in said
            assert done.status == 0, done.stderr
            assert not began(led)
            assert agent(f"ls {project}/vendor/lib").strip() == "agent.sh"
        else:
            assert began(led), f"the attack does not work: {said}"
    finally:
        world.remove(f"jailoc-{NAME}-b")
        for place in ("lib/began", "lib2/began"):
            (led.home / place).unlink(missing_ok=True)
        if (project / "old").exists():
            world.call("rm", "-rf", str(project / "vendor"))
            (project / "old").rename(project / "vendor")
        led.write(config(led, mounts(led)))
