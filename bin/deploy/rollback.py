"""The way back: what a workspace was before an apply, and how it becomes that again."""

import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from jailoc.bin.config import facts
from jailoc.bin.deploy import credentials as credential
from jailoc.bin.deploy import execute, machine, made, observe, proof, provenance
from jailoc.bin.deploy import secrets as secret
from jailoc.bin.engine import containers as engine
from jailoc.bin.engine import disk, docker, images, startup
from jailoc.bin.host import farewell, records
from jailoc.bin.host import files as store
from jailoc.bin.host.links import Identity
from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model import sandbox
from jailoc.model.base import Model
from jailoc.model.deployed import Applied, Deployed
from jailoc.model.diagnostic import Refused
from jailoc.model.image import BUILT
from jailoc.model.palette import Meaning
from jailoc.model.path import within
from jailoc.model.repository import Made
from jailoc.model.sandbox import AGENT, COMPOSE_FILE, FIREWALL, PROXY, WALL, typed

TRIES, LATE = 5, 0.5
"""How often, and for how many seconds each time, to look for what comes about late."""


class Before(Model):
    """A workspace as it was: the text of its files, and the containers that ran."""

    workspace: str
    files: dict[str, tuple[int, bytes]]
    containers: dict[str, str]
    """Id of each container that ran, by service."""
    sources: dict[str, str]
    """What was mounted in the agent's container, by its place there."""
    behind: dict[str, Identity | None] | None
    """What lay behind that; None where it could not be looked at."""
    image: str | None = None
    """The wall's, in which is looked at what this user may not see."""
    volumes: tuple[str, ...] = ()
    """Names of its volumes, without the project."""
    record: bytes | None = None
    """The note of what was applied last, if there was one."""
    made: tuple[Made, ...] = ()
    """What starts had made in repositories."""


class Handed(NamedTuple):
    """Every value that is handed over."""

    secrets: secret.Values
    credentials: credential.Lines


def remember(found: Deployed) -> Before:
    """Keep what an apply is about to change."""
    directory = facts.cache_directory() / found.workspace
    sources = _binds(found)
    return Before(
        workspace=found.workspace,
        files={
            path: (state.mode, (directory / path).read_bytes())
            for path, state in found.files.items()
            if (directory / path).is_file() and not (directory / path).is_symlink()
        },
        containers={
            name: each.id for name, each in found.containers.items() if each.state == "running"
        },
        sources=sources,
        behind=_behind(found, sources),
        image=_image(found),
        volumes=found.volumes,
        record=_bytes(observe.record(found.workspace)),
        made=made.known(found.workspace),
    )


def _bytes(place: Path) -> bytes | None:
    with suppress(OSError):
        return place.read_bytes()
    return None


def _behind(found: Deployed, sources: dict[str, str]) -> proof.Places | None:
    """Return what lies behind the mounts now; None where nothing is mounted, or to be compared."""
    if not sources:
        return None
    return proof.look(found.containers[AGENT].id, sources, _image(found))


def _image(found: Deployed) -> str | None:
    wall = found.containers.get(WALL)
    if wall is None:
        return None
    # Something may have taken its tag since.
    return found.applied.images.get(wall.image, wall.image) if found.applied else wall.image


def _binds(found: Deployed) -> dict[str, str]:
    agent = found.containers.get(AGENT)
    if agent is None or agent.state != "running":
        return {}
    # What was generated is restored, each file as a new one; no agent can write there.
    own = str(facts.cache_directory() / found.workspace)
    return {
        place: source
        for place, source in startup.binds(agent.id).items()
        if not within(source, own)
    }


def untouched(terminal: Terminal, before: Before) -> None:
    """Say that a failure has changed nothing, although changes were told of."""
    name = typed(before.workspace)
    terminal.steady().say(f"{name}: nothing that runs was touched", Meaning.WARNS)


def interrupted(
    terminal: Terminal, before: Before, handed: Handed, *, touched: bool, back: bool
) -> None:
    """Return to what was there; whoever interrupts that too is told what is left.

    Args:
        terminal: Where it is told.
        before: What was there.
        handed: Every value that is handed over.
        touched: Whether anything that runs may be other than before.
        back: Whether to return at all.
    """
    name, terminal = before.workspace, terminal.steady()
    if not touched:
        terminal.say(
            f"{name}: nothing that runs was touched, and what was built is kept: "
            f"`jailoc up {typed(name)}` goes on from there",
            Meaning.WARNS,
        )
        return
    left = (
        f"what was begun of {name} is left as it is: `jailoc up {name}` goes on with it, "
        f"`jailoc down {name}` stops it"
    )
    if not back:
        terminal.say(left, Meaning.WARNS)
        return
    with farewell.saying(left):
        go_back(terminal, before, handed)


