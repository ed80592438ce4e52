"""The second wall: a workspace's policy as a NetworkPolicy, a union of what is open.

It has no order, no denial, no names and no ICMP, and drops instead of refusing; a network plugin
may leave it out without a word (https://kubernetes.io/docs/concepts/services-networking/
network-policies/). So it is never the first wall, and nothing that it opens may be closed by the
first, but for what a name may have: those addresses are known only there.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise, takewhile
from typing import Literal

from jailoc.model.address import AddressSet, Family, loopback, written
from jailoc.model.egress import Egress
from jailoc.model.firewall import Decision, Policy, Protocol
from jailoc.model.kubernetes.objects import (
    EgressRule,
    IngressRule,
    IpBlock,
    LabelSelector,
    NetworkPolicySpec,
    Peer,
    PolicyPort,
)
from jailoc.model.kubernetes.settings import KubernetesSettings
from jailoc.model.kubernetes.words import NAMESPACE_LABEL, selector
from jailoc.model.sandbox import DNS_PORT, FIRST_PORT
from jailoc.model.special_ranges import NEVER_BY_NAME, PUBLIC

Span = tuple[int, int]
"""Ports from the first to the last."""
PROTOCOLS = (Protocol.TCP, Protocol.UDP)
LAST_PORT = 65535


def network_policy(
    workspace: str, policy: Policy, settings: KubernetesSettings
) -> NetworkPolicySpec:
    """Return what a workspace's pod may reach, and who may reach it, as far as it can be said."""
    open_ = [] if policy.egress is Egress.NONE else list(_dns(settings))
    open_ += _openings(widened(policy, settings))
    return NetworkPolicySpec(
        pod_selector=LabelSelector(match_labels=selector(workspace)),
        ingress=tuple(_visitors(policy, settings)),
        egress=tuple(open_),
    )


def widened(policy: Policy, settings: KubernetesSettings) -> Policy:
    """Return a policy with all that allowed names may open, as far as that is said without them.

    An allowed name may have any public address; one of another kind only in `names_within`. DNS
    elsewhere than to the cluster's stays closed.
    """
    if not policy.names:
        return policy
    ports = sorted({each.port or 0 for each in policy.names})
    doors: tuple[tuple[Protocol | None, int | None], ...] = ((None, None),)
    if ports[0]:
        doors = tuple((protocol, port) for port in ports for protocol in PROTOCOLS)
    named = list(takewhile(_named, policy.decisions))
    rest = policy.decisions[len(named) :]
    dns = [each for each in rest if each.port == DNS_PORT and not each.accept]

    def opened(decision: Decision) -> Iterator[Decision]:
        for protocol, port in doors:
            more = {"accept": True, "reason": "names", "protocol": protocol, "port": port}
            yield decision.model_copy(update=more)

    within = [
        more
        for network in settings.names_within
        for more in opened(Decision(network=network, accept=True, reason="names"))
    ]
    never = [Decision(network=each, accept=False, reason="never by name") for each in NEVER_BY_NAME]
    last: list[Decision] = []
    for each in rest:
        if each not in dns:
            last += opened(each) if each.network in PUBLIC and not each.accept else ()
            last.append(each)
    after = (*named, *dns, *(never if within else ()), *within, *last)
    return policy.model_copy(update={"decisions": after})


def _named(decision: Decision) -> bool:
    return decision.accept and decision.network not in PUBLIC


def _openings(policy: Policy) -> Iterator[EgressRule]:
    """Yield rules that together open exactly what a policy opens by address."""
    spans: dict[IpBlock, list[tuple[Protocol, Span]]] = {}
    for protocol in PROTOCOLS:
        for span in _spans(policy):
            for family in Family:
                for block in _blocks(policy, family, protocol, span[0]):
                    spans.setdefault(block, []).append((protocol, span))
    peers: dict[tuple[PolicyPort, ...], list[Peer]] = {}
    for block, found in spans.items():
        peers.setdefault(tuple(_ports(found)), []).append(Peer(ip_block=block))
    for ports, ours in peers.items():
        yield EgressRule(to=tuple(ours), ports=ports)


def _spans(policy: Policy) -> Iterator[Span]:
    """Yield the ports that no decision tells apart."""
    named = {each.port for each in policy.ordered if each.port}
    edges = sorted({1, LAST_PORT + 1, *named, *(each + 1 for each in named)})
    for low, high in pairwise(edges):
        yield low, high - 1


def _blocks(policy: Policy, family: Family, protocol: Protocol, port: int) -> Iterator[IpBlock]:
    """Yield for each decision that opens something exactly what it opens, as one block."""
    undecided = AddressSet.everything(family) - loopback(family)
    for each in policy.ordered:
        if each.network.version != family or each.protocol not in {None, protocol}:
            continue
        if each.port not in {None, port}:
            continue
        whole = AddressSet.networks(family, (each.network,))
        matched = undecided & whole
        undecided -= matched
        if each.accept and matched:
            closed = tuple(written(one) for one in (whole - matched).collapse())
            yield IpBlock(cidr=written(each.network), except_=closed or None)


def _ports(found: Iterable[tuple[Protocol, Span]]) -> Iterator[PolicyPort]:
    for protocol in PROTOCOLS:
        joined: list[Span] = []
        for low, high in sorted({span for kind, span in found if kind is protocol}):
            if joined and joined[-1][1] + 1 == low:
                joined[-1] = (joined[-1][0], high)
            else:
                joined.append((low, high))
        for low, high in joined:
            end = high if high > low else None
            yield PolicyPort(protocol=_WORD[protocol], port=low, end_port=end)


_WORD: dict[Protocol, Literal["TCP", "UDP"]] = {Protocol.TCP: "TCP", Protocol.UDP: "UDP"}


def _dns(settings: KubernetesSettings) -> Iterator[EgressRule]:
    """Yield the way to who answers names, by pods and by address.

    Whether an address of a service is looked at before it is translated is not defined.
    """
    dns = settings.dns
    pods = Peer(namespace_selector=_namespace(dns.namespace),
                pod_selector=LabelSelector(match_labels=dns.labels))  # fmt: skip
    places = tuple(
        Peer(ip_block=IpBlock(cidr=f"{each}/{128 if ':' in each else 32}"))
        for each in dns.addresses
    )
    if dns.port == DNS_PORT:
        yield EgressRule(to=(*places, pods), ports=_both(DNS_PORT))
    else:
        yield EgressRule(to=places, ports=_both(DNS_PORT))
        yield EgressRule(to=(pods,), ports=_both(dns.port))


def _both(port: int) -> tuple[PolicyPort, ...]:
    return PolicyPort(protocol="TCP", port=port), PolicyPort(protocol="UDP", port=port)


def _visitors(policy: Policy, settings: KubernetesSettings) -> Iterator[IngressRule]:
    if policy.published_port is None:
        return
    yield IngressRule(
        from_=tuple(
            Peer(
                namespace_selector=_namespace(each.namespace),
                pod_selector=LabelSelector(match_labels=each.labels or None),
            )
            for each in settings.ingress_from
        ),
        ports=(PolicyPort(protocol="TCP", port=FIRST_PORT),),
    )


def _namespace(name: str) -> LabelSelector:
    return LabelSelector(match_labels={NAMESPACE_LABEL: name})
