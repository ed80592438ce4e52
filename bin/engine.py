"""The one door to Docker: the `docker` command line, with all that it could inherit made explicit.

docker(1) and Compose read many variables and files of their own; a generated project must mean the
same wherever jailoc is called from.
"""

import json
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jailoc.model.base import Model
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.image import Build

COMPOSE_MINIMUM = (2, 20)
ENGINE_API_MINIMUM = (1, 41)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "FTP_PROXY", "ALL_PROXY")
SERVICE_LABEL = "com.docker.compose.service"
PROJECT_LABEL = "com.docker.compose.project"


class DockerError(Exception):
    """Docker said no. Keeps the arguments and the last lines of what it wrote."""

    def __init__(self, what: str, arguments: list[str], status: int, output: str) -> None:
        super().__init__(what)
        self.what, self.arguments, self.status = what, arguments, status
        self.tail = "\n".join(output.strip().splitlines()[-15:])


class Container(Model):
    """A container of a project, as the engine reports it."""

    id: str
    service: str
    project: str
    state: str
    """`running`, `exited`, `created`, `paused`, `restarting`, `dead` or `removing`."""
    health: str
    """`healthy`, `unhealthy`, `starting`, or empty where there is no health check."""
    exit_code: int
    ports: tuple[int, ...]
    """Ports of the host that lead to the server."""
    started: str
    image: str


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Return the variables that docker is run with: ours, less all that would change a project."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COMPOSE_")}
    kept.pop("OPENCODE_SERVER_PASSWORD", None)
    # No `.env` file beside the compose file may add variables.
    return kept | {"COMPOSE_DISABLE_ENV_FILE": "1"} | (extra or {})


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
    command = ["docker", *arguments]
    try:
        done = subprocess.run(
            command,
            env=environment(extra),
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        raise _no_docker() from None
    except subprocess.TimeoutExpired:
        raise DockerError(what, command, 124, f"no answer within {timeout:.0f} seconds") from None
    output = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise DockerError(
            what, command, done.returncode, output + "\n" + done.stderr.decode(errors="replace")
        )
    return output


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
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise _no_docker() from None
    with process:
        try:
            for text in process.stdout or ():
                seen.append(text)
                line(text.rstrip("\n"))
        except BaseException:
            process.terminate()
            raise
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
            "Docker is not running or not accessible: " + error.tail.rpartition("\n")[2],
            hint="start Docker, or set DOCKER_HOST to the engine to use",
        ) from None
    return data


def _no_docker() -> Refused:
    return refuse(
        "docker-missing",
        "the `docker` command is not installed or not on PATH",
        hint="install Docker with its Compose plugin",
    )


def _numbers(version: str) -> tuple[int, ...]:
    """Read `2.26.1-4` as (2, 26, 1)."""
    digits = version.lstrip("v").split("-")[0].split("+")[0].split(".")
    return tuple(int(part) if part.isdigit() else 0 for part in digits)


def containers(project: str | None = None) -> tuple[Container, ...]:
    """Return the containers of a project, or of all of jailoc's, running or not.

    Raises:
        DockerError: the engine did not answer.
    """
    label = f"{PROJECT_LABEL}={project}" if project else PROJECT_LABEL
    listed = run(
        ["ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={label}"],
        what="list containers",
        timeout=30,
    ).split()
    if not listed:
        return ()
    try:
        found = json.loads(run(["inspect", *listed], what="inspect containers", timeout=30))
    except DockerError:
        # One of them went away between the two calls.
        return containers(project)
    every = (_container(each) for each in found)
    return tuple(each for each in every if each.project.startswith("jailoc-"))


def _container(data: dict[str, Any]) -> Container:
    labels = data["Config"]["Labels"] or {}
    state = data["State"]
    bindings = (data["NetworkSettings"].get("Ports") or {}).get("4096/tcp") or []
    return Container(
        id=data["Id"],
        service=labels.get(SERVICE_LABEL, ""),
        project=labels.get(PROJECT_LABEL, ""),
        state=state["Status"],
        health=(state.get("Health") or {}).get("Status", ""),
        exit_code=state["ExitCode"],
        ports=tuple(int(each["HostPort"]) for each in bindings),
        started=state["StartedAt"],
        image=data["Config"]["Image"],
    )


def project_objects(project: str) -> bool:
    """Tell whether the engine still has a container or network of a project."""
    if containers(project):
        return True
    found = run(
        ["network", "ls", "--quiet", "--filter", f"label={PROJECT_LABEL}={project}"],
        what="list networks",
        timeout=30,
    )
    return bool(found.split())


def has_image(reference: str) -> bool:
    """Tell whether the engine has an image."""
    try:
        run(["image", "inspect", reference], what="inspect image", timeout=30)
    except DockerError:
        return False
    return True


