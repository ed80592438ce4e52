"""One line that says what is waited for: it renews itself on a terminal, and is plain in a pipe."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import ClassVar

from jailoc.bin.terminal.terminal import ERASE, Terminal, visible
from jailoc.model.palette import Meaning


class Live:
    """A line of progress while it is entered.

    On a terminal each text takes the place of the one before, and nothing is left at the end. In a
    pipe a text is written once, when it is another than before.
    """

    _lock: ClassVar[RLock] = RLock()
    _elsewhere: ClassVar[int] = 0
    """How many others have the terminal to themselves."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._moving = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._last = ""

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._moving:
                _erase()

    def show(self, text: str, detail: str = "") -> None:
        """Show what is waited for; the detail may change often, and is for terminals only."""
        with self._lock:
            if not self._moving:
                if text != self._last:
                    self._terminal.say(text)
                self._last = text
            elif not Live._elsewhere:
                self._draw(f"{text}{detail}")

    def _draw(self, whole: str) -> None:
        if whole != self._last or not Terminal.drawn:
            width = os.get_terminal_size(sys.stderr.fileno()).columns
            shown = visible(whole)[: max(1, width - 1)]
            sys.stderr.write(ERASE + self._terminal.paint(shown, Meaning.NOTES, sys.stderr))
            sys.stderr.flush()
            Terminal.drawn = True
        self._last = whole

    @classmethod
    @contextmanager
    def silent(cls) -> Iterator[None]:
        """Draw no line during the block: somebody else draws there."""
        with cls._lock:
            _erase()
            Live._elsewhere += 1
        try:
            yield
        finally:
            with cls._lock:
                Live._elsewhere -= 1


def _erase() -> None:
    if Terminal.drawn:
        sys.stderr.write(ERASE)
        sys.stderr.flush()
        Terminal.drawn = False
