"""Give the user's terminal back only when it has answered all that a sandbox has asked it.

What it answers later is typed to the user's shell, which obeys it. What the user types meanwhile
goes with the answers: the two cannot be told apart.
"""

import os
import secrets
import select
import termios
import time
from contextlib import suppress

from jailoc.bin.attach.output import PIECE, Display
from jailoc.bin.attach.wakeup import ENDING, Alarm
from jailoc.generators.attach import questions

SILENCE = 5.0
"""Seconds that a terminal may type nothing until it is given up."""
PATIENCE = 10.0
"""Seconds in all, however much it types."""
SETTLES = 0.1
"""Seconds without a word once it has answered: some multiplexers ask for a colour themselves first.
"""
UNANSWERED = (
    "the terminal has not answered what the sandbox asked it; what it types now is not yours: "
    "empty the line before you press Enter"
)
"""What is said of one that was given up."""


def same_terminal(keys: int, screen: int) -> bool:
    """Tell whether what is asked on a screen is answered by what is read there.

    Without somebody to read it, no answer may be caused.
    """
    if not (os.isatty(keys) and os.isatty(screen)):
        return False
    if os.fstat(keys).st_rdev == os.fstat(screen).st_rdev:
        return True
    try:
        # A process has one terminal that controls it, /dev/tty by another name.
        return os.tcgetpgrp(keys) == os.tcgetpgrp(screen)
    except OSError:
        return False


class Gate:
    """Where a terminal is given back; entered once it is raw, and before what is shown on it.

    Args:
        keys: The descriptor that the terminal types to.
        alarm: Tells of signals.
    """

    def __init__(self, keys: int, alarm: Alarm) -> None:
        self._keys, self._alarm = keys, alarm
        self._fence = questions.Fence(secrets.randbits(questions.BITS))
        self.question = self._fence.question
        """What a display writes behind all else, if anything has been asked."""
        self.display: Display | None = None
        self.flushes = False
        """Whether what was typed is no command for the shell, whatever was asked."""
        self.unanswered = False
        """Whether the terminal may still type an answer."""

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, *_: object) -> None:
        asked = self.display is not None and self.display.asked
        if asked:
            self.unanswered = not self._answered()
        if asked or self.flushes:
            with suppress(termios.error):
                termios.tcflush(self._keys, termios.TCIFLUSH)

    def _answered(self) -> bool:
        """Read and drop what is typed up to the answer; tell whether it came.

        A Ctrl-C that is typed ends nothing: it may have been the program's.
        """
        start = time.monotonic()
        last, end, answered = start + PATIENCE, start + SILENCE, False
        while (left := min(end, last) - time.monotonic()) > 0:
            readable, _, _ = select.select([self._alarm.descriptor, self._keys], [], [], left)
            if self._alarm.taken() & ENDING:
                break
            if self._keys not in readable:
                continue
            try:
                piece = os.read(self._keys, PIECE)
            except OSError:
                piece = b""
            if not piece:
                return True  # the terminal is gone, and types nothing any more
            answered = answered or self._fence.answered(piece)
            end = time.monotonic() + (SETTLES if answered else SILENCE)
        return answered
