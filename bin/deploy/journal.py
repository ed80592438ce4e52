"""The journal of an undo that has begun: while it lies there, nothing starts the workspace."""

from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from jailoc.bin.config import facts
from jailoc.bin.host import files, regular
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.snapshots import UndoJournal

LARGEST = 1 << 20
"""Bytes of one."""


def place(workspace: str) -> Path:
    """Return where it lies."""
    return facts.state_directory() / workspace / "undo.json"


def read(workspace: str) -> UndoJournal | None:
    """Return the journal; None if no undo has begun.

    Raises:
        Refused: it cannot be read, or another version wrote it.
    """
    try:
        return UndoJournal.model_validate_json(regular.read(str(place(workspace)), LARGEST))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, regular.NotRegular):
        raise refuse(
            "undo-unfinished",
            f"an undo of `{workspace}` has begun, and its journal `{place(workspace)}` cannot be "
            "read",
            hint="look at the files; if they are as they should be, remove the journal",
        ) from None


def write(workspace: str, journal: UndoJournal) -> None:
    """Write it down, so that it outlasts a loss of power."""
    files.make_private(place(workspace).parent)
    files.write(place(workspace), journal.model_dump_json() + "\n", 0o600)


def remove(workspace: str) -> None:
    """Remove it: the undo is finished."""
    with suppress(FileNotFoundError):
        place(workspace).unlink()


def check(workspace: str) -> None:
    """Refuse to go on while an undo is not finished.

    Raises:
        Refused: it is not, with what finishes it.
    """
    if read(workspace) is not None:
        raise unfinished(workspace)


def told(workspace: str) -> str | None:
    """Return what a row about a workspace says of an undo that is not finished."""
    if not place(workspace).exists():
        return None
    return f"an undo is not finished: `jailoc undo {workspace} --continue` goes on"


def workspaces() -> tuple[str, ...]:
    """Return those of which an undo is not finished."""
    found = facts.state_directory().glob(f"*/{place('').name}")
    return tuple(sorted(each.parent.name for each in found))


def unfinished(workspace: str, other: str = "") -> Refused:
    """Return the refusal while an undo is not finished, of a workspace or of one beside it."""
    beside = f", where the agent of `{other}` can write, too" if other else ""
    return refuse(
        "undo-unfinished",
        f"an undo of `{workspace}` has begun and is not finished: its files may be half of one "
        f"state and half of another{beside}",
        hint=f"run `jailoc undo {workspace} --continue`; to leave them as they are, remove "
        f"`{place(workspace)}`",
    )
