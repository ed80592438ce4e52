"""Where a file of the host is seen in a container, whatever way the mounts go."""

import pytest

from jailoc.model.hidden_files import seen
from jailoc.model.host import Host
from jailoc.model.seen_root import Root

FILE = "/home/a/.config/opencode/service.json"
HOST = Host(home="/home/a", links={"/home/a/conf": "/home/a/.config"})


def root(path: str, container: str, *, writable: bool = False) -> Root:
    return Root(path=path, container=container, writable=writable)


def places(*roots: Root) -> list[str]:
    return [each.place for each in seen([FILE], roots, HOST)]


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        ([root("/home/a/.config/opencode", "/c")], ["/c/service.json"]),
        ([root("/home/a/.config", "/c")], ["/c/opencode/service.json"]),
        ([root("/home/a/conf", "/c")], ["/c/opencode/service.json"]),
        ([root("/home/a/.config/other", "/c")], []),
        ([root("/home/a/.config/open", "/c")], []),
        ([root(FILE, "/s")], ["/s"]),
        ([root("/home/a/.config", "/c"), root("/data", "/c/opencode")], []),
        ([root("/home/a/.config", "/c"), root("/data", "/c/opencode/service.json")], []),
        ([root("/home/a/.config", "/c"), root("/d", "/c/opencod")], ["/c/opencode/service.json"]),
        ([root("/home/a/.config", "/c"), root("/data", "/c")], []),
        (
            [root("/home/a/.config", "/c"), root("/home/a/.config/opencode", "/d")],
            ["/c/opencode/service.json", "/d/service.json"],
        ),
    ],
)  # fmt: skip
def test_a_file_is_found_where_it_shows(roots: list[Root], expected: list[str]) -> None:
    assert places(*roots) == expected


def test_a_mount_of_just_the_file_is_told_apart() -> None:
    every = (root("/home/a/.config", "/c"), root(FILE, "/s"))
    assert {each.place: each.named for each in seen([FILE], every, HOST)} == {
        "/c/opencode/service.json": False,
        "/s": True,
    }
