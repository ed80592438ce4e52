"""What jailoc asks of the engine: containers and Compose projects."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from jailoc.bin.engine import named, ownership
from jailoc.bin.engine.container_list import Listed, listed
from jailoc.bin.engine.docker import LARGE, DockerError, run, stream
from jailoc.bin.engine.inspect_fields import Binding, cpus, health, probed, published, writable
from jailoc.generators.runtime.resolver_state import ResolverState, resolver_state
from jailoc.model import sandbox
from jailoc.model.base import Model
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import (
    AGENT_LABEL,
    COMPOSE_DIRECTORY,
    COMPOSE_PROJECT,
    COMPOSE_SERVICE,
    EVIDENCE_FILE,
    FIRST_PORT,
    NAMES_STATE,
    PROBES_NOTE,
    RESOLVER_USER,
    WALL_STATE,
    workspace_of,
)
from jailoc.model.status import ContainerLimits

MARGIN = 600.0
"""Seconds that Compose has to make or remove containers, beside its waiting for their health."""


class Container(Model):
    """A container of a project, as the engine reports it."""

    id: str
    service: str
    project: str
    state: str
    """`running`, `exited`, `created`, `paused`, `restarting`, `dead` or `removing`."""
    health: str
    """`healthy`, `unhealthy`, `starting`, or empty where there is no health check."""
    probed: str = ""
    """What its last health check wrote, of whoever answered it."""
    exit_code: int
    ports: tuple[int, ...]
    """Ports of the host that lead to the server."""
    published: tuple[Binding, ...] = ()
    """All ports of the host that lead inside."""
    started: str
    joins: str | None = None
    """Id of the container whose network namespace it shares."""
    process: int = 0
    """The number of its first process on the engine's machine; 0 if it does not run."""
    image: str
    image_id: str = ""
    directory: str = ""
    """Of the generated files that it was made from; empty if nobody knows."""
    user: str = ""
    """As whom its processes run, as docker(1) was told."""
    agent: str = ""
    """Which agent it was made for, and its version; empty if it was made before that was noted."""
    limits: ContainerLimits = ContainerLimits()
    writable: tuple[str, ...] = ()
    """Places of the host that it can change."""


def containers(project: str | None = None) -> tuple[Container, ...]:
    """Return the containers of a project, or of all of jailoc's, running or not.

    Raises:
        DockerError: the engine did not answer.
    """
    every = (container(each) for each in inspected(project))
    return tuple(each for each in every if workspace_of(each.project))


def running(name: str, service: str = "") -> bool:
    """Tell whether a workspace, or one of its services, runs; nothing does without an engine.

    What only says that it is one of it makes no difference.
    """
    with suppress(DockerError, Refused):
        return any(
            each.project == sandbox.project(name) and service in {"", each.service} and mine(each)
            for each in listed(filters=("status=running",))
        )
    return False


def inspected(
    project: str | None = None, there: Iterable[Listed] | None = None, *, tries: int = 5
) -> list[dict[str, Any]]:
    """Return what `docker inspect` says of the containers of a project, or of all projects.

    Args:
        project: The project.
        there: Its containers, if they have just been listed.
        tries: How often they may go away meanwhile.

    Raises:
        DockerError: the engine did not answer.
        Refused: the project is another user's.
    """
    every = listed(project, every=True) if there is None else there
    # What others have is nobody's here, and there may be megabytes of it.
    found = [each for each in every if project or workspace_of(each.project)]
    if not found:
        return []
    try:
        text = run(["inspect", *(each.id for each in found)],
                   what="inspect containers", timeout=30, limit=LARGE)  # fmt: skip
    except DockerError as error:
        if error.cut and project:
            ownership.check(project, (each.directory for each in found))
        # What others have written into theirs has no end; of one's own that is not so.
        if error.cut and (own := [*filter(mine, found)]) != found:
            return inspected(project, own)
        if error.cut and len(found) > 1:
            one_by_one = (one for each in found for one in inspected(project, [each]))
            return [*{each["Id"]: each for each in one_by_one}.values()]
        if error.cut:
            name = found[0].name
            raise refuse(
                "feigned",
                f"container `{name}` has more labels than any of jailoc's",
                hint=f"`docker rm --force {name}`",
            ) from error
        # One of them went away between the two calls.
        if tries == 1:
            raise
        return inspected(project, tries=tries - 1)
    told: list[dict[str, Any]] = json.loads(text)
    if project:
        labels = (each["Config"]["Labels"] or {} for each in told)
        ownership.check(project, (each.get(COMPOSE_DIRECTORY, "") for each in labels))
    return told


