"""Rules decide as the policy says, for every address; and the policy says what is promised."""

import ipaddress
import itertools
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jailoc.generators.artefacts import firewall
from jailoc.generators.artefacts.chain_tree import branch
from jailoc.generators.artefacts.firewall import EVERYTHING, lower
from jailoc.generators.config.resolve import resolve
from jailoc.model.address import AddressSet, Family, Network, loopback
from jailoc.model.egress import Egress
from jailoc.model.firewall import (
    DENIED,
    ENGINE_RESOLVER,
    NEAR,
    Chain,
    Decision,
    Firewall,
    HostPort,
    OpenPort,
    Policy,
    Protocol,
    Rule,
    Ruleset,
    Target,
)
from jailoc.model.host import Host
from jailoc.model.name_pattern import BEGUN
from jailoc.model.rule_match import Match
from jailoc.model.rule_walk import accepted
from jailoc.model.special_ranges import PUBLIC, SPECIAL
from jailoc.model.workspace import Workspace
from tests.strategies import HOST, Value, any_networks, config_of, toml

KINDS = tuple(itertools.product(Family, (Protocol.TCP, Protocol.UDP), (53, 443, 22)))
allow_lists = st.lists(any_networks(3), max_size=6)
decisions = st.builds(
    Decision,
    network=any_networks(),
    accept=st.booleans(),
    reason=st.just("a reason"),
    protocol=st.none(),
    port=st.none(),
) | st.builds(
    Decision,
    network=any_networks(),
    accept=st.booleans(),
    reason=st.just("a reason"),
    protocol=st.sampled_from((Protocol.TCP, Protocol.UDP)),
    port=st.sampled_from((None, 22, 53, 443)),
)


def policy(workspace: Workspace, *networks: str) -> Policy:
    return firewall.policy(workspace, Host(home="/home/alice", networks=networks))


def sandbox(allowed: list[Network], names: tuple[str, ...] = ()) -> Workspace:
    text = toml(
        {"a": {"allowed_networks": [str(each) for each in allowed], "allowed_hosts": names}}
    )
    return resolve(config_of(text), "a", HOST)


def opened(rules: Firewall, family: Family, protocol: Protocol, port: int) -> AddressSet:
    return accepted(rules.ipv4 if family is Family.IPV4 else rules.ipv6, protocol, port)


@given(allow_lists)
def test_rules_of_a_sandbox_decide_as_its_policy_for_every_address(allowed: list[Network]) -> None:
    wanted = policy(sandbox(allowed))
    rules = lower(wanted)
    for kind in KINDS:
        assert opened(rules, *kind) == wanted.accepted(*kind)


many = st.lists(
    st.builds(
        lambda step, length: ipaddress.ip_network(((10 << 24) + (step << 6), length), strict=False),
        st.integers(0, 300) | st.integers(0, 1 << 18),
        st.integers(16, 32),
    )
    | any_networks(3),
    min_size=40,
    max_size=160,
)


