"""A credential opens its host to the proxy alone: nothing more to the sandbox, for any address."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import firewall
from jailoc.generators.artefacts.firewall import lower
from jailoc.generators.config.resolve import resolve
from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.egress import Egress
from jailoc.model.firewall import (
    PROXY_CHAIN,
    PROXY_RESOLVER,
    Chain,
    Firewall,
    Protocol,
    Target,
)
from jailoc.model.host import Host
from jailoc.model.name_pattern import BEGUN
from jailoc.model.rule_match import Match
from jailoc.model.rule_walk import accepted
from tests.strategies import HOST, any_networks, config_of

KINDS = [(family, protocol, port) for family in Family
         for protocol in (Protocol.TCP, Protocol.UDP) for port in (53, 443, 8443)]  # fmt: skip
MODES = st.sampled_from([Egress.PUBLIC, Egress.ALLOWLIST])


def rules(
    egress: Egress, allowed: list[Network], denied: list[Network], *, with_: bool
) -> Firewall:
    lists = [
        f'egress = "{egress.value}"',
        f"allowed_networks = {[str(each) for each in allowed]}",
        f"denied_networks = {[str(each) for each in denied]}",
    ]
    text = "\n".join(["[workspaces.a]", *lists])
    if with_:
        text += '\n[workspaces.a.credentials.x]\nhosts = ["a.example.com", "b.example.com:8443"]\n'
        text += 'from_env = "TOKEN"\n'
    workspace = resolve(config_of(text), "a", HOST)
    return lower(firewall.policy(workspace, Host(home="/home/alice")))


@given(MODES, st.lists(any_networks(3), max_size=4), st.lists(any_networks(3), max_size=3))
def test_a_credential_opens_no_address_to_the_sandbox(
    egress: Egress, allowed: list[Network], denied: list[Network]
) -> None:
    plain, mine = (rules(egress, allowed, denied, with_=each) for each in (False, True))
    for family, protocol, port in KINDS:
        before, after = (accepted(each.of(family), protocol, port) for each in (plain, mine))
        door = AddressSet.networks(family, (PROXY_RESOLVER,) if family is Family.IPV4 else ())
        assert after == before - door


@given(MODES, st.lists(any_networks(3), max_size=3))
def test_all_that_the_proxy_sends_ends_in_its_chain(egress: Egress, denied: list[Network]) -> None:
    for family in Family:
        ours = rules(egress, [], denied, with_=True).of(family)
        first, *_ = ours.of(Chain.OUTPUT)
        assert (first.match, first.jump) == (Match.BY_PROXY, PROXY_CHAIN)
        chain = ours.of(PROXY_CHAIN)
        assert chain[-1].jump == Chain.DENY
        assert (chain[-1].match, chain[-1].destination, chain[-1].protocol) == (None, None, None)
        names = {"a.example.com", "b.example.com"}
        for rule in chain:
            if rule.target is Target.ACCEPT:
                ours_alone = rule.mark is not None or rule.destination == PROXY_RESOLVER
                answer = rule.match is Match.REPLY_OUT and rule.destination is not None
                assert ours_alone or answer
            if rule.target is Target.MARK and rule.mark != BEGUN:
                assert rule.recent is not None
                assert rule.recent.name.partition(":")[2] in names
                assert rule.protocol is Protocol.TCP
                assert rule.destination_port in {443, 8443}
        # What is denied, and the machine, come before any host.
        order = [rule.jump for rule in chain if rule.jump or rule.target is Target.MARK]
        assert order.index(Chain.MACHINE) < order.index(None)
        if any(each.version == family for each in denied):
            assert order[0] == "JAILOC-DENIED"


def test_no_name_of_a_credential_is_open_to_the_sandbox() -> None:
    ours = rules(Egress.ALLOWLIST, [], [], with_=True)
    assert not ours.names
    for family in Family:
        assert not ours.of(family).of(Chain.NAMES)


def test_without_a_credential_there_is_no_chain_and_no_second_door() -> None:
    ours = rules(Egress.ALLOWLIST, [], [], with_=False)
    for family in Family:
        assert PROXY_CHAIN not in ours.of(family).chains
    assert ipaddress.ip_network("127.0.0.55/32") not in {r.destination for r in ours.ipv4.rules}
