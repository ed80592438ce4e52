"""A path of a project that should be covered and cannot be, and what to do about it."""

import posixpath

from jailoc.model.base import Model
from jailoc.model.path import trusting
from jailoc.model.repository import Wanted


class Exposed(Model):
    """A path that should be covered and cannot be."""

    path: str
    reason: str
    origin: str
    hint: str = "the agent can replace the link; look at it before you run anything"
    executes: tuple[str, ...] = ()
    """What the host would execute by it, in words that an agent may have written."""
    stops: bool = False
    """Whether nothing is started until somebody has looked at it."""
    unread: bool = False
    """Whether nobody knows what is there."""
    socket: bool = False
    """Whether it is a socket, whoever listens at it."""
    believed: bool = False
    """Whether it is a file of Git's own, as `git_state.Believed` describes them."""
    certain: bool = False


def socket(path: str, origin: str) -> Exposed:
    """Return a socket, whoever listens there."""
    return Exposed(path=path, reason=_SOCKET, origin=origin, hint=_ELSEWHERE, socket=True)


def second_name(path: str, file: str | None, *, stops: bool) -> Wanted:
    """Return a place with a file that has a second name: `file` is it, or lies in it.

    None stands for a place with so many entries that nobody has looked at all.
    """
    if file is None:
        return Wanted(
            path=path,
            trouble="so much lies in it that not all was looked at: what a link there leads to, "
            "and a file with a second name, the agent can write past every cover",
            stops=stops,
            hint="take away what nobody needs there",
        )
    which = "it" if file == path else f"`{posixpath.relpath(file, path)}` in it"
    return Wanted(
        path=path,
        trouble=f"{which} has a second name, by which the agent can write it past every cover",
        stops=stops,
        hint="look at it, then put a copy in its place, which has no other name (`cp`, then `mv`)",
    )


def unread(
    path: str, reason: str, origin: str, way: str = "look what is there (`chmod u+rwx` opens it)"
) -> Exposed:
    """Return a place where nobody knows what is there, and a way to change that."""
    way = "stop the agent that holds it (`jailoc down`)" if "by a lease" in reason else way
    hint = f"{way}, or allow it by name: {trusting(path)}"
    return Exposed(path=path, reason=reason, origin=origin, hint=hint, stops=True, unread=True)


def troubled(wanted: Wanted, origin: str) -> Exposed:
    """Return what was wanted and has some trouble."""
    reason = wanted.trouble or ""
    made = Exposed(
        path=wanted.path,
        reason=reason,
        origin=origin,
        executes=wanted.executes,
        stops=wanted.stops,
    )
    if wanted.hint is not None:
        hint = wanted.hint
    elif wanted.stops:
        hint = f"look at it and remove it, or allow it by name: {trusting(wanted.path)}"
    elif "symbolic link" in reason:
        return made
    else:
        hint = "look at it before you run Git there"
    return made.model_copy(update={"hint": hint})


_SOCKET = "it is a socket: the agent can talk to the program that listens there, past the firewall"
_ELSEWHERE = "let the program listen in a directory that no agent sees"
