"""`images build --push` writes down the digests that the registry answers with."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jailoc.bin.commands import images
from jailoc.bin.config.session import Session
from jailoc.bin.engine import door
from jailoc.bin.engine.door import Call, Reply
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused
from jailoc.model.kubernetes.image_lock import ImageLock
from tests.generators.kubernetes.cluster import settings

TEXT = settings() + "[workspaces.api]\n[workspaces.web]\n"


class Engine:
    """What docker would say: images are there once they are built."""

    def __init__(self, pushed: str = "{tag}: digest: sha256:" + 64 * "a" + " size: 1\n") -> None:
        self.calls: list[tuple[str, ...]] = []
        self.built: set[str] = set()
        self.pushed, self.status = pushed, 0

    def __call__(self, call: Call) -> Reply:
        words = call.arguments
        self.calls.append(words)
        if words[:2] == ("image", "inspect"):
            names = words[words.index("--") + 1 :]
            if set(names) <= self.built:
                return Reply(0, b"".join(b"sha256:1\tnull\n" for _ in names))
            return Reply(1, b"", b"no such image")
        if words[0] == "build":
            self.built.add(words[words.index("--tag") + 1])
        if words[0] == "tag":
            self.built.add(words[-1])
        if words[0] == "push":
            return Reply(self.status, self.pushed.format(tag=words[-1]).encode())
        return Reply(0, b"20.10.0\n")


@contextmanager
def at(place: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    monkeypatch.setattr("jailoc.bin.engine.docker.check_engine", lambda: None)
    (place / "config.toml").write_text(TEXT)
    with door.answered(engine):
        yield Session(Terminal(color=False), str(place / "config.toml"), None)


def test_digests_are_in_the_lock_and_each_image_is_built_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    with at(tmp_path, engine, monkeypatch) as session:
        assert images.run(session, (), push=True, as_json=False) == 0
        first = len([each for each in engine.calls if each[0] == "build"])
        assert images.run(session, (), push=True, as_json=False) == 0
    lock = ImageLock.read((tmp_path / "images.lock").read_text())
    assert {re.sub(":.*", "", each) for each in lock.images} == {"jailoc-wall", "jailoc-agent"}
    assert set(lock.images.values()) == {f"sha256:{64 * 'a'}"}
    assert first == 2
    assert len([each for each in engine.calls if each[0] == "build"]) == 2
    pushed = {each[-1] for each in engine.calls if each[0] == "push"}
    assert pushed == {f"registry.example.com/team/{tag}" for tag in lock.images}


@pytest.mark.parametrize(("said", "status"), [("denied", 1), ("pushed, somehow", 0)])
def test_a_registry_that_takes_nothing_or_says_no_digest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, status: int
) -> None:
    engine = Engine(said)
    engine.status = status
    with (
        at(tmp_path, engine, monkeypatch) as session,
        pytest.raises(Refused, match=r"registry\.example\.com/team/jailoc-"),
    ):
        images.run(session, (), push=True, as_json=False)
    assert not (tmp_path / "images.lock").exists()


def test_without_push_nothing_leaves_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    with at(tmp_path, engine, monkeypatch) as session:
        assert images.run(session, (), push=False, as_json=False) == 0
    assert "push" not in {each[0] for each in engine.calls}
    assert not [each for each in engine.calls if each[0] == "tag" and "/" in each[-1]]
    assert not (tmp_path / "images.lock").exists()
