"""Read files of Git's configuration with all that they include, each once, within bounds."""

import posixpath
import pwd
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from jailoc.bin.config.told import WIDTH
from jailoc.bin.host.entries import MOST_CONFIG, beginning
from jailoc.bin.host.links import real_for_others
from jailoc.model.git_config import GitSetting, cut, included, is_true, parse, references
from jailoc.model.path import clean

MOST_FILES = 16
"""Files of configuration that are included for one repository."""
MOST_KEPT, MOST_ROOM = 100_000, 16 << 20
"""Settings and characters of all files together that are read for one writable path: an agent may
have made thousands of repositories."""
ALL = (
    f"all configurations of Git in it together hold more than {MOST_KEPT:,} settings or "
    f"{MOST_ROOM >> 20} MiB"
)

MOST_TREES = 8
"""Working trees that one repository names; an honest one names a single one."""

SYSTEM = ("/etc/gitconfig", "/usr/local/etc/gitconfig", "/opt/homebrew/etc/gitconfig")
"""Where the system's configuration of Git may be (git-config(1), FILES)."""


@dataclass(frozen=True)
class ConfigSource:
    """A setting with the file that it is in."""

    setting: GitSetting
    file: str

    @property
    def holder(self) -> str:
        """Return the directory of the file."""
        return self.file.rpartition("/")[0] or "/"


@dataclass(frozen=True)
class Sources:
    """The settings that hold for a repository."""

    all: tuple[ConfigSource, ...] = ()
    trouble: str | None = None
    """Why there may be more of them than were read."""


class Settings:
    """Reads files of configuration; none is read twice."""

    def __init__(self, home: str) -> None:
        """Know nothing yet."""
        self.home = home
        self._texts: dict[str, tuple[tuple[GitSetting, ...], str | None]] = {}
        self.renew()

    def renew(self) -> None:
        """Read as much as for the first time: whose agent makes much hides nothing elsewhere."""
        self._left, self._room = MOST_KEPT, MOST_ROOM
        self.spent = False

    def alone(self, file: str) -> tuple[GitSetting, ...]:
        """Return the settings of one file, without what it includes."""
        return self._settings(file)[0]

    def read(self, files: Iterable[str]) -> Sources:
        """Return the settings of files and of what they include."""
        waiting, seen, there = deque(files), set[str](), 0
        found: list[ConfigSource] = []
        trouble: str | None = None
        while waiting:
            place = waiting.popleft()
            if place in seen:
                continue
            if there >= MOST_FILES:
                trouble = f"its configuration is in more than {MOST_FILES} files"
                break
            seen.add(place)
            settings, why = self._settings(place)
            trouble = why or trouble
            there += bool(settings or why)
            for setting in settings:
                source = ConfigSource(setting, place)
                found.append(source)
                if included(setting):
                    waiting.extend(
                        each.spelt for each in references(setting, "", source.holder, self.home)
                    )  # fmt: skip
        return Sources(tuple(found), trouble)

    def _settings(self, place: str) -> tuple[tuple[GitSetting, ...], str | None]:
        """Return the settings of a file, and why they are not all."""
        if place in self._texts:
            return self._texts[place]
        if self.spent:
            return (), ALL
        text, whole = beginning(place) or ("", True)
        self._room -= len(text)
        found = tuple(map(at_home, parse(text)))
        self._left -= len(found)
        if self._left < 0 or self._room < 0:
            self.spent = True
            return (), ALL
        why = cut(found)
        trouble = f"`{place[:WIDTH]}` holds {why}" if why else None
        if not whole:
            trouble = f"`{place[:WIDTH]}` is larger than {MOST_CONFIG >> 10} KiB"
        self._texts[place] = found, trouble
        return found, trouble


_OTHERS_HOME = re.compile(r"""(?<![^\s"'=:;&|(])~([A-Za-z_][A-Za-z0-9_.-]*)(?=[/\s"';]|$)""")
"""The home directory of a user who is named (git-config(1), "pathname"; sh(1))."""
MOST_USERS = 100
"""Users that are asked for in a run: an agent may have made up thousands."""


def at_home(setting: GitSetting) -> GitSetting:
    """Write the home directories of named users as paths."""
    if "~" not in setting.value:
        return setting
    value = _OTHERS_HOME.sub(lambda match: _home(match[1]) or match[0], setting.value)
    return setting if value == setting.value else GitSetting(key=setting.key, value=value)


_HOMES: dict[str, str | None] = {}


def _home(user: str) -> str | None:
    if user not in _HOMES and len(_HOMES) < MOST_USERS:
        try:
            _HOMES[user] = pwd.getpwnam(user).pw_dir
        except (KeyError, ValueError):
            _HOMES[user] = None
    return _HOMES.get(user)


def worktree_config(sources: Iterable[ConfigSource]) -> bool:
    """Tell whether Git may read `config.worktree` (git-worktree(1), CONFIGURATION FILE)."""
    return reads_worktree_config(each.setting for each in sources)


def reads_worktree_config(settings: Iterable[GitSetting]) -> bool:
    """Tell whether settings have Git read `config.worktree`."""
    return any(each.key == "extensions.worktreeconfig" and is_true(each.value) for each in settings)


def working_trees(
    sources: Iterable[ConfigSource], directory: str, top: str
) -> tuple[tuple[str, ...], str | None]:
    """Return where Git may run what a repository names by a relative path; say if that is not all.

    That is `top`, whose `.git` the directory is; a bare repository has none, and Git runs its
    hooks in the directory. And it is each that the configuration names, as a submodule's does:
    which of the files there Git reads, and so which of them it obeys, depends on others. Only
    `config` it reads always.
    """
    every = tuple(sources)
    spelt = [
        posixpath.join(directory, each.setting.value)
        for each in every
        if each.setting.key == "core.worktree" and "\0" not in each.setting.value
    ]
    own = any(
        each.setting.key == "core.worktree" and each.file == f"{directory}/config" for each in every
    )
    first = (top,) if top else () if own and spelt else (directory,)
    # What a link leaves by `..` is elsewhere than the text says.
    few = list(dict.fromkeys(spelt))[: MOST_TREES + 1]
    named = dict.fromkeys(place for each in few for place in (real_for_others(each), clean(each)))
    why = f"its configuration names more than {MOST_TREES} working trees"
    trees = dict.fromkeys((*first, *list(named)[:MOST_TREES]))
    return tuple(trees), why if len(named) > MOST_TREES else None
