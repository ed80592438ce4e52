"""What a start makes in a repository goes again, also where the start was killed on the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jailoc.bin.deploy import made, observe
from jailoc.bin.host import placeholders
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.compose import Bind, Literally
from jailoc.model.mount import Mode
from jailoc.model.repository import Made, Placeholder

ROOT = Path(__file__).resolve().parents[3]

KILLED = """
import os, signal, sys
from jailoc.bin.deploy import made
from jailoc.model.repository import Placeholder
at, root, path, text = sys.argv[1:]
def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
kept, link, unlink, mkdir = made.keep, os.link, os.unlink, os.mkdir
if at == "before it has a name":
    os.link = killed
elif at == "with two names":
    os.unlink = killed
elif at == "before it is noted":
    made.keep = lambda name, each: kept(name, each) if each[0].begun else killed()
elif at == "before anything":
    made.placeholders.make = killed
made.make("api", Placeholder(root=root, path=path, text=text or None))
"""


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (".\n", "before anything"),
        (".\n", "before it has a name"),
        (".\n", "with two names"),
        (".\n", "before it is noted"),
        ("", "before anything"),
        ("", "before it is noted"),
    ],
)
@pytest.mark.parametrize("again", [False, True])
def test_what_a_killed_start_has_made_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, at: str, again: bool
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / ".git/.commondir.not-ours").write_text(text)
    (root / ".git/.commondir.0123456789abcdef").mkdir()
    before = sorted((root / ".git").iterdir())
    done = subprocess.run(
        [sys.executable, "-c", KILLED, at, str(root), ".git/commondir", text],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".pkg")}, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -9
    if again:  # the next start finds it, or makes it
        made.make("api", Placeholder(root=str(root), path=".git/commondir", text=text or None))
        assert (root / ".git/commondir").exists()
    (kept,) = made.known("api")
    placeholders.take_away(kept)
    assert sorted((root / ".git").iterdir()) == before


def test_of_one_that_was_begun_nothing_of_anybody_else_goes(tmp_path: Path) -> None:
    (tmp_path / "remotes").mkdir()
    (tmp_path / "remotes/origin").write_text("mine")
    (tmp_path / "commondir").write_text("../elsewhere\n")
    beside = tmp_path / ".commondir.0123456789abcdef"
    beside.write_text("mine")
    for path, text in (("remotes", None), ("commondir", ".\n")):
        placeholder = Placeholder(root=str(tmp_path), path=path, text=text)
        assert not placeholders.take_away(Made(placeholder=placeholder, device=0, inode=0))
    assert (tmp_path / "remotes/origin").exists()
    assert (tmp_path / "commondir").read_text() == "../elsewhere\n"
    assert beside.read_text() == "mine"


def test_what_no_snapshot_takes_is_what_a_start_made_and_nobody_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    root, other, alias = tmp_path / "project", tmp_path / "other", tmp_path / "alias"
    for each in (root, other):
        (each / ".git").mkdir(parents=True)
    alias.symlink_to(root)
    (root / ".git/branches").mkdir()  # of the user's own, as old templates have it
    every = ((".git/commondir", ".\n"), (".git/remotes", None), (".git/hooks", None))
    for path, text in every:
        # A path may be spelt in another way in another workspace.
        made.make("api", Placeholder(root=str(root), path=path, text=text))
        made.make("web", Placeholder(root=str(other), path=path, text=text))
    assert not made.make("api", Placeholder(root=str(root), path=".git/branches", text=None))
    assert made.below([str(root)]) == tuple(f"{root}/{path}" for path, _ in every)
    assert made.below([str(alias)]) == tuple(f"{alias}/{path}" for path, _ in every)
    (root / ".git/hooks/pre-commit").touch()
    (root / ".git/commondir").write_text("../elsewhere\n")
    assert made.below([str(root)]) == (f"{root}/.git/remotes",)
    (root / ".git/remotes").rmdir()
    (root / ".git/remotes").symlink_to(other)
    assert made.below([str(root)]) == ()
    assert len(made.below([str(root), str(other)])) == len(every)


@pytest.mark.parametrize("way", ["project", "link"])
def test_what_another_workspace_mounts_stays_whichever_way_it_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A mount goes with what is below it: that agent could then make a name of its own there."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    (tmp_path / "project/.git").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "project")
    placeholder = Placeholder(root=str(tmp_path / "project"), path=".git/commondir", text=".\n")
    assert made.make("api", placeholder)
    file = tmp_path / "project/.git/commondir"
    theirs = Bind(
        source=Literally(text=str(tmp_path / way / ".git/commondir")),
        target=Literally(text=str(file)),
        mode=Mode.READ_ONLY,
    )
    running = {"web": (theirs,)}
    monkeypatch.setattr(observe, "mounted", lambda: running)
    made.take_away(Terminal(), "api")
    assert file.exists()
    assert not made.known("api")
    running.clear()
    made.take_away(Terminal(), "web")
    assert not file.exists(), "control: it goes with the last one"
