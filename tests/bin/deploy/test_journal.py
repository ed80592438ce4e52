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


def test_looking_does_not_need_it_finished(user: User) -> None:
    place = user.home / ".local/share/jailoc/api/undo.json"
    place.write_text(JOURNAL.model_dump_json())
    assert user.run("plan", "api", **NOWHERE).status == 0
    assert "keep" not in user.ok("config")
