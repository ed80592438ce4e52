"""`logs`: show what containers wrote.

docker(1) is asked for every container on its own and with time stamps: so the lines of all can be
put in order, the last one counts without a line end too, and what docker itself says is no log.
"""

import heapq
import json
import queue
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple

from jailoc.bin.config.session import Session
from jailoc.bin.deploy import entered, existence, projects
from jailoc.bin.engine import container_list, containers, docker, ownership
from jailoc.bin.terminal.terminal import Terminal, visible
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model import sandbox
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import AGENT, PROXY, SIDECAR, WALL, typed
from jailoc.model.text import meant

STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
PIECE = 1 << 14
"""Bytes after which the engine cuts a line (copier.go); each piece has a stamp of its own."""
LONGEST = 64 * (PIECE + len("2006-01-02T15:04:05.000000000Z "))
"""Bytes of pieces and their stamps after which a line counts as two; the next begins with a stamp.
"""
SINCE = re.compile(
    r"-?(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+|[0-9]+(?:\.[0-9]{1,9})?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
"""What docker takes for the begin: an age, seconds since the epoch, or a time."""
CHUNK = 1 << 16
LEAVE = 5.0
"""Seconds for the reader of a container to end before it is taken for one that goes on."""
_STYLE = re.compile(r"\x1b\[[0-9;:]*m")
"""Colours and the like (ECMA-48, SGR): they move nothing, but may stay on."""


class LogLine(NamedTuple):
    """One line of one container; they sort by time."""

    stamp: str
    service: str
    container: str
    text: bytes
    """With its line end."""


def run(
    session: Session,
    follow: bool,
    tail: int | None,
    since: str | None,
    service: str | None,
    raw: bool = False,
) -> int:
    """Show what the containers of a workspace wrote, each line with its service.

    With `raw` every byte is as it was written; otherwise none steers a terminal, not even that of
    whoever looks at what was kept in a file.
    """
    if since is not None and not SINCE.fullmatch(since):
        raise refuse(
            "usage",
            f"`{since}` is neither a time nor an age",
            allowed="--since 2027-01-31T09:00:00 or --since 10m, with h, m and s",
        )
    name = session.workspace or entered.running(session).name
    project = sandbox.project(name)
    existence.running(session, name)
    every = existence.answered(session, name, projects.containers)
    there = [each for each in every if each.project == project]
    ownership.check(project, (each.directory for each in there))
    if not there:
        if not (existence.started(name) or existence.configured(session, name)):
            raise existence.unknown(session, name)
        raise existence.not_running(name)
    services = {each.service for each in there}
    if service is not None and service not in services:
        raise _absent(session, name, service, services)
    chosen = [each for each in there if service in {None, each.service}]
    show = _Printer(session.terminal, max(len(each.service) for each in chosen), raw)
    try:
        with ExitStack() as stack:
            started = _Starts(project, service) if follow else None
            if started is not None:
                stack.callback(started.stop)
            options = [f"--tail={tail}"] if tail is not None else []
            options += [f"--since={since}"] if since is not None else []
            last = _history(show, chosen, options)
            if started is not None:
                _follow(show, chosen, last, options, started)
    except KeyboardInterrupt:
        if not follow:
            raise
        session.terminal.end_line()
    return 0


def _absent(session: Session, name: str, service: str, services: set[str]) -> Refused:
    """Return the refusal of a service that has no container."""
    declared = False
    with suppress(Refused):  # what runs has a log, whatever the configuration says by now
        origin = session.source(expectations=False)
        declared = service in compile_workspace(origin.config, name, origin.host).compose.services
    known = [each for each in (WALL, AGENT, SIDECAR, PROXY) if each in services]
    return refuse(
        "service-unknown",
        f"service `{service}` of workspace `{typed(name)}` has no container yet, so no log"
        if declared
        else f"workspace `{typed(name)}` has no service `{service}`",
        allowed=", ".join([*known, *sorted({*services} - {*known})]),
        hint=f"`jailoc up {typed(name)}` starts it"
        if declared
        else meant(service, sorted(services)),
    )


class _Printer:
    """Writes lines with their service before them."""

    def __init__(self, terminal: Terminal, width: int, raw: bool) -> None:
        self._terminal, self._width, self._raw = terminal, width, raw

    def __call__(self, line: LogLine) -> None:
        label = self._terminal.paint(f"{line.service:{self._width}} | ", Meaning.NOTES, sys.stdout)
        self._terminal.raw(label.encode() + (line.text if self._raw else plain(line.text)))


class _Reader:
    """One `docker logs`; ends with it."""

    def __init__(self, container: containers.Container, *options: str) -> None:
        self._container = container
        self._talk = b""
        self._call = docker.start(["logs", "--timestamps", *options, container.id])

    def __iter__(self) -> Iterator[LogLine]:
        for raw in self._call.lines(LONGEST):
            stamp = STAMP.match(raw)
            if stamp is None:
                # Not the container's: docker says what is wrong.
                self._talk = (self._talk + raw)[-CHUNK:]
            else:
                text = whole(raw[stamp.end() :])
                yield LogLine(
                    stamp[0].decode().strip(), self._container.service, self._container.id, text
                )

    def close(self) -> None:
        """Wait for its end, once all lines are there.

        Raises:
            DockerError: it ended badly.
        """
        ended = self._call.wait()
        if ended:
            talk = self._talk.decode(errors="replace")
            raise docker.DockerError("reading the logs", self._call.call.command, ended, talk)

    def stop(self) -> None:
        """End it, however it is."""
        self._call.stop()


class _Starts:
    """Containers of a project that start from now on, as the engine tells of them."""

    def __init__(self, project: str, service: str | None) -> None:
        self._project = project
        labels = [f"label={sandbox.COMPOSE_PROJECT}={project}"]
        labels += [f"label={sandbox.COMPOSE_SERVICE}={service}"] if service else []
        words = [word for each in ("type=container", "event=start", *labels)
                 for word in ("--filter", each)]  # fmt: skip
        self._call = docker.start(["events", "--format", "{{json .}}", *words])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield id and service of each."""
        for raw in self._call.lines():
            try:
                event = json.loads(raw)
                labels = event["Actor"]["Attributes"]
                service = labels.get(sandbox.COMPOSE_SERVICE, "")
                if container_list.composed(labels["name"], self._project, service):
                    yield event["Actor"]["ID"], service
            except (KeyError, TypeError, ValueError):
                continue

    def stop(self) -> None:
        self._call.stop()


def _history(
    show: _Printer, chosen: Sequence[containers.Container], options: Sequence[str]
) -> dict[str, str]:
    """Show what has been written so far, in order; return the time of each container's last line.

    Raises:
        DockerError: docker could not read it.
    """
    last: dict[str, str] = {}
    with ExitStack() as stack:
        readers: list[_Reader] = []
        for each in chosen:
            readers.append(_Reader(each, *options))
            stack.callback(readers[-1].stop)
        for line in heapq.merge(*readers, key=lambda each: each.stamp):
            last[line.container] = line.stamp
            show(line)
        for reader in readers:
            reader.close()
    return last


class _Followers:
    """Who reads what containers write from now on, one thread for each container."""

    def __init__(self, last: dict[str, str], show: Callable[[LogLine], None]) -> None:
        self._last, self._show = last, show
        self._threads: dict[str, threading.Thread] = {}
        self._readers: dict[str, _Reader] = {}
        self._changing, self._ended = threading.Lock(), False

    def read(self, container: containers.Container, *options: str) -> None:
        """Begin with what came after the last line, or, if there was none, as the options say."""

        def pump() -> None:
            more = True
            # Who follows a container misses now and then what it writes at its very end (moby's
            # logger/loggerutils/follow.go): it is asked once more, until there is nothing new.
            while more and (reader := self._reader(container, options)) is not None:
                more = False
                for line in reader:
                    more = True
                    self._last[line.container] = line.stamp
                    self._show(line)
                reader.stop()

        thread = self._threads[container.id] = threading.Thread(target=pump, daemon=True)
        thread.start()

    def _reader(self, container: containers.Container, options: tuple[str, ...]) -> _Reader | None:
        since = self._last.get(container.id)
        if since is not None:
            options = (f"--since={after(since)}",)
        with self._changing:
            if self._ended:
                return None
            reader = self._readers[container.id] = _Reader(container, "--follow", *options)
        return reader

    def reads(self, identity: str) -> bool:
        """Tell whether one goes on reading a container."""
        thread = self._threads.get(identity)
        if thread is not None:
            thread.join(LEAVE)
        return thread is not None and thread.is_alive()

    def stop(self) -> None:
        """End them all."""
        with self._changing:
            self._ended = True
        for each in self._readers.values():
            each.stop()


def _follow(
    show: _Printer,
    chosen: Sequence[containers.Container],
    last: dict[str, str],
    options: Sequence[str],
    started: _Starts,
) -> None:
    """Show what is written from now on, also by containers that start later; never ends."""
    lines_: queue.SimpleQueue[LogLine] = queue.SimpleQueue()
    followers = _Followers(last, lines_.put)

    def watch() -> None:
        for identity, service in started:
            # What it wrote first is older than the news of its start.
            if not followers.reads(identity):
                followers.read(_container(identity, service))

    try:
        for each in chosen:
            followers.read(each, *options)
        threading.Thread(target=watch, daemon=True).start()
        while True:
            show(lines_.get())
    finally:
        started.stop()
        followers.stop()


def _container(identity: str, service: str) -> containers.Container:
    return containers.Container(
        id=identity, service=service, project="", state="running", health="", exit_code=0,
        ports=(), started="", image="",
    )  # fmt: skip


def after(stamp: str) -> str:
    """Return the next moment: the engine counts a line of the very moment it is given.

    >>> after("2026-11-24T23:56:26.310087384Z")
    '2026-11-24T23:56:26.310087385Z'
    """
    nanos = min(int(stamp[-10:-1]) + 1, 999_999_999)
    return f"{stamp[:-10]}{nanos:09}Z"


def whole(text: bytes) -> bytes:
    """Take out the time stamps at which the engine cut a long line."""
    place = PIECE
    while (stamp := STAMP.match(text, place)) is not None:
        text = text[:place] + text[stamp.end() :]
        place += PIECE
    return text


def plain(line: bytes) -> bytes:
    """Return a line that cannot steer a terminal: colours go, other control characters show."""
    text = line.removesuffix(b"\n").removesuffix(b"\r").decode(errors="replace")
    return visible(_STYLE.sub("", text)).encode() + b"\n"
