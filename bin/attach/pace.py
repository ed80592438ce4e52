"""Let a sandbox's question pass only to a terminal that has shown all of what came before.

One that is far behind (slow, or at the end of a slow line) would answer long after the sandbox's
program has ended, when nobody waits for it any more.
"""

import secrets
import threading
from collections.abc import Callable

from jailoc.generators.attach import questions

BACKLOG = 0
"""Bytes that a terminal may be behind: a few thousand keep xterm busy for a minute."""
PATIENCE = 3.0
"""Seconds in which a terminal catches up, or the question is dropped."""
MOST_HELD = 1 << 16
"""Bytes of what is typed that wait for the answer to jailoc's own question."""


class Pace:
    """How far a terminal is behind what it was sent.

    One thread shows and asks, another one reads what is typed.

    Args:
        show: Writes to the terminal.
        news: Called when what was held back may go on.
    """

    def __init__(self, show: Callable[[bytes], None], news: Callable[[], None]) -> None:
        self._show, self._news = show, news
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._fence: questions.Fence | None = None
        """What is asked, until it is answered."""
        self._holds, self._held = False, b""
        self._sent = self._at = self._known = 0
        """Bytes sent in all, up to what is asked, and up to what holds nothing up any more."""
        self._over = False
        self.asked = False
        """Whether jailoc itself has asked."""

    def sent(self, count: int) -> None:
        """Note that bytes were sent."""
        self._sent += count

    def end(self) -> None:
        """Let no question pass any more: nobody is left to read an answer."""
        self._over = True
        self._answered.set()

    def may_ask(self, size: int) -> bool:
        """Tell whether the terminal may be asked now; wait for it to catch up.

        Args:
            size: Bytes of the question, which is sent next and holds nothing up.
        """
        if not self._over and self._sent - self._known > BACKLOG:
            self._catch_up()
        passes = not self._over and self._sent - self._known <= BACKLOG
        self._known += size if passes else 0
        return passes

    def _catch_up(self) -> None:
        with self._lock:
            if self._fence:
                return  # it has not answered the last one either
            self._fence = questions.Fence(secrets.randbits(questions.BITS))
            self._at, self._holds = self._sent + len(self._fence.question), True
            self._answered.clear()
            self.asked = True
        self._show(self._fence.question)
        if not self._over:
            self._answered.wait(PATIENCE)
        with self._lock:
            self._holds = False
        self._news()

    def typed(self, piece: bytes) -> bytes:
        """Return what of that which is typed is the program's: all but answers to jailoc."""
        with self._lock:
            if self._fence and self._fence.answered(piece):
                piece = self._fence.without(self._held + piece)
                self._fence, self._held, self._holds = None, b"", False
                self._known = self._at
                self._answered.set()
                return piece
            piece, self._held = self._held + piece, b""
            if self._holds and len(piece) < MOST_HELD:
                piece, self._held = b"", piece
            return piece
