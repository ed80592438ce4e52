"""What of a configuration does not carry over to a cluster, by name and with its line."""

from collections.abc import Iterator
from typing import Protocol

from jailoc.generators.config.conflicts import found
from jailoc.generators.powers.entries import path_of
from jailoc.model.config import Config, WorkspaceConfig
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.document import Document, Path
from jailoc.model.egress import Egress
from jailoc.model.kubernetes.settings import place_of
from jailoc.model.kubernetes.words import DOCKER_PRICE, LONGEST, project
from jailoc.model.name_pattern import NamePattern
from jailoc.model.path import within
from jailoc.model.sandbox import AGENT_HOME
from jailoc.model.workspace import Workspace


class No(Protocol):
    """What builds a refusal: at a place in the document, what cannot be had, and what can."""

    def __call__(
        self, where: Path, message: str, hint: str | None = None, *, key: bool = False
    ) -> Diagnostic:
        """Return the diagnostic."""
        ...


_ELSEWHERE = "leave it out, or say it in another configuration than the cluster's"


def check(document: Document, config: Config, workspace: Workspace, home: str) -> None:
    """Make sure that everything a workspace says can be had on a cluster.

    Args:
        document: The configuration file.
        config: The same, checked.
        workspace: The workspace as it is on this machine.
        home: The home directory of this machine's user.

    Raises:
        Refused: with a diagnostic at the line of each thing that cannot.
    """
    if problems := tuple(_refusals(document, config, workspace, home)):
        raise Refused(tuple(sorted(problems, key=lambda each: each.order)))


def _refusals(
    document: Document, config: Config, workspace: Workspace, home: str
) -> Iterator[Diagnostic]:
    def no(where: Path, message: str, hint: str | None = None, *, key: bool = False) -> Diagnostic:
        return found(document, where, "kubernetes-target", message, None, hint, at_key=key)

    name = workspace.name
    if config.kubernetes is None:
        where: Path = ("workspaces", name)
        yield no(
            where,
            "there is no [kubernetes], so no cluster is known",
            "docs/how-to/run-on-kubernetes.md has one to begin with",
            key=True,
        )
        return
    if len(project(name)) > LONGEST:
        yield no(
            ("workspaces", name),
            f"`{project(name)}` has {len(project(name))} characters, and the name of what runs on "
            f"a cluster at most {LONGEST}",
            "a shorter name",
            key=True,
        )
    mine = config.workspaces[name]
    sources = {place_of(each.path, home) for each in mine.kubernetes.sources}
    for path in workspace.paths:
        if path.path not in sources:
            yield no(
                path_of(path.origin),
                "a host path does not exist on a cluster",
                f"[workspaces.{name}.kubernetes] sources = [{{git, ref, path, secret}}], with "
                "this path",
            )
    yield from _places(no, workspace)
    yield from _sources(no, mine, workspace)
    yield from _switches(no, config, mine, workspace.name)


def _places(no: No, workspace: Workspace) -> Iterator[Diagnostic]:
    for mount in workspace.mounts:
        if mount.origin != "built-in":
            yield no(
                path_of(mount.origin),
                "a host path does not exist on a cluster, so nothing of it can be mounted",
                "a source, a secret, or a file of the image",
            )
    files = dict.fromkeys(each.origin for each in workspace.env if ".env_file[" in each.origin)
    for origin in files:
        yield no(
            path_of(origin),
            "an env file's values would stand in the manifests, which people commit",
            "secrets.env for what is secret, env for the rest",
        )
    for port in workspace.host_ports:
        yield no(path_of(port.origin), "ports of this machine cannot be opened from a cluster")
    places = [each.place for each in workspace.volumes]
    places += [f"{AGENT_HOME}/{each.path}" for each in workspace.agent.volumes]
    for volume in workspace.volumes:
        if volume.shared:
            yield no(
                path_of(volume.origin),
                "a claim is one pod's: workspaces cannot share a volume on a cluster",
                "a volume of its own: NAME:PLACE",
            )
        elif any(within(volume.place, each) for each in places if each != volume.place):
            yield no(
                path_of(volume.origin),
                "a volume in another volume would have a root's directory on its way on a cluster",
                "a place of its own",
            )