@given(many)
def test_a_tree_of_chains_decides_as_the_list_it_was_made_of(allowed: list[Network]) -> None:
    decisions_ = [Decision(network=each, accept=True, reason="x") for each in allowed]
    decisions_ += [Decision(network=each, accept=False, reason="no") for each in EVERYTHING]
    wanted = Policy(decisions=tuple(decisions_), published_port=None, names=())
    rules = lower(wanted)
    for family, protocol, port in KINDS[:: len(KINDS) // 2]:
        assert opened(rules, family, protocol, port) == wanted.accepted(family, protocol, port)
    for ruleset in (rules.ipv4, rules.ipv6):
        chains = ruleset.by_chain()
        assert sum(len(each) for each in chains.values()) == len(ruleset.rules)
        assert depth(chains, Chain.OUTPUT) <= 14
        mine = [each for each in allowed if each.version == ruleset.family]
        named = [
            each for each in ruleset.outgoing if each.target is Target.ACCEPT and not each.match
        ]
        assert Counter(each.destination for each in named) == Counter(mine)


def depth(chains: dict[str, list[Rule]], chain: str) -> int:
    return 1 + max(
        (depth(chains, str(rule.jump)) for rule in chains[chain] if rule.jump), default=0
    )


def test_a_packet_meets_few_of_ten_thousand_rules() -> None:
    networks = [ipaddress.ip_network(((10 << 24) + (each << 8), 24)) for each in range(10_000)]
    rules = list(branch([Decision(network=each, accept=True, reason="x") for each in networks],
                        Chain.OUTPUT))  # fmt: skip
    longest = Counter(rule.chain for rule in rules).most_common(1)[0][1]
    assert longest <= 32
    assert len(rules) < 12_000


@given(allow_lists, st.sampled_from(list(Egress)))
def test_every_mode_opens_what_it_says(allowed: list[Network], egress: Egress) -> None:
    lists: dict[str, Value] = {"allowed_networks": [str(each) for each in allowed]}
    table = {"egress": egress.value} | ({} if egress is Egress.NONE else lists)
    wanted = policy(resolve(config_of(toml({"a": table}, lists)), "a", HOST))
    rules = lower(wanted)
    for kind in KINDS:
        family, _, port = kind
        open_ = opened(rules, *kind)
        assert open_ == wanted.accepted(*kind)
        own = loopback(family)
        if egress is not Egress.PUBLIC:
            own -= AddressSet.networks(family, (ENGINE_RESOLVER,))
            named = AddressSet.networks(family, allowed if egress is Egress.ALLOWLIST else ())
            assert open_ - own == named - loopback(family)
        elif port != 53:
            assert (
                not AddressSet.networks(family, PUBLIC)
                - open_
                - AddressSet.networks(family, (each for each, _ in SPECIAL))
            )


port_suffixes = st.sampled_from(("", ":22", ":53", ":443"))
denied_lists = st.lists(st.tuples(any_networks(0), port_suffixes), min_size=1, max_size=5)


def entry_of(network: Network, port: str) -> str:
    if network.version == 6 and port:
        return f"[{network.network_address}]/{network.prefixlen}{port}"
    return f"{network}{port}"


@given(denied_lists, allow_lists, st.sampled_from(list(Egress)))
def test_what_is_denied_is_closed_whatever_is_allowed_and_nothing_else_is(
    denied: list[tuple[Network, str]], allowed: list[Network], egress: Egress
) -> None:
    lists: dict[str, Value] = {"allowed_networks": [str(each) for each in allowed]}
    table = {"egress": egress.value} | ({} if egress is Egress.NONE else lists)
    more: dict[str, Value] = {"denied_networks": [entry_of(*each) for each in denied]}
    without = lower(policy(resolve(config_of(toml({"a": table})), "a", HOST)))
    wanted = policy(resolve(config_of(toml({"a": table | more})), "a", HOST))
    rules = lower(wanted)
    for kind in KINDS:
        family, _, port = kind
        open_ = opened(rules, *kind)
        assert open_ == wanted.accepted(*kind)
        shut = AddressSet.networks(
            family, (each for each, suffix in denied if suffix in {"", f":{port}"})
        )
        own = loopback(family)
        # Every address that was open and is not denied still is, and no other.
        assert open_ - own == opened(without, *kind) - own - shut
    for family in Family:
        whole = AddressSet.networks(family, (each for each, suffix in denied if not suffix))
        icmp = accepted(rules.of(family), Protocol.ICMP, None, whole)
        assert not icmp - loopback(family)


@given(denied_lists, st.lists(st.sampled_from(["172.17.0.1", "10.0.0.7", "fd00::7"]), min_size=1))
def test_what_is_denied_is_closed_to_single_addresses_and_the_machine_too(
    denied: list[tuple[Network, str]], alone: list[str]
) -> None:
    table: dict[str, Value] = {
        "allowed_hosts": alone,
        "host_ports": [22],
        "denied_networks": [entry_of(*each) for each in denied],
    }
    rules = lower(policy(resolve(config_of(toml({"a": table})), "a", HOST), "10.0.0.7/32"))
    for ruleset in (rules.ipv4, rules.ipv6):
        jumps = [rule.jump for rule in ruleset.of(Chain.OUTPUT)]
        if DENIED in jumps:
            # Before the ports of the machine, names and networks, none of which the walk knows all.
            opening = [Chain.HOST, Chain.MACHINE, Chain.NAMES]
            assert jumps.index(DENIED) < min(map(jumps.index, opening))
            first = jumps.index(DENIED)
            early = ruleset.of(Chain.OUTPUT)[:first]
            assert not any(each.destination and each.target is Target.ACCEPT for each in early)
    for family, protocol, port in KINDS:
        shut = AddressSet.networks(
            family, (each for each, suffix in denied if suffix in {"", f":{port}"})
        )
        assert not opened(rules, family, protocol, port) & shut - loopback(family)


@given(st.lists(any_networks(1), min_size=40, max_size=120))
def test_many_denials_are_a_tree_that_closes_each_of_them(denied: list[Network]) -> None:
    rules = lower(
        policy(
            resolve(
                config_of(toml({"a": {"denied_networks": [str(each) for each in denied]}})),
                "a", HOST,
            )
        )
    )  # fmt: skip
    for family in Family:
        shut = AddressSet.networks(family, denied) - loopback(family)
        assert not accepted(rules.of(family), Protocol.TCP, 443, shut)
        assert depth(rules.of(family).by_chain(), Chain.OUTPUT) <= 15


@pytest.mark.parametrize(
    ("denied", "kept"),
    [
        (["a.test"], ["*.test", "b.a.test"]),
        (["*.test"], []),
        (["*.a.test"], ["a.test", "*.test"]),
        (["A.Test."], ["*.test", "b.a.test"]),
    ],
)
def test_a_name_that_is_denied_as_a_whole_has_no_rule(denied: list[str], kept: list[str]) -> None:
    table: dict[str, Value] = {
        "allowed_hosts": ["a.test", "*.test", "b.a.test"], "denied_hosts": denied,
    }  # fmt: skip
    rules = lower(policy(resolve(config_of(toml({"a": table})), "a", HOST)))
    assert [each.key for each in rules.names] == kept
    assert all(rules.denial(name) for name in ("x.a.test",) if denied[0].startswith("*"))


def test_the_machine_is_denied_by_its_name() -> None:
    table: dict[str, Value] = {
        "host_ports": [5432],
        "allowed_hosts": ["host.docker.internal"],
        "denied_hosts": ["host.docker.internal"],
    }
    rules = lower(policy(resolve(config_of(toml({"a": table})), "a", HOST)))
    assert not rules.host_ports
    assert not rules.names


@given(st.lists(decisions, max_size=10))
def test_rules_of_any_policy_decide_as_it_says_for_every_address(given_: list[Decision]) -> None:
    wanted = Policy(decisions=tuple(given_), published_port=None, names=())
    rules = lower(wanted)
    for kind in KINDS:
        assert opened(rules, *kind) == wanted.accepted(*kind)


@given(allow_lists)
def test_special_ranges_are_closed_unless_allowed_and_what_is_allowed_is_open(
    allowed: list[Network],
) -> None:
    wanted = policy(sandbox(allowed))
    for family, protocol, port in KINDS:
        special = AddressSet.networks(family, (network for network, _ in SPECIAL))
        special -= loopback(family)
        named = AddressSet.networks(family, allowed)
        public = AddressSet.networks(family, PUBLIC) - special - loopback(family)
        open_ = wanted.accepted(family, protocol, port) - loopback(family)
        named -= loopback(family)
        assert open_ & special == named & special
        assert not named - open_
        assert open_ == (named if port == 53 else named | public)


@pytest.mark.parametrize(("network", "reason"), SPECIAL)
def test_a_special_range_is_closed_by_default(network: Network, reason: str) -> None:
    family = Family(network.version)
    inside = AddressSet.networks(family, (network,)) - loopback(family)
    rules = lower(policy(sandbox([])))
    for protocol, port in itertools.product((Protocol.TCP, Protocol.UDP), (1, 53, 443, 65535)):
        assert not opened(rules, family, protocol, port) & inside, reason


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "168.63.129.16", "10.1.2.3", "172.17.0.1", "192.168.1.1",
     "100.100.100.200", "255.255.255.255", "fd00:ec2::254", "fe80::1",
     "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "ff02::1"],
)  # fmt: skip
def test_what_must_not_be_reached_is_not_reached(address: str) -> None:
    place = ipaddress.ip_address(address)
    rules = lower(policy(sandbox([])))
    assert place not in opened(rules, Family(place.version), Protocol.TCP, 443)


