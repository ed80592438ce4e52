"""Tries the proxy from the sandbox's side; prints one word a line, each with what it says.

Run as the agent's user in the wall's container: the network is the agent's, the program is not.
"""

import socket
import ssl
import sys

PROXY, SECOND_DOOR = "127.0.0.54", "127.0.0.55"
FOREIGN = "jailoc.invalid"
"""No credential can be for it (RFC 6761)."""
PATIENCE = 5.0


def foreign_host() -> str:
    """Return the status that a request for a foreign host gets."""
    try:
        with socket.create_connection((PROXY, 80), PATIENCE) as peer:
            peer.sendall(f"GET / HTTP/1.1\r\nHost: {FOREIGN}\r\n\r\n".encode())
            return peer.recv(64)[9:12].decode(errors="replace")
    except OSError as error:
        return type(error).__name__


def foreign_name() -> str:
    """Tell whether a handshake for a foreign name is refused."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((PROXY, 443), PATIENCE) as peer,
            context.wrap_socket(peer, server_hostname=FOREIGN),
        ):
            return "accepted"
    except OSError:
        return "refused"


def second_door() -> str:
    """Tell whether the proxy's resolver is closed to the sandbox."""
    try:
        with socket.create_connection((SECOND_DOOR, 53), PATIENCE):
            return "open"
    except OSError:
        return "closed"


if __name__ == "__main__":
    for word, said in (
        ("host", foreign_host()), ("name", foreign_name()), ("door", second_door()),
    ):  # fmt: skip
        sys.stdout.write(f"{word} {said}\n")
