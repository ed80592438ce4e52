"""What the host itself executes inside a project, and how an agent is kept from changing it.

A read-only mount on a file or directory cannot be removed, renamed or replaced from inside. Its
parents could be, so each is made a mount of itself: the kernel refuses to rename a mount point
(rename(2), EBUSY).
"""

import posixpath
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from jailoc.model.base import Model
from jailoc.model.host import FileKind, Host, Tree
from jailoc.model.mount import Mode
from jailoc.model.path import first_within, trusting, upwards, within
from jailoc.model.protect_entry import ANYWHERE, beginnings, between, candidates, is_git, plain
from jailoc.model.repository import Placeholder, Wanted, fold, named
from jailoc.model.repository import protection as repository_protection


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


class Exposed(Model):
    """A path that should be covered and cannot be."""

    path: str
    reason: str
    origin: str
    hint: str = "the agent can replace the link; look at it before you run anything"
    executes: tuple[str, ...] = ()
    """What the host would execute by it, in words that an agent may have written."""
    stops: bool = False
    """Whether nothing is started until somebody has looked at it."""
    unread: bool = False
    """Whether nobody knows what is there."""
    socket: bool = False
    """Whether it is a socket, whoever listens at it."""
    believed: bool = False
    """Whether it is a file of Git's own, as `git_state.Believed` describes them."""
    certain: bool = False


class Root(Model):
    """A path that an agent sees."""

    path: str
    container: str
    writable: bool
    project: bool = False
    """Whether it is a workspace path; entries without `**/` are for those alone."""


class Covers(Model):
    """All that keeps an agent from what the host executes."""

    covers: tuple[Cover, ...] = ()
    """Outermost first."""
    exposed: tuple[Exposed, ...] = ()
    placeholders: tuple[Placeholder, ...] = ()


