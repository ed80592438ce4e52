"""Look at what is there of a workspace: its files, and its project on the engine."""

import hashlib
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jailoc import __version__
from jailoc.bin.config import facts
from jailoc.bin.engine import containers as engine
from jailoc.bin.engine import credentials, docker, witness
from jailoc.bin.engine import images as builder
from jailoc.bin.host import files as store
from jailoc.bin.host import placeholders
from jailoc.generators.artefacts import container_fields
from jailoc.model import sandbox
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind
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
    return facts.cache_directory() / f"{name}.applied.json"


def recorded() -> tuple[str, ...]:
    """Return the workspaces of which it is written down what has been applied, in order."""
    end = ".applied.json"
    return tuple(
        sorted(each.name.removesuffix(end) for each in facts.cache_directory().glob(f"*{end}"))
    )


def leftovers(known: tuple[str, ...], config: str, *, ask: bool = True) -> tuple[str, ...]:
    """Return the workspaces that are there and that a configuration does not have any more.

    Those of another configuration, or of another user, are nobody's leftovers.

    Args:
        known: The workspaces of the configuration.
        config: Its path.
        ask: Whether to ask the engine.
    """
    cache, found = facts.cache_directory(), {*recorded()}
    if ask:
        found |= {
            name
            for project, place in engine.listed(every=True)
            if (name := sandbox.workspace_of(project)) and place == str(cache / name)
        }
    return tuple(
        name
        for name in sorted(found - {*known})
        if (applied := last(name)) is None or applied.config == config
    )


def observe(name: str, bundle: Bundle | None, *, ask: bool = True) -> Deployed:
    """Gather all that there is of a workspace.

    Args:
        name: The workspace.
        bundle: What is wanted; None if it is to be removed.
        ask: Whether to ask the engine.

    Raises:
        DockerError: the engine did not answer.
    """
    directory = facts.cache_directory() / name
    applied, files = last(name), _files(directory)
    lacking = placeholders.missing(bundle.placeholders) if bundle else ()
    if not ask:
        return Deployed(workspace=name, applied=applied, files=files, missing=lacking, engine=False)
    project = sandbox.project(name)
    with ThreadPoolExecutor() as pool:
        networks = pool.submit(engine.owned, "network", project)
        volumes = pool.submit(engine.owned, "volume", project)
        wanted = bundle.references if bundle else frozenset()
        images = pool.submit(builder.held, sorted(wanted))
        raw = engine.inspected(project)
        by_service = {_service(each): each for each in raw}
        inherited = pool.submit(builder.held, sorted({each["Image"] for each in raw}))
        wall = by_service.get(WALL)
        running = wall is not None and wall["State"]["Status"] == "running"
        asked = pool.submit(_ask_wall, wall["Id"]) if wall and running else None
        proxy = by_service.get(PROXY)
        serves = proxy is not None and proxy["State"]["Status"] == "running"
        fed = pool.submit(credentials.held, proxy["Id"]) if proxy and serves else None
        lapsed = pool.submit(_lapsed, bundle, by_service.get(AGENT), wall)
        mounts = lapsed.result()
        around = engine.container(wall) if wall else None
        containers = {
            service: _found(
                each,
                around,
                inherited.result().get(each["Image"]),
                (mounts or ()) if service == AGENT else (),
            )
            for service, each in by_service.items()
        }
        rules, told, held = asked.result() if asked else (Rules.UNKNOWN, (), ())
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
            network=bool(networks.result()),
            volumes=tuple(sorted(each.removeprefix(prefix) for each in volumes.result())),
            rules=rules,
            rules_told=told,
            missing=lacking,
            held=held,
            fed=fed.result() if fed else None,
            unseen=unseen,
        )


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
        health=(data["State"].get("Health") or {}).get("Status", ""),
        image=data["Image"],
        files=labels.get(DIGEST_LABEL, ""),
        service=labels.get(SERVICE_LABEL, ""),
        wall=container.joins,
        severed=engine.severed(container, wall),
        facets=container_fields.found(data, wall.id if wall else None),
        inherited=inherited.environment if inherited else {},
        lapsed=lapsed,
    )


def _ask_wall(container: str) -> tuple[Rules, tuple[str, ...], tuple[str, ...]]:
    """Return how the rules compare, what differs, and the names of the secrets in memory."""
    command = ["exec", "--user", "0:0", container, "/bin/sh", "-c", _ASK]
    status, output, told = docker.attempt(command, timeout=60, limit=engine.LARGE)
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
        text = place.read_bytes() if stat.S_ISREG(mode) else b"\0not a regular file"
        found[str(place.relative_to(directory))] = DeployedFile(
            mode=stat.S_IMODE(mode), digest=hashlib.sha256(text).hexdigest()
        )
    return found


def last(name: str) -> Applied | None:
    """Return what was applied last; None if nobody knows, or another version wrote it down."""
    try:
        return Applied.model_validate_json(record(name).read_bytes())
    except (OSError, ValidationError):
        return None


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
        store.write(record(name), now.model_dump_json() + "\n", 0o600)


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
    store.write(record(bundle.workspace), now.model_dump_json() + "\n", 0o600)
