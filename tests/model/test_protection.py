"""Repositories and other places are covered wherever they lie, and nothing in a cover is open."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.model.git_state import Believed
from jailoc.model.host import FileKind, Host, Named, Repository, Tree
from jailoc.model.mount import Mode
from jailoc.model.protect import Covers, protection
from jailoc.model.protected_names import DEFAULT
from jailoc.model.repository import MADE, fold
from jailoc.model.seen_root import Root

ENTRIES = tuple((f"**/{each}", "x") for each in DEFAULT)
ORDINARY = {"hooks": FileKind.DIRECTORY, "config": FileKind.FILE}


def repository(directory: str, **more: object) -> Repository:
    data: dict[str, object] = {"directory": directory, "kinds": ORDINARY} | more
    return Repository.model_validate(data)


def protected(tree: Tree, *others: Root, named: tuple[Named, ...] = ()) -> Covers:
    host = Host(home="/home/a", trees={"/p": tree}, named=named)
    root = Root(path="/p", container="/p", writable=True, project=True)
    return protection((root, *others), ENTRIES, host)


def shut(found: Covers) -> set[str]:
    return {each.target for each in found.covers if each.mode is Mode.READ_ONLY}


def held(found: Covers) -> set[str]:
    return {each.target for each in found.covers if each.mode is Mode.READ_WRITE}


def reference(path: str, kind: FileKind | None, **more: object) -> Named:
    data = {"key": "core.hookspath", "text": "t", "path": path, "real": path, "kind": kind,
            "sure": True}  # fmt: skip
    return Named.model_validate(data | more)


def test_a_repository_deep_below_is_covered_and_its_parents_are_held() -> None:
    found = protected(Tree(repositories=(repository("/p/a/b/.git", top="/p/a/b"),)))
    at = "/p/a/b/.git"
    assert shut(found) == {f"{at}/{name}" for name in MADE}
    assert held(found) == {"/p/a", "/p/a/b", at}
    assert {each.place for each in found.placeholders} == {f"{at}/{name}" for name in MADE}


def test_what_is_made_is_the_same_before_and_after() -> None:
    made = {name: FileKind.DIRECTORY if text is None else FileKind.FILE
            for name, text in MADE.items()}  # fmt: skip
    after = repository("/p/.git", kinds={**ORDINARY, **made})
    before = repository("/p/.git")
    one, two = (protected(Tree(repositories=(each,))) for each in (before, after))
    assert one == two


def test_nothing_is_made_where_nobody_can() -> None:
    found = protected(Tree(repositories=(repository("/p/.git", sealed=True),)))
    assert found.placeholders == ()
    assert shut(found) == {"/p/.git/hooks", "/p/.git/config"}


def test_modules_are_covered_one_by_one() -> None:
    found = protected(Tree(repositories=(repository("/p/.git/modules/a"),)))
    assert "/p/.git/modules" in held(found)
    assert "/p/.git/modules/a/config" in shut(found)


def test_other_letters_are_no_way_out() -> None:
    kinds = {"HOOKS": FileKind.DIRECTORY, "Info/Attributes": FileKind.FILE}
    found = protected(Tree(repositories=(repository("/p/.GIT", kinds=kinds),),
                           places={"/p/x/.VSCode": FileKind.DIRECTORY}))  # fmt: skip
    assert {"/p/.GIT/HOOKS", "/p/.GIT/Info/Attributes", "/p/x/.VSCode"} <= shut(found)


@pytest.mark.parametrize(
    "name",
    [
        ".Git",
        ".git.",
        ".git ",
        ".g\u200cit",
        ".GI\ufeffT",
        ".g\u00adit",
        ".git\ufe0f",
        "\u2060.git",
        ".gi\U000e0061t",
    ],
)
def test_names_are_folded_as_the_most_tolerant_file_system_does(name: str) -> None:
    assert fold(name) == ".git"


def test_a_link_cannot_be_covered_and_is_told() -> None:
    found = protected(Tree(links=("/p/a/.envrc",), repositories=(
        repository("/p/.git", links=("hooks",), kinds={"config": FileKind.FILE}),)))  # fmt: skip
    assert {each.path for each in found.exposed} == {"/p/a/.envrc", "/p/.git/hooks"}
    assert "/p/.git/hooks" not in {each.place for each in found.placeholders}


def test_a_commondir_that_leads_elsewhere_is_told() -> None:
    found = protected(Tree(repositories=(
        repository("/p/.git", elsewhere={"commondir": "../copy"}),)))  # fmt: skip
    (told,) = found.exposed
    assert "../copy" in told.reason


def test_what_configuration_names_is_covered_where_it_is() -> None:
    tree = Tree(repositories=(repository("/p/.git", top="/p", named=(
        reference("/p/.githooks", FileKind.DIRECTORY),
        reference("/elsewhere", FileKind.DIRECTORY),)),))  # fmt: skip
    found = protected(tree, named=(reference("/p/dots/hooks", FileKind.DIRECTORY),))
    assert {"/p/.githooks", "/p/dots/hooks"} <= shut(found)
    assert found.exposed == ()


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        (reference("/p/.githooks", None), "does not exist yet"),
        (reference("/p", FileKind.DIRECTORY), "a whole working tree"),
        (reference("/p/sub", FileKind.DIRECTORY), "a whole working tree"),
        (reference("/p/h", FileKind.DIRECTORY, real="/q"), "a symbolic link"),
    ],
)
def test_what_configuration_names_and_cannot_be_covered_is_told(named: Named, reason: str) -> None:
    tree = Tree(repositories=(
        repository("/p/.git", top="/p", named=(named,)),
        repository("/p/sub/x/.git", top="/p/sub/x")))  # fmt: skip
    (told,) = protected(tree).exposed
    assert (told.path, reason in told.reason) == (named.path, True)
    assert named.path not in shut(protected(tree))


def test_a_word_that_may_be_no_path_is_no_reason_to_warn() -> None:
    tree = Tree(
        named=(reference("/p/x", None, sure=False), reference("/p", FileKind.FILE, sure=False))
    )
    assert protected(tree).exposed == ()


def test_what_was_not_looked_through_to_its_end_stops_a_start() -> None:
    (told,) = protected(Tree(limit="it is too large")).exposed
    assert (told.path, told.stops, told.unread) == ("/p", True, True)
    assert 'trust = ["/p"]' in told.hint
    assert protected(Tree()).exposed == ()


def test_every_trouble_is_told_beside_a_limit() -> None:
    tree = Tree(troubles={"/p": "x is cut", "/p/a/.git": "y is cut"}, limit="it is too large")
    told = {(each.path, each.reason.partition(";")[0]) for each in protected(tree).exposed}
    assert told == {("/p", "x is cut"), ("/p/a/.git", "y is cut"), ("/p", "it is too large")}


def test_a_writable_mount_is_covered_where_the_agent_sees_it() -> None:
    host = Host(home="/home/a", trees={"/d": Tree(repositories=(repository("/d/r/.git"),))})
    mounts = [Root(path="/d", container="/mnt", writable=True),
              Root(path="/d", container="/ro", writable=False)]  # fmt: skip
    found = protection(mounts, ENTRIES, host)
    assert shut(found) == {f"/mnt/r/.git/{name}" for name in MADE}
    assert {each.path for each in found.covers if each.mode is Mode.READ_ONLY} == {
        f"/d/r/.git/{name}" for name in MADE
    }


def test_what_another_mount_hides_has_no_cover() -> None:
    tree = Tree(repositories=(repository("/p/sub/.git"), repository("/p/.git")))
    found = protected(tree, Root(path="/other", container="/p/sub", writable=True))
    assert not any(each.target.startswith("/p/sub") for each in found.covers)
    assert "/p/.git/config" in shut(found)


def test_a_list_of_the_users_own_is_what_is_protected() -> None:
    tree = Tree(repositories=(repository("/p/.git"),), places={"/p/a/.envrc": FileKind.FILE})
    host = Host(home="/h", trees={"/p": tree}, kinds={"/p/x": FileKind.FILE})
    root = Root(path="/p", container="/p", writable=True, project=True)
    assert shut(protection((root,), (("x", "o"),), host)) == {"/p/x"}
    assert shut(protection((root,), (("**/.envrc", "o"),), host)) == {"/p/a/.envrc"}
    assert shut(protection((root,), (), host)) == set()
    assert "/p/.git/config" in shut(protection((root,), (("**/.git/hooks", "o"),), host))


names = st.sampled_from(("a", "b", ".git", ".claude", "modules", ".GIT", "hooks"))
directories = st.lists(names, min_size=1, max_size=4).map(lambda parts: "/p/" + "/".join(parts))
repositories = st.builds(
    lambda directory, top, named: repository(
        directory,
        top=posixpath.dirname(directory) if top else "",
        named=tuple(reference(each, FileKind.DIRECTORY) for each in named),
    ),
    directories,
    st.booleans(),
    st.lists(directories, max_size=2),
)
trees = st.builds(
    lambda repositories, places: Tree(
        repositories=tuple(repositories),
        places=dict.fromkeys((f"{each}/.claude" for each in places), FileKind.DIRECTORY),
    ),
    st.lists(repositories, max_size=4),
    st.lists(directories, max_size=3),
)


@given(trees)
def test_each_cover_is_held_in_place_and_nothing_in_one_is_writable(tree: Tree) -> None:
    found = protected(tree)
    closed, mounts = shut(found), shut(found) | held(found)
    for each in closed:
        above = posixpath.dirname(each)
        while above != "/p":
            assert above in held(found), "a parent that can be renamed takes its cover with it"
            above = posixpath.dirname(above)
    for each in mounts:
        assert not any(each.startswith(f"{other}/") for other in closed)
    assert [each.target for each in found.covers] == sorted(mounts)


@given(trees)
def test_every_repository_is_shut_or_lies_in_what_is(tree: Tree) -> None:
    closed = shut(protected(tree))
    for each in tree.repositories:
        for name in ("hooks", "config", "commondir"):
            place = f"{each.directory}/{name}"
            assert any(place == other or place.startswith(f"{other}/") for other in closed)


def test_a_link_in_git_that_leads_out_stops_a_start_and_says_how_to_go_on() -> None:
    tree = Tree(
        repositories=(repository("/p/.git", links=("hooks",), hooks=("hook pre-commit",)),),
        followed={"/p/.git/index": "/home/a/.bashrc", "/p/.git/logs/HEAD": "/q/mine"},
    )
    found = protected(tree, Root(path="/q", container="/q", writable=True))
    stopping = {each.path: each for each in found.exposed if each.stops}
    assert set(stopping) == {"/p/.git/hooks", "/p/.git/index", "/p/.git/logs/HEAD"}
    assert stopping["/p/.git/hooks"].executes == ("hook pre-commit",)
    assert "/home/a/.bashrc" in stopping["/p/.git/index"].reason
    assert 'trust = ["/p/.git/index"]' in stopping["/p/.git/index"].hint


def test_where_objects_come_from_is_covered_where_it_is_there() -> None:
    place = "objects/info/alternates"
    one = repository("/p/.git", kinds={**ORDINARY, place: FileKind.FILE})
    assert f"/p/.git/{place}" in shut(protected(Tree(repositories=(one,))))
    assert {"/p/.git/objects", "/p/.git/objects/info"} <= held(protected(Tree(repositories=(one,))))
    other = protected(Tree(repositories=(repository("/p/.git"),)))
    assert not any("objects" in each for each in (*shut(other), *held(other)))


def test_a_file_with_a_second_name_is_told_and_in_git_stops_a_start() -> None:
    tree = Tree(
        repositories=(repository("/p/.git", hooks=("hook pre-commit",)),),
        places={"/p/.envrc": FileKind.FILE, "/p/.vscode": FileKind.DIRECTORY},
        shared={"/p/.envrc": "/p/.envrc", "/p/.git/hooks": "/p/.git/hooks/pre-commit",
                "/p/.vscode": None},
    )  # fmt: skip
    found = protected(tree)
    told = {each.path: each for each in found.exposed}
    assert {path: each.stops for path, each in told.items()} == {
        "/p/.envrc": False, "/p/.git/hooks": True, "/p/.vscode": False,
    }  # fmt: skip
    assert "not all was looked at" in told["/p/.vscode"].reason
    assert told["/p/.git/hooks"].reason.startswith("`pre-commit` in it has a second name")
    assert "a copy" in told["/p/.envrc"].hint
    assert {"/p/.envrc", "/p/.git/hooks"} <= shut(found), "its own name is covered all the same"


def test_what_lay_below_a_place_before_it_was_shut_is_told() -> None:
    """What becomes read-only an agent has written before."""
    tree = Tree(
        repositories=(repository("/p/.idea/x/.git", top="/p/.idea/x",
                                 settings={"config": ("core.fsmonitor = x",)}),),
        places={"/p/.idea": FileKind.DIRECTORY},
        believed=(Believed(path="/p/.idea/x/.git/index", reason="r", hint="h"),),
    )  # fmt: skip
    found = protected(tree)
    (cover,) = (each for each in found.covers if each.mode is Mode.READ_ONLY)
    assert cover.path == "/p/.idea"
    assert cover.executes == ("x/.git/config: core.fsmonitor = x",)
    assert [each.path for each in found.exposed if each.stops] == ["/p/.idea/x/.git/index"]


def test_of_very_many_below_a_place_a_digest_tells_the_rest() -> None:
    def executes(last: str) -> tuple[str, ...]:
        words = [*("core.fsmonitor = x" for _ in range(500)), last]
        every = tuple(
            repository(
                f"/p/.idea/{at:04}/.git", top=f"/p/.idea/{at:04}", settings={"config": (word,)}
            )
            for at, word in enumerate(words)
        )
        found = protected(Tree(repositories=every, places={"/p/.idea": FileKind.DIRECTORY}))
        (cover,) = (each for each in found.covers if each.mode is Mode.READ_ONLY)
        return cover.executes

    one, other = executes("core.editor = a"), executes("core.editor = b")
    assert len(one) == len(other) == 201
    assert one[:-1] == other[:-1]
    assert one[-1] != other[-1]
    assert one[-1].startswith("and 301 more (")


def test_what_the_repository_at_a_path_executes_is_told_as_that_of_any_other() -> None:
    """Both are covered by two entries: by name, and as Git's own."""
    own = repository("/p/.git", top="/p", settings={"config": ("core.fsmonitor = x",)},
                     hooks=("hook pre-commit",))  # fmt: skip
    kinds = {"/p/.git": FileKind.DIRECTORY, "/p/.git/config": FileKind.FILE,
             "/p/.git/hooks": FileKind.DIRECTORY}  # fmt: skip
    host = Host(home="/home/a", trees={"/p": Tree(repositories=(own,))}, kinds=kinds)
    root = Root(path="/p", container="/p", writable=True, project=True)
    found = protection((root,), (*ENTRIES, (".git/hooks", "x"), (".git/config", "x")), host)
    told = {each.path: each.executes for each in found.covers if each.executes}
    assert told == {
        "/p/.git/config": ("core.fsmonitor = x",), "/p/.git/hooks": ("hook pre-commit",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("target", "stops"),
    [("/p/.git/config", True), ("/p/.git/hooks/post-commit", True), ("/p/.vscode/tasks.json", True),
     ("/q/.git/config", True), ("/home/a/.bashrc", True), ("/p/.git/refs/heads/main", False),
     # A checkout puts there what a commit has, links among it.
     ("/p/src/x", True), ("/p/bare/refs/x", True), ("/q/.git/refs/x", True)],
)  # fmt: skip
def test_a_link_to_what_only_the_host_can_write_stops_a_start(target: str, stops: bool) -> None:
    tree = Tree(
        repositories=(repository("/p/.git"), repository("/p/bare")),
        places={"/p/.vscode": FileKind.DIRECTORY},
        followed={"/p/.git/COMMIT_EDITMSG": target, "/p/bare/HEAD": "/p/bare/refs/x"},
    )
    other = Tree(repositories=(repository("/q/.git"),))
    host = Host(home="/home/a", trees={"/p": tree, "/q": other})
    roots = tuple(
        Root(path=each, container=each, writable=True, project=True) for each in ("/p", "/q")
    )
    found = protection(roots, ENTRIES, host)
    assert [each.path for each in found.exposed if each.stops] == (
        ["/p/.git/COMMIT_EDITMSG"] if stops else []
    )


@pytest.mark.parametrize(
    ("name", "stops"),
    [("info/exclude", False), ("description", False), ("logs/refs/heads/fix/description", True),
     ("refs/heads/info/exclude", True), ("info/sparse-checkout", True)],
)  # fmt: skip
def test_a_link_may_lead_to_the_project_where_git_only_reads(name: str, stops: bool) -> None:
    tree = Tree(repositories=(repository("/p/.git"),), followed={f"/p/.git/{name}": "/p/src/x"})
    assert [each.path for each in protected(tree).exposed if each.stops] == (
        [f"/p/.git/{name}"] if stops else []
    )


@pytest.mark.parametrize(("target", "stops"), [("/p/k/x", True), ("/p/.git/refs/x", False)])
def test_a_path_that_is_a_bare_repository_too_is_no_place_of_its_git_directory(
    target: str, stops: bool
) -> None:
    tree = Tree(
        repositories=(repository("/p"), repository("/p/.git", top="/p")),
        followed={"/p/.git/logs/HEAD": target},
    )
    found = [each.path for each in protected(tree).exposed if each.stops]
    assert found == (["/p/.git/logs/HEAD"] if stops else [])


def test_what_else_is_said_of_a_link_lets_nothing_start_over_it() -> None:
    place = "/p/.git/packed-refs"
    told = Believed(path=place, reason="it is not read", hint="h", stops=False)
    tree = Tree(
        repositories=(repository("/p/.git"),), followed={place: "/home/a/x"}, believed=(told,)
    )
    assert [each.path for each in protected(tree).exposed if each.stops] == [place]


def test_a_second_name_in_a_bare_repository_stops_a_start_too() -> None:
    tree = Tree(
        repositories=(repository("/p/lib"),),
        shared={"/p/lib/hooks": "/p/lib/hooks/update", "/p/.envrc": "/p/.envrc"},
    )
    found = protected(tree).exposed
    assert {each.path for each in found if each.stops} == {"/p/lib/hooks"}


WHOLE = (("**/.git", "w"), *ENTRIES)


def as_a_whole(tree: Tree, *others: Root, root: str = "/p") -> Covers:
    host = Host(home="/home/a", trees={root: tree})
    mine = Root(path=root, container=root, writable=True, project=True)
    return protection((mine, *others), WHOLE, host)


def test_a_git_directory_that_is_not_to_be_written_is_covered_as_one() -> None:
    inner = repository("/p/a/.git/modules/b")
    found = as_a_whole(
        Tree(
            repositories=(repository("/p/a/.git", top="/p/a", hooks=("post-commit",)), inner),
            places={"/p/a/b/.git": FileKind.FILE},
        )
    )
    assert shut(found) == {"/p/a/.git", "/p/a/b/.git"}
    assert held(found) == {"/p/a", "/p/a/b"}
    assert found.placeholders == ()
    told = {each.path: each.executes for each in found.covers if each.executes}
    assert told == {"/p/a/.git": ("post-commit",)}
    assert {each.origin for each in found.covers} == {"w"}


def test_a_path_that_is_a_submodule_which_is_not_there_stops_the_start() -> None:
    (told,) = as_a_whole(Tree(empty={"/p": None})).exposed
    assert (told.path, told.stops) == ("/p", True)
    assert protected(Tree(empty={"/p": None})).exposed == ()
    found = as_a_whole(Tree(empty={"/p/lib": None}))
    assert (found.exposed, shut(found)) == ((), {"/p/lib"})


def test_what_counts_only_where_it_is_written_is_told_of_no_other_git_directory() -> None:
    believed = tuple(
        Believed(path=f"/p/.git/{number}", reason="r", hint="h", stops=False, written=number == 1)
        for number in range(2)
    )
    tree = Tree(repositories=(repository("/p/.git", top="/p"),), believed=believed)
    assert [each.path for each in protected(tree).exposed] == ["/p/.git/0", "/p/.git/1"]
    assert [each.path for each in as_a_whole(tree).exposed] == ["/p/.git/0"]


def test_a_bare_repository_is_so_and_a_path_that_is_one_or_lies_in_one_stops_the_start() -> None:
    tree = Tree(repositories=(repository("/p/x.git"),))
    assert shut(as_a_whole(tree)) == {"/p/x.git"}
    (told,) = as_a_whole(Tree(repositories=(repository("/p"),))).exposed
    assert (told.path, told.stops) == ("/p", True)
    (told,) = as_a_whole(Tree(), root="/p/.git/hooks").exposed
    assert (told.path, told.stops) == ("/p/.git/hooks", True)


def test_where_a_submodule_is_not_there_none_can_come() -> None:
    tree = Tree(
        repositories=(repository("/p/.git", top="/p"),),
        empty={"/p/later": None, "/p/odd": "it is no directory"},
    )
    found = as_a_whole(tree)
    assert shut(found) == {"/p/.git", "/p/later"}
    assert [(each.place, each.text) for each in found.placeholders] == [("/p/later", None)]
    assert [each.path for each in found.exposed] == ["/p/odd"]
    assert "/p/later" not in shut(protected(tree)), "else the agent says what is a submodule"


@pytest.mark.parametrize(
    ("place", "stops"),
    [("/p/.git/x", False), ("/p/x", True), ("/outside", True), ("/p/b/.git/x", True)],
)
def test_a_link_out_of_such_a_git_directory_is_told(place: str, *, stops: bool) -> None:
    tree = Tree(
        repositories=(repository("/p/.git", top="/p"), repository("/p/b/.git", top="/p/b")),
        followed={"/p/.git/index": place},
    )
    assert [each.stops for each in as_a_whole(tree).exposed] == [True] * stops


def test_what_objects_are_borrowed_from_is_read_only_with_it() -> None:
    store = reference("/p/store", FileKind.DIRECTORY)
    tree = Tree(repositories=(repository("/p/.git", top="/p", borrowed=(store,)),))
    assert shut(as_a_whole(tree)) == {"/p/.git", "/p/store"}
    assert "/p/store" not in shut(protected(tree)), "another repository may write there"


def test_what_an_agent_has_left_in_one_counts() -> None:
    linked = repository("/p/.git", top="/p", links=("hooks",))
    (told,) = as_a_whole(Tree(repositories=(linked,))).exposed
    assert (told.path, told.stops) == ("/p/.git/hooks", True)


def seen(path: str, container: str = "", **more: bool) -> Root:
    data = {"path": path, "container": container or path, "writable": True} | more
    return Root.model_validate(data)


def ways(*roots: Root, hidden: tuple[str, ...] = (), **facts: object) -> Covers:
    host = Host.model_validate({"home": "/home/a", "portable": False} | facts)
    return protection(roots, ENTRIES, host, hidden)


def kinds(*places: str) -> dict[str, FileKind]:
    return dict.fromkeys(places, FileKind.DIRECTORY)


def test_what_leads_to_a_mount_in_a_writable_path_stays_in_its_place() -> None:
    project = seen("/p", project=True)
    found = ways(
        project, seen("/h/public", "/p/a/b/secret", writable=False), kinds=kinds("/p/a", "/p/a/b")
    )
    assert held(found) == {"/p/a", "/p/a/b"}
    assert shut(found) == set()
    # What is missing is made, so that the engine makes no place of its own choice.
    found = ways(project, seen("/h/public", "/p/a/b/secret"), kinds=kinds("/p/a"))
    assert [(each.place, each.text) for each in found.placeholders] == [
        ("/p/a", None), ("/p/a/b", None),
    ]  # fmt: skip
    # In a mount elsewhere in the container, and for what jailoc hides itself.
    elsewhere = seen("/h/data", "/mnt/data")
    found = ways(elsewhere, hidden=("/mnt/data/x/service.json",), kinds=kinds("/h/data/x"))
    assert [(each.path, each.target) for each in found.covers] == [("/h/data/x", "/mnt/data/x")]


def test_a_way_that_cannot_be_held_is_told_and_none_is_needed_where_nobody_writes() -> None:
    inner = seen("/h/public", "/p/a/secret", writable=False)
    found = ways(seen("/p", project=True), inner, links={"/p/a": "/p/real"})
    assert [(each.path, each.stops) for each in found.exposed] == [("/p/a", False)]
    assert ways(seen("/p", writable=False), inner, kinds=kinds("/p/a")).covers == ()
    assert ways(seen("/p", project=True), inner, kinds={"/p/a": FileKind.FILE}).covers == ()


def test_a_path_in_another_one_is_held_and_stays_covered() -> None:
    roots = (seen("/p", project=True), seen("/p/a/b", project=True))
    found = ways(*roots, kinds=kinds("/p/a", "/p/a/b", "/p/a/b/.vscode"))
    assert held(found) == {"/p/a", "/p/a/b"}
    assert shut(found) == {"/p/a/b/.vscode"}
    # Also where the inner one is named for itself: that opens nothing.
    there = kinds("/p/.vscode", "/p/.git", "/p/.git/hooks")
    named = (seen("/p/.vscode", project=True), seen("/p/.git/hooks", project=True))
    assert shut(ways(roots[0], *named, kinds=there)) == {"/p/.vscode", "/p/.git/hooks"}
