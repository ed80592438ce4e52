"""What no sandbox may have of the host, however its path is spelt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.model.forbidden_paths import CREDENTIALS, ENGINES, SYSTEM, trespass
from jailoc.model.host import Host

HOST = Host(
    home="/home/alice",
    links={"/data/link": "/home/alice/.ssh", "/data/up": "/home"},
    sockets=("/srv/engine/own.sock",),
)
FORBIDDEN = (
    *SYSTEM,
    *(f"/home/alice/{each}" for each in (*CREDENTIALS, *ENGINES)),
    "/home/alice/.config/jailoc", "/home/alice/.cache/jailoc", "/home/alice/.local/share/jailoc",
    "/srv/engine/own.sock",
)  # fmt: skip
segments = st.lists(st.sampled_from(["a", "b.c", "x-y"]), max_size=3)


@given(st.sampled_from(FORBIDDEN), segments)
def test_nothing_below_a_forbidden_place_is_free(place: str, below: list[str]) -> None:
    assert trespass("/".join([place, *below]), HOST)


@given(st.sampled_from(FORBIDDEN), segments, st.data())
def test_no_case_hides_a_forbidden_place(place: str, below: list[str], data: st.DataObject) -> None:
    text = "/".join([place, *below])
    path = "".join(data.draw(st.sampled_from((each.lower(), each.upper()))) for each in text)
    assert trespass(path, HOST)
    assert trespass(path.upper(), HOST)


def test_no_case_of_the_machines_own_names_lets_another_through() -> None:
    host = Host(home="/Users/Alice", sockets=("/Srv/Own.Sock",))
    for path in (
        "/users/alice",
        "/users",
        "/Users/alice/.ssh",
        "/srv/own.sock",
        "/users/ALICE/.Rd",
    ):
        assert trespass(path, host), path


@given(st.sampled_from(FORBIDDEN), st.integers(0, 9))
def test_nothing_above_one_is_free_but_the_system_may_have_neighbours(place: str, up: int) -> None:
    parts = place.split("/")
    above = "/".join(parts[: max(1, len(parts) - up)]) or "/"
    assert trespass(above, HOST)


@pytest.mark.parametrize("path", ["/data/link", "/data/up", "/x/docker.sock", "/"])
def test_links_sockets_and_the_root_are_seen_through(path: str) -> None:
    assert trespass(path, HOST)


@pytest.mark.parametrize(
    "path", ["/home/alice/src", "/home/alice/.sshd", "/varied", "/srv/engine2", "/home/bob/src"]
)
def test_neighbours_are_free(path: str) -> None:
    assert trespass(path, HOST) is None
