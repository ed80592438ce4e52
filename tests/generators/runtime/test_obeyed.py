"""What of a change is told before anybody checks it out."""

import subprocess
import time
import tracemalloc
from pathlib import Path

import pytest

from jailoc.generators.runtime.obeyed import (
    REPOSITORY,
    Changed,
    Committed,
    Obeyed,
    changes,
    chosen,
    obeyed,
    on_the_way,
)
from jailoc.model.protected_names import DEFAULT

PLAIN, LINK = "100644", "120000"


def told(*paths: str, tree: tuple[str, ...] = (), protect: tuple[str, ...] = ()) -> list[str]:
    changed = [Changed(each, PLAIN, "1" * 40) for each in paths]
    return [each.path for each in obeyed(changed, Committed((*tree, *paths), {}), protect)]


@pytest.mark.parametrize(
    "path",
    [".husky/post-checkout", "sub/.husky/x", ".gitattributes", "deep/down/.gitattributes",
     ".gitmodules", ".lfsconfig", ".vscode/tasks.json", ".envrc", "a/.ENVRC", ".Husky/x",
     ".pre-commit-config.yaml", "lefthook.yml", ".devcontainer/x", "\u200c.gitmodules"],
)  # fmt: skip
def test_what_the_host_executes_or_git_obeys_is_told(path: str) -> None:
    assert told(path) == [path]


@pytest.mark.parametrize("path", ["src/main.py", "husky/x", "README.md", "x.envrc.txt"])
def test_the_rest_is_not(path: str) -> None:
    assert told(path) == []


def test_the_configured_list_counts_beside_the_built_in_one() -> None:
    assert told("Makefile", ".envrc", "a/Makefile", protect=("Makefile",)) == [".envrc", "Makefile"]
    assert told("a/Makefile", protect=("**/Makefile",)) == ["a/Makefile"]


@pytest.mark.parametrize(
    ("path", "target", "why"),
    [("l", "/etc/passwd", "out of the tree"), ("a/l", "../../x", "out of the tree"),
     ("l", ".git/hooks", "out of the tree"), ("a/l", "../.GIT/config", "out of the tree"),
     ("l", None, "nobody knows"), ("a/l", "../b", None), ("l", "a/../b", None),
     ("l", "./a//../a/b", None), ("l", "d/../b", "no directory of the tree"),
     ("l", "d/d/../../../home/me/.bashrc", "no directory of the tree"),
     ("l", "a/../../x", "out of the tree"), ("l", "d/x", None)],
)  # fmt: skip
def test_links_out_of_the_tree_are_told(path: str, target: str | None, why: str | None) -> None:
    """`d` is a link to `.`, or becomes one: only from a directory does `..` lead where it says."""
    tree = (path, "d", "a", "a/b")
    found = obeyed([Changed(path, LINK, "2" * 40)], Committed(tree, {"2" * 40: target}), ())
    assert [why is not None and why in each.why for each in found] == ([True] if why else [])


@pytest.mark.parametrize(
    ("changed", "why"),
    [("tools/husky/pre-commit", "the host may execute it (.husky), as .husky/pre-commit, by"),
     ("env/dev", "the host may execute it (.envrc), as .envrc, by"),
     ("deep/er/ide/tasks.json", "the host may execute it (.vscode), as .vscode/tasks.json, by"),
     ("Tools/husky/x", "the host may execute it (.husky), as .husky/x, by"),
     ("tools/other", None), ("env/dev2", None)],
)  # fmt: skip
def test_what_a_link_calls_by_such_a_name_is_told(changed: str, why: str | None) -> None:
    leads = {".husky": "./tools/husky", ".envrc": "env/dev", ".vscode": "ide", "ide": "deep/up/ide",
             "deep/up": "../deep/er", "loop": "loop", "out": "../..", "whole": "/"}  # fmt: skip
    links = [Changed(path, LINK, f"{path:0<40}") for path in leads]
    there = Committed((*leads, changed), {each.object: leads[each.path] for each in links}, links)
    found = obeyed([Changed(changed, PLAIN, "1" * 40)], there, ())
    assert [each.why.partition(" a symbolic")[0] for each in found] == ([why] if why else [])


