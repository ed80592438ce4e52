"""An image's shell in a container of its own: without privileges, and gone when it has ended."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

from jailoc.bin.engine import containers, door
from jailoc.bin.engine.docker import DockerError, run


def shell(
    image: str,
    user: str,
    script: str,
    *arguments: str,
    options: Sequence[str],
    what: str,
    timeout: float,
    limit: int = door.LIMIT,
    stdin: bytes | None = None,
) -> str:
    """Run a script with an image's /bin/sh, and return what it wrote.

    Args:
        image: The image, by reference or identity.
        user: As whom, by number.
        script: What is run.
        arguments: What the script is given.
        options: More of docker-run(1): its network, its limits, what it sees.
        what: What it is for, for messages.
        timeout: Seconds.
        limit: Bytes of its output.
        stdin: What docker reads.

    Raises:
        DockerError: the engine refused, the script failed, or there was no end.
    """
    name = f"jailoc-look-{uuid4().hex}"
    try:
        return run(
            ["run", "--rm", "--name", name, "--pull", "never", "--user", user,
             "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true", "--no-healthcheck",
             *options, "--entrypoint", "/bin/sh", image, "-c", script,
             *(("jailoc", *arguments) if arguments else ())],
            what=what, timeout=timeout, limit=limit, stdin=stdin,
        )  # fmt: skip
    except DockerError as error:
        if error.cut:
            # A client that is killed leaves its container running.
            with suppress(DockerError):  # it may be gone
                containers.remove(name)
        raise
