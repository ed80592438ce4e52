"""What an agent writes into Git's own files, so that the user's Git reads and writes elsewhere."""

import hashlib
import struct
import subprocess
import time
from pathlib import Path

import pytest

from jailoc.bin.config import git_believed, repositories
from jailoc.generators.config.mentioned import Search
from jailoc.model import git_index

WHO = ("-c", "user.name=a", "-c", "user.email=a@example.com")
KEPT = "the key"
CONFLICT = "a" * 40


def git(place: Path, *words: str) -> bytes:
    return subprocess.run(["git", "-C", place, *WHO, *words], capture_output=True,
                          check=True).stdout  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a repository with files in directories, beside a file that is none of its."""
    (tmp_path / "key").write_text(KEPT)
    place = tmp_path / "p"
    git(tmp_path, "init", "--quiet", "p")
    for number in range(300):
        file = place / f"a{number % 7}/.github/file{number}.gitignore"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n")
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "x")
    return place


def away(project: Path) -> dict[str, str]:
    search = Search(root=str(project), names=(), git=True)
    found = repositories.gather([search], "/nowhere", "/nowhere/.config").trees[str(project)]
    return {each.removeprefix(f"{project}/.git/"): why for each, why in found.away.items()}


TABLES = ("-c", "index.threads=4", "-c", "index.recordEndOfIndexEntries=true",
          "-c", "index.recordOffsetTable=true")  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [("--index-version", "2"), ("--index-version", "4"), ("--split-index",), ("--untracked-cache",),
     ("--add", "--intent-to-add")],
)  # fmt: skip
@pytest.mark.parametrize("tables", [(), TABLES])
def test_an_index_is_read_as_git_reads_it(
    project: Path, options: tuple[str, ...], tables: tuple[str, ...]
) -> None:
    if "--intent-to-add" in options:
        (project / "new").write_text("x")
        git(project, *tables, "add", "--intent-to-add", "new")
    else:
        git(project, *tables, "update-index", *options, "--force-write-index")
    listed = set(git(project, "ls-files", "-z").split(b"\0")) - {b""}
    found = git_index.read((project / ".git/index").read_bytes(), 20)
    read = {*found.paths} - {b""}
    if found.shared:
        shared = (project / ".git" / f"sharedindex.{found.shared}").read_bytes()
        read |= {*git_index.read(shared, 20).paths}
    assert bool(found.shared) == ("--split-index" in options)
    assert read == listed
    assert away(project) == {}


def test_one_of_the_other_digest_is_read_too(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "p")
    (tmp_path / "p/file").write_text("x")
    git(tmp_path / "p", "add", "file")
    assert away(tmp_path / "p") == {}
    assert git_index.read((tmp_path / "p/.git/index").read_bytes(), 32).paths == [b"file"]


def planted(project: Path, *names: str) -> None:
    """Write an index that names more than Git would take, as its format says."""
    file = project / ".git/evil"
    file.write_text("evil")
    blob = git(project, "hash-object", "-w", "--no-filters", str(file)).decode().strip()
    entries = b""
    for name in sorted(each.encode() for each in names):
        head = struct.pack(">10I", *(0,) * 6, 0o100644, 0, 0, 0) + bytes.fromhex(blob)
        entry = head + struct.pack(">H", len(name)) + name
        entries += entry + b"\0" * (8 - len(entry) % 8)
    data = b"DIRC" + struct.pack(">II", 2, len(names)) + entries
    (project / ".git/index").write_bytes(data + hashlib.sha1(data, usedforsecurity=False).digest())


@pytest.mark.parametrize("name", ["../key", "{top}/key", ".git/hooks/post-checkout", "a/.GIT/x"])
def test_an_index_that_leads_out_of_the_working_tree_is_told(project: Path, name: str) -> None:
    name = name.format(top=project.parent)
    assert away(project) == {}
    planted(project, "file", name)
    # Control: the user's own Git does as the index says.
    subprocess.run(["git", "-C", project, "checkout", "."], capture_output=True, check=False)
    assert (project / name).read_text() == "evil"
    (told,) = away(project).items()
    assert told == ("index", f"it names `{name}`, which Git reads and writes as it is told")


def test_so_is_one_of_a_linked_working_tree_or_a_submodule(project: Path) -> None:
    for each in (".git/worktrees/w", ".git/modules/m"):
        git(project, "init", "--quiet", "--bare", each)
        planted(project, "../x")
        (project / ".git/index").rename(project / each / "index")
    git(project, "reset", "--quiet")
    assert {*away(project)} == {"worktrees/w/index", "modules/m/index"}


@pytest.mark.parametrize(
    "name", [b"a/../b", b"./a", b"a//b", b"..", b"git~1/x", "a/.g\u200cit".encode(), b".git. /x"]
)
def test_names_that_some_file_system_takes_for_others_are_told(name: bytes) -> None:
    assert git_index.odd([b"a/b", b"z", name, b"c"]) == name
    assert (
        git_index.odd([b"..a/b..", b".github/x", b"legit", b"a/.gitignore", b"dir/", b""]) is None
    )


def test_a_table_that_lets_git_begin_elsewhere_is_told(project: Path) -> None:
    git(project, *TABLES, "update-index", "--index-version", "4", "--force-write-index")
    file = project / ".git/index"
    data = file.read_bytes()
    assert git_index.read(data, 20).paths
    for word, at in ((b"IEOT", 12), (b"IEOT", 16), (b"EOIE", 8)):
        place = data.rindex(word) + at
        (number,) = struct.unpack_from(">I", data, place)
        file.write_bytes(data[:place] + struct.pack(">I", number + 1) + data[place + 4 :])
        assert (
            "is not read as Git reads it (a table that leads elsewhere)" in away(project)["index"]
        )


@pytest.mark.parametrize("cut", [0, 3, 40, 90, 2000])
def test_one_that_is_cut_off_is_told(project: Path, cut: int) -> None:
    file = project / ".git/index"
    file.write_bytes(file.read_bytes()[:cut])
    assert "nobody knows what it names" in away(project)["index"]


def conflict(project: Path, path: str) -> None:
    (project / ".git/rr-cache" / CONFLICT).mkdir(parents=True)
    (project / ".git/rr-cache" / CONFLICT / "preimage").write_text("x")
    (project / ".git/MERGE_RR").write_text(f"{CONFLICT}\t{path}\0")


@pytest.mark.parametrize("path", ["../key", "{top}/key", "link"])
def test_a_list_of_conflicts_that_leads_out_is_told(project: Path, path: str) -> None:
    path = path.format(top=project.parent)
    (project / "link").symlink_to("../key")
    conflict(project, path)
    (told,) = away(project).items()
    assert told == ("MERGE_RR", f"it names `{path}`, which Git copies to where the agent reads it")
    # Control: a commit of the user's copies what it names.
    git(project, "commit", "--quiet", "--allow-empty", "--message", "mine")
    assert (project / ".git/rr-cache" / CONFLICT / "postimage").read_text() == KEPT


def test_an_honest_one_is_none(project: Path) -> None:
    conflict(project, "a0/.github/file0.gitignore")
    assert away(project) == {}


def test_the_other_part_of_a_split_index_is_looked_at(project: Path) -> None:
    git(project, "update-index", "--split-index", "--force-write-index")
    (part,) = (project / ".git").glob("sharedindex.*")
    planted(project, "../key")
    (project / ".git/index").rename(part)
    # An index that has it for the other part, and nothing of its own.
    name = bytes.fromhex(part.name.partition(".")[2])
    data = b"DIRC" + struct.pack(">II", 2, 0) + b"link" + struct.pack(">I", 20) + name
    (project / ".git/index").write_bytes(data + hashlib.sha1(data, usedforsecurity=False).digest())
    assert {*away(project)} == {part.name}


def test_the_look_is_bounded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(git_believed, "MOST_INDEX", 100)
        assert "nobody knows which files Git writes by it" in away(project)["index"]
    git(project, "update-index", "--index-version", "4", "--force-write-index")
    assert away(project) == {}
    monkeypatch.setattr(git_index, "MOST_NAMES", 100)
    assert "too many names" in away(project)["index"]


def test_names_as_long_as_a_file_are_looked_at_in_no_time() -> None:
    started = time.monotonic()
    assert git_index.odd([b"g" * 1_000_000, b"\xc3\xa4" * 500_000]) is None
    assert git_index.odd([b".git" + b"." * (number % 900) for number in range(100_000)]) is not None
    assert time.monotonic() - started < 20
