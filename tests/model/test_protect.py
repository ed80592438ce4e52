"""What the host executes is covered where it is, and its parents are held in place."""

from collections.abc import Iterable

import pytest

from jailoc.model.host import FileKind, Host, Tree
from jailoc.model.mount import Mode
from jailoc.model.protect import covers, protection
from jailoc.model.protect_entry import EVERYWHERE, candidates, steps
from jailoc.model.protected_names import DEFAULT
from jailoc.model.seen_root import Root

GIT = {
    "/p": FileKind.DIRECTORY,
    "/p/.git": FileKind.DIRECTORY,
    "/p/.git/hooks": FileKind.DIRECTORY,
    "/p/.git/config": FileKind.FILE,
}


def covered(entries: list[str], kinds: dict[str, FileKind], **links: str) -> list[tuple[str, Mode]]:
    host = Host(home="/home/alice", kinds=kinds, links=links)
    found, _ = covers("/p", [(entry, "x") for entry in entries], host)
    return [(each.path, each.mode) for each in found]


def test_what_there_is_becomes_read_only_and_its_parents_mounts_of_themselves() -> None:
    assert covered([".git/hooks", ".git/config"], GIT) == [
        ("/p/.git", Mode.READ_WRITE),
        ("/p/.git/config", Mode.READ_ONLY),
        ("/p/.git/hooks", Mode.READ_ONLY),
    ]


def test_what_is_missing_has_no_mount_and_neither_have_its_parents() -> None:
    assert covered([".git/modules", ".vscode"], GIT) == []


def test_a_whole_directory_beats_the_parent_that_it_is() -> None:
    for entries in ([".git", ".git/hooks"], [".git/hooks", ".git"]):
        assert dict(covered(entries, GIT))["/p/.git"] is Mode.READ_ONLY


def test_a_file_in_the_place_of_a_parent_is_covered_itself() -> None:
    assert covered([".git/hooks"], {"/p/.git": FileKind.FILE}) == [("/p/.git", Mode.READ_ONLY)]


def test_a_link_is_not_followed_but_told() -> None:
    host = Host(home="/h", kinds={"/p/.envrc": FileKind.FILE}, links={"/p/.envrc": "/h/.ssh/id"})
    found, exposed = covers("/p", [(".envrc", "x")], host)
    assert found == ()
    assert [(each.path, each.origin) for each in exposed] == [("/p/.envrc", "x")]


def test_a_link_to_the_whole_workspace_is_no_obstacle() -> None:
    host = Host(
        home="/h", kinds={"/p/.envrc": FileKind.FILE}, links={"/p": "/q", "/p/.envrc": "/q/.envrc"}
    )
    found, exposed = covers("/p", [(".envrc", "x")], host)
    assert [each.path for each in found] == ["/p/.envrc"]
    assert exposed == ()


def test_the_candidates_are_the_entry_and_what_lies_between() -> None:
    assert candidates("/p", "a/b/c") == ("/p/a", "/p/a/b", "/p/a/b/c")


def test_the_root_directory_has_candidates_like_any_other() -> None:
    assert candidates("/", ".git/hooks") == ("/.git", "/.git/hooks")


def test_what_can_be_no_entry_has_no_candidates() -> None:
    assert steps(("a/b", "**/a", "../x", "c//d", "./e", "f\0")) == ("a", "a/b")


def test_what_is_covered_knows_its_place_in_the_container() -> None:
    host = Host(home="/h", kinds={"/p/.git": FileKind.DIRECTORY, "/p/.git/config": FileKind.FILE})
    found, _ = covers("/p", [(".git/config", "x")], host, "/q")
    assert [each.target for each in found] == ["/q/.git", "/q/.git/config"]


def test_the_built_in_list_covers_what_the_documentation_names() -> None:
    assert {".git/hooks", ".git/config", ".envrc", ".vscode", ".husky",
            ".pre-commit-config.yaml"} <= set(DEFAULT)  # fmt: skip


def test_what_a_program_reads_beside_its_file_is_covered_with_it() -> None:
    assert {"lefthook-local.yml", ".lefthook-local.yml", ".config/lefthook-local.yml",
            "lefthook.yaml", "lefthook.toml", "lefthook.json", "mise.local.toml",
            ".mise.local.toml", ".config/mise", ".config/mise.toml", "mise.test.toml",
            ".tool-versions", "_vimrc", "_exrc", ".dir-locals-2.el", ".helix",
            ".aider.conf.yml", ".gemini", ".codex"} <= set(DEFAULT)  # fmt: skip
    host = Host(home="/h", kinds={"/p/lefthook-local.yml": FileKind.FILE})
    every = [(each, "x") for each in DEFAULT]
    (cover,) = covers("/p", every, host)[0]
    assert (cover.path, cover.mode) == ("/p/lefthook-local.yml", Mode.READ_ONLY)
    # Control: the main files alone leave it open.
    assert covers("/p", [("lefthook.yml", "x"), (".lefthook.yml", "x")], host)[0] == ()


@pytest.mark.parametrize(
    "name",
    [".hg/hgrc", ".hg/sharedpath", ".sl/config", ".jj/repo/config.toml", ".pijul/config",
     "_darcs/prefs"],
)  # fmt: skip
def test_what_other_programs_for_versions_obey_is_covered_at_every_level(name: str) -> None:
    path = f"/p/deep/{name}"
    host = Host(home="/h", trees={"/p": Tree(places={path: FileKind.FILE})})
    root = Root(path="/p", container="/p", writable=True, project=True)

    def shut(entries: Iterable[str]) -> set[str]:
        found = protection([root], [(each, "x") for each in entries], host)
        return {each.path for each in found.covers if each.mode is Mode.READ_ONLY}

    assert shut(EVERYWHERE) == {path}
    # Control: what is Git's alone leaves it open.
    assert shut(each for each in EVERYWHERE if each.startswith("**/.git/")) == set()
