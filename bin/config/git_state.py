"""Look at what Git on the host believes of its own files: indexes, merges, replaced objects.

No program is run, and what Git would write is read through no link. All looks together read only so
much: an agent may have made every byte, and a file with holes costs it none.
"""

import os
import posixpath
import stat
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from jailoc.bin.config import git_directory, git_references, submodules
from jailoc.bin.config.git_repository import UNTOLD, Looker
from jailoc.bin.config.git_settings import reads_worktree_config, working_trees
from jailoc.bin.host import regular, unseen
from jailoc.bin.host.entries import children, is_directory, kind_of, readable, text
from jailoc.bin.host.links import real_for_others
from jailoc.model import git_index, git_operation, git_state
from jailoc.model.agents.known import IDENTITIES
from jailoc.model.git_config import GitSetting, is_true
from jailoc.model.git_state import Believed
from jailoc.model.host import FileKind, GitLink, Repository
from jailoc.model.path import first_within

MOST_READ = 256 << 20
"""Bytes of all indexes and lists of references of one look."""
MOST_PACKED = 64 << 20
"""Bytes of one list of references."""
MOST_RECORDED, RECORDED = 256 << 10, 64
"""Bytes of one `MERGE_RR`, and for how many others each counts: all ways in it are looked at."""
MOST_SHOWN = 16 << 20
"""Bytes of the steps of a rebase."""
MOST_REPLACED = 10_000
"""Replaced objects that are counted of one repository."""
MOST_OBJECTS = 500
"""Files of objects whose names are counted, of one repository."""
MOST_TOLD = 20
"""Files of one repository that are told."""
_EMPTIED = ("rebase-merge", "rebase-apply", "sequencer")
LFS = {f"filter.lfs.{each}" for each in ("process", "smudge", "clean")}
LFS_MARK = "lfs.repositoryformatversion"
"""What Git LFS writes into the configuration of a repository when it is first used in it."""
Settings = tuple[GitSetting, ...]


