"""How docker is asked: its arguments, what it may inherit, and its failures in words.

docker(1) and Compose read many variables and files of their own; a generated project must mean the
same wherever jailoc is called from. All of it goes through the door beside this file.
"""

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from functools import cache
from typing import TypeVar

from jailoc.bin.engine import client_settings, door, engine_errors
from jailoc.bin.engine.door import LONG, Reply, Running, no_docker
from jailoc.bin.engine.endpoint import Endpoint, endpoint, pinned
from jailoc.model.diagnostic import refuse

__all__ = ["DockerError", "Endpoint", "Running", "attempt", "attend", "check", "check_compose",
           "check_engine", "endpoint", "environment", "no_docker", "reached",
           "run", "start", "stream"]  # fmt: skip

COMPOSE_MINIMUM = (2, 20)
LARGE = 16 << 20
"""Bytes for what grows with the number of containers (some 10 KB each), or of refused places."""
LABEL, LABEL_NAME = 4096, 512
"""Characters of a label that are read, and of one with a name: an image may have megabytes."""
ENGINE_API_MINIMUM = (1, 41)
Outcome = TypeVar("Outcome", bound=door.ExitCode)
T = TypeVar("T")


LONGEST = 400
"""Characters of a line of the engine's that are kept: an agent has named what it tells of."""


def _ends(line: str) -> str:
    half = LONGEST // 2
    return line if len(line) <= LONGEST else f"{line[:half]} ... {line[-half:]}"


class DockerError(Exception):
    """Docker said no. Keeps the arguments and the last lines of what it wrote."""

    def __init__(
        self, what: str, arguments: list[str], status: int, output: str, *, cut: bool = False
    ) -> None:
        super().__init__(what)
        self.what, self.arguments, self.status = what, arguments, status
        self.tail = "\n".join(map(_ends, output.strip().splitlines()[-15:]))
        self.cut = cut
        """It was ended from here: it took too long, or said too much."""


def environment(
    extra: dict[str, str] | None = None, *, credentials: bool = False
) -> dict[str, str]:
    """Return the variables that docker is run with: ours, less all that would change a project.

    They name one engine, the same for every call.

    Args:
        extra: More variables.
        credentials: Whether it is asked to fetch or to build, with all of the user's own settings.

    Raises:
        Refused: the chosen docker context does not exist.
    """
    kept = client_settings.variables(os.environ, credentials=credentials)
    # No `.env` file beside the compose file may add variables.
    return pinned(kept) | {"COMPOSE_DISABLE_ENV_FILE": "1"} | (extra or {})


