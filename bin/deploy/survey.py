"""What there is of every workspace: one look at the engine, compared with the configuration.

What the engine is asked, it is asked once for all workspaces, or in parallel: the answers take
longer than everything else.
"""

import time
from collections.abc import Container, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import (
    committed,
    container_state,
    elsewhere,
    existence,
    journal,
    observe,
    password,
    projects,
    restic,
)
from jailoc.bin.deploy.projects import Services
from jailoc.bin.engine import containers as engine
from jailoc.bin.engine import credentials, stats, task_limit
from jailoc.bin.engine import images as builder
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.host import paths
from jailoc.generators.config.resolve import agent_of, names, resolve
from jailoc.generators.config.select import unknown_workspace
from jailoc.generators.runtime import proxy_log
from jailoc.generators.runtime.resolver_state import ResolverState
from jailoc.generators.runtime.uncovered import beyond, told, told_open
from jailoc.generators.views.started import attach
from jailoc.model.base import Model
from jailoc.model.bundle import Bundle
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.image_reference import familiar
from jailoc.model.plan_address import RecordAddress, RulesAddress
from jailoc.model.sandbox import (
    AGENT,
    FIRST_PORT,
    PROXY,
    SIDECAR,
    WALL,
    project,
)
from jailoc.model.status import (
    RULES_DIFFER,
    ContainerLimits,
    CredentialStatus,
    Status,
    Usage,
)
from jailoc.model.workspace import Workspace


class Survey(Model):
    """What was seen at one moment."""

    rows: tuple[Status, ...]
    problems: tuple[Diagnostic, ...]
    """Why the configuration cannot be used; what runs is shown all the same."""


class Compared(NamedTuple):
    """How what runs differs from the configuration."""

    any: bool | None = None
    """Whether an apply would have something to do; None where that cannot be found out."""
    lapsed: tuple[str, ...] = ()
    """Where something should be mounted in the agent's container and is not any more."""
    rules: bool = False
    """Whether the wall has other rules than those that it was given."""
    by_hand: bool = False
    """Whether what runs differs from what was applied last."""


@dataclass(frozen=True, slots=True)
class AskedWorkspace:
    """One workspace, with what the engine was asked about it and has not answered yet."""

    name: str
    found: Services
    compiled: Bundle | str | None
    """What the configuration gives, or why it gives nothing; None if it was not asked."""
    names: Future[ResolverState] | None = None
    refusals: Future[dict[str, str] | None] | None = None
    drift: Future[Compared] | None = None

    @property
    def bundle(self) -> Bundle | None:
        """Return what the configuration gives, if it does."""
        return self.compiled if isinstance(self.compiled, Bundle) else None


@dataclass(frozen=True, slots=True)
class Answers:
    """What the engine said about all of them."""

    usage: dict[str, Usage]
    reason: str
    """Why a running container may be missing among them."""
    images: dict[str, str] = field(default_factory=dict)


def look(session: Session, wanted: str | None, *, all_users: bool = False) -> Survey:
    """Return what there is of one workspace or of all, also of those no configuration has.

    Args:
        session: The configuration.
        wanted: The one workspace.
        all_users: Whether those that somebody else has started on this engine count.

    Raises:
        Refused: neither the configuration nor the engine has the wanted one; or no engine answers.
    """
    origin: LoadedConfig | None = None
    problems: tuple[Diagnostic, ...] = ()
    try:
        origin = session.reread(expectations=False)
    except Refused as refused:
        problems = refused.diagnostics
    known = (*names(origin.config), *origin.config.tasks) if origin else ()
    try:
        idle = wanted is not None and wanted in known and not existence.started(wanted)
        raw, strangers = ({}, {}) if idle else projects.everything()
        found = projects.by_workspace(
            engine.container(each) for mine in raw.values() for each in mine
        )
    except Refused:
        if problems:
            raise Refused(problems) from None
        if wanted is not None and wanted not in known:
            raise unknown_workspace(wanted, known) from None
        raise
    if wanted is not None and wanted not in {*known, *found}:
        raise Refused(problems) if problems else unknown_workspace(wanted, known)
    others = {
        name: whose for name in found if (whose := projects.foreign(name, found[name])) is not None
    }
    every = {*known, *found} - (set() if all_users else {*others} - {*known})
    chosen = (wanted,) if wanted is not None else tuple(sorted(every))
    shown = {
        name: {} if name in others and not all_users else found.get(name, {}) for name in chosen
    }
    rows = tuple(
        each.model_copy(update={"problem": (others | strangers).get(each.workspace, each.problem)})
        for each in _rows(session, origin, shown, raw, others)
    )
    if wanted is not None and origin is not None and found.get(wanted):
        from jailoc.bin.deploy import grave

        mode = origin.config.password_mode
        where = password.source(
            mode, paths.state_directory(), wanted, agent_of(origin.config, wanted)
        )
        more = {"password": where, **grave.told(origin, wanted, behind=rows[0].drift is not False)}
        rows = tuple(each.model_copy(update=more) for each in rows)
    return Survey(rows=rows, problems=problems)


