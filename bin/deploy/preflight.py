"""What is looked at before images are built or anything that runs is touched."""

from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import elsewhere, provenance
from jailoc.bin.engine import containers, images, stats
from jailoc.bin.engine.docker import Product, product
from jailoc.bin.engine.endpoint import EndpointKind, endpoint
from jailoc.bin.host import authorities, paths
from jailoc.bin.host import letters as host_letters
from jailoc.bin.host.exposure import exposed
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.steering import open_to
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind, SecurityOption, Sidecar
from jailoc.model.diagnostic import refuse
from jailoc.model.doctor import TAKE_AWAY, trust
from jailoc.model.host import DESKTOPS
from jailoc.model.image import Step
from jailoc.model.mount import Mode
from jailoc.model.palette import Meaning
from jailoc.model.path import first_within
from jailoc.model.quantity import size_text
from jailoc.model.sandbox import AGENT, SECCOMP, SIDECAR, WALL, task_of, typed
from jailoc.model.size import size
from jailoc.model.text import visible

PODMANS_PROFILE = "/etc/containers/seccomp.json"
"""Which it takes instead of the one that its package has (containers.conf(5))."""


def places() -> None:
    """Make sure that nobody else can exchange what the engine is given to start, as root.

    Raises:
        Refused: another user can.
    """
    for place in paths.kept().values():
        if why := exposed(place):
            raise refuse(
                "exposed",
                f"jailoc keeps files in `{place}` that decide what the engine runs, and {why}",
                hint="set XDG_CACHE_HOME and XDG_DATA_HOME to directories that are yours alone, or "
                + TAKE_AWAY,
            )


def halted(origin: LoadedConfig, name: str) -> None:
    """Make sure that no agent runs that could still write where something is read for a workspace.

    Raises:
        Refused: one does: it was started with more than the configuration says now, or on another
            engine.
    """
    elsewhere.check(name)
    workspace = task[0] if (task := task_of(name)) else name
    for each, other, place in open_to(origin.document, origin.host, workspace):
        elsewhere.check(other)
        if containers.running(other, AGENT):
            raise refuse(
                "steering",
                f"{each.what} `{each.path}` lies in `{place}`, which the agent of workspace "
                f"`{typed(other)}` can write while it runs as it was last started: it could lead "
                "what is read elsewhere",
                hint=f"`jailoc down {typed(other)}` first",
            )


def engine(bundle: Bundle) -> None:
    """Make sure that the engine can run the sandbox, and the agent's own Docker, before all else.

    Raises:
        Refused: it cannot.
    """
    found = stats.about()
    options = {each.partition(",")[0] for each in found.security} if found else set()
    if "name=userns" in options:
        # The volume in memory that secrets are handed over in is that root's, too.
        raise refuse(
            "engine-users",
            "this engine shifts user ids (`userns-remap`): what it mounts belongs to a root that "
            "the sandbox's is not",
            hint="use an engine without `userns-remap`: one without root keeps ids apart as well",
        )
    if SIDECAR not in bundle.compose.services:
        profiled = SecurityOption.SECCOMP in bundle.compose.services[AGENT].security
        # At a socket of this machine it has been asked before anything was compiled.
        elsewhere = endpoint().kind is not EndpointKind.UNIX
        if profiled and elsewhere and product() is Product.PODMAN:
            raise refuse(
                "engine-podman",
                f"the engine at {endpoint()} is Podman, which takes no seccomp profile through "
                "its Docker socket",
                hint="set DOCKER_HOST to its own socket on this machine: there it is known",
            )
        return
    hint = "set `enable_docker = false`, for the workspace or in [defaults]"
    if product() is Product.PODMAN:
        raise refuse(
            "dind-engine",
            "the agent's own Docker does not run on Podman, which takes no seccomp profile through "
            "its Docker socket",
            hint=hint,
        )
    if "name=rootless" in options:
        raise refuse(
            "dind-engine",
            "the agent's own Docker does not run on an engine without root: there are no user ids "
            "left for its containers",
            hint=hint,
        )


def limits(terminal: Terminal, bundle: Bundle) -> None:
    """Say that a limit does not hold, or is above what the engine's machine has; it is taken."""
    found = stats.about()
    if not (found and found.memory):
        return
    above: dict[str, list[str]] = {}
    for name, each in bundle.compose.services.items():
        if (size(each.limits.memory) or 0) > found.memory:
            above.setdefault(each.limits.memory, []).append(name)
    for amount, names in above.items():
        terminal.say(
            f"`{amount}` of memory for {' and '.join(names)} is more than the "
            f"{size_text(found.memory)} of the engine's machine: it limits nothing",
            Meaning.WARNS,
        )