def build(image: Build, line: Callable[[str], None]) -> None:
    """Build an image; its Dockerfile lies in a temporary directory that is always removed.

    Raises:
        DockerError: a step failed; the tail is that of the build's log.
    """
    with tempfile.TemporaryDirectory(prefix="jailoc-build-") as folder:
        for file in image.context:
            place = Path(folder, file.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(file.text, encoding="utf-8")
        words = [
            word
            for name in PROXIES
            for variable in (name, name.lower())
            if variable in os.environ
            # Without a value docker takes it from its environment: none is on the command line.
            for word in ("--build-arg", variable)
        ]
        if image.base is not None:
            words += ["--build-arg", f"BASE={image.base}"]
        words += ["--file", str(Path(folder, "Dockerfile")), "--", image.directory or folder]
        stream(
            ["build", "--tag", image.tag, *words],
            what=f"building image {image.tag}",
            line=line,
            extra={"BUILDKIT_PROGRESS": "plain"},
        )


def compose(project: str, file: Path | None, arguments: Iterable[str], **options: Any) -> list[str]:
    """Return docker's arguments for a Compose call on one project."""
    place = ["--file", str(file), "--project-directory", str(file.parent)] if file else []
    return ["compose", "--project-name", project, *place, *arguments]


def up(
    project: str, file: Path, services: list[str], line: Callable[[str], None], wait: int
) -> None:
    """Start services of a project and wait until they are healthy.

    Args:
        project: The project's name.
        file: The compose file.
        services: Those to start; all, and nothing else, if there is none.
        line: Called with each line of progress.
        wait: Seconds until it counts as failed.

    Raises:
        DockerError: a service did not become healthy, or the engine refused.
    """
    orphans = [] if services else ["--remove-orphans"]
    stream(
        compose(
            project,
            file,
            ["--ansi", "never", "--progress", "plain", "up", "--detach", *orphans,
             "--no-build", "--quiet-pull", "--wait", "--wait-timeout", str(wait), *services],
        ),
        what=f"starting project {project}",
        line=line,
    )  # fmt: skip


def stop(container: str) -> None:
    """Stop a container, and wait until it has."""
    run(["stop", "--time", "5", container], what="stop container", timeout=60)


def remove(container: str) -> None:
    """Remove a container, running or not."""
    run(["rm", "--force", container], what="remove container", timeout=60)


def restart(container: str) -> None:
    """Stop a container and start it again."""
    run(["restart", "--time", "5", container], what="restart container", timeout=90)


def succeeds(container: str, command: list[str]) -> bool:
    """Tell whether a command that root runs in a container ends well."""
    try:
        feed(container, command, b"")
    except DockerError:
        return False
    return True


def mounted(container: str) -> frozenset[str]:
    """Return where something is mounted in a container (proc(5), mountinfo)."""
    lines = run(
        ["exec", "--user", "1000:1000", container, "cat", "/proc/self/mountinfo"],
        what="reading the mounts",
        timeout=30,
    ).splitlines()
    # Blanks, line breaks and backslashes are written as octal numbers.
    return frozenset(
        re.sub(
            rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), line.split(" ")[4].encode()
        ).decode(errors="replace")
        for line in lines
    )


def feed(container: str, command: list[str], data: bytes) -> str:
    """Run a command as root in a container, with data on its standard input.

    Raises:
        DockerError: it ended with another status than 0.
    """
    return run(
        ["exec", "--interactive", "--user", "0:0", container, *command],
        what=f"running {command[-1]} in the container",
        stdin=data,
        timeout=60,
    )


def down(project: str, line: Callable[[str], None]) -> None:
    """Remove all containers and networks of a project, also those no file names any more.

    Raises:
        DockerError: something could not be removed.
    """
    stream(
        compose(project, None, ["--ansi", "never", "--progress", "plain", "down",
                                "--remove-orphans"]),
        what=f"stopping project {project}",
        line=line,
    )  # fmt: skip


def logs(project: str, arguments: list[str]) -> int:
    """Write the logs of a project to standard output; return docker's exit status."""
    command = ["docker", *compose(project, None, ["logs", *arguments])]
    try:
        return subprocess.run(
            command, env=environment(), stdin=subprocess.DEVNULL, check=False
        ).returncode
    except FileNotFoundError:
        raise _no_docker() from None


def tail(container: str, lines: int = 15) -> str:
    """Return the last log lines of a container, for the message of a failure."""
    try:
        done = subprocess.run(
            ["docker", "logs", "--tail", str(lines), container],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def port_is_free(port: int) -> bool:
    """Tell whether nothing listens on a port of the host's loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
