"""Run a program of the user's on the streams that jailoc has, as a shell would."""

import errno
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

OWN = {"PYDANTIC_DISABLE_PLUGINS"}
"""Variables that are jailoc's, not the user's."""


def run(
    command: Sequence[str], begun: Callable[[int], None], more: Mapping[str, str] | None = None
) -> int:
    """Run a program until its end, with the variables that jailoc was given.

    An interrupt of the terminal is left to it, as by system(3); what asks jailoc to end is handed
    on.

    Args:
        command: The program, by its path, and its arguments.
        begun: Is told the number of its process, in that, before the program is there: whoever
            ends us leaves none of which nobody knows. If it raises, there will be none.
        more: Variables that it is given besides.

    Returns:
        Its exit status; negative for the signal that ended it.

    Raises:
        OSError: it cannot be started.
    """
    environment = {key: value for key, value in os.environ.items() if key not in OWN}
    environment |= more or {}
    with _heard() as to:
        try:
            process = subprocess.Popen(
                command,
                env=environment,
                # A shell has opened some for it, as `<(...)`; ours are not inherited.
                close_fds=False,
                preexec_fn=lambda: begun(os.getpid()),  # noqa: PLW1509 -- it takes no lock
            )
        except subprocess.SubprocessError as error:
            raise OSError(errno.EPIPE, "nobody would let the agents go on") from error
        to(process)
        return process.wait()


@contextmanager
def _heard() -> Iterator[Callable[["subprocess.Popen[bytes]"], None]]:
    to: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def hand(number: int, frame: FrameType | None) -> None:
        if not to:
            early.append(number)
        for each in to:
            each.send_signal(number)

    def begin(process: "subprocess.Popen[bytes]") -> None:
        to.append(process)
        while early:
            process.send_signal(early.pop(0))

    def leave(number: int, frame: FrameType | None) -> None:
        pass

    ways = {signal.SIGINT: leave, signal.SIGQUIT: leave, signal.SIGTERM: hand, signal.SIGHUP: hand}
    before = {
        number: signal.signal(number, way)
        for number, way in ways.items()
        # What was started deaf to a signal stays so, and so does what it runs.
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield begin
    finally:
        for number, way in before.items():
            signal.signal(number, way)
