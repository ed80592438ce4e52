"""A program of the tools image in a container of its own: what reads an agent's files.

It has no network, no socket, no privilege and no log, sees what it is given alone, and is gone when
its caller goes on, whatever ended it. Where jailoc itself is killed, its time still ends, and the
next one removes what is left of it.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple
from uuid import uuid4

from jailoc.bin.engine import door, leases, reader
from jailoc.bin.engine.docker import DockerError, environment, run
from jailoc.bin.engine.door import PROGRAM, Call, Reply
from jailoc.model.sandbox import TOOLS_GIT_CONFIG, TOOLS_LABEL

ENGINE_FAILED = (125, 126, 127)
"""Statuses of docker's own, where the program did not even begin (docker-run(1), EXIT STATUS)."""
PREFIX = "jailoc-tools-"
NAMED = f"^/?{PREFIX}[0-9a-f]{{32}}$"
"""The names of their containers, as docker(1) looks for them: labels are an image's, too."""
MEMORY = "1g"
"""Of a program, as docker(1) takes it: what an agent makes for it to read has no bound."""
MARGIN = 30
"""Seconds that a program may outlive its time where nobody is there any more to end it."""
_LOOKS, _TRIES, _BETWEEN = 4, 40, 0.25
"""How often an engine is asked for a container that is on its way, how often for one that is going,
and the seconds between."""


class ToolMount(NamedTuple):
    """What a program sees of the machine."""

    source: str
    """An absolute path, or the name of a volume."""
    target: str
    writable: bool = False
    volume: bool = False

    @property
    def text(self) -> str:
        """Return it as docker(1) reads it: a line of CSV (RFC 4180)."""
        fields = ["type=volume" if self.volume else "type=bind", f"source={self.source}",
                  f"target={self.target}", *([] if self.writable else ["readonly"])]  # fmt: skip
        return ",".join('"' + each.replace('"', '""') + '"' for each in fields)


class Tool(NamedTuple):
    """A program of the tools image, with what it is given."""

    image: str
    workspace: str
    """The name of the workspace that it works for."""
    user: str
    """As docker(1) takes it."""
    words: tuple[str, ...]
    """The program and its arguments."""
    mounts: tuple[ToolMount, ...] = ()
    environment: Mapping[str, str] = {}
    capabilities: tuple[str, ...] = ()
    """None, unless the user is root and the work is with other users' files."""
    groups: tuple[int, ...] = ()
    """More groups of the user, by number."""
    directory: str = "/"


def ask(
    tool: Tool,
    *,
    what: str,
    timeout: float,
    limit: int = door.LIMIT,
    stdin: bytes | None = None,
) -> Reply:
    """Run a program and return what it wrote, with its own status.

    Args:
        tool: The program.
        what: What it is for, for messages.
        timeout: Seconds until it is ended.
        limit: Bytes on each of its streams; with more it is ended.
        stdin: What it reads.

    Raises:
        DockerError: the engine did not start it, or it was ended from here.
        Refused: there is no `docker` command, or a sandbox's programs hold leases on files.
    """
    return _run(tool, what, timeout, limit, stdin, door.ask)


def pour(
    tool: Tool,
    take: Callable[[bytes], None],
    *,
    what: str,
    timeout: float,
    limit: int,
    stdin: bytes | None = None,
) -> Reply:
    """Run a program and hand on what it writes, piece by piece, unread and unkept.

    Args:
        tool: The program.
        take: Called with each piece; what it raises ends the program.
        what: What it is for, for messages.
        timeout: Seconds until it is ended.
        limit: Bytes of its answer; with more it is ended, and the last piece may go beyond.
        stdin: What it reads.

    Returns:
        Its status, and the last words of its standard error.

    Raises:
        DockerError: the engine did not start it, or it was ended from here.
        Refused: there is no `docker` command, or a sandbox's programs hold leases on files.
    """
    return _run(tool, what, timeout, limit, stdin, lambda call: door.pour(call, take))


def _run(
    tool: Tool,
    what: str,
    timeout: float,
    limit: int,
    stdin: bytes | None,
    ask_: Callable[[Call], Reply],
) -> Reply:
    if tool.mounts:
        leases.check(what, tool.workspace)
    name = f"{PREFIX}{uuid4().hex}"
    arguments = _arguments(tool, name, timeout, reads=stdin is not None)
    looks = _LOOKS
    try:
        reply = ask_(Call(tuple(arguments), environment(), stdin, timeout=timeout, limit=limit))
        if not reply.cut and reply.status >= 0:
            # After 0 `--rm` has removed it; any other status may be that of docker(1).
            looks = 1 if reply.status else 0
    finally:
        if looks:
            _remove(name, looks)
    if reply.cut or reply.status in ENGINE_FAILED or reply.status < 0:
        told = reply.cut or reply.stderr.decode(errors="replace")
        raise DockerError(what, [PROGRAM, *arguments], reply.status, told, cut=bool(reply.cut))
    return reply


