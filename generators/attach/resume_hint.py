"""The hint that OpenCode leaves behind, made one for jailoc, in a stream of bytes."""

PATTERN = b"opencode -s "
TEXT = b"jailoc -s "


class Rewriter:
    """Replaces `opencode -s ` by `jailoc -s `, wherever the stream is cut into pieces.

    What may be the beginning of the pattern is held back until more comes, or until `flush`.
    """

    def __init__(self) -> None:
        self._held = b""

    @property
    def holds(self) -> bool:
        """Tell whether something waits for what comes next."""
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take the next piece, and return what can be shown."""
        text = (self._held + data).replace(PATTERN, TEXT)
        keep = next(
            (size for size in range(len(PATTERN) - 1, 0, -1) if text.endswith(PATTERN[:size])), 0
        )
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> bytes:
        """Return what is held back: nothing more will come for it."""
        held, self._held = self._held, b""
        return held