def test_links_that_call_each_other_by_longer_names_are_bounded() -> None:
    links = [Changed(f"a/{'b/' * 1000}x", LINK, "2" * 40)]
    there = Committed((), {"2" * 40: "../" * 1000}, links)
    started = time.monotonic()
    assert obeyed([Changed("a/f", PLAIN, "1" * 40)], there, ()) == ()
    assert time.monotonic() - started < 5, "it takes minutes where names may have any length"


def test_another_commit_of_a_submodule_is_told() -> None:
    found = obeyed([Changed("lib", "160000", "2" * 40)], Committed(("lib",), {}), ())
    assert [(each.path, each.why.partition(":")[0]) for each in found] == [("lib", "Git obeys it")]


def test_very_many_links_are_bounded_and_told() -> None:
    links = [Changed(f"l{each}", LINK, "2" * 40) for each in range(2000)]
    changed = [Changed(f"d/{each}", PLAIN, "1" * 40) for each in range(5000)]
    found = obeyed(changed, Committed((), {"2" * 40: "d"}, links), ())
    assert [each.why for each in found] == ["a symbolic link leads to it, and no more are followed"]


def test_names_that_a_file_system_takes_for_one_are_told() -> None:
    assert told("readme", tree=("README", "other")) == ["readme"]
    assert told("A/x", tree=("A", "a", "a/y")) == ["a"]
    assert told("e\u0301", tree=("\u00e9",)) == ["\u00e9"]
    # Those that were there before are nobody's news.
    assert told("new", tree=("README", "readme")) == []


def test_a_directory_that_git_takes_for_a_repository_is_told() -> None:
    bare = ("docs", "docs/e", "docs/e/HEAD", "docs/e/config", "docs/e/objects",
            "docs/e/objects/.keep", "docs/e/refs", "docs/e/refs/.keep")  # fmt: skip
    assert told("docs/e/config", tree=bare) == ["docs/e"]
    assert told("x/commondir", tree=("x", "x/Head")) == ["x"]
    # Control: without one of them it is none; nor is one that was there before news.
    assert told("docs/e/config", tree=tuple(each for each in bare if each != "docs/e/HEAD")) == []
    assert told("other", tree=bare) == []
    # At the top Git finds the repository that it is in.
    assert told("HEAD", "objects/x", "refs/x", tree=("objects", "refs")) == []


def test_a_directory_that_is_told_is_one_that_git_goes_by(tmp_path: Path) -> None:
    for each in ("objects", "refs"):
        (tmp_path / "e" / each).mkdir(parents=True)
    (tmp_path / "e/HEAD").write_text("ref: refs/heads/main\n")
    settings = ("repositoryformatversion = 0", "bare = false", "worktree = .",
                f'fsmonitor = "touch {tmp_path}/ran; false"')  # fmt: skip
    (tmp_path / "e/config").write_text("[core]\n" + "".join(f"{each}\n" for each in settings))
    subprocess.run(["git", "-C", tmp_path / "e", "status"], capture_output=True, check=False)
    assert (tmp_path / "ran").exists()


def test_no_crowd_of_one_kind_hides_another() -> None:
    crowd = [f"many/d{number:03}/.gitattributes" for number in range(300)]
    paths = (*crowd, "zzz/.envrc", "zzz/.husky/x", "zzz/.husky/y")
    found = obeyed([Changed(each, PLAIN, "1" * 40) for each in paths], Committed(paths, {}), ())
    shown, rest = chosen(found, 50)
    assert [each.path for each in shown[:3]] == ["zzz/.envrc", "zzz/.husky/x", "zzz/.husky/y"]
    assert [each.path for each in shown[3:]] == crowd[:47]
    assert rest == (("Git obeys it", 253),)
    assert chosen(found, 1000) == (tuple(shown[:3]) + found[:300], ())
    assert chosen((), 50) == ((), ())


