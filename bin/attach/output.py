"""What a program writes to its terminal, on its way to the screen, in a thread of its own.

A screen that is slow or stands still holds up nothing else.
"""

import errno
import os
import select
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

from jailoc.bin.attach.pace import Pace
from jailoc.bin.attach.wakeup import ENDING, Alarm
from jailoc.bin.terminal.coding import reads_utf8
from jailoc.generators.attach.drawn import Drawn
from jailoc.generators.attach.escape_filter import EscapeFilter
from jailoc.generators.attach.resume_hint import Rewriter
from jailoc.generators.attach.terminal_modes import Screen

IDLE = 0.05
"""Seconds until a piece that could be the beginning of the client's hint is shown as it is."""
LAST_WORDS = 1.0
"""Seconds that a screen has to take the last output where nobody wants to wait."""
STILL = 1.0
"""Seconds without a word from a program that has drawn nothing until something is said for it."""
PIECE = 1 << 16
_THERE = b"\x1b7\x1b[0m\x1b[1;1H%s\x1b8"
_GONE = b"\x1b7\x1b[0m\x1b[1;1H\x1b[2K\x1b8"
"""A text in the first line, and none; cursor and colours stay as they were (ECMA-48, DECSC)."""


class Display:
    """Copies from a pseudo-terminal to a screen while it is entered.

    Args:
        master: The pseudo-terminal's own side; once entered, it is closed at the end.
        screen: Where to.
        alarm: Rung when nothing more will be copied.
        hint: What the client says before a session's name when it ends.
        foreign: Whether the program runs in the sandbox, so that not every sequence may pass.
        begins: What is said on its screen while it has taken that and drawn nothing.
        fence: What is asked at the end of who may ask the terminal; without it none of a sandbox's
            questions passes.
    """

    def __init__(
        self,
        master: int,
        screen: int,
        alarm: Alarm,
        hint: str,
        *,
        foreign: bool,
        begins: str = "",
        fence: bytes = b"",
    ) -> None:
        self.error: OSError | None = None
        self._begins, self._said = begins, False
        self._master, self._screen, self._alarm, self._hint = master, screen, alarm, hint
        self._drawn = Drawn()
        self._fence = fence
        self.pace = Pace(self._show, alarm.ring)
        if not fence:
            self.pace.end()
        self._filter = EscapeFilter(utf8=reads_utf8(screen), may_ask=self.pace.may_ask)
        self._passing = self._filter.parts if foreign else _whole
        self._over, self._end = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Display":
        try:
            self._thread.start()
        except BaseException:
            self._close()
            os.close(self._over)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._thread.join(LAST_WORDS)
        # A thread that hangs in a write must not wake up with descriptors of somebody else.
        if not self._thread.is_alive():
            os.close(self._over)
            os.close(self._master)

    @property
    def drawn(self) -> bool:
        """Tell whether anything of the program is seen on the screen."""
        return self._drawn.seen

    @property
    def asked(self) -> bool:
        """Tell whether anything was sent to the screen that it answers."""
        return self._filter.asked or self.pace.asked

    def wait(self) -> None:
        """Wait until all that an ended program wrote is shown, or a signal ends the waiting."""
        self._close()
        while self._thread.is_alive() and not self._alarm.taken() & ENDING:
            select.select([self._alarm.descriptor], [], [], 0.2)

    def _close(self) -> None:
        self.pace.end()
        if self._end >= 0:
            os.close(self._end)
            self._end = -1

    def _run(self) -> None:
        try:
            self._copy()
        except OSError as error:
            self.error = error
        self._alarm.ring()
        if self.asked:
            self._ask()

    def _copy(self) -> None:
        rewriter, changes = Rewriter(self._hint), Screen()
        for piece in chain.from_iterable(map(self._passing, self._pieces(rewriter))):
            if not piece:
                self._say(changes)
                continue
            changes.feed(piece)
            self._drawn.feed(piece)
            if self._said and self._drawn.seen:
                self._said, self._begins = False, ""
                self._show(_GONE)
            self._show(piece)
        if os.isatty(self._screen):
            self._show(changes.leave())

    def _ask(self) -> None:
        """Ask behind all else, so that what is answered tells that all else is."""
        # As long as the program runs it is given what is typed.
        select.select([self._over], [], [])
        with suppress(OSError):
            self._show(self._fence)
        self._alarm.ring()

    def _say(self, changes: Screen) -> None:
        """Say that the program begins, where it has taken the screen and stands still."""
        waits = self._begins and not self._said and not self._drawn.seen
        if waits and changes.alternate and self._drawn.between:
            self._said = True
            self._show(_THERE % self._begins.encode())

    def _pieces(self, rewriter: Rewriter) -> Iterator[bytes]:
        over = False
        while True:
            watched = [self._master] if over else [self._master, self._over]
            still = STILL if self._begins and not self._said else None
            idle = IDLE if over or rewriter.holds else still
            readable, _, _ = select.select(watched, [], [], idle)
            if self._master in readable:
                if not (piece := self._read()):
                    break
                yield rewriter.feed(piece)
            elif self._over in readable:
                # The program has ended; somebody whom it started may hold its terminal open.
                over = True
            elif over:
                break
            else:
                yield rewriter.flush()
        yield rewriter.flush()

    def _read(self) -> bytes:
        try:
            return os.read(self._master, PIECE)
        except OSError as error:
            # Nobody holds the other side any more: that is how a terminal ends on Linux.
            if error.errno == errno.EIO:
                return b""
            raise

    def _show(self, data: bytes) -> None:
        while data:
            count = os.write(self._screen, data)
            self.pace.sent(count)
            data = data[count:]


def _whole(piece: bytes) -> Iterator[bytes]:
    yield piece
