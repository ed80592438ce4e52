"""Choose the workspace that a directory belongs to."""

from jailoc.model.config import Config
from jailoc.model.path import within


def select(config: Config, directory: str) -> str | None:
    """Return the workspace whose path holds a directory; the path with most segments wins.

    A tie goes to the first workspace in byte order. Symbolic links are not followed on either side.

    Args:
        config: The configuration.
        directory: An absolute, clean path.
    """
    found = [
        (path.count("/"), name)
        for name, workspace in config.workspaces.items()
        for path in workspace.paths
        if within(directory, path)
    ]
    return min(found, key=lambda each: (-each[0], each[1]))[1] if found else None
