"""Who else has something of a project's is found, whatever he calls himself."""

import json

import pytest

from jailoc.bin.engine import door
from jailoc.bin.engine.neighbours import Neighbour, neighbours
from jailoc.generators.runtime.verify import alone

MINE, OTHER, TOOL = "a" * 64, "b" * 64, f"/jailoc-tools-{'c' * 32}"
NETWORK, SECRETS, DATA = (f"jailoc-api_{each}" for each in ("jailoc", "secrets", "data"))


def row(
    name: str, *modes: str, networks: tuple[str, ...] = (), volumes: tuple[str, ...] = ()
) -> str:
    network, pid, ipc = (*modes, "", "", "")[:3]
    return json.dumps([name, network, pid, ipc, [*networks, None], [*volumes, None]])


@pytest.mark.parametrize(
    ("line", "has"),
    [
        (row("/web"), ()),
        (row("/web", networks=("bridge",), volumes=("jailoc-api_fix_secrets",)), ()),
        (row("/web", networks=("bridge", NETWORK)), (NETWORK,)),
        (row("/web", volumes=(SECRETS, SECRETS)), (SECRETS,)),
        (row("/web", f"container:{MINE}"), ("namespaces",)),
        (row("/web", "bridge", "", f"container:{MINE}"), ("namespaces",)),
        (row("/web", f"container:{OTHER}"), ()),
        # One that reads what holds data; anybody can take such a name.
        (row(TOOL, volumes=(DATA,)), ()),
        (row(f"{TOOL}x", volumes=(DATA,)), (DATA,)),
        (row(TOOL, volumes=(DATA, SECRETS)), (DATA, SECRETS)),
        (row(TOOL, networks=(NETWORK,)), (NETWORK,)),
        ("no row", ()),
    ],
)
def test_what_a_container_has_of_a_projects_is_found(line: str, has: tuple[str, ...]) -> None:
    asked: list[door.Call] = []

    def answer(call: door.Call) -> door.Reply:
        if call.arguments[0] == "ps":
            return door.Reply(0, f"{MINE}\n{OTHER}\n".encode(), b"")
        # One that is gone by now is an error, and none that are left are told whole then.
        asked.append(call)
        if len(asked) == 1:
            return door.Reply(1, b"", b"no such container")
        return door.Reply(0, f"{line}\n".encode(), b"")

    with door.answered(answer):
        found = neighbours({MINE}, {NETWORK, SECRETS, DATA}, {DATA})
    assert [each.has for each in found] == ([has] if has else [])
    assert alone(found).ok == (not has)


def test_few_are_named() -> None:
    check = alone([Neighbour(f"web-{each}", (NETWORK,)) for each in range(5)])
    assert check.found.endswith(f"web-2 ({NETWORK}) and 2 more")
