"""Who else has something of a project's is found, whatever he calls himself."""

import json

import pytest

from jailoc.bin.engine import door
from jailoc.bin.engine.neighbours import Neighbour, neighbours
from jailoc.generators.runtime.verify import alone

MINE, OTHER, TOOL = "a" * 64, "b" * 64, f"/jailoc-tools-{'c' * 32}"
NETWORK, SECRETS = "jailoc-api_jailoc", "jailoc-api_secrets"


def row(
    name: str, *modes: str, networks: tuple[str, ...] = (), volumes: tuple[str, ...] = ()
) -> str:
    network, pid, ipc = (*modes, "", "", "")[:3]
    return json.dumps([OTHER, name, network, pid, ipc, [*networks, None], [*volumes, None]])


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
        (row(TOOL, volumes=(SECRETS,)), ()),
        (row(f"{TOOL}x", volumes=(SECRETS,)), (SECRETS,)),
        ("no row", ()),
    ],
)
def test_what_a_container_has_of_a_projects_is_found(line: str, has: tuple[str, ...]) -> None:
    def answer(call: door.Call) -> door.Reply:
        if call.arguments[0] == "ps":
            return door.Reply(0, f"{MINE}\n{OTHER}\n".encode(), b"")
        # One that is gone by now is an error.
        return door.Reply(1, f"{line}\n".encode(), b"no such container")

    with door.answered(answer):
        found = neighbours({MINE}, {NETWORK, SECRETS})
    assert [each.has for each in found] == ([has] if has else [])
    assert alone(found).ok == (not has)


def test_few_are_named() -> None:
    check = alone([Neighbour(f"web-{each}", (NETWORK,)) for each in range(5)])
    assert check.found.endswith(f"web-2 ({NETWORK}) and 2 more")
