"""The kernel's counts of refusals, read and explained."""

import ipaddress
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime import own_probes
from jailoc.generators.runtime.blocked import (
    attempts,
    closed,
    count,
    explained,
    full,
    kept,
    names_refused,
    news,
    parse,
    unresolved,
)
from jailoc.generators.runtime.explain import decide
from jailoc.generators.runtime.own_probes import Attempt, word
from jailoc.generators.runtime.resolver_state import RefusedName
from jailoc.model.firewall import Firewall, Protocol
from jailoc.model.host import TABLES
from jailoc.model.rule_match import COUNTED, MOST_COUNTED, MOST_PLACES
from jailoc.schemas import schema
from tests.strategies import HOST, config_of, toml

COST = 494780230800000000
MOST = MOST_COUNTED * COST


def firewall(table: dict[str, list[str] | str]) -> Firewall:
    return walls.lower(walls.policy(resolve(config_of(toml({"a": table})), "a", HOST), HOST))


def line(address: str, port: int, times: int, ago: int, used: int = 0) -> str:
    return (
        f"{COUNTED - ago} 0.0.0.0:0->{address}:{port} {MOST - times * COST + used} {MOST} {COST}\n"
    )


@given(
    st.integers(0, (1 << 32) - 1) | st.integers(0, (1 << 128) - 1),
    st.integers(0, 65535),
    st.integers(1, MOST_COUNTED),
    st.integers(0, COUNTED),
    st.integers(0, COST - 1),
)
def test_what_the_kernel_writes_is_read_back(
    number: int, port: int, times: int, ago: int, used: int
) -> None:
    address = ipaddress.ip_address(number)
    text = address.exploded if address.version == 6 else str(address)
    (found,) = parse(line(text, port, times, ago, used), Protocol.TCP)
    assert (found.address, found.port, found.times, found.ago) == (address, port, times, ago)


@pytest.mark.parametrize(
    ("table", "found"),
    [("ipt_hashlimit/jailoc-udp", ("udp",)), ("ip6t_hashlimit/jailoc-ipv6-icmp", ())],
)
def test_a_table_that_is_full_is_told(table: str, found: tuple[str, ...]) -> None:
    """The kernel drops what has no room in it, uncounted (xt_hashlimit.c)."""
    text = line("10.1.2.3", 443, 1, 1) * MOST_PLACES
    assert full({table: text}) == found
    assert full({table: text.removesuffix(text.splitlines(keepends=True)[0])}) == ()


@given(st.text())
def test_lines_of_any_other_form_are_passed_over(text: str) -> None:
    assert parse(text.replace("->", ""), Protocol.TCP) == ()


def attempt(address: str, port: int | None, protocol: Protocol = Protocol.TCP) -> Attempt:
    return Attempt(
        address=ipaddress.ip_address(address), protocol=protocol, port=port, times=1, ago=1
    )


