"""What `verify` tried itself is no news; what the sandbox tried at the same places is."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.runtime.own_probes import (
    Attempt,
    Key,
    Own,
    key,
    note,
    parse,
    text,
    uptime,
    without,
)
from jailoc.generators.runtime.probes import USUAL
from jailoc.model.firewall import Protocol
from jailoc.model.rule_match import COUNTED

PLACE = ipaddress.ip_address("192.168.7.7")
SENT: Key = (PLACE, Protocol.TCP, USUAL)


def attempt(times: int, ago: int, port: int | None = USUAL) -> Attempt:
    return Attempt(address=PLACE, protocol=Protocol.TCP, port=port, times=times, ago=ago)


def verified(before: list[Attempt], after: list[Attempt]) -> dict[Key, Own]:
    return note([SENT], before, after, {}, (100, 102))


def test_what_verify_alone_tried_is_no_news() -> None:
    known = verified([], [attempt(1, 1)])
    assert without([attempt(1, 9)], known, 110) == ()


@pytest.mark.parametrize("port", [USUAL + 1, 443, None])
def test_other_places_are_told_as_they_were_counted(port: int | None) -> None:
    known = verified([], [attempt(1, 1), attempt(2, 1, port)])
    assert without([attempt(2, 9, port)], known, 110) == (attempt(2, 9, port),)


def test_what_the_sandbox_tried_before_is_told_without_the_probe() -> None:
    known = verified([attempt(3, 40)], [attempt(4, 1)])
    assert without([attempt(4, 9)], known, 110) == (attempt(3, 50),)


def test_what_the_sandbox_tries_later_is_told_without_the_probe() -> None:
    known = verified([], [attempt(1, 1)])
    assert without([attempt(2, 3)], known, 110) == (attempt(1, 3),)
    # One that the kernel has forgotten the first of meanwhile.
    assert without([attempt(1, 3)], known, 9000) == (attempt(1, 3),)


def test_what_the_sandbox_tried_meanwhile_is_told() -> None:
    known = verified([], [attempt(3, 1)])
    assert without([attempt(3, 9)], known, 110) == (attempt(2, 9),)


def test_a_second_verify_keeps_what_the_first_knew() -> None:
    first = verified([attempt(3, 40)], [attempt(4, 1)])
    second = note([SENT], [attempt(4, 99)], [attempt(5, 1)], first, (200, 202))
    assert without([attempt(5, 9)], second, 210) == (attempt(3, 150),)
    alone = verified([], [attempt(1, 1)])
    again = note([SENT], [attempt(1, 99)], [attempt(2, 1)], alone, (200, 202))
    assert without([attempt(2, 9)], again, 210) == ()


def test_what_is_older_than_the_kernel_remembers_goes() -> None:
    first = verified([attempt(3, 40)], [attempt(4, 1)])
    assert note([], [], [], first, (102 + COUNTED, 103 + COUNTED)) == {}


@given(
    st.dictionaries(
        st.tuples(st.ip_addresses(), st.sampled_from(Protocol), st.none() | st.integers(0, 65535)),
        st.builds(Own, *[st.integers(0, 1 << 40)] * 4),
    )
)
def test_notes_are_read_back(known: dict[Key, Own]) -> None:
    assert parse(text(known)) == known


@given(st.text(), st.text())
def test_notes_of_any_other_form_say_nothing(before: str, after: str) -> None:
    assert parse(before + "|" + after) == {}
    assert uptime("x" + before) == 0
    assert uptime("1234.56 99.1\n") == 1234
    assert key(attempt(1, 1)) == SENT
