"""Compile a workspace to its `Bundle`: every generated file, image, service and rule."""

from collections.abc import Iterator
from datetime import date

from jailoc.generators.artefacts import (
    agent_start,
    git,
    iptables,
    named_volumes,
    proxy,
    seccomp,
    tui_plugin,
)
from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.artefacts.compose import compose
from jailoc.generators.artefacts.compose_yaml import document, emit
from jailoc.generators.artefacts.generated import generated
from jailoc.generators.artefacts.image_recipes import RECIPES, recipes
from jailoc.generators.artefacts.images import agent, embedded
from jailoc.generators.artefacts.validate import validate_compose, validate_firewall
from jailoc.generators.assets import asset, asset_as, asset_for
from jailoc.generators.config.resolve import resolve
from jailoc.model.bundle import RELOADABLE, Bundle, File, Seed, digest
from jailoc.model.config import Config
from jailoc.model.document import Path
from jailoc.model.evidence import MACHINE_PORT
from jailoc.model.firewall import Firewall
from jailoc.model.host import Host
from jailoc.model.mount import Mode
from jailoc.model.name_pattern import ClosedName, Name
from jailoc.model.path import within
from jailoc.model.sandbox import (
    AGENT,
    AGENT_HOME,
    COMPOSE_FILE,
    EMPTY,
    PROXY,
    SECCOMP,
    SIDECAR,
    SIDECAR_SECCOMP,
    WALL,
)
from jailoc.model.workspace import Workspace

RESOLV_CONF = "nameserver 127.0.0.1\n"
"""resolv.conf(5) of all that runs behind the wall: it asks the wall's resolver."""


def compile_workspace(config: Config, name: str, host: Host) -> Bundle:
    """Compile one workspace of a configuration.

    Raises:
        Refused: there is no such workspace.
        InvalidOutputError: the compiler broke its own schema, which is a defect of jailoc.
    """
    return bundle(resolve(config, name, host), host)


def bundle(workspace: Workspace, host: Host) -> Bundle:
    """Compile a resolved workspace; the output is checked against the schemas."""
    wall = embedded("wall", workspace, host)
    agents, choice = agent(workspace, host)
    builds = [wall, *agents]
    images = {WALL: wall.tag, AGENT: choice.reference}
    if workspace.enable_docker:
        sidecar = embedded("dind", workspace, host)
        builds.append(sidecar)
        images[SIDECAR] = sidecar.tag
    if workspace.credentials:
        builds.append(embedded(PROXY, workspace, host))
        images[PROXY] = builds[-1].tag
    rules = walls.lower(walls.policy(workspace, host))
    mounted = {
        WALL: _wall_files(rules, workspace, named_volumes.nested(workspace)),
        AGENT: _agent_files(workspace),
    }
    if workspace.enable_docker:
        mounted[SIDECAR] = (
            File(path="dind/dind.sh", mode=0o644, text=asset("dind.sh")),
            File(path="dind/resolv.conf", mode=0o644, text=RESOLV_CONF),
            File(path=SIDECAR_SECCOMP, mode=0o644, text=seccomp.sidecar()),
        )
    if workspace.credentials:
        mounted[PROXY] = proxy.files(workspace)
    profile = (File(path=SECCOMP, mode=0o644, text=seccomp.profile()),) * host.profiles
    read = {each.name: profile for each in workspace.services} | {
        service: (*files, *(profile if service in {AGENT, PROXY} else ()))
        for service, files in mounted.items()
    }
    model = compose(
        workspace,
        host,
        images,
        {
            service: digest(file for file in files if file.path not in RELOADABLE)
            for service, files in read.items()
        },
    )
    origins: dict[Path, str] = {}
    data = document(model, origins)
    validate_compose(data)
    validate_firewall(rules)
    files = [
        File(path=COMPOSE_FILE, mode=0o600, text=emit(data, origins)),
        File(path=RECIPES, mode=0o644, text=recipes(choice, tuple(builds))),
        # Where the engine takes no profile, its owner gives it one for all of its containers.
        *(profile or (File(path=SECCOMP, mode=0o644, text=seccomp.whole()),)),
        *(file for group in mounted.values() for file in group),
    ]
    files += [
        File(path=f"images/{each.name}/{file.path}", mode=0o644, text=file.text)
        for each in builds
        for file in each.context
    ]
    return Bundle(
        workspace=workspace.name,
        agent=workspace.agent,
        directory=generated(workspace, host),
        files=tuple(sorted(files, key=lambda file: file.path)),
        builds=tuple(builds),
        choice=choice,
        compose=model,
        firewall=rules,
        seeds=seeds(workspace),
        programs=git.programs(workspace, host),
        placeholders=workspace.placeholders,
    )