@pytest.mark.parametrize(
    ("table", "where", "name", "reason", "allow", "open_now"),
    [
        ({}, ("10.1.2.3", 443), None, "private (RFC 1918)", "10.1.2.3:443", False),
        ({}, ("fd00::7", 22), None, "unique local (RFC 4193)", "[fd00::7]:22", False),
        ({}, ("10.1.2.3", 443), "db.test", "private (RFC 1918)", "db.test:443", False),
        ({}, ("10.1.2.3", None), "db.test", "private (RFC 1918)", "db.test", False),
        ({}, ("172.18.0.1", 8080), None, "private (RFC 1918)", "host_ports = [8080]", False),
        ({}, ("1.1.1.1", 53), None, "DNS elsewhere than to the resolvers of the container", None,
         False),
        ({"allowed_networks": ["10.0.0.0/8"], "denied_networks": ["10.1.0.0/16"]},
         ("10.1.2.3", 443), "db.test", "workspaces.a.denied_networks[0]", None, False),
        ({"allowed_hosts": ["db.test"], "denied_networks": ["10.1.0.0/16"]},
         ("10.1.2.3", 443), "db.test", "workspaces.a.denied_networks[0]", None, False),
        ({"egress": "none"}, ("1.1.1.1", 443), None, "workspaces.a.egress", None, False),
        ({"egress": "allowlist"}, ("1.1.1.1", 443), None, "workspaces.a.egress", "1.1.1.1:443",
         False),
        ({"allowed_networks": ["10.0.0.0/8"]}, ("10.1.2.3", 443), None,
         "workspaces.a.allowed_networks[0]", "10.1.2.3:443", True),
        ({"allowed_hosts": ["db.test:443"]}, ("10.1.2.3", 443), "db.test", "private (RFC 1918)",
         "db.test:443", True),
        ({"allowed_hosts": ["db.test:22"]}, ("10.1.2.3", 443), "db.test", "private (RFC 1918)",
         "db.test:443", False),
    ],
)  # fmt: skip
def test_a_refusal_says_why_and_what_opens_it(
    table: dict[str, list[str] | str],
    where: tuple[str, int | None],
    name: str | None,
    reason: str,
    allow: str | None,
    open_now: bool,
) -> None:
    protocol = Protocol.ICMP if where[1] is None else Protocol.TCP
    names = {where[0]: name} if name else {}
    (found,) = explained(
        [attempt(*where, protocol)], firewall(table), names, frozenset({"172.18.0.1"})
    )
    assert (found.reason, found.allow, found.open_now) == (reason, allow, open_now)
    # Whoever is offered nothing is told why.
    assert (found.closed is None) == (open_now or allow is not None)


def test_a_port_of_this_machine_that_is_open_is_told_by_its_name() -> None:
    # Another address of the machine than the one that its name leads to.
    config = config_of("[workspaces.a]\nhost_ports = [8080]\n")
    rules = walls.lower(walls.policy(resolve(config, "a", HOST), HOST)).facing(("10.99.3.2",))
    tried = [attempt("10.99.3.2", 8080), attempt("10.99.3.2", 9090)]
    found = {each.port: each for each in explained(tried, rules, {}, frozenset())}
    assert (found[8080].allow, found[8080].closed) == (None, "is open as host.docker.internal:8080")
    assert found[9090].allow == "host_ports = [9090]"


def test_what_opens_the_machine_is_offered_by_its_address_alone() -> None:
    machine = frozenset({"172.18.0.1"})
    tried = attempt("172.18.0.1", None, Protocol.ICMP)
    (found,) = explained([tried], firewall({}), {"172.18.0.1": "evil.test"}, machine)
    assert found.allow == "172.18.0.1"
    # Control: of any other place it is the name.
    (other,) = explained([tried], firewall({}), {"172.18.0.1": "evil.test"}, frozenset())
    assert other.allow == "evil.test"


@pytest.mark.parametrize(
    ("address", "is_open"),
    [("10.99.3.2", False), ("172.18.0.1", False), ("255.255.255.255", False),
     ("127.0.0.11", False), ("10.5.5.5", True)],
)  # fmt: skip
def test_what_no_name_opens_is_not_called_open_by_one(address: str, is_open: bool) -> None:
    """Its zone may have answered with it meanwhile."""
    table: dict[str, list[str] | str] = {"egress": "allowlist", "allowed_hosts": ["*.wild.test"]}
    rules = firewall(table).facing(("10.99.3.2",))
    names, machine = {address: "a.wild.test"}, frozenset({"172.18.0.1"})
    (found,) = explained([attempt(address, 443)], rules, names, machine)
    assert found.open_now == is_open


@pytest.mark.parametrize("where", ["10.1.2.3:443", "[fd00::7]:22", "db.test:443"])
def test_what_is_proposed_opens_what_was_refused(where: str) -> None:
    opened = firewall({"allowed_hosts": [where]})
    assert opened != firewall({})
    if "db" not in where:
        place, _, port = where.rpartition(":")
        (answer,) = decide(opened, ipaddress.ip_network(place.strip("[]")), Protocol.TCP, int(port))
        assert answer.open


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "224.0.0.251",
     "ff02::fb", "255.255.255.255", "127.0.0.1", "192.0.2.1", "198.18.0.1", "2001:db8::1",
     "64:ff9b::1", "fe80::1", "0.0.0.1"],
)  # fmt: skip
@pytest.mark.parametrize("name", [None, "db.test"])
def test_nobody_is_told_how_to_open_what_is_no_hosts_to_allow(
    address: str, name: str | None
) -> None:
    names = {address: name} if name else {}
    (found,) = explained([attempt(address, 80)], firewall({}), names, frozenset())
    assert found.allow is None
    assert found.reason
    assert found.open_now == (address == "127.0.0.1")  # the sandbox itself
    assert (found.closed or "").startswith("" if found.open_now else f"{address} is ")


