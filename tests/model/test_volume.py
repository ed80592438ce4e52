"""Volumes: the notation reads back as written; what is said of the image is in its Dockerfile."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from jailoc.generators.assets import asset
from jailoc.model.path import CONTAINER_SYSTEM, clean, first_within, within
from jailoc.model.sandbox import AGENT_HOME
from jailoc.model.volume import MADE, parse_volume


@given(st.text(alphabet="abz09-:/.~_@+ $A", max_size=20) | st.text(max_size=8))
def test_every_text_is_a_volume_in_its_bounds_or_an_error_of_ours(text: str) -> None:
    try:
        found = parse_volume(text)
    except PydanticCustomError:
        return
    assert parse_volume(found.text) == found
    assert found.place == clean(found.place)
    assert first_within(found.place, CONTAINER_SYSTEM) is None
    assert not within(AGENT_HOME, found.place)
    # Compose reads it as it is: nothing in it is a variable, and it is on one line.
    assert re.fullmatch(r"/[A-Za-z0-9._@+/~-]+", found.place)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", found.name)


@pytest.mark.parametrize(
    "text", ["n:~/../../etc", "n:~/../../usr/x", "n:/home/agent/../agent", "n:~/."]
)
def test_a_way_back_is_followed_before_a_place_is_judged(text: str) -> None:
    with pytest.raises(PydanticCustomError, match="cannot be at"):
        parse_volume(text)


def test_the_directories_that_the_image_has_are_made_in_it() -> None:
    (made,) = re.findall(r"mkdir -p (.*?)[ ;]*\\\\?\n", asset("agent.Dockerfile"))
    for each in MADE:
        assert any(within(f"/{one}", f"/{each}") for one in [*made.split(), ".local/share/x"])
