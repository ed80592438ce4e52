"""What restic says is read within bounds, and what has to go is decided by plain rules."""

import json
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.runtime.snapshots import (
    LONGEST,
    Lines,
    UndoDifference,
    escaped,
    expired,
    line,
    listed,
    message,
    oldest,
    unchanged,
)
from jailoc.model.snapshots import Snapshots, StoredSnapshot

NOW, DAY = 1_801_353_600.0, 86_400.0


def snapshot(number: int, days: float = 0, *tags: str) -> StoredSnapshot:
    return StoredSnapshot(
        id=f"{number:064x}", time=NOW - days * DAY, paths=("/a",), tags=tags, tree="t"
    )


@given(st.lists(st.binary(max_size=40).filter(lambda each: b"\n" not in each)), st.integers(1, 50))
def test_lines_are_the_same_however_they_come_in_pieces(lines: list[bytes], size: int) -> None:
    text = b"".join(each + b"\n" for each in lines)
    found: list[bytes] = []
    cutter = Lines(found.append)
    for place in range(0, len(text), size):
        cutter.feed(text[place : place + size])
    assert found == lines


def test_a_line_that_never_ends_is_not_kept() -> None:
    found: list[bytes] = []
    cutter = Lines(found.append)
    for _ in range(10):
        cutter.feed(b"x" * LONGEST)
        assert len(cutter._rest) <= LONGEST
    cutter.feed(b"end\nnext\n")
    assert found == [b"next"]


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"id": "x"}]', "{}", "null", '[{"id": 1}]'])
def test_a_list_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no list of snapshots"):
        listed(text)


def test_a_list_is_read_with_nanoseconds_and_without_what_older_ones_lack() -> None:
    told = {
        "id": "ab" * 32, "time": "2027-01-30T01:45:51.753987109Z", "tree": "cd" * 32,
        "paths": ["/a"], "hostname": "jailoc", "more": {"unknown": 1},
    }  # fmt: skip
    later = {**told, "id": "cd" * 32, "time": "2027-01-30T02:00:00+01:00", "tags": ["before-undo"],
             "summary": {"total_files_processed": 3, "total_bytes_processed": 9}}  # fmt: skip
    first, second = listed(json.dumps([told, later]))
    assert (first.short, first.files, first.why) == ("cdcdcdcd", 3, "before undo")
    assert (second.id, second.files, second.why) == ("ab" * 32, None, "-")
    assert (second.time, first.time) == (1801273551.753987109, 1801270800.0)


def test_those_go_that_are_too_many_or_too_old_but_never_the_newest_or_a_needed_one() -> None:
    bounds = Snapshots(keep=3, days=14)
    every = [snapshot(number, days) for number, days in enumerate((20, 15, 13, 2, 1))]
    ids = [each.id for each in every]
    assert set(expired(every, bounds, NOW, ())) == {ids[0], ids[1]}
    assert set(expired(every, bounds, NOW, {ids[0]})) == {ids[1]}
    assert expired([snapshot(1, 99)], bounds, NOW, ()) == ()
    assert oldest(every, ()) == (ids[0],)
    assert oldest(every, set(ids)) == ()
    assert oldest(every[:1], ()) == ()


def test_a_difference_counts_all_and_names_the_first() -> None:
    found = UndoDifference(("/p/a", "/p/b"))
    for number in range(30):
        found.take(json.dumps({"path": f"/p/a/{number}", "modifier": "-"}).encode())
    for path, modifier in (
        ("/p/b/", "+"), ("/p/b/x", "M"), ("/p/bc", "+"), ("/p/a", "T"), ("/q", "-")
    ):  # fmt: skip
        found.take(json.dumps({"path": path, "modifier": modifier}).encode())
    for odd in (b"", b"[]", b"{", b'{"path": 1, "modifier": "M"}', b'{"message_type": "x"}'):
        found.take(odd)
    assert (found.creates.count, found.changes.count, found.deletes.count) == (30, 2, 1)
    lines = list(found.lines())
    assert lines[0] == "creates 30:"
    assert "  ... and 22 more" in lines
    assert len(lines) == 1 + 8 + 1 + 1 + 2 + 1 + 1
    assert UndoDifference().empty


