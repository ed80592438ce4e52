"""Read what the engine measures, and write the state of workspaces as lines for people."""

import json
from collections.abc import Iterable, Iterator

from jailoc.generators.views.review import RANKS
from jailoc.model.base import Model
from jailoc.model.palette import Meaning
from jailoc.model.published_port import reached
from jailoc.model.quantity import amount, duration_text, share_text, size_text
from jailoc.model.rule_match import MOST_PLACES
from jailoc.model.sandbox import typed
from jailoc.model.status import NOT_RUNNING, RULES_DIFFER, CredentialStatus, Status, Usage
from jailoc.model.text import number_of, some

HEADS = ("workspace", "state", "port", "uptime", "cpu", "memory", "pids", "wall", "docker",
         "blocked", "drift", "image")  # fmt: skip
DISPENSABLE = ("image", "pids", "memory", "cpu", "docker", "uptime", "port", "wall", "drift")
"""Columns that are left out where there is not enough room, in this order."""
GAP = 2
LABEL = 11
"""Columns of a label with its colon."""


class Cell(Model):
    """A piece of a line, and how it looks where there are colours."""

    text: str
    style: Meaning | None = None


_PLACES = {
    "keyring": Meaning.DONE,
    "file": Meaning.DONE,
    "env": Meaning.WARNS,
    "unknown": Meaning.WARNS,
}


def usages(text: str) -> dict[str, Usage]:
    """Read the lines of `docker stats --no-trunc --format '{{json .}}'`, by container.

    Lines of any other form are passed over, as are containers that stopped meanwhile.
    """
    found = {}
    for line in text.splitlines():
        try:
            data = json.loads(line)
        except ValueError:
            continue
        usage = _usage(data) if isinstance(data, dict) else None
        if usage is not None:
            found[str(data.get("ID"))] = usage
    return found


def _usage(data: dict[str, object]) -> Usage | None:
    pairs = [_pair(data.get(key)) for key in ("MemUsage", "NetIO", "BlockIO")]
    try:
        cpu = float(str(data.get("CPUPerc")).rstrip("%"))
        pids = int(str(data.get("PIDs")))
    except ValueError:
        return None
    memory, network, block = pairs
    # `nan` comes where the engine's clock stood still; it is no number in JSON.
    if memory is None or network is None or block is None or not 0 <= cpu < float("inf"):
        return None
    return Usage(
        cpu=cpu, memory=memory[0], memory_limit=memory[1], pids=pids,
        received=network[0], sent=network[1], read=block[0], written=block[1],
    )  # fmt: skip


def _pair(text: object) -> tuple[int, int] | None:
    first, _, second = str(text).partition("/")
    one, two = amount(first), amount(second)
    return None if one is None or two is None else (one, two)


def _refused(places: int) -> str:
    """Say how many; a table that is full forgets the next ones."""
    return f"{places}+" if places >= MOST_PLACES else str(places)


def table(rows: Iterable[Status], room: int | None = None) -> tuple[tuple[Cell, ...], ...]:
    """Write one line a workspace, with a line of heads; cells are padded to one width a column.

    Args:
        rows: The workspaces.
        room: Columns of the terminal; what has no room is left out as a whole, and can be seen of
            one workspace alone.
    """
    lines = [tuple(Cell(text=head) for head in HEADS), *(tuple(_cells(row)) for row in rows)]
    widths = {
        head: max(len(line[column].text) for line in lines) for column, head in enumerate(HEADS)
    }
    left = list(HEADS)
    for head in DISPENSABLE:
        if room is None or sum(widths[each] + GAP for each in left) - GAP <= room:
            break
        left.remove(head)
    return tuple(
        tuple(
            cell.model_copy(update={"text": cell.text.ljust(widths[head])})
            for head, cell in zip(HEADS, line, strict=True)
            if head in left
        )
        for line in lines
    )


def _cells(row: Status) -> Iterator[Cell]:
    usage = row.usage
    note = " (not configured)" if row.configured is False else ""
    yield Cell(text=f"{typed(row.workspace)}{note}")
    yield Cell(text=row.state, style=_style(row.state))
    yield Cell(text=_all_ports(row))
    yield Cell(text="-" if row.uptime is None else duration_text(row.uptime))
    yield Cell(text=f"{usage.cpu:.1f}%" if usage else "-")
    yield Cell(
        text=f"{size_text(usage.memory)} / {size_text(usage.memory_limit)}" if usage else "-"
    )
    yield Cell(text=str(usage.pids) if usage else "-")
    yield Cell(text=row.wall, style=_style(row.wall))
    yield Cell(text=row.docker, style=_style(row.docker))
    yield Cell(text="-" if row.blocked is None else _refused(row.blocked))
    yield Cell(text=_drifted(row), style=Meaning.WARNS if row.drift else None)
    yield _image(row)


def detail(row: Status) -> tuple[tuple[str, Cell], ...]:
    """Write one workspace as labelled lines: the padded label, and the value."""
    return tuple((f"{label}:".ljust(LABEL), cell) for label, cell in _detail(row))


