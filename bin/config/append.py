"""Append to a list of the configuration file: under a lock, and only what leaves it valid."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jailoc.bin.config import facts, source
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.generators.config.edit import Value, append, put_set
from jailoc.generators.config.resolve import names
from jailoc.generators.config.select import unknown_workspace
from jailoc.model.allow_entry import HostEntry, NetworkEntry, holds
from jailoc.model.diagnostic import Refused
from jailoc.model.palette import Meaning
from jailoc.model.path import tilde

PATIENCE = 60
"""Seconds to wait for another jailoc that is changing the configuration."""


def path(session: Session, name: str, target: str) -> bool:
    """Append a directory to the paths of a workspace in the file; False if it is there.

    Raises:
        Refused: the file with it would not be valid; nothing has been written.
    """
    # As others may have it, too: their home is another one.
    added = value(session, name, "paths", tilde(target, facts.home()))
    if added:
        session.terminal.told(f"added {target} to workspace {name}")
    return added


def check_path(session: Session, name: str, target: str) -> None:
    """Make sure that a directory could be added to a workspace; nothing is written.

    Raises:
        Refused: the file with it would not be valid.
    """
    written = tilde(target, facts.home())
    source.check(append(session.text(), name, "paths", written), session.path)


@contextmanager
def kept_if_done(session: Session) -> Iterator[None]:
    """Take back what this run writes into the file, or has written, if what follows fails.

    A file that this run has made stays, and one that somebody else has changed meanwhile as it is;
    either is said.
    """
    try:
        yield
    except BaseException:
        if (change := session.change) is not None:
            with suppress(Refused, OSError):  # the first reason is the one to be told
                _take_back(session, *change)
        raise


def _take_back(session: Session, before: str | None, written: str) -> None:
    with files.locked(cache_directory() / "config.toml.lock", PATIENCE):
        place = Path(os.path.realpath(session.path))
        if place.read_text(encoding="utf-8") != written:
            says = f"{session.path} has been changed meanwhile: what was added to it stays there"
            session.terminal.say(says, Meaning.FAILS)
        elif before is None:
            # It was asked for, and it is where what was in the way is mended.
            session.terminal.say(f"{session.path} stays as it was written", Meaning.WARNS)
        else:
            files.write(place, before, place.stat().st_mode & 0o7777)
            session.terminal.say(f"{session.path} is as it was before", Meaning.WARNS)


def host_set(session: Session, name: str, value: dict[str, Any]) -> None:
    """Write a set of hosts into the file.

    Raises:
        Refused: the file with it would not be valid; nothing has been written.
    """
    rewritten(session, lambda text: put_set(text, name, value))


def rewritten(session: Session, change: Callable[[str], str]) -> LoadedConfig:
    """Change the text of the file under the lock of all configurations; return it as it is now.

    Raises:
        Refused: the changed file would not be valid; nothing has been written.
    """
    with files.locked(cache_directory() / "config.toml.lock", PATIENCE):
        before = session.reread()
        changed = change(session.text())
        after = _checked(session, changed)
        _write(session, before, after, changed)
    return after


def _checked(session: Session, changed: str) -> LoadedConfig:
    try:
        return source.check(changed, session.path)
    except Refused:
        # Its places are those of a text that is nowhere.
        session.terminal.say(
            f"{session.path} stays as it is: with the change it would be refused", Meaning.WARNS
        )
        raise


def _write(session: Session, before: LoadedConfig, after: LoadedConfig, changed: str) -> None:
    if before.starter:
        files.make(session.path.parent, 0o750)
    # The file may be a link into somebody's dotfiles: it stays one.
    place = Path(os.path.realpath(session.path))
    mode = 0o600 if before.starter else place.stat().st_mode & 0o7777
    former = None if before.starter else session.text()
    files.write(place, changed, mode)
    session.changed(former, changed)
    if before.starter:
        session.terminal.told(f"{session.path}: written")
    session.reread()
    known = {each.message for each in before.warnings}
    session.terminal.diagnose(each for each in after.warnings if each.message not in known)


def value(session: Session, name: str, key: str, added: Value) -> bool:
    """Append to a list of a workspace, under the lock of all configurations; False if it is there.

    Raises:
        Refused: the file with the value in it would not be valid; nothing has been written.
    """
    with files.locked(cache_directory() / "config.toml.lock", PATIENCE):
        # Read again: somebody else may have changed it before the lock was ours.
        before = session.reread()
        if name not in before.config.workspaces:
            raise unknown_workspace(name, names(before.config))
        changed = append(session.text(), name, key, added)
        after = _checked(session, changed)
        if (where := _there(before, after, name, key)) is not None:
            shown = added if isinstance(added, str) else added["to"]
            session.terminal.say(f"{shown} is already in {where}", Meaning.WARNS)
            return False
        _write(session, before, after, changed)
    return True


def is_new(session: Session, name: str, key: str, added: Value) -> bool:
    """Tell whether a value would be appended; nothing is written.

    Raises:
        Refused: the file with the value in it would not be valid.
    """
    after = source.check(append(session.text(), name, key, added), session.path)
    return _there(session.source(), after, name, key) is None


def _there(before: LoadedConfig, after: LoadedConfig, name: str, key: str) -> str | None:
    """Return the list that holds already what was added at the end of one; None if none does."""
    new = getattr(after.config.workspaces[name], key)[-1]
    mine = before.config.workspaces[name]
    if not isinstance(new, HostEntry | NetworkEntry):
        return f"{key} of workspace {name}" if new in getattr(mine, key) else None
    for scope, of in ((mine, f"workspace {name}"), (before.config.defaults, "[defaults]")):
        for each in ("allowed_hosts", "allowed_networks"):
            if any(holds(entry, new) for entry in getattr(scope, each)):
                return f"{each} of {of}"
    return None
