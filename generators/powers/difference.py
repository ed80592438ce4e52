"""What a change of a workspace does to its powers: two states in, changes in plain words out.

Changes are mirrored: what widens from A to B narrows from B to A. Each side's powers are a set; one
is gained if the other side neither has it nor holds it in a wider one, and a guard is gained where
its loss is.
"""

import ipaddress
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from jailoc.generators.powers.covers import Together, is_networks, left
from jailoc.generators.powers.denials import untold
from jailoc.generators.powers.derived import derived
from jailoc.generators.powers.names import by_name
from jailoc.generators.powers.paths import access
from jailoc.generators.powers.places import contents
from jailoc.generators.powers.reach import reachable
from jailoc.generators.powers.words import words
from jailoc.model.address import AddressSet, Family, Network, written
from jailoc.model.compose import Bind, Compose, Service, Tmpfs, Volume
from jailoc.model.compose import Network as Bridge
from jailoc.model.egress import Egress
from jailoc.model.path import tilde
from jailoc.model.power import Direction, Power, PowerChange, PowerKind, Rank, Sides
from jailoc.model.power_rules import ORDER, RULES
from jailoc.model.protect_entry import ANYWHERE
from jailoc.model.sandbox import DIGEST_LABEL, SIDECAR, VOLUME_PREFIX

TOLD = {"environment", "ports", "cap_add", "security", "devices", "limits", "user", "privileged"}
"""Fields of a service that have powers of their own; mounts have them, too, but for volumes."""
QUIET = {
    "image", "labels", "mounts", "entrypoint", "command", "namespace", "working_dir", "sysctls",
    "extra_hosts", "read_only", "init", "logs", "health", "after", "dns", "given",
}  # fmt: skip
"""Fields of a service that jailoc decides alone: they change with it, or with what has a power."""


def powers(side: Sides | None) -> tuple[Power, ...]:
    """Return the powers of a workspace, but for what its rules and mounts alone can tell."""
    return () if side is None else (*side.stated, *derived(side))


def changes(
    before: Sides | None, after: Sides | None, home: str = "", own: Iterable[str] = ()
) -> tuple[PowerChange, ...]:
    """Say what changes between two states of a workspace, the gravest first.

    Args:
        before: The state that is left; None if the workspace is not there yet.
        after: The state that is reached; None if it is removed.
        home: The home directory, which paths are then told from as `~`.
        own: The machine's addresses and networks; none where it is not known which one it is.
    """
    machine = tuple(map(ipaddress.ip_network, own))
    old, new = powers(before), powers(after)
    entries = tuple(
        tuple(each.subject for each in side if each.rule == "guard.protect") for side in (old, new)
    )
    found = [
        *reachable(before.firewall if before else None, after.firewall if after else None, machine),
        *by_name(before.firewall if before else None, after.firewall if after else None),
        # Where there is no sandbox, nothing guards it, and that is no loss.
        *_sets(*((old, new) if before and after else map(_unguarded, (old, new)))),
    ]
    for name in dict.fromkeys((*_services(before), *_services(after))):
        mine, theirs = _services(before).get(name), _services(after).get(name)
        found += access(
            name, mine, theirs, lambda path: tilde(path, home), (entries[0], entries[1])
        )
        if mine and theirs:
            found += _notes(name, mine, theirs)
    if before and after:
        found += _project(before.compose, after.compose)
    if any(each.firewall.egress is Egress.NONE for each in (before, after) if each):
        # All is closed on that side, and a denial has nothing to do there.
        found = [each for each in found if each.rule != "guard.denied"]
    found = untold(found, before.firewall if before else None, after.firewall if after else None)
    return tuple(sorted(_merged(found), key=order))


def _unguarded(side: tuple[Power, ...]) -> tuple[Power, ...]:
    return tuple(each for each in side if not each.rule.startswith("guard."))


def order(change: PowerChange) -> tuple[int, int, int]:
    """Return what sorts changes: what widens, by its rank, then by the table of the rules."""
    return list(Direction).index(change.way), change.rank.order, ORDER[change.rule]


def _services(side: Sides | None) -> Mapping[str, Service]:
    return side.compose.services if side else {}


