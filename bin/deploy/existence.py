"""What is known of a workspace without any engine: its name, and whether it ever ran here."""

import hashlib
import os
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from jailoc.bin.config import facts, task_records
from jailoc.bin.config.session import Session
from jailoc.bin.engine import containers, ownership, volumes
from jailoc.bin.engine.containers import Container
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.host import lock_holder, records
from jailoc.generators.config.resolve import names
from jailoc.generators.config.select import unknown_workspace
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import SANDBOX, project, task_of, typed

T = TypeVar("T")


def started(name: str) -> bool:
    """Tell whether a workspace was ever started here; if not, no engine need be asked about it.

    A cleaned cache does not make it unknown: its place among what must last is there, too.
    """
    cache, state = facts.cache_directory(), facts.state_directory()
    places = [cache / name, state / name, kept(name)]
    if task := task_of(name):
        places.append(task_records.place(*task))
    if re.fullmatch(SANDBOX, name) is None:
        return False
    return records.known(name) or any(map(os.path.lexists, places))


def kept(name: str) -> Path:
    """Return what says that volumes which are all that is left of a workspace are this user's."""
    return facts.state_directory() / ".kept" / name


def own(name: str) -> None:
    """Refuse to touch what the engine has of a workspace of somebody else.

    Volumes outlast their containers. Those of earlier versions do not say whose they are, and count
    as this user's if the workspace was ever started here.

    Raises:
        Refused: there is something of somebody else's.
        DockerError: the engine did not answer.
    """
    found = {
        each for each in volumes.origins(project(name)).values()
        if not ownership.made_here(name, each)
    }  # fmt: skip
    others = [each for each in sorted(found - {""}) if not _moved(name, each).is_dir()]
    if others:
        mark = _moved(name, others[0])
        raise refuse(
            "foreign",
            f"the volumes of workspace `{name}` on this engine are not yours: they were made from "
            f"`{others[0]}`",
            hint="give yours another name, which one user of an engine can have; if they are "
            f"yours, and that directory has moved: `mkdir -p {shlex.quote(str(mark))}`",
        )
    if not found or started(name) or containers.containers(project(name)):
        return
    raise refuse(
        "foreign",
        f"this engine has volumes of a workspace `{name}`, and you have never started one: another "
        "user has",
        hint="give yours another name; if they are yours, from another machine or before your "
        f"files were removed: `mkdir -p {shlex.quote(str(kept(name)))}`",
    )


def _moved(name: str, origin: str) -> Path:
    """Return what says that volumes which were made elsewhere are this user's all the same."""
    return kept(name) / hashlib.sha256(origin.encode()).hexdigest()[:12]


def configured(session: Session, name: str) -> bool:
    """Tell whether the configuration has a workspace.

    Raises:
        Refused: it cannot be used.
    """
    return name in session.source(expectations=False).config.workspaces


def never(session: Session, name: str) -> bool:
    """Tell whether nothing of a workspace can be there: it is configured, and never started."""
    if not started(name):
        with suppress(Refused):
            return configured(session, name)
    return False


def running(session: Session, name: str) -> None:
    """Make sure that a workspace may run, before an engine is asked whether it does.

    Raises:
        Refused: it was never started.
    """
    if never(session, name):
        raise not_running(name)


def not_running(name: str, agent: Container | None = None) -> Refused:
    """Return the refusal where a workspace would have to run, with what the agent's is instead."""
    if agent is not None and agent.state == "paused":
        holder = lock_holder.process(facts.cache_directory() / f"{name}.lock")
        return refuse(
            "halted",
            f"workspace `{typed(name)}` is halted",
            hint=f"it goes on when process {holder} has ended, which works in its files"
            if holder
            else f"`jailoc up {typed(name)}` starts it anew",
        )
    if agent is not None and agent.state == "running":
        return refuse(
            "not-running",
            f"workspace `{typed(name)}` runs, but something of it is not well",
            hint=f"`jailoc status {typed(name)}` says what, and `jailoc up {typed(name)}` mends it",
        )
    return refuse(
        "not-running",
        f"workspace `{typed(name)}` is not running",
        hint=f"run `jailoc up {typed(name)}`",
    )


def unknown(session: Session, name: str) -> Refused:
    """Return the refusal of a name that neither the configuration nor an engine has.

    Raises:
        Refused: the configuration cannot be used.
    """
    return unknown_workspace(name, names(session.source(expectations=False).config))


def answered(session: Session, name: str, ask: Callable[[], T]) -> T:
    """Ask the engine about a workspace; that nobody knows the name is told before its silence.

    Raises:
        DockerError: it did not answer.
        Refused: there is none, or the name is nobody's.
    """
    try:
        return ask()
    except (DockerError, Refused):
        if not started(name):
            nobodys = False
            with suppress(Refused):
                nobodys = not configured(session, name)
            if nobodys:
                raise unknown(session, name) from None
        raise