def _rows(
    session: Session,
    origin: LoadedConfig | None,
    found: Mapping[str, Services],
    raw: Mapping[str, list[dict[str, Any]]],
    others: Container[str],
) -> tuple[Status, ...]:
    compiled = {name: _compiled(origin, name) if services and name not in others else None
                for name, services in found.items()}  # fmt: skip
    references = {each for bundle in compiled.values() if isinstance(bundle, Bundle)
                  for each in bundle.references}  # fmt: skip
    # Waiting for the engine, and for Git, is most of what the threads do.
    with ThreadPoolExecutor(8) as pool:
        # Before those that wait for it, which may be as many as there are threads.
        images = pool.submit(builder.held, sorted(references))
        measured = pool.submit(stats.usage, _running(found.values()))
        every = [
            _asked(session, pool, name, services, origin, compiled[name],
                   observe.Told(inspected=raw.get(project(name), []), images=images.result))
            for name, services in found.items()
        ]  # fmt: skip
        answers = Answers(
            *_usage(measured), {name: each.identity for name, each in images.result().items()}
        )
        # They look at files and repositories, each at its own; they wait for what was begun before.
        return tuple(pool.map(lambda each: _row(each, origin, answers), every))


def _up(services: Services, service: str) -> engine.Container | None:
    there = services.get(service)
    return there if there is not None and there.state == "running" else None


def _running(every: Iterable[Services]) -> list[engine.Container]:
    return [there for services in every for each in (AGENT, WALL)
            if (there := _up(services, each))]  # fmt: skip


def _asked(
    session: Session,
    pool: ThreadPoolExecutor,
    name: str,
    found: Services,
    origin: LoadedConfig | None,
    compiled: Bundle | str | None,
    told: observe.Told,
) -> AskedWorkspace:
    """Send the questions about one workspace on their way."""
    wall = _up(found, WALL)
    drift = (
        pool.submit(drifted, session, origin, compiled, told)
        if origin and isinstance(compiled, Bundle)
        else None
    )
    if wall is None:
        return AskedWorkspace(name, found, compiled, drift=drift)
    return AskedWorkspace(
        name,
        found,
        compiled,
        pool.submit(engine.names, wall.id),
        pool.submit(_refusals, wall.id),
        drift,
    )


def _refusals(wall: str) -> dict[str, str] | None:
    try:
        return engine.refusals(wall)
    except DockerError:
        return None


def _usage(asked: Future[dict[str, Usage]]) -> tuple[dict[str, Usage], str]:
    try:
        return asked.result(), "the container has just stopped"
    except DockerError as error:
        return {}, error.tail.rpartition("\n")[2] or error.what


def _compiled(origin: LoadedConfig | None, name: str) -> Bundle | str | None:
    # The compiler checks what it writes against schemas; where nothing runs nobody needs it.
    from jailoc.generators.artefacts.compile import compile_workspace

    if origin is None or name not in origin.config.workspaces:
        return None
    try:
        return compile_workspace(origin.config, name, origin.host)
    except Refused as refused:
        return str(refused)


def drifted(session: Session, origin: LoadedConfig, bundle: Bundle, told: observe.Told) -> Compared:
    """Compare what runs with the configuration, as a plan does."""
    from jailoc.bin.deploy import apply

    name = bundle.workspace
    try:
        each = apply.item(session, origin, name, complete=False, ask=False, compiled=bundle)
        there = observe.observe(name, bundle, told=told)
        agent = there.containers.get(AGENT)
        made = apply.planned(session.terminal, each, there)
        differs = any(not isinstance(each.address, RecordAddress) for each in made.changes)
        rules = any(isinstance(each.address, RulesAddress) for each in made.drift)
        # That no difference was found says nothing about what was not looked at.
        seen = None if made.empty and made.unseen else differs
        return Compared(seen, agent.lapsed if agent else (), rules, bool(made.drift))
    except (DockerError, Refused):
        return Compared()


OWN = frozenset({WALL, AGENT, SIDECAR, PROXY})
"""Containers that every sandbox may have."""


