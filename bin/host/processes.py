"""Do the same with each of many things, on all processors where it pays."""

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, BinaryIO, NoReturn, TypeVar

Thing = TypeVar("Thing")
Made = TypeVar("Made")

WORTH = 16
"""Things that are worth a process."""
MOST = 8
"""Processes at once: each has memory of its own."""
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def mapped(work: Callable[[Thing], Made], things: Sequence[Thing]) -> Iterator[Made]:
    """Yield what work makes of each thing, in their order.

    Of many things each of several copies of this process does a share, and sends what it made. A
    copy that fails, or is killed, is no error: what it has left is done here. So an error is that
    of the first thing that has one, and is raised here; things after that may have been done.

    Args:
        work: What is done. What it changes in this process is lost where a copy does it.
        things: What it is done with.

    Raises:
        Exception: what `work` raises.
    """
    count = _processes(len(things))
    with ExitStack() as stack:
        done = (
            [stack.enter_context(_dealt(work, things[index::count])) for index in range(count)]
            if count > 1
            else [iter(())]
        )
        for index, thing in enumerate(things):
            yield from next(done[index % count], None) or (work(thing),)


def _processes(things: int) -> int:
    """Return how many processes are to do so many things.

    A copy has none of the threads, and what they hold is never let go of; elsewhere than on Linux
    the libraries of a system may have some that nobody knows of.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), MOST, things // WORTH))


@contextmanager
def _dealt(
    work: Callable[[Thing], Made], share: Sequence[Thing]
) -> Iterator[Iterator[tuple[Made]]]:
    """Have a copy of this process do a share; yield what it sends, each in a tuple of its own.

    It is deaf to what ends this one: a signal to both must not be told of twice. Once nobody reads
    what it sends, whatever the reason, it ends. An older copy's pipe is open in the younger ones,
    too, which end first.
    """
    reading, writing = os.pipe()
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        if (copy := os.fork()) == 0:
            _send(work, share, reading, writing)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            yield _received(pipe)
    finally:
        os.waitpid(copy, 0)


def _send(
    work: Callable[[Thing], object], share: Sequence[Thing], reading: int, writing: int
) -> NoReturn:
    """Do a share in a copy of the process, which ends here, and leaves nothing to tell."""
    try:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            for thing in share:
                pickle.dump((work(thing),), pipe)
                pipe.flush()
    finally:
        os._exit(0)


def _received(pipe: BinaryIO) -> Iterator[tuple[Any]]:
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(pipe)  # noqa: S301 -- what wrote it is this program, too
