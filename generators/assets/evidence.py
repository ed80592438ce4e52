"""Keeps what the firewall tells of new connections: to where, under which name, how often, when.

Runs in the wall's resolver. The kernel tells it of each packet that a rule chooses (NFLOG) over a
socket that was opened while there were privileges; the descriptor only receives. Kept are prefix,
destination, protocol, port and user of a packet, never a byte of what was sent. Everything has a
bound: when one is reached what is known stays, and what is new is only counted. Each file is whole
or the one before it.
"""

import contextlib
import json
import os
import re
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERSION = 1
MOST = {
    "named": 4096,
    "bare": 1024,
    "refused": 4096,
    "unresolved": 1024,
    "reached": 4096,
    "used": 4096,
}
"""Entries of each kind."""
MOST_ADDRESSES, MOST_ALSO, MOST_SPANS = 8, 4, 256
MOST_NAMES = 4096
"""Addresses whose names are remembered."""
KEPT = 30 * 86_400
"""Seconds after which an entry is forgotten."""
STALE = 86_400
"""Seconds after which a refusal makes room for a new one, where there is no room."""
A_TURN, BEFORE = 1024, 256
"""Messages that are read at a time, and before a name is remembered: some 10 us each."""
AT_ONCE = 8192
"""Messages that are read before somebody who asks is answered."""
AFTER = 5.0
"""Seconds between two writes."""
PROBER = 65531
"""Group of what `verify` sends."""
GROUP = 7
"""The netlink group that the rules name."""

NLMSG_ERROR = 2
PACKET, CONFIG = 0x400, 0x401
PAYLOAD, PREFIX, UID, SEQUENCE, GID = 9, 10, 11, 12, 14
"""Attributes of a message (linux/netfilter/nfnetlink_log.h)."""
EXTENSIONS = frozenset((0, 43, 44, 51, 60))
"""IPv6 headers that another one follows (RFC 8200)."""
TCP, UDP = 6, 17


@dataclass(frozen=True)
class Packet:
    """A packet that a rule chose."""

    prefix: str
    address: str
    protocol: int
    port: int
    group: int | None
    sequence: int


def configuration(kind: int, payload: bytes) -> bytes:
    """Return a message that configures the group (libnetfilter_log)."""
    attribute = struct.pack("=HH", 4 + len(payload), kind) + payload
    attribute += bytes(-len(attribute) % 4)
    body = struct.pack("!BBH", 0, 0, GROUP) + attribute
    return struct.pack("=IHHII", 16 + len(body), CONFIG, 0x5, 0, 0) + body


def opened() -> socket.socket:
    """Open the socket and bind it to the group; this takes NET_ADMIN.

    Raises:
        OSError: the kernel cannot do it.
    """
    door = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
    door.bind((0, 0))
    with contextlib.suppress(OSError):
        door.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
    for kind, payload in (
        (1, b"\x01"),  # bind
        (2, struct.pack("!IBB", 64, 2, 0)),  # copy the first bytes: the headers
        (5, struct.pack("!I", 1)),  # tell of each packet at once
        (6, struct.pack("!H", 1)),  # number the messages
    ):
        door.send(configuration(kind, payload))
        answer = door.recv(4096)
        if struct.unpack_from("=H", answer, 4)[0] == NLMSG_ERROR:
            error = -struct.unpack_from("=i", answer, 16)[0]
            if error:
                raise OSError(error, os.strerror(error))
    door.setblocking(False)
    return door


def destination(packet: bytes) -> tuple[str, int, int] | None:
    """Return address, protocol and port of a packet; port 0 where it has none.

    Raises:
        struct.error: it is cut short.
    """
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        place, protocol = (packet[0] & 15) * 4, packet[9]
        first = not struct.unpack_from("!H", packet, 6)[0] & 0x1FFF
        address = socket.inet_ntop(socket.AF_INET, packet[16:20])
    elif version == 6:
        place, protocol, first = 40, packet[6], True
        address = socket.inet_ntop(socket.AF_INET6, packet[24:40])
        while protocol in EXTENSIONS and len(packet) >= place + 8:
            following, length = packet[place], packet[place + 1]
            if protocol == 44:
                first &= not struct.unpack_from("!H", packet, place + 2)[0] & 0xFFF8
                length = 0
            place += (length + 2) * 4 if protocol == 51 else (length + 1) * 8
            protocol = following
    else:
        return None
    port = 0
    if first and protocol in {TCP, UDP} and len(packet) >= place + 4:
        port = struct.unpack_from("!H", packet, place + 2)[0]
    return address, protocol, port


