"""As whom an agent works: the user whose files it works on, and never root."""

from collections.abc import Iterable
from enum import StrEnum

from jailoc.model.base import Model
from jailoc.model.host import Host, Ids
from jailoc.model.permissions import ENTER, WRITE
from jailoc.model.sandbox import PROXY_ID, RELAY_ID

DEFAULT_ID = 1000
RESERVED = frozenset({0, RELAY_ID, PROXY_ID, 65532, 65533, 65534})
"""Root, and the users of the sandbox itself: the relay to its Docker, the proxy, that Docker, the
resolver, and who looks (`nobody`)."""
FIRST_ID = 100
"""Users below are the system's own, the same on every machine (Debian Policy, 9.2.2)."""


class Reason(StrEnum):
    """Why an agent works as the user that it does, as a half-sentence."""

    INVOKER = "who runs jailoc"
    OWNER = "the owner of the files, since root runs jailoc"
    SUDO = "who called sudo"
    MAPPED = "what the engine makes of users"
    NOBODY = "since no agent is root"


class AgentUser(Model):
    """A user and a group by number, with the reason."""

    uid: int = DEFAULT_ID
    gid: int = DEFAULT_ID
    reason: Reason = Reason.INVOKER

    @classmethod
    def read(cls, text: str) -> "AgentUser":
        """Read what `text` returns."""
        uid, gid = map(int, text.split(":"))
        return cls(uid=uid, gid=gid)

    @property
    def text(self) -> str:
        """Return it as docker(1) takes it."""
        return f"{self.uid}:{self.gid}"

    @property
    def default(self) -> bool:
        """Tell whether it is the one that images are made for where nobody says otherwise."""
        return (self.uid, self.gid) == (DEFAULT_ID, DEFAULT_ID)


DEFAULT_USER = AgentUser()


def agent_user(host: Host, paths: Iterable[str]) -> AgentUser:
    """Decide as whom the agent works.

    Who runs jailoc, where ids in a container are those of the machine. For root, that is the owner
    of the first path that is not root's, else who called sudo(8), else 1000.

    Args:
        host: The machine.
        paths: What the agent works on, absolute; what is there is known from the host.
    """
    if host.ids is not Ids.KEPT:
        return AgentUser(reason=Reason.MAPPED)
    paths = tuple(paths)
    if usable(host.uid):
        return AgentUser(uid=host.uid, gid=_group(host, paths))
    known = (host.permissions[each] for each in paths if each in host.permissions)
    owner = next((each for each in known if usable(each.uid)), None)
    if owner:
        return AgentUser(uid=owner.uid, gid=_own(owner.uid, owner.gid), reason=Reason.OWNER)
    if host.sudo and usable(host.sudo[0]):
        return AgentUser(uid=host.sudo[0], gid=_own(*host.sudo), reason=Reason.SUDO)
    return AgentUser(reason=Reason.NOBODY)


def usable(uid: int) -> bool:
    """Tell whether an agent may be a user."""
    return uid >= FIRST_ID and uid not in RESERVED


def _own(uid: int, gid: int) -> int:
    """Return a group that is none of the sandbox's own; the user's number stands for one."""
    return uid if gid in RESERVED else gid


def _group(host: Host, paths: tuple[str, ...]) -> int:
    """Return the user's group, or another of theirs if that alone lets them write the files."""
    own = _own(host.uid, host.gid)
    found = next((host.permissions[each] for each in paths if each in host.permissions), None)
    if found is None or found.allows(host.uid, frozenset({own}), WRITE | ENTER):
        return own
    others = sorted(set(host.groups) - RESERVED)
    return next(
        (each for each in others if found.allows(host.uid, frozenset({each}), WRITE | ENTER)), own
    )
