"""One line that says what is waited for: it renews itself on a terminal, and is plain in a pipe."""

import os
import sys

from jailoc.bin.terminal.terminal import ERASE, Terminal, visible
from jailoc.model.palette import Meaning


class Live:
    """A line of progress while it is entered.

    On a terminal each text takes the place of the one before, and nothing is left at the end. In a
    pipe a text is written once, when it is another than before.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._moving = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._last = ""

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, *_: object) -> None:
        if self._moving and Terminal.drawn:
            sys.stderr.write(ERASE)
            sys.stderr.flush()
            Terminal.drawn = False

    def show(self, text: str, detail: str = "") -> None:
        """Show what is waited for; the detail may change often, and is for terminals only."""
        if not self._moving:
            if text != self._last:
                self._terminal.say(text)
        elif (whole := f"{text}{detail}") != self._last or not Terminal.drawn:
            text = whole
            width = os.get_terminal_size(sys.stderr.fileno()).columns
            shown = visible(whole)[: max(1, width - 1)]
            sys.stderr.write(ERASE + self._terminal.paint(shown, Meaning.NOTES, sys.stderr))
            sys.stderr.flush()
            Terminal.drawn = True
        self._last = text
