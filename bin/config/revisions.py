"""Configurations that are named by a file, a directory or a Git revision: texts, and no machine.

Nothing of what they say is executed. Git is only asked for the bytes of one file; it fetches
nothing and runs nothing of the repository's.
"""

import os
import posixpath
import shlex
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jailoc.bin.config import beside, facts, lock, policies
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import current_directory
from jailoc.bin.engine import git
from jailoc.bin.host import regular
from jailoc.bin.host.links import MOST_LINKS
from jailoc.generators.artefacts import portable
from jailoc.generators.config.load import load, warnings
from jailoc.generators.config.resolve import names
from jailoc.generators.powers.policy import PolicyFile
from jailoc.generators.runtime.expectations import unmet
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic, Refused, refuse
from jailoc.model.document import Document
from jailoc.model.kubernetes.image_lock import ImageLock
from jailoc.model.path import upwards
from jailoc.model.power import Sides

NAMES = ("config.toml", "jailoc.toml", "jailoc/config.toml", ".jailoc/config.toml")
"""What a configuration is called in a directory."""


@dataclass(frozen=True)
class Version:
    """A configuration as it is for everybody."""

    label: str
    """How it was named."""
    document: Document
    config: Config
    sides: dict[str, Sides]
    inherited: Sides
    """What each workspace has without a word of its own table."""
    warnings: tuple[Diagnostic, ...] = ()
    refused: tuple[Diagnostic, ...] = ()
    """What it expects of its own rules, and they do not do; what a policy forbids."""
    asks: tuple[Diagnostic, ...] = ()
    """What a policy wants a person to agree to."""


def version(
    label: str,
    text: str,
    file: str,
    hold: tuple[PolicyFile, ...] | None = (),
    read: beside.TextReader = beside.NOTHING,
    locked: lock.Read = ImageLock,
) -> Version:
    """Check and compile a configuration for no machine in particular.

    Args:
        label: How it was named.
        text: Its text.
        file: Where it stands.
        hold: The policies that hold; None for those of this machine.
        read: Reads what is kept beside it.
        locked: Reads the lock of images beside it.

    Raises:
        Refused: something in it is wrong on every machine.
    """
    document = Document(text, file)
    home = facts.home()
    portable.check(document, home)
    # Who writes out a home directory means this one: here it is the same place.
    document.data = _tilde(document.data, home)
    host = portable.host(document, beside.texts(document, read), lock.images(document, locked))
    config = load(document, host)
    forbidden, asks = policies.judge(document, config, host, hold)
    return Version(
        label=label,
        document=document,
        config=config,
        sides={name: portable.sides(config, name, host) for name in names(config)},
        inherited=portable.inherited(config, host),
        warnings=warnings(document, config, host),
        refused=(*unmet(document, config, host), *forbidden),
        asks=asks,
    )


def _tilde(value: Any, home: str) -> Any:
    """Return TOML data with `~` for the home directory where a text begins with it."""
    if isinstance(value, dict):
        return {key: _tilde(each, home) for key, each in value.items()}
    if isinstance(value, list):
        return [_tilde(each, home) for each in value]
    if isinstance(value, str) and home != "/" and value.startswith(f"{home}/"):
        return f"~{value.removeprefix(home)}"
    return value


@dataclass(frozen=True)
class SourceText:
    """The text of a configuration."""

    text: str
    label: str
    """How it was named."""
    file: str
    """Where it stands."""
    read: beside.TextReader = beside.NOTHING
    """Reads what is kept beside it."""
    locked: lock.Read = ImageLock
    """Reads the lock of images beside it."""
    absent: bool = False
    """Whether there is no such file in the revision."""


def text_of(session: Session, named: str | None) -> SourceText:
    """Return the text of a configuration with how it is called and where it stands.

    Args:
        session: Its file is meant where a revision names none.
        named: A file, a directory, `REVISION` or `REVISION:FILE`; None is the session's file.

    Raises:
        Refused: there is nothing of that name.
    """
    if named is None:
        read = beside.directory(session.path)
        locked = partial(lock.read, session.path)
        return SourceText(session.text(), str(session.path), _short(session.path), read, locked)
    place = Path(named)
    if place.exists() and not named.startswith((".", "/")) and _commit(session, named)[2]:
        # Whoever can add a file here must not choose what is compared with what.
        raise refuse(
            "diff",
            f"`{named}` is a file or directory here, and a Git revision as well",
            allowed=f"`./{named}` for what lies here",
            hint="remove it, or name the commit in another way, as `refs/heads/main` or its number",
        )
    if place.is_dir():
        found = next((place / each for each in NAMES if (place / each).is_file()), None)
        if found is None:
            raise refuse(
                "diff",
                f"directory `{named}` holds no configuration",
                allowed=f"one of {', '.join(NAMES)} in it",
                hint="name the file itself",
            )
        place = found
    if place.exists():
        read, locked = beside.directory(place), partial(lock.read, place)
        return SourceText(_file(place), named, _short(place), read, locked)
    return _revision(session, named)


