"""Make workspaces what the configuration says: look, plan, and take the steps of the plan."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jailoc.bin.config import facts
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import (
    announcement,
    committed,
    digest_key,
    execute,
    existence,
    host_ports,
    images,
    observe,
    password,
    permissions,
    preflight,
    premade,
    removal,
    rollback,
    server_port,
    sharing,
    snapshots,
    task_bounds,
    uncovered,
    unhealthy,
    working_tasks,
)
from jailoc.bin.deploy import credentials as credential
from jailoc.bin.deploy import secrets as secret
from jailoc.bin.engine import docker, stats
from jailoc.bin.engine import images as builder
from jailoc.bin.host import files
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.portable import bare
from jailoc.generators.config.effective import of_workspace
from jailoc.generators.config.exposures import stopping
from jailoc.generators.config.resolve import names, resolve
from jailoc.generators.config.sources import missing as missing_sources
from jailoc.generators.config.stated import stated
from jailoc.generators.plan.inputs import Given, keyed
from jailoc.generators.plan.origins import tell
from jailoc.generators.plan.plan import moved, plan
from jailoc.generators.runtime.uncovered import executed
from jailoc.model.bundle import Bundle
from jailoc.model.deployed import Deployed
from jailoc.model.diagnostic import Diagnostic, Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.plan import BuildImages, Extent, Plan
from jailoc.model.sandbox import PASSWORD_FILE

MOST_ROUNDS = 3
"""Plans in a row until a workspace must be as it should; a build may bring another image."""


@dataclass(frozen=True)
class Item:
    """One workspace with all that its plan is made from."""

    name: str
    bundle: Bundle | None
    """None if it is to be removed."""
    given: Given
    secrets: secret.Values
    origin: LoadedConfig
    told: observe.Told = field(default_factory=observe.Told)
    """What the engine has said on the way."""
    credentials: credential.Lines = field(default_factory=dict)
    written: tuple[str, ...] = ()
    """What Git on the host would write over what is covered."""

    @property
    def handed(self) -> rollback.Handed:
        """Return every value that is handed over."""
        return rollback.Handed(self.secrets, self.credentials)


def read(
    session: Session, chosen: Callable[[LoadedConfig], tuple[str, ...]], *, complete: bool = True
) -> LoadedConfig:
    """Return the configuration, with the remote Dockerfiles of the workspaces that are chosen.

    Raises:
        Refused: it is wrong; or, if `complete`, what is mounted is missing or has to be seen.
    """
    origin = session.source()
    permissions.own()
    warnings = origin.warnings
    named = chosen(origin)
    wanted = {*named} & origin.config.workspaces.keys() if complete else set[str]()
    for name in sorted(wanted):
        # Neither jailoc nor the engine makes anything in the place of what is not there.
        absent = tuple(missing_sources(origin.document, origin.config, name, origin.host))
        if absent and docker.endpoint().local:
            raise Refused(absent)
        if stops := tuple(stopping(origin.document, origin.config, name, origin.host)):
            raise Refused(stops)
    if wanted and docker.endpoint().local:
        warnings = permissions.check(origin, wanted - {*origin.config.tasks})
    terminal = session.terminal
    terminal.diagnose((each for each in warnings if each.about(named)), once=True)
    if origin.starter and terminal.first("starter"):
        terminal.say(
            f"no configuration at {origin.path}: using the starter configuration", Meaning.WARNS
        )
    fetched = False
    for name in named:
        if name not in origin.config.workspaces:
            continue
        workspace = resolve(origin.config, name, origin.host)
        for place in (workspace.base, workspace.overlay):
            if place and place.source in origin.urls:
                images.fetched(terminal, place.source)
                fetched = True
    return session.reread() if fetched else origin


def item(
    session: Session,
    origin: LoadedConfig,
    name: str,
    *,
    complete: bool,
    ask: bool = True,
    pull: bool = False,
    ignore: tuple[str, ...] = (),
    compiled: Bundle | None = None,
) -> Item:
    """Compile a workspace, and gather its secrets.

    Args:
        session: Where images are told of.
        origin: The configuration.
        name: The workspace.
        ask: Whether there is an engine to be asked.
        pull: Whether images that others are built on are fetched anew.
        complete: Whether every secret must be there, as for an apply; the password is made then.
        ignore: More patterns of drift that is noise.
        compiled: What the configuration gives, if it was compiled before.

    Raises:
        Refused: the workspace is unknown, another user's or a newer jailoc's, a secret is missing,
            it is a task and there is no memory for it, or no engine answers.
    """
    observe.understood(name)
    if complete:
        preflight.places()
        sharing.check(origin, name)
        task_bounds.may_run(origin, name)
        preflight.halted(origin, name)
    workspace = resolve(origin.config, name, origin.host)
    mode = origin.config.password_mode
    missing, unread = tuple[str, ...](), tuple[str, ...]()
    if complete:
        values = secret.values(workspace)
        fed = credential.lines(workspace)
        password.check(mode, workspace.agent)
        announcement.tell_password(session.terminal, password.unasked(mode, workspace.agent))
    else:
        values, missing = secret.known(workspace)
        fed, unread = credential.known(workspace)
    bundle = compiled or compile_workspace(origin.config, name, origin.host)
    if complete:
        # Before anything is written: a password, or the key of the digests.
        if observe.last(name) is None:
            host_ports.possible(bundle)
        elif stats.about() is None:
            docker.check_engine()
    if ask:
        existence.own(name)
        premade.untaken(bundle, digest_key.key())
    held = builder.held(sorted(bundle.references)) if ask else {}
    if ask and images.resolve(session.terminal, bundle, held, pull=pull, fetch=complete):
        origin, held = session.reread(), {}
        bundle = compile_workspace(origin.config, name, origin.host)
    if complete:
        made = password.password(mode, facts.state_directory(), name, workspace.agent)
        values[PASSWORD_FILE] = made.encode()
    elif (known := password.peek(mode, facts.state_directory(), name, workspace.agent)) is not None:
        values[PASSWORD_FILE] = known.encode()
    else:
        missing = (*missing, PASSWORD_FILE)
    key, config = digest_key.key(), origin.config
    seen = committed.look(origin, name) if complete else committed.CommittedLook({}, ())
    return Item(
        name=name,
        bundle=bundle,
        given=Given(
            config=origin.path,
            names=names(config),
            pinned=frozenset(each for each, mine in config.workspaces.items() if mine.port),
            secrets={each: keyed(key, value) for each, value in values.items()},
            missing=missing,
            credentials={each: keyed(key, line) for each, line in fed.items()},
            unread=unread,
            executes=executed(workspace),
            committed=seen.accepted,
            stated=stated(origin.config, workspace, origin.host),
            bare=bare(origin.host),
            networks=origin.host.networks,
            key=key,
            ignore=(*config.ignore_drift, *ignore),
            home=origin.host.home,
            local=not ask or docker.endpoint().local,
        ),
        secrets=values,
        origin=origin,
        # An apply may build, or wait for an answer, before it looks.
        told=observe.Told() if complete or not held else observe.Told(images=lambda: held),
        credentials=fed,
        written=seen.lines,
    )


def leftover(origin: LoadedConfig, name: str) -> Item:
    """Return a workspace that is to be removed."""
    config, every, home = origin.path, names(origin.config), origin.host.home
    given = Given(config=config, names=every, key=digest_key.key(), home=home)
    return Item(name=name, bundle=None, given=given, secrets={}, origin=origin)


def _leftover(terminal: Terminal, each: Item, prune: bool) -> removal.Leftover:
    return removal.Leftover(terminal, each.name, Extent.ALL if prune else Extent.PROJECT)


def planned(
    terminal: Terminal,
    each: Item,
    found: Deployed | None = None,
    *,
    ask: bool = True,
    prune: bool = False,
) -> Plan:
    """Look at what is there of a workspace, and say what has to be done.

    Args:
        terminal: Where progress would be shown.
        each: The workspace.
        found: What is there, if somebody has looked.
        ask: Whether to ask the engine.
        prune: Whether a removal takes volumes, images and the password, too.
    """
    if each.bundle is None:
        made = _leftover(terminal, each, prune).planned(each.given, ask=ask)
        return tell(made, each.origin.document, {})
    found = found or observe.observe(each.name, each.bundle, ask=ask, told=each.told)
    settings = {
        one.key: one.origin for one in of_workspace(each.origin.config, each.name, each.origin.host)
    }
    made = plan(each.bundle, found, each.given)
    return tell(made, each.origin.document, settings)


def carry_out(
    session: Session,
    each: Item,
    *,
    approved: Plan | None = None,
    prune: bool = False,
    back: bool = True,
    snapshot: bool = True,
) -> Plan | None:
    """Make a workspace what its item says; return what was done, None if there was nothing to do.

    Args:
        session: The configuration, to compare it again, and where progress is shown.
        each: The workspace.
        approved: The plan that somebody has seen; any other is refused.
        prune: Whether a removal takes volumes, images and the password, too.
        back: Whether a failure, or an interrupt, returns to the previous state.
        snapshot: Whether one is taken before the agent starts, where the configuration says so.

    Raises:
        DockerError: the engine refused, or a service did not become healthy.
        Refused: an undo is not finished, a snapshot cannot be taken, the world has moved on,
            somebody else holds the port, or what runs differs from its model.
    """
    terminal = session.terminal
    if each.bundle is None:
        place = _leftover(terminal, each, prune)
        return place.carry_out(each.given, lambda made: same(approved, made))
    with files.locked(facts.cache_directory() / f"{each.name}.lock"):
        sharing.check(each.origin, each.name)
        world = execute.Engine(
            terminal,
            each.bundle,
            each.given,
            each.secrets,
            each.credentials,
            lambda: unchanged(session, each),
            each.origin.host,
        )
        found = world.observe()
        if any(one.health == "starting" for one in found.containers.values()):
            world.wait()
            found = world.observe()
        made = plan(each.bundle, found, each.given)
        same(approved, made)
        if made.empty:
            return None
        host_ports.check(each.bundle)
        docker.check()
        if approved is None:
            tell_uncovered(session, each, found)
            announcement.tell(terminal, made)
        announcement.tell_limits(terminal, each.bundle)
        if snapshot:
            snapshots.before_start(terminal, each.origin, found, made)
        before = rollback.remember(found)
        try:
            rounds(world, each.bundle, each.given, made)
        except KeyboardInterrupt:
            rollback.interrupted(terminal, before, each.handed, touched=world.touched, back=back)
            raise
        except (docker.DockerError, Refused) as error:
            if not world.touched:
                rollback.untouched(terminal, before)
                raise
            unhealthy.tell(terminal, each.bundle.compose.name)
            squatter = server_port.squatter(each.bundle)
            if back:
                rollback.go_back(terminal, before, each.handed)
            if squatter is not None:
                raise squatter from error
            raise
    working_tasks.tell(terminal, each.name, "up", "renews it", "renew them")
    return made


def tell_uncovered(session: Session, each: Item, found: Deployed | None = None) -> None:
    """Show what is about to be covered and an agent may have written."""
    if each.bundle is not None:
        workspace = resolve(each.origin.config, each.name, each.origin.host)
        found = found or observe.observe(each.name, each.bundle)
        uncovered.tell(session.terminal, workspace, found)
        committed.tell(session.terminal, each.written)


def rounds(place: execute.World, bundle: Bundle, given: Given, made: Plan) -> None:
    """Take the steps of a plan; after a build, those of the plan that follows from it.

    Raises:
        Refused: the workspace is not what it should be after that.
    """
    for _ in range(MOST_ROUNDS):
        again = False
        for step in made.steps:
            place.perform(step)
            if isinstance(step, BuildImages) and step.references:
                # Only now is it known which images there are.
                again = True
                break
        if not again:
            return
        made = plan(bundle.model_copy(update={"builds": ()}), place.observe(), given)
    raise refuse("apply", f"workspace `{bundle.workspace}` does not come to rest")


def same(approved: Plan | None, made: Plan) -> None:
    """Refuse to do anything else than what somebody has agreed to.

    Raises:
        Refused: with what has moved.
    """
    if approved is None:
        return
    problems = []
    if approved.bundle != made.bundle:
        problems.append("the configuration, or what it names, has changed")
    if differing := moved(approved.world, made.world):
        problems.append(f"not as it was: {', '.join(map(str, differing))}")
    if problems:
        raise Refused(tuple(
            Diagnostic(code="moved", where=made.workspace, hint="look at a new one: `jailoc plan`",
                       message=f"the plan does not hold any more: {each}")
            for each in problems
        ))  # fmt: skip


def unchanged(session: Session, each: Item) -> None:
    """Compile once more, and compare.

    Raises:
        Refused: the configuration, or what it names, is not what it was.
    """
    origin = session.reread()
    if stops := tuple(stopping(origin.document, origin.config, each.name, origin.host)):
        raise Refused(stops)
    if compile_workspace(origin.config, each.name, origin.host) != each.bundle:
        raise refuse(
            "moved",
            "the configuration, or what it names on this machine, has changed meanwhile",
            hint=f"look at what has changed, then run `jailoc up {each.name}` again",
        )
