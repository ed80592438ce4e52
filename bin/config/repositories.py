"""Look through what an agent can write for what the host executes: repositories, editors' files.

No symbolic link is followed, no program is run, and every look is bounded: an agent may have made
all of it.
"""

import os
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.config import git_directory, git_file, git_links, git_user, told
from jailoc.bin.config.git_settings import SYSTEM, Settings, Sources, working_tree, worktree_config
from jailoc.bin.config.told import WIDTH
from jailoc.bin.host.entries import children, is_text, kind_at, kind_of, kind_of_mode, readable
from jailoc.generators.config.load import Search
from jailoc.model.git_config import references
from jailoc.model.host import FileKind, GitFacts, GitLink, Named, Repository, Tree
from jailoc.model.path import clean, within
from jailoc.model.repository import OF_A_WORKTREE, fold

MOST_DIRECTORIES, MOST_ENTRIES, MOST_DEPTH = 100_000, 1_000_000, 64
"""Of one writable path; what lies beyond is not seen, and that is said."""
MOST_LINKS = 20
"""Links of one Git directory that are told."""
MOST_FOUND = 2_000
"""Repositories, and other places, that are told of one writable path: each is some mounts."""
MOST_NAMED = 1_000
"""Places that the configuration of one repository names."""

INSTALLED = ("node_modules", "site-packages")
"""Directories that package managers fill and rename: nobody opens what is in them as a project, and
a mount in them would break every installation. Repositories in them count all the same."""


@dataclass
class Looker:
    """What is the same for every writable path of one look."""

    home: str
    config_home: str
    own: dict[str, Sources] = field(default_factory=dict)
    """The settings of each repository that was looked at."""

    def __post_init__(self) -> None:
        """Read what holds for every repository of the user."""
        self.settings = Settings(self.home)
        places = (*SYSTEM, f"{self.config_home}/git/config", f"{self.home}/.gitconfig")
        self.user = self.settings.read(places)

    def named(self) -> tuple[Named, ...]:
        """Return the absolute places that the user's own configuration names."""
        return self.places(Sources(), "")[0]

    def places(self, mine: Sources, base: str) -> tuple[tuple[Named, ...], str | None]:
        """Return what the user's configuration and another one name, and why that is not all."""
        seen: dict[tuple[str, str], Named | None] = {}
        trouble = self.user.trouble or mine.trouble
        for source in (*self.user.all, *mine.all):
            for each in references(source.setting, base, source.holder, self.home):
                if (each.key, each.path) in seen:
                    continue
                if len(seen) >= MOST_NAMED:
                    trouble = f"its configuration names more than {MOST_NAMED:,} places"
                    return tuple(filter(None, seen.values())), trouble
                kind = kind_at(each.path)
                # A word of a command is a path only if there is such a file.
                counts = kind is FileKind.FILE or each.sure
                seen[each.key, each.path] = Named(
                    key=each.key,
                    text=source.setting.value[:WIDTH],
                    path=each.path,
                    real=readable(os.path.realpath(each.path)),
                    kind=kind,
                    sure=each.sure,
                ) if counts else None  # fmt: skip
        return tuple(filter(None, seen.values())), trouble

    def repository(self, directory: str, top: str) -> tuple[Repository, str | None]:
        """Look at one Git directory; also say why not all that matters was read."""
        kinds: dict[str, FileKind] = {}
        links: list[str] = []
        elsewhere: dict[str, str] = {}
        hooks: tuple[str, ...] = ()
        configs: list[str] = []
        crowded: list[str] = []
        for entry, name in git_directory.deciding(directory, crowded):
            if entry.is_symlink():
                links.append(name)
            else:
                kinds[name] = kind_of(entry)
            match fold(entry.name):
                case "hooks":
                    hooks = told.hooks(entry.path, MOST_ENTRIES)
                case "config" | "config.worktree":
                    configs.append(entry.path)
                case "commondir":
                    elsewhere |= git_directory.elsewhere(directory, entry.path, name)
        mine = self.own[directory] = self.settings.read(configs)
        named, trouble = self.places(mine, top or working_tree(mine.all, directory))
        found = Repository(
            directory=directory,
            top=top,
            kinds=kinds,
            links=tuple(sorted(links)),
            elsewhere=elsewhere,
            trees=_own_configuration(directory, kinds) if worktree_config(mine.all) else (),
            sealed=not os.access(directory, os.W_OK),
            hooks=hooks,
            settings=told.settings(each.setting for each in mine.all),
            named=named,
        )
        if crowded:
            place, most = readable(crowded[0]), git_directory.MOST_ENTRIES
            trouble = f"`{place}` holds more than {most:,} entries"
        return found, trouble

    def linked(self, file: str) -> tuple[tuple[Named, ...], str | None]:
        """Return what the configuration names for a working tree whose `.git` is a file.

        The repository may lie anywhere; what it names by a relative path lies here.
        """
        names = git_file.read(file)
        if names is None:
            return (), None
        top = file.rpartition("/")[0]
        directory, shared = map(clean, names)
        files = (f"{shared}/config", f"{directory}/config.worktree", f"{directory}/config")
        self.own[shared] = self.settings.read(files)
        return self.places(self.own[shared], top)

    def worktree(self, link: GitLink) -> Repository:
        """Look at the Git directory of a linked working tree whose repository is elsewhere."""
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
            sealed=not os.access(link.directory, os.W_OK),
            linked=True,
        )


