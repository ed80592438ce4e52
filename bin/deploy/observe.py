"""Look at what is there of a workspace: its files, and its project on the engine."""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from jailoc import __version__
from jailoc.bin.config import facts
from jailoc.bin.deploy import provenance
from jailoc.bin.engine import container_list, credentials, docker, inspect_fields, witness
from jailoc.bin.engine import containers as engine
from jailoc.bin.engine import images as builder
from jailoc.bin.host import placeholders, records
from jailoc.generators.artefacts import container_fields
from jailoc.model import sandbox
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind, Compose, Mount
from jailoc.model.deployed import Applied, Deployed, DeployedFile, Found, Rules, file_states
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import (
    AGENT,
    COMPOSE_SERVICE,
    DIGEST_LABEL,
    FIREWALL,
    MACHINE_FILE,
    PROXY,
    SECRETS_PLACE,
    SERVICE_LABEL,
    WALL,
)

_ASK = f"ls -A {SECRETS_PLACE}; echo ==; exec {' '.join(FIREWALL)} verify"
"""Of a wall: the names of the secrets that it holds, then how its rules compare."""


def record(name: str) -> Path:
    """Return where it is written down what has been applied."""
    return records.record(name)


def recorded() -> tuple[str, ...]:
    """Return the workspaces of which it is written down what has been applied, in order."""
    return tuple(each.name.removesuffix(records.APPLIED) for each in records.every())


def leftovers(
    known: tuple[str, ...],
    config: str,
    *,
    ask: bool = True,
    there: Iterable[container_list.Listed] | None = None,
) -> tuple[str, ...]:
    """Return the workspaces that are there and that a configuration does not have any more.

    Those of another configuration, or of another user, are nobody's leftovers.

    Args:
        known: The workspaces of the configuration.
        config: Its path.
        ask: Whether to ask the engine.
        there: All containers of projects, if the engine has just been asked.
    """
    cache, found = facts.cache_directory(), {*recorded()}
    if ask:
        found |= {
            name
            for each in (container_list.listed(every=True) if there is None else there)
            if (name := sandbox.workspace_of(each.project)) and each.directory == str(cache / name)
        }
    return tuple(
        name
        for name in sorted(found - {*known})
        # A task is none: it goes by itself.
        if sandbox.task_of(name) is None
        and ((applied := last(name)) is None or applied.config == config)
    )


_Asked = tuple[Rules, tuple[str, ...], tuple[str, ...]]


class Told(NamedTuple):
    """What an engine has just said about workspaces; None of what it was not asked."""

    listed: tuple[container_list.Listed, ...] | None = None
    """The containers of all projects."""
    inspected: list[dict[str, Any]] | None = None
    """Those of one, as `docker inspect` has them."""
    images: Callable[[], dict[str, builder.HeldImage]] | None = None
    """What it has of the images that the workspace needs."""


