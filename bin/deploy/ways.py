"""Where mounts of a container that is to start would land: at their places, or a link leads away.

The engine follows symbolic links on the way to a mount's place. What lies there is an agent's where
the place is within another mount that it can write, or in the container's own files if it has run
before. A mount that is led away can hide what the container begins with, so it is looked at before
anything begins; an agent that has ended cannot exchange it any more, and one that runs and can
write there has to be halted from that look until the engine has mounted.
"""

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jailoc.bin.deploy import halt
from jailoc.bin.engine import container_list, containers, ownership, reader, startup
from jailoc.bin.engine.docker import run
from jailoc.bin.engine.startup import MountPoint
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.path import upwards
from jailoc.model.sandbox import AGENT, SIDECAR, workspace_of

_LOOK = """
number=0
for way; do
    here=/volumes/${way%%/*}
    rest=${way#*/}
    while :; do
        here=$here/${rest%%/*}
        if [ -L "$here" ]; then
            echo "$number"
            break
        fi
        case $rest in */*) rest=${rest#*/} ;; *) break ;; esac
    done
    number=$((number + 1))
done
echo end
"""


class MountWay(NamedTuple):
    """What lies between a mount's place and that of the mount that it is in."""

    outer: MountPoint
    place: str
    """The inner one's, in the container."""

    @property
    def rest(self) -> str:
        """Return how it goes from the outer one to the inner one's place."""
        return self.place[len(self.outer.place.rstrip("/")) + 1 :]


def of(container: str) -> tuple[MountWay, ...]:
    """Return the ways of a container's mounts.

    Raises:
        DockerError: the engine did not answer.
    """
    return tuple(_ways(startup.mounts(container)))


def movers(ways: Sequence[MountWay], project: str) -> dict[str, str]:
    """Return the containers of other agents that could put a link on a way.

    Who is halted counts: another jailoc may let it go on.

    Args:
        ways: Those of a container that is to start.
        project: Its project.

    Returns:
        Their workspaces, by id.

    Raises:
        DockerError: the engine did not answer.
    """
    # What can be changed on a way lies in the last directory of it, or in one above that; of the
    # volumes that agents share none has a mount in it.
    folders = {posixpath.dirname(f"{each.outer.source.rstrip('/')}/{each.rest}")
               for each in ways if each.outer.kind == "bind"}  # fmt: skip
    if not folders:
        return {}
    going = [
        each for each in container_list.listed()
        if each.project != project and workspace_of(each.project)
        and each.service in {AGENT, SIDECAR} and ownership.mine(each.project, each.directory)
    ]  # fmt: skip
    if not going:
        return {}
    handed = {*halt.joined(workspace_of(project) or "", tuple(folders))}
    above = {each for folder in folders for name in halt.called(folder) for each in upwards(name)}
    found = dict[str, str]()
    for data in containers.inspected(there=going):
        each = containers.container(data)
        places = (name for place in each.writable for name in halt.called(place))
        workspace = workspace_of(each.project) or ""
        if workspace in handed or any(name in above for name in places):
            found[each.id] = workspace
    return found


def check(ways: Sequence[MountWay], image: str) -> None:
    """Make sure that each mount of a container that never ran lands at its own place.

    Args:
        ways: Those of its mounts.
        image: Id of the wall's image, in which volumes are looked at.

    Raises:
        DockerError: the engine did not answer.
        Refused: naming each place to which a link leads elsewhere.
    """
    known: dict[str, int | None] = {}
    led = {each.place: link for each in ways if each.outer.kind == "bind"
           if (link := _link(each.outer.source, each.rest, known))}  # fmt: skip
    inside = [each for each in ways if each.outer.kind == "volume"]
    led |= {each.place: f"{each.rest} in volume {each.outer.source}"
            for each in _led_in_volumes(inside, image)}  # fmt: skip
    if led:
        raise Refused(tuple(
            Diagnostic(
                code="mount-swapped",
                message=f"the mount at `{place}` would land elsewhere: a symbolic link is on the "
                f"way, or what cannot be looked at: `{link}`",
                hint="look at it, for the agent can have put it there; take it away, and start "
                "again",
            )
            for place, link in led.items()
        ))  # fmt: skip


def _ways(mounts: Iterable[MountPoint]) -> Iterator[MountWay]:
    every = {each.place: each for each in mounts}
    for place in sorted(every):
        around = next((each for each in upwards(place) if each != place and each in every), None)
        if around is not None:
            yield MountWay(every[around], place)


def _link(root: str, rest: str, known: dict[str, int | None]) -> str | None:
    """Return the first place on a way that is a link, or that cannot be looked at."""
    here = root.rstrip("/")
    for name in rest.split("/"):
        here = f"{here}/{name}"
        if here not in known:
            try:
                known[here] = os.lstat(here).st_mode
            except (FileNotFoundError, NotADirectoryError):
                known[here] = None
            except OSError:
                return here
        mode = known[here]
        if mode is None:
            return None
        if stat.S_ISLNK(mode):
            return here
    return None


def _led_in_volumes(ways: list[MountWay], image: str) -> Iterator[MountWay]:
    """Yield the ways in volumes on which there is a link; a container of our own looks."""
    if not ways:
        return
    names = [*dict.fromkeys(each.outer.source for each in ways)]
    mounts = (f"type=volume,source={name},target=/volumes/{number},readonly,volume-nocopy"
              for number, name in enumerate(names))  # fmt: skip
    what = "looking for links in volumes"
    said = run(
        ["run", "--rm", "--pull", "never", "--network", "none", "--user", "0:0", "--cap-drop",
         "ALL", "--cap-add", "DAC_READ_SEARCH", "--security-opt", "no-new-privileges",
         *reader.options(), "--read-only", "--log-driver", "none", "--memory", "64m",
         "--pids-limit", "16",
         *(word for each in mounts for word in ("--mount", each)),
         "--entrypoint", "/bin/sh", image, "-c", _LOOK, "jailoc",
         *(f"{names.index(each.outer.source)}/{each.rest}" for each in ways)],
        what=what,
        timeout=60,
    ).split()  # fmt: skip
    # Engines lose the last words of a container that ends at once.
    if said[-1:] != ["end"]:
        yield from ways
        return
    yield from (ways[int(number)] for number in said[:-1])
