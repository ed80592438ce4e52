"""What `--all` means: a command for one workspace after the other, each failure told."""

from collections.abc import Callable, Iterable

from jailoc.bin.config.session import Session
from jailoc.bin.engine import container_list
from jailoc.bin.engine.docker import DockerError
from jailoc.model.config import Config
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import typed


def workspace(session: Session, names: Iterable[str], command: Callable[[Session], int]) -> int:
    """Run a command for several workspaces; one that fails does not keep the others from theirs.

    Returns:
        The highest exit status.
    """
    every, failed = tuple(names), []
    for name in every:
        try:
            if command(session.of(name)):
                failed.append(name)
        except (DockerError, Refused, OSError) as error:
            session.report(error, session.terminal.prefixed(f"{typed(name)}: "))
            failed.append(name)
    if not every:
        session.terminal.say("nothing to do", Meaning.WARNS)
    if failed and len(every) > 1:
        session.terminal.say(f"failed: {', '.join(failed)}", Meaning.FAILS)
    return 1 if failed else 0


def alone(*named: str | None) -> None:
    """Refuse workspaces that are named beside `--all`.

    Raises:
        Refused: there is one.
    """
    if any(named):
        raise refuse("usage", "a workspace and --all are mutually exclusive",
                     hint="give one of them")  # fmt: skip


def running_tasks(config: Config) -> tuple[str, ...]:
    """Return the tasks that run: what starts or changes all leaves the others at rest.

    Raises:
        DockerError: the engine did not answer.
    """
    if not config.tasks:
        return ()
    return tuple(sorted(container_list.working().intersection(config.tasks)))
