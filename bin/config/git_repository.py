"""Read what of a Git repository decides what the host executes: its configuration and its hooks.

No program is run, and every look is bounded: an agent may have made all of it.
"""

import fnmatch
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from jailoc.bin.config import alternates, git_directory, git_environment, git_file, told
from jailoc.bin.config.git_settings import (
    SYSTEM,
    Settings,
    Sources,
    working_trees,
    worktree_config,
)
from jailoc.bin.config.told import WIDTH
from jailoc.bin.host import unseen
from jailoc.bin.host.entries import children, is_text, kind_at, kind_of, readable
from jailoc.bin.host.links import PROCESSES, Links
from jailoc.model.git_config import PREFIX, GitSetting, references
from jailoc.model.host import FileKind, GitLink, Named, Repository
from jailoc.model.path import clean, within
from jailoc.model.repository import OF_A_WORKTREE, fold

MOST_ENTRIES = 1_000_000
"""Of one directory of hooks."""
MOST_NAMED = 1_000
"""Places that the configuration of one repository names, and as many that the user's names."""
MOST_LISTED, MOST_COMPARED = 10_000, 5_000_000
"""Entries of one directory that a pattern is compared with, and of all in a run."""
LONGEST = 2 * 4096
"""Characters of a path."""
_PATTERN = "*?["
HOOKS_PATH = "core.hookspath"
UNTOLD = "\ufffd"
"""What stands for bytes of a configuration that are no text: which place they name is not known."""
_NO_TEXT = "its configuration names a place that is not UTF-8, so nothing can be mounted there"
_INSTALLED = f"its configuration names a place by where Git is installed (`{PREFIX}`)"
_EACH = re.compile(rf"{PROCESSES}/[^/]+/(task/[^/]+/)?(cwd|root|fd/[^/]+/.)")
_OTHERS = f"its configuration names a place that is another for each program (`{PROCESSES}`)"
_MANY = f"its configuration names more than {MOST_NAMED:,} places"


class Elsewhere(NamedTuple):
    """What a repository that may lie anywhere has for a working tree."""

    named: tuple[Named, ...]
    """What its configuration names."""
    borrowed: tuple[Named, ...]
    """Where it takes objects from."""
    doubts: dict[str, str]
    """Why that is not all, by the directory that says so."""


