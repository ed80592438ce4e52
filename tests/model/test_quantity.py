"""Amounts as people read them, and as docker prints them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.model.quantity import amount, duration_text, share_text, size_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
        ((1 << 20) - 1, "1024.0 KiB"), (1 << 20, "1.0 MiB"), (1 << 30, "1.0 GiB"),
        (3 << 40, "3072.0 GiB"),
    ],
)  # fmt: skip
def test_a_size_has_one_decimal_and_no_unit_above_gib(number: int, text: str) -> None:
    assert size_text(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (0, "0s"), (59, "59s"), (60, "1m 0s"), (90, "1m 30s"), (3600, "1h 0m 0s"),
     (3661, "1h 1m 1s"), (86399, "23h 59m 59s"), (86400, "1d 0h 0m"), (90061, "1d 1h 1m")],
)  # fmt: skip
def test_a_time_begins_with_its_largest_unit(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_share_of_nothing_is_none() -> None:
    assert (share_text(1, 0), share_text(1, 8)) == ("0.0%", "12.5%")


@pytest.mark.parametrize(
    ("text", "number"),
    [("0B", 0), ("596.6MiB", 625580442), ("3GiB", 3 << 30), ("1.2kB", 1200), ("1.2KB", 1200),
     ("7.5MB", 7_500_000), ("1e3B", None), ("", None), ("--", None), ("B", None), ("-1B", None),
     ("1 GiB", 1 << 30), ("1XB", None), ("nan B", None), ("1" * 21 + "B", None)],
)  # fmt: skip
def test_an_amount_of_docker_is_read_or_is_none(text: str, number: int | None) -> None:
    assert amount(text) == number


@given(st.text(max_size=12) | st.from_regex(r"[0-9.]{1,8}[kMGTP]?i?B", fullmatch=True))
def test_no_text_breaks_the_reading_of_an_amount(text: str) -> None:
    found = amount(text)
    assert found is None or found >= 0


@given(st.integers(0, 1 << 45))
def test_what_is_written_is_read_back_but_for_its_rounding(number: int) -> None:
    found = amount(size_text(number).replace(" ", ""))
    assert found is not None
    assert abs(found - number) <= max(number * 0.05, 52)
