"""The one way to the `docker` command, with all that it could inherit made explicit.

docker(1) and Compose read many variables and files of their own; a generated project must mean the
same wherever jailoc is called from.
"""

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from typing import Any

from jailoc.bin.engine.endpoint import Endpoint, endpoint, no_docker, pinned
from jailoc.bin.host import log
from jailoc.model.agents.known import PASSWORDS
from jailoc.model.diagnostic import refuse

__all__ = ["DockerError", "Endpoint", "check", "endpoint", "environment", "no_docker", "run",
           "stream"]  # fmt: skip

COMPOSE_MINIMUM = (2, 20)
ENGINE_API_MINIMUM = (1, 41)


class DockerError(Exception):
    """Docker said no. Keeps the arguments and the last lines of what it wrote."""

    def __init__(self, what: str, arguments: list[str], status: int, output: str) -> None:
        super().__init__(what)
        self.what, self.arguments, self.status = what, arguments, status
        self.tail = "\n".join(output.strip().splitlines()[-15:])


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Return the variables that docker is run with: ours, less all that would change a project.

    They name one engine, the same for every call.

    Raises:
        Refused: the chosen docker context does not exist.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COMPOSE_")}
    for name in PASSWORDS:
        kept.pop(name, None)
    # No `.env` file beside the compose file may add variables.
    return pinned(kept) | {"COMPOSE_DISABLE_ENV_FILE": "1"} | (extra or {})


def run(
    arguments: list[str],
    *,
    what: str,
    extra: dict[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float | None = None,
) -> str:
    """Run docker and return its standard output.

    Raises:
        DockerError: it ended with another status than 0, or not within `timeout` seconds.
        Refused: there is no `docker` command.
    """
    status, output, told = attempt(arguments, extra=extra, stdin=stdin, timeout=timeout, what=what)
    if status != 0:
        raise DockerError(what, ["docker", *arguments], status, output + "\n" + told)
    return output


def attempt(
    arguments: list[str],
    *,
    what: str = "docker",
    extra: dict[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float | None = None,
) -> tuple[int, str, str]:
    """Run docker and return its exit status, standard output and standard error.

    Raises:
        DockerError: it did not end within `timeout` seconds.
        Refused: there is no `docker` command.
    """
    command = ["docker", *arguments]
    try:
        with log.timed("docker", argv=shlex.join(command)) as record:
            done = subprocess.run(
                command,
                env=environment(extra),
                input=stdin,
                stdin=None if stdin is not None else subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
            record["status"] = done.returncode
    except FileNotFoundError:
        raise no_docker() from None
    except subprocess.TimeoutExpired:
        raise DockerError(what, command, 124, f"no answer within {timeout:.0f} seconds") from None
    return (
        done.returncode,
        done.stdout.decode(errors="replace"),
        done.stderr.decode(errors="replace"),
    )


def stream(
    arguments: list[str],
    *,
    what: str,
    line: Callable[[str], None],
    extra: dict[str, str] | None = None,
) -> None:
    """Run docker and hand on each line that it writes, as it comes.

    Raises:
        DockerError: it ended with another status than 0.
        Refused: there is no `docker` command.
    """
    command = ["docker", *arguments]
    seen: list[str] = []
    try:
        process = subprocess.Popen(
            command,
            env=environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError:
        raise no_docker() from None
    with log.timed("docker", argv=shlex.join(command)) as record, process:
        try:
            # Only a line feed ends a line: what programs overwrite stays in theirs.
            for raw in process.stdout or ():
                text = raw.decode(errors="replace")
                seen.append(text)
                line(text.rstrip("\n"))
        except BaseException:
            process.terminate()
            raise
        record["status"] = process.wait()
    if process.returncode != 0:
        raise DockerError(what, command, process.returncode, "".join(seen))


def check() -> None:
    """Make sure that there is an engine, and that it and Compose are new enough.

    Raises:
        Refused: with what is missing and what to do.
    """
    try:
        version = json.loads(run(["version", "--format", "json"], what="version", timeout=20))
    except DockerError:
        version = _old_version()
    api = _numbers(str((version.get("Server") or {}).get("ApiVersion", "0")))
    if api < ENGINE_API_MINIMUM:
        raise refuse(
            "engine-old",
            f"the Docker engine is too old: its API is {'.'.join(map(str, api))}",
            allowed="Docker Engine 20.10 or newer",
        )
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


def _old_version() -> dict[str, Any]:
    """Ask again in the form that older clients know; both fail where no engine answers."""
    template = '{"Server":{"ApiVersion":"{{.Server.APIVersion}}"}}'
    try:
        data: dict[str, Any] = json.loads(
            run(["version", "--format", template], what="version", timeout=20)
        )
    except DockerError as error:
        raise refuse(
            "engine",
            f"Docker is not running or not accessible at {endpoint()}: "
            + error.tail.rpartition("\n")[2],
            hint="start Docker, or set DOCKER_HOST to the engine to use",
        ) from None
    return data


def _numbers(version: str) -> tuple[int, ...]:
    """Read `2.26.1-4` as (2, 26, 1)."""
    digits = version.lstrip("v").split("-")[0].split("+")[0].split(".")
    return tuple(int(part) if part.isdigit() else 0 for part in digits)