def _sets(old: tuple[Power, ...], new: tuple[Power, ...]) -> Iterator[PowerChange]:
    was, is_ = Together(old), Together(new)
    for way, mine, others, held, own in (
        (Direction.WIDENS, new, old, was, is_),
        (Direction.NARROWS, old, new, is_, was),
    ):
        for power in mine:
            kind = power.rule.partition(".")[0]
            if kind == PowerKind.NOTE:
                if way is Direction.WIDENS:
                    yield from _noted(power, others)
                continue
            # A guard is no power: its loss is.
            if kind == PowerKind.GUARD or power in held:
                continue
            yield _change(way, power, _before(power, others))
        for guard in others:
            if guard.rule.partition(".")[0] == PowerKind.GUARD and guard not in own:
                yield _lost(way, guard, mine) if is_networks(guard) else _change(way, guard, None)
    mine_keys = {each.key for each in new}
    for power in old:
        other = any(each.subject == power.subject for each in new)
        if power.rule.startswith("note.") and power.key not in mine_keys and not other:
            yield _change(Direction.SAME, power, None, gone=True)


def _lost(way: Direction, guard: Power, mine: Iterable[Power]) -> PowerChange:
    """Tell of addresses that are kept closed no longer, or only through single ports."""
    networks = left(guard, mine)
    few = ", ".join(map(written, networks[:FEW]))
    more = f" and {len(networks) - FEW} more" if len(networks) > FEW else ""
    whole, colon, port = guard.subject.partition(" port ")
    ports = [
        each.subject.partition(" port ")[2]
        for each in mine
        if each.rule == guard.rule and each.subject.startswith(f"{whole} port ") and not colon
    ]
    but = f" (every port but {' and '.join(ports)})" if ports else ""
    of = "" if tuple(map(written, networks)) == (whole,) else f" of {whole}"
    part = f"{few}{more}{of}{colon}{port}{but}"
    told = _change(way, guard.model_copy(update={"subject": part}), None)
    what = contents(*_addresses(networks)) if networks else ""
    text = f"{told.text}: {what}" if what else told.text
    return told.model_copy(update={"text": text, "networks": networks, "subject": guard.subject})


def _addresses(networks: Sequence[Network]) -> tuple[Family, AddressSet, AddressSet]:
    """Return networks of one family as addresses, beside which nothing else is open."""
    family = Family(networks[0].version)
    return family, AddressSet.networks(family, networks), AddressSet(family)


def _noted(power: Power, others: tuple[Power, ...]) -> Iterator[PowerChange]:
    was = next((each for each in others if each.key == power.key), None)
    if was is None or was.value != power.value:
        yield _change(Direction.SAME, power, was)


def _before(power: Power, others: Iterable[Power]) -> Power | None:
    """Return what stood in the place of a power."""
    alike = [each for each in others if each.rule == power.rule]
    if power.rule in {"run.image", "run.agent"}:
        return next(iter(alike), None)
    if power.rule == "hold.secret":
        return next((each for each in alike if each.value == power.value), None)
    return next((each for each in alike if each.subject == power.subject), None)


def _change(way: Direction, power: Power, was: Power | None, *, gone: bool = False) -> PowerChange:
    rank, more, less = words(power, was)
    lost = way is Direction.NARROWS or gone
    return PowerChange(
        rule=power.rule,
        way=way,
        rank=rank,
        subject=power.subject,
        text=less if lost else more,
        before=_shown(power) if lost else None if was is None else _shown(was),
        after=_shown(power) if not lost else None if was is None else _shown(was),
        origin=power.origin,
    )


def _shown(power: Power) -> str:
    return power.value or power.subject


def _notes(name: str, before: Service, after: Service) -> Iterator[PowerChange]:
    """Yield what changes in a service that stays without being a power."""
    old, new = (
        {each.target: str(each.published) for each in side.ports} for side in (before, after)
    )
    for target in sorted(old.keys() & new.keys()):
        if old[target] != new[target]:
            yield _other("port", f"port {old[target]} -> {new[target]}", old[target], new[target])
    yield from _asked(name, before, after)
    if _volumes(before) != _volumes(after):
        was, now = (_own(each) for each in (before, after))
        text = f"volumes of its own: {now or 'none'}" if was != now else f"{name}: other volumes"
        yield _other(f"volumes of {name}", text, was, now)
    if before.labels.get(DIGEST_LABEL) != after.labels.get(DIGEST_LABEL):
        yield _other(f"files of {name}", f"{name}: other mounted files")
    for field in QUIET - {"labels", "mounts"}:
        mine, theirs = (_plain(getattr(each, field)) for each in (before, after))
        if mine != theirs:
            word = field.replace("_", " ")
            yield _other(f"{word} of {name}", f"{name}: other {word}")


