"""What the host itself executes inside a project, and how an agent is kept from changing it.

A read-only mount on a file or directory cannot be removed, renamed or replaced from inside. Its
parents could be, so each is made a mount of itself: the kernel refuses to rename a mount point
(rename(2), EBUSY).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from jailoc.model.base import Model
from jailoc.model.exposed import Exposed, second_name, socket, troubled, unread
from jailoc.model.followed import followed
from jailoc.model.host import FileKind, Host, Tree
from jailoc.model.mount import Mode
from jailoc.model.path import first_within, outermost, upwards, within
from jailoc.model.protect_entry import (
    ANYWHERE,
    WHOLE,
    beginnings,
    between,
    candidates,
    is_git,
    plain,
)
from jailoc.model.repository import Placeholder, Wanted, digest, fold, named
from jailoc.model.repository import protection as repository_protection
from jailoc.model.seen_root import HeldWay, Root, ways

MOST_WORDS = 200
"""Words that are kept of what lies below one cover."""


class Cover(Model):
    """A path of a project with the mode it is mounted with over the project's own mount."""

    path: str
    place: str = ""
    """Where it is in the container; empty where that is the same."""
    mode: Mode
    origin: str
    executes: tuple[str, ...] = ()
    """What the host would execute by it, in words that an agent may have written."""

    @property
    def target(self) -> str:
        """Return where it is in the container."""
        return self.place or self.path


class Covers(Model):
    """All that keeps an agent from what the host executes."""

    covers: tuple[Cover, ...] = ()
    """Outermost first."""
    exposed: tuple[Exposed, ...] = ()
    placeholders: tuple[Placeholder, ...] = ()


def protection(
    roots: Iterable[Root],
    entries: Iterable[tuple[str, str]],
    host: Host,
    hidden: Iterable[str] = (),
) -> Covers:
    """Return what protects the paths that an agent can write.

    Args:
        roots: All that the agent sees of the host; of several at one place the last counts.
        entries: Paths with the configuration entry each comes from.
        host: The machine; it knows what there is.
        hidden: Places in the container over which something else is mounted.
    """
    every = tuple({each.container: each for each in roots}.values())
    wanted = _sought(tuple(entries))
    git = wanted.git
    own = git or "protect"
    found: list[Cover] = []
    exposed: list[Exposed] = []
    placeholders: list[Placeholder] = []
    writable = tuple(each for each in every if each.writable)
    for root in writable:
        if root.project:
            covered, open_ = covers(root.path, wanted.top, host, root.container)
            found += covered
            exposed += open_
        tree = host.trees.get(root.path, _NO_TREE)
        places = _places(root, tree, wanted)
        if git is not None:
            for repository in tree.repositories:
                needs = repository_protection(repository, whole=wanted.whole)
                places += [(each, git) for each in needs.wanted]
                placeholders += (
                    _placeholder(root, f"{repository.directory}/{name}", text)
                    for name, text in needs.made.items()
                )
            if wanted.whole:
                below = [each for each in sorted(tree.empty.items()) if each[0] != root.path]
                places += [(Wanted(path=path, trouble=trouble), git) for path, trouble in below]
                placeholders += (_placeholder(root, path, None) for path, _ in below)
                if root.path in tree.empty:
                    places.append((Wanted(path=root.path, trouble=_MODULE, stops=True), git))
            places += [
                (Wanted(path=path, trouble=reason), git)
                for path, reason in sorted(tree.troubles.items())
            ]
        places += [(each, own) for each in _named(root, writable, host, wanted)]
        directories = tuple(each.directory for each in tree.repositories)
        places += [
            (second_name(path, file, stops=bool(first_within(path, directories))), own)
            for path, file in sorted(tree.shared.items())
        ]  # fmt: skip
        exposed += _strange(root, tree, own, whole=wanted.whole)
        inside = ".git" in map(fold, root.path.split("/"))
        if wanted.whole and (inside or root.path in directories):
            exposed.append(troubled(Wanted(path=root.path, trouble=_ALL_GIT, stops=True), own))
        for each, origin in places:
            if each.trouble is None:
                found += _held(each, root, origin)
            else:
                exposed.append(troubled(each, origin))
    every_way = tuple(ways(every, hidden, host))
    pinned = [each for each in every_way if each.trouble is None]
    found += (_pin(each, own) for each in pinned)
    placeholders += (_placeholder(each.root, each.path, None) for each in pinned)
    exposed += (
        troubled(Wanted(path=each.path, trouble=each.trouble), own)
        for each in every_way
        if each.trouble is not None
    )
    kept = _innermost(found, every)
    held = {each.path for each in kept}
    shut = {each.path for each in kept if each.mode is Mode.READ_ONLY}
    whole: set[str] = set()
    if git is not None and wanted.whole:
        whole = {one.directory for root in writable
                 for one in host.trees.get(root.path, _NO_TREE).repositories}  # fmt: skip
    if git is not None:
        exposed += followed(writable, shut, whole, git, host)
    return Covers(
        covers=kept,
        exposed=tuple({(each.path, each.reason): each for each in exposed}.values()),
        placeholders=tuple(
            {each.place: each for each in placeholders if each.place in held}.values()
        ),
    )