def mine(listed: Listed) -> bool:
    """Tell whether a container is one of this user's workspaces."""
    return ownership.mine(listed.project, listed.directory)


def container(data: dict[str, Any]) -> Container:
    """Read one object of `docker inspect`."""
    labels = data["Config"]["Labels"] or {}
    state = data["State"]
    host = data.get("HostConfig") or {}
    mode = host.get("NetworkMode") or ""
    bindings = (data["NetworkSettings"].get("Ports") or {}).get(f"{FIRST_PORT}/tcp") or []
    return Container(
        id=data["Id"],
        service=labels.get(COMPOSE_SERVICE, ""),
        project=labels.get(COMPOSE_PROJECT, ""),
        state=state["Status"],
        health=health(state.get("Health") or {}),
        probed=probed(state.get("Health") or {}),
        exit_code=state["ExitCode"],
        ports=tuple(int(each["HostPort"]) for each in bindings),
        published=tuple(published(data["NetworkSettings"].get("Ports") or {})),
        started=state["StartedAt"],
        joins=mode.removeprefix("container:") if mode.startswith("container:") else None,
        process=state.get("Pid") or 0,
        image=data["Config"]["Image"],
        image_id=data["Image"],
        directory=labels.get(COMPOSE_DIRECTORY, ""),
        user=data["Config"].get("User") or "",
        agent=labels.get(AGENT_LABEL, ""),
        writable=tuple(writable(data)),
        limits=ContainerLimits(
            cpus=cpus(host),
            memory=host.get("Memory") or None,
            # The engine says -1, 0 or nothing where there is none.
            pids=max(host.get("PidsLimit") or 0, 0) or None,
        ),
    )


def severed(each: Container | None, wall: Container | None) -> str:
    """Say why a running container has no network any more; nothing if it has the wall's.

    A wall that starts gets a namespace of its own; who joined the one before stays in that.
    """
    if each is None or each.state != "running" or each.joins is None:
        return ""
    if wall is None:
        return "the firewall is gone"
    if each.joins != wall.id:
        return "the firewall was replaced"
    if wall.state not in {"running", "paused"}:
        return "the firewall has ended"
    return "the firewall restarted" if _moment(wall.started) > _moment(each.started) else ""


def _moment(text: str) -> tuple[str, str]:
    """Return a time of the engine (RFC 3339, UTC, its fraction of any length) as it sorts."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return whole, fraction.ljust(9, "0")


def project_objects(project: str) -> bool:
    """Tell whether the engine still has a container or network of a project."""
    if containers(project):
        return True
    found = run(
        ["network", "ls", "--quiet", "--filter", f"label={COMPOSE_PROJECT}={project}"],
        what="list networks",
        timeout=30,
    )
    return bool(found.split())


def owned(kind: str, project: str | None = None) -> dict[str, str]:
    """Return the networks or volumes of a project, or of all, by name with their project.

    What has another name is of somebody's own compose file, whatever project that names.
    """
    of = f"{COMPOSE_PROJECT}={project}" if project else COMPOSE_PROJECT
    found = named.told(kind, f"label={of}", COMPOSE_PROJECT, timeout=30)
    return {name: whose for name, whose in found if name.startswith(f"{whose}_")}


def compose(project: str, file: Path | None, arguments: Iterable[str], **options: Any) -> list[str]:
    """Return docker's arguments for a Compose call on one project."""
    place = ["--file", str(file), "--project-directory", str(file.parent)] if file else []
    return ["compose", "--project-name", project, *place, *arguments]


def up(
    project: str, file: Path, services: list[str], line: Callable[[str], None], wait: int | None
) -> None:
    """Start services of a project, and wait until what they need, or they too, are healthy.

    What is there is only started: whether a container is made anew is decided elsewhere.

    Args:
        project: The project's name.
        file: The compose file.
        services: Those to start, with what they wait for.
        line: Called with each line of progress.
        wait: Seconds until it counts as failed; None to leave it to whoever waits for them.

    Raises:
        DockerError: a service did not become healthy, or the engine refused.
        Refused: a container says that it is one of the project, and is none.
    """
    listed(project, every=True)
    waiting = [] if wait is None else ["--wait", "--wait-timeout", str(wait)]
    stream(
        compose(
            project,
            file,
            ["--ansi", "never", "--progress", "plain", "up", "--detach", "--no-recreate",
             "--no-build", "--quiet-pull", *waiting, *services],
        ),
        what=f"starting project {project}",
        line=line,
        timeout=(wait or 0) + MARGIN,
    )  # fmt: skip


