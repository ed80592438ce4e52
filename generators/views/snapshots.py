"""Snapshots as lines for people."""

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from jailoc.model.quantity import duration_text, size_text
from jailoc.model.snapshots import StoredSnapshot
from jailoc.model.text import number_of


def described(snapshot: StoredSnapshot) -> str:
    """Say in one line what a snapshot holds.

    >>> described(StoredSnapshot(id="ab" * 32, time=0.0, paths=(), tree="", files=2, bytes=1536))
    'snapshot abababab: 2 files, 1.5 KiB'
    """
    parts = [] if snapshot.files is None else [number_of(snapshot.files, "file")]
    parts += [] if snapshot.bytes is None else [size_text(snapshot.bytes)]
    return f"snapshot {snapshot.short}" + (f": {', '.join(parts)}" if parts else "")


def data(snapshot: StoredSnapshot) -> dict[str, JsonValue]:
    """Return what a program would read of a snapshot."""
    return {
        "id": snapshot.id,
        "time": int(snapshot.time),
        "why": snapshot.why,
        "paths": list(snapshot.paths),
        "files": snapshot.files,
        "bytes": snapshot.bytes,
    }


def table(every: Iterable[StoredSnapshot], now: float) -> Iterator[str]:
    """Yield a line of heads and one a snapshot; nothing where there are none.

    Args:
        every: The snapshots.
        now: Seconds since the epoch.
    """
    rows = [("id", "age", "taken", "files", "size")]
    rows += [
        (
            each.short,
            duration_text(int(now - each.time)),
            each.why,
            "-" if each.files is None else str(each.files),
            "-" if each.bytes is None else size_text(each.bytes),
        )
        for each in every
    ]
    if len(rows) == 1:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