def _detail(row: Status) -> Iterator[tuple[str, Cell]]:
    yield "Workspace", Cell(text=typed(row.workspace))
    yield "Port", Cell(text=_port(row) if row.exposed else "not exposed (exec-only)")
    if row.attach is not None:
        if row.exposed and row.port is not None:
            yield "Server", Cell(text=f"http://127.0.0.1:{row.port}")
        yield "Attach", Cell(text=row.attach)
    if row.ports:
        yield "Published", Cell(text=reached(row.ports))
    yield "Status", Cell(text=row.state, style=_style(row.state))
    if row.usage is not None:
        yield from _used(row, row.usage)
    if row.uptime is not None:
        yield "Uptime", Cell(text=duration_text(row.uptime))
    if row.stats is not None:
        yield "Stats", Cell(text=f"unavailable ({row.stats})", style=Meaning.WARNS)
    if row.agent is not None:
        yield "Agent", Cell(text=row.agent)
    yield "Image", _image(row)
    yield "Wall", Cell(text=row.wall, style=_style(row.wall))
    yield "Docker", Cell(text=row.docker, style=_style(row.docker))
    for name, state in row.services.items():
        yield f"Service {name}", Cell(text=state, style=_style(state))
    yield from _reach(row)
    yield from _kept(row)
    for label, lines in (
        ("Uncovered", row.uncovered), ("Exposed", row.uncoverable), ("Committed", row.committed),
    ):  # fmt: skip
        for each in some(lines):
            yield label, Cell(text=each, style=Meaning.FAILS)
    yield "Drift", _drift(row)


def _reach(row: Status) -> Iterator[tuple[str, Cell]]:
    """Yield what it may do that is grave, what it may reach, and what it was refused."""
    for power in row.grave:
        yield power.rank.value.capitalize(), Cell(text=power.text, style=RANKS[power.rank])
    if row.open is not None:
        yield "Open", Cell(text=row.open)
    if row.blocked is not None:
        more = f" (see: jailoc blocked {typed(row.workspace)})" if row.blocked else ""
        yield "Blocked", Cell(text=f"{_refused(row.blocked)}{more}")
    if row.unresolved:
        yield (
            "Names",
            Cell(text=f"no address yet for {', '.join(row.unresolved)}", style=Meaning.WARNS),
        )


def _kept(row: Status) -> Iterator[tuple[str, Cell]]:
    """Yield what the proxy holds, where the password is, and what there is to return to."""
    if row.proxy not in {None, "running"}:
        yield "Proxy", Cell(text=row.proxy or "", style=Meaning.FAILS)
    for one in row.credentials:
        yield (
            "Proxy",
            Cell(text=_credential(one), style=None if one.given else Meaning.FAILS),
        )
    if row.password is not None:
        yield "Password", Cell(text=row.password, style=_PLACES.get(row.password))
    if row.snapshots is not None:
        age = row.snapshot_age
        last = "" if age is None else f", the last one {duration_text(age)} ago"
        yield "Snapshots", Cell(text=f"{row.snapshots}{last}")


def _credential(each: CredentialStatus) -> str:
    words = [each.name, "has a value" if each.given else "has no value"]
    used = "not used yet" if each.used is None else f"used {duration_text(each.used)} ago"
    refused = [f"{number_of(each.refused, 'request')} refused"] if each.refused else []
    return f"{words[0]}: {', '.join([words[1], used, *refused])}"


def _used(row: Status, usage: Usage) -> Iterator[tuple[str, Cell]]:
    limit = row.limits
    cores = f" (limit: {limit.cpus:.1f} cores)" if limit.cpus else ""
    yield "CPU", Cell(text=f"{usage.cpu:.1f}%{cores}")
    memory = f"{size_text(usage.memory)} / {size_text(usage.memory_limit)}"
    yield "Memory", Cell(text=f"{memory} ({share_text(usage.memory, usage.memory_limit)})")
    yield "PIDs", _tasks(row, usage)
    yield "Net I/O", Cell(text=f"{size_text(usage.received)} rx / {size_text(usage.sent)} tx")
    yield "Block I/O", Cell(text=f"{size_text(usage.read)} read / {size_text(usage.written)} write")


def _tasks(row: Status, usage: Usage) -> Cell:
    text = f"{usage.pids} / {row.limits.pids or 'unlimited'}"
    if not row.pids_refused:
        return Cell(text=text)
    times = number_of(row.pids_refused, "time")
    return Cell(text=f"{text} (limit hit {times}; `pids` raises it)", style=Meaning.WARNS)


def _port(row: Status) -> str:
    if not row.exposed:
        return "exec-only" if row.configured or row.here else "-"
    return "-" if row.port is None else str(row.port)


def _all_ports(row: Status) -> str:
    return f"{_port(row)} (+{len(row.ports)})" if row.ports else _port(row)


def _image(row: Status) -> Cell:
    if row.image is None:
        return Cell(text="-")
    if row.image_current is False:
        return Cell(text=f"{row.image} (not the current one)", style=Meaning.WARNS)
    return Cell(text=row.image)


def _drift(row: Status) -> Cell:
    if not row.drift:
        return Cell(text=_drifted(row))
    more = (
        f"jailoc up {typed(row.workspace)} brings it up to date"
        if row.configured
        else "not configured"
    )
    return Cell(text=f"{_drifted(row)} ({more})", style=Meaning.WARNS)


def _drifted(row: Status) -> str:
    """Return whether what runs was changed by hand, or is behind a configuration that was."""
    return "behind" if row.drift and row.configured and not row.by_hand else _yes(row.drift)


def _yes(answer: bool | None) -> str:
    return "-" if answer is None else "yes" if answer else "no"


def _style(state: str) -> Meaning | None:
    if state in {NOT_RUNNING, "off"}:
        return None
    if state == "running":
        return Meaning.DONE
    bad = "unhealthy" in state or state.startswith(("exited", "no network", RULES_DIFFER))
    return Meaning.FAILS if bad else Meaning.WARNS
