"""Bind mounts: their grammar, the layers they come in, and what may never be mounted."""

import re
from collections.abc import Iterable
from enum import StrEnum

from jailoc.model.base import Model
from jailoc.model.field_error import problem
from jailoc.model.forbidden_paths import trespass
from jailoc.model.host import Host
from jailoc.model.path import CONTAINER_SYSTEM, clean, expand, first_within

FORMS = "HOST:CONTAINER, HOST:CONTAINER:ro, HOST:CONTAINER:rw, or :CONTAINER to remove one"


class Mode(StrEnum):
    """Whether the sandbox may write."""

    READ_ONLY = "ro"
    READ_WRITE = "rw"


class Mount(Model):
    """A directory or file of the host, seen in the container. Both sides are absolute."""

    host: str
    container: str
    mode: Mode
    origin: str
    """Dotted path of the configuration entry, or `built-in`."""


class MountSpec(Model):
    """One entry of a `mounts` list; without a host side it removes what stands there."""

    host: str | None
    container: str
    mode: Mode


def parse_mount(text: str, host: Host) -> MountSpec:
    """Read one entry of a `mounts` list.

    Raises:
        PydanticCustomError: the entry is malformed or names a forbidden place.
    """
    parts = _split(text)
    if not 2 <= len(parts) <= 3:
        what = "too many colons" if len(parts) > 3 else "no container side"
        raise problem("mount-grammar", f"`{text}` is not a mount: {what}", FORMS)
    if "\0" in text:
        raise problem("mount-grammar", "a path cannot hold a NUL character", FORMS)
    if "" in parts[1:]:
        raise problem("mount-grammar", f"`{text}` is not a mount: empty section", FORMS)
    word = parts[2] if len(parts) == 3 else Mode.READ_WRITE
    if word not in set(Mode):
        raise problem("mount-grammar", f"mode `{word}` of mount `{text}` is unknown", "ro or rw")
    container = expand(parts[1], host.home)
    if not container.startswith("/"):
        raise problem(
            "mount-grammar",
            f"container path `{parts[1]}` is not absolute",
            "a path beginning with /",
        )
    container = clean(container)
    source = expand(parts[0], host.home) if parts[0] else None
    if source is not None:
        _check_source(source, host)
    system = "/" if container == "/" else first_within(container, CONTAINER_SYSTEM)
    if system:
        raise problem(
            "mount-container",
            f"container path `{container}` is not allowed: it lies in `{system}`",
            "a path outside the container's system directories",
            "below /home/agent or at a path of its own, such as /workspace",
        )
    return MountSpec(host=source and clean(source), container=container, mode=Mode(word))


def host_side(text: str) -> str:
    """Return the host side of an entry as it is written, whether or not the rest is well formed."""
    return _split(text)[0]


def merge(layers: Iterable[tuple[str, Iterable[MountSpec]]]) -> tuple[Mount, ...]:
    """Lay mounts over each other by container path; the last entry of a path wins.

    A path keeps the place of its first mention, also when it is removed and added again.

    Args:
        layers: The dotted path of each list with its entries, weakest first.
    """
    found: dict[str, Mount | None] = {}
    for scope, entries in layers:
        for index, entry in enumerate(entries):
            origin = scope if scope == "built-in" else f"{scope}[{index}]"
            found[entry.container] = (
                Mount(host=entry.host, container=entry.container, mode=entry.mode, origin=origin)
                if entry.host
                else None
            )
    return tuple(mount for mount in found.values() if mount)


def _split(text: str) -> list[str]:
    """Split at colons, except those within `${...}`, as the Compose short syntax does."""
    groups = re.split(r"(\$\{[^}]*\})", text)
    held = [re.sub(":", "\0", part) if part.startswith("${") else part for part in groups]
    return [part.replace("\0", ":") for part in "".join(held).split(":")]


def _check_source(source: str, host: Host) -> None:
    if not source.startswith("/"):
        raise problem(
            "mount-grammar",
            f"host path `{source}` is not absolute",
            "an absolute path, or one beginning with ~",
        )
    if reason := trespass(clean(source), host):
        raise problem(
            "mount-host",
            f"host path `{source}` is forbidden: {reason}",
            "a path outside system, credential and jailoc's own directories",
            "mount the single directories that the agent needs; it has a Docker of its own",
        )
