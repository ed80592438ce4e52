"""restic on the store of a workspace's snapshots, in the tools image, and what it complains of.

It works as the user who runs jailoc, and sees the store and what it is given alone
(https://restic.readthedocs.io). Who calls holds the lock of the workspace.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from jailoc.bin.config import facts
from jailoc.bin.deploy import tools
from jailoc.bin.engine import door
from jailoc.bin.engine import tools as engine
from jailoc.bin.engine.door import Reply
from jailoc.bin.engine.tools import Tool, ToolMount
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.runtime.snapshots import Lines, message
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.host import Host
from jailoc.model.text import visible
from jailoc.model.workspace import Workspace

STORE = "/jailoc/store"
"""Where a container sees it; no workspace path lies there."""
KILLED = 137
"""Status of what the kernel ends for want of memory, as of any that SIGKILL ends."""
LONG, SHORT = 3600.0, 300.0
"""Seconds for what goes through all files, and for a question."""
TALK = 1 << 30
"""Bytes of progress or of a difference: some 200 a line."""
READ, WRITE = ("DAC_READ_SEARCH",), ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID")
"""What root needs to read other users' files, and to make them; nobody else is given any."""


class Restic:
    """restic, for one workspace."""

    def __init__(self, terminal: Terminal, workspace: Workspace, host: Host) -> None:
        """Prepare to run it.

        Args:
            terminal: Where it is told that the tools image is built.
            workspace: The workspace.
            host: The machine.
        """
        self._terminal, self.workspace, self._host = terminal, workspace, host
        self.place = place(workspace.name)
        self._image = ""

    @property
    def exists(self) -> bool:
        """Tell whether there is a store."""
        return (self.place / "config").is_file()

    def unfinished(self, reply: Reply) -> Refused:
        """Return the refusal of an undo that could not do all: of a file, or of the store."""
        if (file := complained(reply)) is None:
            return self.damaged(last(reply), "undo-failed")
        return refuse(
            "undo-failed",
            f"not all of `{self.workspace.name}` could be restored: {file}: {last(reply)}",
            hint="see what is wrong with that file, or remove it, then go on",
        )

    def failed(self, reply: Reply) -> Refused:
        """Return the refusal for what restic complains of."""
        if reply.status == KILLED:
            return refuse(
                "snapshot-size",
                f"the paths of `{self.workspace.name}` hold more names than "
                f"{engine.MEMORY} of memory are enough for: it was ended",
                hint="leave out with `exclude` what has so many, or remove it",
            )
        return self.damaged(last(reply))

    def damaged(self, told: str, code: str = "snapshot-store") -> Refused:
        """Return the refusal of a store, with what is wrong with it."""
        full = "no space left" in told.lower() or "quota exceeded" in told.lower()
        return refuse(
            code,
            f"the snapshots of `{self.workspace.name}` cannot be used: {told}",
            hint="make room on the disk, then try again"
            if full
            else f"if `{self.place}` is damaged, or of another version, move it away",
        )

    def run(
        self,
        words: Sequence[str],
        *mounts: ToolMount,
        what: str,
        timeout: float = LONG,
        limit: int | None = None,
        take: Callable[[bytes], None] | None = None,
        stdin: bytes | None = None,
        script: str = "",
        arguments: tuple[str, ...] = (),
        changes: bool = True,
        capabilities: tuple[str, ...] = (),
    ) -> Reply:
        """Run restic on the store.

        Args:
            words: Its command and arguments.
            mounts: What else it sees.
            what: What it is for.
            timeout: Seconds.
            limit: Bytes of its answer; what is handed on line by line may be longer by itself.
            take: Called with each line of its answer.
            stdin: What is read.
            script: What a shell does before, with `arguments`.
            arguments: The script's.
            changes: Whether the store may change.
            capabilities: What it may do if it is root.
        """
        command = ("restic", f"--repo={STORE}", "--insecure-no-password", "--no-cache", *words)
        if script:
            command = ("/bin/sh", "-c", script, "jailoc", *arguments, *command)
        lines = Lines(take) if take else None
        return self.tool(
            command, ToolMount(str(self.place), STORE, writable=changes), *mounts,
            what=what, timeout=timeout, limit=limit, take=lines.feed if lines else None,
            stdin=stdin, capabilities=capabilities,
        )  # fmt: skip

    def tool(
        self,
        command: tuple[str, ...],
        *mounts: ToolMount,
        what: str,
        timeout: float = LONG,
        limit: int | None = None,
        take: Callable[[bytes], None] | None = None,
        stdin: bytes | None = None,
        capabilities: tuple[str, ...] = (),
    ) -> Reply:
        """Run another program of the image, with arguments as `run` has them."""
        user = tools.caller(self._host)
        self._image = self._image or tools.image(self._terminal, self.workspace, self._host)
        tool = Tool(
            self._image, self.workspace.name, user, command, mounts,
            environment={"TMPDIR": "/tmp"},  # noqa: S108 -- in the container
            capabilities=capabilities if user == "0:0" else (),
            groups=() if user == "0:0" else self._host.groups,
        )  # fmt: skip
        if take is None:
            return engine.ask(
                tool, what=what, timeout=timeout, limit=limit or door.LIMIT, stdin=stdin
            )
        return engine.pour(tool, take, what=what, timeout=timeout, limit=limit or TALK, stdin=stdin)


def place(workspace: str) -> Path:
    """Return where the snapshots of a workspace are kept."""
    return facts.state_directory() / workspace / "snapshots"


def times(workspace: str) -> tuple[float, ...]:
    """Return when the snapshots of a workspace were taken, in seconds since the epoch.

    restic keeps a file for each; no container is needed to look.
    """
    with suppress(OSError):
        return tuple(each.stat().st_mtime for each in (place(workspace) / "snapshots").iterdir())
    return ()


def used(directory: Path) -> int:
    """Return the bytes of all files below a directory of jailoc's own."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):  # restic renames and removes
                total += os.lstat(f"{folder}/{name}").st_size
    return total


def last(reply: Reply) -> str:
    """Return restic's last complaint, as it may be shown: of a file, if there is one."""
    told = [message(each) or {"message": each.decode(errors="replace")}
            for each in reply.stderr.splitlines() if each.strip()]  # fmt: skip
    whole = [str(each["message"]) for each in told if each.get("message")]
    of_files = [
        f"{each.get('item', '')}: {each['error'].get('message')}"
        for each in told
        if isinstance(each.get("error"), dict)
    ]
    found = [*whole[-1:], *of_files[-1:]]
    return visible(found[-1])[:400] if found else f"restic ended with {reply.status}"


def complained(reply: Reply) -> str | None:
    """Return the last file that restic complained of, as it may be shown."""
    for line in reversed(reply.stderr.splitlines()):
        if item := message(line).get("item"):
            return visible(str(item))[:400]
    return None
