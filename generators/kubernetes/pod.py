"""The pod of a workspace: the wall that ends, who answers names, what is cloned, and the agent."""

from collections.abc import Iterator

from jailoc.generators.artefacts import agent_start
from jailoc.generators.kubernetes import sidecar
from jailoc.model.config import Config
from jailoc.model.kubernetes.pod import (
    Amounts,
    Capabilities,
    ClaimSource,
    ConfigMapSource,
    ContainerPort,
    ContainerProbe,
    ContainerSecurity,
    EmptyDir,
    Exec,
    KeyPath,
    PodContainer,
    PodSecurity,
    PodSpec,
    PodSysctl,
    PodVolume,
    PullSecret,
    Resources,
    SecretSource,
    VariableValue,
    VolumeMount,
)
from jailoc.model.kubernetes.settings import GitSource, KubernetesSettings, place_of
from jailoc.model.kubernetes.words import (
    AGENT,
    CLONE,
    GATE_PLACE,
    GATE_SEEN,
    HOME,
    NAMES,
    PORTS_SYSCTL,
    SHELL,
    UPSTREAM,
    WALL,
    project,
)
from jailoc.model.rule_match import RESOLVER
from jailoc.model.sandbox import (
    AGENT_HOME,
    DNS_PORT,
    FIRST_PORT,
    GENERATED,
    NAMES_STATE,
    PASSWORD_FILE,
    SECRETS_PLACE,
    SIDECAR,
    SIDECAR_RUN,
    SIDECAR_SOCKET,
    WALL_STATE,
)
from jailoc.model.secret import VARIABLE
from jailoc.model.size import size
from jailoc.model.user import DEFAULT_ID
from jailoc.model.workspace import Workspace

_PYTHON = ("/usr/bin/python3", "-I", "-B")
_SMALL = Resources(
    requests=Amounts(cpu="10m", memory="32Mi"), limits=Amounts(cpu="1", memory="128Mi")
)
_RESERVED = 512 << 20
"""Bytes that the agent is promised; less where it may not have as much."""
CREDENTIAL_PLACE = "/run/credential"
GATED = (SHELL, f"{GENERATED}/gate.sh")


def pod(
    workspace: Workspace,
    config: Config,
    settings: KubernetesSettings,
    images: dict[str, str],
    maps: dict[str, str],
) -> PodSpec:
    """Return the pod of a workspace.

    Args:
        workspace: The workspace.
        config: The configuration, for its sources.
        settings: The cluster.
        images: References with digests, of the wall and of the agent.
        maps: Names of the ConfigMaps, by whose files they hold.
    """
    sources = config.workspaces[workspace.name].kubernetes.sources
    secret = settings.secret or project(workspace.name)
    agent, docker = _agent(workspace, sources, images[AGENT]), workspace.enable_docker
    return PodSpec(
        host_users=False if settings.user_namespace else None,
        security_context=PodSecurity(
            fs_group=DEFAULT_ID,
            # Who answers names has no capability; nobody else binds here before.
            sysctls=(PodSysctl(name=PORTS_SYSCTL, value=str(DNS_PORT)),),
        ),
        image_pull_secrets=tuple(PullSecret(name=each) for each in settings.image_pull_secrets)
        or None,
        init_containers=(
            _wall(images[WALL]),
            _names(images[WALL]),
            _home(workspace, sources, agent),
            *(_clone(index, each, agent) for index, each in enumerate(sources)),
            *((sidecar.container(images[SIDECAR], _limits(workspace)),) if docker else ()),
        ),
        containers=(agent,),
        volumes=(
            PodVolume(name=WALL, config_map=ConfigMapSource(name=maps[WALL])),
            PodVolume(name=AGENT, config_map=ConfigMapSource(name=maps[AGENT])),
            PodVolume(name="wall-run", empty_dir=EmptyDir(size_limit="4Mi")),
            PodVolume(name="gate", empty_dir=EmptyDir(size_limit="1Mi")),
            PodVolume(name="names-run", empty_dir=EmptyDir(size_limit="4Mi")),
            PodVolume(name="secrets", secret=_secrets(workspace, secret)),
            *(
                PodVolume(
                    name=f"credential-{index}",
                    secret=SecretSource(
                        secret_name=secret, items=(KeyPath(key=each.secret, path=each.secret),)
                    ),
                )
                for index, each in enumerate(sources)
                if each.secret
            ),
            PodVolume(name=HOME, empty_dir=EmptyDir()),
            PodVolume(name="tmp", empty_dir=EmptyDir()),
            *(sidecar.volumes(maps[SIDECAR], settings) if docker else ()),
            *(
                PodVolume(name=name, persistent_volume_claim=ClaimSource(claim_name=claim))
                for name, claim, _ in claims(workspace, sources)
            ),
        ),
    )


