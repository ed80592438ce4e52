"""Read objects of a Git repository, without Git believing anything else that is in it."""

from collections.abc import Iterable
from pathlib import Path

from jailoc.bin.engine import git
from jailoc.model.text import last_words


class Unreadable(Exception):  # noqa: N818 -- a verdict on a repository
    """Git cannot read it, or there is too much; why is its text, which may be an agent's."""


def ask(
    place: Path | str, *arguments: str, stdin: bytes = b"", timeout: float, limit: int
) -> bytes:
    """Return what Git answers about a Git directory.

    Raises:
        Unreadable: it cannot read it, takes too long, or answers more than the limit of bytes.
        Refused: there is no Git.
    """
    reply = git.forced(place, *arguments, stdin=stdin, timeout=timeout, limit=limit)
    if reply.status != 0:
        raise Unreadable(reply.cut or last_words(reply.stderr) or "Git cannot read it")
    return reply.stdout


def contents(
    place: Path | str, names: Iterable[str], *, timeout: float, limit: int
) -> dict[str, bytes | None]:
    """Return what blobs hold; None of those that are none, or not there.

    Args:
        place: The Git directory.
        names: Of the objects, in hexadecimal.
        timeout: Seconds.
        limit: Bytes of all together.

    Raises:
        Unreadable: Git cannot read one, or they are larger.
    """
    every = list(dict.fromkeys(names))
    if not every:
        return {}
    asked = "".join(f"{each}\n" for each in every).encode()
    told = ask(place, "cat-file", "--batch", stdin=asked, timeout=timeout, limit=limit)
    found: dict[str, bytes | None] = dict.fromkeys(every)
    at = 0
    while at < len(told):  # by place: what is cut off would be copied for each of very many
        begin = told.index(b"\n", at) + 1
        name, kind, *size = told[at:begin].decode("ascii").split()
        at = begin
        if size:
            data = told[at : at + int(size[0])]
            found[name] = data if kind == "blob" else None
            at += len(data) + 1
    return found
