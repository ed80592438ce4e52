"""Every kind of place by every protocol, from the agent and from its containers, against the model.

Somebody answers at every place, which a control without a wall shows first.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from jailoc.bin.config.session import Session
from jailoc.bin.engine import containers, inspection
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.runtime.probes import Place, Probe, special, verdict
from jailoc.model.allow_entry import parse_host
from jailoc.model.firewall import Firewall, Protocol
from tests.engine import world
from tests.engine.conftest import Sandbox, friend, inner_image

pytestmark = pytest.mark.engine

CONFIG = f"""{world.certificates()}
[workspaces.matrix]
paths = ["~/project"]
allowed_hosts = ["pair.test", "port.test:{world.PORT}"]
allowed_networks = ["{world.ALLOWED}/32", "{world.ALLOWED_IPV6}/128"]
host_ports = [{world.OTHER_PORT}]
"""
PROTOCOLS = (Protocol.TCP, Protocol.UDP, Protocol.ICMP)
Cell = tuple[str, str, str, int]


@dataclass(frozen=True)
class Field:
    """A sandbox, and every place that is tried from it: a label, an address and a port."""

    sandbox: Sandbox
    places: dict[str, tuple[str, int]]
    firewall: Firewall
    known: Place

    def cells(self) -> list[Cell]:
        return [
            (f"{protocol} {label}", protocol.value, address, port)
            for label, (address, port) in self.places.items()
            for protocol in PROTOCOLS
        ]

    def expected(self, cell: Cell) -> bool:
        """Return what the model says: what `explain` does, and what is known at run time."""
        _, protocol, address, port = cell
        literal = parse_host(address.partition("%")[0]).address
        assert literal is not None
        probe = Probe(
            address=literal.network_address,
            protocol=Protocol(protocol),
            port=None if protocol == "icmp" else port,
            what="a cell",
        )
        return verdict(self.firewall, self.known, probe).open


def outside() -> dict[str, tuple[str, int]]:
    """Return the places that belong to the tests' own namespace and to this machine."""
    named = {
        "public": world.PUBLIC, "public-ipv6": world.PUBLIC_IPV6,
        "allowed": world.ALLOWED, "allowed-ipv6": world.ALLOWED_IPV6,
        "neighbour-of-the-host": world.NEIGHBOUR, **world.CLOSED,
    }  # fmt: skip
    # One address of every special range, but those that belong to a single link.
    named |= {
        f"{reason} {address}": str(address)
        for address, reason in special()
        if not (address.version == 6 and address.is_link_local)
    }
    return {
        **{label: (address, world.PORT) for label, address in named.items()},
        "own-public-address": (world.OWN, world.OTHER_PORT),
        "own-public-address-ipv6": (world.OWN_IPV6, world.OTHER_PORT),
    }


def machine(container: str) -> dict[str, tuple[str, int]]:
    """Return the doors of this machine, as a container sees them."""
    doors = world.gateways(container)
    doors["link-local"] = "fe80::1%eth0"
    return {
        f"{label}-{port}": (address, port)
        for label, address in doors.items()
        for port in (world.OTHER_PORT, world.THIRD_PORT)
    }


def answers(container: str, cells: list[Cell]) -> dict[str, str]:
    text = world.call(
        "docker", "exec", "--interactive", "--user", "1000:1000", container,
        "/usr/bin/python3", "-c", world.MATRIX, stdin=json.dumps(cells),
    )  # fmt: skip
    found: dict[str, str] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def field(sandbox: Sandbox) -> Iterator[Field]:
    sandbox.user.ok("down", "walled")
    world.remove("jailoc-matrix")
    with world.home("matrix") as user, ExitStack() as stack:
        user.write(CONFIG)
        (user.home / "project").mkdir()
        user.ok("up", "matrix")
        ours = Sandbox(user, "matrix")
        try:
            pair = [stack.enter_context(friend(ours, "pair.test"))[0] for _ in range(2)]
            port = stack.enter_context(friend(ours, "port.test"))[0]
            stranger = stack.enter_context(friend(ours, "stranger.test"))[0]
            user.ok("refresh", "matrix")
            world.call(
                "docker", "exec", "--detach", "--user", "1000:1000", ours.container("opencode"),
                "/usr/bin/python3", "-c", world.LISTENER, str(world.PORT),
            )  # fmt: skip
            yield _field(ours, {"pair-1": pair[0], "pair-2": pair[1], "one-port": port,
                                "stranger": stranger})  # fmt: skip
        finally:
            world.remove("jailoc-matrix")
            stack.close()
            sandbox.user.ok("up", "walled")


