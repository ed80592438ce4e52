"""The way back after a start that was broken off: what the engine is still making goes, too."""

from pathlib import Path

import pytest

from jailoc.bin.deploy import made, observe, proof, provenance, rollback
from jailoc.bin.engine import containers, images
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.record import applied
from jailoc.model.deployed import Deployed
from jailoc.model.diagnostic import Refused
from jailoc.model.repository import Placeholder
from jailoc.model.sandbox import COMPOSE_FILE, WALL
from tests.strategies import bundle_of

NOTHING = rollback.Before(
    workspace="api", files={}, containers={}, sources={}, behind=None, volumes=(), record=None
)


@pytest.mark.parametrize(("refused", "said"), [(2, "nothing runs"), (99, "failed as well")])
def test_what_the_engine_refuses_to_remove_yet_is_removed_later(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], refused: int, said: str
) -> None:
    tried: list[str] = []

    def down(project: str, _: object) -> None:
        tried.append(project)
        if len(tried) <= refused:
            raise DockerError("stopping", [], 1, "removal of a container is already in progress")

    monkeypatch.setattr(rollback, "LATE", 0)
    monkeypatch.setattr(containers, "down", down)
    monkeypatch.setattr(
        containers, "project_objects", lambda _: () if len(tried) > refused else ("a container",)
    )
    monkeypatch.setattr(rollback, "_fewer_volumes", lambda *_: None)
    monkeypatch.setattr(rollback, "_restore", lambda *_: None)
    monkeypatch.setattr(rollback, "_stop", lambda _: None)
    rollback.go_back(Terminal(color=False), NOTHING, rollback.Handed({}, {}))
    assert said in capsys.readouterr().err
    assert len(tried) == min(refused + 1, rollback.TRIES)


@pytest.mark.parametrize("runs", [False, True], ids=["first", "again"])
def test_a_start_that_fails_takes_away_what_it_made_in_repositories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], runs: bool
) -> None:
    """What runs again has its own places mounted; those stay."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    (tmp_path / "project/.git").mkdir(parents=True)

    def make(path: str) -> None:
        assert made.make("api", Placeholder(root=str(tmp_path / "project"), path=path, text=None))

    make(".git/remotes")
    before = NOTHING.model_copy(update={"made": made.known("api")})
    if runs:
        before = before.model_copy(
            update={"containers": {WALL: "1"}, "files": {COMPOSE_FILE: (0o600, b"")}}
        )
    make(".git/branches")
    monkeypatch.setattr(observe, "mounted", dict)
    monkeypatch.setattr(rollback, "_undone", lambda *_: None)
    monkeypatch.setattr(rollback, "_restore", lambda *_: None)
    monkeypatch.setattr(rollback, "_returned", lambda *_: None)
    rollback.go_back(Terminal(color=False), before, rollback.Handed({}, {}))
    left = {each.name for each in (tmp_path / "project/.git").iterdir()}
    assert left == ({"remotes"} if runs else set())
    assert made.known("api") == (before.made if runs else ())
    assert "removed " + ("1" if runs else "2") in capsys.readouterr().err


def test_what_this_user_may_not_see_is_compared_on_the_way_back_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lies: proof.Places = {"/code": (1, 2)}
    before = NOTHING.model_copy(
        update={"sources": {"/code": "/code"}, "behind": lies, "image": "jailoc-wall:1"}
    )

    def look(_: str, __: object, image: str | None = None) -> proof.Places | None:
        return lies if image == "jailoc-wall:1" else None

    monkeypatch.setattr(proof, "look", look)
    rollback._prove(before, "an agent")
    lies = {"/code": (1, 3)}
    with pytest.raises(Refused, match="something else was put there"):
        rollback._prove(before, "an agent")


def test_who_interrupts_a_build_is_told_that_it_is_no_loss(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nothing = rollback.Handed({}, {})
    rollback.interrupted(Terminal(color=False), NOTHING, nothing, touched=False, back=True)
    assert capsys.readouterr().err == (
        "api: nothing that runs was touched, and what was built is kept: "
        "`jailoc up api` goes on from there\n"
    )


@pytest.mark.parametrize(
    ("now", "tagged"), [("sha256:1", False), ("sha256:2", False), ("sha256:3", True), (None, True)]
)
def test_what_ran_runs_again_and_not_what_has_taken_its_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: str | None, tagged: bool
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    bundle = bundle_of("[workspaces.api]\n", "api")
    wall, below = bundle.compose.services[WALL].image.text, "jailoc-base:" + "a" * 16
    for identity in ("sha256:1", "sha256:2"):
        provenance.note(wall, identity)
    record = applied(bundle, Given(config="/c", names=("api",)), Deployed(workspace="api"))
    record = record.model_copy(update={"images": {wall: "sha256:1", below: "sha256:9"}})
    named: list[tuple[str, str]] = []
    monkeypatch.setattr(images, "identity", lambda _: now)
    monkeypatch.setattr(images, "tag", lambda *words: named.append(words))
    rollback._retag(NOTHING.model_copy(update={"record": record.model_dump_json().encode()}))
    assert named == ([("sha256:1", wall)] if tagged else [])
    rollback._retag(NOTHING)
