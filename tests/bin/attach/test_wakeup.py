"""Signals wake the loop that runs a program, and end it, unless jailoc was started deaf to them."""

import os
import signal
from collections.abc import Iterator

import pytest

from jailoc.bin.attach.wakeup import ENDING, Alarm


@pytest.fixture(params=sorted(ENDING))
def number(request: pytest.FixtureRequest) -> Iterator[int]:
    before = signal.getsignal(request.param)
    yield request.param
    signal.signal(request.param, before)


@pytest.mark.parametrize("deaf", [False, True])
def test_what_was_started_deaf_to_a_signal_stays_so(number: int, deaf: bool) -> None:
    given = signal.SIG_IGN if deaf else signal.SIG_DFL
    signal.signal(number, given)
    with Alarm() as alarm:
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGWINCH)
        assert alarm.taken() == {signal.SIGWINCH, *(() if deaf else (number,))}
    assert signal.getsignal(number) is given
