"""Images that jailoc builds, as values: everything that goes into one, and the tag that follows."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from jailoc.model.base import Model

BUILT = r"jailoc-[a-z]+:[0-9a-f]{16}"
"""How the references of images look that jailoc builds."""

TOOLS_ARE = "with which snapshots, `undo` and tasks of every workspace work"
"""What the tools image is there for, in words."""


def is_tools(reference: str) -> bool:
    """Tell whether an image is the one with the tools, which no service of a sandbox runs."""
    return reference.startswith("jailoc-tools:")


class Step(StrEnum):
    """Where an image comes from."""

    GIVEN = "given"
    """Named in the configuration, and used as it is."""
    EMBEDDED = "embedded"
    """Built from a Dockerfile of jailoc's own."""
    BASE = "base"
    """Built from the user's Dockerfile for all workspaces."""
    OVERLAY = "overlay"
    """A workspace's own Dockerfile, laid over one of the others."""


class ContextFile(Model):
    """A file of a build context; `path` is relative to it."""

    path: str
    text: str


class BaseImage(Model):
    """An image of somebody else that one is built on."""

    reference: str
    line: int
    """Of the Dockerfile that names it; 0 where the configuration does."""
    identity: str | None
    """What the engine had under that name when it was last asked; None if it never was."""


class Recipe(Model):
    """What went into an image, each input as a digest: two of them tell why a tag changed."""

    name: str
    step: Step
    origin: str
    tag: str
    dockerfile: str
    bases: dict[str, str | None]
    """Images below it, with the engine's identity of each."""
    certificates: str
    context: str | None
    """What lies in a directory of the host that is the context; None for one of jailoc's own, or
    if that is not known."""
    arguments: dict[str, str] = Field(default_factory=dict)


class Choice(Model):
    """Which image the agent runs, and how that was decided."""

    reference: str
    steps: tuple[Step, ...]
    """From the bottom up."""
    origins: tuple[str, ...]
    """The configuration entry behind each step."""


class Build(Model):
    """One image to be built.

    The tag is a digest of every input that the compiler knows, so equal inputs are never built
    twice and a tag never means two things.
    """

    name: str
    step: Step
    origin: str
    """The configuration entry that it comes from, or `built-in`."""
    source: str | None = None
    """Where its Dockerfile is from: a path or URL; None for jailoc's own."""
    inserted: int = 0
    """The line of the Dockerfile that jailoc has put into it; 0 if there is none."""
    context: tuple[ContextFile, ...]
    """Files of the context; with `directory`, the Dockerfile alone, which stays outside of it."""
    arguments: dict[str, str] = Field(default_factory=dict)
    """Build arguments that are not what its Dockerfile says by itself."""
    base: str | None = None
    """The image reference that `ARG BASE` is given."""
    bases: tuple[BaseImage, ...] = ()
    """Images of others below it, whose names may come to mean something else."""
    directory: str | None = None
    """Directory of the host that is the context, absolute; it is only read."""

    content: str | None = None
    """What lies in `directory`, as a digest; None if that is not known."""

    @property
    def known(self) -> bool:
        """Tell whether the tag covers everything: an image that has it need not be built again."""
        return self.directory is None or self.content is not None

    @property
    def dockerfile(self) -> str:
        """Return the text of its Dockerfile."""
        return next(each.text for each in self.context if each.path == "Dockerfile")

    @property
    def tag(self) -> str:
        """Return the image reference, `jailoc-NAME:DIGEST`."""
        parts = [part for file in self.context for part in (file.path, file.text)]
        # Where equal contexts lie makes no difference to an image.
        where = self.directory if self.content is None else self.content
        parts += [f"{name}={value}" for name, value in sorted(self.arguments.items())]
        parts += [each for each in (self.base, where) if each is not None]
        parts += [each.identity for each in self.bases if each.identity is not None]
        return f"jailoc-{self.name}:{_digest(parts)}"

    @property
    def recipe(self) -> Recipe:
        """Return its inputs as digests."""
        others = [each for each in self.context if each.path != "Dockerfile"]
        bases: dict[str, str | None] = {} if self.base is None else {self.base: None}
        bases |= {each.reference: each.identity for each in self.bases}
        return Recipe(
            name=self.name,
            step=self.step,
            origin=self.origin,
            tag=self.tag,
            dockerfile=_digest([self.dockerfile]),
            bases=bases,
            certificates=_digest(part for file in others for part in (file.path, file.text)),
            context=self.content and self.content[:16],
            arguments=self.arguments,
        )


def _digest(parts: Iterable[str]) -> str:
    state = hashlib.sha256()
    for part in parts:
        state.update(f"{len(part.encode())}:".encode() + part.encode())
    return state.hexdigest()[:16]
