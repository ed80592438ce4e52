"""Walk through what an agent can write, for what the host executes: no link is followed."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from jailoc.bin.config import git_directory, git_file, inner_links, passed_over
from jailoc.bin.config.git_repository import Elsewhere, Looker
from jailoc.bin.config.git_settings import ALL
from jailoc.bin.host import unseen
from jailoc.bin.host.entries import (
    TooManyEntries,
    children,
    is_directory,
    is_endless,
    is_socket,
    is_text,
    kind_of,
    kind_of_mode,
    readable,
    with_other_names,
)
from jailoc.bin.host.links import PROCESSES, Links, real
from jailoc.generators.config.mentioned import Search
from jailoc.model import git_state
from jailoc.model.git_state import Believed
from jailoc.model.host import FileKind, GitLink, Named, Repository, Tree
from jailoc.model.path import first_within, within
from jailoc.model.protect_entry import INSTALLED
from jailoc.model.repository import READ_BY_GIT, fold, moved

MOST_DIRECTORIES, MOST_ENTRIES, MOST_DEPTH = 100_000, 1_000_000, 64
"""Of one writable path; what lies beyond is not seen, and that keeps it from being started."""
MOST_INSIDE = 10_000
"""Entries of one place that are looked at for files with second names."""
MOST_LINKS = 20
"""Links of one Git directory that are kept, of those that lead out and of the others."""
MOST_SOCKETS, MOST_WAITING = 100, 20
"""Sockets of one path that are told; pipes and devices of one Git directory, and of one path beside
repositories."""
NO_TEXT = "its name is not UTF-8, so nothing can be mounted there"
MOST_FOUND = 2_000
"""Repositories, and other places, that are told of one writable path: each is some mounts."""


class Walk:
    """One walk through a writable path."""

    def __init__(self, looker: Looker, search: Search) -> None:
        self.looker, self.search = looker, search
        self.names: dict[str, list[tuple[str, ...]]] = {}
        for each in search.names:
            first, *rest = each.split("/")
            self.names.setdefault(fold(first), []).append(tuple(rest))
        self.repositories: list[Repository] = []
        self.named: list[Named] = []
        self.borrowed: list[Named] = []
        self.places: dict[str, FileKind] = {}
        self.links: list[str] = []
        self.troubles: dict[str, str] = {}
        self.followed: dict[str, str] = {}
        self.shared: dict[str, str | None] = {}
        self.ways, self.real = Links(others=True), os.path.realpath(search.root)
        self.looked_through: set[str] = set()
        self.directories = self.entries = 0
        """As many as were looked through."""
        self.files: list[str] = []
        """Called `.git`, no links."""
        self.leading: list[str] = []
        """Links to where no name is looked for."""
        self.limit: str | None = None
        self.unread: dict[str, str] = {}
        self.sockets: list[str] = []
        self.believed: list[Believed] = []
        self.empty: dict[str, str | None] = {}
        self.doubts: list[tuple[str, str, str]] = []
        """Files called `.git`, a directory that each leads to, and why that is not read whole."""

    def worktree(self, link: GitLink) -> None:
        """Look at the Git directory of a linked working tree, and at what else is in there."""
        found = self.looker.worktree(link)
        self.repositories.append(found)
        self._links(found)
        self.walk(link.directory)

    def walk(self, modules_only: str = "") -> None:
        """Look through it, what is near before what is deep."""
        self.looker.settings.renew()
        waiting = deque([(modules_only or self.search.root, 0, False, bool(modules_only))])
        while waiting:
            folder, depth, kept, modules = waiting.popleft()
            self.directories += 1
            here = list(children(folder, MOST_ENTRIES))
            self.entries += len(here)
            if self.directories > MOST_DIRECTORIES or self.entries > MOST_ENTRIES:
                self.limit = f"it holds more than {MOST_DIRECTORIES:,} directories or " \
                             f"{MOST_ENTRIES:,} entries"  # fmt: skip
                break
            folded = {fold(each.name) for each in here}
            git = self.search.git and git_directory.is_repository(folded)
            # That of a linked working tree is a part of its repository, which was found before.
            if git and not self.knows(folder):
                self.repository(folder, "")
            # For these it was looked through as a Git directory; elsewhere one of Git's may not be.
            passed = {"objects", "refs", "logs"} if modules and git and is_text(folder) else set()
            for entry in here:
                name = fold(entry.name)
                if name in self.names and not kept and not modules:
                    self._place(entry, self.names[name])
                kind = kind_of(entry)
                deeper = kind is FileKind.DIRECTORY
                if kind is FileKind.OTHER:
                    self._other(entry, name, looked_for=not kept and not modules)
                # A submodule may have any name, and `.git` is a part of one among submodules'.
                if name == ".git" and self.search.git and not (modules and deeper):
                    self._dot_git(entry, folder)
                    if deeper and entry.name == ".git" and is_text(entry.path):
                        for place, is_module in self._within(entry, named=not kept):
                            waiting.append((place, depth + 2, kept, is_module))
                        continue
                # By another name than it looks for, something is Git's on some file systems alone.
                if deeper and entry.name not in passed:
                    if depth >= MOST_DEPTH:
                        self.limit = f"directories lie in each other more than {MOST_DEPTH} deep"
                        continue
                    below = kept or entry.name in INSTALLED
                    waiting.append((entry.path, depth + 1, below, modules))

    def _within(self, git: os.DirEntry[str], *, named: bool) -> Iterator[tuple[str, bool]]:
        """Yield what else is to be looked through in a `.git`: whether it is a submodule's, too."""
        yield from ((each, True) for each in git_directory.modules(git))
        for each in git_directory.beside(git):
            if named and (rests := self.names.get(fold(each.name))):
                self._place(each, rests)
            if kind_of(each) is FileKind.DIRECTORY:
                yield each.path, False

    def tree(self) -> Tree:
        """Return what was found."""
        # Also where there is no repository: what is not read may name a place here.
        self.trouble(self.search.root, self.looker.user.trouble)
        return Tree(
            repositories=tuple(self.repositories),
            places=self.places,
            links=tuple(self.links),
            named=tuple(self.named),
            borrowed=tuple(self.borrowed),
            followed=self.followed,
            shared=self.shared,
            troubles=self.troubles,
            unread=self.unread,
            sockets=tuple(self.sockets),
            believed=tuple(self.believed),
            empty=self.empty,
            limit=self.limit,
        )

    def unseen(self, places: Mapping[str, str]) -> None:
        """Keep what of this path could not be looked at: anything may be there."""
        for place, reason, others in unseen.below(places, self.search.root):
            if others:
                self.trouble(place, reason)
            else:
                self.unread[readable(place)] = reason

    def follow(self, others: Mapping[str, "Walk"], roots: Mapping[str, str]) -> None:
        """Add what somebody reaches by a link where no walk would look for it.

        It is repositories of files called `.git`, and names in what is installed or Git's own.
        """
        for place in passed_over.names(self.leading, self.names, [*roots.values()]):
            if place is None:
                self.limit = "links to where no name is looked for lead to more than " \
                             f"{passed_over.MOST:,} entries"  # fmt: skip
            else:
                self._found(place, True, FileKind.OTHER)
        for target in (each for file in self.files for each in git_file.targets(file, roots)):
            walk = others[target.root]
            if target.trouble is not None:
                walk.trouble(target.path, target.trouble)
            elif not any(each.knows(target.path) for each in others.values()):
                walk.repository(target.path, "")
                walk.walk(target.path)

    def knows(self, directory: str) -> bool:
        """Tell whether a Git directory is a repository that was found, or a working tree's there.

        Without `commondir`, or with objects, that is a repository of its own.
        """
        above, _, name = directory.rpartition("/worktrees/")
        return any(
            each.directory == directory
            or (
                each.directory == above
                and f"worktrees/{name}/commondir" in each.kinds
                and not is_directory(f"{directory}/objects")
            )
            for each in self.repositories
        )

    def repository(self, directory: str, top: str) -> None:
        """Look at a Git directory, and keep it.

        Args:
            directory: The Git directory.
            top: The working tree that it is the `.git` of; empty for others.
        """
        if len(self.repositories) >= MOST_FOUND:
            self.limit = f"it holds more than {MOST_FOUND:,} repositories"
            return
        if not is_text(directory):
            executes = self.looker.executed(directory)
            self.trouble(directory, "; ".join((NO_TEXT, *executes)))
            return
        found, trouble = self.looker.repository(directory, top)
        self.repositories.append(found)
        self._not_whole(directory, trouble)
        self._links(found)
        for name in found.kinds:
            self.share(f"{directory}/{name}")
        for each in found.named:
            self.share_named(each)

    def _other(self, entry: os.DirEntry[str], name: str, *, looked_for: bool) -> None:
        """Keep what is neither a file nor a directory, if it matters."""
        if len(self.sockets) < MOST_SOCKETS and is_socket(entry):
            self.sockets.append(readable(entry.path))
        if looked_for and passed_over.leads_there(entry):
            self.leading.append(entry.path)
        if name in READ_BY_GIT and self.search.git:
            self._waited(entry)

    def _waited(self, entry: os.DirEntry[str]) -> None:
        """Keep a pipe or device in the place of what Git reads; a link there is not followed."""
        if entry.is_symlink() or not is_endless(entry):
            return
        if len(self.believed) >= MOST_WAITING:
            self.limit = f"more than {MOST_WAITING} pipes lie where Git reads a file"
        else:
            self.believed.append(git_state.waits(readable(entry.path)))

    def share_named(self, named: Named) -> None:
        """Do so with what a configuration names, perhaps by way of a link."""
        self.share(named.path)
        if within(named.real, self.real):
            self.share(moved(named.real, self.real, self.search.root))

    def share(self, place: str) -> None:
        """Keep a place of this path that holds a file with a second name."""
        mine = within(place, self.search.root) and is_text(place)
        if not mine or place in self.looked_through:
            return
        self.looked_through.add(place)
        try:
            if (file := with_other_names(place, MOST_INSIDE)) is not None:
                self.shared[place] = readable(file)
        except TooManyEntries:
            self.shared[place] = None
        for link in inner_links.inner(place, self.ways, MOST_INSIDE):
            if len(self.named) >= MOST_FOUND:
                self.limit = f"what is covered in it names more than {MOST_FOUND:,} places"
                break
            if within(link.path, PROCESSES):
                self.trouble(link.key, f"it leads to `{link.path}`, another place for each program")
            self.named.append(link)

    def _links(self, repository: Repository) -> None:
        """Keep the links of a Git directory, with where they lead, and what Git would wait for."""
        crowded: list[str] = []
        inner = outer = waiting = 0
        directory = repository.directory
        for place, kind, endless in git_directory.strange(directory, crowded):
            inside = kind is git_directory.StrangeKind.REPOSITORY
            if endless or inside:
                waiting += 1
                if waiting > MOST_WAITING:
                    what = "repositories" if inside else "pipes"
                    self._not_whole(directory, f"more than {MOST_WAITING} {what} lie in it")
                    break
                told = git_state.inner if inside else git_state.waits
                self.believed.append(told(readable(place)))
            elif kind is git_directory.StrangeKind.OTHER and len(self.sockets) < MOST_SOCKETS:
                self.sockets.append(readable(place))
            linked = kind is git_directory.StrangeKind.LINK
            if not linked or place[len(directory) + 1 :] in repository.links:
                continue
            led = self._led(place, directory)
            # Whoever makes many that stay hides none that leads out.
            if within(led, self.real):
                inner += 1
                if inner > MOST_LINKS:
                    # One of the others may lead to what is covered.
                    self._not_whole(directory, f"more than {MOST_LINKS} links lie in it")
                    continue
            else:
                outer += 1
                if outer > MOST_LINKS:
                    self._not_whole(directory, f"more than {MOST_LINKS} links lead out of it")
                    break
            self.followed[readable(place)] = readable(led)
        for place in crowded:
            self._not_whole(place, f"it holds more than {git_directory.MOST_WALKED:,} entries")

    def _led(self, place: str, directory: str) -> str:
        """Return where a link of a Git directory leads, or over what of a working tree.

        What lies there a checkout of Git's own can have lead elsewhere, before it follows the link.
        """
        real, hops = self.ways.trace(place)
        mine = (directory, os.path.realpath(directory))
        if not within(real, self.real):
            return real
        itself = {f"{each}{place[len(directory) :]}" for each in mine}
        return next(
            (
                hop
                for hop in hops
                if hop not in itself
                and not any(within(each, hop) or git_directory.is_own(hop, each) for each in mine)
            ),
            real,
        )

    def trouble(self, path: str, reason: str | None) -> None:
        """Keep why a place cannot be covered, if there is a reason."""
        if reason is not None:
            self.troubles.setdefault(readable(path), reason)

    def _not_whole(self, path: str, reason: str | None) -> None:
        """Keep why not all that matters of a place was read: who can write it may hide the rest."""
        if reason == ALL:
            self.limit = ALL  # once, however many there are
        elif reason is not None:
            self.unread.setdefault(readable(path), reason)

    def around(self, tops: Iterable[str | None]) -> None:
        """Add what the configuration of repositories names that this path is a part of."""
        for top in filter(None, tops):
            self._elsewhere(f"{top}/.git", self.looker.above(top))

    def judge(self, roots: Iterable[str]) -> None:
        """Keep why configuration that files called `.git` name was not read whole.

        Args:
            roots: All that an agent can write.
        """
        for file, directory, reason in self.doubts:
            if first_within(directory, roots):
                self._not_whole(file, reason)
            else:
                self.trouble(file, reason)

    def _dot_git(self, entry: os.DirEntry[str], folder: str) -> None:
        if kind_of(entry) is FileKind.DIRECTORY:
            self.repository(entry.path, folder)
            return
        self._found(entry.path, entry.is_symlink(), kind_of(entry))
        if not entry.is_symlink():
            if entry.path in self.places:
                self.files.append(entry.path)
            if not is_text(entry.path):
                return
            self._elsewhere(entry.path, self.looker.linked(entry.path))

    def _elsewhere(self, file: str, found: Elsewhere) -> None:
        self.named += found.named
        self.borrowed += found.borrowed
        self.doubts += ((file, place, why) for place, why in found.doubts.items())

    def _place(self, entry: os.DirEntry[str], rests: list[tuple[str, ...]]) -> None:
        for rest in rests:
            if not rest:
                self._found(entry.path, entry.is_symlink(), kind_of(entry))
            else:
                place = "/".join((entry.path, *rest))
                try:
                    mode = Path(place).lstat().st_mode
                except OSError as error:
                    unseen.note(place, error)
                    continue
                parent = os.path.dirname(entry.path)  # noqa: PTH120 -- text
                linked = real(place) != real(parent) + place[len(parent) :]
                self._found(place, linked, kind_of_mode(mode))

    def _found(self, path: str, linked: bool, kind: FileKind) -> None:
        if len(self.places) + len(self.links) + len(self.troubles) >= MOST_FOUND:
            self.limit = f"it holds more than {MOST_FOUND:,} of the names that are protected"
        elif not is_text(path):
            self.trouble(path, NO_TEXT)
        elif linked:
            self.links.append(path)
        else:
            self.places[path] = kind
            self.share(path)