def run(
    arguments: list[str],
    *,
    what: str,
    extra: dict[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float = door.TIMEOUT,
    limit: int = door.LIMIT,
) -> str:
    """Run docker and return its standard output.

    Raises:
        DockerError: it ended with another status than 0, not within `timeout` seconds, or wrote
            more than `limit` bytes.
        Refused: there is no `docker` command.
    """
    status, output, told = attempt(
        arguments, extra=extra, stdin=stdin, timeout=timeout, what=what, limit=limit
    )
    if status != 0:
        raise DockerError(what, [door.PROGRAM, *arguments], status, output + "\n" + told)
    return output


def attempt(
    arguments: list[str],
    *,
    what: str = door.PROGRAM,
    extra: dict[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float = door.TIMEOUT,
    limit: int = door.LIMIT,
) -> tuple[int, str, str]:
    """Run docker and return its exit status, standard output and standard error.

    Raises:
        DockerError: it did not end within `timeout` seconds, or wrote more than `limit` bytes.
        Refused: there is no `docker` command.
    """
    reply = door.ask(
        door.Call(tuple(arguments), environment(extra), stdin, timeout=timeout, limit=limit)
    )
    _whole(reply, what, arguments)
    return (
        reply.status,
        reply.stdout.decode(errors="replace"),
        reply.stderr.decode(errors="replace"),
    )


def lines_of(text: str) -> list[str]:
    """Return the lines of an answer: names in it may hold what `str.splitlines` takes for ends."""
    return text.removesuffix("\n").split("\n") if text else []


def table(*fields: str) -> str:
    """Return docker's `--format` for a list of which `rows` reads fields.

    As JSON, for a label holds whatever its author wrote, also what ends a line.

    >>> table(".ID", label("a"))
    '[{{json .ID}},{{json (printf "%.4096s" (.Label "a"))}}]'
    """
    return f"[{','.join(f'{{{{json {each}}}}}' for each in fields)}]"


def label(name: str, longest: int = LABEL) -> str:
    """Return the field that is what a label says, as far as a path may be long; empty for none.

    Args:
        name: The label's.
        longest: Characters that are read.
    """
    return f'(printf "%.{longest}s" (.Label "{name}"))'


def rows(text: str) -> list[list[str]]:
    """Return the fields of each row of such a list; lines of any other form are none."""
    found = []
    for line in lines_of(text):
        with suppress(ValueError):
            if isinstance(fields := json.loads(line), list):
                found.append([*map(str, fields)])
    return found


def stream(
    arguments: list[str],
    *,
    what: str,
    line: Callable[[str], None],
    extra: dict[str, str] | None = None,
    timeout: float = LONG,
    credentials: bool = False,
) -> None:
    """Run docker and hand on each line that it writes, as it comes.

    Raises:
        DockerError: it ended with another status than 0, or not within `timeout` seconds.
        Refused: there is no `docker` command.
    """
    variables = environment(extra, credentials=credentials)
    reply = door.stream(door.Call(tuple(arguments), variables, timeout=timeout), line)
    _whole(reply, what, arguments)
    if reply.status != 0:
        text = reply.stdout.decode(errors="replace")
        raise DockerError(what, [door.PROGRAM, *arguments], reply.status, text)


def start(arguments: list[str]) -> Running:
    """Start docker for a reader that decides when it has enough.

    Raises:
        Refused: there is no `docker` command.
    """
    return Running(door.Call(tuple(arguments), environment(), timeout=None))


def attend(arguments: list[str], begin: Callable[[list[str], dict[str, str]], Outcome]) -> Outcome:
    """Hand docker's command and environment to what runs it on a terminal, until its end.

    Raises:
        Refused: there is no `docker` command.
    """
    return door.attend(door.Call(tuple(arguments), environment(), timeout=None), begin)


def _whole(reply: Reply, what: str, arguments: list[str]) -> None:
    """Let no part of a reply be taken for all of it.

    Raises:
        DockerError: it was ended before its end.
    """
    if reply.cut:
        raise DockerError(what, [door.PROGRAM, *arguments], reply.status, reply.cut, cut=True)


class Product(StrEnum):
    """Whose engine answers."""

    DOCKER = "docker"
    PODMAN = "podman"
    """Through the socket that it offers to docker(1) (podman-system-service(1))."""


def product() -> Product:
    """Return whose engine is used.

    Raises:
        DockerError: it did not answer.
    """
    return _product(endpoint())


@cache
def _product(asked: Endpoint) -> Product:
    template = "{{range .Server.Components}}{{println .Name}}{{end}}"
    parts = run(["version", "--format", template], what=f"asking {asked}", timeout=20)
    return Product.PODMAN if "podman" in parts.lower() else Product.DOCKER


def check() -> None:
    """Make sure that there is an engine, and that it and Compose are new enough.

    Raises:
        Refused: with what is missing and what to do.
    """
    check_engine()
    check_compose()


def reached(ask: Callable[[], T]) -> T:
    """Ask the engine something; where none answers, that is what is wrong.

    Raises:
        DockerError: it answers, but not to this.
        Refused: none answers, or it is too old; with what to do.
    """
    try:
        return ask()
    except DockerError:
        check_engine()
        raise


def api() -> str:
    """Return the version of the engine's API as it says it, such as `1.44`.

    Raises:
        DockerError: it did not answer.
    """
    # Old clients know no `--format json`: they answer with the word `json`, and status 0.
    words = ["version", "--format", "{{.Server.APIVersion}}"]
    return run(words, what="version", timeout=20).strip()


def check_engine() -> None:
    """Make sure that there is an engine, and that it is new enough.

    Raises:
        Refused: with what is missing and what to do.
    """
    try:
        told = api()
    except DockerError as error:
        if re.search(r"client version \S+ is too (old|new)", error.tail):
            raise refuse(
                "engine-client",
                f"the `docker` command and the engine at {endpoint()} are too far apart: "
                + error.tail.rpartition("\n")[2],
                hint="install a `docker` command of the engine's own version",
            ) from None
        why, hint = engine_errors.meaning(error.tail, endpoint())
        raise refuse(
            "engine", f"Docker is not running or not accessible at {endpoint()}: {why}", hint=hint
        ) from None
    if not re.fullmatch(r"\d+\.\d+", told):
        raise refuse(
            "engine",
            f"the engine at {endpoint()} does not say its version: `{told[:80]}`",
            allowed="Docker Engine 20.10 or newer",
        )
    if _numbers(told) < ENGINE_API_MINIMUM:
        raise refuse(
            "engine-old",
            f"the Docker engine is too old: its API is {told}",
            allowed="Docker Engine 20.10 or newer",
        )


def check_compose() -> None:
    """Make sure that Compose is there, and new enough; it is asked only where it has work to do.

    Raises:
        Refused: with what is missing and what to do.
    """
    try:
        compose = run(["compose", "version", "--short"], what="compose version", timeout=20).strip()
    except DockerError:
        raise refuse(
            "compose-missing",
            "`docker compose` is not installed",
            allowed="Docker Compose 2.20 or newer",
            hint="install the Compose plugin of Docker",
        ) from None
    if _numbers(compose) < COMPOSE_MINIMUM:
        raise refuse(
            "compose-old",
            f"Docker Compose {compose} is too old",
            allowed="Docker Compose 2.20 or newer",
        )


def _numbers(version: str) -> tuple[int, ...]:
    """Read `2.26.1-4` as (2, 26, 1)."""
    digits = version.lstrip("v").split("-")[0].split("+")[0].split(".")
    return tuple(int(part) if part.isdigit() else 0 for part in digits)
