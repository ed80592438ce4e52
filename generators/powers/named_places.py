"""Which places of the host a pattern of a policy names, and whether a power is about them.

A place is what lies in it, and it can be had by what holds it: `~/src/wd` is about `~/src/wd/sub`
and about `~/src`. Links are followed where the machine is known, and another case may be the same
place. What a service sees read-only inside of a writable directory is not writable.
"""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from jailoc.generators.powers.paths import PROTECT, Access, Mounts
from jailoc.model.forbidden_paths import folded, spellings
from jailoc.model.host import Host
from jailoc.model.path import clean, expand, tilde, upwards
from jailoc.model.power import Power

ACCESS = {"write.path": Access.WRITE, "read.path": Access.READ}
"""What a service can do where it has such a power: what it writes, it reads as well."""
_FILES = ("run.dockerfile", "run.context", "trust.path", "trust.certificate", "hold.env-file")
"""Powers whose subject is a path and nothing else."""
_FILE = "file "
_WILD = re.compile(r"[*?\[]")
_ANY_DEPTH = "**"


def mounted(mounts: Mounts, home: str) -> Iterator[Power]:
    """Yield what a service may write and read of the host, by what is mounted."""
    for source, binds in mounts.sources.items():
        origins = [each.source.origin or "" for each in binds]
        if all(each.startswith(PROTECT) for each in origins):
            continue  # it lies in what is mounted anyway
        origin = next((each for each in origins if each and not each.startswith(PROTECT)), None)
        for rule, wanted in ACCESS.items():
            if mounts.access(source) >= wanted:
                yield Power(rule=rule, subject=tilde(source, home), origin=origin)


def path_of(power: Power, home: str) -> str | None:
    """Return the place of the host that a power is about, absolute; None if it is about none."""
    subject = power.subject
    if power.rule in {"hold.secret", "hold.credential"} and subject.startswith(_FILE):
        subject = subject.removeprefix(_FILE)
        if power.rule == "hold.credential":
            subject = subject.rpartition(" at ")[0]
    elif power.rule not in {*_FILES, *ACCESS}:
        return None
    path = expand(subject, home)
    return path if path.startswith("/") else None


def fixed(pattern: str, home: str) -> str | None:
    """Return the directory that a pattern begins with, absolute; None if it begins with none.

    >>> fixed("~/src/*/keys", "/home/alice"), fixed("*.pem", "/home/alice")
    ('/home/alice/src', None)
    """
    text = expand(pattern.removeprefix(_FILE), home)
    if not text.startswith("/"):
        return None
    return clean("/".join(_split(text)[0]))


def about(power: Power, pattern: str, host: Host, mounts: Mounts) -> bool:
    """Tell whether a power is about a place that a pattern names, in part or as a whole.

    Args:
        power: It has a place.
        pattern: As a policy has it.
        host: The machine.
        mounts: What the service sees that has the power.
    """
    place = path_of(power, host.home)
    if place is None:
        return False
    if power.rule == "hold.credential":
        path, at, server = pattern.rpartition(" at ")
        if at and not fnmatchcase(power.subject.rpartition(" at ")[2], server):
            return False
        pattern = path if at else pattern
    for named in _variants(pattern.removeprefix(_FILE), host):
        for spelt in spellings(place, host):
            if _lies(folded(spelt), folded(named)):
                return True
            if _holds(folded(spelt), folded(named)) and not _shut(
                power, place, spelt, named, mounts
            ):
                return True
    return False


def only(power: Power, patterns: Iterable[str], host: Host) -> bool:
    """Tell whether all that a power is about lies in what patterns name.

    Another case is another place here, so that no pattern permits more than it says.
    """
    place = path_of(power, host.home)
    if place is None:
        return False
    every = [named for each in patterns for named in _variants(each.removeprefix(_FILE), host)]
    return all(any(_lies(spelt, named) for named in every) for spelt in spellings(place, host))


def _split(text: str) -> tuple[list[str], list[str]]:
    """Return the parts of a pattern before the first with a wildcard, and the others."""
    parts = text.split("/")
    first = next((at for at, each in enumerate(parts) if _WILD.search(each)), len(parts))
    return parts[:first], parts[first:]


def _variants(pattern: str, host: Host) -> tuple[str, ...]:
    """Return a pattern, and where links lead what it begins with."""
    begins = fixed(pattern, host.home)
    if begins is None:
        return (pattern,)
    rest = _split(expand(pattern, host.home).rstrip("/"))[1]
    return tuple("/".join((each.rstrip("/"), *rest)) or "/" for each in host.places(begins))


def _lies(path: str, named: str) -> bool:
    return any(fnmatchcase(each, named) for each in upwards(path))


def _holds(path: str, named: str) -> bool:
    """Tell whether a directory may hold what a pattern names: there a `*` stands for one name."""
    mine, theirs = [each for each in path.split("/") if each], named.lstrip("/").split("/")
    if not named.startswith(("/", _ANY_DEPTH)):
        return False
    for at, part in enumerate(mine):
        if at == len(theirs) or not fnmatchcase(part, theirs[at]):
            return False
        if theirs[at] == _ANY_DEPTH:
            return True
    return True


def _shut(power: Power, place: str, spelt: str, named: str, mounts: Mounts) -> bool:
    """Tell whether of what holds a place, just that place is not to be had."""
    wanted = ACCESS.get(power.rule)
    if wanted is None or _WILD.search(named):
        return False
    # By the spelling that is mounted: only what certainly lies there shuts it.
    below = named.split("/")[len([each for each in spelt.split("/") if each]) + 1 :]
    return mounts.access("/".join((place.rstrip("/"), *below))) < wanted
