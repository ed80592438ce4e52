"""What people see: colours where they are wanted, diagnostics, progress lines."""

import copy
import os
import re
import select
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, ClassVar, TextIO

from jailoc.bin.terminal.palette import SGR
from jailoc.bin.terminal.wrap import wrapped
from jailoc.model.palette import Meaning
from jailoc.model.text import cut, few, visible

if TYPE_CHECKING:  # the model is heavy, and help needs none of it
    from jailoc.model.diagnostic import Diagnostic

__all__ = ["ERASE", "RESULTS", "Terminal", "visible"]

ERASE = "\r\x1b[K"
"""To the beginning of the line, and erase from there on (ECMA-48, EL)."""


NARROWEST = 20
"""Columns below which a terminal breaks lines as it likes."""
MOST_ALIKE = 20
"""Warnings of one kind that are shown."""
AT_ONCE = select.PIPE_BUF // 4 - 8
"""Characters of a line, none of more than four bytes, that a pipe takes at once (pipe(7))."""
RESULTS = "standard output"
"""What stands for a file's name in the error of results that cannot be written."""


_STEERS_PLAIN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_STEERS = re.compile(
    r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\x1b(?!\[[0-9;]*m)"
)
"""Control characters (ECMA-48) but for ends of lines and tabs, and those that turn the direction of
text (Unicode, section 23.2); the second lets colours pass."""


@contextmanager
def _results() -> Iterator[None]:
    """Name standard output in the error of what cannot be written there."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, RESULTS) from None


def _taken_at_once(stream: TextIO) -> bool:
    """Tell whether a stream takes a short line without anybody having to wait (select(2))."""
    try:
        return bool(select.select([], [stream], [], 0)[1])
    except (OSError, ValueError):
        return False


class Terminal:
    """The two output streams of one run: results on stdout, talk on stderr."""

    drawn: ClassVar[bool] = False
    """Whether a line stands on the terminal that the next one takes the place of."""

    def __init__(self, color: bool = True, verbose: bool = False) -> None:
        # Results that go elsewhere mean that somebody records this run: talk stays plain, too.
        allowed = (
            color
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
            and sys.stdout.isatty()
        )
        self._prefix, self._steady, self._waits = "", False, True
        self._verbose = verbose
        self._told: set[object] = set()
        self._color = {stream: allowed and stream.isatty() for stream in (sys.stdout, sys.stderr)}

    @property
    def colors(self) -> bool:
        """Tell whether results may be coloured."""
        return self._color.get(sys.stdout, False)

    @property
    def live(self) -> bool:
        """Tell whether talk may be drawn over: it goes to a terminal that can."""
        return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    @property
    def colorful(self) -> bool:
        """Tell whether talk may be coloured."""
        return self._color[sys.stderr]

    def paint(self, text: str, style: Meaning, stream: TextIO) -> str:
        """Wrap text in an SGR sequence (ECMA-48) if the stream shows colours."""
        return f"\x1b[{SGR[style]}m{text}\x1b[0m" if self._color.get(stream) else text

    def result(self, text: str) -> None:
        """Write a result, as it is but for what would steer a terminal: that is shown as signs.

        Its lines stay lines, and its colours are this program's own.
        """
        # A name of a file can hold any of them, and whoever made the file chose it.
        text = (_STEERS if self.colors else _STEERS_PLAIN).sub(lambda each: visible(each[0]), text)
        with _results():
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
            sys.stdout.flush()

    def told(self, text: str) -> None:
        """Write a line for people with words of others in it, such as the name of a file."""
        self.result(visible(text))

    def colored(self, text: str, style: Meaning | None, *, whole: bool = False) -> None:
        """Write a result line; control characters in it are shown as signs.

        Args:
            text: The line.
            style: What it means.
            whole: Whether it is no sentence, so that a terminal gets it unbroken.
        """
        line = visible(text) if whole else self._fitting(visible(text), sys.stdout)
        self.result(self.paint(line, style, sys.stdout) if style else line)

    def first(self, told: object) -> bool:
        """Tell whether this is about to be told for the first time in this run."""
        new = told not in self._told
        self._told.add(told)
        return new

    def prefixed(self, prefix: str) -> "Terminal":
        """Return the same streams, with a prefix before every line of talk."""
        import copy

        other = copy.copy(self)
        other._prefix = self._prefix + prefix
        return other

    @property
    def width(self) -> int:
        """Return the columns of the terminal that results go to, or `COLUMNS`; else 80."""
        return shutil.get_terminal_size((80, 24)).columns

    def verdict(self, word: str, good: bool = False) -> str:
        """Return a word of judgement, green or red where results are coloured."""
        return self.paint(f"{word:6}", Meaning.DONE if good else Meaning.FAILS, sys.stdout)

    def judged(self, word: str, text: str, *, good: bool = False) -> None:
        """Write a result line that begins with a word of judgement."""
        self.marked(f"{word:6}", text, Meaning.DONE if good else Meaning.FAILS)

    def marked(self, word: str, text: str, meaning: Meaning) -> None:
        """Write a result line that begins with a word in the colour of its meaning."""
        line = self._fitting(visible(f"{word}{text}"), sys.stdout)
        self.result(self.mark(word, meaning) + line[len(word) :])

    def mark(self, word: str, meaning: Meaning) -> str:
        """Return a word in the colour of its meaning, where results are coloured."""
        return self.paint(word, meaning, sys.stdout)

    def title(self, text: str) -> str:
        """Return a title, bold where results are coloured."""
        return self.paint(text, Meaning.TITLE, sys.stdout)

    def raw(self, data: bytes) -> None:
        """Write a result that may be no text."""
        with _results():
            sys.stdout.buffer.write(data)
            sys.stdout.flush()

    def redraw(self) -> bool:
        """Begin a new picture where the last one was; False where results go to no screen."""
        if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
            return False
        # To the upper left, and erase from there on (ECMA-48, CUP and ED).
        sys.stdout.write("\x1b[H\x1b[J")
        return True

    def heading(self, text: str) -> None:
        """Write a heading among results."""
        self.result(self.title(text))

    def data(self, value: object) -> None:
        """Write a result for programs."""
        self.result(_json(value, indent=2))

    def line(self, value: object) -> None:
        """Write one of many results for programs, on a line of its own."""
        self.result(_json(value))

    def say(self, text: str, style: Meaning = Meaning.NOTES) -> None:
        """Write a progress line."""
        if not self._waits:
            if not _taken_at_once(sys.stderr):
                return
            text = cut(text, AT_ONCE)
        shown = self._fitting(visible(self._prefix + text), sys.stderr)
        line = self.paint(shown, style, sys.stderr) + "\n"
        with suppress(*((OSError, ValueError) if self._steady else ())):
            # A line that moves is drawn again by whoever moves it.
            sys.stderr.write(f"{ERASE}{line}" if Terminal.drawn else line)
            sys.stderr.flush()
        Terminal.drawn = False

    @staticmethod
    def _fitting(line: str, stream: TextIO) -> str:
        """Break a line between words where it goes to a terminal."""
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):  # no terminal
            return line
        return wrapped(line, width) if width >= NARROWEST else line

    def end_line(self) -> None:
        """End the line on which a terminal has echoed the keys that end a question or a view."""
        if sys.stdin.isatty() and sys.stderr.isatty():
            with suppress(OSError, ValueError):
                sys.stderr.write("\n")
                sys.stderr.flush()

    def quote(self, line: str) -> None:
        """Write a line that another program wrote."""
        self.say(f"  {line}", Meaning.MUTED)

    def detail(self, line: str) -> None:
        """Write a line that another program wrote, for who wants to know it all."""
        if self._verbose:
            self.quote(line)

    def steady(self) -> "Terminal":
        """Return the same streams; talk that nobody hears any more stops nothing."""
        other = copy.copy(self)
        other._steady = True
        return other

    def hasty(self) -> "Terminal":
        """Return the same streams, steady; talk is left out while its reader is behind."""
        other = self.steady()
        other._waits = False
        return other

    @property
    def moving(self) -> bool:
        """Tell whether a line may be drawn over: nobody else writes there at the same time."""
        return self.live and not (self._prefix or self._verbose)

    def ask(self, text: str) -> None:
        """Write a question; the answer is typed on the same line."""
        bold = self.paint(visible(text), Meaning.TITLE, sys.stderr)
        sys.stderr.write(self.paint(bold, Meaning.WARNS, sys.stderr))
        sys.stderr.flush()

    def diagnose(self, diagnostics: "Iterable[Diagnostic]", *, once: bool = False) -> None:
        """Show problems: where, what, the code, the line with a marker, what is allowed, a hint.

        Of very many warnings of one kind some are shown, and the number of the others.

        Args:
            diagnostics: The problems.
            once: Whether those are left out that this run has shown so before.
        """
        if once:
            diagnostics = [each for each in diagnostics if self.first(each)]
        warned: dict[str, int] = {}
        shown: tuple[str, int] | None = None
        for each in diagnostics:
            if each.severity == "warning":
                warned[each.code] = warned.get(each.code, 0) + 1
                if warned[each.code] > MOST_ALIKE:
                    continue
            line = (each.file or "", each.position.line) if each.position else None
            # A line of which there is more to say is shown once: the column stands at each.
            sys.stderr.write(self._render(each, quotes=line is None or line != shown))
            shown = line
        for code, count in warned.items():
            if count > MOST_ALIKE:
                head = self.paint("Warning:", Meaning.WARNS, sys.stderr)
                sys.stderr.write(
                    f"{head} {count - MOST_ALIKE} more of the kind `{code}`: "
                    "`jailoc validate --json` has them all\n"
                )
        sys.stderr.flush()

    def _render(self, each: "Diagnostic", *, quotes: bool = True) -> str:
        title, style = (
            ("Error", Meaning.FAILS) if each.severity == "error" else ("Warning", Meaning.WARNS)
        )
        head = self.paint(f"{title}:", style, sys.stderr)
        place = ""
        if each.file:
            place = each.file
            if each.position:
                place += f":{each.position.line}:{each.position.column}"
            place += ": "
        subject = f"{each.where}: " if each.where else ""
        code = f"[{each.code}]"
        first = self._fitting(
            visible(f"{title}: {place}{subject}{each.message} {code}"), sys.stderr
        )
        first = first.removeprefix(f"{title}:").removesuffix(code)
        lines = [f"{head}{first}{self.paint(code, Meaning.MUTED, sys.stderr)}"]
        if quotes and each.position and each.text is not None:
            number = str(each.position.line)
            before = each.text[: each.position.column - 1]
            # Tabs stay tabs, so that the marker stands under its character.
            indent = "".join(char if char == "\t" else " " for char in before)
            lines += [f"  {number} | {visible(each.text)}", f"  {' ' * len(number)} | {indent}^"]
        below = [("allowed", each.allowed), ("hint", each.hint)]
        # What was meant is read first; what would be allowed may take many lines (JSON has all).
        if each.hint and each.hint.startswith("did you mean"):
            below = [("hint", each.hint), ("allowed", few(each.allowed or ""))]
        lines += [
            self._fitting(f"  {head}: {visible(text)}", sys.stderr) for head, text in below if text
        ]
        return "\n".join(lines) + "\n"


def _json(value: object, indent: int | None = None) -> str:
    """Write JSON in which no character steers a terminal, turns its direction or is no text."""
    import json

    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return re.sub("[^\n -~]", lambda match: _escaped(match[0]), text)


def _escaped(char: str) -> str:
    """Return a character that may be shown as it is, and another one by its number (RFC 8259)."""
    if char.isprintable():
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(
        f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)
    )