def _row(asked: AskedWorkspace, origin: LoadedConfig | None, answers: Answers) -> Status:
    found, bundle = asked.found, asked.bundle
    agent, wall, running = found.get(AGENT), found.get(WALL), _up(found, AGENT)
    wall_up = _up(found, WALL)
    side = found.get(SIDECAR)
    configured = asked.name in origin.config.workspaces if origin else None
    usage = answers.usage.get(running.id) if running else None
    port, exposed, ports = _ports(asked.name, origin if configured else None, wall_up)
    blocked, unresolved = _wall(asked)
    drift = asked.drift.result() if asked.drift else Compared()
    meant = resolve(origin.config, asked.name, origin.host) if origin and configured else None
    space = meant if running else None
    known = observe.last(asked.name) if space else None
    taken = restic.times(asked.name) if space and space.snapshots.configured else None
    return Status(
        workspace=asked.name,
        configured=configured,
        problem=asked.compiled
        if isinstance(asked.compiled, str)
        else journal.told(asked.name) or (None if running else elsewhere.told(asked.name)),
        state=f"no network: {cut}"
        if (cut := engine.severed(agent, wall))
        else container_state.state(agent),
        wall=RULES_DIFFER if drift.rules and wall_up else container_state.state(wall),
        docker=f"no network: {cut}"
        if (cut := engine.severed(side, wall))
        else "off"
        if side is None and meant is not None and not meant.enable_docker
        else container_state.state(side),
        services={
            name: container_state.state(found.get(name))
            for name in sorted({*(bundle.compose.beside if bundle else ()), *found} - OWN)
        },
        port=port,
        exposed=exposed,
        attach=attach(space, origin.host.home) if space and origin else None,
        ports=ports,
        uptime=container_state.uptime(running.started) if running else None,
        usage=_shared(usage, answers.usage.get(wall.id) if wall else None),
        stats=answers.reason if running and usage is None else None,
        limits=agent.limits if agent else ContainerLimits(),
        pids_refused=task_limit.refused(running.process, running.id) if running else None,
        agent=(agent.agent or None) if agent else None,
        image=agent.image if agent else None,
        image_current=_current(agent, bundle, answers.images),
        blocked=blocked,
        unresolved=unresolved,
        credentials=_credentials(space, _up(found, PROXY)),
        proxy=container_state.state(found.get(PROXY)) if space and space.credentials else None,
        uncovered=told_open(space, known.compose if known else None, drift.lapsed) if space else (),
        uncoverable=told(beyond(space)) if space else (),
        committed=committed.rows(origin, asked.name) if space and origin else (),
        drift=True if configured is False else drift.any,
        by_hand=drift.by_hand,
        snapshots=len(taken) if taken is not None else None,
        snapshot_age=max(0, int(time.time() - max(taken))) if taken else None,
    )


def _credentials(
    workspace: Workspace | None, proxy: engine.Container | None
) -> tuple[CredentialStatus, ...]:
    """Return what a running proxy holds, and has done with it."""
    if workspace is None or proxy is None or not workspace.credentials:
        return ()
    there, log = credentials.held(proxy.id) or (), credentials.log(proxy.id)
    return proxy_log.statuses(workspace.credentials, there, log, int(time.time()))


def _shared(agent: Usage | None, wall: Usage | None) -> Usage | None:
    """Put in what goes through the network: the wall owns it, so the engine counts it there."""
    if agent is None or wall is None:
        return agent
    return agent.model_copy(update={"received": wall.received, "sent": wall.sent})


def _ports(
    name: str, origin: LoadedConfig | None, wall: engine.Container | None
) -> tuple[int | None, bool, tuple[tuple[int, int], ...]]:
    """Return the server's port on the host, whether it is open, and what is published beside it.

    What runs is asked first: the configuration may have moved on since the start.
    """
    if wall is not None:
        more = [(each.port, each.inside) for each in wall.published if each.inside != FIRST_PORT]
        return wall.ports[0] if wall.ports else None, bool(wall.ports), tuple(sorted(more))
    if origin is None:
        return None, False, ()
    workspace = resolve(origin.config, name, origin.host)
    port = workspace.port if workspace.expose_port else None
    others = tuple((each.published, each.target) for each in workspace.ports)
    return port, workspace.expose_port, others


def _wall(asked: AskedWorkspace) -> tuple[int | None, tuple[str, ...]]:
    """Return how many places were refused, and the allowed names without an address."""
    if asked.names is None or asked.refusals is None:
        return None, ()
    # Only where there is a wall: it brings the rules and what explains them.
    from jailoc.generators.runtime.blocked import count

    state, tables = asked.names.result(), asked.refusals.result()
    rules = asked.bundle.firewall if asked.bundle else None
    refused = None if tables is None else count(tables, state.refused, rules)
    return refused, state.lost


def _current(
    agent: engine.Container | None, bundle: Bundle | None, images: Mapping[str, str]
) -> bool | None:
    """Tell whether a container's image is the one of the configuration; a tag may have moved."""
    if agent is None or bundle is None:
        return None
    reference = bundle.compose.services[AGENT].image.text
    named = familiar(agent.image) == familiar(reference)
    return named and images.get(reference) in {agent.image_id, None}
