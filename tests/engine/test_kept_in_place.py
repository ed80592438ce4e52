"""What is mounted in a path, or lies there as another path, stays in its place: nobody renames it.

Else the next start mounts it over something else, and covers are where nobody looks any more.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jailoc.bin.config.session import Session
from jailoc.bin.host import placeholders
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind
from jailoc.model.mount import Mode
from jailoc.model.sandbox import AGENT
from tests.engine.test_repositories import IDENTITY, IMAGE, as_user, made_home

pytestmark = pytest.mark.engine

CONFIG = """
[workspaces.a]
paths = ["~/src", "~/src/deep/inner"]
mounts = ["~/public:~/src/some/where/secret:ro", "~/data:/mnt/data", "~/public:/mnt/data/x/y:ro"]
git_config = false
"""
MADE = """
set -e; cd ..
mkdir -p src/some/where src/deep data/x; echo hidden >src/some/where/secret
echo hidden >data/x/y; echo shown >public; git init -q src/deep/inner; cd src/deep/inner
git commit -q --allow-empty -m first
"""


@dataclass(frozen=True)
class Place:
    """A home, and what an agent sees of it."""

    home: Path
    bundle: Bundle

    def agent(self, script: str, *, held: bool) -> str:
        """Run a script where the agent would, as one start; without what only holds, if asked."""
        mounts = [
            word
            for each in self.bundle.compose.services[AGENT].mounts
            if isinstance(each, Bind)
            and each.source.text.startswith((f"{self.home}/src", f"{self.home}/data",
                                             f"{self.home}/public"))
            and (held or each.mode is Mode.READ_ONLY
                 or not (each.source.origin or "").startswith("protect: "))
            for word in ("--mount", f"type=bind,source={each.source.text},target="
                         f"{each.target.text}" + ",readonly" * (each.mode is Mode.READ_ONLY))
        ]  # fmt: skip
        done = subprocess.run(
            ["docker", "run", "--rm", "--network", "none", "--user", "1000:1000", "--cap-drop",
             "ALL", "--volume", "/usr:/usr:ro", "--env", "HOME=/tmp",
             *(word for each in IDENTITY for word in ("--env", each)),
             *mounts, "--workdir", f"{self.home}/src", IMAGE, "/bin/sh", "-c", script],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr


@pytest.fixture
def place() -> Iterator[Place]:
    with made_home("kept-in-place", MADE) as user:
        user.write(CONFIG)
        origin = Session(Terminal(color=False)).source()
        bundle = compile_workspace(origin.config, "a", origin.host)
        for each in bundle.placeholders:
            placeholders.make(each)
        yield Place(user.home, bundle)


@pytest.mark.parametrize(
    ("way", "file"), [("some", "where/secret"), ("/mnt/data/x", "y")], ids=["path", "mount"]
)
def test_what_a_mount_hides_stays_hidden_over_a_restart(place: Place, way: str, file: str) -> None:
    def tried(*, held: bool) -> str:
        moved = f"{way}-moved"
        place.agent(
            f"mv {way} {moved}; mkdir -p {way}/{file.rpartition('/')[0]}; echo fake >{way}/{file}",
            held=held,
        )
        return place.agent(f"cat {moved}/{file}", held=held)

    assert "hidden" not in place.agent(f"cat {way}/{file}", held=False)
    assert "hidden" not in tried(held=True)
    assert "hidden" in tried(held=False), "the control: what is not held is moved away"


def test_a_path_in_another_one_keeps_what_covers_it(place: Place) -> None:
    inner = place.home / "src/deep/inner"
    hook = "printf '#!/bin/sh\\ntouch \"$HOME/hit\"\\n'"
    attack = "cd {at} && mv {name} away && mkdir -p {name}/.git/hooks && git init -q {inner} && " \
             "git -C {inner} commit -q --allow-empty -m x && " \
             f"{hook} >{{inner}}/.git/hooks/post-checkout && " \
             "chmod +x {inner}/.git/hooks/post-checkout"  # fmt: skip

    def tried(name: str, *, held: bool) -> bool:
        at = inner.parent if name == "inner" else inner.parent.parent
        place.agent(attack.format(at=at, name=name, inner=inner), held=held)
        as_user(place.home, inner, "git checkout -q -b new; git checkout -q -b newer")
        return (place.home / "hit").exists()

    assert not tried("inner", held=True)
    assert not tried("deep", held=True)
    assert tried("inner", held=False), "the control"
