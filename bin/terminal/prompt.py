"""Questions to the person at the keyboard, or to whoever has piped the answers."""

import os
import sys
import termios
from contextlib import suppress

from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import refuse
from jailoc.model.palette import Meaning

LONGEST = 1000
"""Bytes of an answer; what is longer is no."""


def ask(terminal: Terminal, question: str) -> bool:
    """Ask a question that only `y` or `yes` answers with yes.

    What was typed at a terminal before the question was there is no answer: it is dropped. Nothing
    is read beyond the answer's line, so whoever reads a pipe next gets what follows. The end of
    the input ends a line, too; without a line it is no. What interrupts it is said on a new line.
    """
    with suppress(termios.error):  # no terminal: what is piped was meant for the question
        termios.tcflush(0, termios.TCIFLUSH)
    try:
        terminal.ask(f"{question} [y/N] ")
        answer, ended = _line(0)
    except KeyboardInterrupt:
        terminal.end_line()
        raise
    if not ended or not sys.stdin.isatty():
        # Nobody has pressed Return, so the next line would begin here.
        terminal.say("")
    return answer.strip().lower() in {b"y", b"yes"}


def agreed(terminal: Terminal, question: str, what: str, hint: str) -> bool:
    """Ask whether to go on.

    Args:
        terminal: Where it is asked.
        question: The question.
        what: What somebody would agree to.
        hint: What to do where nobody is there to answer.

    Raises:
        Refused: nobody is there to answer.
    """
    if not sys.stdin.isatty():
        raise refuse(
            "unconfirmed",
            f"nobody has agreed to {what}, and standard input is no terminal",
            hint=hint,
        )
    if ask(terminal, question):
        return True
    terminal.say("nothing is changed", Meaning.WARNS)
    return False


def _line(descriptor: int) -> tuple[bytes, bool]:
    """Return the next line, and whether a line break ended it."""
    line = b""
    while len(line) < LONGEST:
        try:
            byte = os.read(descriptor, 1)
        except OSError:
            break
        if not byte:
            break
        if byte == b"\n":
            return line, True
        line += byte
    return line, False