def claims(workspace: Workspace, sources: tuple[GitSource, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield for each claim the volume's name in the pod, its own, and where it is seen."""
    begin = project(workspace.name)
    for volume in workspace.agent.volumes:
        name = volume.name.replace("_", "-")
        yield name, f"{begin}-{name}", f"{AGENT_HOME}/{volume.path}"
    for each in workspace.volumes:
        yield f"volume-{each.name}", f"{begin}-volume-{each.name}", each.place
    for index, source in enumerate(sources):
        name = f"source-{index}"
        yield name, f"{begin}-{name}", place_of(source.path, AGENT_HOME)


def _secrets(workspace: Workspace, name: str) -> SecretSource:
    keys = (PASSWORD_FILE, *(each.name for each in workspace.secrets))
    return SecretSource(
        secret_name=name, items=tuple(KeyPath(key=each, path=each) for each in keys)
    )


def _security(user: int, add: tuple[str, ...] = ()) -> ContainerSecurity:
    return ContainerSecurity(
        run_as_user=user,
        run_as_group=user,
        run_as_non_root=user != 0,
        capabilities=Capabilities.model_validate({"add": add or None}),
    )


def _mount(name: str, path: str, *, read_only: bool = False) -> VolumeMount:
    return VolumeMount(name=name, mount_path=path, read_only=read_only or None)


def _upstream() -> VolumeMount:
    """Return the cluster's own resolver for those who ask it: the others ask `names`."""
    return VolumeMount(name=WALL, mount_path="/etc/resolv.conf", sub_path=UPSTREAM, read_only=True)


def _wall(image: str) -> PodContainer:
    return PodContainer(
        name=WALL,
        image=image,
        command=(SHELL, f"{GENERATED}/wall.sh", "init"),
        security_context=_security(0, ("NET_ADMIN",)),
        resources=_SMALL,
        volume_mounts=(
            _mount(WALL, GENERATED, read_only=True),
            _upstream(),
            _mount("wall-run", WALL_STATE),
            _mount("gate", GATE_PLACE),
        ),
    )


def _names(image: str) -> PodContainer:
    state = NAMES_STATE.rpartition("/")[0]
    return PodContainer(
        name=NAMES,
        image=image,
        command=(*_PYTHON, f"{GENERATED}/names.py", GENERATED, state),
        restart_policy="Always",
        security_context=_security(RESOLVER),
        resources=_SMALL,
        # It has looked every allowed name up once.
        startup_probe=ContainerProbe(
            exec=Exec(command=("/usr/bin/test", "-s", NAMES_STATE)),
            period_seconds=1,
            timeout_seconds=5,
            failure_threshold=60,
        ),
        volume_mounts=(
            _mount(WALL, GENERATED, read_only=True),
            _upstream(),
            _mount("names-run", WALL_STATE),
        ),
    )


def _home(
    workspace: Workspace, sources: tuple[GitSource, ...], agent: PodContainer
) -> PodContainer:
    """Make the way to volumes in the home: what a mount lacks is made as root's."""
    below = [path for _, _, path in claims(workspace, sources) if path.startswith(f"{AGENT_HOME}/")]
    made = sorted({f"{AGENT_HOME}/.local/bin", f"{AGENT_HOME}/.config", *below})
    made_by = ("/bin/mkdir", "-p", "--", *made)
    return _before(agent, HOME, made_by, (_mount(HOME, AGENT_HOME),))


def _before(
    agent: PodContainer, name: str, command: tuple[str, ...], mounts: tuple[VolumeMount, ...]
) -> PodContainer:
    """Return what runs before the agent: its image, its user and its limits, and nothing else."""
    nothing = dict.fromkeys(("working_dir", "env", "ports", "readiness_probe", "startup_probe"))
    return agent.model_copy(
        update={"name": name, "command": command, "volume_mounts": mounts, **nothing}
    )


def _clone(index: int, source: GitSource, agent: PodContainer) -> PodContainer:
    place = place_of(source.path, AGENT_HOME)
    credential = f"{CREDENTIAL_PLACE}/{source.secret}" if source.secret else None
    mounts = [
        _mount(AGENT, GENERATED, read_only=True),
        _mount("gate", GATE_SEEN, read_only=True),
        _mount("tmp", "/tmp"),  # noqa: S108 -- the container's own
        _mount(f"source-{index}", place),
    ]
    if credential:
        mounts.append(_mount(f"credential-{index}", CREDENTIAL_PLACE, read_only=True))
    words = (source.git, source.ref, place, *((credential,) if credential else ()))
    command = (*GATED, SHELL, f"{GENERATED}/clone.sh", *map(literal, words))
    return _before(agent, f"{CLONE}-{index}", command, tuple(mounts))


def _agent(workspace: Workspace, sources: tuple[GitSource, ...], image: str) -> PodContainer:
    words = agent_start.command(workspace)
    asked = Exec(command=(SHELL, f"{GENERATED}/health.sh"))
    first = place_of(sources[0].path, AGENT_HOME) if sources else AGENT_HOME
    return PodContainer(
        name=AGENT,
        image=image,
        command=(*GATED, SHELL, f"{GENERATED}/agent.sh", *map(literal, words)),
        working_dir=first,
        env=tuple(
            VariableValue(name=key, value=literal(value))
            for key, value in _environment(workspace, sources).items()
        ),
        ports=(ContainerPort(name="server", container_port=FIRST_PORT),),
        security_context=_security(DEFAULT_ID),
        resources=_limits(workspace),
        startup_probe=ContainerProbe(
            exec=asked, period_seconds=2, timeout_seconds=10, failure_threshold=60
        ),
        readiness_probe=ContainerProbe(
            exec=asked, period_seconds=10, timeout_seconds=10, failure_threshold=3
        ),
        volume_mounts=(
            _mount(AGENT, GENERATED, read_only=True),
            _mount("gate", GATE_SEEN, read_only=True),
            _mount("secrets", SECRETS_PLACE, read_only=True),
            _mount(HOME, AGENT_HOME),
            _mount("tmp", "/tmp"),  # noqa: S108 -- the container's own
            # Its socket can be connected to all the same.
            *(
                (_mount(sidecar.RUN, SIDECAR_RUN, read_only=True),)
                if workspace.enable_docker
                else ()
            ),
            *(_mount(name, place) for name, _, place in claims(workspace, sources)),
        ),
    )


def literal(text: str) -> str:
    """Return a text that Kubernetes puts nothing in for: `$(NAME)` would be a variable.

    >>> literal("$(HOME)")
    '$$(HOME)'
    """
    return text.replace("$", "$$")


def _environment(workspace: Workspace, sources: tuple[GitSource, ...]) -> dict[str, str]:
    found = dict(workspace.agent.environment)
    found |= {"JAILOC": "1", "JAILOC_WORKSPACE": workspace.name}
    if workspace.enable_docker:
        found["DOCKER_HOST"] = SIDECAR_SOCKET
    own = {each.key: each.value for each in workspace.env if VARIABLE.fullmatch(each.key)}
    if sources and not any(key.startswith("GIT_CONFIG_") for key in own):
        # The volume's own directory is root's, which Git would not trust (git-config(1)).
        found["GIT_CONFIG_COUNT"] = str(len(sources))
        for index, each in enumerate(sources):
            found[f"GIT_CONFIG_KEY_{index}"] = "safe.directory"
            found[f"GIT_CONFIG_VALUE_{index}"] = place_of(each.path, AGENT_HOME)
    return found | own


def _limits(workspace: Workspace) -> Resources:
    memory = size(workspace.memory) or 0
    return Resources(
        requests=Amounts(cpu="100m", memory=amount(min(memory, _RESERVED))),
        limits=Amounts(cpu=_processors(workspace.cpu), memory=amount(memory)),
    )


def _processors(cpu: float) -> str:
    """Return a number of processors; a thousandth is the least that there is.

    >>> _processors(2.0), _processors(0.5)
    ('2', '500m')
    """
    thousandths = max(1, round(cpu * 1000))
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def amount(number: int) -> str:
    """Return bytes in the largest unit that keeps the number whole.

    >>> amount(4 << 30), amount(512 << 20), amount(1000)
    ('4Gi', '512Mi', '1000')
    """
    for unit, shift in (("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if number and number % (1 << shift) == 0:
            return f"{number >> shift}{unit}"
    return str(number)
