"""What is said by a run that is ended at once: what it leaves behind. Light."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar


class Farewell:
    """The words for now; none while nothing would be left."""

    words: ClassVar[str] = ""


@contextmanager
def saying(words: str) -> Iterator[None]:
    """Have these words said if the run is ended at once during the block."""
    before, Farewell.words = Farewell.words, words
    try:
        yield
    finally:
        Farewell.words = before


def say() -> None:
    """Say them, past every buffer; nobody may be there any more."""
    if Farewell.words:
        with suppress(OSError):
            os.write(2, f"\n{Farewell.words}\n".encode())