class _Sought(NamedTuple):
    """Entries, each with where it comes from, in the ways that they are looked for."""

    top: tuple[tuple[str, str], ...]
    """As they are at the top of a path."""
    tails: Mapping[tuple[str, ...], str]
    """Those for every level, by their folded parts."""
    longest: int
    """Parts of the longest of those."""
    git: str | None
    """Where it comes from that all of Git is protected, if it is."""
    whole: bool
    """Whether the agent may write no Git directory."""


@lru_cache(maxsize=64)
def _sought(entries: tuple[tuple[str, str], ...]) -> _Sought:
    # Most workspaces have the same entries.
    git = next((origin for entry, origin in entries if is_git(entry)), None)
    tails = {
        tuple(map(fold, plain(entry).split("/"))): origin
        for entry, origin in entries
        if entry.startswith(ANYWHERE)
    }
    if git is not None:
        tails[(".git",)] = git
    top = tuple((plain(entry), origin) for entry, origin in entries)
    whole = any(entry == WHOLE for entry, _ in entries)
    return _Sought(top, tails, max(map(len, tails), default=0), git, whole)


def _places(root: Root, tree: Tree, wanted: _Sought) -> list[tuple[Wanted, str]]:
    """Return the places of a tree that an entry is about."""
    tails, found = wanted.tails, list[tuple[Wanted, str]]()
    for path in (*sorted(tree.places), *sorted(tree.links)):
        parts = tuple(map(fold, path[len(root.path.rstrip("/")) + 1 :].split("/")))
        origin = next((tails[parts[-count:]] for count in range(1, wanted.longest + 1)
                       if parts[-count:] in tails), None)  # fmt: skip
        if origin is not None:
            trouble = None if path in tree.places else "a symbolic link leads to it"
            found.append((Wanted(path=path, trouble=trouble), origin))
    return found


def _named(root: Root, writable: Iterable[Root], host: Host, wanted: _Sought) -> Iterable[Wanted]:
    """Return what is named in one writable path, wherever it is: by links, and by Git or not."""
    trees = [(each, host.trees.get(each.path, _NO_TREE)) for each in writable]
    references = [*host.named]
    tops: list[str] = []
    for each, tree in trees:
        tops += (each.path, *(one.top for one in tree.repositories if one.top))
        references += tree.named
        references += tree.borrowed if wanted.whole else ()
        for repository in tree.repositories:
            references += repository.named
            references += repository.borrowed if wanted.whole else ()
    real = {each.path: host.real(each.path) for each, _ in trees}
    references = [each for each in references if wanted.git is not None or each.followed]
    return (each for each in named(references, real, tops) if within(each.path, root.path))


def _strange(root: Root, tree: Tree, own: str, *, whole: bool) -> Iterator[Exposed]:
    """Yield what of a tree could not be read, what Git believes, and sockets."""
    yield from (unread(*each, own) for each in sorted(tree.unread.items()))
    for each in tree.believed:
        if not (each.written and whole):
            yield Exposed(**each.model_dump(exclude={"written"}), origin=own, believed=True)
    yield from (socket(path, own) for path in tree.sockets)
    if tree.limit is not None:
        limit = f"{tree.limit}; what lies beyond was not looked at"
        yield unread(root.path, limit, own, "give the agent a smaller directory")


def _placeholder(root: Root, path: str, text: str | None) -> Placeholder:
    below = path[len(root.path.rstrip("/")) + 1 :]
    return Placeholder(root=root.path, path=below, text=text)


_NO_TREE = Tree()
_MODULE = (
    "a repository around it has a submodule there that is not checked out, and Git goes into "
    "whatever repository the agent makes"
)
_ALL_GIT = "it is a Git directory, or lies in one, and the agent is to write none (`git_write`)"


def _target(path: str, root: str, container: str) -> str:
    """Return where a path below a root is in the container, or nothing if that is the same."""
    if root == container:
        return ""
    place = container.rstrip("/") + path[len(root.rstrip("/")) :]
    return "" if place == path else place


def _pin(way: HeldWay, origin: str) -> Cover:
    place = _target(way.path, way.root.path, way.root.container)
    return Cover(path=way.path, place=place, mode=Mode.READ_WRITE, origin=origin)


