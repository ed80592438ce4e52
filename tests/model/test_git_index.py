"""An index is read as Git reads it, and what no honest one holds is found, whatever its bytes."""

import os
import subprocess
import time
import tracemalloc
from pathlib import Path
from struct import pack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jailoc.model import git_index
from jailoc.model.git_index import MOST_TOLD, SHA1, SHA256, Index, NotAnIndex, odd, read
from jailoc.model.git_state import of_merge, recorded
from jailoc.model.repository import fold

NOTHING = Index(odd=(), total=0, skipped=0, unchanged=0, shared=None)


def entry(name: bytes, version: int = 2, before: bytes = b"", width: int = SHA1,
          mode: int = 0o100644, flags: int = 0, more: int = 0) -> bytes:  # fmt: skip
    """Write an entry as Git does; version 4 after another one."""
    found = pack(">10I", *(0,) * 6, mode, 0, 0, 0) + b"\1" * width
    found += pack(">H", flags | min(len(name), 0xFFF))
    found += pack(">H", more) if flags & 0x4000 else b""
    if version != 4:
        found += name
        return found + b"\0" * (8 - len(found) % 8)
    common = next(each for each in range(len(before), -1, -1) if name.startswith(before[:each]))
    return found + number(len(before) - common) + name[common:] + b"\0"


def number(value: int) -> bytes:
    """Write a number of variable width (varint.c)."""
    found = [value & 0x7F]
    while value := value >> 7:
        value -= 1
        found.insert(0, 0x80 | value & 0x7F)
    return bytes(found)


def index(*names: bytes, version: int = 2, width: int = SHA1, extensions: bytes = b"") -> bytes:
    found, before = b"DIRC" + pack(">II", version, len(names)), b""
    for name in names:
        found += entry(name, version, before, width)
        before = name
    return found + extensions + b"\2" * width


def extension(name: bytes, text: bytes) -> bytes:
    return name + pack(">I", len(text)) + text


HONEST = (b".gitignore", b".gitmodules", b"a.git/x", b"a/.git1/x", b"a/...", b"a/git~10/x", b"a b",
          b".github/x", b"x\\y", "\N{LEFT DOUBLE QUOTATION MARK}".encode(), b"\xff/\xfe", b"c:/x",
          b"a/" + b"y" * 200)  # fmt: skip
ODD = (b"/etc/x", b"//x", b"../x", b"a/../x", b"a/..", b"..", b".", b"./x", b"a/./x", b"a//x",
       b"a/", b".git", b".git/config", b"a/.GIT/x", b".git./x", b".git . /x", b".git:x/y",
       b"GIT~1/x",
       b"a\\.git\\x", b".g\xe2\x80\x8cit/x", b"\xef\xbb\xbf.git/x", b"")  # fmt: skip


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("width", [SHA1, SHA256])
def test_what_no_honest_index_has_is_found_among_what_they_have(version: int, width: int) -> None:
    assert read(index(*HONEST, version=version, width=width), width) == NOTHING
    for name in ODD:
        found = read(index(*HONEST[:5], name, *HONEST[5:], version=version, width=width), width)
        assert (found.odd, found.total) == ((name,), 1), name


@given(
    st.lists(st.binary(max_size=6).map(lambda each: each.replace(b"\0", b"")), max_size=5),
    st.lists(st.sampled_from((*HONEST, *ODD)), max_size=5),
    st.sampled_from([2, 3, 4]),
)
def test_the_quick_search_finds_what_the_rule_says(
    some: list[bytes], others: list[bytes], version: int
) -> None:
    names = [*some, *others]
    expected = {each for each in names if odd(each)}
    found = read(index(*names, version=version))
    assert ({*found.odd}, found.total) == (expected, len(expected))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from([2, 3, 4]), st.sampled_from([SHA1, SHA256]))
def test_whatever_the_bytes_there_is_an_answer(
    data: st.DataObject, version: int, width: int
) -> None:
    names = data.draw(st.lists(st.sampled_from((*HONEST, *ODD)), max_size=4))
    table = extension(b"IEOT", pack(">III", 1, 12, len(names)))
    whole = bytearray(index(*names, version=version, width=width, extensions=table))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.sampled_from([0, 1, 0x2F, 0x2E, 0x40, 0x7F, 0x80, 0xFF]))
    torn = bytes(whole)[: data.draw(st.integers(0, len(whole)))]
    try:
        found = read(torn, width)
    except NotAnIndex:
        return
    assert found.total >= len(found.odd)