# The IANA IPv4 and IPv6 Special-Purpose Address Registries and multicast registries, by entry.
REGISTERED = [
    "0.0.0.0/8",
    "0.0.0.0/32",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.88.99.2/32",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
]
# Metadata and platform services of clouds, and private addresses in the clothes of other ones.
DISGUISED = [
    "169.254.169.254/32",
    "169.254.170.2/32",
    "169.254.169.123/32",
    "168.63.129.16/32",
    "100.100.100.200/32",
    "192.0.0.192/32",
    "fd00:ec2::254/128",
    "fd20:ce::254/128",
    "::a00:0/104",
    "::7f00:0/104",
    "::ffff:10.0.0.0/104",
    "::ffff:127.0.0.0/104",
    "::ffff:169.254.169.254/128",
    "64:ff9b::a00:0/104",
    "64:ff9b::c0a8:0/112",
    "64:ff9b::a9fe:a9fe/128",
    "2002:a00::/24",
    "2002:c0a8::/32",
    "2002:a9fe:a9fe::/48",
    "2001:0:a00::/40",
    "fec0::/10",
]


@pytest.mark.parametrize("text", [*REGISTERED, *DISGUISED])
def test_every_special_purpose_range_is_closed_by_every_protocol_and_port(text: str) -> None:
    network = ipaddress.ip_network(text)
    family = Family(network.version)
    inside = AddressSet.networks(family, (network,)) - loopback(family)
    assert inside
    rules = lower(policy(sandbox([]))).of(family)
    for protocol in (Protocol.TCP, Protocol.UDP, Protocol.ICMP):
        for port in (None, 22, 53, 80, 443, 4096):
            assert not accepted(rules, protocol, port, inside)


