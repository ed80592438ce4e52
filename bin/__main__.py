"""Run the command line: `python -m jailoc.bin`."""

import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from jailoc.bin.host import farewell
from jailoc.bin.terminal.coding import fit

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TOGETHER = 0.25
"""Seconds within which another signal is the same press: timeout(1) and others pass theirs on."""
GARBAGE = 100_000
"""Objects between two looks for garbage: what a command makes lives until its end."""


def main() -> None:
    """Run `jailoc` with the arguments of this process and exit with its status.

    The first signal ends the command in order, the second ends the process at once.
    """
    status = 1
    try:
        _catch(_interrupt)
        _streams()
        gc.set_threshold(GARBAGE)
        # Nothing that is installed beside jailoc has a say in its checks.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
        from jailoc.bin.cli.main import run

        status = run(sys.argv[1:])
        _catch(_end)
    except KeyboardInterrupt:
        # Before the command line was there, or while it was already saying goodbye.
        _catch(_end)
        with suppress(OSError):
            os.write(2, b"interrupted\n")
    sys.exit(status)


def _catch(handler: Callable[[int, FrameType | None], None]) -> None:
    for each in SIGNALS:
        # What was started deaf to a signal, by nohup(1) or a shell, stays so.
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, handler)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    first = time.monotonic()

    def again(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - first >= TOGETHER:
            _end(number, frame)

    _catch(again)
    raise KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> NoReturn:
    # Nothing is imported here: a thread that has been stopped might hold what that waits for.
    farewell.say()
    os._exit(1)


def _streams() -> None:
    """Give a process that was started without a stream one that leads nowhere.

    What leads to a terminal gets no character that this would take for something else.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 -- as long as the process
    for each in (sys.stdout, sys.stderr):
        fit(each)


if __name__ == "__main__":
    main()