def _held(wanted: Wanted, root: Root, origin: str) -> Iterable[Cover]:
    """Return a cover, and its parents as mounts of themselves."""
    for parent in between(root.path, wanted.path):
        place = _target(parent, root.path, root.container)
        yield Cover(path=parent, place=place, mode=Mode.READ_WRITE, origin=origin)
    yield Cover(
        path=wanted.path,
        place=_target(wanted.path, root.path, root.container),
        mode=Mode.READ_ONLY,
        origin=origin,
        executes=wanted.executes,
    )


def _innermost(covers: Iterable[Cover], roots: Iterable[Root]) -> tuple[Cover, ...]:
    """Return each cover once, and none where the agent does not see what it covers.

    What is read-only stays so as a whole: a mount within it could be writable again. What the host
    executes there it executes by the whole: it may have been written before.
    """
    best: dict[str, Cover] = {}
    for each in covers:
        there = best.get(each.target)
        if there is None or (there.mode is Mode.READ_WRITE and each.mode is Mode.READ_ONLY):
            best[each.target] = each
        elif (there.mode, there.path) == (each.mode, each.path):
            best[each.target] = _executing(there, each.executes)
    shut = {target for target, each in best.items() if each.mode is Mode.READ_ONLY}
    seen = {each.container: each for each in roots}
    outer = outermost(each.container for each in seen.values() if each.project)
    mounted = {place for place, each in seen.items() if place in outer or not each.project}
    # By directory: the root that it is seen through, and the outermost one that is read-only.
    around: dict[str, tuple[Root | None, str | None]] = {}
    kept: dict[str, Cover] = {}
    within_it: dict[str, list[str]] = defaultdict(list)
    for target in sorted(best):
        if target in mounted:
            continue
        holder = target.rpartition("/")[0] or "/"
        if holder not in around:
            above = tuple(upwards(holder))
            root = next((seen[place] for place in above if place in seen), None)
            around[holder] = root, next((one for one in reversed(above) if one in shut), None)
        root, closed = around[holder]
        each = best[target]
        if closed in kept:
            below = target[len(closed) + 1 :]
            within_it[closed] += (f"{below}: {one}" for one in each.executes)
        elif (
            root is not None
            and closed is None
            and each.path == root.path.rstrip("/") + target[len(root.container.rstrip("/")) :]
        ):
            kept[target] = each
    return tuple(_executing(each, _some(within_it[at])) for at, each in kept.items())


def _some(words: list[str]) -> list[str]:
    """Return some of very many words, and what tells whether the others are the same."""
    if len(words) <= MOST_WORDS:
        return words
    rest = words[MOST_WORDS:]
    return [*words[:MOST_WORDS], f"and {len(rest)} more ({digest(rest)})"]


def _executing(cover: Cover, more: Iterable[str]) -> Cover:
    """Return a cover by which the host executes more."""
    executes = tuple(dict.fromkeys((*cover.executes, *more)))
    return cover if executes == cover.executes else cover.model_copy(update={"executes": executes})


def covers(
    root: str, entries: Iterable[tuple[str, str]], host: Host, container: str | None = None
) -> tuple[tuple[Cover, ...], tuple[Exposed, ...]]:
    """Return the mounts that protect one workspace path, outermost first.

    What does not exist has no mount: the engine would have to create it in the project.

    Args:
        root: The workspace path, absolute.
        entries: Relative paths with the configuration entry each comes from.
        host: The machine; it knows what there is.
        container: Where it is in the container, if that is elsewhere.
    """
    found: dict[str, tuple[Mode, str]] = {}
    exposed: list[Exposed] = []
    inside, real = container or root, host.real(root).rstrip("/")
    for entry, origin in entries:
        place = _first_file(root, entry, host)
        if place is None:
            if host.unread:
                exposed += (
                    unread(each, host.unread[each], origin)
                    for each in candidates(root, entry)
                    if each in host.unread
                )
            continue
        if host.real(place) != f"{real}/{place[len(root) + 1 :]}":
            path = f"{root}/{entry}"
            exposed.append(Exposed(path=path, reason="a symbolic link leads to it", origin=origin))
            continue
        for parent in between(root, place):
            found.setdefault(parent, (Mode.READ_WRITE, origin))
        found[place] = Mode.READ_ONLY, origin
    return tuple(
        Cover(path=path, place=_target(path, root, inside), mode=mode, origin=origin)
        for path, (mode, origin) in sorted(found.items())
    ), tuple(exposed)


def _first_file(root: str, entry: str, host: Host) -> str | None:
    """Return the entry, or the file that stands where one of its parents should.

    In a linked worktree `.git` is a file that says where the repository is.
    """
    above, kinds = root.rstrip("/"), host.kinds
    for step in beginnings(plain(entry)):
        place = f"{above}/{step}"
        kind = kinds.get(place, FileKind.DIRECTORY if host.portable else None)
        if kind is None:
            return None
        if kind is not FileKind.DIRECTORY:
            return place
    return f"{root}/{entry}"
