"""`import-sessions`: copy what one major version of the agent kept to where the next one looks."""

from jailoc.bin.config.session import Session
from jailoc.bin.deploy import digest_key, execute, existence, premade, provenance
from jailoc.bin.engine import containers, docker, volumes
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.bin.terminal import prompt
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.diagnostic import refuse
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import AGENT, AGENT_HOME, data_volume
from jailoc.model.sandbox import project as project_of

_STILL = frozenset({"created", "exited", "dead"})
"""States of a container that runs nothing, and is not halted (docker(1))."""


def run(session: Session, yes: bool) -> int:
    """Copy the sessions of a stopped workspace into the volume of the agent it has now.

    The old volume is only read; where the new one has a database already, nothing is done.
    """
    origin, terminal = session.source(), session.terminal
    name = session.chosen(origin)
    bundle = compile_workspace(origin.config, name, origin.host)
    agent, project = bundle.agent, bundle.compose.name
    wanted = agent.imports
    if wanted is None:
        raise refuse(
            "import-none",
            f"workspace `{name}` has {agent.label}, which has no earlier version to import from",
            hint="set the version that the sessions should be moved to first",
        )
    place = f"{AGENT_HOME}/{agent.data}"
    new = next(
        (each.name for each in agent.volumes if each.path == agent.data
         and data_volume(each.name, name) in bundle.compose.volumes),
        None,
    )  # fmt: skip
    if new is None:
        raise refuse(
            "import-none",
            f"workspace `{name}` keeps its data in a mount, not in a volume",
            hint="copy the files there yourself",
        )
    docker.check()
    existence.own(name)
    premade.untaken(bundle, digest_key.key())
    _stopped(name)
    old, new = data_volume(wanted.volume, name), data_volume(new, name)
    there = containers.owned("volume", project)
    if f"{project}_{old}" not in there:
        raise refuse("import-none", f"there is no volume `{old}`: nothing to import")
    service = bundle.compose.services[AGENT]
    what = ", ".join(each.old for each in wanted.files)
    terminal.say(f"{name}: {what} of {wanted.label} in {old} -> {new}; the old ones stay")
    if not yes and not prompt.agreed(terminal, "copy them?", "this copy", "give --yes"):
        return 0
    execute.build(terminal, bundle)
    with files.locked(cache_directory() / f"{name}.lock"):
        # Nobody starts it now, and nobody has since it was asked.
        _stopped(name)
        if f"{project}_{new}" not in there:
            volumes.make(project, new, bundle.directory, digest_key.key())
        image = provenance.exact(service.image.text)
        status = volumes.copy(
            wanted, f"{project}_{old}", f"{project}_{new}", place, image, service.user
        )
    match status:
        case volumes.FULL:
            raise refuse(
                "import-full",
                f"volume `{new}` has sessions of its own, which would be lost",
                allowed="an empty volume",
                hint="it is not merged; keep one of the two",
            )
        case volumes.NOTHING:
            raise refuse("import-none", f"volume `{old}` has no sessions: nothing to import")
    terminal.say(f"{name}: sessions imported; `jailoc up {name}` starts with them", Meaning.DONE)
    return 0


def _stopped(name: str) -> None:
    """Make sure that no container of a workspace is there that writes, or goes on to.

    Raises:
        Refused: there is one, or they are another user's.
    """
    if any(each.state not in _STILL for each in containers.containers(project_of(name))):
        raise refuse(
            "running",
            f"workspace `{name}` is running, and would write while its sessions are copied",
            hint=f"`jailoc down {name}` first",
        )