class _Walk:
    """One walk through a writable path."""

    def __init__(self, looker: Looker, search: Search) -> None:
        self.looker, self.search = looker, search
        self.names: dict[str, list[tuple[str, ...]]] = {}
        for each in search.names:
            first, *rest = each.split("/")
            self.names.setdefault(fold(first), []).append(tuple(rest))
        self.repositories: list[Repository] = []
        self.named: list[Named] = []
        self.places: dict[str, FileKind] = {}
        self.links: list[str] = []
        self.troubles: dict[str, str] = {}
        self.files: list[str] = []
        """Called `.git`, no links."""
        self.limit: str | None = None

    def worktree(self, link: GitLink) -> None:
        """Look at the Git directory of a linked working tree, and at those of its submodules."""
        self.repositories.append(self.looker.worktree(link))
        for place in islice(git_directory.links(link.directory), MOST_LINKS):
            self._trouble(place, "it is a symbolic link, and Git follows it when it writes there")
        modules = f"{link.directory}/modules"
        if os.path.isdir(modules) and not os.path.islink(modules):  # noqa: PTH112, PTH114 -- text
            self.walk(modules)

    def walk(self, modules_only: str = "") -> None:
        """Look through it, what is near before what is deep."""
        waiting = deque([(modules_only or self.search.root, 0, False, bool(modules_only))])
        directories = entries = 0
        while waiting:
            folder, depth, installed, modules = waiting.popleft()
            directories += 1
            here = list(children(folder, MOST_ENTRIES))
            entries += len(here)
            if directories > MOST_DIRECTORIES or entries > MOST_ENTRIES:
                self.limit = f"it holds more than {MOST_DIRECTORIES:,} directories or " \
                             f"{MOST_ENTRIES:,} entries"  # fmt: skip
                break
            folded = {fold(each.name) for each in here}
            git = self.search.git and "head" in folded and (
                {"objects", "refs"} <= folded or "commondir" in folded
            )  # fmt: skip
            # That of a linked working tree is a part of its repository, which was found before.
            if git and ({"objects", "refs"} <= folded or not self.knows(folder)):
                self._repository(folder, "")
            for entry in here:
                if not entry.name.isascii() and not is_text(entry.name):
                    self.limit = "the name of something in it is not UTF-8, so it cannot be mounted"
                    continue
                name = fold(entry.name)
                if name in self.names and not installed and not modules:
                    self._place(entry, self.names[name])
                deeper = entry.is_dir(follow_symlinks=False)
                if name == ".git" and self.search.git:
                    self._dot_git(entry, folder)
                    if not deeper:
                        continue
                    waiting.extend(
                        (each, depth + 2, installed, True) for each in git_directory.modules(entry)
                    )
                elif deeper and not (modules and git and name in {"objects", "refs", "logs"}):
                    if depth >= MOST_DEPTH:
                        self.limit = f"directories lie in each other more than {MOST_DEPTH} deep"
                        continue
                    waiting.append((entry.path, depth + 1, installed or name in INSTALLED, modules))

    def tree(self) -> Tree:
        """Return what was found."""
        if not self.troubles:
            # Also where there is no repository: what is not read may name a place here.
            self._trouble(self.search.root, self.looker.user.trouble)
        return Tree(
            repositories=tuple(self.repositories),
            places=self.places,
            links=tuple(self.links),
            named=tuple(self.named),
            troubles=self.troubles,
            limit=self.limit,
        )

    def follow(self, others: Mapping[str, "_Walk"], roots: Mapping[str, str]) -> None:
        """Add the repositories of files called `.git` where no walk would take them for one."""
        for target in (each for file in self.files for each in git_file.targets(file, roots)):
            walk = others[target.root]
            if target.trouble is not None:
                walk._trouble(target.path, target.trouble)
            elif not any(each.knows(target.path) for each in others.values()):
                walk._repository(target.path, "")

    def knows(self, directory: str) -> bool:
        """Tell whether a Git directory is a repository that was found, or a working tree's there.

        Without `commondir` that is a repository of its own.
        """
        above, _, name = directory.rpartition("/worktrees/")
        return any(
            each.directory == directory
            or (each.directory == above and f"worktrees/{name}/commondir" in each.kinds)
            for each in self.repositories
        )

    def _repository(self, directory: str, top: str) -> None:
        if len(self.repositories) >= MOST_FOUND:
            self.limit = f"it holds more than {MOST_FOUND:,} repositories"
            return
        found, trouble = self.looker.repository(directory, top)
        self.repositories.append(found)
        self._trouble(directory, trouble)
        for place in islice(git_directory.links(directory), MOST_LINKS):
            self._trouble(place, "it is a symbolic link, and Git follows it when it writes there")

    def _trouble(self, path: str, reason: str | None) -> None:
        if reason is not None:
            self.troubles[path] = reason

    def _dot_git(self, entry: os.DirEntry[str], folder: str) -> None:
        if entry.is_dir(follow_symlinks=False):
            self._repository(entry.path, folder)
            return
        self._found(entry.path, entry.is_symlink(), kind_of(entry))
        if not entry.is_symlink():
            if entry.path in self.places:
                self.files.append(entry.path)
            named, trouble = self.looker.linked(entry.path)
            self.named += named
            self._trouble(entry.path, trouble)

    def _place(self, entry: os.DirEntry[str], rests: list[tuple[str, ...]]) -> None:
        for rest in rests:
            if not rest:
                self._found(entry.path, entry.is_symlink(), kind_of(entry))
            elif not entry.is_symlink():
                place = "/".join((entry.path, *rest))
                with suppress(OSError):
                    mode = Path(place).lstat().st_mode
                    linked = os.path.realpath(place) != os.path.realpath(entry.path) + place[
                        len(entry.path) :
                    ]  # fmt: skip
                    self._found(place, linked, kind_of_mode(mode))

    def _found(self, path: str, linked: bool, kind: FileKind) -> None:
        if len(self.places) + len(self.links) >= MOST_FOUND:
            self.limit = f"it holds more than {MOST_FOUND:,} of the names that are protected"
        elif linked:
            self.links.append(path)
        else:
            self.places[path] = kind


