"""Run an interactive program on a terminal of its own, between the user's terminal and jailoc.

The program sees a terminal although what it writes is filtered. Whatever happens, it is ended and
waited for, and the user's terminal is as it was.
"""

import os
import select
import signal
import subprocess
import termios
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from jailoc.bin.attach.fence import Gate, same_terminal
from jailoc.bin.attach.output import PIECE, Display
from jailoc.bin.attach.pace import Pace
from jailoc.bin.attach.wakeup import ENDING, Alarm
from jailoc.bin.attach.watchdog import Watch
from jailoc.model.path import NO_PROJECT

GRACE = 2.0
"""Seconds that a program has to end itself."""
INTERRUPTS = (b"\x03", b"\x1b[99;5u", b"\x1b[27;5;99~")
"""Ctrl-C, also as the keyboard protocols of kitty and xterm write it."""
ESCAPE = b"\x1b"
MOST_EARLY = 1 << 20
"""Bytes that wait for a program to be seen; what is typed beyond them is lost."""
EARLY = 0.05
"""Seconds between two looks whether the program may have what was typed too early."""
# A session leader without a terminal gets the one that it opens (credentials(7), tty(4)).
_TAKE_TERMINAL = 'exec "$@" <>"$0" >&0 2>&1'


class Ended(NamedTuple):
    """How a program ended."""

    code: int
    """Its exit status; negative for the signal that ended it."""
    reason: str | None
    """Why it was ended, if the watch found a reason."""
    signal: int = 0
    """The number of the signal to jailoc that ended it; 0 if none did."""
    unanswered: bool = False
    """Whether the terminal may still type an answer to what it was asked, into the shell."""

    @property
    def stopped(self) -> bool:
        """Tell whether a signal to jailoc ended it."""
        return self.signal != 0


def has_terminals() -> bool:
    """Tell whether the system has another pseudo-terminal to give."""
    try:
        pair = os.openpty()
    except OSError:
        return False
    for each in pair:
        os.close(each)
    return True


def run(
    command: list[str],
    environment: dict[str, str],
    watch: Watch,
    hint: str,
    *,
    foreign: bool = False,
    begins: str = "",
    keys: int = 0,
    screen: int = 1,
) -> Ended:
    """Run a program on a new terminal until it ends or must be ended.

    Args:
        command: The program, by its path, and its arguments.
        environment: All of its environment.
        watch: Looks whether it must be ended.
        hint: What it says before a session's name when it ends; jailoc's own is shown instead.
        foreign: Whether what it writes is a sandbox's, so that not every sequence may pass.
        begins: Of a program that takes the whole screen, what is said there while nothing of it is
            seen yet; until then Ctrl-C ends it.
        keys: The descriptor that it is typed to.
        screen: The descriptor that it is shown on.

    Raises:
        OSError: it cannot be started, or what it writes cannot be shown.
    """
    with ExitStack() as stack:
        master, slave = os.openpty()
        unowned = stack.enter_context(ExitStack())
        unowned.callback(os.close, master)
        with os.fdopen(slave) as other:
            name = os.ttyname(slave)
            typed = _Typed(keys, screen, master)
            alarm = stack.enter_context(Alarm())
            stack.enter_context(watch.running(alarm.ring))
            stack.enter_context(raw(keys))
            gate = stack.enter_context(Gate(keys, alarm))
            fence = gate.question if same_terminal(keys, screen) else b""
            gate.display = display = stack.enter_context(
                Display(master, screen, alarm, hint, foreign=foreign, begins=begins, fence=fence)
            )
            unowned.pop_all()
            typed.pace = display.pace
            if begins:
                typed.blank = lambda: not display.drawn
            process = subprocess.Popen(
                ["/bin/sh", "-c", _TAKE_TERMINAL, name, *command],
                env=environment,
                cwd=NO_PROJECT,
                stdin=other,
                stdout=other,
                stderr=other,
                start_new_session=True,
            )
            stack.callback(_finish, process)
        # From here on only the program holds its terminal, so that its end is seen.
        stopped = _serve(process, alarm, watch, typed, [display])
        gate.flushes = bool(watch.reason or stopped)
        if not gate.flushes:
            display.wait()
    if display.error and process.returncode == 0 and not watch.reason and not stopped:
        raise display.error
    return Ended(process.returncode, watch.reason, stopped, gate.unanswered)


def run_directly(command: list[str], environment: dict[str, str], watch: Watch) -> Ended:
    """Run a sandbox's program on the streams that jailoc has, until it ends or must be ended.

    What it writes to a terminal passes the filter, but for questions: what is typed is read by
    others. A file or a pipe gets every byte as it is.

    Raises:
        OSError: it cannot be started, or what it writes cannot be shown.
    """
    with ExitStack() as stack:
        alarm = stack.enter_context(Alarm())
        stack.enter_context(watch.running(alarm.ring))
        stack.enter_context(as_it_was(0))
        displays: list[Display] = []
        writing: list[int | None] = []
        inner = stack.enter_context(ExitStack())
        for screen in (1, 2):
            if not os.isatty(screen):
                writing.append(None)
                continue
            reading, other = os.pipe()
            inner.callback(os.close, other)
            writing.append(other)
            shown = Display(reading, screen, alarm, "", foreign=True)
            displays.append(stack.enter_context(shown))
        process = subprocess.Popen(
            command, env=environment, cwd=NO_PROJECT, stdout=writing[0], stderr=writing[1]
        )
        stack.callback(_finish, process)
        inner.close()
        stopped = _serve(process, alarm, watch, displays=displays)
        if not watch.reason and not stopped:
            for each in displays:
                each.wait()
    error = next((each.error for each in displays if each.error), None)
    if error and process.returncode == 0 and not watch.reason and not stopped:
        raise error
    return Ended(process.returncode, watch.reason, stopped)


