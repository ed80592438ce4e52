"""The command that shows what containers wrote: `logs`."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import IO

from jailoc.bin import docker, engine, source, survey
from jailoc.bin.terminal import Terminal, visible
from jailoc.generators.compose import AGENT, SIDECAR, WALL
from jailoc.model.diagnostic import refuse

_STYLE = re.compile(r"\x1b\[[0-9;:]*m")
"""Colours and the like (ECMA-48, SGR): they move nothing, but may stay on."""
CHUNK = 1 << 16


def run(
    terminal: Terminal,
    config: str | None,
    wanted: str | None,
    follow: bool,
    tail: int | None,
    since: str | None,
    service: str | None,
) -> int:
    """Show what the containers of a workspace wrote, each line with its service."""
    name = wanted or source.read(config).chosen(None)
    project = f"jailoc-{name}"
    there = {each.service for each in survey.containers() if each.project == project}
    if not there:
        raise refuse(
            "not-running", f"workspace `{name}` is not running", hint=f"run `jailoc up {name}`"
        )
    if service is not None and service not in there:
        every = [each for each in (WALL, AGENT, SIDECAR) if each in there]
        raise refuse(
            "service-unknown",
            f"workspace `{name}` has no service `{service}`",
            allowed=", ".join(every),
        )
    words = ["--no-color", *(["--follow"] if follow else [])]
    words += [f"--tail={tail}"] if tail is not None else []
    words += [f"--since={since}"] if since is not None else []
    words += [service] if service else []
    try:
        _pass_on(terminal, engine.compose(project, None, ["logs", *words]))
    except KeyboardInterrupt:
        if not follow:
            raise
        # The way to end it; what the terminal echoed stays on its own line.
    return 0


def _pass_on(terminal: Terminal, arguments: list[str]) -> None:
    """Run docker and hand on what it writes.

    Raises:
        DockerError: it ended with another status than 0.
        Refused: there is no `docker` command.
    """
    command = ["docker", *arguments]
    # docker talks about an interrupt as of an error, so what it says waits until it has failed.
    with tempfile.TemporaryFile() as talk:
        try:
            process = subprocess.Popen(
                command,
                env=docker.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=talk,
                bufsize=0,  # a read returns what there is
            )
        except FileNotFoundError:
            raise docker.no_docker() from None
        with process:
            try:
                for line in lines(process.stdout) if process.stdout else ():
                    terminal.raw(plain(line) if sys.stdout.isatty() else line)
            except BaseException:
                process.terminate()
                raise
        if process.returncode != 0:
            talk.seek(0)
            said = talk.read().decode(errors="replace")
            raise docker.DockerError("reading the logs", command, process.returncode, said)


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield whole lines as soon as they are there; the last one gets the line end it may lack."""
    rest = b""
    while chunk := stream.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest + b"\n"


def plain(line: bytes) -> bytes:
    """Return a line that cannot steer a terminal: colours go, other control characters show."""
    text = line.removesuffix(b"\n").decode(errors="replace").removesuffix("\r")
    return visible(_STYLE.sub("", text)).encode() + b"\n"
