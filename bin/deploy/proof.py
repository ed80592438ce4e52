"""Proof that what lies behind the mounts of a container that starts is what was checked.

Paths are checked by name, and the engine mounts by name, later. So what it has mounted is compared
with the checked places, by device and inode, before the agent's program begins: `agent.sh` waits
for the password, which is handed over last.

The look is from outside: nothing in the container is run. Where this user may not look at its
processes, a container of our own image does, in their PID namespace. An agent may run there, on the
way back: one that could trace who looks would act by it in another mount namespace, where nothing
that covers files of a project is in the way of rename(2). An engine with a kernel of its own
(Docker Desktop, another machine) maps what it mounts to other devices: nothing can be compared, and
that is said.
"""

import json
import os
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

from jailoc.bin.deploy import provenance
from jailoc.bin.engine import docker, reader, witness
from jailoc.bin.engine.docker import LARGE
from jailoc.bin.host.links import Identity, identity
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.host import Host
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import AGENT, WALL

Places = dict[str, Identity | None]
"""What lies at each place, by its path in the container."""

BOOT = Path("/proc/sys/kernel/random/boot_id")
"""The same in every container of this kernel, and in none of another (random(4))."""
LOOK = """
import json, os, stat, sys
user, group = map(int, sys.argv[1:])
os.setgroups([])
os.setresgid(0, group, 0)
os.setresuid(0, user, 0)
def identity(path):
    try:
        here = os.open("/proc/1/root", os.O_RDONLY | os.O_DIRECTORY)
        for name in filter(None, path.split("/")):
            here = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=here)
        found = os.fstat(here)
    except OSError:
        return None
    return None if stat.S_ISLNK(found.st_mode) else (found.st_dev, found.st_ino)
places = {path: identity(path) for path in json.load(sys.stdin)}
print(json.dumps([open("/proc/sys/kernel/random/boot_id").read(), places]))
"""
"""Sees what the agent may see (its effective user is the agent's), and is root for whoever would
signal or trace it: kill(2) asks for the real and the saved user, ptrace(2) for all three."""


def prove(terminal: Terminal, bundle: Bundle, host: Host, container: str) -> None:
    """Compare what is mounted in the agent's container with what was checked.

    Raises:
        Refused: something else is mounted than what was checked.
    """
    binds = [each for each in bundle.compose.services[AGENT].mounts if isinstance(each, Bind)]
    image = provenance.exact(bundle.compose.services[WALL].image.text)
    sources = {each.target.text: each.source.text for each in binds}
    # A target can lead elsewhere, too, and what shows at its place is then another mount's.
    in_place(sources, witness.mounted(container, image))
    present = look(container, sources, image)
    if present is None:
        terminal.say(
            "what lies behind the mounts cannot be compared: the engine has a kernel of its own",
            Meaning.WARNS,
        )
        return
    wanted = {each.target.text: identity(checked(each.source.text, host)) for each in binds}
    compare(sources, wanted, present)


def in_place(sources: Mapping[str, str], mounted: Container[str]) -> None:
    """Make sure that each mount is at its own place.

    Raises:
        Refused: naming each that is not: its place led somewhere else.
    """
    wrong = [each for each in sources if each not in mounted]
    if wrong:
        raise Refused(
            tuple(
                Diagnostic(
                    code="mount-swapped",
                    message=f"`{sources[each]}` is not mounted at `{each}` in the sandbox: "
                    "something that leads elsewhere was put there meanwhile",
                    hint="look at what lies there now, and who can write there; then try again",
                )
                for each in wrong
            )
        )


def compare(
    sources: Mapping[str, str], wanted: Mapping[str, Identity | None], present: Places
) -> None:
    """Compare what was checked with what is mounted, both by place in the container.

    Raises:
        Refused: naming each that differs, or that is not there.
    """
    wrong = [each for each in wanted if wanted[each] is None or wanted[each] != present.get(each)]
    if wrong:
        raise Refused(
            tuple(
                Diagnostic(
                    code="mount-swapped",
                    message=f"`{each}` in the sandbox is not `{sources[each]}` as it was checked: "
                    "something else was put there meanwhile",
                    hint="look at what lies there now, and who can write there; then try again",
                )
                for each in wrong
            )
        )


def checked(source: str, host: Host) -> str:
    """Return the place that a source led to when it was checked."""
    known, below = source, ""
    while known != "/" and known not in host.links:
        known, _, name = known.rpartition("/")
        known, below = known or "/", f"/{name}{below}"
    return host.real(known).rstrip("/") + below or "/"


def look(container: str, targets: Iterable[str], image: str | None = None) -> Places | None:
    """Return what lies at places of a running container; None where its kernel is another one.

    Raises:
        DockerError: nobody could look; nothing may be taken for proved then.

    Args:
        container: Its id.
        targets: Absolute paths in it.
        image: One of our own, for a look where this user may not.
    """
    targets = tuple(targets)
    found = json.loads(
        docker.run(["inspect", container], what="inspect container", timeout=30, limit=LARGE)
    )[0]
    root = f"/proc/{found['State']['Pid']}/root"
    if _belongs(found["State"]["Pid"], found["Id"]) and os.access(root, os.X_OK):
        return {each: identity(each, root) for each in targets}
    if image is None or not docker.endpoint().local or not BOOT.exists():
        return None
    what = "looking at the mounts"
    user, _, group = found["Config"]["User"].partition(":")
    told = docker.run(
            ["run", "--rm", "--interactive", "--pull", "never", "--network", "none",
             "--pid", f"container:{found['Id']}", "--user", "0:0",
             "--cap-drop", "ALL", "--cap-add", "SETUID", "--cap-add", "SETGID",
             "--security-opt", "no-new-privileges", *reader.options(),
             "--read-only", "--entrypoint", "python3",
             image, "-I", "-c", LOOK, user, group or "0"],
            what=what,
            stdin=json.dumps(targets).encode(),
            timeout=60,
        )  # fmt: skip
    try:
        boot, places = json.loads(told)
    except ValueError:
        raise docker.DockerError(what, [], 1, "its answer cannot be read") from None
    if boot != BOOT.read_text():
        return None
    return {each: tuple(place) if place else None for each, place in places.items()}


def _belongs(pid: int, container: str) -> bool:
    """Tell whether a process is one of this machine's, in that container (cgroups(7))."""
    try:
        return pid > 0 and container in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False
