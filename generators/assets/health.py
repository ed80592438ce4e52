"""Ends well if the wall is ready, and the one that answers for names is the wall's own resolver.

    health.py [watch]

With `watch`, and a wall that has been ready for a while, it goes on looking while all is well: to
start a program in a container costs much more than a look.

What runs behind the wall shares its network and nothing else: it cannot read the resolver's token,
so whoever sits on the port in its place cannot answer a question that was never asked before.
"""

import hmac
import os
import socket
import sys
import time
from pathlib import Path

RUN = Path("/run/jailoc")
TABLES = Path("/etc/jailoc-machine")
"""Where the kernel's tables of the machine are mounted, if they can be (`machine.py`)."""
PLACE = ("127.0.0.1", 53)
PATIENCE = 2.0
"""Seconds to wait for an answer; it is asked twice."""
WATCH, PAUSE, SETTLED = 25.0, 2.0, 60.0
"""Seconds that it goes on for, those between its looks, and those that a wall is new."""
LOADING = 15.0
"""Seconds that `watch` waits for rules that are being loaded: a reload is no illness."""
ASKED = b"\x08resolver\x06jailoc\x07invalid\0" + b"\0\x10\0\x01"
"""The rest of the name, type TXT, class IN (RFC 1035, section 4.1.2; `.invalid`: RFC 6761)."""


def answered(token: bytes) -> bool:
    """Ask under a name that is new."""
    nonce = os.urandom(16).hex().encode()
    head = os.urandom(2) + b"\x01\0" + b"\0\x01" + b"\0" * 6
    proof = hmac.digest(token, nonce, "sha256").hex().encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.settimeout(PATIENCE)
        try:
            door.connect(PLACE)
            door.send(head + bytes([len(nonce)]) + nonce + ASKED)
            return proof in door.recv(1024)
        except OSError:
            return False


def guarded() -> bool:
    """Tell whether what becomes the machine's is closed, where it can be seen."""
    if not TABLES.is_dir():
        return True
    if (RUN / "names/guard-late").exists():
        return False
    try:
        number = int((RUN / "names/guard").read_text())
        return b"/guard.py" in Path(f"/proc/{number}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


def loaded() -> bool:
    """Tell whether the rules are verified, and every name was looked up once."""
    return (RUN / "ready").exists() and (RUN / "names/state.json").exists()


def healthy() -> bool:
    """Tell whether all is there."""
    if not loaded() or not guarded():
        return False
    try:
        token = (RUN / "names/token").read_bytes()
    except OSError:
        return False
    return answered(token) or answered(token)


def patient() -> bool:
    """Tell whether all is there, soon if the rules are being loaded."""
    end = time.monotonic() + LOADING
    while not loaded() and time.monotonic() < end:
        time.sleep(0.1)
    return healthy()


def settled() -> bool:
    """Tell whether the rules were loaded a while ago."""
    try:
        return time.time() - (RUN / "ready").stat().st_mtime >= SETTLED
    except OSError:
        return False


def watch() -> bool:
    """Look again and again; tell whether all was well each time."""
    end = time.monotonic() + WATCH
    while well := patient():
        if not settled() or time.monotonic() >= end:
            break
        time.sleep(PAUSE)
    return well


if __name__ == "__main__":
    sys.exit(not (watch() if "watch" in sys.argv[1:] else healthy()))
