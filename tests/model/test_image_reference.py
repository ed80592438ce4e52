"""References of images are those of the distribution project's grammar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.model.image_reference import PATTERN, wrong


@pytest.mark.parametrize(
    "text",
    [
        "a", "a/b", "a/b/c:1.2", "debian:trixie-slim", "localhost/x", "localhost:5000/x",
        "HOST:1/x",
        "Registry.Example.com/x", "10.0.0.1:5000/x", "[::1]:5000/x", "a__b/c--d/e.f",
        "x:" + "T" * 128,
        "x@sha256:" + "0" * 64, "x:1@sha512:" + "f" * 128, "sha256:" + "0" * 64, "0" * 64,
        "xn--n3h.com/myimage",
    ],
)  # fmt: skip
def test_what_engines_take_is_taken(text: str) -> None:
    assert wrong(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "UPPER/x", "x/UPPER", "x:", ":tag", "x@", "x@sha256:12", "x@sha256:" + "A" * 64,
        "x@md5:" + "0" * 32, "http://x/y", "a//b", "-x", "x-", "x..y", "a___b", "x:1:2", "x:-1",
        "/x",
        "x/", "x:" + "1" * 129, "~/x", "a b", "x" * 256, "host:/x", "a.-b.c/x", "x\n",
    ],
)  # fmt: skip
def test_what_no_engine_takes_is_refused(text: str) -> None:
    assert wrong(text) is not None


@given(st.from_regex(PATTERN, fullmatch=True))
def test_a_tag_or_a_digest_never_makes_a_name_wrong(text: str) -> None:
    name = text.partition("@")[0]
    assert wrong(text) == wrong(name) or len(text) > 255
