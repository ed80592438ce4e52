"""A workspace on a real engine goes without a trace, and others keep what is theirs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.engine import world
from tests.engine.world import ROOT, User

pytestmark = pytest.mark.engine

PROJECT = "jailoc-doomed"
CONFIG = f"""{world.certificates()}
[workspaces.doomed]
port = 4191
paths = ["~/project"]
dockerfile = "~/image/Dockerfile"
enable_docker = false
"""
ANOTHER = "[workspaces.another]\n"


@pytest.fixture
def user() -> Iterator[User]:
    world.remove(PROJECT)
    with world.home("doomed") as someone:
        (someone.home / "project").mkdir()
        (someone.home / "project").chmod(0o777)
        (someone.home / "image").mkdir()
        (someone.home / "image/Dockerfile").write_text("FROM ${BASE}\nENV DOOMED=1\n")
        someone.write(CONFIG)
        yield someone
        world.remove(PROJECT)


def images() -> set[str]:
    text = world.call("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    return set(text.split())


def objects() -> list[str]:
    """Return what the engine has of the workspace."""
    label = f"label=com.docker.compose.project={PROJECT}"
    found: list[str] = []
    for words in (["ps", "--all"], ["network", "ls"], ["volume", "ls"]):
        found += world.call("docker", *words, "--quiet", "--filter", label).split()
    return found


def places(user: User) -> list[str]:
    """Return what this machine has of the workspace."""
    return [str(each) for folder in (".cache/jailoc", ".local/share/jailoc")
            for each in (user.home / folder).glob("doomed*")]  # fmt: skip


@pytest.fixture
def held() -> Iterator[list[str]]:
    """Keep the images that other tests use, too: a container of somebody's is made from each."""
    made: list[str] = []
    yield made
    for each in made:
        world.call("docker", "rm", "--force", each)


def hold(held: list[str]) -> str:
    """Hold all but the overlay, and return that."""
    own = [each for each in images() if each.startswith("jailoc-")]
    text = world.call("docker", "inspect", "--format", "{{.Config.Image}}", f"{PROJECT}-opencode-1")
    overlay = text.strip()
    for each in own:
        if each != overlay:
            held.append(world.call("docker", "create", each, "true").strip())
    assert overlay.startswith("jailoc-overlay:")
    return overlay


def test_a_workspace_is_destroyed_without_a_trace(user: User, held: list[str]) -> None:
    started = user.run("up", "doomed")
    assert started.status == 0, started.stderr[-3000:]
    assert "Container jailoc" not in started.stderr, "these are Compose's words"
    for line in ("starting the firewall", "starting doomed", "http://127.0.0.1:4191",
                 "attach: jailoc ~/project", "open:   every public address"):  # fmt: skip
        assert line in started.stderr
    overlay = hold(held)
    others = set(world.call("docker", "inspect", "--format", "{{.Config.Image}}", *held).split())

    refused = user.run("apply", "doomed", "--prune", "--yes")
    assert (refused.status, "jailoc destroy doomed" in refused.stderr) == (1, True)
    assert user.run("destroy", "doomed").status == 1, "nobody has agreed"
    listed = json.loads(user.ok("destroy", "doomed", "--json"))
    jsonschema.validate(listed, schema("destroy"))
    (row,) = listed["workspaces"]
    assert row["containers"] == ["firewall", "opencode"]
    assert [each["name"] for each in row["images"]] == [overlay]
    sizes = {each["name"]: each["bytes"] for each in row["volumes"]}
    assert sizes["opencode-data-doomed"] > 1000
    assert row["password"] == "file"  # noqa: S105 -- where it is kept
    assert len(objects()) > 4

    user.ok("destroy", "doomed", "--keep-volumes", "--yes")
    assert objects(), "the volumes"
    assert world.call("docker", "ps", "--all", "--quiet", "--filter", f"name={PROJECT}") == ""
    assert places(user) == []
    assert overlay not in images()
    assert others <= images()
    assert "(opencode-cache-doomed, opencode-data-doomed)" in user.ok("plan", "doomed")
    user.write(ANOTHER)
    user.ok("destroy", "doomed", "--yes")
    assert objects() == []
    assert places(user) == []
    assert user.run("destroy", "doomed", "--yes").status == 1
    assert (user.home / "project").is_dir()


