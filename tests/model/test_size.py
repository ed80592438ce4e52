"""Amounts of memory are read as the engine reads them."""

import pytest

from jailoc.model.size import size


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1), ("1024", 1024), ("1k", 1 << 10), ("512m", 512 << 20), ("4g", 4 << 30),
        ("4G", 4 << 30), ("6M", 6 << 20), ("10K", 10 << 10),
    ],
)  # fmt: skip
def test_sizes(text: str, amount: int) -> None:
    assert size(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0g",
        "4.5g",
        "4gb",
        "-1g",
        "+1g",
        "4g\n",
        " 4g",
        "4 g",
        "g",
        "04g",
        "4t",
        "٤g",
        "1e3",
    ],
)
def test_what_is_no_size(text: str) -> None:
    assert size(text) is None
