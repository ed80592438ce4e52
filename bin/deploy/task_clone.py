"""A task's clone: a volume that the tools image fills, with nothing of the agent's run here."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.config import clone_source, task_records, user
from jailoc.bin.deploy import digest_key, proof, tools
from jailoc.bin.engine import containers, disk, docker, volumes
from jailoc.bin.engine import tools as container
from jailoc.bin.engine.tools import Tool, ToolMount
from jailoc.bin.host import links
from jailoc.bin.host.links import Identity, identity
from jailoc.bin.host.paths import cache_directory, state_directory
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.assets import asset
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.host import Host, Ids
from jailoc.model.path import first_within, within
from jailoc.model.repository import moved
from jailoc.model.sandbox import (
    PROJECT_VOLUME,
    TASK_LABEL,
    project,
    task_of,
    task_sandbox,
    workspace_of,
)
from jailoc.model.task import OBJECT, branch
from jailoc.model.text import last_words, visible
from jailoc.model.workspace import Workspace

PLACE = "/clone"
"""Where the volume is while it is filled."""
SECONDS = 1800
LOOK = 20
_WHY: dict[int, tuple[str, str | None]] = {
    64: ("Git finds no repository there", None),
    65: ("it has no commit yet", "commit something first"),
    67: (
        "it is a partial clone, so it lacks objects that only its remote has",
        "fill it: `git fetch --refetch --no-filter`",
    ),
    68: ("the commit that is checked out is not there", "`git fsck` says what is missing"),
}
"""How the script ends, in words."""
_NO_REVISION = 66
_CHANGED = """
place=$1/.git
[ -e "$place" ] || exit 0
[ -z "$(git -C "$1" --git-dir="$place" -c core.fsmonitor=false ls-files \
    --modified --others --exclude-standard | head -n 1)" ] || echo uncommitted