def certificates(terminal: Terminal, bundle: Bundle) -> bool:
    """Say before a build of minutes that it may not trust the host that it fetches from.

    Returns:
        Whether there is a doubt; it is told once a run.
    """
    mine = [each for each in bundle.builds if (each.name, each.step) == ("agent", Step.EMBEDDED)]
    trusted = any(file.path.endswith(".crt") for each in mine for file in each.context)
    if not mine or trusted or not endpoint().local or images.identity(mine[0].tag) is not None:
        return False
    own = authorities.own()
    if own and terminal.first("authorities"):
        terminal.say(
            f"this machine has authorities of its own ({', '.join(own)}), which no image knows: if "
            "a proxy that inspects TLS signs with one, the build fails after minutes",
            Meaning.WARNS,
        )
        terminal.say(f"then {trust(own)}", Meaning.WARNS)
    return bool(own)


def namespaces(terminal: Terminal, bundle: Bundle) -> None:
    """Say that nothing is covered for an agent that can make a mount namespace of its own.

    There it leaves behind what is mounted, and with it what holds names in place: with a directory
    of a project that it has open it renames what is covered. Our profile refuses such calls; where
    the engine takes none, its own may not.

    Raises:
        DockerError: nobody could try.
    """
    agent = bundle.compose.services[AGENT]
    if SecurityOption.SECCOMP in agent.security or not terminal.first("namespaces"):
        return
    wall = provenance.exact(bundle.compose.services[WALL].image.text)
    if images.makes_namespaces(wall, agent.user):
        terminal.say(
            "what `protect` and jailoc cover in a project, the agent can replace all the same, and "
            "this machine then executes it: the engine takes no seccomp profile of ours, and its "
            "own lets the agent make a mount namespace",
            Meaning.WARNS,
        )
        terminal.say(
            f"give Podman this one: `sudo cp {bundle.directory}/{SECCOMP} {PODMANS_PROFILE}`, and "
            "start again; it then counts for all of its containers",
            Meaning.WARNS,
        )


def letters(terminal: Terminal, bundle: Bundle) -> None:
    """Say that nothing is covered where a file system ignores case without the kernel's knowing."""
    if bare := uncovered_by_letters(bundle):
        more = f" and {len(bare) - 1} more" if bare[1:] else ""
        terminal.say(
            f"`{visible(bare[0])}`{more}: the agent can write it by other letters of its name, and "
            "this machine then executes it: the file system ignores case, and a cover holds for "
            "one way to write a name",
            Meaning.WARNS,
        )
        terminal.say(
            "let the agent work in a clone (`jailoc task`), or on a file system with case",
            Meaning.WARNS,
        )


def uncovered_by_letters(bundle: Bundle) -> tuple[str, ...]:
    """Return what is mounted read-only over what an agent can write, by other letters all the same.

    What the engine mounts itself is not asked: this machine's own files are.
    """
    binds = [each for each in bundle.compose.services[AGENT].mounts if isinstance(each, Bind)]
    open_ = [each.target.text for each in binds if each.mode is Mode.READ_WRITE]
    shut = (each.source.text for each in binds
            if each.mode is Mode.READ_ONLY and first_within(each.target.text, open_))  # fmt: skip
    found = stats.about()
    shared = not endpoint().local or (found is not None and found.system.startswith(DESKTOPS))
    return tuple(host_letters.ignored(shut, shared=shared))


def privilege(bundle: Bundle) -> None:
    """Try a privileged container before anything that runs is touched.

    Raises:
        Refused: the sidecar should be privileged, and the engine refuses such containers.
    """
    sidecar = bundle.compose.services.get(SIDECAR)
    if not (isinstance(sidecar, Sidecar) and sidecar.privileged):
        return
    if why_not := images.refused_privilege(provenance.exact(sidecar.image.text)):
        lines = why_not.splitlines()
        reason = next((each for each in lines if "rror" in each), lines[-1])
        raise refuse(
            "dind-privileged",
            f"the engine starts no privileged container: {reason.removeprefix('docker: ')}",
            hint="leave `dind_privileged = true` out: the agent's Docker works without it, but for "
            "`docker run --privileged`",
        )