@given(st.binary(max_size=200))
def test_any_bytes_behind_the_header_have_an_answer(text: bytes) -> None:
    for version in (2, 3, 4):
        for count in (1, 3, 0xFFFFFFFF):
            try:
                read(b"DIRC" + pack(">II", version, count) + text)
            except NotAnIndex:
                continue


def test_a_path_that_ends_where_git_goes_on_is_refused() -> None:
    with pytest.raises(NotAnIndex):
        read(index(b"ab").replace(b"\0\2ab\0", b"\0\1ab\0"))


def test_entries_that_git_would_read_with_threads_are_the_same() -> None:
    one, two = entry(b"a", 4), entry(b"a/etc/x", 4, b"a")
    end = 12 + len(one) + len(two)
    names = (b"a", b"a/etc/x")
    table = extension(b"IEOT", pack(">IIIII", 1, 12, 1, 12 + len(one), 1))
    # The second block would begin with `/etc/x`: what stands before it does not count there.
    with pytest.raises(NotAnIndex, match="other ones"):
        read(index(*names, version=4, extensions=table))
    honest = extension(b"IEOT", pack(">III", 1, 12, 2))
    closing = extension(b"EOIE", pack(">I", end) + b"\3" * SHA1)
    assert read(index(*names, version=4, extensions=honest + closing)) == NOTHING
    elsewhere = extension(b"EOIE", pack(">I", end + 8) + b"\3" * SHA1)
    with pytest.raises(NotAnIndex, match="ends"):
        read(index(*names, version=4, extensions=honest + elsewhere))
    hidden = extension(b"xxxx", b"y" * 8 + elsewhere)
    with pytest.raises(NotAnIndex, match="differ"):
        read(index(*names, version=4, extensions=honest + hidden))


def test_a_split_index_may_have_entries_without_a_path_and_names_its_other_part() -> None:
    link = extension(b"link", b"\xab" * SHA1)
    assert read(index(b"", b"a", extensions=link)) == NOTHING._replace(
        shared="sharedindex." + "ab" * SHA1
    )
    assert read(index(b"a", extensions=extension(b"link", b"\0" * SHA1))) == NOTHING
    assert read(index(b"", b"a")).odd == (b"",)


def test_what_hides_is_counted_but_for_directories_that_are_not_there() -> None:
    text = b"".join((
        entry(b"a", flags=0x4000, more=0x4000),
        entry(b"b/", mode=0o40000, flags=0x4000, more=0x4000),
        entry(b"c", flags=0x8000), entry(b"d", flags=0x4000, more=0x2000),
    ))  # fmt: skip
    found = read(b"DIRC" + pack(">II", 3, 4) + text + b"\0" * SHA1)
    assert found == NOTHING._replace(skipped=1, unchanged=1)


def test_many_odd_paths_are_counted() -> None:
    found = read(index(*(b"../%d" % each for each in range(100))))
    assert (len(found.odd), found.total) == (MOST_TOLD, 100)


def test_paths_that_multiply_are_bounded() -> None:
    data, before = [], b""
    for _ in range(4000):
        data.append(entry(before + b"xy", 4, before))
        before = before + b"xy" if len(before) < 4000 else b""
    text = b"DIRC" + pack(">II", 4, len(data)) + b"".join(data) + b"\0" * SHA1
    tracemalloc.start()
    with pytest.raises(NotAnIndex, match="longer"):
        read(text)
    assert tracemalloc.get_traced_memory()[1] < git_index.MOST_TIMES * len(text) * 3
    tracemalloc.stop()


def run(place: Path, *arguments: str, text: str = "") -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", *arguments], cwd=place, env=environment, input=text, text=True,
                          capture_output=True, check=True).stdout  # fmt: skip


