"""A stand-in for OpenCode in a terminal: does what the word on its command line says."""

import os
import select
import signal
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path

KEYS = 0


def say(text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    while data:
        data = data[os.write(1, data) :]


def size() -> str:
    rows, columns = termios.tcgetwinsize(KEYS)
    return f"{rows}x{columns}"


def key() -> bytes:
    return os.read(KEYS, 1)


def until(wanted: bytes) -> None:
    while key() != wanted:
        pass


def about() -> None:
    terminals = [os.isatty(each) for each in (0, 1, 2)]
    with Path("/dev/tty").open("rb", buffering=0) as own:
        # The controlling terminal has another name here, but only one foreground group.
        same = os.tcgetpgrp(own.fileno()) == os.tcgetpgrp(KEYS)
    leader = os.getsid(0) == os.getpid() and os.tcgetpgrp(KEYS) == os.getpgrp()
    say(f"size {size()} terminals {terminals} leader {leader} tty {same}\r\n")


def sizes() -> None:
    signal.signal(signal.SIGWINCH, lambda *_: say(f"size {size()}\r\n"))
    say("ready\r\n")
    until(b"q")


def echo() -> None:
    say("ready\r\n")
    while (byte := key()) != b"q":
        say(b"<" + byte.hex().encode() + b">")


def deaf() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    say(f"ready {os.getpid()} \r\n")
    time.sleep(600)


def polite() -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    say(f"\x1b[?1049h\x1b[?25lready {os.getpid()} \r\n")
    time.sleep(600)


def tail() -> None:
    say("oc|o")
    until(b"q")


def hint() -> None:
    for piece in (b"Continue \xc3", b"\xa4 openc", b"ode -", b"s ses_1\r\n"):
        say(piece)
    os._exit(0)


def parent() -> None:
    # The child keeps the terminal open after this one is gone.
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(5)"])
    say("gone\r\n")


def flood() -> None:
    place = Path(sys.argv[2])

    def note(*_: object) -> None:
        place.write_text(size())

    signal.signal(signal.SIGWINCH, note)
    os.set_blocking(1, False)
    while True:
        try:
            os.write(1, b"x" * 4096)
        except BlockingIOError:
            place.with_suffix(".full").touch()
            select.select([], [1], [], 0.2)


def paste() -> None:
    say("ready\r\n")
    time.sleep(0.5)
    count = 0
    while count < 200_000:
        count += len(os.read(KEYS, 65536))
    say(f"got {count}\r\n")


def code() -> None:
    sys.exit(int(sys.argv[2]))


tty.setraw(KEYS)
globals()[sys.argv[1]]()