class Reader:
    """Reads such files of every repository of one look."""

    def __init__(
        self, looker: Looker, roots: Collection[str], links: Iterable[GitLink] = ()
    ) -> None:
        """Have read nothing yet.

        Args:
            looker: What knows the settings.
            roots: The real places of what an agent can write.
            links: What files called `.git` name.
        """
        self.looker, self.roots = looker, roots
        self.left = MOST_READ
        self.tops: dict[str, set[str]] = defaultdict(set)
        """Working trees by the Git directory that a file in them names."""
        for each in links:
            self.tops[real_for_others(each.directory)].add(each.file.rpartition("/")[0])
        self.empty: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
        """Submodules that are not there (`Tree.empty`), by Git directory and working tree."""
        # Told of once: whoever has it on has it in every repository.
        self.lfs = bool(LFS & {each.setting.key for each in looker.user.all})

    def repository(self, found: Repository, link: GitLink | None = None) -> tuple[Believed, ...]:
        """Return what one repository makes Git do, or not show.

        Args:
            found: The repository.
            link: Where it is that of a linked working tree alone.
        """
        at = found.directory
        common, outside = link.common if link else at, list[Believed]()
        if link is not None:
            tops: tuple[str, ...] = (link.file.rpartition("/")[0],)
        else:
            own = self.looker.own[at].all
            tops = working_trees(own, at, found.top)[0]
            outside += self._outside(at, tuple(each.setting for each in own))
        settings = self._read_by_git(common, at)
        if link is None and "config" in found.kinds and self._unmarked(settings):
            root = first_within(real_for_others(at), self.roots) or at
            outside.append(git_state.rewritten(readable(f"{at}/config"), readable(root)))
            self.lfs = False
        settings = (*(each.setting for each in self.looker.user.all), *settings)
        width = self._width(common)
        told = [
            *outside,
            *(self._shared(link) if link else ()),
            *self._directory(at, [each for each in tops if each != at], settings, width),
            *self._shown(at),
            *git_references.aliases(at, common),
            *self._hidden(common, own=link is None),
        ]
        for entry in () if link else tuple(git_directory.worktrees(at)):
            if entry.is_symlink():
                told.append(_emptied(entry.path, "worktrees"))
            elif kind_of(entry) is FileKind.DIRECTORY:
                told += self._outside(entry.path, self._settings(f"{entry.path}/config.worktree"))
                mine = (*settings, *self._read_by_git(at, entry.path))
                top = _named_by(entry.path)
                told += self._directory(entry.path, [top] if top else [], mine, width)
                told += self._shown(entry.path)
                for name in git_state.LISTED:
                    told += self._judged(f"{entry.path}/{name}", git_state.of_listed)
                told += git_references.aliases(entry.path)
        kept = sorted(told, key=lambda each: (not each.stops, not each.certain))
        return tuple(kept[:MOST_TOLD])

    def indexes(self, directory: str, common: str) -> Iterator[git_index.Index]:
        """Yield the index of a Git directory, and what it shares; nothing that cannot be read."""
        name: str | None = "index"
        while name is not None:
            data = self._read(f"{directory}/{name}", git_index.MOST_BYTES)
            if not isinstance(data, bytes):
                return
            try:
                found = git_index.read(data, self._width(common))
            except git_index.NotAnIndex:
                return
            yield found
            name = found.shared if name == "index" else None

    def _settings(self, *files: str) -> Settings:
        return tuple(setting for each in files for setting in self.looker.settings.alone(each))

    def _read_by_git(self, common: str, directory: str) -> Settings:
        """Return what Git itself reads of a Git directory: others hide nothing by what they say."""
        own = self._settings(f"{common}/config")
        more = reads_worktree_config(own)
        return (*own, *(self._settings(f"{directory}/config.worktree") if more else ()))

    def _unmarked(self, own: Settings) -> bool:
        """Tell whether the user's Git LFS would mark a repository that has these settings."""
        return self.lfs and LFS_MARK not in {each.key for each in own}

    def _width(self, common: str) -> int:
        """Return the bytes of an object's name; what is included does not count for Git either."""
        own = self._settings(f"{common}/config")
        named = [each.value for each in own if each.key == "extensions.objectformat"]
        return git_index.SHA256 if named and named[-1].lower() == "sha256" else git_index.SHA1

    def _outside(self, directory: str, settings: Settings) -> Iterator[Believed]:
        """Yield working trees that are named and that no agent could write."""
        for each in settings:
            if each.key == "core.worktree" and "\0" not in each.value:
                place = real_for_others(posixpath.join(directory, each.value))
                if UNTOLD in each.value or not first_within(place, self.roots):
                    yield git_state.outside(readable(f"{directory}/config"), readable(place))

    def _directory(
        self, directory: str, tops: Collection[str], settings: Settings, width: int
    ) -> Iterator[Believed]:
        """Yield what the files of one working tree make Git do."""
        data = self._read(f"{directory}/MERGE_RR", MOST_RECORDED)
        if isinstance(data, Believed):
            yield data
        elif data is not None:
            ways = {*tops, *self.tops.get(real_for_others(directory), ())}
            self.left -= RECORDED * len(data) * len(ways)
            yield from _merge(f"{directory}/MERGE_RR", data, ways)
        for name in git_operation.AUTOSTASHES:
            yield from self._judged(f"{directory}/{name}", git_operation.of_autostash)
        shared: str | None = "index"
        for _ in range(2):
            path = f"{directory}/{shared}"
            data = self._read(path, git_index.MOST_BYTES)
            if isinstance(data, Believed):
                yield data
            if data is None or isinstance(data, Believed):
                break
            try:
                found = git_index.read(data, width)
            except git_index.NotAnIndex as error:
                yield git_state.unread(readable(path), str(error))
                break
            yield from git_state.of_index(
                readable(path),
                found,
                sparse=_on(settings, "core.sparsecheckout"),
                marking=_on(settings, "core.ignorestat"),
            )
            for top in tops:
                self.empty[directory, top] |= submodules.missing(top, found.submodules)
            if (shared := found.shared) is None:
                break
        for name in _EMPTIED:
            if os.path.islink(f"{directory}/{name}"):  # noqa: PTH114 -- text
                yield _emptied(f"{directory}/{name}", name)

    def _shown(self, directory: str) -> Iterator[Believed]:
        """Yield what a shell's prompt would show of a working tree, and run or obey."""
        for name in git_operation.STEPS:
            yield from self._judged(f"{directory}/{name}", git_operation.of_step)
        for name in git_operation.STRATEGIES:
            yield from self._judged(f"{directory}/{name}", git_operation.of_strategy)
        yield from self._judged(f"{directory}/{git_operation.OPTIONS}", git_operation.of_options)
        yield from self._judged(f"{directory}/{git_operation.APPLIED}", git_operation.of_applied)
        yield from self._judged(f"{directory}/{git_operation.BISECT}", git_operation.of_bisect)
        for name in git_state.SHOWN:
            yield from self._judged(f"{directory}/{name}", git_state.of_shown, MOST_SHOWN)
        for name in git_state.HEADS:
            path = f"{directory}/{name}"
            data = self._read(path, MOST_RECORDED)
            if isinstance(data, bytes):
                yield from git_state.of_head(readable(path), data)
            elif data is not None and not self._told(path, data):
                yield data

    def _judged(
        self,
        path: str,
        judge: Callable[[str, bytes], Iterator[Believed]],
        most: int = MOST_RECORDED,
    ) -> Iterator[Believed]:
        """Yield what there is to say of a file of at most so many bytes, or of what is there."""
        data = self._read(path, most)
        if isinstance(data, Believed):
            yield data
        elif data is not None:
            yield from judge(readable(path), data)

    @staticmethod
    def _told(path: str, found: Believed) -> bool:
        """Tell whether what there is to say of a file is said with those that decide."""
        waits = found.reason == git_state.waits(path).reason
        return waits or os.path.islink(path)  # noqa: PTH114 -- text

    def _read(self, path: str, most: int) -> bytes | Believed | None:
        """Return a file, or what there is to say instead; None if nobody can look at it."""
        place = readable(path)
        try:
            found = os.lstat(path)
            if stat.S_ISLNK(found.st_mode):
                return git_state.linked(place, readable(real_for_others(path)))
            if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
                return git_state.waits(place)
            if found.st_size > most:
                bound = f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"
                why = f"it is larger than {bound}"
            elif found.st_size > self.left:
                why = f"all such files together are larger than {MOST_READ >> 20} MiB"
            else:
                # As much is allotted; another one may have come in its place meanwhile.
                data = regular.read(path, min(most, 2 * found.st_size + (1 << 20)))
                self.left -= len(data)
                return data
        except OSError as error:
            unseen.note(path, error)
            return None
        except (regular.NotRegular, ValueError) as error:
            why = f"it {error}"
        return git_state.unread(place, why)

    def _shared(self, link: GitLink) -> Iterator[Believed]:
        """Yield what lies in the directories that a linked working tree shares with others."""
        crowded: list[str] = []
        common, count = link.common, 0
        for each in git_directory.strange(common, crowded, link.shared):
            place = readable(each.path)
            if each.endless:
                yield git_state.waits(place)
            elif each.kind is git_directory.StrangeKind.REPOSITORY:
                yield git_state.inner(place)
            elif each.kind is git_directory.StrangeKind.LINK:
                yield git_state.linked(place, readable(real_for_others(each.path)))
            else:
                continue
            if (count := count + 1) > MOST_TOLD:
                break
        if crowded:
            yield git_state.unread(readable(common), "more lies in it than is looked at")
        if "objects" in link.shared and ((text(f"{common}/objects/info/alternates") or "").strip()):
            yield git_state.borrows(readable(f"{common}/objects/info/alternates"))

    def _hidden(self, common: str, *, own: bool) -> Iterator[Believed]:
        """Yield what hides commits from whoever looks.

        Args:
            common: The common directory.
            own: Whether an agent can write all of it, not only `refs`.
        """
        place = f"{common}/refs/replace"
        if is_directory(place) and (count := sum(1 for _ in children(place, MOST_REPLACED))):
            yield git_state.replaces(readable(place), count)
        if not own:
            return
        objects = f"{common}/objects"
        if (shared := _shared_object(objects)) is not None:
            yield git_state.linked_objects(readable(shared), readable(objects))
        for name in IDENTITIES:
            yield from self._judged(f"{common}/{name}", git_state.of_identity)
        data = self._read(f"{common}/packed-refs", MOST_PACKED)
        if isinstance(data, Believed):
            # Of what is not read only that it may hide something; a pipe holds up every command.
            waits = data.reason == git_state.waits(data.path).reason
            yield data if waits else data.model_copy(update={"stops": False})
        elif isinstance(data, bytes):
            place = readable(f"{common}/packed-refs")
            if count := len(git_state.PACKED_REPLACEMENT.findall(data)):
                yield git_state.replaces(place, count)
            yield from git_state.of_tags(place, git_state.PACKED_TAG.findall(data))
            for found in git_state.PACKED_AUTOSTASH.findall(data)[:1]:
                yield from git_operation.of_autostash(place, found)
        if (text(f"{common}/info/grafts") or "").strip():
            yield git_state.grafts(readable(f"{common}/info/grafts"))


