"""`add`: append a directory to the paths of a workspace."""

import os
import shlex
from dataclasses import replace

from jailoc.bin.commands import up
from jailoc.bin.config import append, source
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import existence
from jailoc.bin.engine import containers
from jailoc.generators.config.select import select
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.forbidden_paths import trespass
from jailoc.model.palette import Meaning
from jailoc.model.path import first_within, tilde, within


def run(session: Session, directory: str | None) -> int:
    """Append a directory to the paths of a workspace; a running one is brought up to date."""
    target = source.directory(directory)
    if directory is not None:
        session = replace(session, command=f"add {shlex.quote(directory)}")
    origin = session.source()
    # Before a workspace is asked for, by a name that would not help.
    named = directory is not None and session.workspace is None
    if named and (reason := trespass(target, origin.host)):
        raise refuse(
            "path-forbidden",
            f"path `{target}` is forbidden: {reason}",
            allowed="a directory without credentials, engine sockets or jailoc's own files",
            hint="name the single directories below it that the agent needs",
        )
    other = "`jailoc init --here` adds a workspace for a directory"
    name = _meant(session, origin, target, other)
    mine = origin.config.workspaces.get(name)
    above = first_within(target, [each for each in mine.paths if each != target] if mine else [])
    real = os.path.realpath(target)
    if above is not None and not within(real, os.path.realpath(above)):
        raise refuse(
            "directory",
            f"`{target}` leads out of `{above}`, over a symbolic link that an agent can change",
            hint="put a directory in the place of the link",
        )
    if above is not None:
        session.terminal.say(
            f"{tilde(target, origin.host.home)} is in workspace {name} already, as a part of "
            f"{tilde(above, origin.host.home)}",
            Meaning.WARNS,
        )
        return 0
    with append.kept_if_done(session):
        added = append.path(session, name, target)
        if added and existence.started(name) and containers.running(name):
            return up.run(session.of(name))
    if added:
        session.terminal.say(f"next: `jailoc up {name}`")
    return 0


def _meant(session: Session, origin: LoadedConfig, target: str, other: str) -> str:
    """Return the workspace that was named or has the directory, else that of the current one.

    Raises:
        Refused: there is none.
    """
    try:
        return session.chosen(origin, target, other=other)
    except Refused:
        here = select(origin.config, source.current_directory())
        if session.workspace is not None or here is None:
            raise
        return here
