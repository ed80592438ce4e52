"""Rules for what is open by name: to the sandbox, or to the proxy alone."""

from collections.abc import Callable, Iterator

from jailoc.model.address import LOOPBACK_IPV4, Family
from jailoc.model.firewall import (
    DENIED,
    PROXY_CHAIN,
    PROXY_RESOLVER,
    THIS_MACHINE,
    Chain,
    Policy,
    Protocol,
    Rule,
    Target,
)
from jailoc.model.name_pattern import BEGUN, Name
from jailoc.model.rule_match import Match, Memory, Recent
from jailoc.model.sandbox import DNS_PORT


def protocols(port: int | None) -> tuple[Protocol | None, ...]:
    """Return what an allowed port is open for; without a port it is everything."""
    return (None,) if port is None else (Protocol.TCP, Protocol.UDP)


def named(name: Name, family: Family, chain: str) -> Iterator[Rule]:
    """Open what a list holds; a TCP connection that was opened so outlives its address there.

    The machine's own name is the one that may open the machine. The proxy speaks TLS alone.
    """
    both = protocols(name.port)
    for protocol in both if chain != PROXY_CHAIN else (Protocol.TCP,):
        yield Rule(
            chain=chain,
            target=Target.MARK,
            protocol=protocol,
            destination_port=name.port,
            recent=address_list(name, family, Memory.HOLDS),
            mark=name.mark,
            until=name.until,
            comment=name.origin,
        )
    yield Rule(
        chain=chain,
        target=Target.ACCEPT,
        mark=name.mark,
        until=name.until,
        comment=name.origin,
    )


def begun(chain: str) -> Iterator[Rule]:
    """Forget by which name a connection was opened that had the same four numbers as a new one.

    The kernel remembers one whose ends have gone without a word, for days (nf_conntrack sysctl),
    and who has its address by now is another. What is no TCP has no end at all: whoever goes on
    sending would hold it open for ever.
    """
    yield Rule(
        chain=chain,
        target=Target.MARK,
        protocol=Protocol.TCP,
        match=Match.BEGINS,
        mark=BEGUN,
        comment="a connection that begins",
    )
    yield Rule(
        chain=chain,
        target=Target.MARK,
        match=Match.NO_STREAM,
        mark=BEGUN,
        comment="a datagram counts for itself",
    )


def knocks(
    door: tuple[int, int], address_list: Callable[[Memory], Recent], comment: str
) -> Iterator[Rule]:
    """Let the resolver add an address to a list of the kernel's, and take it away again.

    Args:
        door: The UDP ports that it knocks with: source, and destination to add; the next one takes
            away.
        address_list: The list, and what a rule does with it.
        comment: What the rules are for.
    """
    source, destination = door
    for step, memory in enumerate((Memory.ADD, Memory.REMOVE)):
        yield Rule(
            chain=Chain.LEARN,
            target=Target.DROP,
            protocol=Protocol.UDP,
            source_port=source,
            destination_port=destination + step,
            recent=address_list(memory),
            comment=comment,
        )


def address_list(name: Name, family: Family, memory: Memory) -> Recent:
    """Return the kernel's list of the addresses that a name has."""
    return Recent(memory=memory, name=f"v{family.value}:{name.place}")


def proxy(policy: Policy, family: Family) -> Iterator[Rule]:
    """Hold the proxy to the hosts of its credentials, also one that has been taken over.

    What is denied, and the machine, stay closed to it as to everybody.
    """
    if not policy.credentials:
        return
    yield Rule(
        chain=Chain.OUTPUT,
        jump=PROXY_CHAIN,
        match=Match.BY_PROXY,
        comment="the proxy, which holds credentials",
    )
    if family is Family.IPV4:
        yield Rule(
            chain=Chain.OUTPUT,
            target=Target.DROP,
            protocol=Protocol.TCP,
            match=Match.ACCEPTED_NOT_BY_PROXY,
            comment="only the proxy serves here",
        )
        yield Rule(
            chain=Chain.OUTPUT,
            jump=Chain.DENY,
            destination=PROXY_RESOLVER,
            comment="the proxy alone asks here",
        )
        for protocol in (Protocol.UDP, Protocol.TCP):
            yield Rule(
                chain=PROXY_CHAIN,
                target=Target.ACCEPT,
                destination=PROXY_RESOLVER,
                protocol=protocol,
                destination_port=DNS_PORT,
                comment="real addresses of its hosts",
            )
        yield Rule(
            chain=PROXY_CHAIN,
            target=Target.ACCEPT,
            destination=LOOPBACK_IPV4,
            match=Match.REPLY_OUT,
            comment="answers to the sandbox",
        )
    if any(each.network.version == family for each in policy.denied):
        yield Rule(chain=PROXY_CHAIN, jump=DENIED, comment="denied whatever is allowed")
    yield Rule(chain=PROXY_CHAIN, jump=Chain.MACHINE, comment=THIS_MACHINE)
    yield from begun(PROXY_CHAIN)
    for name in policy.credentials:
        yield from named(name, family, PROXY_CHAIN)
    yield Rule(chain=PROXY_CHAIN, jump=Chain.DENY, comment="the proxy reaches nothing else")