@pytest.mark.parametrize("address", ["1.1.1.1", "140.82.112.3", "2606:4700::1111", "2a00:1450::1"])
def test_the_public_internet_is_open_but_for_foreign_resolvers(address: str) -> None:
    place = ipaddress.ip_address(address)
    rules = lower(policy(sandbox([])))
    family = Family(place.version)
    assert place in opened(rules, family, Protocol.TCP, 443)
    assert place not in opened(rules, family, Protocol.UDP, 53)
    assert place not in opened(rules, family, Protocol.TCP, 53)


@given(allow_lists.flatmap(lambda each: st.tuples(st.just(each), st.permutations(each))))
def test_order_of_the_allow_list_does_not_change_what_is_open(
    both: tuple[list[Network], list[Network]],
) -> None:
    one, other = (lower(policy(sandbox(each))) for each in both)
    for kind in KINDS:
        assert opened(one, *kind) == opened(other, *kind)


@given(allow_lists, any_networks(3))
def test_allowing_more_never_closes_an_address(allowed: list[Network], more: Network) -> None:
    before = lower(policy(sandbox(allowed)))
    after = lower(policy(sandbox([*allowed, more])))
    for kind in KINDS:
        assert not opened(before, *kind) - opened(after, *kind)
        gained = opened(after, *kind) - opened(before, *kind)
        assert not gained - AddressSet.networks(kind[0], (more,))


@given(allow_lists)
def test_allowed_names_are_asked_after_allowed_networks_and_before_any_denial(
    allowed: list[Network],
) -> None:
    rules = lower(policy(sandbox(allowed, ("registry.example.com",))))
    for ruleset in (rules.ipv4, rules.ipv6):
        # What an IPv6 packet says of itself is no denial of a place.
        itself = (Match.FOREIGN_SOURCE, Match.ROUTED)
        jumps = [rule.jump for rule in ruleset.of(Chain.OUTPUT) if rule.match not in itself]
        assert jumps.count(Chain.NAMES) == 1
        at = jumps.index(Chain.NAMES)
        assert Chain.DENY not in jumps[:at]
        assert jumps.index(Chain.DNS) < jumps.index(Chain.LEARN) < at
        assert jumps[at + 1] == Chain.DENY
        assert jumps.index(Chain.HOST) + 1 == jumps.index(Chain.MACHINE) < at
        # Only what names a single address, or the machine's own network, comes before the machine.
        early = ruleset.of(Chain.OUTPUT)[: jumps.index(Chain.HOST)]
        assert all(
            rule.destination is None or rule.destination.prefixlen == rule.destination.max_prefixlen
            for rule in early
            if rule.target is Target.ACCEPT
        )