def test_the_metadata_service_is_called_what_it_is() -> None:
    (found,) = explained([attempt("169.254.169.254", 80)], firewall({}), {}, frozenset())
    assert found.closed == (
        "169.254.169.254 is the metadata service of a cloud, which hands out the machine's "
        "credentials"
    )


@pytest.mark.parametrize("egress", ["public", "allowlist"])
@pytest.mark.parametrize("address", ["10.1.2.3", "100.64.0.1", "fd12::1", "172.16.0.9"])
def test_a_private_host_comes_with_what_opens_it(address: str, egress: str) -> None:
    (found,) = explained([attempt(address, 80)], firewall({"egress": egress}), {}, frozenset())
    assert found.allow == (f"[{address}]:80" if ":" in address else f"{address}:80")


def test_what_the_kernel_asks_its_neighbours_is_no_news() -> None:
    def line(address: str, port: int) -> str:
        return f"3600 ::->{address}:{port} 0 32000 32000\n"

    groups = ("ff02::2", "ff02::16", "ff02::1:ff00:1")
    tables = {
        "ip6t_hashlimit/jailoc-icmp": "".join(line(each, 0) for each in (*groups, "fd00::7")),
        "ip6t_hashlimit/jailoc-udp": line("ff02::fb", 5353),
    }
    assert len(attempts(tables)) == 5
    assert {str(each.address) for each in news(tables)} == {"fd00::7", "ff02::fb"}


NUMBERS = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp", 33: "dccp", 132: "sctp", 136: "udplite",
           60: "60", 253: "253"}  # fmt: skip


@pytest.mark.parametrize("own", [False, True])
def test_every_protocol_that_was_refused_is_told(own: bool) -> None:
    """The kernel tells the wall of every packet; what has no name here has a number."""
    rows = [["10.1.2.3", number, 443 if number in {6, 17} else 0,
             {"count": number, "first": 1, "last": 5}] for number in NUMBERS]  # fmt: skip
    tables = {"evidence": json.dumps({"version": 1, "refused": rows}), "now": "9"}
    tried = (attempts if own else news)(tables)
    found = explained(tried, firewall({}), {}, frozenset())
    wanted = {number: 59 if number in {1, 58} else number for number in NUMBERS}
    assert {(each.protocol, each.times) for each in found} == {
        (name, wanted[number]) for number, name in NUMBERS.items()
    }
    assert {each.reason for each in found} == {"private (RFC 1918)"}
    # What opens an address without a port opens it for all of them; a port of TCP does not.
    allowed = firewall({"allowed_networks": ["10.1.2.3/32"]})
    assert all(each.open_now for each in explained(tried, allowed, {}, frozenset()))
    single = firewall({"allowed_hosts": ["10.1.2.3:443"]})
    open_ = {each.protocol for each in explained(tried, single, {}, frozenset()) if each.open_now}
    assert open_ <= {"tcp", "udp"}
    row = {**found[0].model_dump(), "place": None, "at_least": False}
    wholes: dict[str, Any] = {
        "workspace": "a",
        "full": [],
        "pids_refused": None,
        "not_kept": 0,
        "lost": 0,
    }
    for each in found:
        data = wholes | {"blocked": [row | {"protocol": each.protocol}]}
        jsonschema.validate(data, schema("blocked"))


def test_a_note_of_a_probe_by_number_is_read_back() -> None:
    place = ipaddress.ip_address("10.1.2.3"), 136, None
    known: dict[own_probes.Key, own_probes.Own] = {place: own_probes.Own(3, 1, 2, 4)}
    assert own_probes.parse(own_probes.text(known)) == known


