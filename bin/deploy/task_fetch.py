"""`task fetch`: bring a task's commits home as one reference; nothing of its agent's runs here.

No bundle: `git fetch BUNDLE` of 2.39 ignores `fetch.fsckObjects`. No upload-pack: its peer writes
to the terminal, and nothing bounds it. So a raw pack comes through a bounded pipe.
"""

import re
from pathlib import Path

from jailoc.bin.config import clone_source, task_records
from jailoc.bin.deploy import task_clone, task_look, task_pack
from jailoc.bin.deploy.task_look import TaskClone
from jailoc.bin.deploy.task_pack import Commits
from jailoc.bin.engine import git
from jailoc.bin.engine import tools as container
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.engine.tools import Tool
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import typed
from jailoc.model.task import OBJECT, Task
from jailoc.model.text import visible

SECONDS = 900
PATIENCE = 60.0
_SEND = """
set -eu
cd "$1"
tip=$(git rev-parse --verify "refs/heads/$2^{commit}")
if [ "$4" ]; then
    # Nothing is written on the volume.
    mkdir /tmp/objects
    cp .git/index /tmp/index
    export GIT_INDEX_FILE=/tmp/index GIT_OBJECT_DIRECTORY=/tmp/objects
    export GIT_ALTERNATE_OBJECT_DIRECTORIES="$PWD/.git/objects"
    export GIT_AUTHOR_NAME=jailoc GIT_AUTHOR_EMAIL=jailoc
    export GIT_COMMITTER_NAME=jailoc GIT_COMMITTER_EMAIL=jailoc
    git -c core.fsmonitor=false add --all
    tip=$(git commit-tree -p HEAD -m "Not committed by the agent" "$(git write-tree)")
fi
echo "$tip"
printf '%s\\n^%s\\n' "$tip" "$3" | git pack-objects --revs --stdout --thin -q
"""


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
    task = clone.task
    sender = clone.tool(
        "/bin/sh", "-c", _SEND, "send", task_clone.PLACE, task.branch, task.base,
        "uncommitted" if uncommitted else "",
    )  # fmt: skip
    repository = clone_source.git_directory(task.repository, clone.host)
    return received(sender, task, repository, unrelated=unrelated, uncommitted=uncommitted)


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
    lock = cache_directory() / f"{task.sandbox}.fetch.lock"
    place = task_records.place(task.workspace, task.name).with_suffix(".quarantine")
    with files.locked(lock, PATIENCE, discard=True):
        base = git.forced(repository, "cat-file", "-e", f"{task.base}^{{commit}}", timeout=60)
        if base.status != 0:
            raise refuse(
                "task-fetch",
                f"`{repository}` does not have {task.base[:12]} any more, where the task began",
                hint="fetch it from where it was pushed to, then run this again",
            )
        try:
            with task_pack.quarantine(place, repository, len(task.base)) as inner:
                pack = inner / "received"
                tip = _receive(sender, task, pack)
                task_pack.unpack(inner, pack)
                found = task_pack.check(inner, task, tip, unrelated=unrelated)
                task_pack.take_in(inner, repository)
        except OSError as error:
            raise refuse(
                "task-fetch",
                f"what the task sent cannot be kept: {error.strerror or error}",
                hint=f"it is looked at in `{place.parent}` and goes to `{repository}`: make room "
                "there, then fetch again",
            ) from None
        _point(repository, task.pending if uncommitted else task.reference, found.tip)
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


def _point(repository: str, reference: str, tip: str) -> None:
    """Let a reference name a tip, in one step.

    Raises:
        Refused: it cannot be written, or not where it belongs.
    """
    for place in (Path(reference), Path("logs", reference)):
        for each in (place, *place.parents[:-1]):
            if Path(repository, each).is_symlink():
                raise refuse(
                    "task-fetch",
                    f"`{repository}/{each}` is a symbolic link: nobody knows where `{reference}` "
                    "would be written",
                    hint="remove the link, then fetch again",
                )
    asked = git.forced(repository, "rev-parse", "--verify", "--quiet", reference, timeout=60)
    old = asked.stdout.decode("ascii", errors="replace").strip()
    if re.fullmatch(OBJECT, old) is None:
        old = "0" * len(tip)
    moved = git.forced(
        repository, "update-ref", "--no-deref", "--create-reflog", "-m", "jailoc task fetch",
        reference, tip, old, timeout=60,
    )  # fmt: skip
    if moved.status != 0:
        raise refuse(
            "task-fetch",
            f"`{reference}` cannot be written in `{repository}`: "
            f"{visible(moved.stderr.decode(errors='replace').strip()[-300:])}",
        )