def test_many_kinds_of_one_rank_hide_no_graver_or_other_one() -> None:
    """A file for each name that the host executes, beside a repository and a link."""
    names = [each for each in DEFAULT if not each.endswith("/")]
    assert len(names) > 100
    found = (
        *(Obeyed(each, f"the host may execute it ({each})") for each in names),
        Obeyed("z", f"{REPOSITORY}, and executes what its configuration says"),
        Obeyed("y", "a symbolic link out of the tree, to /etc/passwd"),
        Obeyed("x", "some file systems take it for X"),
    )
    shown, rest = chosen(found, 50)
    assert {"x", "y", "z"} <= {each.path for each in shown}
    assert len(shown) == 50
    assert rest == (("the host may execute it", len(names) - 47),)


def test_what_is_kept_of_deep_paths_grows_with_their_length_alone() -> None:
    folder = "/".join(f"directory-{number}" for number in range(80))
    paths = [f"{folder}/{number}" for number in range(2000)]
    changed = [Changed(each, PLAIN, "1" * 40) for each in paths]
    tracemalloc.start()
    try:
        assert obeyed(changed, Committed(paths, {}), ()) == ()
        assert tracemalloc.get_traced_memory()[1] < 8 * sum(map(len, paths))
    finally:
        tracemalloc.stop()


def test_an_answer_of_git_is_read_whole() -> None:
    zero, one = "0" * 40, "1" * 40
    text = f":000000 100644 {zero} {one} A\0a b\n\0:100644 000000 {one} {zero} D\0gone\0"
    assert changes(text.encode()) == (
        Changed("a b\n", PLAIN, one), Changed("gone", "000000", zero)
    )  # fmt: skip
    assert changes(b"") == ()
    for broken in (b"x", b"x\0y\0", text.encode()[:-1], b":1 2 3 4 5\0"):
        with pytest.raises(ValueError):  # noqa: PT011 -- whatever is wrong with it
            changes(broken)


TO_LIB = Changed("tools", LINK, "2" * 40)
STEPS: dict[str, tuple[list[str | Changed], list[str | Changed], str]] = {
    "a link of a commit before": (["lib/hooks/x", TO_LIB], [], "lib/hooks/x"),
    "a link that was there, and goes": (["lib/hooks/x"], [TO_LIB], "lib/hooks/x"),
    "a link to what was there": ([TO_LIB], ["lib/hooks/x"], "lib/hooks/x"),
    "a repository": (["r/HEAD", "r/objects/a", "r/refs/b"], [], "r"),
    "one that is there but for a file": (["r/HEAD"], ["r/objects", "r/refs"], "r"),
}


@pytest.mark.parametrize("step", STEPS)
def test_what_is_reached_by_links_and_parts_of_several_commits_is_told(step: str) -> None:
    def changed(every: list[str | Changed]) -> list[Changed]:
        return [each if isinstance(each, Changed) else Changed(each, PLAIN, "1" * 40)
                for each in every]  # fmt: skip

    passing, before, path = STEPS[step]
    there = Committed(("y",), {"2" * 40: "lib"})
    found = on_the_way(changed(passing), there, changed(before), ("tools/hooks",), ())
    assert path in {each.path for each in found}
    assert all(each.why.endswith("in a commit before the last") for each in found)
    for left_out in range(len(passing)):
        fewer = changed(passing)
        fewer.pop(left_out)
        assert path not in {
            each.path for each in on_the_way(fewer, there, changed(before), ("tools/hooks",), ())
        }


def test_a_new_link_to_what_was_there_is_told_and_an_old_one_is_not() -> None:
    def called(changed: list[Changed]) -> set[str]:
        links = [Changed("tools", LINK, "2" * 40), Changed("far", LINK, "3" * 40)]
        there = Committed(
            ("near/hooks/x", "near/.gitattributes", "lib", "y"),
            {"2" * 40: "far", "3" * 40: "near"},
            links,
        )
        return {each.path for each in obeyed(changed, there, ("tools/hooks",))}

    assert called([Changed("y", PLAIN, "1" * 40)]) == set()
    for new in (Changed("tools", LINK, "2" * 40), Changed("far", LINK, "3" * 40)):
        assert called([new]) == {"near/hooks/x"}


def test_no_crowd_of_links_hides_that_there_are_more() -> None:
    links = [Changed(f"l{each:03}", LINK, "2" * 40) for each in range(200)]
    links.append(Changed("tools", LINK, "2" * 40))
    changed = [Changed("d/hooks/x", PLAIN, "1" * 40), Changed("e", PLAIN, "1" * 40)]
    (found,) = obeyed(changed, Committed((), {"2" * 40: "d"}, links), ("tools/hooks",))
    assert found == Obeyed("d/hooks/x", "a symbolic link leads to it, and no more are followed")


