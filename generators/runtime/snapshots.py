"""What restic says of snapshots, read within bounds, and which of them have to go."""

import json
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from jailoc.generators.runtime.obeyed import protected_name
from jailoc.model.path import upwards, within
from jailoc.model.snapshots import Snapshots, StoredSnapshot
from jailoc.model.text import number_of

LONGEST = 1 << 16
"""Bytes of a line that is read; a path has at most 4096, each of them six as JSON writes it."""
SHOWN = 8
"""Names that a difference keeps of each kind."""
REPOSITORIES = 4
"""Of how many repositories it is told which branches move."""
_GIT = re.compile(r".*?/\.git(?=/(?!hooks/.|config$).)", re.DOTALL)
"""The Git directory that a path lies in, but for what Git executes, or is told to."""
_REFERENCE = re.compile(r"([^\n\ufffd]*?/\.git)/(refs/.*|packed-refs)", re.DOTALL)


class Lines:
    """Cuts pieces into lines, and hands each on; of one that is too long nothing is."""

    def __init__(self, take: Callable[[bytes], None], end: bytes = b"\n") -> None:
        """Prepare to hand lines to a function, without what ends them."""
        self._take, self._end, self._rest, self._skips = take, end, b"", False

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        *ended, rest = (self._rest + piece).split(self._end)
        for each in ended:
            if not self._skips:
                self._take(each)
            self._skips = False
        self._skips = self._skips or len(rest) > LONGEST
        self._rest = b"" if self._skips else rest


