"""The tools image for tests, built as jailoc builds it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jailoc.bin.config.session import Session
from jailoc.bin.deploy import tools
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import resolve
from jailoc.model.sandbox import TOOLS_LABEL
from tests.engine import world

CONFIG = f"""{world.certificates()}
[workspaces.tooling]
paths = ["~/project"]
"""


def tools_image() -> str:
    """Return the name of the image, for a workspace without settings of its own."""
    with world.home("tooling") as user, pytest.MonkeyPatch.context() as patch:
        (user.home / "project").mkdir()
        user.write(CONFIG)
        patch.setenv("HOME", str(user.home))
        for each in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "JAILOC_CONFIG"):
            patch.delenv(each, raising=False)
        origin = Session(Terminal(color=False)).source()
        workspace = resolve(origin.config, "tooling", origin.host)
        return tools.image(Terminal(color=False), workspace, origin.host)


def containers(workspace: str) -> list[str]:
    """Return the containers of the tools image that are there for a workspace, by id."""
    label = f"label={TOOLS_LABEL}={workspace}"
    return world.call("docker", "ps", "--all", "--quiet", "--filter", label).split()


@contextmanager
def none_after(workspace: str) -> Iterator[None]:
    """Remove what a failing test leaves."""
    try:
        yield
    finally:
        if found := containers(workspace):
            world.call("docker", "rm", "--force", *found, check=False)