def _arguments(tool: Tool, name: str, timeout: float, *, reads: bool) -> list[str]:
    variables = {
        "HOME": "/tmp",  # noqa: S108 -- in the container
        "GIT_CONFIG_GLOBAL": TOOLS_GIT_CONFIG,
        # What a partial clone lacks would be asked of the program that its configuration names.
        "GIT_NO_LAZY_FETCH": "1",
        **tool.environment,
    }
    return [
        "run", "--rm", "--init", "--log-driver", "none", "--name", name,
        "--label", label(tool.workspace), "--pull", "never", "--no-healthcheck",
        *(["--interactive"] if reads else []),
        "--network", "none", "--user", tool.user, "--cap-drop", "ALL",
        *(word for each in tool.groups for word in ("--group-add", str(each))),
        *(word for each in tool.capabilities for word in ("--cap-add", each)),
        "--security-opt", "no-new-privileges:true", *reader.options(),
        "--read-only", "--tmpfs", "/tmp",  # noqa: S108 -- in the container
        "--memory", MEMORY, "--pids-limit", "64", "--workdir", tool.directory,
        *(word for each in tool.mounts for word in ("--mount", each.text)),
        *(word for key, value in variables.items() for word in ("--env", f"{key}={value}")),
        "--entrypoint", "/usr/bin/timeout", tool.image,
        "--signal=KILL", str(int(timeout) + MARGIN), *tool.words,
    ]  # fmt: skip


def _remove(name: str, looks: int) -> None:
    """Remove a container by its name; one that the engine is still making may come later."""
    with suppress(DockerError):
        for left in reversed(range(looks)):
            if _removed(f"name=^/?{name}$") or not left:
                return
            time.sleep(_BETWEEN)


def label(workspace: str) -> str:
    """Return what is written on the containers that work for a workspace."""
    return f"{TOOLS_LABEL}={workspace}"


def remove_left(workspace: str) -> None:
    """Remove what killed runs have left of a workspace's; the caller holds its lock.

    Raises:
        DockerError: the engine did not answer, or could not remove one.
    """
    _removed(f"label={label(workspace)}", f"name={NAMED}")


class AtWork(NamedTuple):
    """A container that is there, for whichever workspace."""

    id: str
    workspace: str
    sources: tuple[str, ...]
    """The places of the machine that it sees."""


def at_work() -> tuple[AtWork, ...]:
    """Return the containers of all workspaces that are there.

    Raises:
        DockerError: the engine did not answer.
    """
    what = "list containers"
    which = ("--filter", f"label={TOOLS_LABEL}", "--filter", f"name={NAMED}")
    listing = ("ps", "--all", "--quiet", *which)
    for _ in range(_TRIES):
        if not (found := run([*listing], what=what).split()):
            return ()
        try:
            told = json.loads(run(["inspect", *found], what=what))
        except DockerError:
            continue  # one has ended meanwhile
        return tuple(
            AtWork(
                each["Id"],
                each["Config"]["Labels"][TOOLS_LABEL],
                tuple(one["Source"] for one in each["Mounts"] if one["Type"] == "bind"),
            )
            for each in told
        )
    raise DockerError(what, [PROGRAM, *listing], 1, "they come and go")


def remove(container: str) -> None:
    """Remove one of them, and wait until it is gone.

    Raises:
        DockerError: it is still there.
    """
    _removed(f"id={container}")


def _removed(*which: str) -> bool:
    """Remove containers, and wait until they are gone; tell whether there were any."""
    what = "removing a container of the tools image"
    for tried in range(_TRIES):
        listing = [
            "ps",
            "--all",
            "--quiet",
            *(word for each in which for word in ("--filter", each)),
        ]
        found = run(listing, what="list containers").split()
        if not found:
            return tried > 0
        with suppress(DockerError):  # the engine may be about to remove it by itself
            run(["rm", "--force", *found], what=what)
        time.sleep(0 if tried == 0 else _BETWEEN)
    raise DockerError(what, [PROGRAM, "rm"], 1, "it is still there")
