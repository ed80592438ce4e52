"""How much is read of a directory that others write: bounds for each file, and for all together."""

from pathlib import Path

from jailoc.bin.host import regular
from jailoc.model.diagnostic import refuse
from jailoc.model.quantity import size_text


class Room:
    """Bytes that may still be read."""

    def __init__(self, root: Path, most: int) -> None:
        """Begin with all of it.

        Args:
            root: The directory, for the message.
            most: Bytes of all files together.
        """
        self._root, self._most, self._left = root, most, most

    def read(self, place: Path, limit: int) -> bytes:
        """Return what a file holds.

        Args:
            place: The file.
            limit: Bytes that it may have.

        Raises:
            NotRegular: it is none, or has more.
            OSError: it cannot be read.
            Refused: all together are too much.
        """
        data = regular.read(str(place), limit)
        self._left -= len(data)
        if self._left < 0:
            raise refuse(
                "golden",
                f"`{self._root}` holds more than {size_text(self._most)} of what would be read: no "
                "configuration becomes that",
                hint="look at what lies there and who can write there; remove what is not yours",
            )
        return data
