"""The reference that names what came home of a task, written where an agent may be writing, too.

Git follows links to references and to their logs, and the agent of the workspace can put one there.
So each directory is opened from the one above, and the file is written as Git itself does
(gitrepository-layout(5)). Nothing is logged.
"""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from jailoc.bin.engine import git
from jailoc.bin.host import folders
from jailoc.bin.host.entries import text
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.git_config import parse
from jailoc.model.text import last_words

_FORMAT = "extensions.refstorage"
_TABLES = "reftable/tables.list"
"""What Git writes, beside itself, where references are in a table (gitformat-reftable(5))."""
_SEARCHING = 300
"""Seconds that all objects of a task's commits may take."""
_HOOK, _MOST = re.compile(r"hook\.[\w.-]{1,200}"), 100
"""A section of configuration that `-c` can name, and how many of them."""


def point(repository: str, reference: str, tip: str) -> None:
    """Let a reference name a commit, in one step.

    Args:
        repository: The Git directory that has references and objects.
        reference: Its full name.
        tip: The commit.

    Raises:
        Refused: it cannot be written, or a link is on the way.
    """
    # A link anywhere on these ways is an agent's, and somebody should know; where one comes later,
    # nothing is written through it all the same.
    for place in (Path(reference), Path("logs", reference), Path(_TABLES)):
        for each in (place, *place.parents[:-1]):
            if Path(repository, each).is_symlink():
                raise refuse(
                    "task-fetch",
                    f"`{repository}/{each}` is a symbolic link: nobody knows where `{reference}` "
                    "would be written",
                    hint="remove the link, then fetch again",
                )
    settings = parse(text(f"{repository}/config") or "")
    # A directory of that name anybody can make, and Git would write files all the same.
    if any(each.key == _FORMAT and each.value.startswith("reftable") for each in settings):
        _ask(repository, reference, tip)
        return
    folder, _, name = reference.rpartition("/")
    try:
        with folders.opened(folders.resolved(Path(repository)), Path(folder), shared=True) as there:
            _write(there, name, f"{tip}\n".encode())
    except OSError as error:
        raise _failed(repository, reference, error.strerror or "unknown error") from None
    if names(repository, reference) != tip:
        raise _failed(repository, reference, "it names another commit, or none")


def names(repository: str, reference: str) -> str:
    """Return the commit that a reference names; empty where it is not there."""
    asked = git.forced(repository, "rev-parse", "--verify", "--quiet", reference, timeout=60)
    return asked.stdout.decode("ascii", errors="replace").strip()


def reached(repository: str, tip: str) -> bool:
    """Tell whether a reference leads to a commit, so that it stays (git-gc(1)).

    One that is broken says nothing of the others.
    """
    asked = git.forced(
        repository, "for-each-ref", "--contains", tip, "--count=1", "--format=%(refname)",
        timeout=60,
    )  # fmt: skip
    return asked.status == 0 and bool(asked.stdout.strip())


def whole(repository: str, tip: str, base: str) -> bool:
    """Tell whether a repository has all that a commit has and another one has not."""
    asked = git.forced(
        repository, "rev-list", "--objects", "--quiet", tip, "--not", base, timeout=_SEARCHING
    )
    return asked.status == 0


def _write(folder: int, name: str, text: bytes) -> None:
    """Write a file beside another one and put it in its place; Git passes over what is locked."""
    temporary = f"{name}.{secrets.token_hex(8)}.lock"
    kind = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(temporary, kind, 0o644, dir_fd=folder), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _ask(repository: str, reference: str, tip: str) -> None:
    """Let Git write into its table of references, in which there are no links."""
    off = (word for each in _hooks(repository, reference) for word in ("-c", f"{each}.enabled=no"))
    moved = git.forced(repository, *off, "update-ref", "--no-deref", reference, tip, timeout=60)
    if moved.status != 0:
        raise _failed(repository, reference, last_words(moved.stderr))


def _hooks(repository: str, reference: str) -> set[str]:
    """Return the hooks that the configuration has commands for (git-hook(1)), as sections.

    Git 2.54 can switch each off, and no kind of them.
    """
    asked = git.forced(
        repository, "config", "-z", "--name-only", "--get-regexp", r"^hook\..*\.", timeout=60
    )
    if asked.status not in {0, 1}:
        raise _failed(repository, reference, last_words(asked.stderr) or asked.cut)
    names = asked.stdout.decode(errors="replace").split("\0")
    found = {each.rpartition(".")[0] for each in names if each} - set(git.FORCED_HOOKS)
    if asked.cut or len(found) > _MOST or not all(map(_HOOK.fullmatch, found)):
        raise _failed(
            repository, reference, "its configuration names hooks that cannot be switched off"
        )
    return found


def _failed(repository: str, reference: str, why: str) -> Refused:
    return refuse("task-fetch", f"`{reference}` cannot be written in `{repository}`: {why}")
