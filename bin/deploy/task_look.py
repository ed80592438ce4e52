"""What a task's clone holds now, as Git tells in a container: nothing here reads it."""

import re
from typing import NamedTuple

from jailoc.bin.deploy import task_clone, tools
from jailoc.bin.engine import tools as container
from jailoc.bin.engine.tools import Tool, ToolMount
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.host import Host
from jailoc.model.sandbox import typed
from jailoc.model.task import OBJECT, Task
from jailoc.model.text import last_words
from jailoc.model.workspace import Workspace

SECONDS = 120
NO_PIPE = r"""
pipe=$(find "$1" \( -path '*/.git/*' -o -name '.git*' \) \
    \( -type p -o -type l -xtype p \) -print -quit 2>/dev/null) || true # its agent may be at work
[ -z "$pipe" ] || { echo "Git would wait for a pipe: ${pipe#"$1"/}" >&2; exit 1; }
"""
"""Ends a script of the shell where Git would wait for a writer (fifo(7)): a clone is an agent's."""
_STATE = f"""
set -u
{NO_PIPE}
cd "$1" || exit 1
tip=$(git rev-parse --verify "refs/heads/$2^{{commit}}") || exit 1
echo "tip $tip"
shift 2
git rev-list --count --branches --not "$@" | sed 's/^/new /'
git -c core.fsmonitor=false status --porcelain | head -n 1 | grep -q . && echo dirty
exit 0
"""


class TaskClone(NamedTuple):
    """A task's clone, and what is needed to look at it."""

    terminal: Terminal
    """Where it is told that the tools image is built."""
    workspace: Workspace
    """The task's sandbox, resolved."""
    task: Task
    host: Host

    def tool(self, *words: str) -> Tool:
        """Return a program of the tools image that reads it as its agent."""
        mount = ToolMount(task_clone.volume(self.task.sandbox), task_clone.PLACE, volume=True)
        return Tool(
            tools.image(self.terminal, self.workspace, self.host), self.task.sandbox,
            self.workspace.user.text, words, (mount,),
            {"LC_ALL": "C.UTF-8", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )  # fmt: skip


class CloneState(NamedTuple):
    """What a clone holds."""

    tip: str
    """The last commit of its branch."""
    new: int
    """Commits of any branch that did not come home."""
    dirty: bool
    """Whether something is not committed."""


def look(clone: TaskClone) -> CloneState:
    """Return what a task's clone holds.

    Raises:
        Refused: it cannot be told.
        DockerError: the engine refused, or it took too long.
    """
    task = clone.task
    known = [each for each in (task.base, task.fetched) if each]
    words = ("/bin/sh", "-c", _STATE, "look", task_clone.PLACE, task.branch, *known)
    reply = container.ask(
        clone.tool(*words), what=f"looking at {typed(task.sandbox)}", timeout=SECONDS
    )
    parts = (line.partition(" ") for line in reply.stdout.decode(errors="replace").splitlines())
    found = {key: rest for key, _, rest in parts}
    tip, new = found.get("tip", ""), found.get("new", "")
    if reply.status != 0 or re.fullmatch(OBJECT, tip) is None or not new.isdecimal():
        raise unreadable(task, reply.stderr)
    return CloneState(tip, int(new), "dirty" in found)


LISTING = 16 << 20
"""Bytes of what is shown."""


def unreadable(task: Task, told: bytes) -> Refused:
    """Return the refusal of a clone that Git cannot read."""
    why = last_words(told) or "it says nothing of use"
    return refuse(
        "task-clone",
        f"the clone of task `{typed(task.sandbox)}` cannot be read: {why}",
        hint=f"look inside: `jailoc shell {typed(task.sandbox)}`",
    )
