"""Read what the kernel tells about a container: its mounts and its processes (proc(5)).

Whatever is not written as the kernel writes it is kept apart, to be told as a difference.
"""

import re
from collections.abc import Iterator, Mapping

from jailoc.model.base import Model
from jailoc.model.sandbox import AGENT_USER


def _ids(user: str) -> tuple[str, ...]:
    """Return user and group as the kernel has them: real, effective, saved, of the file system."""
    return tuple(" ".join([each] * 4) for each in user.split(":"))


POWERLESS = {
    "Uid": _ids(AGENT_USER)[0],
    "Gid": _ids(AGENT_USER)[1],
    "CapInh": "0",
    "CapPrm": "0",
    "CapEff": "0",
    "CapBnd": "0",
    "CapAmb": "0",
    "NoNewPrivs": "1",
    "Seccomp": "2",
}
"""What the status of every process of the agent's says, where its user is the usual one."""
STATUS_KEYS = ("Pid", "PPid", *POWERLESS)
_WORD = r"[^ \t\n]"
"""What is in a field: the kernel writes these three in octal, and every other blank as it is."""
_MOUNT = re.compile(
    rf"\d+ \d+ \d+:\d+ {_WORD}+ (?P<place>/{_WORD}*) (?P<options>{_WORD}+)"
    rf"(?: [a-z_]+(?::\d+)?)* - (?P<kind>{_WORD}+) {_WORD}* {_WORD}+",
    re.ASCII,
)
_NUMBERS = {"Uid": r"\d+(?:\s+\d+){3}", "Gid": r"\d+(?:\s+\d+){3}"} | {
    key: "[0-9a-f]+" for key in POWERLESS if key.startswith("Cap")
}


def powerless(user: str) -> dict[str, str]:
    """Return what the status of every process says where the agent is such a user."""
    uid, gid = _ids(user)
    return POWERLESS | {"Uid": uid, "Gid": gid}


class Mounted(Model):
    """Something that is mounted."""

    place: str
    read_only: bool
    kind: str
    """The file system."""


def mounts(text: str) -> tuple[tuple[Mounted, ...], tuple[str, ...]]:
    """Read /proc/PID/mountinfo; return the mounts, and the lines that are no such."""
    found, bad = [], []
    for line in text.removesuffix("\n").split("\n"):
        match = _MOUNT.fullmatch(line)
        if match is None:
            bad.append(line)
            continue
        found.append(
            Mounted(
                place=_unescaped(match["place"]),
                read_only="ro" in match["options"].split(","),
                kind=match["kind"],
            )
        )
    return tuple(found), tuple(bad)


def _unescaped(place: str) -> str:
    """Return a place without the octal numbers that stand for blanks, line breaks, backslashes."""
    raw = re.sub(rb"\\([0-3][0-7]{2})", lambda match: bytes([int(match[1], 8)]), place.encode())
    return raw.decode(errors="replace")


def statuses(text: str) -> tuple[dict[str, str], ...]:
    """Read the lines of /proc/PID/status, one process after the other.

    Of a process with a line of any other form, or with one twice, nothing is known: all is empty.
    """
    found: list[dict[str, str]] = []
    for line in text.removesuffix("\n").split("\n"):
        key, _, value = line.partition(":")
        if key == "Pid" or not found:
            found.append({})
        well = re.fullmatch(_NUMBERS.get(key, r"\d+"), value.strip(), re.ASCII)
        if key in found[-1] or key not in STATUS_KEYS or not well:
            found[-1] = dict.fromkeys(STATUS_KEYS, "")
        else:
            number = value.strip().lstrip("0") or "0" if key.startswith("Cap") else value
            found[-1][key] = " ".join(number.split())
    return tuple(found)


def own(found: tuple[dict[str, str], ...]) -> Iterator[Mapping[str, str]]:
    """Yield the first process of a container, and all that descend from it.

    What the engine puts beside them, such as a health check or who looks, is not theirs, and is not
    yet powerless while it is being put there. The kernel says that such a one has no parent.
    """
    parents = {each.get("Pid", ""): each.get("PPid", "") for each in found}
    for each in found:
        number, seen = each.get("Pid", ""), set()
        while number not in seen and parents.get(number, "0") not in {"", "0"}:
            seen.add(number)
            number = parents[number]
        # Of a parent that has gone meanwhile nothing is known: its child counts.
        if number in {"1", ""} or parents.get(number) != "0":
            yield each
