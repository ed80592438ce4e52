"""What a backup tells while it goes on, and the bounds that end it."""

import time
from pathlib import Path

from jailoc.bin.deploy.restic import used
from jailoc.generators.runtime import left_out
from jailoc.generators.runtime.left_out import LeftOut
from jailoc.generators.runtime.snapshots import message
from jailoc.model.snapshots import Snapshots

PACE = 2.0
"""Seconds from one look at the size of a store that grows to the next."""
READ_MOST = 16
"""How many times its store's size a snapshot may read: holes in files take time, if no room."""


class TooLargeError(Exception):
    """A store grows beyond what it may take, or what is read does."""


class Progress:
    """What a backup says on its way; it is ended when its store, or what it reads, is too large."""

    def __init__(self, directory: Path, bounds: Snapshots) -> None:
        self._directory, self._bounds, self._next = directory, bounds, 0.0
        self.summary: dict[str, object] = {}
        self.lacks: LeftOut | None = None

    def line(self, line: bytes) -> None:
        """Read one line.

        Raises:
            TooLargeError: the store has more bytes than it may have, or more were read.
        """
        told = message(line)
        if lacks := left_out.read(line, self._bounds.larger_than):
            self.lacks = lacks
        elif told.get("message_type") == "summary":
            self.summary = told
        elif time.monotonic() > self._next:
            done = told.get("bytes_done")
            if isinstance(done, int) and done > READ_MOST * self._bounds.size:
                raise TooLargeError
            if used(self._directory) > 2 * self._bounds.size:
                raise TooLargeError
            self._next = time.monotonic() + PACE
