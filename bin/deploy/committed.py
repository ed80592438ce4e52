"""Look at what the user's own Git would write over what is covered, and an agent has committed.

Git runs on a Git directory of this program's own, with the objects, references and index of the
other: no setting or hook of an agent's is read.
"""

import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import sharing
from jailoc.bin.deploy.observe import last
from jailoc.bin.engine import git, git_objects
from jailoc.bin.engine.git_objects import Unreadable
from jailoc.bin.host import files, paths, programs, regular
from jailoc.bin.host.entries import is_directory, readable, text
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import protected, protection
from jailoc.generators.runtime import committed
from jailoc.generators.runtime.committed import Accepted, Tracked, Where, WorkingFile
from jailoc.model.deployed import Applied
from jailoc.model.git_config import parse
from jailoc.model.mount import Mode
from jailoc.model.palette import Meaning
from jailoc.model.path import first_within
from jailoc.model.text import last_words, some

PATIENCE, ALTOGETHER = 20.0, 60.0
"""Seconds for one question to Git, and those after which no more is asked."""
MOST = 20_000
"""Protected paths of one working tree: what is known of them is written down."""
LISTING, CONTENTS = 64 << 20, 64 << 20
"""Bytes of what one index or commit lists, and of all protected files that it has."""
AT_ONCE = 4
"""Repositories that are looked at at the same time."""
_STASH = "refs/stash"
ENDS = ("rebase-merge/orig-head", "rebase-apply/orig-head", "sequencer/head", "BISECT_START")
"""Files of a Git directory that name such a commit (sequencer.c, builtin/rebase.c, bisect.c)."""
MOST_FOLLOWED = 8
"""References that one leads over; Git follows five (refs.c, SYMREF_MAXDEPTH)."""
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


def look(
    origin: LoadedConfig, name: str, matters: Callable[[str], bool] = lambda _: True
) -> CommittedLook:
    """Look at what Git has of the names that are protected, in the working trees that matter.

    Nothing is told of a workspace that was not started yet, or by a version that did not write down
    what there was.
    """
    applied = last(name)
    before = (applied.committed if applied else None) or {}
    known, lines = dict[str, Accepted](), list[str]()
    for tree, found in _looked(origin, name, applied, matters):
        mine = before.get(tree.directory, {})
        known[tree.directory] = (
            committed.merged(found.every, found.unlike, mine) if found.readable else mine
        )
        lines += found.lines
    return CommittedLook(known, tuple(lines))


def rows(
    origin: LoadedConfig, name: str, matters: Callable[[str], bool] = lambda _: True
) -> tuple[str, ...]:
    """Return what Git on the host would write over covers, and an agent may have put there.

    Args:
        origin: The configuration.
        name: The workspace.
        matters: Tells whether a working tree is one that is asked for.
    """
    return look(origin, name, matters).lines


def tell(terminal: Terminal, lines: Sequence[str]) -> None:
    """Show what Git on the host would write over covers."""
    for line in some(lines):
        terminal.say(f"{committed.WORDS}: {line}", Meaning.FAILS)


def _looked(
    origin: LoadedConfig, name: str, applied: Applied | None, matters: Callable[[str], bool]
) -> list[tuple[WorkingTree, Looked]]:
    every = [each for each in _trees(origin, name) if matters(each.top)]
    if not every or shutil.which("git", path=programs.search_path()) is None:
        return []
    entries = tuple(entry for entry, _ in protected(origin.config, name))
    covers = protection(origin.config, name, origin.host).covers
    shut = tuple(each.path for each in covers if each.mode is Mode.READ_ONLY)
    known = applied.committed if applied else None
    until = time.monotonic() + ALTOGETHER
    writable = applied.writable if applied else ()

    def one(tree: WorkingTree) -> tuple[WorkingTree, Looked]:
        if sharing.shut(applied, tree.directory) and sharing.shut(applied, tree.common):
            return tree, _look(tree, entries, shut, None, until)  # all of it is the user's
        mine = None if known is None else known.get(tree.directory)
        if mine is None and known is not None and first_within(tree.directory, writable):
            mine = {}  # it came while an agent could make it
        return tree, _look(tree, entries, shut, mine, until)

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        return list(pool.map(one, every))
    finally:  # an interrupt waits for those that run alone
        pool.shutdown(cancel_futures=True)


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
        if holder is not None:  # Git may get there all the same
            found.setdefault(top, WorkingTree(top, link.directory, link.common, holder))
    yield from found.values()


