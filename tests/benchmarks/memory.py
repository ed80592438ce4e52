"""What a command and all its processes hold at once; what they share counts once (proc(5), Pss)."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OFTEN = 0.2
"""Seconds between two looks."""


class Most:
    """The most that was seen."""

    def __init__(self) -> None:
        self.kib = 0


@contextmanager
def watched() -> Iterator[Most]:
    """Look at what runs below this process until it is left."""
    most, over = Most(), threading.Event()

    def look() -> None:
        while not over.wait(OFTEN):
            most.kib = max(most.kib, sum(map(_shared_out, _below(os.getpid()))))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        over.set()
        looking.join()


def _below(process: int) -> Iterator[int]:
    for place in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            for each in map(int, place.read_text().split()):
                yield each
                yield from _below(each)


def _shared_out(process: int) -> int:
    """Return the KiB of a process; 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
