"""The one door to docker(1): nothing else starts it. Every call is recorded, bounded and timed.

What asks through it cannot tell a stand-in from the real one, see `answered`: a test scripts the
replies, or replays those of a recorded run.
"""

import io
import shlex
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import IO, ClassVar, Protocol, TypeVar

from jailoc.bin.engine import exchange
from jailoc.bin.engine.exchange import OVERFLOWED, Reply
from jailoc.bin.host import log, programs
from jailoc.model.diagnostic import Refused, refuse

__all__ = ["Call", "ExitCode", "Reply", "Running", "answered", "ask", "ask_other", "attend",
           "no_docker", "pour", "really", "replaced", "stream"]  # fmt: skip

PROGRAM = "docker"
LIMIT = 1 << 20
"""Bytes that a reply may have on each of its streams; more has to be asked for."""
TIMEOUT = 60.0
"""Seconds that a reply may take, where nothing else is said."""
LONG = 4 * 3600.0
"""Seconds that a build or a pull may take."""
TAIL = 50
"""Lines of a stream that are kept for the message of a failure."""


@dataclass(frozen=True)
class Call:
    """What docker is asked."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All of its environment."""
    stdin: bytes | None = field(default=None, repr=False)
    timeout: float | None = TIMEOUT
    """Seconds; None only for what ends with its reader."""
    limit: int = LIMIT

    @property
    def command(self) -> list[str]:
        """Return the program and its arguments."""
        return [PROGRAM, *self.arguments]

    @property
    def shown(self) -> str:
        """Return it as one types it, less the values of variables."""
        words: list[str] = []
        for word in self.command:
            hidden = words[-1:] in (["--env"], ["-e"])
            words.append(word.partition("=")[0] if hidden else word)
        return shlex.join(words)


class ExitCode(Protocol):
    """How a program on a terminal ended."""

    @property
    def code(self) -> int:
        """Return its exit status; negative for the signal that ended it."""
        ...


Outcome = TypeVar("Outcome", bound=ExitCode)
Answer = Callable[[Call], Reply]


class _StandIn:
    """Who answers in docker's place."""

    answer: ClassVar[Answer | None] = None


@contextmanager
def answered(answer: Answer) -> Iterator[None]:
    """Let a function answer every call of the block in docker's place."""
    before, _StandIn.answer = _StandIn.answer, answer
    try:
        yield
    finally:
        _StandIn.answer = before


def replaced() -> bool:
    """Tell whether somebody answers in docker's place: then this machine is no part of it."""
    return _StandIn.answer is not None


def no_docker() -> Refused:
    """Return the refusal where there is no `docker` command."""
    return refuse(
        "docker-missing",
        "the `docker` command is not installed or not on PATH",
        hint="install Docker with its Compose plugin; directories that an agent can write to are "
        "passed over",
    )


def ask(call: Call) -> Reply:
    """Ask docker and return all of its reply.

    Raises:
        Refused: there is no `docker` command.
    """
    with log.timed("docker", argv=call.shown) as record:
        if _StandIn.answer is None:
            reply = really(call)
        else:
            reply = _bounded(_StandIn.answer(call), call.limit)
        record["status"], record["cut"] = reply.status, reply.cut or None
    return reply


def really(call: Call) -> Reply:
    """Ask docker itself, for a stand-in that only listens.

    Raises:
        Refused: there is no `docker` command.
    """
    process = _started(call, stdin=call.stdin is not None)
    return exchange.whole(process, call.stdin or b"", call.timeout, call.limit)


def pour(call: Call, take: Callable[[bytes], None]) -> Reply:
    """Ask docker and hand on its answer piece by piece, as many bytes as `call.limit` says.

    Returns:
        The status, and the last words of its standard error.

    Raises:
        Refused: there is no `docker` command.
    """
    with log.timed("docker", argv=call.shown) as record:
        if _StandIn.answer is None:
            process = _started(call, stdin=call.stdin is not None)
            reply = exchange.poured(process, call.stdin or b"", call.timeout, call.limit, take)
        else:
            reply = _bounded(_StandIn.answer(call), call.limit)
            take(reply.stdout)
            reply = reply._replace(stdout=b"", stderr=reply.stderr[-exchange.LAST :])
        record["status"], record["cut"] = reply.status, reply.cut or None
    return reply


def held(descriptor: int) -> AbstractContextManager[None]:
    """Have all that is asked meanwhile hold a file open, too: it ends with the last of them."""
    return exchange.held(descriptor)


