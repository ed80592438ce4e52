"""Binds the resolver's sockets as root, and becomes a command that inherits them.

    sockets.py COMMAND [ARGUMENT...]

The numbers of the UDP and of the TCP socket, and of the one on which the kernel tells of
connections (`-` if it cannot), are the command's last arguments. Whoever restarts the resolver
keeps them open, so that the port is never free for anybody else behind the wall.
"""

import importlib
import os
import socket
import sys

PLACE = ("127.0.0.1", 53)
WAITING = 64
"""Connections that wait for the resolver; the kernel holds them, at no cost of its."""


def bound() -> tuple[int, int]:
    """Return both sockets by number, in the order UDP, TCP.

    Raises:
        OSError: somebody else has the port, or the capability is missing.
    """
    numbers = []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        # Without SO_REUSEADDR and SO_REUSEPORT nobody can bind beside it (socket(7)).
        door = socket.socket(socket.AF_INET, kind)
        door.bind(PLACE)
        if kind == socket.SOCK_STREAM:
            door.listen(WAITING)
        door.set_inheritable(True)
        numbers.append(door.detach())
    return numbers[0], numbers[1]


def events() -> str:
    """Return the number of the socket that hears of connections; `-` if there can be none."""
    sys.path.append(os.path.dirname(__file__))  # noqa: PTH120 -- which -I leaves out
    try:
        door = importlib.import_module("evidence").opened()
    except OSError as error:
        print(f"jailoc firewall: warning: connections are not told of: {error}", file=sys.stderr)  # noqa: T201
        return "-"
    door.set_inheritable(True)
    return str(door.detach())


if __name__ == "__main__":
    try:
        both = bound()
    except OSError as error:
        sys.exit(f"FATAL: jailoc firewall: cannot bind port 53 for the resolver: {error.strerror}")
    os.execvp(sys.argv[1], [*sys.argv[1:], *map(str, both), events()])  # noqa: S606 -- no shell is meant