@pytest.mark.parametrize("hashed", ["sha1", "sha256"])
def test_indexes_of_git_itself_are_honest_in_every_version(tmp_path: Path, hashed: str) -> None:
    width = SHA1 if hashed == "sha1" else SHA256
    run(tmp_path, "init", "-q", f"--object-format={hashed}")
    word = run(tmp_path, "hash-object", "-w", "--stdin", text="x").strip()
    # So many that Git writes the table for its threads.
    lines = "".join(f"100644 {word}\td{each // 100}/f{each}.py\n" for each in range(25_000))
    run(tmp_path, "update-index", "--index-info", text=lines)
    for version in ("2", "4"):
        run(tmp_path, "-c", "index.threads=2", "update-index", "--index-version", version,
            "--force-write-index")  # fmt: skip
        data = (tmp_path / ".git/index").read_bytes()
        assert data[7] == int(version)
        started = time.process_time()
        assert read(data, width) == NOTHING
        assert time.process_time() - started < 1
    assert b"IEOT" in data
    assert b"EOIE" in data
    run(tmp_path, "update-index", "--skip-worktree", "d0/f0.py")
    run(tmp_path, "update-index", "--assume-unchanged", "d0/f1.py")
    run(tmp_path, "update-index", "--index-version", "3")
    data = (tmp_path / ".git/index").read_bytes()
    assert (data[7], read(data, width)) == (3, NOTHING._replace(skipped=1, unchanged=1))


def test_paths_of_a_merge_are_judged_the_same() -> None:
    data = b"a" * 40 + b"\ta.py\0" + b"b" * 40 + b".1\t/etc/x\0" + b"c\t../y\0junk\0"
    records = (*recorded(data),)
    assert records == (b"a.py", b"/etc/x", b"../y")
    (found,) = of_merge("/p/.git/MERGE_RR", records, ())
    assert "`/etc/x`, `../y`" in found.reason
    assert of_merge("/p", records[:1], ()) == []
    assert len(of_merge("/p", records[:1], records[:1])) == 1


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_submodules_are_told_by_their_paths(tmp_path: Path, version: str) -> None:
    run(tmp_path, "init", "-q")
    word = run(tmp_path, "hash-object", "-w", "--stdin", text="x").strip()
    lines = (
        f"100644 {word}\tfile\n160000 {word}\tlib/one\n160000 {word}\tlib/two\n120000 {word}\tz\n"
    )
    run(tmp_path, "update-index", "--index-info", text=lines)
    run(tmp_path, "update-index", "--index-version", version, "--force-write-index")
    data = (tmp_path / ".git/index").read_bytes()
    assert read(data).submodules == (b"lib/one", b"lib/two")


def test_a_submodule_whose_path_is_not_known_is_one_all_the_same(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    word = run(tmp_path, "hash-object", "-w", "--stdin", text="x").strip()
    run(tmp_path, "update-index", "--index-info", text=f"100644 {word}\tcc\n100644 {word}\tdd\n")
    run(tmp_path, "update-index", "--split-index")
    run(tmp_path, "update-index", "--index-info", text=f"160000 {word}\tcc\n")
    assert read((tmp_path / ".git/index").read_bytes()).submodules == (b"",)
    # Git looks at the kind alone (S_IFMT), whatever else a mode says.
    run(tmp_path, "update-index", "--no-split-index")
    data = bytearray((tmp_path / ".git/index").read_bytes())
    assert (data[12 + 26], data[12 + 27]) == (0xE0, 0)
    data[12 + 26], data[12 + 27] = 0xE1, 0xED
    assert read(bytes(data)).submodules == (b"cc",)


def test_more_submodules_than_are_kept_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_index, "MOST_INNER", 2)
    every = b"".join(entry(each, mode=0o160000) for each in (b"a", b"b", b"c", b"d"))
    data = b"DIRC" + pack(">II", 2, 4) + every
    assert read(data + b"\1" * SHA1).submodules == (b"a", b"b", b"")


def test_whatever_a_file_system_passes_over_in_a_name_is_passed_over() -> None:
    ignored = {each for each in range(0x80, 0x110000) if _passed_over(chr(each))}
    assert {0xAD, 0x200C, 0xFE0F, 0xFEFF, 0xE0FFF} < ignored
    for each in sorted({near for one in ignored for near in (one - 1, one, one + 1)}):
        assert odd(f"a/.g{chr(each)}it/config".encode()) is (each in ignored), hex(each)


def _passed_over(sign: str) -> bool:
    return not 0xD800 <= ord(sign) < 0xE000 and fold(f".g{sign}it") == ".git"
