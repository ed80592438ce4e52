"""Whose engine listens at a socket of this machine, by what it says when it is asked nothing else.

The compiler has to know before a project is made, for every command, with an engine or without;
docker(1) takes twenty times as long to tell.
"""

import re
import socket
import time
from contextlib import suppress

from jailoc.bin.engine import endpoint

PATIENCE = 2.0
"""Seconds to wait for an engine that may not be needed."""
MOST = 1 << 14
"""Bytes of an answer that are read."""
QUESTION = b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n"
"""https://docs.docker.com/reference/api/engine/#tag/System/operation/SystemPing."""

_NAMED = re.compile(rb"\r\nserver:[ \t]*libpod/", re.IGNORECASE)


def podman() -> bool:
    """Tell whether Podman answers; not where none does, or the engine is no socket of this machine.

    It names itself in a header of each answer (podman-system-service(1)), `Server: Libpod/5.4.2`.
    """
    scheme, _, path = endpoint.unasked().partition("://")
    return scheme == "unix" and _NAMED.search(_headers(path)) is not None


def _headers(path: str) -> bytes:
    """Return the head of an answer (RFC 9112, 2.1); empty if there is none in time."""
    found = b""
    with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as there:
        end = time.monotonic() + PATIENCE
        there.settimeout(PATIENCE)
        there.connect(path)
        there.sendall(QUESTION)
        while b"\r\n\r\n" not in found and len(found) < MOST:
            there.settimeout(max(end - time.monotonic(), 0.001))
            if not (more := there.recv(4096)):
                break
            found += more
    return found.partition(b"\r\n\r\n")[0]