def _asked(name: str, before: Service, after: Service) -> Iterator[PowerChange]:
    """Yield what a service beside the agent executes to tell whether it is well."""
    if after.namespace != "services" or before.health.test == after.health.test:
        return
    texts = [shlex.join(each.health.test[1:]) for each in (before, after)]
    for way, one, other in (
        (Direction.WIDENS, texts[1], texts[0]), (Direction.NARROWS, texts[0], texts[1]),
    ):  # fmt: skip
        verb = "executes" if way is Direction.WIDENS else "no longer executes"
        was = f" (it was {other})" if way is Direction.WIDENS else ""
        yield PowerChange(
            rule="run.service", way=way, rank=Rank.MEDIUM, subject=name, before=texts[0],
            after=texts[1], origin=after.image.origin,
            text=f"the service {name} beside the agent {verb} as its health check: {one}{was}",
        )  # fmt: skip


def _project(before: Compose, after: Compose) -> Iterator[PowerChange]:
    was, now = (f"packets of {each.network.mtu or 'the engine'}" for each in (before, after))
    if was != now:
        text = f"the sandbox's own network: {now} (it was {was})"
        yield _other("network", text, was, now)
    elif _unchosen(before.network) != _unchosen(after.network):
        yield _other("network", "the project's network changes")
    for what in ("volumes", "memory", "name"):
        if getattr(before, what) != getattr(after, what):
            yield _other(what, f"the project's {what} changes")


def _own(service: Service) -> str:
    """Name the volumes that the configuration asks for."""
    found = [each for each in service.mounts if isinstance(each, Volume) and each.origin]
    return ", ".join(f"{each.name.removeprefix(VOLUME_PREFIX)} at {each.target}" for each in found)


def _unchosen(network: Bridge) -> Bridge:
    """Return it without the subnet that was chosen, which is a power."""
    return network.model_copy(update={"ipv4_subnet": None})


def _volumes(service: Service) -> list[Volume | Tmpfs]:
    found = [
        each.model_copy(update={"origin": None}) if isinstance(each, Volume) else each
        for each in service.mounts
        if not isinstance(each, Bind)
    ]
    return sorted(found, key=lambda each: each.target)


def _plain(value: object) -> object:
    """Return a value without the entry that it comes from."""
    return getattr(value, "text", value)


def _other(subject: str, text: str, before: str = "", after: str = "") -> PowerChange:
    return PowerChange(
        rule="note.other", way=Direction.SAME, rank=Rank.NOTE, subject=subject, text=text,
        before=before or None, after=after or None,
    )  # fmt: skip


FEW = 3
"""Entries of `protect` that are named."""
_TELLING = (".git/hooks", ".git/config", ".envrc", ".vscode", ".husky", ".claude")
"""Those that most people know come first."""


def _protected(group: list[PowerChange]) -> PowerChange:
    """Tell of all entries of `protect` that come or go in one line."""
    if len(group) == 1:
        return group[0]
    entries = [each.subject.removeprefix(ANYWHERE) for each in group]
    entries.sort(key=lambda each: _TELLING.index(each) if each in _TELLING else len(_TELLING))
    few = ", ".join(entries[:FEW])
    more = f" and {len(entries) - FEW} more" if len(entries) > FEW else ""
    first = group[0]
    subject = group[0].subject
    text = first.text.replace(f" {subject} ", f" {few}{more} ").replace(
        f" {subject.removeprefix(ANYWHERE)} ", f" {few}{more} "
    )
    subjects = ", ".join(each.subject for each in group)
    return first.model_copy(update={"subject": subjects, "text": text,
                                    "before": None, "after": None})  # fmt: skip


def _merged(found: Iterable[PowerChange]) -> Iterator[PowerChange]:
    """Put what is one thing together: a service of jailoc's own that comes or goes, is one."""
    kept = [each for each in dict.fromkeys(found) if each.rule in RULES]
    docker = any(each.rule == "be.docker" for each in kept)
    protect: dict[tuple[Direction, Rank], list[PowerChange]] = {}
    for each in kept:
        if each.rule == "guard.protect" and not each.paths:
            protect.setdefault((each.way, each.rank), []).append(each)
    for group in protect.values():
        yield _protected(group)
    folded = [each for group in protect.values() for each in group]
    for each in kept:
        if each in folded:
            continue
        if docker and SIDECAR in each.subject and each.rule in {"note.limits", "note.other"}:
            continue
        yield each