def observe(
    name: str, bundle: Bundle | None, *, ask: bool = True, told: Told | None = None
) -> Deployed:
    """Gather all that there is of a workspace.

    Args:
        name: The workspace.
        bundle: What is wanted; None if it is to be removed.
        ask: Whether to ask the engine.
        told: What need not be asked again.

    Raises:
        DockerError: the engine did not answer.
    """
    directory = facts.cache_directory() / name
    applied, files = last(name), _files(directory)
    lacking = placeholders.missing(bundle.placeholders) if bundle else ()
    if not ask:
        return Deployed(workspace=name, applied=applied, files=files, missing=lacking, engine=False)
    project, told = sandbox.project(name), told or Told()
    with ThreadPoolExecutor() as pool:
        volumes = pool.submit(engine.owned, "volume", project)
        wanted = sorted(bundle.references if bundle else ())
        images = pool.submit(told.images or (lambda: builder.held(wanted)))
        raw, asking = told.inspected, dict[str, Future[_Asked]]()
        if raw is None:
            there = container_list.listed(project, every=True) if told.listed is None else tuple(
                each for each in told.listed if each.project == project
            )  # fmt: skip
            # If it does not run, it says nothing.
            asking = {
                each.id: pool.submit(_ask_wall, each.id) for each in there if each.service == WALL
            }
            raw = engine.inspected(project, there)
        by_service = {_service(each): each for each in raw}
        wall = by_service.get(WALL)
        running = wall is not None and wall["State"]["Status"] == "running"
        asked = None
        if wall and running:
            asked = asking.get(wall["Id"]) or pool.submit(_ask_wall, wall["Id"])
        networks = None if _networked(by_service.values(), project) else pool.submit(
            engine.owned, "network", project
        )  # fmt: skip
        proxy = by_service.get(PROXY)
        serves = proxy is not None and proxy["State"]["Status"] == "running"
        fed = pool.submit(credentials.held, proxy["Id"]) if proxy and serves else None
        lapsed = pool.submit(_lapsed, bundle, by_service.get(AGENT), wall)
        inherited = _inherited({each["Image"] for each in raw}, images.result())
        mounts = lapsed.result()
        around = engine.container(wall) if wall else None
        containers = {
            service: _found(
                each,
                around,
                inherited.get(each["Image"]),
                (mounts or ()) if service == AGENT else (),
            )
            for service, each in by_service.items()
        }
        rules, differing, held = asked.result() if asked else (Rules.UNKNOWN, (), ())
        unseen = (
            *(["what the firewall holds"] if asked and rules is Rules.UNKNOWN else ()),
            *(["what is mounted in the agent"] if mounts is None else ()),
        )
        prefix = f"{project}_"
        return Deployed(
            workspace=name,
            applied=applied,
            files=files,
            containers=containers,
            images={each: found.identity for each, found in images.result().items()},
            foreign=_foreign(bundle, images.result()),
            network=networks is None or bool(networks.result()),
            volumes=tuple(sorted(each.removeprefix(prefix) for each in volumes.result())),
            rules=rules,
            rules_told=differing,
            missing=lacking,
            held=held,
            fed=fed.result() if fed else None,
            unseen=unseen,
        )


def _foreign(bundle: Bundle | None, there: Mapping[str, builder.HeldImage]) -> tuple[str, ...]:
    built = provenance.known()
    return tuple(
        each.tag
        for each in (bundle.builds if bundle else ())
        if each.known and each.tag in there
        and there[each.tag].identity not in built.get(each.tag, ())
    )  # fmt: skip


def _networked(containers: Iterable[dict[str, Any]], project: str) -> bool:
    """Tell whether a container that runs is in a network of its project: then there is one."""
    return any(
        name.startswith(f"{project}_")
        for each in containers
        if each["State"]["Status"] == "running"
        for name in each["NetworkSettings"].get("Networks") or {}
    )


def _inherited(
    identities: set[str], known: dict[str, builder.HeldImage]
) -> dict[str, builder.HeldImage]:
    """Return the images that containers were made from; most are those that are known by name."""
    found = {each.identity: each for each in known.values() if each.identity in identities}
    return found | builder.held(sorted(identities - found.keys()))


def _service(data: dict[str, Any]) -> str:
    labels = data["Config"]["Labels"] or {}
    return str(labels.get(COMPOSE_SERVICE) or data["Name"].lstrip("/"))


def _found(
    data: dict[str, Any],
    wall: engine.Container | None,
    inherited: builder.HeldImage | None,
    lapsed: tuple[str, ...],
) -> Found:
    labels = data["Config"]["Labels"] or {}
    container = engine.container(data)
    return Found(
        id=data["Id"],
        state=data["State"]["Status"],
        health=inspect_fields.health(data["State"].get("Health") or {}),
        image=data["Image"],
        files=labels.get(DIGEST_LABEL, ""),
        service=labels.get(SERVICE_LABEL, ""),
        wall=container.joins,
        severed=engine.severed(container, wall),
        facets=container_fields.found(data, wall.id if wall else None),
        inherited=inherited.environment if inherited else {},
        lapsed=lapsed,
    )


def _ask_wall(container: str) -> _Asked:
    """Return how the rules compare, what differs, and the names of the secrets in memory."""
    command = ["exec", "--user", "0:0", container, "/bin/sh", "-c", _ASK]
    status, output, told = docker.attempt(command, timeout=60, limit=docker.LARGE)
    head, mark, _ = output.partition("==\n")
    if not mark:
        return Rules.UNKNOWN, (), ()
    lines = [
        line
        for line in told.splitlines()
        if line[:1] in "+-" and not line.startswith(("+++", "---"))
    ]
    if status != 0 and not lines:
        lines = [line for line in told.splitlines() if line.startswith("FATAL")]
    return (Rules.SAME if status == 0 else Rules.DIFFERENT), tuple(lines), tuple(head.split())