class Gathered(NamedTuple):
    """All that was found, and what Git is like on this machine."""

    trees: dict[str, Tree]
    named: tuple[Named, ...]
    """What the user's own configuration names."""
    git: GitFacts


def gather(
    searches: Iterable[Search], home: str, config_home: str, paths: Iterable[str] = ()
) -> Gathered:
    """Look through all writable paths, and at what the user's own configuration names.

    Args:
        searches: What is looked through.
        home: The user's home directory.
        config_home: The one of configuration.
        paths: The workspace paths, which may be working trees also where nothing is looked for.
    """
    asked, tops = tuple(searches), tuple(paths)
    if not asked and not tops:
        return Gathered({}, (), GitFacts())
    looker = Looker(home, config_home)
    walks = {each.root: _Walk(looker, each) for each in asked if not within(home, each.root)}
    for each in walks.values():
        each.walk()
    roots = {root: os.path.realpath(root) for root in walks}
    for each in walks.values():
        each.follow(walks, roots)
    files = [file for each in walks.values() for file in each.files]
    links = git_links.gather((*files, *(f"{each}/.git" for each in tops)))
    for link in links:
        seen = any(within(link.directory, root) for root in walks)
        if link.worktree and not link.trouble and asked and not seen:
            walks[link.directory] = _Walk(looker, Search(root=link.directory, names=(), git=True))
            walks[link.directory].worktree(link)
    git = git_user.gather(looker.settings, config_home, looker.own.values())
    enclosing = {each: top for each in tops if (top := git_links.top_of(each, home))}
    return Gathered(
        {root: each.tree() for root, each in walks.items()},
        looker.named() if asked else (),
        git.model_copy(update={"links": links, "enclosing": enclosing}),
    )


def _own_configuration(directory: str, kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the Git directories of all working trees of a repository, as they are in it."""
    linked = {each.rpartition("/")[0] for each in kinds if each.count("/") == 2}
    return (".", *sorted(each for each in linked if os.access(f"{directory}/{each}", os.W_OK)))
