"""Which program of this machine listens on a port, as far as this user may know (proc(5))."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from jailoc.model.text import visible

LISTENING = "0A"
"""The state of a socket in /proc/net/tcp; numbers there are hexadecimal."""
LONGEST = 40
"""Characters of a program's name that are shown."""


def listener(port: int, proc: Path = Path("/proc")) -> str | None:
    """Return a program that waits for TCP connections at a port, such as `node (PID 7)`.

    Other users' programs, and those of other machines and network namespaces, are not known.
    """
    wanted = {f"socket:[{each}]" for each in _sockets(port, proc)}
    if not wanted:
        return None
    for process in sorted(proc.glob("[0-9]*"), key=lambda each: int(each.name)):
        if wanted & {*_open(process)}:
            return f"{_name(process)} (PID {process.name})"
    return None


def _sockets(port: int, proc: Path) -> Iterator[str]:
    """Yield the inodes of the sockets that listen there."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for words in map(str.split, lines):
            if len(words) > 9 and words[3] == LISTENING and words[1].endswith(f":{port:04X}"):
                yield words[9]


def _open(process: Path) -> Iterator[str]:
    """Yield what is open in a process; nothing of another user's, or of one that has ended."""
    with suppress(OSError):
        for each in (process / "fd").iterdir():
            with suppress(OSError):  # it was closed meanwhile
                yield str(each.readlink())


def _name(process: Path) -> str:
    try:
        text = (process / "comm").read_text(errors="replace").rstrip("\n")
    except OSError:
        return "a program"
    return visible(text)[:LONGEST] or "a program"
