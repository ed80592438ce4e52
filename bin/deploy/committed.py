"""Look at what the user's own Git would write over what is covered, and an agent has committed.

Git runs on a Git directory of this program's own, with the objects and the index of the other: no
setting, reference or hook of an agent's is read. Where HEAD leads is read here.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import sharing
from jailoc.bin.deploy.observe import last
from jailoc.bin.engine import git_objects
from jailoc.bin.engine.git_objects import Unreadable
from jailoc.bin.host import programs, regular
from jailoc.bin.host.entries import is_directory, readable, text
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import protected
from jailoc.generators.runtime import committed
from jailoc.generators.runtime.committed import Accepted, Tracked, Where, WorkingFile
from jailoc.model.compose import Bind
from jailoc.model.deployed import Applied
from jailoc.model.git_config import parse
from jailoc.model.mount import Mode
from jailoc.model.palette import Meaning
from jailoc.model.path import first_within
from jailoc.model.sandbox import AGENT
from jailoc.model.text import some

PATIENCE = 20.0
"""Seconds for one question to Git."""
LISTING, CONTENTS = 256 << 20, 64 << 20
"""Bytes of what one index or commit lists, and of all protected files that it has."""
AT_ONCE = 4
"""Repositories that are looked at at the same time."""
MOST_PACKED = 64 << 20
"""Bytes of one list of references."""
DEEPEST = 5
"""References that lead to each other (refs.h, SYMREF_MAXDEPTH)."""
_REFERENCE = re.compile(r"ref:\s*(refs/[!-~]+)\s*")
_OBJECT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_CONFIG = """[core]
\trepositoryformatversion = {version}
\tbare = true
{extension}"""
_FORMAT = "[extensions]\n\tobjectFormat = sha256\n"


class WorkingTree(NamedTuple):
    """A working tree that an agent can write, and where its repository is."""

    top: str
    directory: str
    """Its Git directory."""
    common: str
    """That of its objects and references."""
    root: str
    """The path of the workspace that it is in, or that is in it."""


class Looked(NamedTuple):
    """What one working tree's index and commit have of the protected names."""

    every: tuple[Tracked, ...] = ()
    unlike: tuple[Tracked, ...] = ()
    """What of it was not known at the start, and is not in the working tree."""
    lines: tuple[str, ...] = ()
    """What there is to tell."""
    readable: bool = True


class CommittedLook(NamedTuple):
    """What one look at a workspace's working trees has found."""

    accepted: dict[str, Accepted]
    """What may be written from the next start on, by the Git directory.

    What came by an agent's hand becomes no part of it before it is in the working tree, which the
    agent cannot bring about: somebody else has taken it then.
    """
    lines: tuple[str, ...]
    """What Git on the host would write over covers, and an agent may have put there: its words."""


def look(origin: LoadedConfig, name: str) -> CommittedLook:
    """Look at what Git has of the names that are protected.

    Nothing is told of a workspace that was not started yet, or by a version that did not write down
    what there was.
    """
    applied = last(name)
    before = (applied.committed if applied else None) or {}
    known, lines = dict[str, Accepted](), list[str]()
    for tree, found in _looked(origin, name, applied):
        mine = before.get(tree.directory, {})
        known[tree.directory] = (
            committed.merged(found.every, found.unlike, mine) if found.readable else mine
        )
        lines += found.lines
    return CommittedLook(known, tuple(lines))


def rows(origin: LoadedConfig, name: str) -> tuple[str, ...]:
    """Return what Git on the host would write over covers, and an agent may have put there."""
    applied = last(name)
    if applied is None or applied.committed is None:
        return ()
    return look(origin, name).lines


def tell(terminal: Terminal, lines: Sequence[str]) -> None:
    """Show what Git on the host would write over covers."""
    for line in some(lines):
        terminal.say(f"{committed.WORDS}: {line}", Meaning.FAILS)


def _looked(
    origin: LoadedConfig, name: str, applied: Applied | None
) -> list[tuple[WorkingTree, Looked]]:
    every = list(_trees(origin, name))
    if not every or shutil.which("git", path=programs.search_path()) is None:
        return []
    entries = tuple(entry for entry, _ in protected(origin.config, name))
    known = applied.committed if applied else None
    writable = _writable(applied)

    def one(tree: WorkingTree) -> tuple[WorkingTree, Looked]:
        mine = None if known is None else known.get(tree.directory)
        if mine is None and known is not None and first_within(tree.directory, writable):
            mine = {}  # it came while an agent could make it
        return tree, _look(tree, entries, mine)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, every))


def _writable(applied: Applied | None) -> list[str]:
    service = applied.compose.services.get(AGENT) if applied else None
    return [each.source.text for each in (service.mounts if service else ())
            if isinstance(each, Bind) and each.mode is Mode.READ_WRITE]  # fmt: skip


def _trees(origin: LoadedConfig, name: str) -> Iterator[WorkingTree]:
    """Yield the working trees that a workspace's agent can write, each once."""
    roots, host = sharing.writable(origin, name), origin.host
    found: dict[str, WorkingTree] = {}
    for root in roots:
        tree = host.trees.get(root)
        for each in tree.repositories if tree else ():
            if each.top and not each.linked:
                found[each.top] = WorkingTree(each.top, each.directory, each.directory, root)
    for link in host.git.links:
        top = link.file.rpartition("/")[0]
        holder = first_within(top, roots)
        if holder is not None and link.trouble is None:
            found.setdefault(top, WorkingTree(top, link.directory, link.common, holder))
    yield from found.values()


