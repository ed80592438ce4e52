"""One descriptor that wakes a waiting loop: for signals, and for threads that have news."""

import os
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

SIGNALS = (
    signal.SIGCHLD,
    signal.SIGCONT,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGWINCH,
)
"""Those that a loop takes itself, instead of what they would do otherwise."""
ENDING = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGTERM})
"""Those that ask for an end."""


def _nothing(number: int, frame: FrameType | None) -> None:
    """Let the interpreter note the signal: only one with a handler is written to the pipe."""


class Alarm:
    """While entered, each signal makes `descriptor` readable, and `taken` tells which they were."""

    def __init__(self) -> None:
        self.descriptor, self._bell = os.pipe()
        for each in (self.descriptor, self._bell):
            os.set_blocking(each, False)
        self._before: dict[int, Any] = {}
        self._wakeup = -1
        self._lock = threading.Lock()

    def __enter__(self) -> "Alarm":
        # A full pipe loses nothing: whoever is late looks at what is so now.
        self._wakeup = signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        for number in SIGNALS:
            # What was started deaf to an end, by nohup(1) or a shell, stays so.
            if number in ENDING and signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, _nothing)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        with self._lock:
            os.close(self._bell)
            self._bell = -1
        os.close(self.descriptor)

    def ring(self) -> None:
        """Wake the loop; a thread may call it at any time, even when all is over."""
        with self._lock, suppress(OSError):
            os.write(self._bell, b"\0")

    def taken(self) -> set[int]:
        """Return the signals since the last call; 0 is for `ring`."""
        found: set[int] = set()
        with suppress(BlockingIOError):
            while piece := os.read(self.descriptor, 4096):
                found.update(piece)
        return found