def events(data: bytes) -> Iterator[Packet]:
    """Yield the packets that a datagram of the kernel tells of, but for what is cut short."""
    place = 0
    while place + 20 <= len(data):
        length, kind = struct.unpack_from("=IH", data, place)
        if length < 20:
            return
        if kind == PACKET:
            with contextlib.suppress(struct.error, IndexError, ValueError):
                found = {}
                here, end = place + 20, min(place + length, len(data))
                while here + 4 <= end:
                    size, name = struct.unpack_from("=HH", data, here)
                    if size < 4:
                        break
                    found[name & 0x3FFF] = data[here + 4 : min(here + size, end)]
                    here += size + (-size % 4)
                target = destination(found[PAYLOAD]) if PAYLOAD in found else None
                if target is not None:
                    yield Packet(
                        found.get(PREFIX, b"").rstrip(b"\0").decode("ascii", "replace"),
                        *target,
                        struct.unpack("!I", found[GID])[0] if GID in found else None,
                        struct.unpack("!I", found[SEQUENCE])[0] if SEQUENCE in found else 0,
                    )
        place += length + (-length % 4)


Key = tuple[Any, ...]


@dataclass
class Kind:
    """Entries of one kind, never more than there is room for."""

    most: int
    entries: dict[Key, dict[str, Any]] = field(default_factory=dict)
    others: int = 0
    """Connections to what was not kept."""
    tidied: float = 0

    def count(self, key: Key, now: int, *, room: bool = False) -> dict[str, Any] | None:
        """Count one more of an entry; None if it is new and there is no room.

        Args:
            key: The entry.
            now: Seconds since 1970.
            room: Whether an entry of another day makes room.
        """
        known = self.entries.get(key)
        if known is not None:
            known["count"] += 1
            known["last"] = now
            return known
        if len(self.entries) >= self.most:
            # Looked through at most once a minute, whatever arrives.
            if not room or now - self.tidied < 60:
                self.others += 1
                return None
            self.tidied = now
            self.forget(now - STALE)
            if len(self.entries) >= self.most:
                self.others += 1
                return None
        self.entries[key] = {"count": 1, "first": now, "last": now}
        return self.entries[key]

    def forget(self, before: int) -> None:
        """Drop what was last seen before a time."""
        self.entries = {key: each for key, each in self.entries.items() if each["last"] >= before}


def some(values: list[str], value: str, most: int) -> None:
    """Add a value to a short list."""
    if value not in values and len(values) < most:
        values.append(value)


