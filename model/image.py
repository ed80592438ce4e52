"""Images that jailoc builds, as values: everything that goes into one, and the tag that follows."""

import hashlib

from jailoc.model.base import Model


class ContextFile(Model):
    """A file of a build context; `path` is relative to it."""

    path: str
    text: str


class Build(Model):
    """One image to be built.

    The tag is a digest of every input that the compiler knows, so equal inputs are never built
    twice and a tag never means two things.
    """

    name: str
    context: tuple[ContextFile, ...]
    """Files of the context; with `directory`, the Dockerfile alone, which stays outside of it."""
    base: str | None = None
    """The image reference that `ARG BASE` is given."""
    directory: str | None = None
    """Directory of the host that is the context, absolute; it is only read."""

    content: str | None = None
    """What lies in `directory`, as a digest; None if that is not known."""

    @property
    def known(self) -> bool:
        """Tell whether the tag covers everything: an image that has it need not be built again."""
        return self.directory is None or self.content is not None

    @property
    def tag(self) -> str:
        """Return the image reference, `jailoc-NAME:DIGEST`."""
        digest = hashlib.sha256()
        parts = [part for file in self.context for part in (file.path, file.text)]
        # Where equal contexts lie makes no difference to an image.
        where = self.directory if self.content is None else self.content
        parts += [each for each in (self.base, where) if each is not None]
        for part in parts:
            digest.update(f"{len(part.encode())}:".encode() + part.encode())
        return f"jailoc-{self.name}:{digest.hexdigest()[:16]}"