def message(line: bytes) -> dict[str, Any]:
    """Return one line of restic's JSON; nothing of what is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def listed(text: str) -> tuple[StoredSnapshot, ...]:
    """Read `restic snapshots --json`, the oldest first.

    Raises:
        ValueError: it is something else.
    """
    try:
        found = json.loads(text)
        if isinstance(found, list):
            return tuple(sorted(map(_snapshot, found), key=lambda each: each.time))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ValueError("no list of snapshots")


def _snapshot(data: dict[str, Any]) -> StoredSnapshot:
    told = data.get("summary") or {}
    if not re.fullmatch(r"[0-9a-f]{64}", data["id"]):
        raise ValueError(data["id"])
    return StoredSnapshot(
        id=data["id"],
        time=seconds(data["time"]),
        paths=tuple(data["paths"]),
        excludes=tuple(data.get("excludes") or ()),
        tags=tuple(data.get("tags") or ()),
        tree=data["tree"],
        files=told.get("total_files_processed"),
        bytes=told.get("total_bytes_processed"),
    )


_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d(?:\.\d{1,9})?)(?:Z|([+-])(\d\d):(\d\d))"
)
_EPOCH = date(1970, 1, 1).toordinal()


def seconds(moment: str) -> float:
    """Return a time (RFC 3339) in seconds since the epoch.

    >>> seconds("1970-01-02T01:00:00.5+01:00")
    86400.5

    Raises:
        ValueError: it is none.
    """
    match = _MOMENT.fullmatch(moment)
    if match is None:
        raise ValueError(moment)
    year, month, day, hour, minute = map(int, match.groups()[:5])
    shift = (int(match[8]) * 60 + int(match[9])) * (-1 if match[7] == "-" else 1) if match[7] else 0
    days = date(year, month, day).toordinal() - _EPOCH
    return days * 86_400 + hour * 3600 + (minute - shift) * 60 + float(match[6])


def unchanged(summary: Mapping[str, object], roots: Iterable[str]) -> bool:
    """Tell from a backup's summary whether all below some paths is as it was in the one before.

    The directories above them are each container's own, and new each time.
    """
    above = {each for root in roots for each in upwards(root)} - {*roots, "/"}
    new = ("files_new", "files_changed", "dirs_new")
    changed = summary.get("dirs_changed", 0)
    return (
        all(summary.get(each, 0) == 0 for each in new)
        and isinstance(changed, int)
        and changed <= len(above)
    )


def expired(
    found: Iterable[StoredSnapshot], bounds: Snapshots, now: float, spared: Collection[str]
) -> tuple[str, ...]:
    """Return the ids of those that are too many or too old; the newest always stays.

    Args:
        found: All there are.
        bounds: How many are kept, and how long.
        now: Seconds since the epoch.
        spared: Ids of such as are needed.
    """
    newest = sorted(found, key=lambda each: each.time, reverse=True)
    old = now - bounds.days * 86_400
    return tuple(
        each.id
        for index, each in enumerate(newest)
        if index and each.id not in spared and (index >= bounds.keep or each.time < old)
    )


def oldest(found: Iterable[StoredSnapshot], spared: Collection[str]) -> tuple[str, ...]:
    """Return the ids of a quarter of them, the oldest, for what takes too much room."""
    goes = [each.id for each in sorted(found, key=lambda each: each.time)][:-1]
    goes = [each for each in goes if each not in spared]
    return tuple(goes[: max(1, len(goes) // 4)])


@dataclass
class Group:
    """Paths of one kind: how many, the first of them, and how many in each Git directory.

    What this machine obeys by itself comes before all else: an agent could hide it in a crowd.
    """

    count: int = 0
    obeyed: list[str] = field(default_factory=list)
    more_obeyed: int = 0
    first: list[str] = field(default_factory=list)
    git: dict[str, int] = field(default_factory=dict)

    def add(self, path: str) -> None:
        """Count one."""
        self.count += 1
        if match := _GIT.match(path):
            # What Git has made tells nobody anything by its name.
            if match[0] in self.git or len(self.git) < SHOWN:
                self.git[match[0]] = self.git.get(match[0], 0) + 1
        elif name := protected_name(path):
            if len(self.obeyed) < SHOWN:
                self.obeyed.append(f"{path} (this machine obeys `{name}`)")
            else:
                self.more_obeyed += 1
        elif len(self.first) < SHOWN:
            self.first.append(path)

    def lines(self) -> Iterator[str]:
        """Yield the names, then how many are not among them."""
        yield from self.obeyed
        if self.more_obeyed:
            yield f"... and {self.more_obeyed} more that this machine obeys"
        yield from self.first
        for place, count in self.git.items():
            yield f"{place}: {number_of(count, 'name')} of what Git keeps there"
        told = len(self.obeyed) + self.more_obeyed + len(self.first) + sum(self.git.values())
        if rest := self.count - told:
            yield f"... and {rest} more"


class UndoDifference:
    """What an undo does: `restic diff --json --metadata` of what it returns to, and of now."""

    def __init__(self, targets: Iterable[str] = (), stays: Iterable[str] = ()) -> None:
        """Begin with nothing.

        Args:
            targets: The paths that count; all without any.
            stays: Files that an undo leaves alone, whatever differs.
        """
        self.creates, self.changes, self.deletes = Group(), Group(), Group()
        self.touched = Group()
        """What has other permissions, times, owners, inodes, or leads elsewhere."""
        self.met = set[str]()
        """Those of the paths at or below which something differs, as restic tells them."""
        self.repositories: list[str] = []
        """Git directories, the first ones, in which a reference differs."""
        self.stays = Group()
        """What is left alone, though the snapshot has it."""
        self._targets, self._stays = tuple(map(as_told, targets)), {*map(as_told, stays)}

    def take(self, line: bytes) -> None:
        """Read one line."""
        found = message(line)
        path, modifier = found.get("path"), found.get("modifier")
        if not isinstance(path, str) or not isinstance(modifier, str):
            return
        bare = path.rstrip("/") or "/"
        met = [each for each in self._targets if within(bare, each)]
        if self._targets and not met:
            return
        self.met.update(met)
        if bare in self._stays:
            self.stays.add(path)
            return
        place = _REFERENCE.match(bare)
        if place and place[1] not in self.repositories and len(self.repositories) < REPOSITORIES:
            self.repositories.append(place[1])
        if modifier == "-":
            self.creates.add(path)
        elif modifier == "+":
            self.deletes.add(path)
        elif modifier == "U":
            self.touched.add(path)
        else:
            self.changes.add(path)

    @property
    def empty(self) -> bool:
        """Tell whether no name and no content differs."""
        return not (self.creates.count or self.changes.count or self.deletes.count)

    @property
    def nothing(self) -> bool:
        """Tell whether there is nothing to be done."""
        return self.empty and not self.touched.count

    def lines(self) -> Iterator[str]:
        """Yield it in words; the names are those of the agent."""
        every = [
            ("creates", self.creates), ("changes", self.changes), ("deletes", self.deletes)
        ]  # fmt: skip
        if self.empty:  # else most are those of what differs, and of what it lies in
            every = [("gives its permissions, times or target back to", self.touched)]
        every.append(("leaves alone, as too large (what you remove before comes back)", self.stays))
        for word, group in every:
            if group.count:
                yield f"{word} {group.count}:"
                yield from (f"  {each}" for each in group.lines())


def as_told(path: str) -> str:
    """Return a path as restic tells it: a byte that is no text is one sign in JSON."""
    return re.sub("[\udc80-\udcff]", "\ufffd", path)


_LINE_BREAK = "[^\x01-\x09\x0b-\U0010ffff]"
"""What is none of all other signs (Go's path/filepath, Match): no line of a file holds one."""


def line(path: str) -> str:
    r"""Return a line of a file of restic's patterns for one path and what is below it, exactly.

    In such a file `$` begins the name of a variable, and blanks at the end do not count.

    >>> line("/a*b$ ")
    '/a\\*b$$[ ]'
    """
    found = literal(path).replace("$", "$$").replace("\n", _LINE_BREAK)
    end = found[-1:]
    return f"{found[:-1]}[{end}]" if end.isspace() else found


def escaped(path: str) -> str:
    r"""Return a path as one line that `printf %b` reads (printf(1)).

    >>> escaped("/a\nb\\c")
    '/a\\nb\\\\c'
    """
    return path.replace("\\", "\\\\").replace("\n", "\\n")


def passed_over(names: Iterable[str]) -> str:
    """Return the words of find(1) that keep it out of what was left out by its name.

    >>> passed_over(["node_modules", "a b"])
    "-path '*/node_modules' -prune -o -path '*/a b' -prune -o"
    """
    return " ".join(f"-path {shlex.quote(f'*/{each}')} -prune -o" for each in names)


def literal(path: str) -> str:
    r"""Return restic's pattern for one path and what is below it, exactly.

    >>> literal("/a*b")
    '/a\\*b'
    """
    return re.sub(r"([\\*?\[\]])", r"\\\1", path)
