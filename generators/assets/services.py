"""Says which interface leads to the services beside the agent, and which network that is.

One line `INTERFACE NETWORK` for each network that is on a link of the wall's (proc(5)), but not on
that of its default route, by which alone it reaches everything else. Nothing, and an error, if that
is not exactly one interface: the wall would not know what to close.
"""

import ipaddress
import sys
from pathlib import Path


def found(text: str) -> list[str]:
    """Read /proc/net/route: numbers are hexadecimal, in the order of this machine."""
    rows = [line.split() for line in text.splitlines()[1:]]
    rows = [each for each in rows if len(each) >= 8 and each[0] != "lo"]

    def number(word: str) -> int:
        return int.from_bytes(int(word, 16).to_bytes(4, sys.byteorder))

    outward = {each[0] for each in rows if number(each[1]) == number(each[7]) == 0}
    places = []
    for each in rows:
        if each[0] not in outward and number(each[2]) == 0:
            network = ipaddress.IPv4Network((number(each[1]), number(each[7]).bit_count()))
            places.append(f"{each[0]} {network}")
    return places if outward and len({each.split()[0] for each in places}) == 1 else []


if __name__ == "__main__":
    lines = found(Path("/proc/net/route").read_text())
    sys.stdout.write("".join(f"{each}\n" for each in lines))
    sys.exit(not lines)
