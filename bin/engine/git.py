"""The door to Git: what a repository holds, without running anything of it."""

import mmap
import os
import resource
import shlex
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

from jailoc.bin.engine import exchange
from jailoc.bin.engine.exchange import Reply
from jailoc.bin.host import log, programs
from jailoc.model.diagnostic import Refused, refuse

PATIENCE = 30.0
"""Seconds that it has."""
LIMIT = 1 << 20
"""Bytes of an answer."""


def ask(folder: Path, *arguments: str) -> bytes | None:
    """Ask Git; None where it has no answer.

    Raises:
        Refused: there is no Git, or it takes too long.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    kept = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CEILING_DIRECTORIES"}
    environment |= {key: os.environ[key] for key in kept if key in os.environ}
    # Git before 2.39.4 does not know the first one, and a remote may be a command (`ext::`).
    environment |= {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_OPTIONAL_LOCKS": "0",
                    "GIT_NO_REPLACE_OBJECTS": "1", "GIT_LITERAL_PATHSPECS": "1",
                    "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
                    "PATH": programs.search_path()}  # fmt: skip
    command = ("git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments)
    try:
        process = exchange.start(command, environment)
    except FileNotFoundError:
        raise refuse("diff", "there is no git here", hint="name two files instead") from None
    reply = exchange.whole(process, b"", PATIENCE, LIMIT)
    if reply.cut:
        raise refuse(
            "diff",
            f"`git {arguments[0]}` in `{folder}`: {reply.cut}",
            hint="a pipe in the place of a file of `.git` keeps Git waiting, for one: name two "
            "files instead",
        )
    return reply.stdout if reply.status == 0 else None


LINK = "120000"
FILES = {"100644", "100755"}


def file_at(top: Path, commit: str, place: str) -> bytes | None:
    """Return what a file holds in a commit; None if there is none at that place.

    Args:
        top: The directory of the working tree.
        commit: Its full name.
        place: The path of the file from there.

    Raises:
        Refused: it is there and is no file, or Git cannot read it.
    """
    found = entry_at(top, commit, place)
    if found is None:
        return None
    mode, data = found
    if mode not in FILES:
        raise _unread(place, commit, "is no file there")
    return data


def entry_at(top: Path, commit: str, place: str) -> tuple[str, bytes] | None:
    """Return the mode of an entry of a commit, and what a file holds or where a link leads.

    Of what is neither, only the mode is told; None if there is nothing (gitformat-index(5)).

    Raises:
        Refused: Git cannot read it: what is missing in a repository is not what the commit does
            not have.
    """
    listed = ask(top, "ls-tree", "-z", "--full-tree", commit, "--", place)
    if listed == b"":
        return None
    mode, _, rest = (listed or b"").decode(errors="replace").partition(" ")
    if listed and mode not in {*FILES, LINK}:
        return mode, b""
    data = ask(top, "cat-file", "blob", rest.partition(" ")[2].partition("\t")[0])
    if data is None or listed is None:
        raise _unread(place, commit, "cannot be read")
    return mode, data


def _unread(place: str, commit: str, what: str) -> Refused:
    return refuse(
        "diff",
        f"`{place}` of commit {commit[:12]} {what}",
        hint="Git may lack some of the commit: `git fsck`, or `git fetch --refetch`",
    )


MEMORY, SECONDS = 4 << 30, 600
"""Bytes of addresses and seconds of a processor that Git may use on what an agent has written."""
ALONE = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ALLOW_PROTOCOL": "",
    "LC_ALL": "C",
    # Who has moved a reference, in its log.
    "GIT_COMMITTER_NAME": "jailoc",
    "GIT_COMMITTER_EMAIL": "jailoc",
}
"""All of Git's environment where it reads what an agent has written, or writes beside that."""
FORCED_HOOKS = ("hook.reference-transaction", "hook.post-index-change")
"""Kinds of hooks that what is run here would run, where a configuration names some (Git 2.55)."""
FORCED = (
    "core.hooksPath=/dev/null",  # update-ref runs a hook, too
    *(f"{each}.enabled=false" for each in FORCED_HOOKS),
    "core.fsmonitor=false", "core.alternateRefsCommand=false", "gc.auto=0",
    "maintenance.auto=false", "protocol.allow=never", "submodule.recurse=false", "core.pager=cat",
    "core.attributesFile=/dev/null", "core.commitGraph=false", "pack.writeReverseIndex=false",
)  # fmt: skip
"""Settings that win over those of a repository: none of its own can run a program."""


def forced(
    directory: Path | str,
    *arguments: str,
    stdin: bytes | mmap.mmap = b"",
    timeout: float,
    limit: int = LIMIT,
) -> Reply:
    """Run Git on a Git directory with settings under which it runs no other program.

    Args:
        directory: The Git directory; a working tree is neither read nor written.
        arguments: What it is to do.
        stdin: What it reads.
        timeout: Seconds.
        limit: Bytes of its answer.

    Raises:
        Refused: there is no Git.
    """
    settings = [word for each in FORCED for word in ("-c", each)]
    program = shutil.which("git", path=programs.search_path()) or "git"
    command: Sequence[str] = (program, *settings, f"--git-dir={directory}", *arguments)
    with log.timed("git", argv=shlex.join(command)) as record:
        try:
            process = exchange.start(command, ALONE, stdin=True)
        except FileNotFoundError:
            raise refuse("task-fetch", "there is no git here", hint="install Git") from None
        _bound(process.pid)
        reply = exchange.whole(process, cast("bytes", stdin), timeout, limit)
        record["status"], record["cut"] = reply.status, reply.cut or None
    return reply


def _bound(process: int) -> None:
    """Bound a process that waits for its input (getrlimit(2)), where the kernel can."""
    if hasattr(resource, "prlimit"):
        with suppress(OSError):  # it has ended
            resource.prlimit(process, resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.prlimit(process, resource.RLIMIT_CPU, (SECONDS, SECONDS))
