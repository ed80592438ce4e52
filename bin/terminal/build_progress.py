"""A build as people see it: a live display on a terminal, one line a step anywhere else."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jailoc.bin.terminal import status_line
from jailoc.bin.terminal.palette import RICH
from jailoc.bin.terminal.terminal import Terminal, visible
from jailoc.generators.runtime.build_log import Event, What
from jailoc.model.palette import Meaning

if TYPE_CHECKING:
    from rich.console import RenderableType

Show = Callable[[Event], None]
SHOWN_LINES, SHOWN_STEPS = 6, 4


@contextmanager
def shown(terminal: Terminal, title: str) -> Iterator[Show]:
    """Show the events of one build while it lasts."""
    started = time.monotonic()
    if terminal.live:
        with _live(terminal, title) as show:
            yield show
    else:
        terminal.say(title)
        yield lambda event: _plain(terminal, event)
        return
    # The live display is gone; what stays is one line.
    terminal.say(f"{title}: done in {time.monotonic() - started:.0f} s")


def _plain(terminal: Terminal, event: Event) -> None:
    if event.what is What.BEGUN and event.step.startswith("[") and not _internal(event.step):
        terminal.say(f"  {_short(event.step)}", Meaning.MUTED)


def _short(step: str, width: int = 100) -> str:
    text = " ".join(step.split())
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _internal(step: str) -> bool:
    return step.startswith("[internal]")


class Board:
    """What the live display shows: the steps that run, for how long, and the last lines."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.title, self._clock, self._started = title, clock, clock()
        self._running: dict[str, float] = {}
        self._lines: deque[str] = deque(maxlen=SHOWN_LINES)

    def take(self, event: Event) -> None:
        """Take the next event."""
        if event.what is What.BEGUN:
            self._running[event.step] = self._clock()
        elif event.what is What.SAID:
            self._lines.append(event.text)
        elif event.what is What.TEXT:
            if event.step:
                self._lines.append(event.text)
        else:
            self._running.pop(event.step, None)

    def steps(self) -> list[str]:
        """Return the steps that run, each with its seconds."""
        now = self._clock()
        lines = [f"{now - since:4.0f} s  {visible(step)}" for step, since in self._running.items()]
        return lines[-SHOWN_STEPS:]

    def lines(self) -> list[str]:
        """Return the last lines that the steps wrote."""
        return [visible(each) for each in self._lines]

    def elapsed(self) -> float:
        """Return the seconds since the beginning."""
        return self._clock() - self._started


@contextmanager
def _live(terminal: Terminal, title: str) -> Iterator[Show]:
    # Only a build on a terminal needs it, and it is slow to import.
    from rich.console import Console, Group  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415
    from rich.spinner import Spinner  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    board = Board(title)
    spinner = Spinner("dots")

    def text(line: str, style: Meaning | None = None) -> Text:
        return Text(
            line, style=RICH[style] if style else "default", no_wrap=True, overflow="ellipsis"
        )

    def render() -> "RenderableType":
        spinner.update(
            text=text(f"{visible(board.title)} ({board.elapsed():.0f} s)", Meaning.NOTES)
        )
        return Group(
            spinner,
            *(text(each) for each in board.steps()),
            *(text(f"    {each}", Meaning.MUTED) for each in board.lines()),
        )

    console = Console(stderr=True, no_color=not terminal.colorful, highlight=False)
    with (
        status_line.Live.silent(),
        Live(get_renderable=render, console=console, refresh_per_second=8, transient=True),
    ):
        yield board.take
