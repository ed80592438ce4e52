"""What is mounted in a container, and what runs in it, seen by no program of its own.

Whoever lives there may have replaced any of them. So a container of our own looks, made from the
wall's image and joined to the other's processes; it is another user, which those cannot touch. On a
local engine the mounts are read from the machine's own /proc.
"""

import os
from contextlib import suppress

from jailoc.bin.engine import door, reader
from jailoc.bin.engine.docker import DockerError, endpoint, run
from jailoc.generators.runtime.witness import STATUS_KEYS, mounts
from jailoc.model.sandbox import WITNESS_USER

LIMIT = 16 << 20
"""Bytes of a reply: some 250 a process, some 200 a mount."""
_SEPARATOR = "==\n"
"""No line of mountinfo begins so (proc(5)): each begins with a number."""
_LOOK = f"""
/bin/cat /proc/1/mountinfo
echo ==
cd /proc && /bin/grep -hE '^({"|".join(STATUS_KEYS)}):' [0-9]*/status 2>/dev/null
echo ==
"""
_TRIES = 5


def look(container: str, image: str) -> tuple[str, str]:
    """Return the mounts, and the status of the processes of a running container (proc(5)).

    Args:
        container: Whom to look at.
        image: Id of the wall's image.

    Raises:
        DockerError: the container does not run, or the engine did not answer in full.
    """
    what = "looking at the mounts and processes"
    for _ in range(_TRIES):
        first, _, rest = _asked(container, image, what).partition(_SEPARATOR)
        second, end, _ = rest.partition(_SEPARATOR)
        # Engines lose the last words of a container that ends at once; a first process is there.
        if end and second:
            return first, second
    raise DockerError(what, [], 0, "its answer has no end")


def _asked(container: str, image: str, what: str) -> str:
    return run(
        ["run", "--rm", "--pull", "never", "--pid", f"container:{container}", "--network", "none",
         "--user", WITNESS_USER, "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
         *reader.options(),
         "--read-only", "--log-driver", "none", "--memory", "64m", "--pids-limit", "16",
         "--entrypoint", "/bin/sh", image, "-c", _LOOK],
        what=what,
        timeout=60,
        limit=LIMIT,
    )  # fmt: skip


def mounted(container: str, image: str, process: int | None = None) -> frozenset[str]:
    """Return where something is mounted in a running container.

    Args:
        container: Whom to look at.
        image: Id of the wall's image.
        process: The number of its first process, if the engine has just told it.

    Raises:
        DockerError: the container does not run, or the engine did not answer.
    """
    text = _of_this_machine(container, process)
    if text is None:
        text, _ = look(container, image)
    return frozenset(each.place for each in mounts(text)[0])


def _of_this_machine(container: str, number: int | None) -> str | None:
    """Return a container's mounts if its processes are this machine's."""
    if door.replaced() or not endpoint().local:
        return None
    if number is None:
        words = ["inspect", "--format", "{{.State.Pid}}", container]
        text = run(words, what="inspect container", timeout=30).strip()
        number = int(text) if text.isdecimal() else 0
    if number == 0:
        return None
    with suppress(OSError):
        process = os.open(f"/proc/{number}", os.O_RDONLY | os.O_DIRECTORY)
        try:
            # The number may be another machine's, as Docker Desktop's: the cgroup has the id.
            if container in _read(process, "cgroup"):
                return _read(process, "mountinfo")
        finally:
            os.close(process)
    return None


def _read(process: int, name: str) -> str:
    with open(name, "rb", opener=lambda path, flags: os.open(path, flags, dir_fd=process)) as file:
        data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise OSError(f"{name} is longer than {LIMIT} bytes")
    return data.decode(errors="replace")