def test_no_crowd_hides_what_this_machine_obeys() -> None:
    found = UndoDifference()
    names = [f"!a{number:02}" for number in range(30)]
    names += [".devcontainer/devcontainer.json", "deep/.Envrc", *(f"x{n}/.envrc" for n in range(8))]
    for name in names:
        found.take(json.dumps({"path": f"/p/{name}", "modifier": "-"}).encode())
    lines = list(found.lines())
    assert lines[0] == "creates 40:"
    assert lines[1:3] == [
        "  /p/.devcontainer/devcontainer.json (this machine obeys `.devcontainer`)",
        "  /p/deep/.Envrc (this machine obeys `.envrc`)",
    ]
    assert lines[9] == "  ... and 2 more that this machine obeys"
    assert lines[-1] == "  ... and 22 more"


def test_what_git_keeps_is_one_line_and_its_repositories_are_named() -> None:
    found = UndoDifference()
    for path, modifier in (
        ("/p/.git/", "-"), ("/p/.git/objects/1b/", "-"), ("/p/.git/objects/1b/b1", "-"),
        ("/p/.git/refs/heads/main", "M"), ("/q/.git/packed-refs", "M"), ("/p/.git/index", "M"),
        ("/p/.git/hooks/pre-commit", "-"), ("/p/.git/config", "M"), ("/p/a", "M"),
        ("/p/.gitignore", "M"), ("/p\nx/.git/refs/heads/a", "M"),
    ):  # fmt: skip
        found.take(json.dumps({"path": path, "modifier": modifier}).encode())
    assert list(found.lines()) == [
        "creates 4:", "  /p/.git/hooks/pre-commit (this machine obeys `.git/hooks`)", "  /p/.git/",
        "  /p/.git: 2 names of what Git keeps there",
        "changes 7:", "  /p/.git/config (this machine obeys `.git/config`)", "  /p/a",
        "  /p/.gitignore",
        "  /p/.git: 2 names of what Git keeps there", "  /q/.git: 1 name of what Git keeps there",
        "  /p\nx/.git: 1 name of what Git keeps there",
    ]  # fmt: skip
    assert found.repositories == ["/p/.git", "/q/.git"]


def test_what_differs_in_no_content_is_no_change_and_not_nothing() -> None:
    found, nothing = UndoDifference((os.fsdecode(b"/p/\xff"),)), []
    # A byte that is no text is told as one sign.
    for path in ("/p/b", "/p/\ufffd"):
        found.take(json.dumps({"path": path, "modifier": "U"}).encode())
        nothing.append(found.nothing)
        assert found.empty
    assert nothing == [True, False]
    assert list(found.lines()) == [
        "gives its permissions, times or target back to 1:", "  /p/\ufffd",
    ]  # fmt: skip
    found.take(json.dumps({"path": "/p/\ufffd", "modifier": "M"}).encode())
    assert list(found.lines()) == ["changes 1:", "  /p/\ufffd"]
    assert found.met == {"/p/\ufffd"}


def test_directories_above_are_each_containers_own_and_no_change() -> None:
    roots = ("/home/a/src/api", "/home/a/src/web")
    same = {"files_new": 0, "files_changed": 0, "dirs_new": 0, "dirs_changed": 3}
    assert unchanged(same, roots)
    for key, value in same.items():
        assert not unchanged({**same, key: value + 1}, roots)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=30))
def test_a_line_of_a_path_is_one_and_means_nothing_else(text: str) -> None:
    found = line(f"/{text}")
    assert "\n" not in found
    assert found == found.strip()
    assert "$" not in found.replace("$$", "")


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=30))
def test_an_escaped_path_is_read_back_by_printf(text: str) -> None:
    found = escaped(text)
    assert "\n" not in found
    words = ["sh", "-c", 'IFS= read -r line; printf "%b" "$line"']
    read = subprocess.run(words, input=f"{found}\n".encode(), capture_output=True, check=True)
    assert read.stdout.decode() == text


def test_what_is_no_object_says_nothing() -> None:
    assert message(b"[1]") == message(b"\xff") == message(b"") == {}


def test_what_stays_is_told_apart_and_is_nothing_to_be_done() -> None:
    found = UndoDifference(stays=("/p/large", os.fsdecode(b"/p/\xff")))
    for path in ("/p/large", "/p/\ufffd"):
        found.take(json.dumps({"path": path, "modifier": "-"}).encode())
    assert found.nothing
    assert [*found.lines()][1:] == ["  /p/large", "  /p/\ufffd"]
    found.take(b'{"path": "/p/larger", "modifier": "-"}')
    assert not found.nothing
