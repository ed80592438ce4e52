"""`refresh`: bring the rules of a running workspace up to date, without restarting anything."""

from pathlib import Path

from jailoc.bin.config import append
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import credentials, digest_key, existence, machine, observe, preflight
from jailoc.bin.engine import containers
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.generators.artefacts import proxy
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import resolve
from jailoc.model.diagnostic import Refused
from jailoc.model.egress import Egress
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import FIREWALL, PROXY, WALL, typed

LOADED = "rules loaded and verified"
"""What a wall says when all went well."""
PATIENCE = 60
"""Seconds to wait for another jailoc that is working on the workspace."""


def written(session: Session, name: str) -> bool:
    """Load what this run has just written into the file, if the wall of that workspace runs.

    Where it cannot be loaded, the file and then the wall become what they were.

    Returns:
        Whether there is a wall that runs.

    Raises:
        DockerError: the rules could not be loaded.
        Refused: the workspace is another user's.
    """
    if not (existence.started(name) and containers.running(name, WALL)):
        return False
    try:
        with append.kept_if_done(session):
            run(session.of(name), wrote=True)
    except Refused as error:
        # Where somebody else is at work, nothing was begun.
        if error.diagnostics[0].code != "locked":
            _loaded_again(session, name)
        raise
    except BaseException:
        _loaded_again(session, name)
        raise
    return True


def _loaded_again(session: Session, name: str) -> None:
    terminal = session.terminal
    try:
        session.reread()
        run(session.of(name), wrote=True)
    except (DockerError, Refused):
        terminal.say(
            f"{typed(name)}: its wall does not take the rules of {session.path} either, and may be "
            f"closed: `jailoc refresh {typed(name)}`, or `jailoc restart {typed(name)}`",
            Meaning.FAILS,
        )


def run(session: Session, *, wrote: bool = False) -> int:
    """Bring the rules of a running workspace up to date: in one step, and nothing is restarted.

    Names are looked up anew, too.

    Args:
        session: The run.
        wrote: Whether it is for what this run has written into the file: then what is worth a word
            has been said already, and credentials stay as they are.
    """
    origin, terminal = session.source(), session.terminal
    if not wrote:
        terminal.diagnose(origin.warnings)
    name = session.chosen(origin)
    existence.running(session, name)
    preflight.places()
    with files.locked(cache_directory() / f"{name}.lock", PATIENCE):
        # Read again: somebody else may have changed it, and loaded that, before the lock was ours.
        origin = session.reread()
        bundle = compile_workspace(origin.config, name, origin.host)
        workspace = resolve(origin.config, name, origin.host)
        directory = Path(bundle.directory)
        found = {each.service: each for each in containers.containers(bundle.compose.name)}
        wall = found.get(WALL)
        if wall is None or wall.state != "running":
            raise existence.not_running(name)
        feeds = bool(workspace.credentials) and not wrote and PROXY in found
        if feeds and (
            files.differs(proxy.limits(workspace), directory)
            or not credentials.as_made(name, origin.config.ignore_drift)
        ):
            # What it was started with says where a value goes, and a new one is not for there.
            feeds = False
            terminal.say(
                f"{typed(name)}: credentials are not read again: its proxy works by another "
                f"configuration until `jailoc up {typed(name)}`",
                Meaning.WARNS,
            )
        # What cannot be read is told before anything is changed.
        held = credentials.lines(workspace) if feeds else {}
        files.write_files(bundle.rules, directory)
        machine.hand(directory)
        for line in containers.feed(wall.id, [*FIREWALL, "reload"], b"").splitlines():
            (terminal.detail if LOADED in line else terminal.quote)(line)
        observe.reloaded(bundle)
        if feeds:
            credentials.feed(bundle.compose.name, held)
            observe.fed(name, {each: digest_key.digest(line) for each, line in held.items()})
    fed = ", credentials read again" if feeds else ""
    terminal.say(f"{typed(name)}: rules reloaded{fed}", Meaning.DONE)
    lost = containers.names(wall.id).lost
    if lost:
        so = (
            "public addresses are open anyway, others once they are known"
            if workspace.egress is Egress.PUBLIC
            else "closed until there is one"
        )
        terminal.say(
            f"{typed(name)}: no address found for {', '.join(lost)}, which is asked for every few "
            f"seconds; {so}",
            Meaning.WARNS,
        )
    if files.differs(bundle.fixed, directory):
        terminal.say(f"other changes wait for `jailoc up {typed(name)}`", Meaning.WARNS)
    return 0