@pytest.mark.parametrize("name", ["?.test", "*.test", "--help.test", "a b.test", "$(x).test"])
def test_no_line_is_offered_that_a_shell_or_the_command_reads_otherwise(name: str) -> None:
    refused = {each: RefusedName(count=1, last=90) for each in (name, "db", "a.test")}
    found = unresolved(refused, 100, "egress", firewall({"egress": "allowlist"}))
    told = {each.target: (each.allow, each.closed) for each in found}
    assert told == {
        name: (None, "no name that a host can have"), "db": ("db", None), "a.test": ("a.test", None)
    }  # fmt: skip
    every = unresolved(refused, 100, "egress", firewall({"egress": "none"}))
    assert {each.allow for each in every} == {None}
    assert all('egress = "none"' in (each.closed or "") for each in every)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("169.254.169.254", "is read as an address"),
        ("0x7f.1", "is read as an address"),
        ("a.localhost", "is the sandbox itself"),
        ("2130706433", "is read as an address"),
        ("host.docker.internal", "`host_ports` opens single ports"),
        ("gateway.docker.internal", "`host_ports` opens single ports"),
        ("metadata.google.internal", "hands out the machine's credentials"),
        ("10-0-0-1.nip.io", "private ones too"),
        ("10-1-1-1.0a.plex.direct", "private ones too"),
        ("169.254.169.254.example.com", "contains an address"),
        ("ip-10-1-1-1.us-west-2.compute.internal", "contains an address"),
    ],
)
def test_no_name_is_offered_that_leads_where_nobody_should_go(name: str, why: str) -> None:
    rules = firewall({"egress": "allowlist"})
    (found,) = unresolved({name: RefusedName(count=1, last=90)}, 100, "egress", rules)
    assert (found.allow, why in (found.closed or "")) == (None, True)
    # What was refused at an address comes with that, not with the name.
    (place,) = explained([attempt("10.1.2.3", 443)], rules, {"10.1.2.3": name}, frozenset())
    assert place.allow == "10.1.2.3:443"


def test_denied_names_and_their_aliases_come_with_the_reason_and_no_way_to_open_them() -> None:
    rules = firewall({"denied_hosts": ["*.evil.test"]})
    refused = {name: RefusedName(count=1, last=90) for name in ("a.evil.test", "alias.test")}
    found = unresolved(refused, 100, "built-in", rules)
    assert [(each.target, each.reason, each.allow) for each in found] == [
        ("a.evil.test", "workspaces.a.denied_hosts[0]", None),
        ("alias.test", "an alias of a name that is denied", None),
    ]
    assert unresolved(refused, 100, "built-in", firewall({})) == []


def test_refused_names_come_with_the_mode_that_refuses_them() -> None:
    (found,) = unresolved(
        {"a.test": RefusedName(count=3, last=90)},
        100,
        "workspaces.a.egress",
        firewall({"egress": "allowlist"}),
    )
    assert (found.times, found.ago, found.reason, found.allow) == (
        3, 10, "workspaces.a.egress", "a.test",
    )  # fmt: skip


def evidence(**kinds: object) -> dict[str, str]:
    """Return the tables of a wall whose kernel tells of refusals."""
    return {"now": "1100", "evidence": json.dumps({"version": 1, **kinds})}


SEEN = {"count": 2, "first": 900, "last": 1000}


@pytest.mark.parametrize("number", range(256))
def test_no_protocol_is_left_out(number: int) -> None:
    """Those without a name of ours (UDP-Lite, SCTP, DCCP and any other) by their number."""
    tables = evidence(refused=[["10.1.2.3", number, 443, SEEN]])
    (found,) = explained(news(tables), firewall({}), {}, frozenset())
    names = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp", 33: "dccp", 47: "gre", 50: "esp", 51: "ah",
             132: "sctp", 136: "udplite"}  # fmt: skip
    assert found.protocol == names.get(number, str(number))
    assert found.port == (443 if number in {6, 17} else None)
    assert (found.times, found.ago, found.reason) == (2, 100, "private (RFC 1918)")
    assert count(tables, {}, firewall({})) == 1


