"""Shows the agent what it was refused lately, and why, so that it can say what it needs.

The file is an output alone: nobody of ours reads it. The reason is the words of the rule that
closes a place, as the rules stand now.
"""

import contextlib
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST = 100
"""Refusals that are shown, the last ones."""
NAMES = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}
SENDERS = ("-m owner ", "-m addrtype ", "-m rt ")
"""In rules that are about who sends, not about a place."""
PATTERNS = {
    "network": r" -d (\S+)",
    "protocol": r" -p (\S+)",
    "port": r" --dport (\d+)",
    "comment": r' --comment "?([^"]*?)"? -j',
}
Entries = Mapping[tuple[Any, ...], Mapping[str, Any]]


@dataclass(frozen=True)
class Closing:
    """A rule that closes something."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    protocol: str
    port: int
    comment: str


def closing(text: str) -> Iterator[Closing]:
    """Yield what rules close, in their order."""
    everything = "::/0" if "ipv6-icmp" in text else "0.0.0.0/0"
    lines = [line for line in text.splitlines() if line.endswith("-j JAILOC-DENY")]
    # What is denied whatever is allowed stands first, in chains of its own.
    lines.sort(key=lambda line: not line.startswith("-A JAILOC-DENIED"))
    for line in lines:
        if not any(each in line for each in SENDERS):
            found = {
                name: match[1]
                for name, pattern in PATTERNS.items()
                if (match := re.search(pattern, line))
            }
            yield Closing(
                ipaddress.ip_network(found.get("network", everything)),
                found.get("protocol", ""),
                int(found.get("port", 0)),
                found.get("comment", ""),
            )


@dataclass
class Shown:
    """The file that the agent reads."""

    place: Path
    rules: list[Closing] = field(default_factory=list)

    def watch(self, directory: Path) -> None:
        """Read the rules anew."""
        with contextlib.suppress(OSError):
            texts = [(directory / each).read_text() for each in ("rules.v4", "rules.v6")]
            self.rules = [each for text in texts for each in closing(text)]

    def reason(self, address: str, protocol: str, port: int) -> str:
        """Return the words of the rule that closes a place."""
        place = ipaddress.ip_address(address)
        for each in self.rules:
            if (
                each.network.version == place.version
                and place in each.network
                and (each.protocol in {"", protocol} and each.port in {0, port})
            ):
                return each.comment
        return "this machine"

    def write(self, refused: Entries, unresolved: Entries) -> None:
        """Write the last refusals, the latest first."""
        rows = [
            {
                "to": address, "name": next(iter(each.get("also", ())), None),
                "protocol": NAMES.get(number, str(number)), "port": port or None,
                "times": each["count"], "last": each["last"],
                "rule": self.reason(address, NAMES.get(number, ""), port),
            }
            for (address, number, port), each in self._last(refused)
            # The kernel asks its neighbours by itself.
            if not (number == 58 and address.startswith("ff02:"))
        ]  # fmt: skip
        rows += [
            {
                "to": name, "name": name, "protocol": "dns", "port": None, "times": each["count"],
                "last": each["last"], "rule": "the name is not allowed, so it does not resolve",
            }
            for (name,), each in self._last(unresolved)
        ]  # fmt: skip
        rows.sort(key=lambda each: -int(each["last"]))
        new = self.place.with_suffix(".new")
        with contextlib.suppress(OSError):
            new.write_text(json.dumps({"version": 1, "refused": rows[:MOST]}) + "\n")
            new.chmod(0o644)
            new.replace(self.place)

    @staticmethod
    def _last(entries: Entries) -> list[tuple[tuple[Any, ...], Mapping[str, Any]]]:
        return sorted(entries.items(), key=lambda each: -int(each[1]["last"]))[:MOST]
