"""What a real engine stands in the way of is said before anything is written."""

import pytest

from tests.engine import world
from tests.engine.conftest import Sandbox

pytestmark = pytest.mark.engine


def test_a_port_of_another_running_workspace_is_refused_by_name(sandbox: Sandbox) -> None:
    with world.home("other") as user:
        user.write("[workspaces.other]\n")
        before = user.files()
        result = user.run("up", "other")
        assert result.status == 1
        assert "port 4096 is published by the running workspace `walled`" in result.stderr
        # What somebody with another home has started is not this user's to stop.
        assert "write `port = 4097` in [workspaces.other]: that workspace is another user's" in (
            result.stderr
        )
        assert user.files() - before <= {".cache", ".cache/jailoc", ".cache/jailoc/other.lock"}


def test_a_port_of_another_program_is_refused(hosts: None) -> None:
    with world.home("third") as user, world.taken(4098):
        user.write("[workspaces.a]\n[workspaces.b]\n[workspaces.c]\n")
        result = user.run("up", "c")
        assert result.status == 1
        assert "port 4098 on 127.0.0.1 is taken by another program" in result.stderr
        assert not (user.home / ".cache/jailoc/c").exists()


def test_down_works_for_a_name_that_left_the_configuration(sandbox: Sandbox) -> None:
    text = sandbox.user.config.read_text()
    try:
        sandbox.user.write("[workspaces.renamed]\n")
        sandbox.user.ok("down", "walled")
        label = "label=com.docker.compose.project=jailoc-walled"
        assert world.call("docker", "ps", "--all", "--quiet", "--filter", label) == ""
    finally:
        sandbox.user.write(text)
        sandbox.user.ok("up", "walled")