def _sources(no: No, mine: WorkspaceConfig, workspace: Workspace) -> Iterator[Diagnostic]:
    taken = [each.place for each in workspace.volumes]
    taken += [f"{AGENT_HOME}/{each.path}" for each in workspace.agent.volumes]
    for index, source in enumerate(mine.kubernetes.sources):
        place = place_of(source.path, AGENT_HOME)
        if any(within(place, each) or within(each, place) for each in taken):
            yield no(
                ("workspaces", workspace.name, "kubernetes", "sources", index, "path"),
                f"`{source.path}` lies in another volume, or holds one",
                "a directory of its own, such as ~/src/api or /work/api",
            )
        taken.append(place)
        host = source.git.removeprefix("https://").partition("/")[0]
        if workspace.egress is Egress.ALLOWLIST and not _open(workspace, host):
            yield no(
                ("workspaces", workspace.name, "kubernetes", "sources", index, "git"),
                f"`{host}` is not open, so nothing can be cloned from it",
                "allowed_hosts",
            )
    if mine.kubernetes.sources and workspace.egress is Egress.NONE:
        yield no(
            ("workspaces", workspace.name, "kubernetes", "sources"),
            'nothing can be cloned: with egress = "none" no host is open',
            'egress = "allowlist", and the host of the repository in allowed_hosts',
        )


def _open(workspace: Workspace, host: str) -> bool:
    """Tell whether a name of a workspace opens a host, as `NAME` or `NAME:PORT`."""
    name, _, port = host.partition(":")
    return any(
        NamePattern(name=each.name, origin="").covers(name)
        and each.port in {None, int(port or 443)}
        for each in workspace.allowed_names
    )


def _switches(no: No, config: Config, mine: WorkspaceConfig, name: str) -> Iterator[Diagnostic]:
    scope: Path = ("workspaces", name)

    def place(key: str) -> Path:
        return (*scope, key) if getattr(mine, key) is not None else ("defaults", key)

    def said(key: str) -> object:
        own = getattr(mine, key)
        return getattr(config.defaults, key) if own is None else own

    for key, what in _SWITCHES.items():
        if said(key) is True:
            yield no(place(key), what, _ELSEWHERE)
    settings = config.kubernetes
    if settings is not None and settings.docker and not settings.user_namespace:
        yield no(
            ("kubernetes", "docker"),
            "a Docker of the agent's own needs an unmasked /proc, which a cluster gives only to a "
            "pod with a user namespace of its own",
            "user_namespace = true, or leave docker out",
        )
    if said("enable_docker") is True and (settings is None or not settings.docker):
        yield no(
            place("enable_docker"),
            "the agent has no Docker of its own on a cluster without kubernetes.docker = true: it "
            f"needs {DOCKER_PRICE}",
            "leave it out, or say kubernetes.docker = true once an administrator agrees to that",
        )
    if said("pids") is not None:
        yield no(
            place("pids"),
            "a pod cannot say how many processes it may have",
            "podPidsLimit of the nodes' kubelets",
        )
    for at, network in ((scope, mine.network), (("defaults",), config.defaults.network)):
        for key in ("mtu", "subnet"):
            if getattr(network, key) is not None:
                yield no((*at, "network", key), f"`{key}` of a pod's network is the cluster's")


_SWITCHES = {
    "observe": "nobody in a pod may hear what passes: the wall has ended, and took its power along",
    "show_refused": "nobody in a pod may hear what is refused: the wall has ended, and took its "
    "power along",
    "ssh_auth_sock": "the SSH agent of this machine cannot be reached from a cluster",
    "git_config": "the Git configuration of this machine is not on a cluster",
    "dind_privileged": "no container is privileged on a cluster",
}
