"""Binds the resolver's sockets as root, and becomes a command that inherits them.

    proxy_sockets.py COMMAND [ARGUMENT...]

As `sockets.py`, which it goes through, with a second door for the proxy between the first and the
socket of connections.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jailoc.generators.assets import sockets
else:  # isolated mode knows no directory of the program's own
    _spec = importlib.util.spec_from_file_location(
        "sockets", Path(__file__).with_name("sockets.py")
    )
    sockets = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sockets)

PROXY_PLACE = ("127.0.0.55", 53)

if __name__ == "__main__":
    try:
        numbers = [*sockets.bound()]
        sockets.PLACE = PROXY_PLACE
        numbers += sockets.bound()
    except OSError as error:
        sys.exit(f"FATAL: jailoc firewall: cannot bind port 53 for the resolver: {error.strerror}")
    os.execvp(sys.argv[1], [*sys.argv[1:], *map(str, numbers), sockets.events()])  # noqa: S606 -- no shell is meant
