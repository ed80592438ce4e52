"""`images.lock`: under which digest each image is in the registry, so that a tag cannot move."""

import re
import tomllib

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.image import BUILT

FORMAT = 1
DIGEST = r"sha256:[0-9a-f]{64}"


class NoLockError(ValueError):
    """A text is no lock of images; its own text says why."""


class ImageLock(Model):
    """Digests by the tags that images are built as."""

    images: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "ImageLock":
        """Read the text of the file.

        Raises:
            NoLockError: it is none, or of another format.
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise NoLockError(str(error)) from None
        if data.get("format") != FORMAT:
            raise NoLockError(f"its format is {data.get('format')!r}, this jailoc's is {FORMAT}")
        images = data.get("images", {})
        for tag, digest in images.items() if isinstance(images, dict) else [("images", "")]:
            if not re.fullmatch(BUILT, tag) or not re.fullmatch(DIGEST, str(digest)):
                raise NoLockError(f"`{tag}` has no digest")
        return cls(images=images)

    @property
    def text(self) -> str:
        """Return the text of the file: same images, same bytes."""
        lines = [f'"{tag}" = "{digest}"\n' for tag, digest in sorted(self.images.items())]
        return (
            "# Written by `jailoc images build --push`: what runs on a cluster. Commit it.\n"
            f"format = {FORMAT}\n\n[images]\n{''.join(lines)}"
        )