@contextmanager
def as_it_was(descriptor: int) -> Iterator[None]:
    """Give a terminal its modes back, however the block ends."""
    try:
        before = termios.tcgetattr(descriptor)
    except termios.error:
        yield
        return
    try:
        yield
    finally:
        with suppress(termios.error):
            # At once: waiting for the output to drain could take for ever.
            termios.tcsetattr(descriptor, termios.TCSANOW, before)


@contextmanager
def raw(descriptor: int) -> Iterator[None]:
    """Hand on each key as it is typed; what is no terminal stays as it is."""
    with as_it_was(descriptor):
        if os.isatty(descriptor):
            tty.setraw(descriptor, termios.TCSANOW)
        yield


def _finish(process: "subprocess.Popen[bytes]") -> None:
    """Leave no process behind, not even a dead one."""
    if process.poll() is None:
        process.kill()
    process.wait()


class _Typed:
    """What is typed, on its way to the program, and the size of the terminal it is typed at."""

    def __init__(self, keys: int, screen: int, master: int) -> None:
        self.keys, self.master = keys, master
        self.open, self.waiting = True, b""
        self.blank: Callable[[], bool] = lambda: False
        """Whether nothing of the program is seen yet, so that an interrupt is jailoc's."""
        self.pace: Pace | None = None
        """What takes out of it what answers jailoc."""
        self._early = b""
        """Text of before that: a program that begins would drop it (TCSAFLUSH, termios(3))."""
        self._signals: set[int] = set()
        self._sizes = (keys, screen, 2)
        self._terminal = os.isatty(keys)
        os.set_blocking(master, False)
        self.resize()

    @property
    def lost(self) -> bool:
        """Tell whether the user's terminal is gone."""
        return self._terminal and not self.open

    def resize(self) -> None:
        """Give the program's terminal the size of the user's."""
        for each in self._sizes:
            with suppress(termios.error, OSError):
                termios.tcsetwinsize(self.master, termios.tcgetwinsize(each))
                return
        termios.tcsetwinsize(self.master, (24, 80))

    def resume(self) -> None:
        """Be raw again: the shell has set its own modes while jailoc was stopped."""
        with suppress(termios.error):
            if self._terminal:
                tty.setraw(self.keys, termios.TCSANOW)

    def carry(self, *, read: bool) -> None:
        """Take what is typed, if there is something to read, and hand on what the program takes."""
        if read:
            self._read()
        elif self.pace:
            self._take(self.pace.typed(b""))
        if self.waiting:
            self._write()

    def _read(self) -> None:
        try:
            piece = os.read(self.keys, PIECE)
        except OSError:
            piece = b""
        self.open = bool(piece)
        self._take(self.pace.typed(piece) if self.pace else piece)

    def _take(self, piece: bytes) -> None:
        if self._terminal and any(each in piece for each in INTERRUPTS) and self.blank():
            # A client that begins swallows it, and nobody knows whether it has begun.
            self._signals.add(signal.SIGINT)
            piece = b""
        if self._terminal and ESCAPE not in piece and self.blank():
            # Bounded, and read on: an interrupt may come behind it.
            self._early = (self._early + piece)[:MOST_EARLY]
        else:
            self._release()
            # Before it also the terminal's own answers, for which a program may wait.
            self.waiting += piece

    @property
    def room(self) -> bool:
        """Tell whether more may be read."""
        return self.open and len(self.waiting) < PIECE

    @property
    def early(self) -> bool:
        """Tell whether something waits for the program to be seen; if it is, that may go now."""
        self._release()
        return bool(self._early)

    def _release(self) -> None:
        if self._early and not self.blank():
            self.waiting, self._early = self.waiting + self._early, b""

    def taken(self) -> set[int]:
        """Return what was typed for jailoc as a signal, since the last call."""
        found, self._signals = self._signals, set()
        return found

    def _write(self) -> None:
        try:
            self.waiting = self.waiting[os.write(self.master, self.waiting) :]
        except BlockingIOError:
            return
        except OSError:
            self.waiting = b""


def _serve(
    process: "subprocess.Popen[bytes]",
    alarm: Alarm,
    watch: Watch,
    typed: _Typed | None = None,
    displays: Sequence[Display] = (),
) -> int:
    """Carry keys, sizes and signals until the program has ended.

    Returns:
        The signal that ended it; 0 if none did.
    """
    stopped = 0
    deadline: float | None = None
    while process.poll() is None:
        lost = (typed and typed.lost) or any(each.error for each in displays)
        if deadline is None and (watch.reason or stopped or lost):
            process.terminate()
            deadline = time.monotonic() + GRACE
        patience = EARLY if typed and typed.early else None
        if deadline is not None:
            patience = max(0.0, deadline - time.monotonic())
        reading = [typed.keys] if typed and typed.room and deadline is None else []
        writing = [typed.master] if typed and typed.waiting else []
        readable, _, _ = select.select([alarm.descriptor, *reading], writing, [], patience)
        if deadline is not None and time.monotonic() >= deadline:
            process.kill()
            deadline = time.monotonic() + GRACE
        if typed:
            typed.carry(read=typed.keys in readable)
        signals = alarm.taken() | (typed.taken() if typed else set())
        if typed and signal.SIGCONT in signals:
            typed.resume()
        if typed and signals & {signal.SIGCONT, signal.SIGWINCH}:
            typed.resize()
        if ending := signals & ENDING:
            if stopped:
                # The second one does not wait any more.
                process.kill()
            stopped = stopped or min(ending)
    return stopped