def _file(place: Path) -> str:
    try:
        return regular.read(str(place)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse("diff", f"`{place}` is not UTF-8 (byte {error.start})") from None
    except regular.NotRegular as error:
        raise refuse("diff", f"`{place}` {error}") from None


def _short(place: Path) -> str:
    """Return a path as it is seen from here, if it is below."""
    try:
        return str(place.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(place)


def _top(place: str) -> tuple[Path, str]:
    """Return the directory of the working tree that a place is in, and the place from there.

    A link in a tree is a file of it: it does not lead the look to another place, nor to another
    repository. Only one by which the user went to the current directory is a way, and what lies in
    no tree, as a link of the home directory to where its files are kept.
    """
    way, here, left = place.split("/")[::-1], "", MOST_LINKS
    while way:
        name = way.pop()
        if name == "..":
            here = here.rpartition("/")[0]
        if name in {"", ".", ".."}:
            continue
        at = f"{here}/{name}"
        try:
            target = os.readlink(at)  # noqa: PTH115 -- text
        except OSError:
            here = at
            continue
        tree, left = _tree(here), left - 1
        if left < 0 or (tree is not None and not (_went(at) and _tree(at) not in {None, tree})):
            way.append(name)
            break
        here = "" if target.startswith("/") else here
        way += target.split("/")[::-1]
    rest = "/".join(way[::-1])
    for folder in upwards(here or "/"):
        top = _tree(folder)
        if top is None:
            continue
        above = next((each for each in upwards(folder) if Path(each).samefile(top)), None)
        if above:
            inside = posixpath.relpath(here, above)
            return Path(above), posixpath.normpath(posixpath.join(inside, rest))
    whole = posixpath.join(here or "/", rest) if rest else here
    return Path(posixpath.dirname(whole)), posixpath.basename(whole)


def _tree(folder: str) -> str | None:
    """Return the working tree that a directory is in, if it is there and in one."""
    if not Path(folder or "/").is_dir():
        return None
    told = git.ask(Path(folder or "/"), "rev-parse", "--show-toplevel")
    return None if told is None else os.fsdecode(told.rstrip(b"\n"))


def _went(link: str) -> bool:
    """Tell whether the user went by a link to the current directory."""
    name = posixpath.basename(link)
    return any(
        posixpath.basename(each) == name
        and posixpath.join(os.path.realpath(posixpath.dirname(each)), name) == link
        for each in upwards(current_directory())
    )


def _commit(session: Session, named: str) -> tuple[Path, str, str | None]:
    """Return the directory that a revision is asked of, the file in it, and the commit if any.

    Raises:
        Refused: there is no Git, or it takes too long.
    """
    revision, colon, path = named.partition(":")
    # What agents could write, and so which Git is nobody's, is in the user's own configuration.
    with suppress(Refused):
        session.source(expectations=False)
    folder, inside = _top(os.path.abspath(path if colon else session.path))  # noqa: PTH100 -- no link is followed
    if not revision or revision.startswith("-") or "\0" in named:
        return folder, inside, None
    known = git.ask(folder, "rev-parse", "--verify", "--quiet", "--end-of-options",
                    f"{revision}^{{commit}}")  # fmt: skip
    return folder, inside, None if known is None else known.decode().strip()


def _unread(folder: Path) -> bool:
    """Tell whether there is no repository that Git reads."""
    return git.ask(folder, "rev-parse", "--git-dir") is None


def _revision(session: Session, named: str) -> SourceText:
    revision, colon, path = named.partition(":")
    place = Path(path) if colon else session.path
    if not revision or revision.startswith("-") or "\0" in named:
        raise refuse("diff", f"`{named}` is no file, directory or Git revision")
    folder, inside, commit = _commit(session, named)
    if commit is None:
        there = any(Path(each, ".git").exists() for each in upwards(str(folder)))
        if not there and _unread(folder):
            raise refuse(
                "diff",
                f"`{named}` is no file or directory, and `{folder}` is in no Git repository",
                allowed="a file, a directory, or a revision of the repository that the "
                "configuration is in",
                hint="name two files, or with --config the configuration of a repository",
            )
        if there and _unread(folder):
            raise refuse(
                "diff",
                f"Git reads no repository in `{folder}`, so `{named}` is not known",
                hint=f"`git -C {shlex.quote(str(folder))} status` says why",
            )
        raise refuse(
            "diff",
            f"`{named}` is no file or directory, and no Git revision in `{folder}`",
            allowed="a file, a directory, REVISION or REVISION:FILE",
            hint="check its name"
            if named.endswith(".toml")
            else f"fetch it first (git fetch), and say which file it is: {named}:config.toml",
        )
    data = git.file_at(folder, commit, inside)
    if data is None:
        # A file that is new has nothing before it.
        return SourceText("", named, _short(place), absent=True)
    try:
        beneath = posixpath.dirname(inside)
        read = beside.revision(folder, beneath, commit)
        locked = partial(lock.at, folder, beneath, commit)
        return SourceText(data.decode("utf-8"), named, _short(place), read, locked)
    except UnicodeDecodeError as error:
        raise refuse("diff", f"`{named}` is not UTF-8 (byte {error.start})") from None