def protection(roots: Iterable[Root], entries: Iterable[tuple[str, str]], host: Host) -> Covers:
    """Return what protects the paths that an agent can write.

    Args:
        roots: All that the agent sees of the host; of several at one place the last counts.
        entries: Paths with the configuration entry each comes from.
        host: The machine; it knows what there is.
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
                needs = repository_protection(repository)
                places += [(each, git) for each in needs.wanted]
                below = repository.directory[len(root.path.rstrip("/")) + 1 :]
                placeholders += (
                    Placeholder(
                        root=root.path,
                        path=f"{below}/{name}" if below else name,
                        text=text,
                    )
                    for name, text in needs.made.items()
                )
            places += [
                (Wanted(path=path, trouble=reason), git)
                for path, reason in sorted(tree.troubles.items())
            ]
        places += [(each, own) for each in _named(root, writable, host, git=git is not None)]
        directories = tuple(each.directory for each in tree.repositories)
        places += [
            (_second_name(path, file, stops=bool(first_within(path, directories))), own)
            for path, file in sorted(tree.shared.items())
        ]  # fmt: skip
        exposed += (_unread(*each, own) for each in sorted(tree.unread.items()))
        exposed += (
            Exposed(**each.model_dump(), origin=own, believed=True) for each in tree.believed
        )
        exposed += (
            Exposed(path=path, reason=_SOCKET, origin=own, hint=_ELSEWHERE, socket=True)
            for path in tree.sockets
        )
        if tree.limit is not None:
            exposed.append(
                _unread(
                    root.path,
                    f"{tree.limit}; what lies beyond was not looked at",
                    own,
                    "give the agent a smaller directory",
                )
            )
        for each, origin in places:
            if each.trouble is None:
                found += _held(each, root, origin)
            else:
                exposed.append(_exposed(each, origin))
    kept = _innermost(found, every)
    shut = {each.path for each in kept if each.mode is Mode.READ_ONLY}
    if git is not None:
        exposed += _followed(writable, shut, git, host)
    return Covers(
        covers=kept,
        exposed=tuple(
            {
                (each.path, each.reason): each for each in exposed if not _below(each.path, shut)
            }.values()
        ),
        placeholders=tuple(
            {each.place: each for each in placeholders if each.place in shut}.values()
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
    return _Sought(top, tails, max(map(len, tails), default=0), git)


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


def _named(root: Root, writable: Iterable[Root], host: Host, *, git: bool) -> Iterable[Wanted]:
    """Return what is named in one writable path, wherever it is: by links, and by Git or not."""
    trees = [(each, host.trees.get(each.path, _NO_TREE)) for each in writable]
    references = [*host.named]
    tops: list[str] = []
    for each, tree in trees:
        tops += (each.path, *(one.top for one in tree.repositories if one.top))
        references += tree.named
        references += (one for repository in tree.repositories for one in repository.named)
    real = {each.path: host.real(each.path) for each, _ in trees}
    references = [each for each in references if git or each.followed]
    return (each for each in named(references, real, tops) if within(each.path, root.path))


def _followed(
    writable: Iterable[Root], shut: Iterable[str], git: str, host: Host
) -> Iterable[Exposed]:
    """Yield the links in the place of what Git writes that lead where the agent cannot write.

    That is out of all that it can write, or into what is covered there: Git on the host may write
    both, and the agent says what.
    """
    real = {each.path: host.real(each.path) for each in writable}
    trees = [host.trees.get(root, _NO_TREE) for root in real]
    known = {each.path for tree in trees for each in tree.believed}
    links = [link for tree in trees for link in sorted(tree.followed.items())
             if link[0] not in known]  # fmt: skip
    if not links:
        return
    above = {place: next((root for root in upwards(place) if root in real), "") for place in shut}
    closed = tuple(
        real[root].rstrip("/") + place[len(root.rstrip("/")) :]
        for place, root in above.items()
        if root
    )
    for path, place in links:
        if not first_within(place, real.values()) or first_within(place, closed):
            reason = f"{_FOLLOWED}, to `{place}`"
            yield _exposed(Wanted(path=path, trouble=reason, stops=True), git)


_NO_TREE = Tree()
_SOCKET = "it is a socket: the agent can talk to the program that listens there, past the firewall"
_ELSEWHERE = "let the program listen in a directory that no agent sees"
_FOLLOWED = "it is a symbolic link, and Git follows it when it writes there"


def _second_name(path: str, file: str, *, stops: bool) -> Wanted:
    which = "it" if file == path else f"`{posixpath.relpath(file, path)}` in it"
    return Wanted(
        path=path,
        trouble=f"{which} has a second name, by which the agent can write it past every cover",
        stops=stops,
        hint="look at it, then put a copy in its place, which has no other name (`cp`, then `mv`)",
    )


def _unread(
    path: str, reason: str, origin: str, way: str = "look what is there (`chmod u+rwx` opens it)"
) -> Exposed:
    way = "stop the agent that holds it (`jailoc down`)" if "by a lease" in reason else way
    hint = f"{way}, or allow it by name: {trusting(path)}"
    return Exposed(path=path, reason=reason, origin=origin, hint=hint, stops=True, unread=True)


def _exposed(wanted: Wanted, origin: str) -> Exposed:
    reason = wanted.trouble or ""
    made = Exposed(
        path=wanted.path,
        reason=reason,
        origin=origin,
        executes=wanted.executes,
        stops=wanted.stops,
    )
    if wanted.hint is not None:
        hint = wanted.hint
    elif wanted.stops:
        hint = f"look at it and remove it, or allow it by name: {trusting(wanted.path)}"
    elif "symbolic link" in reason:
        return made
    else:
        hint = "look at it before you run Git there"
    return made.model_copy(update={"hint": hint})


def _target(path: str, root: str, container: str) -> str:
    """Return where a path below a root is in the container, or nothing if that is the same."""
    if root == container:
        return ""
    place = container.rstrip("/") + path[len(root.rstrip("/")) :]
    return "" if place == path else place


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

    What is read-only stays so as a whole: a mount within it could be writable again.
    """
    best: dict[str, Cover] = {}
    for each in covers:
        there = best.get(each.target)
        if there is None or (there.mode is Mode.READ_WRITE and each.mode is Mode.READ_ONLY):
            best[each.target] = each
    shut = {target for target, each in best.items() if each.mode is Mode.READ_ONLY}
    seen = {each.container: each for each in roots}
    # By directory: the root that it is seen through, and whether it is read-only as a whole.
    around: dict[str, tuple[Root | None, bool]] = {}
    kept = []
    for target in sorted(best):
        if target in seen:
            continue
        holder = target.rpartition("/")[0] or "/"
        if holder not in around:
            above = tuple(upwards(holder))
            root = next((seen[place] for place in above if place in seen), None)
            around[holder] = root, not shut.isdisjoint(above)
        root, closed = around[holder]
        if root is None or closed:
            continue
        each = best[target]
        if each.path == root.path.rstrip("/") + target[len(root.container.rstrip("/")) :]:
            kept.append(each)
    return tuple(kept)


def _below(path: str, places: Collection[str]) -> bool:
    """Tell whether a path lies in one of some places, and is none itself."""
    return any(above in places for above in upwards(path) if above != path)


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
                    _unread(each, host.unread[each], origin)
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