def test_what_has_the_name_of_a_volume_or_network_is_not_taken_for_it(user: User) -> None:
    """A compose file of somebody else's gives its own any name, and stays in them."""
    made = (("volume", f"{PROJECT}_secrets"), ("network", f"{PROJECT}_jailoc"))
    wall = next(each for each in images() if each.startswith("jailoc-wall:"))
    file = user.home / "compose.json"
    file.write_text(json.dumps({
        "services": {"one": {"image": wall, "command": ["true"], "volumes": ["secrets:/x"]}},
        "volumes": {"secrets": {}},
    }))  # fmt: skip
    try:
        for kind, name in made:
            world.call("docker", kind, "create", name)
        for command in ("plan", "up"):
            refused = user.run(command, "doomed")
            assert refused.status == 1
            for kind, name in made:
                assert f"{kind} `{name}`" in refused.stderr
                assert f"`docker {kind} rm {name}`" in refused.stderr
        assert world.call("docker", "ps", "--all", "--quiet", "--filter", f"name={PROJECT}") == ""
        assert not (user.home / ".cache/jailoc/doomed").exists()
        # Control: Compose takes it.
        world.call("docker", "compose", "--project-name", PROJECT, "--file", str(file), "create")
        mounts = world.call("docker", "inspect", "--format", "{{json .Mounts}}", f"{PROJECT}-one-1")
        assert [each["Name"] for each in json.loads(mounts)] == [f"{PROJECT}_secrets"]
    finally:
        world.call("docker", "rm", "--force", f"{PROJECT}-one-1", check=False)
        world.call(
            "docker", "network", "rm", f"{PROJECT}_jailoc", f"{PROJECT}_default", check=False
        )
        world.call("docker", "volume", "rm", f"{PROJECT}_secrets", check=False)


FOREIGN = """
name: {project}
services:
  test: {{image: "{wall}", entrypoint: ["true"], networks: [jailoc], volumes: ["secrets:/x"]}}
networks: {{jailoc: {{}}}}
volumes:
  secrets:
    driver_opts: {{type: tmpfs, device: tmpfs, o: "size=1m,uid=1000,mode=0700"}}
"""


def test_neither_is_one_with_all_its_labels(user: User) -> None:
    """A compose file can have the workspace's own project, too, and leave no container of it."""
    wall = next(each for each in images() if each.startswith("jailoc-wall:"))
    file, before = user.home / "compose.yaml", user.config.read_text()
    file.write_text(FOREIGN.format(project=PROJECT, wall=wall))
    compose = ("docker", "compose", "--file", str(file))
    secrets, network, data = (f"{PROJECT}_{each}" for each in ("secrets", "jailoc", "volume-npm"))

    def look(kind: str, name: str, what: str) -> str:
        return world.call("docker", kind, "inspect", "--format", f"{{{{json .{what}}}}}", name)

    try:
        user.ok("up", "doomed")
        user.ok("down", "doomed")
        world.call("docker", "volume", "rm", secrets)
        world.call(*compose, "run", "--rm", "test")
        made = look("network", network, "Id")
        assert "size=1m," in look("volume", secrets, "Options")
        # What holds data says by whom it was made, which no label that is known does.
        user.write(
            before.replace("[workspaces.doomed]", '[workspaces.doomed]\nvolumes = ["npm:~/.npm"]')
        )
        labels = {"com.docker.compose.project": PROJECT,
                  "dev.jailoc.directory": f"{user.home}/.cache/jailoc/doomed"}  # fmt: skip
        words = (f"--label={key}={value}" for key, value in labels.items())
        world.call("docker", "volume", "create", *words, data)
        refused = user.run("up", "doomed")
        assert f"volume `{data}`" in refused.stderr, refused.stderr
        world.call("docker", "volume", "rm", data)
        # Somebody's that has no label of the workspace's; one that has not begun yet joins by name.
        options = ("--network", network, "--entrypoint", "/bin/sleep", wall, "300")
        for command in (("run", "--detach"), ("create",)):
            beside = world.call("docker", *command, "--name", "doomed-beside", *options).strip()
            try:
                refused = user.run("up", "doomed")
                assert f"`doomed-beside` ({network})" in refused.stderr, refused.stderr
                assert world.call("docker", "ps", "-aq", "--filter", f"name={PROJECT}") == ""
            finally:
                world.call("docker", "rm", "--force", beside)
        # What nobody is in is made anew.
        user.ok("up", "doomed")
        assert look("network", network, "Id") != made
        assert "size=1m," not in look("volume", secrets, "Options")
        assert user.run("plan", "doomed").status == 0
        beside = world.call(
            "docker", "run", "--detach", "--name", "doomed-beside", *options
        ).strip()
        try:
            told = user.run("verify", "doomed")
            assert (told.status, f"found doomed-beside ({network})" in told.stdout) == (2, True)
        finally:
            world.call("docker", "rm", "--force", beside)
        user.ok("verify", "doomed")
    finally:
        user.write(before)
        user.run("destroy", "doomed", "--yes")
        world.call(*compose, "down", "--volumes", check=False)
        world.call("docker", "volume", "rm", data, check=False)


@pytest.mark.thorough
@pytest.mark.parametrize("seconds", [0.5, 0.9, 1.4, 2.0, 3.0])
def test_a_removal_that_is_killed_is_finished_by_the_next(
    user: User, held: list[str], seconds: float
) -> None:
    user.ok("up", "doomed")
    overlay = hold(held)
    user.write(ANOTHER)
    environment = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "jailoc.bin", "destroy", "doomed", "--yes"],
        env=environment | {"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg")},
        cwd=user.home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        time.sleep(seconds)
        running.send_signal(signal.SIGKILL)
    last = user.run("destroy", "doomed", "--yes")
    # What was finished before the kill is nobody's workspace any more.
    assert last.status == 0 or "`doomed` not found" in last.stderr, last.stderr
    assert objects() == []
    assert {each for each in places(user) if not each.endswith(".lock")} == set()
    assert overlay not in images()
