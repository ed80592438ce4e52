"""The commands that change the engine: `up` and `down`."""

import os
from pathlib import Path

from jailoc.bin import docker, engine, facts, images, password, secret, source, store
from jailoc.bin.terminal import Terminal
from jailoc.generators.compile import COMPOSE_FILE, compile_workspace
from jailoc.generators.compose import AGENT, PASSWORD_FILE, SIDECAR, WALL
from jailoc.generators.resolve import resolve
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind
from jailoc.model.diagnostic import refuse

FIREWALL = ("/bin/sh", "/etc/jailoc/firewall.sh")
START_LIMIT = 180
"""Seconds that a workspace may take to become healthy; a first start fills its volumes."""


def up(terminal: Terminal, config: str | None, wanted: str | None, pull: bool = False) -> int:
    """Make a workspace run as the configuration says, and wait until its server answers.

    With `pull`, the images that others are built on are fetched anew.
    """
    origin = source.read(config)
    terminal.diagnose(origin.warnings)
    if origin.starter:
        terminal.say(
            f"no configuration at {origin.path}: using the starter configuration", "yellow"
        )
    name = origin.chosen(wanted)
    workspace = resolve(origin.config, name, origin.host)
    secrets = secret.values(workspace)
    password.check(origin.config.password_mode)
    for place in (workspace.base, workspace.overlay):
        if place and place.source in origin.urls:
            images.fetched(terminal, place.source)
            origin = source.read(config)
    bundle = compile_workspace(origin.config, name, origin.host)
    terminal.say("checking Docker")
    docker.check()
    directory = Path(bundle.directory)
    with store.locked(directory.with_name(f"{name}.lock")):
        _check_port(bundle)
        if images.resolve(terminal, bundle, pull=pull):
            origin = source.read(config)
            bundle = compile_workspace(origin.config, name, origin.host)
        images.ensure(terminal, bundle)
        _settle(terminal, config, bundle, directory)
        _prepare(terminal, bundle)
        store.write_bundle(bundle, directory)
        terminal.say(f"starting {name}")
        mode = origin.config.password_mode
        secrets[PASSWORD_FILE] = password.password(mode, facts.state_directory(), name).encode()
        try:
            _start(terminal, bundle, directory, secrets)
        except docker.DockerError:
            _explain(terminal, bundle.compose.name)
            raise
    ports = bundle.compose.services[WALL].ports
    where = f"on port {ports[0].published}" if ports else "exec-only, port not exposed"
    terminal.say(f"{name} started {where}", "green")
    return 0


def _settle(terminal: Terminal, config: str | None, bundle: Bundle, directory: Path) -> None:
    """Stop the agent if new mounts are about to be made, and look once more.

    Between our look at a path and the engine's, a running agent could put a symbolic link there.

    Raises:
        Refused: what was compiled is not what is there any more.
    """
    agent = _container(bundle.compose.name, AGENT)
    if agent is None or agent.state != "running" or not store.differs(bundle.fixed, directory):
        return
    terminal.say("stopping the agent to renew its container")
    engine.stop(agent.id)
    origin = source.read(config)
    if compile_workspace(origin.config, bundle.workspace, origin.host) != bundle:
        raise refuse(
            "moved",
            "the configuration, or what it names on this machine, has changed meanwhile",
            hint=f"look at what has changed, then run `jailoc up {bundle.workspace}` again",
        )


def _start(terminal: Terminal, bundle: Bundle, directory: Path, secrets: dict[str, bytes]) -> None:
    """Start the wall, hand it the secrets, then start what stands behind it."""

    def progress(line: str) -> None:
        terminal.say(f"  {line}", "dim")

    project, file = bundle.compose.name, directory / COMPOSE_FILE
    before = {each.service: each for each in engine.containers(project)}
    engine.up(project, file, [WALL], progress, START_LIMIT)
    wall = _container(project, WALL)
    if wall is None:
        raise docker.DockerError("starting the wall", [], 1, "its container is not there")
    changed = engine.feed(
        wall.id, ["/bin/sh", "/etc/jailoc/secrets.sh"], secret.archive(secrets)
    ).strip()
    old = before.get(WALL)
    if old is not None and old.id == wall.id:
        if not engine.succeeds(wall.id, [*FIREWALL, "verify"]):
            terminal.say("reloading the rules")
            engine.feed(wall.id, [*FIREWALL, "reload"], b"")
    elif old is not None:
        # They live in the namespace of a wall that is gone.
        for service in (AGENT, SIDECAR):
            if (gone := before.get(service)) is not None:
                engine.remove(gone.id)
    engine.up(project, file, [], progress, START_LIMIT)
    agent, was = _container(project, AGENT), before.get(AGENT)
    if agent and (lapsed := _lapsed(bundle, agent)):
        terminal.say(
            f"renewing the agent: the protection of {', '.join(lapsed)} has lapsed, "
            "because the host has replaced it",
            "yellow",
        )
        engine.remove(agent.id)
        engine.up(project, file, [], progress, START_LIMIT)
    elif changed == "changed" and agent and was and agent.id == was.id and was.state == "running":
        terminal.say("restarting the agent: its secrets have changed")
        engine.restart(agent.id)
        engine.up(project, file, [], progress, START_LIMIT)