@dataclass
class Looker:
    """What is the same for every writable path of one look."""

    home: str
    config_home: str
    own: dict[str, Sources] = field(default_factory=dict)
    """The settings of each Git directory that was looked at, and of each file that named one."""

    def __post_init__(self) -> None:
        """Read what holds for every repository of the user."""
        self.settings, self.ways = Settings(self.home), Links(others=True)
        self.left, self._listed = MOST_COMPARED, dict[str, tuple[str, ...]]()
        self._hooks: dict[str, tuple[str, ...]] = {}
        places = (*SYSTEM, f"{self.config_home}/git/config", f"{self.home}/.gitconfig")
        self.user = self.settings.read((*places, *git_environment.files()))
        self.user = replace(self.user, all=(*self.user.all, *git_environment.settings()))
        if why := self._name(self.user, "/", {}):
            self.user = replace(self.user, trouble=why)

    def named(self) -> tuple[Named, ...]:
        """Return the absolute places that the user's own configuration names."""
        return self.places(Sources(), ("",))[0]

    def places(self, mine: Sources, bases: Iterable[str]) -> tuple[tuple[Named, ...], str | None]:
        """Return what the user's configuration and another one name, and why that is not all.

        Why the user's own was not read whole is its own trouble, not that of every repository.
        """
        seen: dict[tuple[str, str], Named | None] = {}
        trouble = mine.trouble
        for base in bases:
            if len(seen) > 2 * MOST_NAMED:
                trouble = _MANY
                break
            self._name(self.user, base, seen)
            trouble = self._name(mine, base, seen) or trouble
        return tuple(filter(None, seen.values())), trouble

    def _named(
        self, mine: Sources, directory: str, top: str
    ) -> tuple[tuple[Named, ...], str | None]:
        """Return the same for a Git directory, wherever its working tree may be."""
        trees, more = working_trees(mine.all, directory, top)
        named, trouble = self.places(mine, trees)
        return named, trouble or more

    def _name(
        self, sources: Sources, base: str, seen: dict[tuple[str, str], Named | None]
    ) -> str | None:
        """Add what settings name to what was seen; return why that is not all."""
        most, why = len(seen) + MOST_NAMED, None
        start = os.path.realpath(base) if base else ""
        for source in sources.all:
            for each in references(source.setting, base, source.holder, self.home):
                for spelt in (each.spelt,) if each.sure else self._meant(each.spelt):
                    path = clean(spelt)
                    # What the kernel takes for no path is none (PATH_MAX, and where it begins).
                    if len(spelt) > LONGEST or (each.key, spelt) in seen:
                        continue
                    if len(seen) >= most or self.left <= 0:
                        return _MANY
                    if UNTOLD in spelt:
                        why = _NO_TEXT
                    if each.sure and f"/{PREFIX}" in spelt:
                        why = _INSTALLED
                    real, hops = self.ways.trace(spelt)
                    if _EACH.match(real):
                        why = _OTHERS
                    kind = kind_at(spelt)
                    # A word of a command is a path only if there is such a file.
                    counts = kind is FileKind.FILE or each.sure
                    if not counts:
                        seen[each.key, spelt] = None
                        continue
                    seen[each.key, spelt] = Named(
                        key=each.key,
                        text=source.setting.value[:WIDTH],
                        path=path,
                        real=readable(real),
                        # Where Git stands is settled before it reads a name, and what holds a file
                        # that it has read is held in place.
                        hops=tuple(
                            readable(hop)
                            for hop in hops
                            if not (within(start, hop) or within(source.holder, hop))
                        ),
                        kind=kind,
                        sure=each.sure,
                        hooks=self._hooks_of(real) if each.key == HOOKS_PATH else (),
                    )
        return why

    def _hooks_of(self, directory: str) -> tuple[str, ...]:
        if directory not in self._hooks:
            self._hooks[directory] = told.hooks(directory, MOST_ENTRIES)
        return self._hooks[directory]

    def _meant(self, path: str) -> Iterator[str]:
        """Yield a path, and the places that a shell takes it for (sh(1), 2.13)."""
        yield path
        if not any(each in path for each in _PATTERN):
            return
        found = [""]
        for part in path.strip("/").split("/"):
            if any(each in part for each in _PATTERN):
                found = [f"{at}/{each}" for at in found for each in self._alike(at, part)]
            else:
                found = [f"{at}/{part}" for at in found]
            found = found[:MOST_NAMED]
        yield from found

    def _alike(self, folder: str, pattern: str) -> list[str]:
        """Return the names in a directory that a pattern stands for."""
        if folder not in self._listed:
            there = kind_at(folder or "/") is FileKind.DIRECTORY
            every = children(folder or "/", MOST_LISTED) if there else ()
            self._listed[folder] = tuple(each.name for each in every if is_text(each.name))
        self.left -= len(self._listed[folder])
        return fnmatch.filter(self._listed[folder], pattern) if self.left > 0 else []

    def repository(self, directory: str, top: str) -> tuple[Repository, str | None]:
        """Look at one Git directory; also say why not all that matters was read."""
        kinds: dict[str, FileKind] = {}
        links: list[str] = []
        elsewhere: dict[str, str] = {}
        hooks: tuple[str, ...] = ()
        lent: tuple[str, ...] = ()
        borrowed: tuple[Named, ...] = ()
        remotes: dict[str, tuple[str, ...]] = {}
        configs: dict[str, str] = {}
        crowded: list[str] = []
        many: str | None = None
        for entry, name in git_directory.deciding(directory, crowded):
            if entry.is_symlink():
                links.append(name)
            else:
                kinds[name] = kind_of(entry)
            match fold(entry.name):
                case "hooks":
                    hooks += told.hooks(entry.path, MOST_ENTRIES)
                case "alternates":
                    lent += told.alternates(entry.path)
                    more, why = self._borrowed(entry.path, f"{directory}/objects")
                    borrowed, many = borrowed + more, why or many
                case "remotes" | "branches" as older:
                    remotes[older] = (*remotes.get(older, ()), *told.remotes(entry.path))
                case "config" | "config.worktree":
                    configs[entry.path] = name
                case "commondir":
                    elsewhere |= git_directory.elsewhere(directory, entry.path, name)
        mine = self.own[directory] = self.settings.read(configs)
        named, trouble = self._named(mine, directory, top)
        # What Git LFS takes from there it does not compare with its name.
        kept = (each.setting.value for each in mine.all if each.setting.key == "lfs.storage")
        borrowed += tuple(
            self._objects(posixpath.join(directory, each.partition("\0")[0])) for each in kept
        )
        found = Repository(
            directory=directory,
            top=top,
            kinds=kinds,
            links=tuple(sorted(links)),
            elsewhere=elsewhere,
            trees=_own_configuration(directory, kinds) if worktree_config(mine.all) else (),
            sealed=not unseen.writable(directory),
            hooks=hooks,
            alternates=lent,
            borrowed=borrowed,
            remotes=remotes,
            settings=_by_file(mine, configs),
            named=named,
        )
        if crowded:
            place, most = readable(crowded[0]), git_directory.MOST_ENTRIES
            many = f"`{place}` holds more than {most:,} entries"
        return found, many or trouble

    def _borrowed(self, file: str, objects: str) -> tuple[tuple[Named, ...], str | None]:
        """Return where objects are taken from, and why that is not all."""
        places, whole = alternates.borrowed(file, objects)
        many = f"it takes objects from more than {alternates.MOST} directories"
        return tuple(map(self._objects, places)), None if whole else many

    def _objects(self, place: str) -> Named:
        real, hops = self.ways.trace(place)
        return Named(
            key="objects/info/alternates",
            text=readable(place)[:WIDTH],
            path=readable(clean(place)),
            real=readable(real),
            hops=tuple(map(readable, hops)),
            kind=kind_at(place),
            sure=True,
        )

    def executed(self, directory: str) -> tuple[str, ...]:
        """Return what a Git directory executes, without looking at all of it."""
        files = (f"{directory}/config", f"{directory}/config.worktree")
        settings = told.settings(each.setting for each in self.settings.read(files).all)
        return (*told.hooks(f"{directory}/hooks", MOST_ENTRIES), *settings)

    def linked(self, file: str) -> Elsewhere:
        """Return what there is for a working tree whose `.git` is a file.

        The repository may lie anywhere; what it names by a relative path lies here.
        """
        names = git_file.read(file)
        if names is None:
            return Elsewhere((), (), {})
        top = file.rpartition("/")[0]
        directory, shared = map(clean, names)
        files = (f"{shared}/config", f"{directory}/config.worktree", f"{directory}/config")
        self.own[file] = self.settings.read(files)
        named, trouble = self._named(self.own[file], directory, top)
        doubts: dict[str, str] = {}
        if trouble is not None:
            alone = self._named(self.settings.read(files[:1]), directory, top)[1]
            doubts = {shared: alone} if alone is not None else {directory: trouble}
        return self._elsewhere(shared, named, doubts)

    def above(self, top: str) -> Elsewhere:
        """Return the same of the repository around a path."""
        self.settings.renew()  # whatever others have left of it
        directory = f"{top}/.git"
        if kind_at(directory) is not FileKind.DIRECTORY:
            return self.linked(directory)
        files = (f"{directory}/config", f"{directory}/config.worktree")
        named, trouble = self._named(self.settings.read(files), directory, top)
        return self._elsewhere(directory, named, {} if trouble is None else {directory: trouble})

    def _elsewhere(
        self, common: str, named: tuple[Named, ...], doubts: dict[str, str]
    ) -> Elsewhere:
        objects = f"{common}/objects"
        borrowed, many = self._borrowed(f"{objects}/info/alternates", objects)
        return Elsewhere(named, borrowed, {common: many} | doubts if many else doubts)

    def worktree(self, link: GitLink) -> Repository:
        """Look at the Git directory of a linked working tree whose repository is elsewhere."""
        self.settings.renew()  # whatever others have left of it
        kinds = {
            entry.name: kind_of(entry)
            for entry in children(link.directory, git_directory.MOST_ENTRIES)
            if fold(entry.name) in OF_A_WORKTREE and is_text(entry.name)
        }
        sources = self.settings.read((f"{link.common}/config",)).all
        return Repository(
            directory=link.directory,
            kinds={name: kind for name, kind in kinds.items() if kind is FileKind.FILE},
            links=tuple(sorted(name for name in kinds if kinds[name] is not FileKind.FILE)),
            trees=(".",) if worktree_config(sources) else (),
            sealed=not unseen.writable(link.directory),
            linked=True,
        )


def _by_file(sources: Sources, configs: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return what is told of settings, by the file; of what it includes, by the main one."""
    found: dict[str, list[GitSetting]] = {}
    for each in sources.all:
        found.setdefault(fold(configs.get(each.file, "config")), []).append(each.setting)
    every = {name: told.settings(each) for name, each in found.items()}
    return {name: each for name, each in every.items() if each}


def _own_configuration(directory: str, kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the Git directories of all working trees of a repository, as they are in it."""
    linked = {each.rpartition("/")[0] for each in kinds if each.count("/") == 2}
    return (".", *sorted(each for each in linked if unseen.writable(f"{directory}/{each}")))
