"""How a program is written to and read from, within bounds of time and size. For the door alone."""

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, NamedTuple, Protocol

from jailoc.model.path import NO_PROJECT

GRACE, PATIENCE = 2.0, 30.0
"""Seconds that a program has to end itself, and those of one that is in the middle of something."""
LINE = 1 << 16
"""Bytes after which a line of a stream counts as two."""
CHUNK = 1 << 16
LAST = 1 << 11
"""Bytes that are kept of what a program complains while its answer is handed on."""
TIMED_OUT, OVERFLOWED = 124, 141
"""Statuses for what was ended from here: those of timeout(1), and of a shell after SIGPIPE."""

Process = subprocess.Popen[bytes]


class Reply(NamedTuple):
    """What a program answered."""

    status: int
    stdout: bytes = b""
    stderr: bytes = b""
    cut: str = ""
    """Why it was ended before its own end; empty if it was not."""

    @property
    def code(self) -> int:
        """Return its exit status, as of any program."""
        return self.status


_held: set[int] = set()


@contextmanager
def held(descriptor: int) -> Iterator[None]:
    """Have all that is started meanwhile hold a file open, too: it ends with the last of them."""
    _held.add(descriptor)
    try:
        yield
    finally:
        _held.discard(descriptor)


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    merged: bool = False,
    stdin: bool = False,
) -> Process:
    """Start a program with its output in pipes, where no project is.

    Args:
        command: The program and its arguments.
        environment: All of its environment.
        merged: Whether what it complains comes with what it says.
        stdin: Whether there is something to read for it.

    Raises:
        FileNotFoundError: there is no such program.
    """
    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=NO_PROJECT,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        bufsize=0,  # a read returns what there is
        pass_fds=tuple(_held),
    )


def whole(process: Process, stdin: bytes, timeout: float | None, limit: int) -> Reply:
    """Write all that a program is to read, and return all that it writes.

    Args:
        process: The program, just started.
        stdin: What it reads.
        timeout: Seconds until it is ended.
        limit: Bytes on each of its streams; with more it is ended, and the first are returned.
    """
    texts = bytearray(), bytearray()
    status, cut = _exchanged(process, stdin, texts, timeout, limit)
    return Reply(status, bytes(texts[0][:limit]), bytes(texts[1][:limit]), cut)


def poured(
    process: Process,
    stdin: bytes,
    timeout: float | None,
    limit: int,
    take: Callable[[bytes], None],
) -> Reply:
    """Write all that a program is to read, and hand on what it writes, piece by piece.

    Args:
        process: The program, just started.
        stdin: What it reads.
        timeout: Seconds until it is ended.
        limit: Bytes of its answer; with more it is ended, and the last piece may go beyond.
        take: Called with each piece; what it raises ends the program.

    Returns:
        The status, and the last words of its standard error.
    """
    told = _Last()
    status, cut = _exchanged(process, stdin, (_Handed(take), told), timeout, limit)
    return Reply(status, b"", told.text, cut)


class _Sink(Protocol):
    """Where the pieces of a stream go."""

    def extend(self, piece: bytes, /) -> None: ...

    def __len__(self) -> int:
        """Return how many bytes count for the limit."""
        ...


class _Handed:
    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take, self._size = take, 0

    def extend(self, piece: bytes, /) -> None:
        self._size += len(piece)
        self._take(piece)

    def __len__(self) -> int:
        return self._size


class _Last:
    text = b""

    def extend(self, piece: bytes, /) -> None:
        self.text = (self.text + piece)[-LAST:]

    def __len__(self) -> int:
        return 0


def _exchanged(
    process: Process,
    stdin: bytes,
    sinks: tuple[_Sink, _Sink],
    timeout: float | None,
    limit: int,
) -> tuple[int, str]:
    """Exchange until a program's end or a limit; return its status, and why it was ended."""
    clock = _Clock(timeout)
    try:
        if _all_read(process, memoryview(stdin), sinks, clock, limit):
            return process.wait(clock.left()), ""
    except (TimeoutError, subprocess.TimeoutExpired):
        return TIMED_OUT, clock.complaint
    finally:
        end(process)
    return OVERFLOWED, too_much(limit)