@given(allow_lists)
def test_nothing_leaves_by_a_foreign_address_and_no_reply_over_ipv6_without_that_being_known(
    allowed: list[Network],
) -> None:
    """What goes over loopback by one would make a reply of what is sent there afterwards."""
    out = lower(policy(sandbox(allowed))).ipv6.of(Chain.OUTPUT)
    at = [rule.match for rule in out].index(Match.FOREIGN_SOURCE)
    assert {rule.match for rule in out[:at] if rule.target is Target.ACCEPT} == {
        Match.NEIGHBOUR_SOLICITATION, Match.NEIGHBOUR_ADVERTISEMENT, Match.RESET_ON_LOOPBACK
    }  # fmt: skip
    # Nobody comes in by it, so there is nothing to reply to; where pods do, by an own address.
    assert not _replies(lower(policy(sandbox(allowed))))
    visited = policy(sandbox(allowed)).model_copy(update={"published_over": tuple(Family)})
    assert _replies(lower(visited)) == {Match.REPLY_OUT_BY_OWN}


def _replies(rules: Firewall) -> set[Match]:
    return {
        rule.match
        for rule in rules.ipv6.of(Chain.OUTPUT)
        if rule.match and "--ctdir REPLY" in rule.match
    }


def test_no_connection_that_begins_is_opened_by_the_mark_of_an_earlier_one() -> None:
    names = ("registry.example.com", "*.example.org", "host.docker.internal")
    rules = lower(policy(sandbox([], names)))
    for ruleset in (rules.ipv4, rules.ipv6):
        chains = ruleset.by_chain()
        by_mark = {
            rule.chain for rule in ruleset.rules if rule.mark and rule.target is Target.ACCEPT
        }
        assert by_mark == {Chain.NAMES, Chain.HOST}
        for chain in by_mark:
            first, second, *rest = [rule for rule in chains[chain] if rule.mark]
            assert (first.match, second.match) == (Match.BEGINS, Match.NO_STREAM)
            assert {(each.target, each.mark) for each in (first, second)} == {(Target.MARK, BEGUN)}
            assert BEGUN not in {rule.mark for rule in rest}


def test_every_denial_ends_in_a_refusal_for_every_protocol() -> None:
    rules = lower(policy(sandbox([])))
    for ruleset in (rules.ipv4, rules.ipv6):
        told, *counters, first, last = ruleset.of(Chain.DENY)
        assert (told.target, told.told) == (Target.TELL, "r")
        assert {each.target for each in counters} == {Target.NOTHING}
        assert (first.protocol, first.target) == (Protocol.TCP, Target.RESET)
        assert last.protocol is None
        assert last.match is None


@pytest.mark.parametrize("expose", [True, False])
def test_only_a_published_port_lets_connections_in(expose: bool) -> None:
    text = toml({"a": {"expose_port": expose}})
    rules = lower(policy(resolve(config_of(text), "a", HOST)))
    for ruleset in (rules.ipv4, rules.ipv6):
        doors = [
            rule.destination_port
            for rule in ruleset.of(Chain.INPUT)
            if rule.match is None and rule.target is Target.ACCEPT
        ]
        # This machine comes by 127.0.0.1, so whoever comes by IPv6 is somebody else.
        visited = expose and ruleset.family is Family.IPV4
        assert doors == ([4096] if visited else [])
        assert not ruleset.of(Chain.FORWARD)


def test_the_evaluator_stops_at_the_first_rule_that_matches() -> None:
    inside = ipaddress.ip_network("10.1.0.0/16")
    rules = Ruleset(
        family=Family.IPV4,
        rules=(
            Rule(chain=Chain.OUTPUT, target=Target.ACCEPT, match=Match.LOOPBACK_OUT, comment="lo"),
            Rule(chain=Chain.OUTPUT, jump=Chain.DENY, destination=inside, comment="no"),
            Rule(
                chain=Chain.OUTPUT,
                target=Target.ACCEPT,
                protocol=Protocol.TCP,
                destination_port=443,
                comment="yes",
            ),
        ),
    )
    closed = AddressSet.networks(Family.IPV4, (inside,))
    assert accepted(rules, Protocol.TCP, 443) == ~closed
    assert accepted(rules, Protocol.TCP, 22) == loopback(Family.IPV4)
    assert accepted(rules, Protocol.UDP, 443) == loopback(Family.IPV4)


def test_a_port_without_a_protocol_is_no_rule() -> None:
    with pytest.raises(ValueError, match="tcp or udp"):
        Rule(chain=Chain.OUTPUT, jump=Chain.DENY, destination_port=53, comment="x")