def _look(tree: WorkingTree, entries: tuple[str, ...], known: Accepted | None) -> Looked:
    """Look at one working tree; all is known where None is."""
    if not is_directory(f"{tree.common}/objects"):
        return Looked()  # for Git it is no repository (gitrepository-layout(5))
    try:
        with _apart(tree) as place:
            listings: dict[Where, tuple[str, ...]] = {Where.INDEX: ("ls-files", "--stage", "-z")}
            if (Path(place) / "HEAD").read_text(encoding="ascii").strip() != _UNBORN:
                listings[Where.COMMIT] = ("ls-tree", "-r", "-z", "--full-tree", "HEAD")
            found: dict[Tracked, Where] = {}
            for where, command in listings.items():
                listing = git_objects.ask(place, *command, timeout=PATIENCE, limit=LISTING)
                for each in committed.tracked(listing, tree.top, tree.root, entries):
                    found[each] = found.get(each, where) | where
            if known is None:
                return Looked(tuple(found))
            return _compared(place, tree, found, known)
    except (Unreadable, ValueError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        told = (f"{readable(tree.top)}: what Git would write there cannot be read: {why}",)
        return Looked(lines=told if known is not None else (), readable=False)


def _compared(
    place: str, tree: WorkingTree, found: dict[Tracked, Where], known: Accepted
) -> Looked:
    texts = git_objects.contents(
        place, (each.object for each in found), timeout=PATIENCE, limit=CONTENTS
    )
    unlike, lines = list[Tracked](), list[str]()
    for each, where in sorted(found.items()):
        data, fine = texts[each.object], committed.is_accepted(each, known)
        if data is None and fine:
            continue  # it is fetched when it is needed: a partial clone (git-clone(1), --filter)
        false = data is not None and committed.forged(each.object, data)
        if false or data is None or not (
            fine or committed.same(each, data, _held(f"{tree.top}/{each.path}"))
        ):  # fmt: skip
            unlike.append(each)
            place = readable(f"{tree.top}/{each.path}")
            lines.append(committed.line(place, where, false=false))
    return Looked(tuple(found), tuple(unlike), tuple(lines))


_UNBORN = "ref: refs/heads/unborn"


@contextmanager
def _apart(tree: WorkingTree) -> Iterator[str]:
    """Make a Git directory with the objects and index of another; yield where it is.

    Raises:
        OSError: it cannot be made.
        Unreadable: what HEAD names cannot be read.
    """
    with TemporaryDirectory(prefix="jailoc-git-") as place:
        sha256 = _sha256(tree.common)
        made = Path(place)
        (made / "refs").mkdir()
        (made / "config").write_text(
            _CONFIG.format(version=1 if sha256 else 0, extension=_FORMAT if sha256 else ""),
            encoding="ascii",
        )
        (made / "HEAD").write_text(f"{_head(tree) or _UNBORN}\n", encoding="ascii")
        (made / "objects").symlink_to(f"{tree.common}/objects")
        (made / "index").symlink_to(f"{tree.directory}/index")
        for each in _shared(tree.directory):
            (made / each).symlink_to(f"{tree.directory}/{each}")
        yield place


def _sha256(common: str) -> bool:
    """Tell whether names of objects are longer (git-config(1), extensions.objectFormat)."""
    settings = parse(text(f"{common}/config") or "")
    named = [each.value.lower() for each in settings if each.key == "extensions.objectformat"]
    return named[-1:] == ["sha256"]


def _shared(directory: str) -> Iterable[str]:
    """Return the files of a split index (gitformat-index(5), link)."""
    with os.scandir(directory) as every:
        return [each.name for each in every if re.fullmatch(r"sharedindex\.[0-9a-f]+", each.name)]


def _head(tree: WorkingTree) -> str | None:
    """Return the commit that is checked out, if there is any.

    Raises:
        Unreadable: what says so cannot be read.
    """
    said = _said(f"{tree.directory}/HEAD")
    for _ in range(DEEPEST):
        if said is None:
            return None
        if _OBJECT.fullmatch(said.strip()):
            return said.strip()
        match = _REFERENCE.fullmatch(said)
        if match is None or ".." in match[1]:
            raise Unreadable("its HEAD names nothing")
        said = _said(f"{tree.common}/{match[1]}")
        if said is None:
            return _packed(tree.common, match[1])
    raise Unreadable("its references lead to each other")


def _said(path: str) -> str | None:
    try:
        return regular.read(path, 4096).decode("ascii", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except regular.NotRegular as error:
        raise Unreadable(f"{path} {error}") from None


def _packed(common: str, name: str) -> str | None:
    """Return the commit of a reference in the list of all (git-pack-refs(1))."""
    try:
        data = regular.read(f"{common}/packed-refs", MOST_PACKED)
    except FileNotFoundError:
        return None
    except regular.NotRegular as error:
        raise Unreadable(f"{common}/packed-refs {error}") from None
    match = re.search(rb"^([0-9a-f]{40,64}) " + re.escape(name.encode()) + rb"$", data, re.M)
    return match[1].decode("ascii") if match else None


def _held(path: str) -> WorkingFile | None:
    """Return what is in the working tree."""
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            return WorkingFile(True, False, os.fsencode(Path(path).readlink()))
        executable = bool(found.st_mode & stat.S_IXUSR)
        return WorkingFile(False, executable, regular.read(path, CONTENTS))
    except (OSError, ValueError, regular.NotRegular):
        return None
