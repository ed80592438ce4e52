"""What is compiled, shown and kept is the same on every Python, whose `str` of addresses is not."""

import ipaddress
from collections.abc import Callable, Iterator

import pytest

from jailoc.generators.artefacts import portable
from jailoc.generators.config.load import load
from jailoc.generators.config.resolve import resolve
from jailoc.generators.powers.difference import changes, powers
from jailoc.generators.runtime.blocked import explained
from jailoc.generators.runtime.explain import explain
from jailoc.generators.runtime.own_probes import Attempt
from jailoc.generators.runtime.probes import Place, probes
from jailoc.generators.runtime.resolver_state import resolver_state
from jailoc.generators.views.diagram import draw, flowchart
from jailoc.generators.views.started import started
from jailoc.model.document import Document
from jailoc.model.evidence import mark_of_network
from jailoc.model.firewall import Protocol
from tests.strategies import HOST

TEXT = """
[workspaces.a]
egress = "allowlist"
allowed_hosts = ["::ffff:10.0.0.1", "[::ffff:10.0.0.2]:443"]
allowed_networks = ["::ffff:10.1.0.0/112", "[::ffff:192.168.0.0]/112:5432", "::ffff:10.9.0.1/104"]
denied_networks = ["::ffff:10.2.0.0/112", "[::ffff:10.3.0.0]/120:22"]
expect.block = ["::ffff:10.2.0.0/120", "[::ffff:10.3.0.0]/120:22"]
"""
NARROW = """
[workspaces.a]
allowed_networks = ["::ffff:10.1.0.0/113"]
"""
ADDRESS = ipaddress.IPv6Address
MAPPED = ipaddress.ip_network("::ffff:0:0/96")


def groups(self: ipaddress.IPv6Address) -> str:
    """Write an address as Python did up to 3.12."""
    if self not in MAPPED:
        return str_of(self)
    number = int(self) & 0xFFFFFFFF
    return f"::ffff:{number >> 16:x}:{number & 0xFFFF:x}"


def dots(self: ipaddress.IPv6Address) -> str:
    """Write an address as Python does from 3.13 on."""
    mapped = self.ipv4_mapped
    return str_of(self) if mapped is None else f"::ffff:{mapped}"


str_of = ADDRESS.__str__


def said() -> Iterator[str]:
    """Yield everything that addresses get into."""
    document = Document(TEXT, "config.toml")
    config = load(document, HOST)
    made = portable.compiled(HOST, config, "a")
    yield from (each.text for each in made.files)
    yield made.bundle.firewall.model_dump_json()
    side = portable.sides(config, "a", HOST)
    before = portable.sides(load(Document(NARROW, "config.toml"), HOST), "a", HOST)
    for one, other in ((before, side), (side, before), (None, side)):
        yield from (each.model_dump_json() for each in changes(one, other))
    yield from (each.model_dump_json() for each in powers(side))
    rules = made.bundle.firewall
    for network in (MAPPED, ipaddress.ip_network("::ffff:10.0.0.1")):
        yield from (each.model_dump_json() for each in explain(rules, network, None))
        yield mark_of_network(network, 443)
    seen = Attempt(
        address=ipaddress.ip_address("::ffff:10.7.0.1"), protocol=Protocol.TCP, port=80, times=1,
        ago=0,
    )  # fmt: skip
    yield from (repr(each.target) for each in explained([seen], rules, {}, frozenset()))
    yield seen.model_dump_json()
    yield from (each.model_dump_json() for each in probes(rules, Place(), (), ipv6=True))
    yield flowchart(draw(made.bundle))
    yield from started(resolve(config, "a", HOST), HOST.home)
    names = '{"names": {"a.test": ["::ffff:a00:1"]}, "seen": {"::ffff:a00:1": "a.test"}}'
    yield resolver_state(names).model_dump_json()


def under(spelling: Callable[[ipaddress.IPv6Address], str]) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ADDRESS, "__str__", spelling)
        return [str(ipaddress.ip_network("::ffff:10.0.0.0/104")), *said()]


def test_nothing_depends_on_how_python_spells_an_address() -> None:
    (one, *older), (other, *newer) = under(groups), under(dots)
    assert (one, other) == ("::ffff:a00:0/104", "::ffff:10.0.0.0/104")
    assert older == newer
    assert sum("::ffff:10.1.0.0/112" in each for each in older) > 5
