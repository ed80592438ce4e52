"""What is missing in a repository is made without following a link, whole, and only once."""

import os
from pathlib import Path

import pytest

from jailoc.bin.host import placeholders
from jailoc.model.repository import Placeholder


def commondir(root: Path, path: str = "a/.git/commondir", text: str | None = ".\n") -> Placeholder:
    return Placeholder(root=str(root), path=path, text=text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "p/a/.git").mkdir(parents=True)
    return tmp_path / "p"


def test_it_is_made_once_and_nothing_else_is_left(root: Path) -> None:
    wanted = commondir(root)
    assert placeholders.missing([wanted]) == (wanted.place,)
    assert placeholders.make(wanted)
    assert (root / "a/.git/commondir").read_text() == ".\n"
    assert [each.name for each in (root / "a/.git").iterdir()] == ["commondir"]
    assert not placeholders.make(wanted)
    assert placeholders.missing([wanted]) == ()


def test_a_directory_is_made(root: Path) -> None:
    assert placeholders.make(commondir(root, "a/.git/hooks", None))
    assert list((root / "a/.git/hooks").iterdir()) == []
    assert not placeholders.make(commondir(root, "a/.git/hooks", None))


@pytest.mark.parametrize("content", ["file", "link", "directory"])
def test_what_is_there_stays(root: Path, content: str) -> None:
    place = root / "a/.git/commondir"
    match content:
        case "file":
            place.write_text("../x")
        case "link":
            place.symlink_to(root / "nowhere")
        case "directory":
            place.mkdir()
    before = place.lstat()
    assert not placeholders.make(commondir(root))
    assert place.lstat() == before
    assert not (root / "nowhere").exists()


@pytest.mark.parametrize("link", ["a", "a/.git"])
def test_no_link_on_the_way_is_followed(root: Path, tmp_path: Path, link: str) -> None:
    victim = tmp_path / "victim"
    (victim / ".git").mkdir(parents=True)
    place = root / link
    os.renames(place, tmp_path / "old")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(victim if link == "a" else victim / ".git")
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        placeholders.make(commondir(root))
    assert list((victim / ".git").iterdir()) == []


def test_the_path_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "q").symlink_to(root)
    assert placeholders.make(commondir(tmp_path / "q"))
    assert (root / "a/.git/commondir").exists()


@pytest.mark.parametrize("text", [".\n", None])
def test_nothing_but_what_root_made_is_given_away(
    root: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    """Whoever owns the directory may put a hard link to a file of root's in its place."""
    given: list[int] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda made, *_: given.append(os.fstat(made).st_ino))
    monkeypatch.setattr(os, "chown", lambda *_, **__: pytest.fail("by its name"))
    assert placeholders.make(commondir(root, text=text))
    assert given == [(root / "a/.git/commondir").stat().st_ino]


@pytest.mark.parametrize("text", [".\n", "", None])
def test_what_was_made_is_taken_away(root: Path, text: str | None) -> None:
    made = placeholders.make(commondir(root, text=text))
    assert made is not None
    assert placeholders.take_away(made)
    assert list((root / "a/.git").iterdir()) == []
    assert not placeholders.take_away(made), "it is gone"


@pytest.mark.parametrize("text", [".\n", "", None])
@pytest.mark.parametrize("change", ["content", "another", "link", "way"])
def test_what_somebody_has_changed_stays(root: Path, text: str | None, change: str) -> None:
    made = placeholders.make(commondir(root, text=text))
    assert made is not None
    place = root / "a/.git/commondir"
    target = place
    if change == "content":
        (place / "x" if text is None else place).write_text("mine\n")
    elif change == "another":
        place.rename(place.with_name("old"))
        if text is None:
            place.mkdir()
        else:
            place.write_text(text)
    elif change == "link":
        target = place.with_name("old")
        place.rename(target)
        place.symlink_to("old")
    else:
        (root / "a/.git").rename(root / "real")
        (root / "a/.git").symlink_to(root / "real")
        target = root / "real/commondir"
    assert not placeholders.take_away(made)
    assert os.path.lexists(place)
    assert target.exists()
