"""`allow`: let a workspace reach a host or a network."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pydantic_core import PydanticCustomError

from jailoc.bin.commands import refresh
from jailoc.bin.commands.presets import CLIENTS, unknown
from jailoc.bin.config import append
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.terminal import prompt
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.conflicts import table
from jailoc.generators.config.edit import Value, remove
from jailoc.generators.config.host_sets import known
from jailoc.generators.config.resolve import resolve
from jailoc.generators.powers.asked import HeldPower, critical_of, opened_by
from jailoc.generators.powers.places import (
    private_name,
)
from jailoc.generators.views.review import RANKS
from jailoc.model.allow_entry import (
    HOST_FORMS,
    HostEntry,
    NetworkEntry,
    itself,
    network_of,
    parse_host,
    parse_network,
    parted,
)
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.egress import Egress
from jailoc.model.host_set import origin_of
from jailoc.model.palette import Meaning
from jailoc.model.power import Rank
from jailoc.model.sandbox import typed
from jailoc.model.special_ranges import public


def _read(target: str, noted: bool) -> tuple[str, HostEntry | NetworkEntry | None]:
    """Return the list that something belongs into, and what it is, unless it is a set.

    Raises:
        Refused: it is none of them, or the sandbox itself.
    """
    if target.startswith("@"):
        if noted:
            raise refuse("usage", "a set is allowed as it is: --why and --until are for its hosts",
                         hint="leave them out, or write a set of your own")  # fmt: skip
        return "allow", None
    # A URL is meant for its host, whatever stands behind it.
    key = "allowed_networks" if "/" in target and "://" not in target else "allowed_hosts"
    entry: HostEntry | NetworkEntry
    try:
        entry = parse_network(target) if key == "allowed_networks" else parse_host(target)
    except PydanticCustomError as error:
        context = error.context or {}
        raise refuse(
            context["code"], context["message"], allowed=context["allowed"], hint=context["hint"]
        ) from None
    if key == "allowed_hosts" and parted(target) is not None:
        said = f"`{target}` is not a host name: it has a blank in it"
        raise refuse(
            "host-blank", said, allowed=HOST_FORMS, hint="allow each by a command of its own"
        )
    if not getattr(entry, "name", True):
        raise refuse("host-name", f"`{target}` names no host", allowed="a host or a network")
    if itself(entry):
        raise refuse(
            "allow-meaning",
            f"`{target}` is the sandbox itself, for whoever works there: it opens nothing, and is "
            "not written",
            hint="for a port of this machine write `host_ports` in config.toml",
        )
    return key, entry


EACH = 10
"""Up to so many hosts of a set have a line of their own."""


def _agreed(session: Session, target: str, critical: Sequence[tuple[str, str]]) -> bool:
    """Ask before what is in effect at once.

    Raises:
        Refused: nobody is there to answer.
    """
    for what, lies_there in critical[:EACH]:
        session.terminal.say(f"CRITICAL: {what}: {lies_there}", RANKS[Rank.CRITICAL])
    _more(session, len(critical) - EACH)
    hint = f"`jailoc allow {shlex.quote(target)} --yes` does not ask"
    return prompt.agreed(session.terminal, "allow this?", "what is critical", hint)


def _open_anyway(session: Session, name: str, entry: HostEntry | NetworkEntry) -> bool:
    """Tell whether what an entry names is open without it, where its addresses are public."""
    origin = session.source()
    if resolve(origin.config, name, origin.host).egress is not Egress.PUBLIC:
        return False
    network = network_of(entry)
    if network is not None:
        return public(network)
    return not (isinstance(entry, HostEntry) and private_name(entry.name))


def _tell_open(session: Session, name: str, target: str, entry: HostEntry | NetworkEntry) -> None:
    """Say what an entry changes where every public address is open."""
    if not _open_anyway(session, name, entry):
        return
    network = network_of(entry)
    told = (
        f"{target} is open already, as `egress` is public: the entry is"
        if network is not None
        else f"the public addresses of {target} are open already, as `egress` is public: the entry "
        "opens private ones, and is"
    )
    session.terminal.say(f'{told} needed once `egress` is "allowlist"', Meaning.WARNS)


def _tell_power(session: Session, name: str, key: str) -> None:
    """Say what a review would say of the entry that has just been written, the last of its list."""
    origin = session.source()
    firewall = compile_workspace(origin.config, name, origin.host).firewall
    last = len(getattr(origin.config.workspaces[name], key)) - 1
    reason = f"workspaces.{name}.{key}[{last}]"
    if key == "allow":
        chosen = origin.config.workspaces[name].allow[last]
        reason = origin_of(reason, chosen, known(origin.config)[chosen].as_of)
    powers = sorted(opened_by(firewall, reason, origin.host.own_addresses), key=_grave)
    for power in powers[:EACH]:
        # What is critical was said in full before.
        what = f": {power.text}" if power.text and power.rank is not Rank.CRITICAL else ""
        line = f"{power.rank.upper()}: may reach {power.subject}{what}"
        session.terminal.say(line, RANKS.get(power.rank, Meaning.NOTES))
    _more(session, len(powers) - EACH)


def _called(entry: HostEntry | NetworkEntry, target: str) -> str:
    """Return what is asked about: of a set, which host."""
    return (
        f"{entry.name} of {target}"
        if target.startswith("@") and isinstance(entry, HostEntry)
        else target
    )


def _grave(power: HeldPower) -> int:
    return power.rank.order


def _more(session: Session, count: int) -> None:
    if count > 0:
        session.terminal.say(f"and {count} more")


def run(
    session: Session,
    target: str,
    why: str | None = None,
    until: date | None = None,
    *,
    yes: bool = False,
) -> int:
    """Append a host, a network or a set to what a workspace may reach; a running one can at once.

    Where the running one does not take it, it is taken back. What is critical is asked, unless
    `yes` says so.
    """
    notes = {name: note for name, note in (("why", why), ("until", until)) if note is not None}
    value: Value = {"to": target, **notes} if notes else target
    key, entry = _read(target, bool(notes))
    session = replace(session, command=f"allow {shlex.quote(target)}")
    origin = session.source()
    name = session.chosen(origin)
    today = origin.host.today
    if until is not None and until < today:
        raise refuse(
            "usage",
            f"--until {until} is over, for it is {today} (UTC): nothing would be open",
            hint="give a day that is still to come",
        )
    sets = known(origin.config)
    if entry is None and target.removeprefix("@") not in sets:
        raise unknown(target.removeprefix("@"), sets)
    if target in {*sets, *CLIENTS}:
        there = target in sets
        made = "" if there else f", once `jailoc presets import {target}` has made it"
        session.terminal.say(
            f"`{target}` is taken for a host of that name; a set of hosts is `@{target}`{made}",
            Meaning.WARNS,
        )
    opened = sets[target.removeprefix("@")].hosts if entry is None else (entry,)
    critical = [] if yes else [
        (_called(each, target), told)
        for each in opened
        if (told := critical_of(each, origin.host.own_addresses)) is not None
    ]  # fmt: skip
    # A file that would not be valid is told before anything is asked.
    asks = bool(critical) and append.is_new(session, name, key, value)
    if asks and not _agreed(session, target, critical):
        return 1
    if not append.value(session, name, key, value):
        return 0
    # What cannot be loaded is taken back: only then is it true that it was added.
    runs = refresh.written(session, name)
    if entry is not None:
        _tell_open(session, name, target, entry)
    session.terminal.told(
        f"added {target} to {key} of workspace {name}; "
        f"`jailoc allow {shlex.quote(target)} -w {name} --remove` takes it back"
    )
    _tell_power(session, name, key)
    if not runs:
        _tell_later(session, name)
    return 0


def _tell_later(session: Session, name: str) -> None:
    session.terminal.say(
        f"{typed(name)} does not run: that is in effect from `jailoc up {typed(name)}` on"
    )


def take_back(session: Session, target: str, *, noted: bool) -> int:
    """Remove a host, a network or a set from what a workspace may reach, at once where it runs.

    Raises:
        Refused: its own list does not have just that.
    """
    if noted:
        raise refuse("usage", "--remove takes no --why and no --until", hint="leave them out")
    key, entry = _read(target, noted=False)
    session = replace(session, command=f"allow {shlex.quote(target)} --remove")
    name = session.chosen(session.source())

    def without(text: str) -> str:
        origin = session.source()
        mine = getattr(origin.config.workspaces[name], key)
        found = [
            at for at, each in enumerate(mine) if _alike(each, entry or target.removeprefix("@"))
        ]
        if not found:
            raise _not_there(origin, name, key, target)
        return remove(text, name, key, found)

    append.rewritten(session, without)
    runs = refresh.written(session, name)
    session.terminal.told(f"removed {target} from {key} of workspace {name}")
    if entry is not None and _open_anyway(session, name, entry):
        session.terminal.say(
            f"{target} stays open where its addresses are public, as `egress` is", Meaning.WARNS
        )
    if not runs:
        _tell_later(session, name)
    return 0


_Entry = HostEntry | NetworkEntry | str


def _alike(one: _Entry, other: _Entry) -> bool:
    """Tell whether two entries name the same, whatever the reason and the last day."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    bare = {"why": None, "until": None}
    return one.model_copy(update=bare) == other.model_copy(update=bare)


def _not_there(origin: LoadedConfig, name: str, key: str, target: str) -> Refused:
    """Return the refusal to remove what the workspace's own list does not have."""
    mine = table(table(origin.document.data, "workspaces"), name).get(key, ())
    shared = table(origin.document.data, "defaults").get(key, ())
    told = [each["to"] if isinstance(each, dict) else each for each in mine]
    return refuse(
        "allow-unknown",
        f"`{target}` is not in {key} of workspace `{name}`",
        allowed=", ".join(map(str, told)) or "nothing: the list is empty",
        hint=f"[defaults] has it, for all workspaces: edit {origin.path}"
        if target in shared
        else f"`jailoc explain {name} {shlex.quote(target)}` says what opens it, from which line",
    )
