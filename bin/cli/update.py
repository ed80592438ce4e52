"""A word about a newer release, for people: looked up beside the command, which never waits for it.

Nothing is asked where nobody would read it: standard error must be a terminal. The last answer is
kept for a day in `update-state.json`.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jailoc import __version__
from jailoc.bin.cli.options import terminal
from jailoc.bin.host import paths
from jailoc.model.palette import Meaning

if TYPE_CHECKING:
    from packaging.version import Version

LATEST = "https://api.github.com/repos/jailoc/jailoc/releases/latest"
PAGE = "https://github.com/jailoc/jailoc/releases/latest"
OFF = ("JAILOC_NO_UPDATE_NOTIFIER", "CI")
STATE = "update-state.json"
TIMEOUT = 10
"""Seconds."""
LIMIT = 1 << 20
DAY = 24 * 3600


class UpdateState(NamedTuple):
    """What is known of the latest release, and since when."""

    checked: float = 0
    """Seconds since 1970; 0 if never."""
    latest: str = ""
    """Its tag, as it was received."""


@contextmanager
def notice(words: list[str]) -> Iterator[None]:
    """Look for a newer release while a command runs; tell of it at the end, if it is known by then.

    Args:
        words: The command line. A completion script is read by a shell at each of its starts.
    """
    check: UpdateCheck | None = None
    if wanted() and words[:1] != ["completion"]:
        with suppress(Exception):
            check = UpdateCheck(paths.cache_directory() / STATE)
    try:
        yield
    finally:
        if check is not None:
            with suppress(Exception):
                check.finish()


def wanted() -> bool:
    """Tell whether somebody wants to know: a terminal is there, and no variable says otherwise."""
    return sys.stderr.isatty() and not any(os.environ.get(name) for name in OFF)


class UpdateCheck:
    """The question for the latest release, asked in the background if the last answer is old."""

    def __init__(
        self,
        path: Path,
        *,
        current: str = __version__,
        url: str = LATEST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._current, self._url, self._clock = path, current, url, clock
        self._state = _load(path)
        age = clock() - self._state.checked
        self._answers: list[str] = []
        self.thread: threading.Thread | None = None
        if not (self._state.latest and 0 <= age < DAY):
            # A call that hangs must not keep the process alive.
            self.thread = threading.Thread(target=self._ask, daemon=True)
            self.thread.start()

    def _ask(self) -> None:
        with suppress(Exception):
            # A version that is none, or none to be compared, asks nothing.
            if _release(self._current) is not None:
                self._answers.append(_fetch(self._url))
                return
        self._answers.append("")

    def finish(self) -> None:
        """Keep an answer that is there, and tell of a newer release. Never waits."""
        if self.thread is not None and not self._answer():
            return
        if self._state.latest.removeprefix("v") == self._current:
            return
        latest, current = _release(self._state.latest), _release(self._current)
        if latest is not None and current is not None and current < latest:
            self._tell(str(latest))

    def _answer(self) -> bool:
        """Take over what the thread has found; False if nothing new is known."""
        if not self._answers or _release(self._current) is None:
            return False
        found = self._answers[0]
        if not found and not self._state.latest:
            return False  # asked again by the next run
        self._state = UpdateState(self._clock(), found or self._state.latest)
        _save(self._path, self._state)
        return bool(found)

    def _tell(self, latest: str) -> None:
        out = terminal()
        before = out.paint(self._current, Meaning.WARNS, sys.stderr)
        after = out.paint(latest, Meaning.DONE, sys.stderr)
        page = out.paint(PAGE, Meaning.NOTES, sys.stderr)
        sys.stderr.write(f"\nA new release of jailoc: {before} → {after}\n{page}\n")
        sys.stderr.flush()


def _release(text: str) -> "Version | None":
    """Read a version; None if it is none, or one that comes before a release."""
    from packaging.version import InvalidVersion, Version

    try:
        version = Version(text)
    except InvalidVersion:
        return None
    return None if version.is_prerelease else version


def _fetch(url: str) -> str:
    """Return the tag of the latest release; empty if the answer is not one."""
    from packaging.version import Version

    from jailoc.bin.host import http

    status, body = http.get(url, timeout=TIMEOUT, limit=LIMIT, accept="application/vnd.github+json")
    if status != 200 or len(body) > LIMIT:
        return ""
    tag = json.loads(body)["tag_name"]
    Version(tag)  # what is no version is not kept
    return str(tag)


def _load(path: Path) -> UpdateState:
    """Read the last answer; what cannot be read counts as none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        checked = datetime.fromisoformat(data["checked_at"]).timestamp()
        latest = data["latest_version"]
    except Exception:
        return UpdateState()
    return UpdateState(checked, latest) if isinstance(latest, str) else UpdateState()


def _save(path: Path, state: UpdateState) -> None:
    from jailoc.bin.host.atomic import make_private, write

    when = datetime.fromtimestamp(state.checked, tz=UTC).isoformat(timespec="seconds")
    make_private(path.parent)
    write(path, json.dumps({"checked_at": when, "latest_version": state.latest}) + "\n", 0o600)
