"""Run a sandbox's program between two pipes, and let a filter decide what passes, line by line.

One loop carries both directions. Nothing is read while what follows from it could not be written,
so that neither side can fill the memory.
"""

import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import IO, Protocol

from jailoc.bin.attach.pty import GRACE, Ended
from jailoc.bin.attach.wakeup import ENDING, Alarm
from jailoc.model.acp import LONGEST
from jailoc.model.path import NO_PROJECT

PIECE = 1 << 16
MOST_WAITING = 2 * LONGEST
"""Bytes for one side from which on nothing more is read of the other one."""
MOST_OWED = 1 << 20
"""Bytes of answers that one side has caused and not read, from which on it is not heard either."""
PATIENCE = 10.0
"""Seconds that a program has to end itself once it has nothing more to read."""
TOLD = 1 << 18
"""Bytes of what the program complains that are shown."""


class Consequence(Protocol):
    """What follows from a line."""

    @property
    def to_agent(self) -> bytes:
        """Return lines for the program."""
        ...

    @property
    def to_editor(self) -> bytes:
        """Return lines for who has called jailoc."""
        ...


class Filter(Protocol):
    """Decides what passes."""

    def from_editor(self, line: bytes) -> Consequence:
        """Return what follows from a line that jailoc was given."""
        ...

    def from_agent(self, line: bytes) -> Consequence:
        """Return what follows from a line of the program's."""
        ...

    def too_long(self, *, editor: bool) -> Consequence:
        """Return what follows from a line that was longer than any may be."""
        ...


