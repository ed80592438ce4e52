"""Read what of a Git repository decides what the host executes: its configuration and its hooks.

No program is run, and every look is bounded: an agent may have made all of it.
"""

import os
import posixpath
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from jailoc.bin.config import git_directory, git_file, told
from jailoc.bin.config.told import WIDTH
from jailoc.bin.host.entries import MOST_CONFIG, beginning, kind_at, kind_of, readable
from jailoc.model.git_config import MOST_SETTINGS, GitSetting, included, parse, references
from jailoc.model.host import FileKind, Named, Repository
from jailoc.model.path import clean
from jailoc.model.repository import fold

MOST_ENTRIES = 1_000_000
"""Of one directory of hooks."""
MOST_FILES = 16
"""Files of configuration that are included for one repository."""
MOST_NAMED = 1_000
"""Places that the configuration of one repository names."""

SYSTEM = ("/etc/gitconfig", "/usr/local/etc/gitconfig", "/opt/homebrew/etc/gitconfig")
"""Where the system's configuration of Git may be (git-config(1), FILES)."""


@dataclass(frozen=True)
class ConfigSource:
    """A setting with the directory of the file that it is in."""

    setting: GitSetting
    holder: str


@dataclass(frozen=True)
class Sources:
    """The settings that hold for a repository."""

    all: tuple[ConfigSource, ...] = ()
    trouble: str | None = None
    """Why there may be more of them than were read."""


@dataclass
class Looker:
    """What is the same for every writable path of one look."""

    home: str
    config_home: str
    texts: dict[str, tuple[tuple[GitSetting, ...], str | None]] = field(default_factory=dict)
    user: Sources = Sources()

    def __post_init__(self) -> None:
        """Read what holds for every repository of the user."""
        places = (*SYSTEM, f"{self.config_home}/git/config", f"{self.home}/.gitconfig")
        self.user = self.settings(places)

    def named(self) -> tuple[Named, ...]:
        """Return the absolute places that the user's own configuration names."""
        return self.places(Sources(), "")[0]

    def settings(self, files: Iterable[str]) -> Sources:
        """Return the settings of files and of what they include."""
        waiting, seen = deque(files), set[str]()
        found: list[ConfigSource] = []
        trouble: str | None = None
        while waiting:
            place = waiting.popleft()
            if place in seen:
                continue
            if len(seen) >= MOST_FILES:
                trouble = f"its configuration is in more than {MOST_FILES} files"
                break
            seen.add(place)
            if place not in self.texts:
                self.texts[place] = _read(place)
            settings, cut = self.texts[place]
            trouble = cut or trouble
            holder = place.rpartition("/")[0] or "/"
            for setting in settings:
                found.append(ConfigSource(setting, holder))
                if included(setting):
                    waiting.extend(
                        each.path for each in references(setting, "", holder, self.home)
                    )  # fmt: skip
        return Sources(tuple(found), trouble)

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
        alternates: tuple[str, ...] = ()
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
                case "alternates":
                    alternates = told.alternates(entry.path)
                case "config" | "config.worktree":
                    configs.append(entry.path)
                case "commondir":
                    elsewhere |= git_directory.elsewhere(directory, entry.path, name)
        mine = self.settings(configs)
        named, trouble = self.places(mine, top or _worktree(mine.all, directory))
        found = Repository(
            directory=directory,
            top=top,
            kinds=kinds,
            links=tuple(sorted(links)),
            elsewhere=elsewhere,
            trees=_own_configuration(directory, kinds) if _worktree_config(mine.all) else (),
            sealed=not os.access(directory, os.W_OK),
            hooks=hooks,
            alternates=alternates,
            settings=told.settings(each.setting for each in mine.all),
            named=named,
        )
        if crowded:
            place, most = readable(crowded[0]), git_directory.MOST_ENTRIES
            trouble = f"`{place}` holds more than {most:,} entries"
        return found, trouble

    def executed(self, directory: str) -> tuple[str, ...]:
        """Return what a Git directory executes, without looking at all of it."""
        files = (f"{directory}/config", f"{directory}/config.worktree")
        settings = told.settings(each.setting for each in self.settings(files).all)
        return (*told.hooks(f"{directory}/hooks", MOST_ENTRIES), *settings)

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
        return self.places(self.settings(files), top)


def _read(place: str) -> tuple[tuple[GitSetting, ...], str | None]:
    """Return the settings of a file, and why they are not all."""
    text_, whole = beginning(place) or ("", True)
    found = parse(text_)
    if not whole:
        return found, f"`{place[:WIDTH]}` is larger than {MOST_CONFIG >> 10} KiB"
    if len(found) >= MOST_SETTINGS:
        return found, f"`{place[:WIDTH]}` holds {MOST_SETTINGS:,} settings or more"
    return found, None


def _worktree_config(sources: Iterable[ConfigSource]) -> bool:
    """Tell whether Git reads `config.worktree` (git-worktree(1), CONFIGURATION FILE)."""
    return any(
        each.setting.key == "extensions.worktreeconfig"
        and each.setting.value.lower() not in {"false", "no", "off", "0", ""}
        for each in sources
    )


def _own_configuration(directory: str, kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the Git directories of all working trees of a repository, as they are in it."""
    linked = {each.rpartition("/")[0] for each in kinds if each.count("/") == 2}
    return (".", *sorted(each for each in linked if os.access(f"{directory}/{each}", os.W_OK)))


def _worktree(sources: Iterable[ConfigSource], directory: str) -> str:
    """Return the working tree that the configuration of a Git directory names, else the directory.

    A submodule's is named so; a bare repository has none, and Git runs its hooks in it.
    """
    for each in sources:
        if each.setting.key == "core.worktree" and "\0" not in each.setting.value:
            return clean(posixpath.join(directory, each.setting.value))
    return directory