def _look(
    tree: WorkingTree,
    entries: tuple[str, ...],
    shut: tuple[str, ...],
    known: Accepted | None,
    until: float,
) -> Looked:
    """Look at one working tree; all is known where None is."""
    if not is_directory(f"{tree.common}/objects"):
        return Looked()  # for Git it is no repository (gitrepository-layout(5))
    try:
        with _apart(tree) as place:
            found: dict[Tracked, Where] = {}
            for where, command in _listings(place, tree, until):
                listing = git_objects.ask(place, *command, timeout=PATIENCE, limit=LISTING)
                for each, merge in committed.tracked(
                    listing, tree.top, tree.root, entries, shut
                ):  # fmt: skip
                    mine = Where.MERGE if merge else where
                    found[each] = found.get(each, mine) | mine
                    if len(found) > MOST:
                        raise Unreadable(f"it has more than {MOST:,} of the protected paths")
            if known is None:
                return Looked(tuple(found))
            return _compared(place, tree, found, known)
    except (Unreadable, ValueError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        told = (f"{readable(tree.top)}: what Git would write there cannot be read: {why}",)
        return Looked(lines=told if known is not None else (), readable=False)


def _listings(
    place: str, tree: WorkingTree, until: float
) -> Iterator[tuple[Where, tuple[str, ...]]]:
    """Yield what lists all that Git would write without being told more, and where it is from.

    Raises:
        Unreadable: nobody can tell, or it takes too long.
    """
    yield Where.INDEX, ("ls-files", "--stage", "-z")
    whole = ("ls-tree", "-r", "-z", "--full-tree")
    _followed(tree, "HEAD")
    commits = [(Where.COMMIT, "HEAD")]
    # The third parent of a stash has what was not tracked (git-stash(1), DISCUSSION).
    for stash in _stashed(tree):
        commits += [(Where.STASH, stash), (Where.STASH, f"{stash}^3")]
    commits += [(Where.END, each) for each in _ends(tree.directory)]
    for where, commit in commits:
        if time.monotonic() < until and _there(place, commit):
            yield where, (*whole, commit)
        if time.monotonic() > until:
            raise Unreadable("to look at all repositories takes too long")


def _followed(tree: WorkingTree, name: str) -> None:
    """Follow a reference from one to the next (git-symbolic-ref(1)).

    Raises:
        Unreadable: one leads to what is no branch or tag: any file of the Git directory may be one
            for Git, and those are not in the directory that is asked here.
    """
    for _ in range(MOST_FOLLOWED):
        data, target = b"", b""
        # All others are of a working tree alone (gitrepository-layout(5)).
        places = (tree.directory, tree.common) if name.startswith("refs/") else (tree.directory,)
        for folder in places:
            path = f"{folder}/{name}"
            try:
                if os.path.islink(path):  # noqa: PTH114 -- text
                    target = os.readlink(os.fsencode(path))  # noqa: PTH115 -- bytes
                data = data or regular.read(path, 4096, cut=True)
            except (OSError, ValueError, regular.NotRegular):
                continue
        if not target.startswith(b"refs/"):
            target = data[4:].strip() if data.startswith(b"ref:") else b""
        if not target:
            return
        if not target.startswith(b"refs/"):
            shown = readable(os.fsdecode(target))
            raise Unreadable(f"`{name}` leads to `{shown}`, which is no branch")
        name = os.fsdecode(target)


def _stashed(tree: WorkingTree) -> tuple[str, ...]:
    """Return what names the last of the stashed changes, if there may be any.

    For `git stash pop` that is the last line of its log, for others the reference.

    Raises:
        Unreadable: nobody can tell.
    """
    try:
        packed = regular.read(f"{tree.common}/packed-refs", LISTING)
    except FileNotFoundError:
        packed = b""
    except (ValueError, regular.NotRegular) as error:
        raise Unreadable(f"packed-refs {error}") from None
    there = os.path.lexists(f"{tree.common}/{_STASH}")
    if not there and not re.search(rb"[ \t\r]" + _STASH.encode(), packed):
        return ()
    _followed(tree, _STASH)
    return _STASH, f"{_STASH}@{{0}}"


def _ends(directory: str) -> Iterator[str]:
    """Yield the commits that Git goes back to when what was begun ends, by their names."""
    for name in ENDS:
        with suppress(OSError, ValueError, regular.NotRegular):  # told as what lies in `.git`
            words = regular.read(f"{directory}/{name}", 4096, cut=True).strip()
            if re.fullmatch(rb"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", words):
                yield words.decode()


def _there(place: str, commit: str) -> bool:
    """Tell whether a name is that of a commit; HEAD is none before the first one.

    Raises:
        Unreadable: nobody can tell.
    """
    reply = git.forced(place, "rev-parse", "--verify", "--quiet", commit, timeout=PATIENCE)
    if reply.cut or reply.status not in {0, 1}:
        raise Unreadable(reply.cut or last_words(reply.stderr) or f"its {commit} cannot be read")
    return reply.status == 0


def _compared(
    place: str, tree: WorkingTree, found: dict[Tracked, Where], known: Accepted
) -> Looked:
    texts = git_objects.contents(
        place, (each.object for each in found), timeout=PATIENCE, limit=CONTENTS
    )
    unlike, lines = list[Tracked](), list[str]()
    # No crowd of new names hides one that is covered and known.
    for each, where in sorted(found.items(), key=lambda one: (one[0].path not in known, one[0])):
        data, fine = texts[each.object], committed.is_accepted(each, known)
        if data is None and fine:
            continue  # it is fetched when it is needed: a partial clone (git-clone(1), --filter)
        false = data is not None and committed.forged(each.object, data)
        if false or data is None or not (
            fine or committed.same(each, data, _held(tree.top, each.path, len(data)))
        ):  # fmt: skip
            unlike.append(each)
            place = readable(f"{tree.top}/{each.path}")
            lines.append(committed.line(place, where, false=false))
    return Looked(tuple(found), tuple(unlike), tuple(lines))


@contextmanager
def _apart(tree: WorkingTree) -> Iterator[str]:
    """Make Git directories with the objects, index and references of another; yield the first.

    It is one of a linked working tree (gitrepository-layout(5)), so that Git looks for a reference
    where it does in any.

    Raises:
        OSError: it cannot be made.
        Unreadable: its HEAD is no file.
    """
    # Not where TMPDIR says: that may be what an agent writes in.
    files.make_private(paths.cache_directory())
    with TemporaryDirectory(prefix="git.", dir=paths.cache_directory()) as place:
        sha256 = _sha256(tree.common)
        own, common = Path(place, "own"), Path(place, "common")
        own.mkdir()
        common.mkdir()
        (common / "config").write_text(
            _CONFIG.format(version=1 if sha256 else 0, extension=_FORMAT if sha256 else ""),
            encoding="ascii",
        )
        (common / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        (own / "commondir").write_text("../common\n", encoding="ascii")
        for name in ("objects", "refs", "packed-refs", "logs"):
            (common / name).symlink_to(f"{tree.common}/{name}")
        for name in ("index", "refs", *_shared(tree.directory)):
            (own / name).symlink_to(f"{tree.directory}/{name}")
        head = Path(tree.directory, "HEAD")
        if head.is_symlink():  # its text is the reference's name, wherever it leads
            (own / "HEAD").symlink_to(head.readlink())
        else:
            (own / "HEAD").write_bytes(_said(str(head)))
        yield str(own)


def _said(path: str) -> bytes:
    try:
        return regular.read(path, 4096)
    except regular.NotRegular as error:
        raise Unreadable(f"{path} {error}") from None


def _sha256(common: str) -> bool:
    """Tell whether names of objects are longer (git-config(1), extensions.objectFormat)."""
    settings = parse(text(f"{common}/config") or "")
    named = [each.value.lower() for each in settings if each.key == "extensions.objectformat"]
    return named[-1:] == ["sha256"]


def _shared(directory: str) -> Iterable[str]:
    """Return the files of a split index (gitformat-index(5), link)."""
    with os.scandir(directory) as every:
        return [each.name for each in every if re.fullmatch(r"sharedindex\.[0-9a-f]+", each.name)]


def _held(top: str, path: str, length: int) -> WorkingFile | None:
    """Return what is in the working tree, if it can be so long with any end of a line.

    What lies behind a link is in no working tree for Git.
    """
    place = f"{top}/{path}"
    try:
        found = os.lstat(place)
        folder = os.path.dirname(place)  # noqa: PTH120 -- text
        if os.path.realpath(folder) != os.path.realpath(top) + folder[len(top) :]:
            return None
        if stat.S_ISLNK(found.st_mode):
            return WorkingFile(True, False, os.fsencode(Path(place).readlink()))
        if not length <= found.st_size <= 2 * length:
            return None
        executable = bool(found.st_mode & stat.S_IXUSR)
        return WorkingFile(False, executable, regular.read(place, 2 * length))
    except (OSError, ValueError, regular.NotRegular):
        return None