class Recorder:
    """All that is kept, and the file that it is kept in."""

    def __init__(self, place: Path, door: socket.socket | None) -> None:
        self.place, self.door = place, door
        self.shown: Any = None
        """What shows the agent its refusals (`refusals.Shown`); None if it may not see them."""
        self.kinds = {name: Kind(most) for name, most in MOST.items()}
        self.probed = Kind(MOST["refused"])
        """What `verify` was refused; in memory, and in no list that anybody is shown."""
        self.names: dict[str, list[str]] = {}
        """By address the names it was asked for under, the newest last."""
        self.forgotten = 0
        """Addresses whose names had to make room: what goes there has no name here."""
        self.spans: list[list[int]] = []
        self.watched: dict[str, int] = {}
        """By mark, since when a rule tells of its connections."""
        self.lost = self.lost_last = 0
        self.sequence: int | None = None
        self.begun = int(time.time())
        self.written = 0.0
        self.changed = True
        self.torn = False
        self._read()
        self.spans.append([self.begun, self.begun])

    def watch(self, directory: Path) -> None:
        """Note which rules tell of connections now, and since when without a break."""
        if self.shown is not None:
            self.shown.watch(directory)
        with contextlib.suppress(OSError):
            texts = [(directory / each).read_text() for each in ("rules.v4", "rules.v6")]
            marks = set(re.findall(r"--nflog-prefix ([a-z][0-9a-f]{0,8}) ", " ".join(texts)))
            lines = (directory / "host-ports").read_text().splitlines()
            marks |= {f"h{line.split()[0]}" for line in lines if len(line.split()) > 1}
            now = int(time.time())
            self.watched = {each: self.watched.get(each, now) for each in sorted(marks)[:8192]}
            self.changed = True

    def named(self, name: str, addresses: list[str]) -> None:
        """Remember the name that an answer was given for; what came before it has older ones."""
        self.read(BEFORE)
        for address in addresses:
            known = self.names.pop(address, [])
            self.names[address] = [*[each for each in known if each != name], name][-MOST_ALSO:]
        while len(self.names) > MOST_NAMES:
            del self.names[next(iter(self.names))]
            self.forgotten, self.changed = self.forgotten + 1, True

    def unresolved(self, name: str) -> None:
        """Remember a name that was asked for in vain."""
        self.kinds["unresolved"].count((name,), int(time.time()), room=True)
        self.changed = True

    def read(self, most: int = A_TURN) -> int:
        """Read what the kernel has told; return the number of messages."""
        count = 0
        while self.door is not None and count < most:
            try:
                data = self.door.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:  # ENOBUFS: the gap in the numbers says how many are lost
                count += 1
                continue
            count += 1
            for event in events(data):
                self.take(event)
        return count

    def take(self, event: Packet) -> None:
        """Count one event."""
        now = int(time.time())
        if self.sequence is not None:
            gap = (event.sequence - self.sequence - 1) % (1 << 32)
            if 0 < gap < 1 << 31:
                self.lost, self.lost_last = self.lost + gap, now
        self.sequence = event.sequence
        self.changed = True
        place = event.address, event.protocol, event.port
        known = self.names.get(event.address, ())
        if event.prefix == "r":
            if event.group == PROBER:
                self.probed.count(place, now, room=True)
                return
            entry = self.kinds["refused"].count(place, now, room=True)
        elif event.group == PROBER:
            return
        elif event.prefix == "d":
            key: Key = (known[-1], *place[1:], "d") if known else (*place, "d")
            entry = self.kinds["named" if known else "bare"].count(key, now)
            if entry is not None and known:
                some(entry.setdefault("addresses", []), event.address, MOST_ADDRESSES)
        elif event.prefix.startswith("n") and known:
            # Of names that share an address the rule is the first one's.
            self.kinds["reached"].count((known[-1], *place[1:]), now)
            return
        else:
            key = (f"h{event.port}",) if event.prefix == "h" else (event.prefix[:16],)
            self.kinds["used"].count(key, now)
            return
        if entry is not None:
            for name in known[:-1] if event.prefix == "d" else known:
                some(entry.setdefault("also", []), name, MOST_ALSO)

    def state(self) -> dict[str, Any]:
        """Return what is written."""
        now = int(time.time())
        for kind in self.kinds.values():
            kind.forget(now - KEPT)
        self.spans[-1][1] = now
        if self.lost_last < now - KEPT:
            self.lost = 0
        self.spans = [each for each in self.spans if each[1] >= now - KEPT][-MOST_SPANS:]
        kinds = {**self.kinds, "probed": self.probed}
        return {
            "version": VERSION,
            "heard": self.door is not None,
            "names_since": self.begun,
            "spans": self.spans,
            "watched": self.watched,
            "lost": self.lost,
            "lost_last": self.lost_last,
            "torn": self.torn,
            "others": {
                **{name: kind.others for name, kind in self.kinds.items()},
                "forgotten": self.forgotten,
            },
            **{
                name: [[*key, entry] for key, entry in kind.entries.items()]
                for name, kind in kinds.items()
            },
        }

    def write(self) -> None:
        """Write the file anew; the old one stays until the new one is on the disk."""
        new = self.place.with_suffix(".new")
        with contextlib.suppress(OSError):
            with new.open("w", encoding="ascii") as file:
                json.dump(self.state(), file, separators=(",", ":"))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.place)
        if self.shown is not None:
            self.shown.write(self.kinds["refused"].entries, self.kinds["unresolved"].entries)
        self.written = time.monotonic()
        self.changed = False

    def write_due(self) -> None:
        """Write the file if something has changed and the last time is long enough ago."""
        if self.changed and time.monotonic() - self.written >= AFTER:
            self.write()

    def asked(self) -> None:
        """Write the file for somebody who waits for it, with all that the kernel has told."""
        self.read(AT_ONCE)
        self.write()

    def missed(self) -> None:
        """Count what nobody heard: an earlier run has ended, with what it had not written."""
        self.lost, self.lost_last, self.changed = self.lost + 1, int(time.time()), True

    def _read(self) -> None:
        """Take up what an earlier run has kept; what cannot be read is left out, and said."""
        try:
            data = json.loads(self.place.read_text(encoding="ascii"))
            if data["version"] != VERSION:
                raise ValueError
            self.spans = [[int(each[0]), int(each[1])] for each in data["spans"]]
            self.watched = {str(mark): int(since) for mark, since in data["watched"].items()}
            self.lost, self.lost_last = int(data["lost"]), int(data["lost_last"])
            self.forgotten = int(data["others"].get("forgotten", 0))
            for name, kind in self.kinds.items():
                kind.others = int(data["others"][name])
                kind.entries = {
                    tuple(key): {**entry, "count": int(entry["count"]), "last": int(entry["last"])}
                    for *key, entry in data[name][: kind.most]
                }
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
            self.kinds = {name: Kind(most) for name, most in MOST.items()}
            self.spans, self.watched, self.lost, self.torn = [], {}, 0, True
            self.forgotten = 0
