"""Ask who listens on a port: in a sandbox, or among all containers of the engine."""

from jailoc.bin.engine.docker import run

LISTENING = "0A"
"""The state of a socket in /proc/net/tcp (proc(5)); numbers there are hexadecimal."""


def listeners(wall: str, port: int) -> frozenset[int]:
    """Return the UIDs whose sockets wait for TCP connections at a port, behind a wall.

    The wall shares its network namespace with all that runs behind it, and runs only what is
    jailoc's own.

    Raises:
        DockerError: the wall does not run.
    """
    program = f'$4 == "{LISTENING}" && $2 ~ /:{port:04X}$/ && !seen[$8]++ {{ print $8 }}'
    text = run(
        ["exec", "--user", "65534:65534", wall,
         "/usr/bin/awk", program, "/proc/net/tcp", "/proc/net/tcp6"],
        what="looking who listens in the sandbox",
        timeout=30,
    )  # fmt: skip
    return frozenset(int(each) for each in text.split() if each.isdecimal())


def publishing(port: int) -> tuple[str, ...]:
    """Return the names of the engine's running containers that publish a port, whoever's they are.

    Raises:
        DockerError: the engine did not answer.
    """
    text = run(
        ["ps", "--filter", f"publish={port}", "--format", "{{.Names}}"],
        what="looking who publishes a port",
        timeout=30,
    )
    return tuple(text.split())
