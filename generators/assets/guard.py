"""Closes what becomes the machine's own after the rules were loaded, for as long as the wall runs.

    guard.py KNOWN NUMBER

KNOWN is a file whose lines end in an address each: what the rules close already. NUMBER is one that
gets the number of this process, when it has what it needs. What the kernel's tables of the machine
have besides (`machine.py`) is added to a list of addresses that are closed: by a datagram that
never leaves, and that the kernel counts. So is, to another list, the network that a public IPv6
address of the machine is in: whoever is there is its neighbour, and a provider may give it another
network every day. All that it can do is close, and open again what it has closed.

It runs as the resolver's user and apart from it, so that nothing of what names lead to keeps it
busy, and holds the port that such datagrams come from: nobody else behind the wall ever gets it.
"""

import contextlib
import errno
import importlib
import ipaddress
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SOURCE, CLOSE, REOPEN = 1023, 1022, 1023
"""UDP ports: where datagrams come from, and where those go that close an address or open it."""
CLOSE_LINK, REOPEN_LINK = 1020, 1021
"""The same of a network, for which its first address stands."""
PACE = 0.5
"""Seconds between two looks."""
NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EINVAL, errno.ENETDOWN}
"""What a datagram gets that leads nowhere."""
LISTS = Path("/proc/net/xt_recent")
"""Where the kernel tells what it counts."""
ROOM = 100
"""Addresses that the kernel keeps in a list (`ip_list_tot` of xt_recent)."""
AGAIN = 30
"""Seconds after which an address is closed anew: the kernel forgets."""
LOOKS = 3
"""Looks that miss an address before it is opened: the kernel's tables are read in pieces, and what
comes and goes between two of them can hide another address."""


class Doors:
    """The sockets that close and open."""

    def __init__(self) -> None:
        """Bind both.

        Raises:
            OSError: somebody has the port.
        """
        # Without SO_REUSEADDR nobody can bind beside it (socket(7)).
        self._doors = {4: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)}
        self._doors[4].bind(("", SOURCE))
        with contextlib.suppress(OSError):  # a kernel without IPv6
            door = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            door.bind(("", SOURCE))
            self._doors[6] = door

    def knock(self, address: str, port: int) -> bool:
        """Send a datagram; tell whether it got as far as the rules.

        Not permitted is the answer that the drop gives. What has no route has none for anybody.
        """
        door = self._doors.get(6 if ":" in address else 4)
        if door is None:
            return False
        try:
            door.sendto(b"", (address, port))
        except OSError as error:
            return error.errno not in NO_WAY
        return True


Counts = Mapping[str, str]
"""When the kernel last counted a datagram for each address, in its own ticks."""


def counted(family: int, name: str = ".machine") -> Counts | None:
    """Read that of a family from the list of a name; None where the kernel does not say.

    A line is `src=ADDRESS ... last_seen: TICKS ...` (`recent` in iptables-extensions(8)).
    """
    try:
        lines = (LISTS / f"v{family}:{name}").read_text().splitlines()
    except OSError:
        return None
    found = {}
    for words in map(str.split, lines):
        with contextlib.suppress(ValueError, IndexError):
            address = str(ipaddress.ip_address(words[0].removeprefix("src=")))
            found[address] = words[words.index("last_seen:") + 1]
    return found


class Guard:
    """What is closed, and when it is closed anew."""

    def __init__(
        self,
        knock: Callable[[str, int], object],
        counted: Callable[[int], Counts | None] = lambda _: None,
        doors: tuple[int, int] = (CLOSE, REOPEN),
    ) -> None:
        self._knock, self._counted = knock, counted
        self._close, self._reopen = doors
        self._closed: dict[str, float] = {}
        self._missed: dict[str, int] = {}

    def look(self, has: frozenset[str], known: frozenset[str], now: float) -> frozenset[str]:
        """Close what the machine has beside what is known, and open what it has lost.

        Args:
            has: The machine's addresses at the moment.
            known: Those that the rules close.
            now: Seconds on a clock that never goes back.

        Returns:
            What the kernel did not count, whatever dropped it: it is closed anew at the next look.
        """
        later = has - known
        # Where there are more than the list has room for, one takes the place of another.
        fits = len(later) <= ROOM
        self._missed = {each: self._missed.get(each, 0) + 1 for each in self._closed.keys() - later}
        for address in [each for each, looks in self._missed.items() if looks >= LOOKS]:
            self._knock(address, self._reopen)
            del self._closed[address]
        # The rules may have been loaded anew, and their list with them.
        before = self._counts(sorted(later))
        forgotten = {each for each, ticks in before.items() if fits and ticks is None}
        due = [each for each in sorted(later)
               if each in forgotten or self._closed.get(each, now) <= now]  # fmt: skip
        after = self._counts([each for each in due if self._knock(each, self._close)])
        lost = frozenset(each for each in after if fits and before.get(each) == after[each])
        for address in due:
            self._closed[address] = now if address in lost else now + AGAIN
        return lost

    def _counts(self, addresses: Sequence[str]) -> dict[str, str | None]:
        """Return when each was counted, if it was, of the families that the kernel tells of."""
        lists = {
            family: self._counted(family)
            for family in {6 if ":" in each else 4 for each in addresses}
        }
        return {
            each: found.get(each)
            for each in addresses
            if (found := lists[6 if ":" in each else 4]) is not None
        }


def last_words(place: Path) -> frozenset[str]:
    """Return the last word of each line of a file; nothing where there is none."""
    with contextlib.suppress(FileNotFoundError):
        lines = map(str.split, place.read_text().splitlines())
        return frozenset(each[-1] for each in lines if each)
    return frozenset()


def follow(doors: Doors, known: Path, late: Path) -> None:
    """Look for ever; a file is there while something could not be closed."""
    sys.path.append(str(Path(__file__).parent))  # which -I leaves out; it is root's, and read-only
    machine = importlib.import_module("machine")
    addresses = Guard(doors.knock, counted)
    links = Guard(doors.knock, lambda each: counted(each, ".link"), (CLOSE_LINK, REOPEN_LINK))
    while True:
        now = time.monotonic()
        lost = addresses.look(machine.by_now(), last_words(known), now)
        if lost | links.look(machine.links(), frozenset(), now):
            late.touch()
        else:
            late.unlink(missing_ok=True)
        time.sleep(PACE)


def held(doors: Doors, known: Path, late: Path) -> None:
    """Have a process look, and another one whenever it ends: the sockets outlive it."""
    while True:
        child = os.fork()
        if not child:
            follow(doors, known, late)
        os.waitpid(child, 0)
        time.sleep(PACE)


if __name__ == "__main__":
    try:
        both = Doors()
    except OSError as error:
        sys.exit(f"FATAL: jailoc firewall: cannot bind port {SOURCE}: {error.strerror}")
    Path(sys.argv[2]).write_text(f"{os.getpid()}\n")
    held(both, Path(sys.argv[1]), Path(f"{sys.argv[2]}-late"))
