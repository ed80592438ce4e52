"""The image of a service may want volumes: none is made that the configuration does not name."""

import json
import re
from collections.abc import Iterator

import pytest

from jailoc.bin.engine import containers
from tests.engine import world
from tests.engine.world import User

pytestmark = pytest.mark.engine

NAME, PORT = "servicevolumes", 4283
IMAGE = "jailoc-test-volumes:1"
DOCKERFILE = """
FROM debian:trixie-slim
VOLUME {places}
ENTRYPOINT ["/bin/sleep", "infinity"]
"""
SERVICE = """
[defaults]
enable_docker = false
[workspaces.{name}]
paths = ["~/project"]
port = {port}
[workspaces.{name}.services.db]
image = "{image}"
ports = [5432]
user = "999:999"
healthcheck = ["/bin/true"]
{more}
"""


def built(*places: str) -> None:
    text = DOCKERFILE.format(places=json.dumps(places))
    world.call("docker", "build", "--quiet", "--tag", IMAGE, "-", stdin=text)


def config(more: str = "") -> str:
    return world.certificates() + SERVICE.format(name=NAME, port=PORT, image=IMAGE, more=more)


def mounted(container: str) -> dict[str, str]:
    """Return what is mounted in a container: places, with the name of the volume or the kind."""
    (data,) = json.loads(world.call("docker", "inspect", container))
    return {each["Destination"]: each.get("Name") or each["Type"] for each in data["Mounts"]}


def volumes() -> set[str]:
    """Return the engine's volumes that have no name, or one of this workspace's."""
    every = world.call("docker", "volume", "ls", "--quiet").split()
    return {each for each in every if NAME in each or re.fullmatch("[0-9a-f]{64}", each)}


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as found:
        (found.home / "project").mkdir()
        try:
            yield found
        finally:
            world.remove(f"jailoc-{NAME}")
            world.call("docker", "image", "rm", "--force", IMAGE, check=False)


def test_an_image_that_declares_volumes_is_refused_until_each_is_named(user: User) -> None:
    built("/var/lib/db/data", "/var/cache/db/")
    # Control: the engine makes them, writable and without a name.
    made = world.call("docker", "create", IMAGE).strip()
    try:
        assert set(mounted(made)) == {"/var/lib/db/data", "/var/cache/db"}
    finally:
        world.call("docker", "rm", "--volumes", made)
    before = volumes()
    user.write(config())
    refused = user.run("up", NAME)
    assert refused.status == 1
    assert "[service-writes]" in refused.stderr
    assert "declares `/var/cache/db`, `/var/lib/db/data` as `VOLUME`" in refused.stderr
    assert 'volumes = ["data:/var/cache/db", "data1:/var/lib/db/data"]' in refused.stderr
    assert volumes() == before
    label = f"label=com.docker.compose.project=jailoc-{NAME}"
    assert world.call("docker", "ps", "--all", "--quiet", "--filter", label) == ""
    # What lies above or below such a place is another.
    user.write(config('volumes = ["data:/var/lib/db"]\ntmpfs = ["/var/cache/db/x"]'))
    assert "declares `/var/cache/db`, `/var/lib/db/data`" in user.run("up", NAME).stderr
    user.write(config('volumes = ["data:/var/lib/db/data"]\ntmpfs = ["/var/cache/db"]'))
    user.ok("up", NAME)
    container = f"jailoc-{NAME}-db-1"
    names = {place: name for place, name in mounted(container).items() if name != "tmpfs"}
    assert names == {"/var/lib/db/data": f"jailoc-{NAME}_service-db--data"}
    assert all(each.startswith(f"jailoc-{NAME}_") for each in volumes() - before)
    # Another image under the same name is looked at before anything that runs is touched.
    built("/var/lib/db/data", "/var/cache/db", "/more")
    running = world.call("docker", "inspect", "--format", "{{.Id}}", container)
    assert "declares `/more` as `VOLUME`" in user.run("up", NAME).stderr
    assert world.call("docker", "inspect", "--format", "{{.Id}}", container) == running


def test_a_container_that_goes_takes_its_images_volumes_along_and_no_other(user: User) -> None:
    built("/data", "/scratch")
    named = f"jailoc-{NAME}-named"
    made = world.call("docker", "create", "--volume", f"{named}:/named", IMAGE).strip()
    own = mounted(made)
    try:
        assert own.pop("/named") == named
        assert set(own) == {"/data", "/scratch"}
        assert {*own.values()} <= volumes()
        containers.remove(made)
        left = volumes()
        assert named in left
        assert not {*own.values()} & left
    finally:
        world.call("docker", "rm", "--force", "--volumes", made, check=False)
        world.call("docker", "volume", "rm", "--force", named)
