"""When one power holds another one, so that the second is no news beside the first."""

import ipaddress
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from jailoc.generators.config.stated import BUILT_IN_IMAGE, EVERY, MISSING
from jailoc.model import image_reference, protect_entry
from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.path import within
from jailoc.model.power import Power
from jailoc.model.power_rules import RULES


class Together:
    """Powers that together may hold another one."""

    def __init__(self, powers: tuple[Power, ...]) -> None:
        """Take them; most of what is asked for is one of them, and found at once."""
        self._powers = powers
        self._whole = {_whole(each) for each in powers if each.rule not in _LIMITED}

    def __contains__(self, power: Power) -> bool:
        """Tell whether they are, or hold, a power."""
        return _whole(power) in self._whole or covered(power, self._powers)


def _whole(power: Power) -> tuple[str, str, str]:
    return power.rule, power.subject, power.value


def covered(power: Power, others: Iterable[Power]) -> bool:
    """Tell whether others together are, or hold, a power."""
    alike = [each for each in others if each.rule == power.rule]
    if power.rule == "run.image" and power.subject == BUILT_IN_IMAGE:
        return True
    if is_networks(power):
        return not left(power, alike)
    holds = _HOLDS.get(power.rule, _same)
    return any(holds(each, power) for each in alike)


def _same(one: Power, other: Power) -> bool:
    valued = RULES[one.rule].valued
    return one.subject == other.subject and (not valued or one.value == other.value)


def _image(one: Power, other: Power) -> bool:
    if one.subject == other.subject:
        return True
    if BUILT_IN_IMAGE in {one.subject, other.subject}:
        return False
    mine, theirs = (image_reference.parts(each.subject) for each in (one, other))
    # A tag may come to be any digest: one that is held to a digest is less.
    return mine[:2] == theirs[:2] and not mine[3] and bool(theirs[3]) and theirs[2] in {"", mine[2]}


def _pattern(one: Power, other: Power) -> bool:
    return one.subject == other.subject or fnmatchcase(other.subject, one.subject)


def _directory(one: Power, other: Power) -> bool:
    return within(other.subject, one.subject)


def _attaches(one: Power, other: Power) -> bool:
    # The client in the sandbox is less than one on this machine.
    return other.subject in {one.subject, "exec"}


def _text(one: Power, other: Power) -> bool:
    # A text that is not known is not another one, and where none was, one is no other.
    if one.subject == other.subject and one.value == MISSING:
        return True
    return one.subject == other.subject and (
        not one.value or not other.value or one.value == other.value
    )


def _context(one: Power, other: Power) -> bool:
    return _text(one, other) if one.subject == other.subject else _directory(one, other)


def _denies(one: Power, other: Power) -> bool:
    if is_networks(one):
        return False
    bare = other.subject.removeprefix("*.")
    below = one.subject.startswith("*.") and bare.endswith(one.subject[1:])
    return one.subject == other.subject or below


def _protects(one: Power, other: Power) -> bool:
    mine, theirs = protect_entry.plain(one.subject), protect_entry.plain(other.subject)
    anywhere = one.subject.startswith(protect_entry.ANYWHERE)
    if not anywhere and other.subject.startswith(protect_entry.ANYWHERE):
        return False
    return within(f"/{theirs}", f"/{mine}") or protect_entry.finds(one.subject, theirs)


def is_networks(guard: Power) -> bool:
    """Tell whether a guard keeps addresses closed."""
    denies = guard.rule == "guard.denied" and "/" in guard.subject
    return denies or guard.rule == "guard.block"


def left(guard: Power, others: Iterable[Power]) -> tuple[Network, ...]:
    """Return the addresses that a guard keeps closed and others do not, by all ports or the same.

    >>> one = Power(rule="guard.block", subject="10.0.0.0/8 port 22")
    >>> left(one, [Power(rule="guard.block", subject="10.0.0.0/9")])
    (IPv4Network('10.128.0.0/9'),)
    """
    text, _, port = guard.subject.partition(" port ")
    network = ipaddress.ip_network(text)
    family = Family(network.version)
    found = [
        ipaddress.ip_network(each.subject.partition(" port ")[0])
        for each in others
        if each.rule == guard.rule
        and is_networks(each)
        and each.subject.partition(" port ")[2] in {"", port}
    ]
    return (AddressSet.networks(family, (network,)) - AddressSet.networks(family, found)).collapse()


def _credential(one: Power, other: Power) -> bool:
    """Tell whether one is for all methods and paths of another, at the same place, put in alike."""
    mine, theirs = (each.value.split(", ", 2) for each in (one, other))
    if one.subject != other.subject or len(mine) != 3 or mine[2:] != theirs[2:]:
        return False
    if mine[0] != EVERY and (theirs[0] == EVERY or not {*theirs[0].split()} <= {*mine[0].split()}):
        return False
    if mine[1] == EVERY:
        return True
    return theirs[1] != EVERY and all(
        any(path == each or (each.endswith("/") and path.startswith(each))
            for each in mine[1].split())
        for path in theirs[1].split()
    )  # fmt: skip


_LIMITED = {"hold.credential"}
"""Rules by which a power need not hold even itself."""
_HOLDS: dict[str, Callable[[Power, Power], bool]] = {
    "hold.credential": _credential,
    "run.image": _image,
    "run.context": _context,
    "run.dockerfile": _text,
    "trust.certificate": _text,
    "trust.attach": _attaches,
    "trust.path": _directory,
    "trust.drift": _pattern,
    "guard.denied": _denies,
    "guard.protect": _protects,
}
