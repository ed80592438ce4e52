"""What a workspace is to be given of the host, and is not there."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.host import FileKind, Host


def missing(document: Document, config: Config, name: str, host: Host) -> Iterator[Diagnostic]:
    """Yield each path and mount of a workspace that has no source; nobody makes one."""
    workspace = config.workspaces[name]
    for index, path in enumerate(workspace.paths):
        kind = host.kinds.get(path)
        if kind is not FileKind.DIRECTORY:
            yield found(
                document,
                ("workspaces", name, "paths", index),
                "source-missing",
                f"path `{path}` {_nothing(path, host) if kind is None else 'is no directory'}",
                "a directory that is there",
                "make it, or correct the path",
            )
    layers: list[tuple[Path, str | None, str]] = [
        ((*at, "mounts", index), each.host, each.container)
        for at, scope in (
            (("defaults",), config.defaults), (("workspaces", name), workspace),
        )
        for index, each in enumerate(scope.mounts)
    ]  # fmt: skip
    # For one container path the last entry holds.
    for where, source in {container: (at, source) for at, source, container in layers}.values():
        if source is not None and source not in host.kinds:
            yield found(
                document,
                where,
                "source-missing",
                f"host path `{source}` {_nothing(source, host)}",
                "a directory or file that is there",
                "make it, correct the path, or leave the mount out",
            )


def _nothing(path: str, host: Host) -> str:
    if (place := host.real(path)) == path:
        return "does not exist"
    return f"leads to `{place}`, which does not exist"
