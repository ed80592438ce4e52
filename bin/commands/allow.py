"""`allow`: let a workspace reach a host or a network."""

import shlex
from dataclasses import replace
from datetime import date

from pydantic_core import PydanticCustomError

from jailoc.bin.commands import refresh
from jailoc.bin.config import append
from jailoc.bin.config.session import Session
from jailoc.generators.config.edit import Value
from jailoc.model.allow_entry import parse_host, parse_network
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import typed


def run(session: Session, target: str, why: str | None = None, until: date | None = None) -> int:
    """Append a host or a network to what a workspace may reach; a running one can at once.

    Where the running one does not take it, it is taken back.
    """
    # A URL is meant for its host, whatever stands behind it.
    key = "allowed_networks" if "/" in target and "://" not in target else "allowed_hosts"
    notes = {name: note for name, note in (("why", why), ("until", until)) if note is not None}
    value: Value = {"to": target, **notes} if notes else target
    try:
        entry = parse_network(target) if key == "allowed_networks" else parse_host(target)
    except PydanticCustomError as error:
        context = error.context or {}
        raise refuse(
            context["code"], context["message"], allowed=context["allowed"], hint=context["hint"]
        ) from None
    if not getattr(entry, "name", True):
        raise refuse("host-name", f"`{target}` names no host", allowed="a host or a network")
    session = replace(session, command=f"allow {shlex.quote(target)}")
    name = session.chosen(session.source())
    if not append.value(session, name, key, value):
        return 0
    session.terminal.result(f"added {target} to {key} of workspace {name}")
    if not refresh.written(session, name):
        session.terminal.say(
            f"{typed(name)} does not run: that is in effect from `jailoc up {typed(name)}` on"
        )
    return 0