def test_protocols_are_not_added_up_but_those_of_one_name() -> None:
    every = [["10.1.2.3", number, 0, SEEN] for number in (1, 58, 132, 136, 33)]
    told = {word(each.protocol): each.times for each in attempts(evidence(refused=every))}
    assert told == {"icmp": 4, "132": 2, "136": 2, "33": 2}


def test_what_the_kernel_asks_its_neighbours_is_left_out_and_nothing_else_to_them() -> None:
    every = [["ff02::fb", number, 5353, SEEN] for number in (17, 58, 136)]
    assert {word(each.protocol) for each in news(evidence(refused=every))} == {"udp", "136"}


def test_a_crowd_of_names_pushes_none_out_that_was_kept() -> None:
    """The resolver remembers the last ones, the wall the first ones."""
    tables = evidence(unresolved=[["honest.test", SEEN], ["both.test", SEEN]])
    crowd = {f"n{each}.test": RefusedName(count=1, last=1050) for each in range(500)}
    crowd["both.test"] = RefusedName(count=1, last=1060)
    rules = firewall({"egress": "allowlist"})
    names = names_refused(crowd, kept(tables))
    found = {each.target: each for each in unresolved(names, 1100, "egress", rules)}
    assert len(found) == 502 == count(tables, crowd, rules)
    assert (found["honest.test"].times, found["honest.test"].ago) == (2, 100)
    assert (found["both.test"].times, found["both.test"].ago) == (2, 40)
    assert count(tables, crowd, firewall({})) == 0, "every name is resolved"


def test_a_name_that_was_opened_since_is_open_now() -> None:
    rules = firewall({"egress": "allowlist", "allowed_hosts": ["a.test"]})
    names = {each: RefusedName(count=1, last=1) for each in ("a.test", "b.test")}
    found = unresolved(names, 2, "egress", rules)
    assert {each.target: each.open_now for each in found} == {"a.test": True, "b.test": False}


@pytest.mark.parametrize("name", [r"a\.b.a.test", r"\007.a.test", "a b.a.test"])
def test_what_is_no_host_name_is_not_called_open_below_a_wildcard(name: str) -> None:
    rules = firewall({"egress": "allowlist", "allowed_hosts": ["*.a.test"]})
    (found,) = unresolved({name: RefusedName(count=1, last=1)}, 2, "egress", rules)
    assert (found.open_now, found.closed) == (False, "no name that a host can have")
    (place,) = explained([attempt("10.1.2.3", 443)], rules, {"10.1.2.3": name}, frozenset())
    assert not place.open_now


def test_what_became_the_machines_is_closed_like_what_it_had() -> None:
    more = "ttl: 0 last_seen: 4295 oldest_pkt: 1 4295\n"
    texts = {
        "machine": "door 172.18.0.1\nclosed 172.18.255.255\n",
        "xt_recent/v4:.machine": f"src=172.30.0.1 {more}",
        "xt_recent/v6:.machine": f"src=fd00:0000:0000:0000:0000:0000:0000:0001 {more}",
        "xt_recent/v6:.link": f"src=2a0f:dead:beef:0001:0000:0000:0000:0000 {more}",
    }
    assert closed(texts) == {
        "172.18.0.1", "172.18.255.255", "172.30.0.1", "fd00::1", "2a0f:dead:beef:1::/64",
    }  # fmt: skip


def test_no_name_opens_a_network_of_ipv6_that_the_machine_is_in() -> None:
    link, text = "2a0f:dead:beef:1::/64", toml({"a": {"allowed_hosts": ["nas.test"]}})
    follows = HOST.model_copy(update={"tables": TABLES})
    rules = walls.lower(walls.policy(resolve(config_of(text), "a", follows), follows))
    rules = rules.facing([link])
    for address, open_now, allow in (("2a0f:dead:beef:1::5", False, "[2a0f:dead:beef:1::5]:443"),
                                     ("2a0f:dead:beef:2::5", True, "nas.test:443")):  # fmt: skip
        (place,) = explained([attempt(address, 443)], rules, {address: "nas.test"}, frozenset())
        assert (place.open_now, place.allow) == (open_now, allow)
