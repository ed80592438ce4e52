"""What of the host an agent may not read or write, because it belongs to somebody else."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.resolve import resolve
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.host import FileKind, Host, Ids
from jailoc.model.mount import Mode
from jailoc.model.permissions import ENTER, READ, WRITE
from jailoc.model.user import Reason, agent_user


def inaccessible(
    document: Document, config: Config, name: str, host: Host
) -> tuple[tuple[Diagnostic, ...], bool]:
    """Return what the agent of a workspace may not use, and whether it can work at all.

    It can if it may write one of its paths, or if that is not known. Permissions below them are
    nobody's business here.
    """
    if not host.permissions:
        return (), True
    agent = _Agent(host, config.workspaces[name].paths)
    told = tuple(_told(document, config, name, host, agent))
    paths = config.workspaces[name].paths
    return told, not paths or any(agent.may(each, WRITE) for each in paths)


class _Agent:
    """The agent of a workspace, as the machine knows it."""

    def __init__(self, host: Host, paths: tuple[str, ...]) -> None:
        self.host, self.user = host, agent_user(host, paths)
        # A machine of its own makes of owners what it likes; a range may not be known.
        self.ids = {
            Ids.KEPT: (self.user.uid, self.user.gid),
            Ids.SHIFTED: host.shifted,
            Ids.SHARED: None,
        }[host.ids]

    def may(self, path: str, wanted: int) -> bool:
        """Tell whether it may use a place; so it is where nothing is known."""
        place = self.host.permissions.get(path)
        if self.ids is None or place is None:
            return True
        if self.host.kinds.get(path) is FileKind.DIRECTORY:
            wanted |= ENTER
        uid, gid = self.ids
        return place.allows(uid, frozenset({gid}), wanted)

    def problem(self, path: str, mode: Mode) -> tuple[str, str] | None:
        """Return what it may not do with a place, and what to do about that."""
        place = self.host.permissions.get(path)
        if place is None or self.ids is None:
            return None
        verb = "read"
        if self.may(path, READ):
            if mode is Mode.READ_ONLY or self.may(path, WRITE | READ):
                return None
            verb = "write"
        if verb == "write" and place.read_only:
            return (
                f"the agent cannot write `{path}`: its file system is read-only",
                "mount it so that it can be written, or name another path",
            )
        uid, gid = self.ids
        who = f"UID {uid}, {self.user.reason}"
        if self.host.ids is Ids.SHIFTED:
            who = f"UID {uid} of this machine, as the engine has it"
        message = f"the agent cannot {verb} `{path}`, which is {place.text}: it works as {who}"
        return message, self.hint(path, uid, gid)

    def hint(self, path: str, uid: int, gid: int) -> str:
        """Return what lets such a user of the machine in."""
        if self.host.ids is Ids.SHIFTED:
            mine = self.host.uid
            return (
                f"`setfacl -R -m u:{uid}:rwX,d:u:{uid}:rwX,d:u:{mine}:rwX {path}` lets it in, and "
                "you into what it makes"
            )
        if self.user.reason is Reason.NOBODY:
            return f"`chown -R` it to the user who works there, or to {uid}:{gid}"
        return f"`chown -R {uid}:{gid}` it, or let a group of yours write it"


def _told(
    document: Document, config: Config, name: str, host: Host, agent: _Agent
) -> Iterator[Diagnostic]:
    workspace = config.workspaces[name]
    for index, path in enumerate(workspace.paths):
        yield from _one(
            document, ("workspaces", name, "paths", index), agent, path, Mode.READ_WRITE
        )
    places: dict[str, Path] = {}
    for at, scope in ((("defaults",), config.defaults), (("workspaces", name), workspace)):
        for index, each in enumerate(scope.mounts):
            places[each.container] = (*at, "mounts", index)
    resolved = resolve(config, name, host)
    for mount in resolved.mounts:
        place = places.get(mount.container, ("workspaces", name))
        yield from _one(document, place, agent, mount.host, mount.mode)
    if resolved.git_config and host.git_config:
        place = ("workspaces", name)
        yield from _one(document, place, agent, host.git_config, Mode.READ_ONLY)


def _one(
    document: Document, place: Path, agent: _Agent, path: str, mode: Mode
) -> Iterator[Diagnostic]:
    if problem := agent.problem(path, mode):
        message, hint = problem
        yield found(document, place, "permission", message, hint=hint)