@pytest.mark.parametrize(
    ("links", "path"),
    [
        ({".cargo": "."}, "config.toml"),
        ({"a/.cargo": ".."}, "config.toml"),
        ({"a/.cargo": "./"}, "a/config.toml"),
        ({".cargo": "b", "b": "."}, "config.toml"),
        ({"b": ".", "c": "b/.", ".cargo": "c"}, "config.toml"),
    ],
)
def test_a_link_to_the_top_or_to_where_it_lies_is_followed(
    links: dict[str, str], path: str
) -> None:
    targets = {f"{number:040}": target for number, target in enumerate(links.values())}
    every = [Changed(link, LINK, name) for link, name in zip(links, targets, strict=True)]
    changed = [Changed(path, PLAIN, "1" * 40), *every]
    found = obeyed(changed, Committed((path, *links), targets, every), ())
    assert path in {each.path for each in found if "as " in each.why}
    self = [Changed("self", LINK, "0" * 40)]
    there = Committed((path, "self"), {"0" * 40: "."}, self)
    assert obeyed([Changed("y", PLAIN, "1" * 40), *self], there, ()) == ()


@pytest.mark.parametrize(
    ("before", "target"),
    [
        ({"up": "../.."}, "up/.bashrc"),
        ({"up": "/home"}, "UP"),
        ({"up": None}, "up/x"),
        ({"d/up": "../..", "there": "d"}, "there/up/x"),
        ({"up": "..", "b": "up", "c": "b/x"}, "c/y"),
        ({"git": ".git"}, "git/hooks"),
    ],
)
def test_a_link_by_way_of_one_that_leads_out_is_told(
    before: dict[str, str | None], target: str
) -> None:
    def links_of(change: tuple[str, ...]) -> set[str]:
        leads = {**before, "notes": target, "further": "notes", "d/other": "x"}
        targets = {f"{number:040}": each for number, each in enumerate(leads.values())}
        every = [Changed(link, LINK, name) for link, name in zip(leads, targets, strict=True)]
        there = Committed((*leads, "d", "d/x"), targets, every)
        changed = [each for each in every if each.path in change]
        found = obeyed(changed or [Changed("y", PLAIN, "1" * 40)], there, ())
        return {each.path for each in found if "out of the tree by way of" in each.why}

    assert links_of(("notes", "d/other")) == {"notes"}
    assert links_of(("further",)) == {"further"}
    assert links_of(("d/other",)) == links_of(()) == set()


def test_no_crowd_of_links_hides_that_others_lead_out() -> None:
    links = [Changed(f"l{each:03}", LINK, "2" * 40) for each in range(200)]
    links += [Changed("d/up", LINK, "3" * 40), Changed("new", LINK, "4" * 40)]
    targets = {"2" * 40: "d", "3" * 40: "../..", "4" * 40: "l199/up/x"}
    found = obeyed(links[-1:], Committed(("d", "d/up"), targets, links), ())
    assert Obeyed(
        "d/up", "a symbolic link that others may lead by, and no more are followed"
    ) in found  # fmt: skip


def test_what_is_a_link_in_one_of_several_commits_is_a_directory_in_none() -> None:
    steps = [
        Changed("d", LINK, "2" * 40),
        Changed("l", LINK, "3" * 40),
        Changed("d/f", PLAIN, "1" * 40),
    ]
    targets = {"2" * 40: "x/y", "3" * 40: "d/../cfg"}
    found = on_the_way(steps, Committed(("d", "d/f"), targets), (), (), ())
    assert "l" in {each.path for each in found}
    assert "l" not in {
        each.path for each in on_the_way(steps[1:], Committed(("d", "d/f"), targets), (), (), ())
    }
    old = Committed(("d", "l"), targets, [steps[0], steps[1]])
    assert "l" in {each.path for each in obeyed([steps[0]], old, ())}
    assert obeyed([Changed("y", PLAIN, "1" * 40)], old, ()) == ()