def _agent_files(workspace: Workspace) -> tuple[File, ...]:
    return (
        File(path="agent/agent.sh", mode=0o644, text=asset_for(workspace.agent, "agent.sh")),
        File(path="agent/resolv.conf", mode=0o644, text=RESOLV_CONF),
        File(path="agent/secret-env", mode=0o644, text=agent_start.secret_variables(workspace)),
        *((File(path=EMPTY, mode=0o644, text=""),) if workspace.hidden else ()),
        *((proxy.told(workspace),) if workspace.credentials else ()),
        *_repositories(workspace),
        *tui_plugin.container(workspace.agent, "agent"),
    )


def _repositories(workspace: Workspace) -> Iterator[File]:
    """Yield the list of the directories in memory that `agent.sh` fills with links."""
    if places := dict.fromkeys(each.common for each in workspace.worktrees if each.writable):
        text = "".join(f"{each}\n" for each in places)
        yield File(path="agent/repositories", mode=0o644, text=text)


def _wall_files(
    rules: Firewall, workspace: Workspace, places: tuple[tuple[str, str], ...]
) -> tuple[File, ...]:
    user = workspace.user
    texts = {
        "egress": f"{rules.egress}\n",
        "evidence.py": asset("evidence.py"),
        "firewall.sh": asset_as(user, "firewall.sh"),
        "guard.py": asset("guard.py"),
        "health.py": asset("health.py"),
        "host-ports": "".join(
            f"{each.port}{f' {MACHINE_PORT}' if workspace.observe else ''}\n"
            for each in rules.host_ports
        ),
        "machine.py": asset("machine.py"),
        "names": wall_names(rules),
        "refusals.py": asset("refusals.py"),
        "resolver.py": asset("resolver.py"),
        "rules.v4": iptables.restore(rules.ipv4),
        "rules.v6": iptables.restore(rules.ipv6),
        "secrets.sh": asset_as(user, "secrets.sh"),
        "sockets.py": asset("sockets.py"),
    }
    if workspace.credentials:
        # The resolver with two doors goes through the other one, which stays as it is.
        for name in ("resolver.py", "sockets.py"):
            texts[f"proxy_{name}"] = asset(f"proxy_{name}")
            texts["firewall.sh"] = texts["firewall.sh"].replace(f"/{name}", f"/proxy_{name}")
        texts["credential-names"] = "".join(f"{each}\n" for each in proxy.names(workspace))
    if any(each.service for each in rules.names):
        texts["services.py"] = asset("services.py")
    if places:
        texts["places"] = "".join(f"{volume} {path}\n" for volume, path in places)
    return tuple(File(path=f"wall/{name}", mode=0o644, text=text) for name, text in texts.items())


def wall_names(rules: Firewall) -> str:
    """Return the allowed and denied names as the wall's resolver reads them."""
    entries = (*rules.names, *rules.credentials)
    # One line a name, whatever its ports: as long as one of them is open, it is found.
    last = {each.key: each for each in sorted(entries, key=_end)}
    return "".join(
        dict.fromkeys(
            (*(_name(last[each.key]) for each in entries), *map(_denied, rules.denied_names))
        )
    )


def _end(name: Name) -> date:
    return name.until or date.max


def _name(name: Name) -> str:
    source, destination = name.door
    line = f"{name.key} {source} {destination}{' service' * name.service}"
    if name.until is None or name.until > iptables.LAST_DAY:
        return f"{line}\n"
    # The end of that day, in UTC.
    days = name.until.toordinal() + 1 - date(1970, 1, 1).toordinal()
    return f"{line} until={days * 86_400}\n"


def _denied(name: ClosedName) -> str:
    return f"! {name.key}\n"


def seeds(workspace: Workspace) -> tuple[Seed, ...]:
    """Return the `.gitignore` that an agent insists on having in its configuration directories."""
    text = "".join(f"{name}\n" for name in workspace.agent.gitignore)
    if not text:
        return ()
    return tuple(
        Seed(path=f"{directory}/.gitignore", text=text)
        for directory in (
            *_read_only_configuration(workspace),
            *_protected_configuration(workspace),
        )
    )


def _read_only_configuration(workspace: Workspace) -> Iterator[str]:
    """Where several mounts cover one of the user's directories, the innermost decides."""
    for directory in workspace.agent.configuration:
        place = f"{AGENT_HOME}/{directory}"
        covering = [mount for mount in workspace.mounts if within(place, mount.container)]
        if covering:
            mount = max(covering, key=lambda each: len(each.container))
            if mount.mode is Mode.READ_ONLY:
                yield mount.host + place.removeprefix(mount.container)


def _protected_configuration(workspace: Workspace) -> Iterator[str]:
    for each in workspace.covers:
        if each.mode is Mode.READ_ONLY and each.path.endswith(f"/{workspace.agent.project}"):
            yield each.path
