"""A step as people see it: a line that counts its seconds on a terminal, a plain one in a pipe."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from jailoc.bin.terminal.status_line import Live
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.palette import Meaning

PACE = 0.25
"""Seconds from one look of the line to the next."""


@contextmanager
def step(terminal: Terminal, text: str) -> Iterator[None]:
    """Show one step while it lasts, and that it failed or was interrupted if it did."""
    begun, over = time.monotonic(), Event()
    mover = None
    if terminal.moving:
        mover = Thread(target=_move, args=(terminal, text, begun, over), daemon=True)
        mover.start()
    else:
        terminal.say(text)
    how, meaning = "", Meaning.NOTES
    try:
        yield
    except KeyboardInterrupt:
        how, meaning = ": interrupted", Meaning.WARNS
        raise
    except BaseException:
        how, meaning = ": failed", Meaning.FAILS
        raise
    finally:
        over.set()
        if mover is not None:
            mover.join()
        if mover is not None or how:
            terminal.steady().say(f"{text}{how} ({time.monotonic() - begun:.1f} s)", meaning)


def _move(terminal: Terminal, text: str, begun: float, over: Event) -> None:
    # A terminal that has gone away ends the line, not the step.
    with suppress(OSError, ValueError), Live(terminal) as line:
        while not over.is_set():
            line.show(text, f" ({time.monotonic() - begun:.0f} s)")
            over.wait(PACE)