def _lapsed(
    bundle: Bundle | None, agent: dict[str, Any] | None, wall: dict[str, Any] | None
) -> tuple[str, ...] | None:
    """Return what should be mounted in the agent and is not any more; None if nobody can tell.

    The kernel takes a mount away when the host replaces the file below it (rename(2) in another
    mount namespace), and most editors and git replace files.
    """
    if bundle is None or agent is None or wall is None or agent["State"]["Status"] != "running":
        return ()
    made = {each["Destination"] for each in agent.get("Mounts") or []}
    binds = [
        mount.target.text
        for mount in bundle.compose.services[AGENT].mounts
        if isinstance(mount, Bind) and mount.target.text in made
    ]
    try:
        there = witness.mounted(agent["Id"], wall["Image"], agent["State"]["Pid"])
    except docker.DockerError:
        return None  # or it has ended meanwhile
    return tuple(each for each in binds if each not in there)


def _files(directory: Path) -> dict[str, DeployedFile]:
    found: dict[str, DeployedFile] = {}
    for place in sorted(directory.rglob("*")):
        mode = place.lstat().st_mode
        if stat.S_ISDIR(mode) or (place == directory / MACHINE_FILE and stat.S_ISREG(mode)):
            continue
        # What is no regular file has no business there, and differs from everything wanted.
        text = _content(place) if stat.S_ISREG(mode) else b"\0not a regular file"
        found[str(place.relative_to(directory))] = DeployedFile(
            mode=stat.S_IMODE(mode), digest=hashlib.sha256(text).hexdigest()
        )
    return found


def _content(place: Path) -> bytes:
    """Return what a file holds; of one that an agent holds by a lease (fcntl(2)), what differs."""
    try:
        with os.fdopen(os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return file.read()
    except BlockingIOError:
        return b"\0held by a lease"


def last(name: str) -> Applied | None:
    """Return what was applied last; None if nobody knows, or another version wrote it down."""
    try:
        return Applied.model_validate_json(record(name).read_bytes())
    except (OSError, ValidationError):
        return None


class _WrittenDown(BaseModel):
    """Of what is written down of a start, what both kinds have."""

    compose: Compose


def mounts() -> dict[str, tuple[Mount, ...]]:
    """Return what workspaces have mounted, by name: as started last, and as a start has begun."""
    found: dict[str, tuple[Mount, ...]] = {}
    for name, place in records.starts():
        with suppress(OSError, ValidationError):
            services = _WrittenDown.model_validate_json(place.read_bytes()).compose.services
            every = (each for one in services.values() for each in one.mounts)
            found[name] = (*found.get(name, ()), *every)
    return found


def mounted() -> dict[str, tuple[Bind, ...]]:
    """Return what of this machine workspaces have mounted."""
    return {
        name: tuple(each for each in every if isinstance(each, Bind))
        for name, every in mounts().items()
    }


def understood(name: str) -> None:
    """Refuse to go on from what a newer jailoc has written down.

    Raises:
        Refused: the record is of a format that this one cannot read.
    """
    place = record(name)
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return
    version = found.get("version") if isinstance(found, dict) else None
    known: int = Applied.model_fields["version"].default
    if isinstance(version, int) and version > known:
        raise refuse(
            "state-newer",
            f"what runs for workspace `{name}` was made by a newer jailoc: `{place}` has format "
            f"{version}",
            allowed=f"format {known}, which jailoc {__version__} writes",
            hint=f"use that jailoc, or begin anew: `jailoc destroy {name} --keep-volumes`",
        )


def fed(name: str, digests: dict[str, str]) -> None:
    """Write down what the proxy of a workspace holds, by keyed digests."""
    applied = last(name)
    if applied is not None:
        now = applied.model_copy(update={"credentials": digests})
        records.write(name, f"{now.model_dump_json()}\n".encode())


def reloaded(bundle: Bundle) -> None:
    """Write down that the rules of a workspace, and nothing else of it, have been applied."""
    applied = last(bundle.workspace)
    if applied is None:
        return
    states = file_states(bundle)
    now = applied.model_copy(
        update={
            "files": applied.files | {file.path: states[file.path] for file in bundle.rules},
            "firewall": bundle.firewall,
        }
    )
    if now.files == states:
        now = now.model_copy(update={"bundle": bundle.digest})
    records.write(bundle.workspace, f"{now.model_dump_json()}\n".encode())
