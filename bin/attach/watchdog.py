"""Keeps looking whether a program may go on, while it runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERVAL = 0.5
"""Seconds between two looks."""


class Watch:
    """Calls `look` until it returns a reason to stop."""

    def __init__(self, look: Callable[[], str | None], interval: float = INTERVAL) -> None:
        self.reason: str | None = None
        self._look, self._interval = look, interval
        self._over = threading.Event()

    def look(self) -> str | None:
        """Look once, now."""
        self.reason = self.reason or self._look()
        return self.reason

    @contextmanager
    def running(self, found: Callable[[], None]) -> Iterator[None]:
        """Look in the background during the block; `found` is called once there is a reason."""
        # A look that hangs must not keep the process alive.
        thread = threading.Thread(target=self._run, args=(found,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()

    def _run(self, found: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                self.look()
            except Exception as error:
                self.reason = f"watching it failed: {error}"
            if self.reason:
                found()
                return
            self._over.wait(self._interval)