def test_a_rule_set_refuses_a_rule_of_the_other_family() -> None:
    rule = Rule(
        chain=Chain.OUTPUT,
        jump=Chain.DENY,
        destination=ipaddress.ip_network("::/8"),
        comment="x",
    )
    with pytest.raises(ValueError, match="other family"):
        Ruleset(family=Family.IPV4, rules=(rule,))


@pytest.mark.parametrize("comment", ["", 'a"b', "a\nb", "-j ACCEPT\n", "é", "a'b", "a\\b"])
def test_a_comment_cannot_leave_its_quotes(comment: str) -> None:
    with pytest.raises(ValueError, match="comment"):
        Rule(chain=Chain.OUTPUT, jump=Chain.DENY, comment=comment)


@pytest.mark.parametrize(
    ("network", "closed"),
    [
        ("11.22.33.99/32", True),
        ("2a0f:dead:cafe::/64", True),
        ("::/0", False),
        ("192.168.1.7/32", True),
    ],
)
def test_the_machine_itself_is_closed_unless_it_is_allowed(network: str, closed: bool) -> None:
    own = ipaddress.ip_network(network)
    family = Family(own.version)
    inside = AddressSet.networks(family, (own,))
    rules = lower(policy(sandbox([]), network))
    assert (not opened(rules, family, Protocol.TCP, 443) & inside) == closed
    if closed:
        named = lower(policy(sandbox([own]), network))
        assert inside & opened(named, family, Protocol.TCP, 443) == inside


@given(allow_lists, st.lists(any_networks(30), max_size=5))
def test_the_machine_is_open_only_where_an_entry_is_exactly_its_address(
    allowed: list[Network], machine: list[Network]
) -> None:
    """A range that holds the machine opens all of itself but the machine."""
    own = [str(each.network_address) for each in machine]
    wanted = policy(sandbox(allowed))
    rules = lower(wanted).facing(own)
    for kind in KINDS:
        family = kind[0]
        places = AddressSet.networks(family, map(ipaddress.ip_network, own)) - loopback(family)
        alone = AddressSet.networks(
            family, (each for each in allowed if each.prefixlen == each.max_prefixlen)
        )
        assert opened(rules, *kind) == wanted.accepted(*kind) - (places - alone)


@pytest.mark.parametrize("allowed", [(), ("11.22.33.0/25",), ("11.0.0.0/8",), ("11.22.33.1/32",)])
def test_neighbours_by_ipv4_are_closed_as_private_networks_are(allowed: tuple[str, ...]) -> None:
    """A range or name opens them, and the machine among them only its own address."""
    own, beside, family = "11.22.33.1/32", "11.22.33.0/24", Family.IPV4
    workspace = sandbox([*map(ipaddress.ip_network, allowed)])
    rules = lower(firewall.policy(workspace, HOST.model_copy(
        update={"networks": (own,), "neighbours": (beside, "10.0.0.0/8")}
    )))  # fmt: skip
    mine, whole, named = (
        AddressSet.networks(family, map(ipaddress.ip_network, each))
        for each in ([own], [beside], allowed)
    )
    wanted = whole & named if allowed == (own,) else (whole & named) - mine
    assert opened(rules, family, Protocol.TCP, 443) & whole == wanted
    order = [rule.comment for rule in rules.ipv4.of(Chain.OUTPUT)]
    assert order.index("allowed hosts") < order.index(NEAR, order.index("allowed hosts"))


def test_a_network_of_ipv6_that_is_named_holds_no_address_of_the_machines() -> None:
    network = ipaddress.ip_network("2a0f:dead:cafe::/64")
    rules = lower(policy(sandbox([network]), str(network))).facing(["2a0f:dead:cafe::1"])
    mine = AddressSet.networks(Family.IPV6, (ipaddress.ip_network("2a0f:dead:cafe::1"),))
    whole = AddressSet.networks(Family.IPV6, (network,))
    assert opened(rules, Family.IPV6, Protocol.TCP, 443) & whole == whole - mine


@pytest.mark.parametrize("wide", ["11.0.0.0/8", "2a0f::/16", "11.22.33.98/31"])
def test_a_range_does_not_open_the_public_addresses_of_the_machine(wide: str) -> None:
    own = ("11.22.33.99/32", "2a0f:dead:cafe::/64")
    network = ipaddress.ip_network(wide)
    family = Family(network.version)
    rules = lower(policy(sandbox([network]), *own))
    places = AddressSet.networks(family, map(ipaddress.ip_network, own))
    whole = AddressSet.networks(family, (network,))
    assert opened(rules, family, Protocol.TCP, 443) & whole == whole - places


