"""Which tasks of a workspace work: what is done to it is not done to them."""

from collections.abc import Sequence
from contextlib import suppress

from jailoc.bin.config import task_records
from jailoc.bin.engine import container_list, docker
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model import sandbox
from jailoc.model.diagnostic import Refused
from jailoc.model.palette import Meaning
from jailoc.model.text import number_of

MOST_TOLD = 8
"""Tasks that are named one by one."""


def _working(name: str) -> Sequence[str]:
    tasks = [each.sandbox for each in task_records.of(name)]
    with suppress(docker.DockerError, Refused):  # what was asked for is done
        there = container_list.working() if tasks else frozenset()
        return [sandbox.typed(each) for each in tasks if each in there]
    return ()


def tell(terminal: Terminal, name: str, command: str, one: str, several: str) -> None:
    """Say which tasks of a workspace go on as they are, and what can be done about it.

    Args:
        terminal: Where it is said.
        name: The workspace.
        command: What does it to a task, such as `down`.
        one: What that does, in words, where there is one task.
        several: The same of more.
    """
    going = _working(name)
    if going:
        told = [f"`jailoc {command} {each}`" for each in going[:MOST_TOLD]]
        more = f" and {len(going) - len(told)} more" if len(going) > len(told) else ""
        goes, does = ("goes", one) if len(going) == 1 else ("go", several)
        what = f"{number_of(len(going), 'task')} of {name} {goes} on"
        terminal.say(f"{what}: {', '.join(told)}{more} {does}", Meaning.WARNS)
