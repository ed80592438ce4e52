"""`init`: write the commented starter configuration, or a workspace more for a directory."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from jailoc.bin.config import append, facts, source
from jailoc.bin.config.session import Session
from jailoc.bin.host import files
from jailoc.generators.config.edit import put_workspace
from jailoc.generators.config.resolve import names
from jailoc.generators.config.select import select
from jailoc.generators.config.starter import SCHEMA_FILE, name_of, starter
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.path import tilde
from jailoc.schemas import schema


def run(session: Session, here: bool) -> int:
    """Write the commented starter configuration, and the schema that its first line names.

    An existing file is never touched, but for a workspace more at its end.

    Args:
        session: The place to write to.
        here: Whether a workspace is to be for the current directory.

    Raises:
        Refused: there is a configuration, or the directory can be none of a workspace.
    """
    path = session.path
    if path.is_symlink() and not path.exists():
        source.text_of(path, named=True)  # says where the link leads
    if path.exists():
        if here:
            return _another(session)
        raise refuse(
            "config-exists",
            f"`{path}` exists already",
            hint="edit it, or give another place with --config; `jailoc init --here` in a project "
            "adds a workspace for it",
        )
    directory = source.current_directory() if here else None
    text = starter(directory, facts.home())
    with _for(directory):
        checked = source.check(text, path)
    files.make(path.parent, 0o750)
    files.write(path, text, 0o600)
    session.terminal.told(f"{path}: written")
    beside = path.with_name(SCHEMA_FILE)
    if not (beside.exists() or beside.is_symlink()):
        files.write(beside, json.dumps(schema("config"), indent=2) + "\n", 0o644)
        session.terminal.told(f"{beside}: written, for editors")
    session.terminal.diagnose(checked.warnings)
    if directory is None:
        session.terminal.say("next: `jailoc add DIRECTORY`, with what an agent is to work on")
    else:
        _next(session, names(checked.config)[0], directory)
    return 0


def _another(session: Session) -> int:
    """Add a workspace for the current directory to the configuration that there is."""
    directory, before = source.current_directory(), session.source().config
    if (there := select(before, directory)) is not None:
        session.terminal.told(f"{session.path}: nothing to add")
        _next(session, there, directory)
        return 0
    name = name_of(directory, before.workspaces)
    written = tilde(directory, facts.home())
    with _for(directory):
        append.rewritten(session, lambda text: put_workspace(text, name, written))
    session.terminal.told(f"{session.path}: workspace {name} added")
    _next(session, name, directory)
    return 0


def _next(session: Session, name: str, directory: str) -> None:
    session.terminal.say(
        f"workspace {name} is for {directory}; next: `jailoc doctor`, then `jailoc up {name}`"
    )


@contextmanager
def _for(directory: str | None) -> Iterator[None]:
    """Say of what a directory is refused for that it is the directory.

    Raises:
        Refused: it is.
    """
    try:
        yield
    except Refused as error:
        if directory is None:
            raise
        first = error.diagnostics[0]
        raise refuse(
            first.code,
            f"`{directory}` cannot be a workspace's, and nothing was written: {first.message}",
            allowed=first.allowed,
            hint=first.hint,
        ) from None