def test_a_private_address_of_the_machine_adds_no_rule() -> None:
    """The engine's bridges come and go; the rules must not change with them."""
    with_bridges = lower(policy(sandbox([]), "172.17.0.1/32", "fd00::/64", "127.0.0.1/32"))
    assert with_bridges == lower(policy(sandbox([])))


def test_the_machine_stays_shut_between_what_is_denied_and_what_is_allowed() -> None:
    """Its rules are found behind both lists, however long each of them is."""
    table: dict[str, Value] = {
        "denied_networks": ["11.1.0.0/16", "11.2.0.0/16", "11.3.0.0/16"],
        "allowed_networks": ["11.4.0.7/32", "11.4.0.8/32", "11.4.0.0/16"],
    }
    wanted = policy(resolve(config_of(toml({"a": table})), "a", HOST), "11.4.0.9/32", "11.5.0.9/32")
    assert (len(wanted.denied), len(wanted.alone), len(wanted.machine)) == (3, 2, 2)
    rules = lower(wanted)
    for kind in KINDS:
        assert opened(rules, *kind) == wanted.accepted(*kind)
    found = opened(rules, Family.IPV4, Protocol.TCP, 443)
    for address, is_open in (("11.4.0.7", True), ("11.4.0.9", False), ("11.5.0.9", False),
                             ("11.4.0.10", True), ("11.2.0.1", False)):  # fmt: skip
        one = AddressSet.networks(Family.IPV4, (ipaddress.ip_network(address),))
        assert bool(one & found) == is_open, address


@pytest.mark.parametrize("field", ["source_port", "destination_port"])
def test_a_rule_takes_every_port_and_nothing_else(field: str) -> None:
    def rule(port: int) -> Rule:
        return Rule.model_validate(
            {"chain": Chain.OUTPUT, "target": Target.ACCEPT, "protocol": Protocol.TCP,
             "comment": "why", field: port}
        )  # fmt: skip

    assert [getattr(rule(each), field) for each in (1, 65535)] == [1, 65535]
    for wrong in (0, 65536):
        with pytest.raises(ValidationError):
            rule(wrong)


def test_what_ends_holds_on_its_last_day_and_not_on_the_next() -> None:
    last = date(2026, 5, 17)
    network = ipaddress.ip_network("10.1.0.0/16")
    rules = lower(
        Policy(
            decisions=(Decision(network=network, accept=True, reason="a while", until=last),),
            published_port=None,
            names=(),
        )
    ).ipv4
    mine = AddressSet.networks(Family.IPV4, (network,))
    for day, held in ((None, mine), (last, mine), (last + timedelta(days=1), mine - mine)):
        assert accepted(rules, Protocol.TCP, 443, mine, day) == held


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [("mark", 1, (1 << 32) - 1), ("source_port", 1, 65535), ("destination_port", 1, 65535)],
)
def test_a_number_of_a_rule_is_one_that_the_kernel_takes(field: str, low: int, high: int) -> None:
    def rule(value: int) -> Rule:
        return Rule.model_validate(
            {"chain": "OUTPUT", "target": Target.ACCEPT, "protocol": Protocol.TCP, "comment": "x",
             field: value}
        )  # fmt: skip

    for value in (low, high):
        assert getattr(rule(value), field) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValidationError):
            rule(value)


@pytest.mark.parametrize("kind", [HostPort, OpenPort])
def test_a_port_that_is_opened_is_one(kind: type[HostPort | OpenPort]) -> None:
    for port in (1, 65535):
        assert kind(port=port, origin="x").port == port
    for port in (0, 65536):
        with pytest.raises(ValidationError):
            kind(port=port, origin="x")


def test_an_agent_of_a_rule_is_never_root() -> None:
    rule = {"chain": "OUTPUT", "target": Target.DROP, "comment": "x",
            "match": Match.ACCEPTED_NOT_BY_AGENT}  # fmt: skip
    assert Rule.model_validate({**rule, "agent": 1}).agent == 1
    with pytest.raises(ValidationError):
        Rule.model_validate({**rule, "agent": 0})
