"""`task fetch`: bring a task's commits home as one reference; nothing of its agent's runs here.

No bundle: `git fetch BUNDLE` of 2.39 ignores `fetch.fsckObjects`. No upload-pack: its peer writes
to the terminal, and nothing bounds it. So a raw pack comes through a bounded pipe.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.config import clone_source, task_records
from jailoc.bin.deploy import task_clone, task_look, task_pack, task_reference
from jailoc.bin.deploy.task_look import TaskClone
from jailoc.bin.deploy.task_pack import Commits
from jailoc.bin.engine import git
from jailoc.bin.engine import tools as container
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.engine.tools import Tool
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.model.diagnostic import refuse
from jailoc.model.host import Host
from jailoc.model.sandbox import typed
from jailoc.model.task import Task

SECONDS = 900
PATIENCE = 60.0
_SEND = f"""
set -eu
{task_look.NO_PIPE}
cd "$1"
tip=$(git rev-parse --verify "refs/heads/$2^{{commit}}")
if [ "$4" ]; then
    {task_look.STAGE}
    export GIT_AUTHOR_NAME=jailoc GIT_AUTHOR_EMAIL=jailoc
    export GIT_COMMITTER_NAME=jailoc GIT_COMMITTER_EMAIL=jailoc
    tip=$(git commit-tree -p HEAD -m "Not committed by the agent" "$(git write-tree)")
fi
echo "$tip"
printf '%s\\n^%s\\n' "$tip" "$3" | git pack-objects --revs --stdout -q
"""


class TaskText(NamedTuple):
    """What Git tells of commits; the words are those of a task's agent."""

    tip: str
    lines: list[str]


def fetch(clone: TaskClone, *, unrelated: bool, uncommitted: bool) -> Commits:
    """Bring the commits of a task home.

    Args:
        clone: The task's.
        unrelated: Whether they may have another history than the task began with.
        uncommitted: Whether what is not committed comes, too, as one more commit, to a reference of
            its own.

    Raises:
        Refused: what came is not to be taken in, or the repository cannot be written.
        DockerError: the engine refused.
    """
    repository = clone_source.git_directory(clone.task.repository, clone.host)
    sender = _sending(clone, uncommitted=uncommitted)
    return received(sender, clone.task, repository, unrelated=unrelated, uncommitted=uncommitted)


def _sending(clone: TaskClone, *, uncommitted: bool) -> Tool:
    """Return what sends a task's commits, and with `uncommitted` one more of what is not."""
    return clone.tool(
        "/bin/sh", "-c", _SEND, "send", task_clone.PLACE, clone.task.branch, clone.task.base,
        "uncommitted" if uncommitted else "",
    )  # fmt: skip


def preview(clone: TaskClone, words: tuple[str, ...], *, uncommitted: bool) -> TaskText:
    """Return what Git tells of what a fetch would bring; nothing of it stays.

    Raises:
        Refused: what came is not to be looked at, or is too much.
        DockerError: the engine refused.
    """
    repository = clone_source.git_directory(clone.task.repository, clone.host)
    sender = _sending(clone, uncommitted=uncommitted)
    with _quarantined(clone.task, repository) as inner:
        tip = _received(sender, clone.task, inner, unrelated=True).tip
        return TaskText(tip, _told(inner, clone.task, tip, words))


def brought(task: Task, tip: str, words: tuple[str, ...], host: Host) -> TaskText:
    """Return what Git tells of what was fetched, as `preview` does of what was not.

    Raises:
        Refused: it is not there any more, or is too much.
    """
    with _quarantined(task, clone_source.git_directory(task.repository, host)) as inner:
        return TaskText(tip, _told(inner, task, tip, words))


def references(task: Task, host: Host) -> list[str]:
    """Return the references to what came home of a task.

    Raises:
        Refused: there is no such repository any more.
    """
    reply = git.forced(
        clone_source.git_directory(task.repository, host),
        "for-each-ref", "--format=%(refname)", task.reference, task.pending, timeout=60,
    )  # fmt: skip
    told = lines(reply.stdout)
    return [each for each in (task.reference, task.pending) if each in told]