class PipeLines:
    """Cuts what comes into lines; of one that is too long nothing is kept."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._held = bytearray()
        self._lost = False

    def feed(self, piece: bytes) -> Iterator[bytes | None]:
        """Yield the lines that have ended, without their ends; None for one that was too long."""
        *ended, rest = piece.split(b"\n")
        for each in ended:
            self._take(each)
            line, lost = bytes(self._held), self._lost
            self._held, self._lost = bytearray(), False
            yield None if lost else line.removesuffix(b"\r")
        self._take(rest)

    def _take(self, part: bytes) -> None:
        if not self._lost and len(self._held) + len(part) <= self._longest:
            self._held += part
        else:
            self._held, self._lost = bytearray(), True


def run(
    command: list[str],
    environment: Mapping[str, str],
    between: Filter,
    tell: Callable[[str], None],
    refused: Callable[[], None],
) -> Ended:
    """Run a program until it ends, until nobody speaks to it any more, or until a signal.

    Args:
        command: The program, by its path, and its arguments.
        environment: All of its environment.
        between: Decides what passes.
        tell: Called with each line that the program complains, as far as they are shown.
        refused: Called after each line, to tell of what was refused.

    Raises:
        OSError: it cannot be started.
    """
    with ExitStack() as stack:
        alarm = stack.enter_context(Alarm())
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=NO_PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        stack.callback(_finish, process)
        exchange = _Exchange(process, between, tell, refused)
        stopped = exchange.serve(alarm)
    return Ended(process.returncode, None, stopped)


class _Exchange:
    """The three streams of a program and the two of jailoc's own."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        between: Filter,
        tell: Callable[[str], None],
        refused: Callable[[], None],
    ) -> None:
        self._process, self._filter, self._tell, self._refused = process, between, tell, refused
        self._lines = {True: PipeLines(), False: PipeLines()}
        self._complaints, self._told = PipeLines(PIECE), 0
        self._to_agent, self._to_editor = bytearray(), bytearray()
        self._owed = {True: 0, False: 0}
        """Bytes of answers to the editor, and to the agent, since either had read all."""
        self._editor_speaks, self._editor_listens = True, True
        self._deadline: float | None = None
        self._pressed = 0
        """How often the program was told to end."""

    def serve(self, alarm: Alarm) -> int:
        """Carry until the program has ended; return the signal to jailoc that ended it, or 0."""
        stopped = 0
        while not self._over():
            reading = [alarm.descriptor, *self._readable()]
            writing = self._writable()
            readable, writable, _ = select.select(reading, writing, [], self._patience())
            for each in writable:
                self._write(each)
            for each in readable:
                if each != alarm.descriptor:
                    self._read(each)
            ending = alarm.taken() & ENDING
            if ending and stopped:
                # The second one does not wait any more.
                self._process.kill()
            stopped = stopped or min(ending, default=0)
            if (stopped or not self._editor_listens) and not self._pressed:
                self._press()
            if not self._editor_speaks:
                self._hang_up()
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._press()
        return stopped

    def _over(self) -> bool:
        spoken = not _open(self._process.stdout) and not _open(self._process.stderr)
        heard = not self._to_editor or not self._editor_listens
        return self._pressed > 1 or (spoken and heard)

    def _press(self) -> None:
        """End the program: the first time it may end itself."""
        if self._process.poll() is None:
            (self._process.kill if self._pressed else self._process.terminate)()
        self._pressed += 1
        self._deadline = time.monotonic() + GRACE

    def _patience(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _readable(self) -> Iterator[int]:
        # What one side is told by the other must not keep it from being heard: it may have to say
        # something before it listens again.
        heard = len(self._to_agent) < MOST_WAITING and self._owed[True] < MOST_OWED
        if heard and self._editor_speaks:
            yield 0
        heard = len(self._to_editor) < MOST_WAITING and self._owed[False] < MOST_OWED
        if heard and _open(self._process.stdout):
            yield _number(self._process.stdout)
        if _open(self._process.stderr):
            yield _number(self._process.stderr)

    def _writable(self) -> list[int]:
        found = []
        if self._to_agent and _open(self._process.stdin):
            found.append(_number(self._process.stdin))
        if self._to_editor and self._editor_listens:
            found.append(1)
        return found

    def _read(self, number: int) -> None:
        try:
            piece = os.read(number, PIECE)
        except OSError:
            piece = b""
        if number == 0:
            self._editor_speaks = bool(piece)
            self._pass(piece, editor=True)
        elif number == _number(self._process.stdout):
            self._pass(piece, editor=False)
            if not piece:
                _close(self._process.stdout)
        elif number == _number(self._process.stderr):
            self._complain(piece)
            if not piece:
                _close(self._process.stderr)

    def _pass(self, piece: bytes, *, editor: bool) -> None:
        for line in self._lines[editor].feed(piece):
            if line is None:
                answer = self._filter.too_long(editor=editor)
            elif not line.strip():
                continue
            elif editor:
                answer = self._filter.from_editor(line)
            else:
                answer = self._filter.from_agent(line)
            self._owed[editor] += len(answer.to_editor if editor else answer.to_agent)
            self._to_agent += answer.to_agent
            self._to_editor += answer.to_editor
            self._refused()

    def _complain(self, piece: bytes) -> None:
        for line in self._complaints.feed(piece):
            if self._told < TOLD:
                text = "a long line" if line is None else line.decode(errors="replace")
                self._told += len(text) + 1
                self._tell(text if self._told < TOLD else "what else it says is left out")

    def _write(self, number: int) -> None:
        waiting = self._to_editor if number == 1 else self._to_agent
        try:
            # What select(2) calls writable takes so much at once, and nobody has to wait (pipe(7)).
            del waiting[: os.write(number, waiting[: select.PIPE_BUF])]
        except OSError:
            waiting.clear()
            if number == 1:
                self._editor_listens = False
        if not waiting:
            self._owed[number == 1] = 0

    def _hang_up(self) -> None:
        """Let the program see that nobody speaks to it any more, once it has read the rest."""
        if _open(self._process.stdin):
            if not self._to_agent:
                _close(self._process.stdin)
            self._deadline = self._deadline or time.monotonic() + PATIENCE


def _open(stream: IO[bytes] | None) -> bool:
    return stream is not None and not stream.closed


def _number(stream: IO[bytes] | None) -> int:
    return stream.fileno() if stream is not None and not stream.closed else -1


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        with suppress(OSError):
            stream.close()


def _finish(process: "subprocess.Popen[bytes]") -> None:
    """Leave nothing of the program on this machine."""
    for each in (process.stdin, process.stdout, process.stderr):
        _close(each)
    if process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    if process.poll() is None:
        process.kill()
    process.wait()
