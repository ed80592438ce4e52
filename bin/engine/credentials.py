"""What a workspace's proxy says: which credentials it holds, and what it has done with them."""

from collections import deque
from contextlib import suppress

from jailoc.bin.engine import docker
from jailoc.generators.runtime.proxy_log import Requests, uses
from jailoc.model.credential import NAME
from jailoc.model.diagnostic import Refused
from jailoc.model.sandbox import PROXY_ID, PROXY_RUN

LINES = 5000
"""Of the log, the last ones."""
MOST = 1000
"""Names that are believed."""


def log(proxy: str) -> tuple[Requests, ...]:
    """Return the last requests that a proxy has logged; nothing if they cannot be read."""
    seen: deque[str] = deque(maxlen=LINES)
    with suppress(docker.DockerError, Refused):
        docker.stream(["logs", "--timestamps", "--tail", str(LINES), proxy],
                      what="reading the proxy's log", line=seen.append, timeout=20)  # fmt: skip
    return uses(seen)


def held(proxy: str) -> tuple[str, ...] | None:
    """Return the names of the credentials that a proxy holds a value of; None if nobody can tell.

    The values themselves never leave the proxy.
    """
    status, text, _ = docker.attempt(
        ["exec", "--user", f"{PROXY_ID}:{PROXY_ID}", proxy,
         "/usr/bin/cut", "-d ", "-f1", f"{PROXY_RUN}/values.map"],
        timeout=30,
    )  # fmt: skip
    if status != 0:
        return None
    found = (each.partition("/")[0] for each in text.split()[:MOST])
    return tuple(each for each in found if NAME.fullmatch(each))


def nature(proxy: str) -> str:
    """Return what a proxy's first process is, and what lies in its memory, as lines."""
    _, text, _ = docker.attempt(
        ["exec", "--user", f"{PROXY_ID}:{PROXY_ID}", proxy, "/bin/sh", "-c",
         f"/bin/cat /proc/1/status; /bin/ls -A {PROXY_RUN}"],
        timeout=30,
    )  # fmt: skip
    return text