"""
"""Tells whether files of a working tree differ from its index; goes into no repository below."""
_FULL = r"No space left|Out of disk ?space"


class Clone(NamedTuple):
    """What a volume was filled with."""

    base: str
    """The commit that it begins at."""
    notes: tuple[str, ...]
    """What it does not hold, in words."""


_NOTES = {
    "submodules": "submodules are not filled",
    "lfs": "files of Git LFS are not filled: they are pointers",
    "identity": "the name that this repository alone gives its commits (user.email) is not in it",
    "uncommitted": "what is not committed is not in it",
    "shallow": "its history is as shallow as yours",
}


def volume(sandbox: str) -> str:
    """Return the engine's name of the volume that a task's clone is on."""
    return f"{project(sandbox)}_{PROJECT_VOLUME}"


def make(
    terminal: Terminal,
    workspace: Workspace,
    name: str,
    repository: str,
    revision: str,
    host: Host,
    trust: Sequence[str] = (),
) -> Clone:
    """Fill a new volume with a clone of a repository; a failure leaves none.

    Args:
        terminal: Where progress is shown.
        workspace: The workspace, whose agent the clone is for.
        name: The task.
        repository: The working tree, or a bare repository, on the host.
        revision: What it begins at, in Git's words.
        host: The machine.
        trust: Places that objects may be borrowed from though the workspace's agent does not see
            them.

    Raises:
        Refused: it cannot be cloned, with the reason.
        DockerError: the engine refused.
    """
    source = clone_source.source(repository, host)
    for each in (source.git[-1] if source.late else source.git[0], *source.borrowed):
        lent = any(first_within(place, trust) for place in (each, links.real(each)))
        if not lent and not sees_whole(workspace, each):
            raise refuse(
                "task-repository",
                f"`{repository}` cannot be cloned: it takes objects from `{visible(each)}`, which "
                f"the agent of `{workspace.name}` does not see, or not all of, and that of the "
                "task would",
                hint="name that in `trust` if it may have them; if it is not you who has written "
                "`objects/info/alternates`, take the line away",
            )
    sandbox = task_sandbox(workspace.name, name)
    image = tools.image(terminal, workspace, host)
    whole = volume(sandbox)
    label = str(task_records.place(workspace.name, name))
    if volumes.exists(whole):
        # To make it again would be to take it over, and to remove it after a failure.
        raise refuse(
            "task-exists",
            f"volume `{whole}` is there already, and no task of yours is written down for it",
            hint="give another name; `docker volume inspect` says whose it is",
        )
    mine = str(cache_directory() / sandbox)
    volumes.make(project(sandbox), PROJECT_VOLUME, mine, digest_key.key(), {TASK_LABEL: label})
    try:
        return _filled(
            image, sandbox, workspace, repository, source.every, revision, branch(name), host
        )
    except BaseException:
        with suppress(docker.DockerError):
            disk.remove_volume(whole)
        raise


def _filled(
    image: str,
    sandbox: str,
    workspace: Workspace,
    repository: str,
    sources: tuple[str, ...],
    revision: str,
    branch_: str,
    host: Host,
) -> Clone:
    reader = _reader(repository, host)
    place = ToolMount(volume(sandbox), PLACE, writable=True, volume=True)
    _own(image, sandbox, "-h", reader, place)
    words = ("/bin/sh", "-c", asset("clone.sh"), "clone", repository, revision, branch_, *sources)
    wanted = _looked_at(sources, host)
    mounts = (place, *(ToolMount(each, each) for each in sources))
    reply = container.ask(
        Tool(image, sandbox, reader, words, mounts, {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}),
        what=f"cloning {repository}",
        timeout=SECONDS,
    )
    said = reply.stdout.decode("ascii", errors="replace").split("\n")
    _compare(sources, wanted, said)
    if reply.status != 0:
        raise _unfit(repository, revision, reply.status, reply.stderr)
    if (agent := workspace.user.text) != reader:
        _own(image, sandbox, "-hR", agent, place)
    base = next((each.removeprefix("base ") for each in said if each.startswith("base ")), "")
    if re.fullmatch(OBJECT, base) is None:
        raise refuse("task-repository", f"`{repository}` cannot be cloned: Git names no commit")
    if revision == "HEAD" and "worktree" in said and "uncommitted" not in said:
        # What a filter of the agent's would see there, a pipe in the project hands to the agent.
        if sees_whole(workspace, repository):
            said += _changed(image, sandbox, reader, repository, host)
        else:
            said += ("uncommitted",)
    return Clone(base, tuple(text for word, text in _NOTES.items() if word in said))


def sees_whole(workspace: Workspace, place: str) -> bool:
    """Tell whether an agent sees a directory of this machine, with nothing over it or in it."""
    real, over = links.real(place), _over(workspace)
    return any(
        not any(
            within(each, at) or (within(at, each) and within(each, there))
            for each in over
            if each != there
        )
        for host, there in _ways(workspace)
        if within(real, top := links.real(host))
        for at in (moved(real, top, there),)
    )


def _ways(workspace: Workspace) -> list[tuple[str, str]]:
    """Return what an agent has of this machine, each with what it calls it."""
    ways = [(each.path, each.path) for each in workspace.paths]
    return ways + [(each.host, each.container) for each in workspace.mounts]


def _over(workspace: Workspace) -> list[str]:
    """Return the places in a container that show something else than this machine does there."""
    over = [each.container for each in workspace.mounts if each.host != each.container]
    return [*over, *(each.place for each in workspace.volumes), *workspace.hidden]


def _changed(image: str, sandbox: str, reader: str, repository: str, host: Host) -> tuple[str, ...]:
    """Return the word for files that are not committed.

    Git runs filters for that, which an agent may have configured in a repository of its own making,
    or write the modules of. So it sees neither the clone nor what the repository borrows.
    """
    mounts = tuple(ToolMount(each, each) for each in clone_source.own(repository, host))
    words = ("/bin/sh", "-c", _CHANGED, "changed", repository)
    tool = Tool(image, sandbox, reader, words, mounts, {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"})
    try:
        reply = container.ask(tool, what=f"looking at {repository}", timeout=LOOK)
    except docker.DockerError as error:
        if error.cut:
            return ()  # it is a note, and a filter that has no end is no reason to have no clone
        raise
    return tuple(reply.stdout.decode("ascii", errors="replace").split())


def _looked_at(sources: tuple[str, ...], host: Host) -> list[Identity | None]:
    """Return what lies where sources are; none is led there by an agent."""
    first, *others = sources
    real = [proof.checked(first, host)]
    real += [clone_source.needed(first, each, host) for each in others]
    return [identity(each) for each in real]


def _compare(sources: tuple[str, ...], wanted: list[Identity | None], said: list[str]) -> None:
    """Make sure that what was mounted is what was looked at, where one kernel has seen both.

    Raises:
        Refused: an agent has put something else there meanwhile.
    """
    with suppress(OSError):
        if said[0] != f"kernel {proof.BOOT.read_text().strip()}":
            return  # its devices have other numbers
        for source, each, line in zip_longest(sources, wanted, said[1 : len(sources) + 1]):
            if each is None or line != "at {} {}".format(*each):
                raise refuse(
                    "task-repository",
                    f"`{source}` is not what it was: something else was put there meanwhile",
                    hint="look at what lies there now, and who can write there; then try again",
                )


def _own(image: str, sandbox: str, how: str, whose: str, place: ToolMount) -> None:
    """Give what is on a volume to a user; the container may do nothing else."""
    if whose.startswith("0:"):
        return
    words = ("/bin/chown", how, whose, PLACE)
    tool = Tool(image, sandbox, "0:0", words, (place,), capabilities=("CHOWN",))
    reply = container.ask(tool, what="giving the clone to its agent", timeout=SECONDS)
    if reply.status != 0:
        raise refuse(
            "task-repository",
            f"the clone cannot be handed over: {last_words(reply.stderr) or 'nothing'}",
        )


def _reader(repository: str, host: Host) -> str:
    """Return who reads a repository: who runs jailoc; of root's, the repository's owner."""
    if host.uid == 0 and user.asked(host).ids is Ids.KEPT:
        found = Path(repository).stat()
        return f"{found.st_uid}:{found.st_gid}"
    return tools.caller(host)


def _unfit(repository: str, revision: str, status: int, told: bytes) -> Refused:
    said = last_words(told) or "nothing"
    why, hint = _WHY.get(status, (f"Git says: {said}", None))
    if status == _NO_REVISION:
        why, hint = f"it has no revision `{visible(revision)}`", "`git log --all` shows them"
    elif status not in _WHY and re.search(_FULL, said):
        why, hint = "there is no room for the clone", "`docker system df` shows what takes it"
    return refuse("task-repository", f"`{repository}` cannot be cloned: {why}", hint=hint)


def clear() -> tuple[str, ...]:
    """Remove what killed runs have left: volumes of tasks that are not written down.

    The caller holds the lock of all tasks.

    Returns:
        The sandboxes whose volumes went.

    Raises:
        DockerError: the engine did not answer, or something uses one.
    """
    gone = []
    for name, label in volumes.labelled(TASK_LABEL).items():
        sandbox = workspace_of(name.removesuffix(f"_{PROJECT_VOLUME}"))
        parts = task_of(sandbox) if sandbox else None
        if sandbox is None or parts is None:
            continue
        record = task_records.place(*parts)
        # Another user of the engine has other places.
        if label == str(record) and record.is_relative_to(state_directory()):
            if os.path.lexists(record) or containers.project_objects(project(sandbox)):
                continue
            container.remove_left(sandbox)
            disk.remove_volume(name)
            gone.append(sandbox)
    return tuple(gone)
