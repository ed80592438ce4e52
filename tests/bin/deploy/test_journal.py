"""While an undo is not finished, nothing starts the workspace, and it is said what does."""

from collections.abc import Iterator

import pytest

from jailoc.model.snapshots import UndoJournal
from tests.engine import world
from tests.engine.world import User

NOWHERE = {"DOCKER_HOST": "unix:///nowhere.sock"}
JOURNAL = UndoJournal(snapshot="ab" * 32, before="cd" * 32, targets=("/p",), started=True)


@pytest.fixture
def user() -> Iterator[User]:
    with world.home("journal") as someone:
        (someone.home / "project").mkdir()
        (someone.home / "project").chmod(0o777)
        someone.write('[workspaces.api]\npaths = ["~/project"]\n')
        someone.was_started("api")
        yield someone


@pytest.mark.parametrize("words", ["up api", "restart api"])
@pytest.mark.parametrize("text", [JOURNAL.model_dump_json(), "{", '{"version": 2}', ""])
def test_nothing_starts_the_workspace(user: User, words: str, text: str) -> None:
    place = user.home / ".local/share/jailoc/api/undo.json"
    place.write_text(text)
    refused = user.run(*words.split(), **NOWHERE)
    assert refused.status == 1
    mends = "`jailoc undo api --continue`" if text == JOURNAL.model_dump_json() else str(place)
    assert "undo of `api` has begun" in refused.stderr
    assert mends in refused.stderr
    place.unlink()
    assert "undo" not in user.run(*words.split(), **NOWHERE).stderr


def test_nothing_starts_another_workspace_that_can_write_there(user: User) -> None:
    """What restores is a container: it goes on when jailoc is killed."""
    for each in ("other", "project/deep"):
        (user.home / each).mkdir()
        (user.home / each).chmod(0o777)
    same, deep, other = (f'paths = ["~/{each}"]' for each in ("project", "project/deep", "other"))
    user.write(
        f'trust = ["~/project", "~/project/deep"]\n'
        f"[workspaces.api]\n{same}\n[workspaces.docs]\n{other}\n[workspaces.deep]\n{deep}\n"
        f'[workspaces.web]\n{other}\nmounts = ["~/project:/more:rw"]\n'
    )
    place = user.home / ".local/share/jailoc/api/undo.json"
    note = JOURNAL.model_copy(update={"targets": (str(user.home / "project"),)})
    place.write_text(note.model_dump_json())
    for name in ("deep", "web"):
        refused = user.run("up", name, **NOWHERE)
        assert refused.status == 1
        assert "undo of `api` has begun and is not finished" in refused.stderr
        assert f"where the agent of `{name}` can write, too" in refused.stderr
        assert "`jailoc undo api --continue`" in refused.stderr
    assert "undo" not in user.run("up", "docs", **NOWHERE).stderr
    place.unlink()
    assert "undo" not in user.run("up", "web", **NOWHERE).stderr


def test_looking_does_not_need_it_finished(user: User) -> None:
    place = user.home / ".local/share/jailoc/api/undo.json"
    place.write_text(JOURNAL.model_dump_json())
    assert user.run("plan", "api", **NOWHERE).status == 0
    assert "keep" not in user.ok("config")