def refresh(terminal: Terminal, config: str | None, wanted: str | None) -> int:
    """Bring the rules of a running workspace up to date: in one step, and nothing is restarted.

    Names are looked up anew, too.
    """
    origin = source.read(config)
    terminal.diagnose(origin.warnings)
    name = origin.chosen(wanted)
    bundle = compile_workspace(origin.config, name, origin.host)
    wall = _container(bundle.compose.name, WALL)
    if wall is None or wall.state != "running":
        raise refuse(
            "not-running", f"workspace `{name}` is not running", hint=f"run `jailoc up {name}`"
        )
    directory = Path(bundle.directory)
    with store.locked(directory.with_name(f"{name}.lock")):
        store.write_files(bundle.rules, directory)
        for line in engine.feed(wall.id, [*FIREWALL, "reload"], b"").splitlines():
            terminal.say(f"  {line}", "dim")
    terminal.say(f"{name}: rules reloaded", "green")
    if store.differs(bundle.fixed, directory):
        terminal.say(f"other changes wait for `jailoc up {name}`", "yellow")
    return 0


def _lapsed(bundle: Bundle, agent: engine.Container) -> tuple[str, ...]:
    """Return what should be mounted over a workspace path and is not any more.

    The kernel takes a mount away when the host replaces the file below it (rename(2) in another
    mount namespace), and most editors and git replace files.
    """
    wanted = [
        mount.target.text
        for mount in bundle.compose.services[AGENT].mounts
        if isinstance(mount, Bind)
    ]
    there = engine.mounted(agent.id)
    return tuple(each for each in wanted if each not in there)


def _container(project: str, service: str) -> engine.Container | None:
    return next((each for each in engine.containers(project) if each.service == service), None)


def _check_port(bundle: Bundle) -> None:
    """Refuse a port that somebody else holds, before anything is written.

    Raises:
        Refused: naming the holder if it is a workspace.
    """
    project = bundle.compose.name
    for port in bundle.compose.services[WALL].ports:
        holders = [each for each in engine.containers() if port.published in each.ports
                   and each.state == "running"]  # fmt: skip
        other = next((each for each in holders if each.project != project), None)
        if other is not None:
            workspace = other.project.removeprefix("jailoc-")
            raise refuse(
                "port-taken",
                f"port {port.published} is published by the running workspace `{workspace}`",
                hint=f"run `jailoc down {workspace}` first",
            )
        if not holders and not engine.port_is_free(port.published):
            raise refuse(
                "port-taken",
                f"port {port.published} on 127.0.0.1 is taken by another program",
                hint="stop that program, or set expose_port = false",
            )


def _prepare(terminal: Terminal, bundle: Bundle) -> None:
    """Make missing mounted directories as the user; the engine would make them as root."""
    for path in bundle.directories:
        if not os.path.lexists(path):
            Path(path).mkdir(parents=True)
            terminal.say(f"created {path}", "yellow")
    for seed in bundle.seeds:
        try:
            with Path(seed.path).open("x", encoding="utf-8") as file:
                file.write(seed.text)
        except FileExistsError:
            continue
        except OSError as error:
            terminal.say(f"cannot write {seed.path}: {error.strerror}", "yellow")


def _explain(terminal: Terminal, project: str) -> None:
    """Show the last words of every service that is not well."""
    for container in engine.containers(project):
        if container.state != "running" or container.health not in {"healthy", ""}:
            terminal.say(f"{container.service}: {container.health or container.state}, "
                         f"exit code {container.exit_code}; its last lines:", "yellow")  # fmt: skip
            for line in engine.tail(container.id).splitlines():
                terminal.say(f"  {line}", "dim")


def down(terminal: Terminal, config: str | None, wanted: str | None) -> int:
    """Remove a workspace's containers and network; its volumes stay.

    A name that the configuration does not have (any more) works too: the engine knows its labels.
    """
    name = wanted or source.read(config).chosen(None)
    project = f"jailoc-{name}"
    docker.check()
    with store.locked(facts.cache_directory() / f"{name}.lock"):
        if not engine.project_objects(project):
            if wanted:
                known = source.read(config).config.workspaces
                if name not in known:
                    raise refuse(
                        "workspace-unknown",
                        f"workspace `{name}` not found, and the engine has nothing of that name",
                        allowed=", ".join(sorted(known)) or "none is configured",
                    )
            terminal.say(f"{name} is not running", "yellow")
            return 0
        terminal.say(f"stopping {name}")
        engine.down(project, lambda line: terminal.say(f"  {line}", "dim"))
    terminal.say(f"{name} stopped", "green")
    return 0