def _all_read(
    process: Process,
    waiting: memoryview,
    sinks: tuple[_Sink, _Sink],
    clock: "_Clock",
    limit: int,
) -> bool:
    """Exchange until the program has said all; tell whether that was within the limit.

    Raises:
        TimeoutError: it takes too long.
    """
    with selectors.DefaultSelector() as selector:
        for stream, sink in zip((process.stdout, process.stderr), sinks, strict=True):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, sink)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        while selector.get_map():
            for key in _ready(process, selector, clock):
                if key.data is None:
                    waiting = _written(key.fd, waiting)
                    if not waiting:
                        _close(selector, process.stdin)
                elif piece := os.read(key.fd, CHUNK):
                    key.data.extend(piece)
                    if len(key.data) > limit:
                        return False
                else:
                    selector.unregister(key.fileobj)
    return True


def _ready(
    process: Process, selector: selectors.BaseSelector, clock: "_Clock"
) -> list[selectors.SelectorKey]:
    """Wait until a stream has something, and return those that have; none are left at the end.

    Raises:
        TimeoutError: it takes too long.
    """
    while True:
        ended = process.poll() is not None
        found = selector.select(clock.patience())
        if clock.over:
            raise TimeoutError
        if found:
            return [key for key, _ in found]
        if ended:
            # What it has left behind may hold its streams open for ever, an ssh(1) for example.
            for key in list(selector.get_map().values()):
                selector.unregister(key.fileobj)
            return []


def _written(descriptor: int, waiting: memoryview) -> memoryview:
    try:
        return waiting[os.write(descriptor, waiting) :]
    except BrokenPipeError:
        return waiting[:0]


def _close(selector: selectors.BaseSelector, stream: IO[bytes] | None) -> None:
    if stream is not None:
        selector.unregister(stream)
        stream.close()


def follow(process: Process, timeout: float | None, show: Callable[[bytes], None]) -> Reply:
    """Show each line of a program as it comes.

    Args:
        process: The program, just started.
        timeout: Seconds until it is ended.
        show: Called with each line and its end; a long line comes in parts.
    """
    clock = _Clock(timeout)
    try:
        with selectors.DefaultSelector() as selector:
            if process.stdout is not None:
                selector.register(process.stdout, selectors.EVENT_READ)

            def read(size: int) -> bytes:
                return b"".join(os.read(key.fd, size) for key in _ready(process, selector, clock))

            for line in lines(read, LINE):
                show(line)
        return Reply(process.wait(clock.left()))
    except (TimeoutError, subprocess.TimeoutExpired):
        return Reply(TIMED_OUT, cut=clock.complaint)
    finally:
        end(process, PATIENCE)


def lines(read: Callable[[int], bytes], longest: int) -> Iterator[bytes]:
    """Yield whole lines as soon as they are there; the last one gets the line end it may lack.

    One of more than `longest` bytes comes in parts, so that no line fills the memory.
    """
    rest = b""
    while chunk := read(CHUNK):
        *ended, rest = (rest + chunk).split(b"\n")
        for each in ended:
            for place in range(0, len(each) or 1, longest):
                yield each[place : place + longest] + b"\n"
        while len(rest) > longest:
            yield rest[:longest] + b"\n"
            rest = rest[longest:]
    if rest:
        yield rest + b"\n"


def end(process: Process, grace: float = GRACE) -> None:
    """Leave nothing of a program: what it runs for itself, a plugin, ends with it.

    Args:
        process: The program, at its end or not.
        grace: Seconds that it has to end itself.
    """
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def too_much(limit: int) -> str:
    """Say that an answer was longer than it may be."""
    return f"it was ended: its answer has more than {limit >> 10} KiB"


class _Clock:
    """How long an answer may still take."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def patience(self) -> float:
        """Return how long to wait for a word before looking whether the program is still there."""
        left = self.left()
        return 1.0 if left is None else min(left, 1.0)

    @property
    def over(self) -> bool:
        return self.left() == 0

    @property
    def complaint(self) -> str:
        return f"no answer within {self._timeout or 0:.0f} seconds"