def _told(place: Path, task: Task, tip: str, words: tuple[str, ...]) -> list[str]:
    """Ask Git in a quarantine, where no setting, attribute or replacement is an agent's."""
    reply = git.forced(
        place, *words, f"{task.base}..{tip}", "--",
        timeout=PATIENCE, limit=task_look.LISTING,
    )  # fmt: skip
    if reply.status != 0:
        raise task_pack.wrong(reply.cut or "Git cannot show it", reply.stderr)
    return lines(reply.stdout)


def lines(text: bytes) -> list[str]:
    r"""Cut what Git tells at line feeds alone.

    Python knows more ends of lines, and an agent's message could begin one of Git's own with them.

    >>> lines("commit 1\n    a\u2028commit 2\n".encode())
    ['commit 1', '    a\u2028commit 2']
    """
    return text.decode(errors="replace").removesuffix("\n").split("\n") if text else []


@contextmanager
def _quarantined(task: Task, repository: str) -> Iterator[Path]:
    """Make a quarantine beside a repository that has where the task began.

    Raises:
        Refused: it does not, there is no room, or another fetch takes too long.
    """
    lock = cache_directory() / f"{task.sandbox}.fetch.lock"
    place = task_records.place(task.workspace, task.name).with_suffix(".quarantine")
    with files.locked(lock, PATIENCE, discard=True):
        base = git.forced(repository, "cat-file", "-e", f"{task.base}^{{commit}}", timeout=60)
        if base.cut:
            raise refuse(
                "task-fetch",
                f"`{repository}` cannot be read: Git {base.cut}",
                hint="look whether something else than files lies in it: `find -not -type f,d`",
            )
        if base.status != 0:
            raise refuse(
                "task-fetch",
                f"`{repository}` does not have {task.base[:12]} any more, where the task began",
                hint="fetch it from where it was pushed to, then run this again",
            )
        try:
            with task_pack.quarantine(place, repository, len(task.base)) as inner:
                yield inner
        except OSError as error:
            raise refuse(
                "task-fetch",
                f"what the task sent cannot be kept: {error.strerror or error}",
                hint=f"it is looked at in `{place.parent}` and goes to `{repository}`: make room "
                "there, then fetch again",
            ) from None


def _received(sender: Tool, task: Task, inner: Path, *, unrelated: bool) -> Commits:
    pack = inner / "received"
    tip = _receive(sender, task, pack)
    task_pack.unpack(inner, pack)
    return task_pack.check(inner, task, tip, unrelated=unrelated)


def received(
    sender: Tool,
    task: Task,
    repository: str,
    *,
    unrelated: bool = False,
    uncommitted: bool = False,
) -> Commits:
    """Receive what a container sends, check it, and let one reference name it.

    Raises:
        Refused: what came is not to be taken in.
        DockerError: the engine refused.
    """
    with _quarantined(task, repository) as inner:
        found = _received(sender, task, inner, unrelated=unrelated)
        if not uncommitted and found.tip == task.base and task.fetched is None:
            return found  # nothing is there to be named, and later looks ask the clone again
        task_pack.take_in(inner, repository)
        reference = task.pending if uncommitted else task.reference
        task_reference.point(repository, reference, found.tip)
        # Somebody may have removed the task meanwhile.
        if not uncommitted and task_records.place(task.workspace, task.name).exists():
            task_records.write(task.model_copy(update={"fetched": found.tip}))
    return found


def _receive(sender: Tool, task: Task, pack: Path) -> str:
    receiver = task_pack.Receiver(pack)
    try:
        reply = container.pour(
            sender, receiver.take, what=f"fetching from {typed(task.sandbox)}", timeout=SECONDS,
            limit=task_pack.PACK_BYTES,
        )  # fmt: skip
    except DockerError as error:
        if error.cut:
            raise task_pack.wrong(error.tail) from None
        raise
    finally:
        receiver.close()
    if reply.status != 0:
        raise task_look.unreadable(task, reply.stderr)
    if not receiver.tip or len(receiver.tip) != len(task.base):
        raise task_pack.wrong("it names no commit")
    return receiver.tip
