"""Compile a workspace's network policy, lower it to rules, and write them for iptables-restore."""

import ipaddress
from collections.abc import Iterator
from functools import partial
from itertools import count

from jailoc.generators.artefacts import machine_rules
from jailoc.generators.artefacts.chain_tree import branch, decide
from jailoc.generators.artefacts.name_rules import (
    address_list,
    begun,
    knocks,
    named,
    protocols,
    proxy,
)
from jailoc.generators.artefacts.neighbours import honest, neighbours, straight
from jailoc.generators.artefacts.observation import observed
from jailoc.model.address import Family, is_single
from jailoc.model.egress import Egress
from jailoc.model.evidence import REFUSED
from jailoc.model.firewall import (
    DENIED,
    ENGINE_RESOLVER,
    NEAR,
    SERVICES,
    THIS_MACHINE,
    Chain,
    ChainName,
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
from jailoc.model.name_pattern import ClosedName, Name
from jailoc.model.rule_match import Match
from jailoc.model.sandbox import DNS_PORT, FIRST_PORT, MACHINE
from jailoc.model.special_ranges import (
    NEVER_BY_NAME,
    PUBLIC,
    SPECIAL,
    machine_networks,
    names_alone,
)
from jailoc.model.user import DEFAULT_ID
from jailoc.model.workspace import Workspace

EVERYTHING = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
RESOLVER_PLACE = ipaddress.ip_network("127.0.0.53/32")
"""Where the wall's resolver waits for the engine's answers; nobody else may send there."""


def policy(workspace: Workspace, host: Host) -> Policy:
    """State what the sandbox may reach: what the user named, then what `egress` opens unnamed.

    What is denied comes before everything. A name that is denied as a whole opens nothing, so it
    has no rule; of others the resolver answers for none that is.

    The machine's own addresses are opened by naming them alone and by nothing that holds them:
    every service on it would answer there. Private ones come and go with the engine's networks, so
    they are no rules of a file: the wall is told them when it starts.
    """
    published_port = FIRST_PORT if workspace.expose_port else None
    open_ports = tuple(OpenPort(port=each.target, origin=each.origin) for each in workspace.ports)
    if workspace.egress is Egress.NONE:
        return Policy(
            egress=Egress.NONE,
            decisions=tuple(
                Decision(network=each, accept=False, reason=workspace.egress_origin)
                for each in EVERYTHING
            ),
            published_port=published_port,
            open_ports=open_ports,
            names=(),
            agent=workspace.user.uid,
        )
    machine = machine_networks(host.networks)
    named = [
        Decision(
            network=each.network,
            accept=True,
            reason=each.origin,
            protocol=protocol,
            port=each.port,
            until=each.until,
        )
        for each in workspace.allowed_networks
        for protocol in protocols(each.port)
    ]
    alone, near, decisions = list[Decision](), list[Decision](), list[Decision]()
    for each in named:
        if is_single(each.network):
            alone.append(each)
        else:
            (near if names_alone(each.network, machine) else decisions).append(each)
    decisions += [
        Decision(
            network=everywhere,
            accept=False,
            reason="DNS elsewhere than to the resolvers of the container",
            protocol=protocol,
            port=DNS_PORT,
        )
        for everywhere in EVERYTHING
        for protocol in (Protocol.UDP, Protocol.TCP)
    ]
    decisions += [
        Decision(network=network, accept=False, reason=reason) for network, reason in SPECIAL
    ]
    decisions += [
        Decision(network=network, accept=False, reason=NEAR)
        for network in machine_networks(host.neighbours)
    ]
    public = workspace.egress is Egress.PUBLIC
    decisions += [
        Decision(
            network=network,
            accept=public,
            reason="public" if public else workspace.egress_origin,
        )
        for network in PUBLIC
    ]
    services = tuple(
        Name(name=each.name, port=port, origin=each.origin, service=True)
        for each in workspace.services
        for port in each.ports
    )
    denied_names = tuple(
        ClosedName(name=each.name, origin=each.origin) for each in workspace.denied_names
    )
    names = tuple(
        Name(name=each.name, port=each.port, until=each.until, origin=each.origin)
        for each in workspace.allowed_names
    )
    return Policy(
        egress=workspace.egress,
        denied=tuple(
            Decision(
                network=each.network,
                accept=False,
                reason=each.origin,
                protocol=protocol,
                port=each.port,
            )
            for each in workspace.denied_networks
            for protocol in protocols(each.port)
        ),
        alone=tuple(alone),
        near=tuple(near),
        machine=machine,
        decisions=tuple(decisions),
        published_port=published_port,
        open_ports=open_ports,
        names=(
            *(each for each in names if not any(other.includes(each) for other in denied_names)),
            *services,
        ),
        denied_names=denied_names,
        host_ports=tuple(
            HostPort(port=each.port, origin=each.origin)
            for each in workspace.host_ports
            if not any(other.covers(MACHINE) for other in denied_names)
        ),
        credentials=tuple(
            Name(name=host.name, port=host.port, origin=each.origin)
            for each in workspace.credentials
            for host in each.hosts
        ),
        agent=workspace.user.uid,
        observe=workspace.observe,
        follows=bool(host.tables),
    )


def lower(policy: Policy) -> Firewall:
    """Write a policy as rules of both families."""
    ipv4, ipv6 = (_rules(policy, family) for family in (Family.IPV4, Family.IPV6))
    if policy.observe:
        ipv4, ipv6 = observed(ipv4), observed(ipv6)
    return Firewall(
        egress=policy.egress,
        ipv4=Ruleset(family=Family.IPV4, rules=tuple(ipv4)),
        ipv6=Ruleset(family=Family.IPV6, rules=tuple(ipv6)),
        names=policy.names,
        denied_names=policy.denied_names,
        host_ports=policy.host_ports,
        credentials=policy.credentials,
    )


def _rules(policy: Policy, family: Family) -> Iterator[Rule]:
    yield from _inbound(policy, family)
    yield from proxy(policy, family)
    yield from _engine_resolver(policy, family)
    yield from _server(policy)
    if family is Family.IPV6:
        yield from straight()
        yield from neighbours()
        yield from honest()
    yield Rule(
        chain=Chain.OUTPUT, target=Target.ACCEPT, match=Match.LOOPBACK_OUT, comment="loopback"
    )
    if policy.visited(family):
        yield Rule(
            chain=Chain.OUTPUT,
            target=Target.ACCEPT,
            protocol=Protocol.TCP,  # as all that is let in
            match=Match.REPLY_OUT if family is Family.IPV4 else Match.REPLY_OUT_BY_OWN,
            comment="replies of the published port",
        )
    askers: tuple[Match | None, ...] = (None,)
    if policy.guarded:
        askers = () if policy.egress is Egress.NONE else (Match.BY_ENGINE, Match.BY_RESOLVER)
    for match in askers:
        yield Rule(
            chain=Chain.OUTPUT, jump=Chain.DNS, match=match, comment="resolvers of the container"
        )
    yield Rule(
        chain=Chain.OUTPUT,
        jump=Chain.LEARN,
        match=Match.BY_RESOLVER,
        comment="addresses of allowed names",
    )
    yield from _decisions(policy, family)
    yield from _denials(family)
    yield from machine_rules.closing(policy, family)
    yield from _learning(policy, family)
    for chain in dict.fromkeys(map(_chain, policy.names)):
        yield from begun(chain)
    for name in policy.names:
        yield from named(name, family, _chain(name))


def _inbound(policy: Policy, family: Family) -> Iterator[Rule]:
    if family is Family.IPV4:
        # Whoever could send here could forge an answer, and so open an address of its choice.
        yield Rule(
            chain=Chain.INPUT,
            target=Target.ACCEPT,
            destination=RESOLVER_PLACE,
            match=Match.REPLY_OUT,
            comment="answers to the resolver",
        )
        yield Rule(
            chain=Chain.INPUT,
            target=Target.DROP,
            destination=RESOLVER_PLACE,
            comment="nobody else answers the resolver",
        )
    yield Rule(chain=Chain.INPUT, target=Target.ACCEPT, match=Match.LOOPBACK_IN, comment="loopback")
    yield Rule(chain=Chain.INPUT, target=Target.ACCEPT, match=Match.REPLY_IN, comment="replies")
    if any(each.service for each in policy.names):
        yield Rule(chain=Chain.INPUT, jump=SERVICES, comment="nothing comes from services")
    if not policy.visited(family):
        return
    if policy.published_port is not None:
        yield Rule(
            chain=Chain.INPUT,
            target=Target.ACCEPT,
            protocol=Protocol.TCP,
            destination_port=policy.published_port,
            comment="published port",
        )
    for each in policy.open_ports:
        yield Rule(
            chain=Chain.INPUT,
            target=Target.ACCEPT,
            protocol=Protocol.TCP,
            destination_port=each.port,
            comment=each.origin,
        )


def _server(policy: Policy) -> Iterator[Rule]:
    """Let nobody but the agent answer where its server does, not even on loopback."""
    yield Rule(
        chain=Chain.OUTPUT,
        target=Target.DROP,
        protocol=Protocol.TCP,
        source_port=FIRST_PORT,
        match=Match.ACCEPTED_NOT_BY_AGENT,
        agent=None if policy.agent == DEFAULT_ID else policy.agent,
        comment="only the agent serves here",
    )


def _engine_resolver(policy: Policy, family: Family) -> Iterator[Rule]:
    """Where not every name may be asked for, only the wall's resolver asks the engine's."""
    if family is Family.IPV4 and policy.guarded:
        yield Rule(
            chain=Chain.OUTPUT,
            jump=Chain.DENY,
            destination=ENGINE_RESOLVER,
            match=None if policy.egress is Egress.NONE else Match.NOT_BY_RESOLVER,
            comment="resolver of the engine",
        )


def _decisions(policy: Policy, family: Family) -> Iterator[Rule]:
    """Yield the decisions; the machine stands after what names it, before what could hold it.

    What is denied stands first, in chains of its own, before all that could open it. Names stand
    after the networks that were allowed, before any denial of other networks.
    """
    if denied := [each for each in policy.denied if each.network.version == family]:
        yield Rule(chain=Chain.OUTPUT, jump=DENIED, comment="denied whatever is allowed")
        yield from branch(denied, DENIED, below=DENIED, comment="denied networks")
    if any(each.service for each in policy.names):
        yield Rule(chain=Chain.OUTPUT, jump=SERVICES, comment="services beside the agent")
    number = count(1)
    yield from branch(
        [each for each in policy.alone if each.network.version == family], Chain.OUTPUT, number
    )
    yield Rule(chain=Chain.OUTPUT, jump=Chain.HOST, comment="ports of this machine")
    yield Rule(chain=Chain.OUTPUT, jump=Chain.MACHINE, comment=THIS_MACHINE)
    for each in policy.itself:
        if each.network.version == family:
            yield decide(each, Chain.OUTPUT)
    yield from branch(
        [each for each in policy.near if each.network.version == family], Chain.OUTPUT, number
    )
    yield from machine_rules.closing_links(policy, family)
    for each in policy.beside:
        if each.network.version == family:
            yield decide(each, Chain.OUTPUT)
    mine = [each for each in policy.decisions if each.network.version == family]
    first = next((index for index, each in enumerate(mine) if not each.accept), len(mine))
    yield from branch(mine[:first], Chain.OUTPUT, number)
    yield Rule(chain=Chain.OUTPUT, jump=Chain.NAMES, comment="allowed hosts")
    for each in mine[first:]:
        yield decide(each, Chain.OUTPUT)
    yield Rule(chain=Chain.OUTPUT, jump=Chain.DENY, comment="everything else")


def _learning(policy: Policy, family: Family) -> Iterator[Rule]:
    """Let the resolver open and close addresses under the allowed names, and do nothing else.

    It knocks with a datagram that is never sent. What no name may open is decided here, so that
    not even a resolver that has been taken over can open it.
    """
    yield from machine_rules.learning(policy, family)
    names = {each.key: each for each in (*policy.credentials, *policy.names)}.values()
    if names:
        for network in NEVER_BY_NAME:
            if network.version == family:
                yield Rule(
                    chain=Chain.LEARN,
                    target=Target.DROP,
                    destination=network,
                    comment="never by name",
                )
    for name in names:
        yield from knocks(name.door, partial(address_list, name, family), name.origin)
    yield Rule(chain=Chain.LEARN, target=Target.DROP, comment="the resolver reaches nothing else")


def _chain(name: Name) -> ChainName:
    """Return where a name opens: the machine's own is the one that may open the machine."""
    return Chain.HOST if name.opens(own=True) else SERVICES if name.service else Chain.NAMES


def _denials(family: Family) -> Iterator[Rule]:
    """Tell, and refuse at once instead of dropping, so that a blocked program does not hang.

    Where the kernel can tell, the wall leaves out the counting: a full table of counts drops.
    """
    yield Rule(chain=Chain.DENY, target=Target.TELL, told=REFUSED, comment="tell what is refused")
    icmp = Protocol.ICMP if family is Family.IPV4 else Protocol.ICMPV6
    for protocol, match in (
        (Protocol.TCP, Match.COUNT_TCP),
        (Protocol.UDP, Match.COUNT_UDP),
        (icmp, Match.COUNT_ICMP),
    ):
        yield Rule(
            chain=Chain.DENY,
            target=Target.NOTHING,
            protocol=protocol,
            match=match,
            comment="count what is refused",
        )
    yield Rule(
        chain=Chain.DENY, target=Target.RESET, protocol=Protocol.TCP, comment="refuse at once"
    )
    prohibit = Target.PROHIBIT if family is Family.IPV4 else Target.PROHIBIT_IPV6
    yield Rule(chain=Chain.DENY, target=prohibit, comment="refuse at once")