def ask_other(
    command: Sequence[str], environment: Mapping[str, str], timeout: float, limit: int
) -> Reply:
    """Ask another program than docker, a client of the user's, and return all of its reply.

    It starts in the root directory: where the user is may be a project, which an agent has filled.

    Args:
        command: The program, by its path, and its arguments.
        environment: All of its environment.
        timeout: Seconds.
        limit: Bytes of its answer, with its complaints in it.

    Raises:
        OSError: it cannot be started.
    """
    with log.timed("program", argv=shlex.join(command)) as record:
        process = exchange.start(command, environment, merged=True)
        reply = exchange.whole(process, b"", timeout, limit)
        record["status"], record["cut"] = reply.status, reply.cut or None
    return reply


def stream(call: Call, line: Callable[[str], None]) -> Reply:
    """Ask docker and hand on each line of both its streams as it comes.

    Returns:
        The status, and the last lines as its standard output.

    Raises:
        Refused: there is no `docker` command.
    """
    seen: deque[bytes] = deque(maxlen=TAIL)

    def show(raw: bytes) -> None:
        seen.append(raw)
        # Only a line feed ends a line: what programs overwrite stays in theirs.
        line(raw.decode(errors="replace").removesuffix("\n"))

    with log.timed("docker", argv=call.shown) as record:
        if _StandIn.answer is None:
            reply = exchange.follow(_started(call, merged=True), call.timeout, show)
        else:
            reply = _StandIn.answer(call)
            for raw in exchange.lines(_merged(reply).read, exchange.LINE):
                show(raw)
        record["status"], record["cut"] = reply.status, reply.cut or None
    return reply._replace(stdout=b"".join(seen), stderr=b"")


class Running:
    """A call that goes on until its reader has enough, such as `logs --follow`.

    Raises:
        Refused: there is no `docker` command.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self._begin = time.monotonic()
        self._recorded = False
        self._process: exchange.Process | None = None
        self._status = 0
        self._output: IO[bytes] | None
        if _StandIn.answer is None:
            self._process = _started(call, merged=True)
            self._output = self._process.stdout
        else:
            reply = _StandIn.answer(call)
            self._output, self._status = _merged(reply), reply.status

    def lines(self, longest: int = exchange.LINE) -> Iterator[bytes]:
        """Yield the lines of both its streams as they come; a long one comes in parts."""
        if self._output is not None:
            # Closed by who reads it: under a reader another thread's file could take its place.
            with self._output as output:
                yield from exchange.lines(output.read, longest)

    def wait(self) -> int:
        """Wait for its end and return its status."""
        status = self._status if self._process is None else self._process.wait()
        if not self._recorded:
            self._recorded = True
            seconds = round(time.monotonic() - self._begin, 3)
            log.debug("docker", argv=self.call.shown, status=status, seconds=seconds)
        return status

    def stop(self) -> None:
        """End it, however it is."""
        if self._process is not None:
            self._process.terminate()
        self.wait()


def attend(call: Call, start: Callable[[list[str], dict[str, str]], Outcome]) -> Outcome:
    """Let the caller run docker on a terminal: it gets the command and all of its environment.

    A stand-in's words are shown there by a shell, which ends with its status.

    Raises:
        Refused: there is no `docker` command.
    """
    with log.timed("docker", argv=call.shown) as record:
        if _StandIn.answer is None:
            binary = shutil.which(PROGRAM, path=programs.search_path())
            if binary is None:
                raise no_docker()
            command = [binary, *call.arguments]
        else:
            reply = _StandIn.answer(call)
            script = 'printf %s "$1"; exit "$2"'
            text = reply.stdout.decode(errors="replace")
            command = ["/bin/sh", "-c", script, PROGRAM, text, str(reply.status)]
        ended = start(command, dict(call.environment) | {"PATH": programs.search_path()})
        record["status"] = ended.code
    return ended


def _started(call: Call, *, merged: bool = False, stdin: bool = False) -> exchange.Process:
    try:
        environment = dict(call.environment) | {"PATH": programs.search_path()}
        return exchange.start(call.command, environment, merged=merged, stdin=stdin)
    except FileNotFoundError:
        raise no_docker() from None


def _merged(reply: Reply) -> IO[bytes]:
    return io.BytesIO(reply.stdout + reply.stderr)


def _bounded(reply: Reply, limit: int) -> Reply:
    """Return the reply of a stand-in as docker's own would have come through."""
    if max(len(reply.stdout), len(reply.stderr)) <= limit:
        return reply
    cut = exchange.too_much(limit)
    return Reply(OVERFLOWED, reply.stdout[:limit], reply.stderr[:limit], cut)
