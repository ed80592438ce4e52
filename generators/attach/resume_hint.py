"""The hint that an agent's client leaves behind, made one for jailoc, in a stream of bytes."""

TEXT = b"jailoc -s "


class Rewriter:
    """Replaces a client's hint by `jailoc -s `, wherever the stream is cut into pieces.

    What may be the beginning of the hint is held back until more comes, or until `flush`.

    Args:
        hint: What stands before a session's name; empty where nobody leaves one.
    """

    def __init__(self, hint: str) -> None:
        self._hint, self._held = hint.encode(), b""

    @property
    def holds(self) -> bool:
        """Tell whether something waits for what comes next."""
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take the next piece, and return what can be shown."""
        text = self._held + data
        if self._hint:
            text = text.replace(self._hint, TEXT)
        sizes = range(len(self._hint) - 1, 0, -1)
        keep = next((size for size in sizes if text.endswith(self._hint[:size])), 0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> bytes:
        """Return what is held back: nothing more will come for it."""
        held, self._held = self._held, b""
        return held
