"""Whose engine listens at a socket of this machine, by what it says when it is asked nothing else.

The compiler has to know before a project is made, for every command, with an engine or without;
docker(1) takes twenty times as long to tell.
"""

import socket
from contextlib import suppress

from jailoc.bin.engine import endpoint

PATIENCE = 2.0
"""Seconds to wait for an engine that may not be needed."""
MOST = 1 << 14
"""Bytes of an answer that are read."""
QUESTION = b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n"
"""https://docs.docker.com/reference/api/engine/#tag/System/operation/SystemPing."""


def podman() -> bool:
    """Tell whether Podman answers; not where none does, or the engine is no socket of this machine.

    It names itself in a header of each answer (podman-system-service(1)).
    """
    scheme, _, path = endpoint.unasked().partition("://")
    return scheme == "unix" and b"libpod" in _headers(path).lower()


def _headers(path: str) -> bytes:
    """Return the head of an answer (RFC 9112, 2.1); empty if there is none in time."""
    found = b""
    with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as there:
        there.settimeout(PATIENCE)
        there.connect(path)
        there.sendall(QUESTION)
        while b"\r\n\r\n" not in found and len(found) < MOST and (more := there.recv(4096)):
            found += more
    return found.partition(b"\r\n\r\n")[0]
