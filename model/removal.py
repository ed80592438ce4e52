"""What goes when workspaces are destroyed, as it is listed: for people, and with `--json`."""

from pydantic import Field

from jailoc.model.base import Model


class Sized(Model):
    """A volume or an image."""

    name: str
    bytes: int | None
    """None where the engine does not say."""


class Going(Model):
    """What there is of one workspace, and goes."""

    workspace: str
    containers: tuple[str, ...]
    """By service."""
    network: bool
    volumes: tuple[Sized, ...]
    images: tuple[Sized, ...]
    """Those that were built for it and that nothing else uses."""
    password: str | None
    """Where it is kept: `keyring` or `file`."""
    files: tuple[str, ...]
    """Directories of jailoc's own."""
    record: bool
    """Whether there is a note of what was applied last."""
    stays: tuple[str, ...]
    """What does not go, in words."""


class Listing(Model):
    """What `destroy --json` prints."""

    workspaces: tuple[Going, ...] = Field(description="One entry a workspace, in order.")
    images: tuple[Sized, ...] = Field(
        default=(), description="With --all: what earlier builds have left and nothing uses."
    )