def go_back(terminal: Terminal, before: Before, handed: Handed) -> None:
    """Return to what was there; failures on the way are told, and end it."""
    project = sandbox.project(before.workspace)
    directory = facts.cache_directory() / before.workspace
    try:
        if WALL not in before.containers or COMPOSE_FILE not in before.files:
            with step(terminal, f"{typed(before.workspace)}: stopping what was started"):
                _undone(terminal, project, before)
                _restore(directory, before)
            terminal.say(f"{typed(before.workspace)}: nothing runs, as before", Meaning.WARNS)
            made.take_away(terminal, before.workspace)
            return
        with step(terminal, f"{typed(before.workspace)}: returning to the previous state"):
            _returned(terminal, directory, before, handed)
        made.take_away(terminal, before.workspace, before.made)
    except (docker.DockerError, Refused, OSError) as error:
        terminal.say(f"{before.workspace}: the way back failed as well: {error}", Meaning.FAILS)
        _stop(project)
        terminal.say(
            f"see `jailoc logs {before.workspace}`, then run `jailoc up` again", Meaning.WARNS
        )
        return
    state = "runs again" if AGENT in before.containers else "is back: its agent did not run"
    terminal.say(f"{typed(before.workspace)}: the previous state {state}", Meaning.WARNS)


def _undone(terminal: Terminal, project: str, before: Before) -> None:
    """Remove containers, network, and the volumes that were not there before."""
    for left in reversed(range(TRIES)):
        try:
            engine.down(project, terminal.detail)
        except docker.DockerError:
            # Of what the engine is still making it refuses to remove some.
            if not left:
                raise
        time.sleep(LATE)
        if not engine.project_objects(project):
            break
    _fewer_volumes(project, before)


def _fewer_volumes(project: str, before: Before) -> None:
    """Remove the volumes that were not there before; nothing of anybody's is in them yet."""
    prefix = f"{project}_"
    for name in engine.owned("volume", project):
        if name.removeprefix(prefix) not in before.volumes:
            disk.remove_volume(name)


def _returned(terminal: Terminal, directory: Path, before: Before, handed: Handed) -> None:
    _retag(before)
    project = sandbox.project(before.workspace)
    kept = {*before.containers.values()}
    # What an interrupted client had asked for may come about a moment later.
    time.sleep(LATE)
    found = engine.containers(project)
    replaced = any(each.service == WALL and each.id not in kept for each in found)
    for each in sorted(found, key=lambda each: each.service == WALL):
        # What shares the namespace of a wall that goes has to go with it.
        if each.id not in kept or replaced:
            engine.remove(each.id)
    _restore(directory, before)
    secrets = handed.secrets
    held = execute.Held(secrets, lambda agent: _prove(before, agent))
    execute.start(terminal, project, directory, (WALL,), held)
    wall = execute.wall_of(project)
    running = startup.running(project, AGENT)
    execute.hand_secrets(wall, secrets if running else execute.withheld(secrets))
    if not replaced:
        machine.hand(directory)
        engine.feed(wall, [*FIREWALL, "reload"], b"")
    if PROXY in before.containers:
        execute.start(terminal, project, directory, (PROXY,), held)
        credential.feed(project, handed.credentials)
    execute.start(terminal, project, directory, tuple(before.containers), held)
    with suppress(docker.DockerError):
        _fewer_volumes(project, before)


def _retag(before: Before) -> None:
    """Have the tags of jailoc's images name again what ran, where somebody else has taken one.

    Raises:
        DockerError: the engine does not have that any more.
    """
    if before.record is None:
        return
    with suppress(ValidationError):
        applied = Applied.model_validate_json(before.record)
        ran = applied.images
        tags = {each.image.text for each in applied.compose.services.values()} & ran.keys()
        for tag in sorted(filter(re.compile(BUILT).fullmatch, tags)):
            now = images.identity(tag)
            if now is None or not provenance.built(tag, now):
                images.tag(ran[tag], tag)


def _prove(before: Before, agent: str) -> None:
    """Compare what is mounted anew with what was mounted before.

    Raises:
        Refused: it is something else.
    """
    if before.behind is not None:
        present = proof.look(agent, before.sources, before.image)
        proof.compare(before.sources, before.behind, present or {})


def _stop(project: str) -> None:
    """Stop an agent that waits for what it will not get."""
    with suppress(docker.DockerError, Refused):
        if (agent := startup.running(project, AGENT)) is not None:
            engine.remove(agent)


def _restore(directory: Path, before: Before) -> None:
    """Make a directory hold exactly the files of before, and the note say what it said."""
    if before.record is None:
        observe.record(before.workspace).unlink(missing_ok=True)
    else:
        records.write(before.workspace, before.record)
    if not before.files:
        shutil.rmtree(directory, ignore_errors=True)
        return
    for place in sorted(directory.rglob("*"), reverse=True):
        if not place.is_dir() and str(place.relative_to(directory)) not in before.files:
            place.unlink()
    for path, (mode, text) in before.files.items():
        place = directory / path
        store.make_folders(directory, path)
        store.write_bytes(place, text, mode)