def _field(ours: Sandbox, friends: dict[str, str]) -> Field:
    wall = ours.container("firewall")
    places = outside() | machine(wall)
    for label, container in friends.items():
        for index, address in enumerate(sorted(inspection.addresses(container))):
            places[f"{label}-{index}"] = (address, world.PORT)
            places[f"{label}-{index}-other-port"] = (address, world.OTHER_PORT)
    own = inspection.addresses(wall)
    for index, address in enumerate(sorted(own)):
        places[f"own-{index}"] = (address, world.PORT)
    places |= {"loopback": ("127.0.0.1", world.PORT), "loopback-ipv6": ("::1", world.PORT)}
    state = containers.names(wall)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(ours.user.home))
        origin = Session(Terminal(color=False)).source()
    known = Place(
        own=own,
        machine=frozenset(world.gateways(wall).values()),
        names=state.names,
    )
    rules = compile_workspace(origin.config, "matrix", origin.host).firewall
    return Field(ours, places, rules, known)


def test_the_control_reaches_every_place(field: Field) -> None:
    """A closed door proves nothing unless somebody was behind it."""
    image = json.loads(world.call("docker", "inspect", field.sandbox.container("opencode")))[0][
        "Image"
    ]
    world.call("docker", "network", "rm", "jailoc-control", check=False)
    world.call("docker", "network", "create", "--ipv6", "--subnet", "fd99:cc::/64",
               "jailoc-control")  # fmt: skip
    try:
        container = world.call(
            "docker", "run", "--detach", "--init", "--network", "jailoc-control",
            "--entrypoint", "sleep", image, "600",
        ).strip()  # fmt: skip
        try:
            places = outside() | machine(container)
            cells = [
                (f"{protocol} {label}", protocol.value, address, port)
                for label, (address, port) in places.items()
                for protocol in PROTOCOLS
            ]
            answers(container, cells[:6])  # a new network takes a while until IPv6 is usable
            found = answers(container, cells)
        finally:
            world.call("docker", "rm", "--force", container)
    finally:
        world.call("docker", "network", "rm", "jailoc-control")
    assert {label: word for label, word in found.items() if word != "open"} == {}


def test_no_cell_of_the_agent_differs_from_the_model(field: Field) -> None:
    cells = field.cells()
    found = answers(field.sandbox.container("opencode"), cells)
    differing = {
        cell[0]: (found[cell[0]], field.expected(cell))
        for cell in cells
        # Nobody listens at another port of a friend: what is let through there is refused there.
        if "other-port" not in cell[0] or not field.expected(cell)
        if (found[cell[0]] == "open") != field.expected(cell)
    }
    assert differing == {}
    opened = {label for label, word in found.items() if word == "open"}
    assert len(opened) > 20
    assert len(found) - len(opened) > 60


@pytest.mark.parametrize("network", ["bridge", "host"])
def test_no_cell_of_a_container_of_the_agents_differs_from_the_model(
    field: Field, network: str
) -> None:
    inner_image(field.sandbox)
    cells = field.cells()
    listen = f"import sys; sys.argv[1:] = ['{world.PORT}']\n{world.LISTENER}\n"
    quiet = "import os\nos.write = lambda *_: 0\n"
    program = f"{quiet}{listen}\nimport time; time.sleep(0.5)\n{world.MATRIX}\nos._exit(0)\n"
    program = program.replace("print(json.dumps(found))", "print(json.dumps(found), flush=True)")
    text = world.call(
        "docker", "exec", "--interactive", field.sandbox.container("opencode"),
        "docker", "run", "--rm", "--interactive", "--network", network, "--cap-add", "ALL",
        "shell:1", "/usr/bin/python3", "-c", program, stdin=json.dumps(cells),
    )  # fmt: skip
    found = json.loads(text)
    differing = {
        cell[0]: (found[cell[0]], field.expected(cell))
        for cell in cells
        if "other-port" not in cell[0] or not field.expected(cell)
        # The daemon's network speaks IPv4 alone; from there nothing of IPv6 is open.
        if (found[cell[0]] == "open") != (field.expected(cell) and reachable(cell))
    }
    assert differing == {}


def reachable(cell: Cell) -> bool:
    return ":" not in cell[2] or cell[2] == "::1"


def test_explain_names_the_same_places(field: Field) -> None:
    user = field.sandbox.user
    for target, is_open in {
        "pair.test": True,
        f"port.test:{world.PORT}": True,
        f"port.test:{world.OTHER_PORT}": False,
        f"host.docker.internal:{world.OTHER_PORT}": True,
        f"host.docker.internal:{world.THIRD_PORT}": False,
        "127.0.0.1": True,
        world.ALLOWED: True,
        f"{world.CLOSED['metadata']}:80": False,
    }.items():
        data = json.loads(user.ok("explain", "matrix", target, "--json"))
        assert any(row["open"] for row in data["answers"]) == is_open, target