def _shared_object(directory: str) -> str | None:
    """Return a file of objects that has a second name (link(2)), if one of the first ones has.

    No agent can make one of a file that it has not: what a clone has shares all.
    """
    left = MOST_OBJECTS
    for folder in children(directory, MOST_OBJECTS):
        if kind_of(folder) is not FileKind.DIRECTORY or folder.is_symlink():
            continue
        for entry in children(folder.path, left):
            left -= 1
            if left < 0:
                return None
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
                return entry.path
    return None


def _emptied(path: str, name: str) -> Believed:
    return git_state.emptied(readable(path), name, readable(real_for_others(path)))


def _merge(path: str, data: bytes, tops: Collection[str]) -> Iterator[Believed]:
    records = tuple(git_state.recorded(data))
    linked = [each for each in records if any(_through_a_link(top, each) for top in tops)]
    yield from git_state.of_merge(readable(path), records, linked)


def _through_a_link(top: str, path: bytes) -> bool:
    place = os.fsencode(top)
    if len(path) > git_references.MOST_WAY:
        return False
    for part in path.split(b"/"):
        place += b"/" + part
        if os.path.islink(place):  # noqa: PTH114 -- bytes
            return True
    return False


def _named_by(tree: str) -> str:
    """Return the working tree of a Git directory in `worktrees`, which may name it from there."""
    named = (text(f"{tree}/gitdir") or "").rstrip("\r\n").rpartition("/")[0]
    return real_for_others(f"{tree}/{named}") if named and named[0] != "/" else named


def _on(settings: Settings, key: str) -> bool:
    values = [each.value for each in settings if each.key == key]
    return bool(values) and is_true(values[-1])
