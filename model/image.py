"""Images that jailoc builds, as values: everything that goes into one, and the tag that follows."""

import hashlib

from jailoc.model.base import Model


class ContextFile(Model):
    """A file of a build context; `path` is relative to it."""

    path: str
    text: str


class Build(Model):
    """One image to be built.

    The tag is a digest of every input, so equal inputs are never built twice and a tag never means
    two things.
    """

    name: str
    context: tuple[ContextFile, ...]

    @property
    def tag(self) -> str:
        """Return the image reference, `jailoc-NAME:DIGEST`."""
        digest = hashlib.sha256()
        for file in self.context:
            for part in (file.path, file.text):
                digest.update(f"{len(part.encode())}:".encode() + part.encode())
        return f"jailoc-{self.name}:{digest.hexdigest()[:16]}"