def stop(container: str) -> None:
    """Stop a container, and wait until it has."""
    run(["stop", "--time", "5", container], what="stop container", timeout=60)


def remove(container: str) -> None:
    """Remove a container, running or not, with volumes of its image's, which nothing else names."""
    run(["rm", "--force", "--volumes", container], what="remove container", timeout=60)


def restart(container: str) -> None:
    """Stop a container and start it again."""
    run(["restart", "--time", "5", container], what="restart container", timeout=90)


def succeeds(container: str, command: list[str]) -> bool | None:
    """Tell whether a command that root runs in a container ends well; None if it was not run."""
    try:
        feed(container, command, b"")
    except DockerError as error:
        return None if error.cut or error.status in NOT_RUN else False
    return True


NOT_RUN = (125, 126, 127, 128)
"""Statuses of docker(1) itself where a container's runtime ran nothing."""


def feed(container: str, command: list[str], data: bytes, user: str = "0:0") -> str:
    """Run a command in a container, as root unless told, with data on its standard input.

    Raises:
        DockerError: it ended with another status than 0.
    """
    return run(
        ["exec", "--interactive", "--user", user, container, *command],
        what=f"running {command[-1]} in the container",
        stdin=data,
        timeout=60,
    )


def names(wall: str) -> ResolverState:
    """Return what a wall's resolver knows; nothing while it has not looked its names up."""
    try:
        text = feed(wall, ["/bin/cat", NAMES_STATE], b"")
    except DockerError:
        return ResolverState()
    return resolver_state(text)


_TABLES = f"""
before=$(stat -c %i {EVIDENCE_FILE} 2>/dev/null) || before=none
if [ -r {EVIDENCE_FILE} ] && kill -USR1 "$(cat {WALL_STATE}/names/pid)" 2>/dev/null; then
    tries=0
    while [ "$tries" -lt 60 ]; do
        now=$(stat -c %i {EVIDENCE_FILE} 2>/dev/null) || now=none
        [ "$now" = "$before" ] || break
        tries=$((tries + 1))
        sleep 0.05
    done
fi
echo "== now"; date +%s
echo "== evidence"; [ ! -r {EVIDENCE_FILE} ] || cat {EVIDENCE_FILE}
echo
cd /proc/net
for file in ipt_hashlimit/jailoc-* ip6t_hashlimit/jailoc-* xt_recent/v?:.machine xt_recent/*.link
do
    [ ! -r "$file" ] || {{ echo "== $file"; cat "$file"; }}
done
echo "== hosts"; cat /etc/hosts
echo "== route"; cat route
echo "== machine"; cat /run/jailoc/machine
echo "== uptime"; cat /proc/uptime
echo "== probes"; [ ! -r {PROBES_NOTE} ] || cat {PROBES_NOTE}
"""


def refusals(wall: str) -> dict[str, str]:
    """Return what the wall has seen, the kernel's tables of refusals, and where the machine is.

    Raises:
        DockerError: the wall cannot be looked into.
    """
    text = run(
        ["exec", "--user", RESOLVER_USER, wall, "/bin/sh", "-c", _TABLES],
        what="reading what was refused",
        timeout=30,
        limit=LARGE,
    )
    found: dict[str, str] = {}
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        found[name] = body
    return found


def down(project: str, line: Callable[[str], None], *, volumes: bool = False) -> None:
    """Remove all containers and networks of a project, also those no file names any more.

    Args:
        project: The project's name.
        line: Called with each line of progress.
        volumes: Whether those without a name, which images ask for, go with their containers.

    Raises:
        DockerError: something could not be removed.
        Refused: the project is another user's, or a container only says that it is one of it.
    """
    there = listed(project, every=True)
    ownership.check(project, (each.directory for each in there))
    for each in there if volumes else ():
        remove(each.id)
    stream(
        compose(project, None,
                ["--ansi", "never", "--progress", "plain", "down", "--remove-orphans"]),
        what=f"stopping project {project}",
        line=line,
        timeout=MARGIN,
    )  # fmt: skip


def tail(container: str, lines: int = 15) -> str:
    """Return the last log lines of a container, for the message of a failure."""
    seen: deque[str] = deque(maxlen=lines)
    with suppress(DockerError, Refused):
        stream(["logs", "--tail", str(lines), container], what="reading the logs",
               line=seen.append, timeout=20)  # fmt: skip
    return "\n".join(seen).strip()
