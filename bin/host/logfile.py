"""The file of the log, by the standard library's logging: private, rotated, never in the way."""

import json
import logging
import os
import stat
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

from jailoc.bin.host.atomic import make_private
from jailoc.bin.host.paths import cache_directory
from jailoc.model.text import visible

NAME = "jailoc.log"
LIMIT = 5 << 20
"""Bytes after which the next start begins a new file."""


class Log:
    """Where the records of this run go."""

    def __init__(self, verbose: bool) -> None:
        # Of no family: what libraries log is not ours to keep.
        self._logger = logging.Logger("jailoc", logging.DEBUG)
        # With no handler at all logging itself would write to standard error.
        self._logger.addHandler(logging.NullHandler())
        self._file = _open()
        for stream in (self._file, sys.stderr if verbose else None):
            if stream is not None:
                handler = _Silent(stream)
                handler.setFormatter(_Lines())
                self._logger.addHandler(handler)

    def write(self, level: str, message: str, fields: dict[str, str | int | float | None]) -> None:
        """Write one line."""
        given = {key: value for key, value in fields.items() if value is not None}
        pairs = [f"{key}={_quoted(str(value))}" for key, value in {"msg": message, **given}.items()]
        self._logger.log(logging.getLevelNamesMapping()[level], "%s", " ".join(pairs))

    def close(self) -> None:
        """Close the file; nothing is recorded any more."""
        self._logger.handlers.clear()
        if self._file is not None:
            with suppress(OSError):
                self._file.close()


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = (
            datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        )
        return f"time={when} level={record.levelname} {record.getMessage()}"


class _Silent(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Let a full disk or a closed stream be: the command is what counts."""


def _quoted(text: str) -> str:
    """Return a value as it stands if nothing in it could be taken for something else."""
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "=\\')
    return text if text and plain else visible(json.dumps(text, ensure_ascii=False))


def _open() -> TextIO | None:
    with suppress(Exception):
        path = cache_directory() / NAME
        if not path.parent.is_symlink():  # what it leads to is somebody's, and stays as it is
            make_private(path.parent)
        _rotate(path)
        # Neither a link nor a pipe that somebody has put there.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
            return os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")
        os.close(descriptor)
    return None


def _rotate(path: Path) -> None:
    if path.exists() and path.lstat().st_size > LIMIT:
        try:
            path.replace(path.with_name(f"{NAME}.1"))
        except OSError:
            os.truncate(path, 0)
