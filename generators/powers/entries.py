"""The entry of the configuration behind a change, and where it stands."""

import re

from jailoc.model.agents.choice import KEY
from jailoc.model.document import Document, Path, dotted
from jailoc.model.host_set import entry_of
from jailoc.model.power import Direction, PowerChange, PowerKind
from jailoc.model.protect_entry import WHOLE

_ENTRY = re.compile(
    r"(defaults|workspaces|kubernetes|base|trust|ignore_drift|mode|password_mode)\b"
)
"""What a place in the configuration begins with; other reasons are words."""
_ABOVE = re.compile(r"^(was )?/.*/")
_KEYS = {
    "be.privileged": "dind_privileged",
    "be.docker": "enable_docker",
    "hold.ssh-agent": "ssh_auth_sock",
    "hold.git-identity": "git_config",
    "guard.egress": "egress",
    "guard.protect": "protect",
    "guard.block": "expect",
    "guard.reach": "expect",
    "be-reached.port": "expose_port",
    "guard.denied": "denied_hosts",
    "reach.network": "denied_networks",
    "write.shared": "volumes",
    "be-reached.moved": "port",
    "be-reached.subnet": "network",
    "run.agent": KEY,
    "run.image": "image",
    "trust.attach": "mode",
    "write.path": "mounts",
    "read.path": "mounts",
}
"""The key behind a power that does not know its entry, or behind a guard that is gone."""


def is_entry(origin: str) -> bool:
    """Tell whether an origin is an entry of the configuration."""
    return bool(_ENTRY.match(origin.removeprefix("protect: ")))


def path_of(origin: str) -> Path:
    """Return the path of an entry in the document."""
    return tuple(
        int(number) if number else quoted or word
        for word, quoted, number in re.findall(
            r'([A-Za-z0-9_-]+)|"([^"]*)"|\[(\d+)\]', entry_of(origin.removeprefix("protect: "))
        )
    )


def position(document: Document, origin: str) -> str | None:
    """Return where an entry stands, as `LABEL:LINE:COLUMN`."""
    if not is_entry(origin):
        return None
    found = document.value(path_of(origin))
    return f"{document.label}:{found.line}:{found.column}" if found else None


def entry(document: Document, workspace: str, change: PowerChange) -> str | None:
    """Return the entry behind a change of a workspace, as its document has it now."""
    lost = change.way is Direction.WIDENS and change.kind is PowerKind.GUARD
    if change.origin and not lost and is_entry(change.origin) and _there(document, change.origin):
        return change.origin
    key = _KEYS.get(change.rule)
    if change.rule == "guard.protect" and change.subject == WHOLE:
        key = "git_write"
    if change.rule == "guard.denied" and change.networks:
        key = "denied_networks"
    if change.rule == "note.limits":
        key = "memory" if change.subject.startswith("memory") else "cpu"
    if key is None:
        return None
    tables = (("workspaces", workspace), ("defaults",), ())
    for above in tables:
        table = document.data
        for part in above:
            value = table.get(part)
            table = value if isinstance(value, dict) else {}
        if key in table:
            return dotted((*above, key))
    return dotted(("workspaces", workspace))


def _there(document: Document, origin: str) -> bool:
    value: object = document.data
    for part in path_of(origin):
        if isinstance(value, dict) and isinstance(part, str) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[int(part)]
        else:
            return False
    return True


def nearby(place: str) -> str:
    """Return a place for people: a file that was not named from where they are goes by its name.

    >>> nearby("was /home/alice/.config/jailoc/config.toml:6:21"), nearby("team/config.toml:2:1")
    ('was config.toml:6:21', 'team/config.toml:2:1')
    """
    return _ABOVE.sub(lambda match: match[1] or "", place)


def place(
    before: Document | None, after: Document, workspace: str, change: PowerChange
) -> str | None:
    """Return where the entry behind a change stands: of what is lost, where it was.

    Args:
        before: The document that is left, if it is known.
        after: The document that is reached.
        workspace: The workspace.
        change: What happens to it.
    """
    lost = change.kind is PowerKind.GUARD if change.way is Direction.WIDENS else True
    now = (origin := entry(after, workspace, change)) and position(after, origin)
    if lost and before is not None and change.way is not Direction.SAME and change.origin:
        was = is_entry(change.origin) and position(before, change.origin)
        if was and change.way is Direction.NARROWS:
            return f"was {was}"
        if was and not now:
            return f"was {was}"
    # What went with a line is told at that line: a default holds in its place.
    gone = change.origin if change.origin and is_entry(change.origin) else None
    if not now and gone and before is not None and (was := position(before, gone)):
        return f"was {was}"
    return now or None
