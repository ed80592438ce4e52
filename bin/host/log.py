"""The log of what jailoc did and how it ended. Light, and silent until a command begins.

No value goes in: neither a secret nor a variable's, nor text that a container or a build wrote.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from jailoc.bin.host.logfile import Log

Field = str | int | float | None


class Journal:
    """The log of this run; there is none before the arguments are known to be right."""

    log: ClassVar["Log | None"] = None


def start(verbose: bool) -> None:
    """Open the log; what goes wrong with it is nobody's business but the log's.

    Args:
        verbose: Whether each record is shown on standard error, too.
    """
    from jailoc.bin.host.logfile import Log

    if Journal.log is not None:
        Journal.log.close()
    Journal.log = Log(verbose)


def debug(message: str, **fields: Field) -> None:
    """Record a detail."""
    _write("DEBUG", message, fields)


def info(message: str, **fields: Field) -> None:
    """Record a step."""
    _write("INFO", message, fields)


def error(message: str, **fields: Field) -> None:
    """Record a failure."""
    _write("ERROR", message, fields)


def _write(level: str, message: str, fields: dict[str, Field]) -> None:
    if Journal.log is not None:
        Journal.log.write(level, message, fields)


@contextmanager
def timed(message: str, **fields: Field) -> Iterator[dict[str, Field]]:
    """Record a detail when it is over, with how long it took and what is added meanwhile."""
    begin = time.monotonic()
    try:
        yield fields
    finally:
        debug(message, **fields, seconds=round(time.monotonic() - begin, 3))
