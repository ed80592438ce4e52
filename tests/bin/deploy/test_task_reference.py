"""The reference that a fetch of a task writes: no link leads it, or its log, elsewhere."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from jailoc.bin.commands import task
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import task_fetch, task_reference
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused
from jailoc.model.task import Task
from tests.strategies import HOST

REFERENCE = "refs/jailoc/api/fix"
WAYS = ("refs/jailoc", "refs/jailoc/api", "logs/refs/jailoc/api/fix")
WHO = ("-c", "user.name=a", "-c", "user.email=a@example.com")


def git(place: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", place, *WHO, *words], capture_output=True, text=True,
                          check=True)  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def tips(tmp_path: Path) -> tuple[str, str]:
    """Make a repository with two commits, and a directory that is none of it."""
    (tmp_path / "outside").mkdir()
    git(tmp_path, "init", "--quiet", "p")
    place = tmp_path / "p"
    made = []
    for message in ("one", "two"):
        git(place, "commit", "--quiet", "--allow-empty", "--message", message)
        made.append(git(place, "rev-parse", "HEAD"))
    return made[0], made[1]


def linked(tmp_path: Path, where: str) -> Path:
    """Put a link in the place of a part of the way; return what it leads to."""
    link = tmp_path / "p/.git" / where
    link.parent.mkdir(parents=True, exist_ok=True)
    target = tmp_path / "outside"
    if where.endswith("/fix"):
        target /= "file"
        target.write_text("mine\n")
    link.symlink_to(target)
    return target


def outside(tmp_path: Path) -> dict[str, str]:
    every = sorted((tmp_path / "outside").rglob("*"))
    return {str(each): each.read_text() if each.is_file() else "" for each in every}


def test_it_is_written_and_moved_as_git_reads_it(tmp_path: Path, tips: tuple[str, str]) -> None:
    place = tmp_path / "p"
    for tip in (*tips, tips[0]):
        task_reference.point(f"{place}/.git", REFERENCE, tip)
        assert git(place, "rev-parse", REFERENCE) == tip
    git(place, "pack-refs", "--all")
    task_reference.point(f"{place}/.git", REFERENCE, tips[1])
    assert git(place, "for-each-ref", "--format=%(objectname)", "refs/jailoc") == tips[1]
    assert [each.name for each in (place / ".git/refs/jailoc/api").iterdir()] == ["fix"]
    git(place, "fsck", "--strict")


@pytest.mark.parametrize("where", WAYS)
def test_git_itself_writes_through_a_link(
    tmp_path: Path, tips: tuple[str, str], where: str
) -> None:
    linked(tmp_path, where)
    before = outside(tmp_path)
    git(tmp_path / "p", "update-ref", "--create-reflog", REFERENCE, tips[0])
    assert outside(tmp_path) != before


@pytest.mark.parametrize("where", [*WAYS, "refs/jailoc/api/fix", "logs/refs/jailoc"])
def test_a_link_on_the_way_is_refused(tmp_path: Path, tips: tuple[str, str], where: str) -> None:
    linked(tmp_path, where)
    before = outside(tmp_path)
    with pytest.raises(Refused, match="is a symbolic link"):
        task_reference.point(f"{tmp_path}/p/.git", REFERENCE, tips[0])
    assert outside(tmp_path) == before


@pytest.mark.parametrize("table", [False, True], ids=["files", "a table that nobody reads"])
@pytest.mark.parametrize("where", [*WAYS, "refs/jailoc/api/fix"])
def test_nothing_is_written_through_one_that_comes_after_the_look(
    tmp_path: Path, tips: tuple[str, str], where: str, *, table: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    linked(tmp_path, where)
    if table:
        (tmp_path / "p/.git/reftable").mkdir()
    before = outside(tmp_path)
    monkeypatch.setattr(Path, "is_symlink", lambda _: False)
    with suppress(Refused):
        task_reference.point(f"{tmp_path}/p/.git", REFERENCE, tips[0])
    assert outside(tmp_path) == before


@pytest.mark.parametrize("where", ["reftable", "reftable/tables.list"])
def test_so_is_one_in_the_place_of_the_table(
    tmp_path: Path, tips: tuple[str, str], where: str
) -> None:
    git(tmp_path / "p", "config", "extensions.refStorage", "reftable")
    place = tmp_path / "p/.git" / where
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match=f"{where}` is a symbolic link"):
        task_reference.point(f"{tmp_path}/p/.git", REFERENCE, tips[0])


def test_what_is_in_its_place_is_said(tmp_path: Path, tips: tuple[str, str]) -> None:
    (tmp_path / "p/.git" / REFERENCE / "x").mkdir(parents=True)
    with pytest.raises(Refused, match="cannot be written"):
        task_reference.point(f"{tmp_path}/p/.git", REFERENCE, tips[0])


STUB = """#!/bin/sh
printf '%s\\n' "$*" >> {log}
case "$*" in
*--get-regexp*) exec {git} "$@" ;;
esac
"""


def test_a_hook_in_the_configuration_is_switched_off_where_git_writes_its_table(
    tmp_path: Path, tips: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, log = tmp_path / "p", tmp_path / "log"
    git(place, "config", "extensions.refStorage", "reftable")
    git(place, "config", "hook.a b=c.command", "true")
    real = shutil.which("git")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text(STUB.format(log=log, git=real))
    (tmp_path / "bin/git").chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        with pytest.raises(Refused, match="names hooks that cannot be switched off"):
            task_reference.point(f"{place}/.git", REFERENCE, tips[0])
    git(place, "config", "--remove-section", "hook.a b=c")
    for setting in ("hook.Spy.One.command", "hook.Spy.One.event", "hook.two.event"):
        git(place, "config", setting, "reference-transaction")
    log.unlink()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    task_reference.point(f"{place}/.git", REFERENCE, tips[0])
    (line,) = [each for each in log.read_text().splitlines() if "update-ref" in each]
    for each in ("hook.Spy.One", "hook.two"):
        assert f"-c {each}.enabled=no" in line
    assert "hook.reference-transaction.enabled=false" in line


@pytest.mark.parametrize("moved", [False, True])
def test_a_reference_that_was_moved_is_told(
    moved: bool,
    tmp_path: Path,
    tips: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another agent that writes in the repository can let it name what it likes."""
    fetched = Task(workspace="api", name="fix", repository=f"{tmp_path}/p", base=tips[0],
                   port=4600, fetched=tips[1])  # fmt: skip
    git(tmp_path / "p", "update-ref", REFERENCE, tips[not moved])
    monkeypatch.setattr(task, "_known", lambda *_: fetched)
    shown = task_fetch.TaskText(tips[1], ["commit"])
    monkeypatch.setattr(task_fetch, "brought", lambda *_: shown)
    monkeypatch.setattr(Session, "source", lambda *_, **__: SimpleNamespace(host=HOST))
    assert task.show(Session(Terminal()), "api/fix", "log") == 0
    told = f"{REFERENCE} names {tips[0][:12]}, not {tips[1][:12]} that was fetched"
    assert (told in capsys.readouterr().err) == moved


def test_what_came_home_is_home_while_all_of_it_is_there(
    tmp_path: Path, tips: tuple[str, str]
) -> None:
    place = str(tmp_path / "p/.git")
    base, tip = tips

    def home() -> bool:
        return task_reference.reached(place, tip) and task_reference.whole(place, tip, base)

    git(tmp_path / "p", "update-ref", REFERENCE, tip)
    git(tmp_path / "p", "reset", "--quiet", "--hard", base)
    assert home()
    # A crash or an agent leaves one that names nothing.
    (tmp_path / "p/.git/refs/heads/broken").write_text(f"{'1' * 40}\n")
    assert home()
    git(tmp_path / "p", "update-ref", "-d", REFERENCE)
    assert not home(), "the next gc(1) takes it"
    git(tmp_path / "p", "update-ref", "refs/heads/other", tip)
    assert home(), "somebody has merged it"
    (tmp_path / f"p/.git/objects/{tip[:2]}/{tip[2:]}").unlink()
    assert not home()
