"""The firewall: what it means (a policy), what the kernel is given (rules), and how rules decide.

A `Policy` is a list of decisions; the first one that matches a destination holds. A `Ruleset` is
the same written as iptables rules (iptables(8), iptables-extensions(8)). `walk` follows rules as
the kernel does, with whole address ranges instead of packets, so that "the rules decide as the
policy says" can be checked for every address there is.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from graphlib import TopologicalSorter
from typing import Annotated

from pydantic import Field, model_validator

from jailoc.model.address import Address, AddressSet, Family, Network, is_single, loopback
from jailoc.model.base import Model
from jailoc.model.egress import Egress
from jailoc.model.name_pattern import ClosedName, Name
from jailoc.model.rule_match import Match, Recent
from jailoc.model.user import DEFAULT_ID


class Protocol(StrEnum):
    """A protocol by its iptables name."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"
    ICMPV6 = "ipv6-icmp"


class Target(StrEnum):
    """What becomes of a packet that matches, in the words iptables prints back."""

    ACCEPT = "ACCEPT"
    DROP = "DROP"
    MARK = "CONNMARK"
    NOTHING = ""
    """The rule only counts."""
    TELL = "NFLOG"
    """The rule tells the resolver of the packet."""
    RESET = "REJECT --reject-with tcp-reset"
    PROHIBIT = "REJECT --reject-with icmp-admin-prohibited"
    PROHIBIT_IPV6 = "REJECT --reject-with icmp6-adm-prohibited"


class Chain(StrEnum):
    """The chains of the filter table that are always there, in the order they are declared."""

    INPUT = "INPUT"
    FORWARD = "FORWARD"
    OUTPUT = "OUTPUT"
    DENY = "JAILOC-DENY"
    DNS = "JAILOC-DNS"
    """The container's resolvers; filled when the wall starts."""
    HOST = "JAILOC-HOST"
    """Ports of the machine; filled when the wall starts."""
    LEARN = "JAILOC-LEARN"
    """What the resolver sends to open an address under an allowed name, or to close it."""
    MACHINE = "JAILOC-MACHINE"
    """The machine's own addresses, which no name and no range opens; filled when the wall starts.

    For the evaluator it is empty, unless the addresses are told (`Firewall.facing`)."""
    NAMES = "JAILOC-NAMES"
    """Addresses that are open because an allowed name has them now."""


ENGINE_RESOLVER = ipaddress.ip_network("127.0.0.11/32")
"""Where the engine answers names, in the sandbox's own network namespace."""
BUILT_IN = (Chain.INPUT, Chain.FORWARD, Chain.OUTPUT)
UNKNOWN = (Chain.DNS, Chain.HOST, Chain.LEARN, Chain.NAMES)
"""Chains whose addresses are known only at run time: for the evaluator they open nothing."""

MOST_WALKED = 64
"""How many times as many rules as there are one walk may come by, for many lead to few."""
THIS_MACHINE = "this machine"
"""The reason of the rules in `Chain.MACHINE`, which the wall writes in the same words."""

NEAR = "this machine and its network"
"""The reason of what closes `Policy.machine`."""

DENIED = "JAILOC-DENIED"
"""The chain, with those below it, of what is closed whatever is allowed; there if anything is."""

PROXY_CHAIN = "JAILOC-PROXY"
"""Where all that the proxy sends ends; there if a credential is."""
PROXY_RESOLVER = ipaddress.ip_network("127.0.0.55/32")
"""Where the wall's resolver answers the proxy, and nobody else, with real addresses."""
SERVICES = "JAILOC-SERVICES"
"""The chain of what goes to services beside the agent and comes from them, if there are any.

The wall, which knows when it starts which interface leads there, closes all but the named ports."""

ChainName = Annotated[str, Field(pattern=r"^(INPUT|FORWARD|OUTPUT|JAILOC-[A-Z0-9-]{1,20})$")]
"""The kernel takes names of up to 28 characters."""


class Rule(Model):
    """One iptables rule. Absent fields match everything."""

    chain: ChainName
    target: Target | None = None
    jump: ChainName | None = None
    """A chain to go through instead; after its end the next rule of this one follows."""
    destination: Network | None = None
    protocol: Protocol | None = None
    source_port: int | None = Field(default=None, ge=1, le=65535)
    destination_port: int | None = Field(default=None, ge=1, le=65535)
    match: Match | None = None
    agent: int | None = Field(default=None, ge=1)
    """UID of the agent, where it is not the one in the words of `match`."""
    recent: Recent | None = None
    mark: int | None = Field(default=None, ge=1, lt=1 << 32)
    """Of the connection: the condition, or with the target MARK what is set."""
    told: str | None = Field(default=None, pattern=r"^[a-z][0-9a-f]{0,8}$")
    """What the resolver is told with a packet: what kind of rule it met."""
    until: date | None = None
    """The last day (UTC) on which the rule matches."""
    comment: str = Field(pattern=r"^[A-Za-z0-9 .,:()\[\]/_-]{1,255}$")
    """What the rule is for: the configuration entry, or the reason."""

    @model_validator(mode="after")
    def _whole(self) -> "Rule":
        if (self.destination_port or self.source_port) and self.protocol not in {
            Protocol.TCP,
            Protocol.UDP,
        }:
            raise ValueError("a port needs tcp or udp")
        if (self.target is None) == (self.jump is None):
            raise ValueError("a rule has a target or a jump")
        if self.target is Target.MARK and not self.mark:
            raise ValueError("a mark needs a value")
        if self.agent and self.match is not Match.ACCEPTED_NOT_BY_AGENT:
            raise ValueError("a user without a condition on it")
        if (self.target is Target.TELL) != (self.told is not None):
            raise ValueError("what is told has a mark, and nothing else has")
        if self.target is Target.NOTHING and self.match is None:
            raise ValueError("a rule without effect")
        return self

    @property
    def condition(self) -> str:
        """Return the words of `match`, with the agent's own UID; empty if there is none."""
        words = self.match.value if self.match else ""
        return words if self.agent is None else words.replace(str(DEFAULT_ID), str(self.agent))

    @property
    def denied(self) -> bool:
        """Tell whether it closes what is closed whatever is allowed."""
        return self.chain.startswith(DENIED)

    @property
    def decides(self) -> bool:
        """Tell whether protocol, port and destination alone say what it does to the sandbox.

        The sandbox is neither the resolver nor the engine, and opens a connection that is new.
        """
        return (
            self.match in {None, Match.LOOPBACK_OUT, Match.NOT_BY_RESOLVER}
            and self.target is not Target.TELL
            and self.recent is None
            and self.mark is None
            and self.source_port is None
            and self.jump not in UNKNOWN
        )


class Ruleset(Model):
    """The filter table of one family. Every built-in chain drops what no rule accepts."""

    family: Family
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _one_family(self) -> "Ruleset":
        if any(each.destination and each.destination.version != self.family for each in self.rules):
            raise ValueError("a rule of the other family")
        known = {*Chain, *(each.chain for each in self.rules)}
        if any(each.jump and each.jump not in known for each in self.rules):
            raise ValueError("a jump to a chain without rules")
        return self

    @model_validator(mode="after")
    def _walked_once(self) -> "Ruleset":
        """Refuse chains that lead back to themselves, or so often to others that no walk ends."""
        jumps: dict[str, list[str]] = {}
        for each in self.rules:
            if each.jump:
                jumps.setdefault(each.chain, []).append(each.jump)
        own, walked = Counter(each.chain for each in self.rules), dict[str, int]()
        for chain in TopologicalSorter(jumps).static_order():  # a circle is a ValueError
            walked[chain] = own[chain] + sum(walked[below] for below in jumps.get(chain, ()))
        if max(walked.values(), default=0) > MOST_WALKED * (len(self.rules) + 64):
            raise ValueError("chains that lead to each other again and again")
        return self

    @property
    def chains(self) -> tuple[str, ...]:
        """Return every chain, in the order they are declared."""
        return tuple(dict.fromkeys([*map(str, Chain), *(each.chain for each in self.rules)]))

    def by_chain(self) -> dict[str, list[Rule]]:
        """Return the rules of every chain, in order."""
        found: dict[str, list[Rule]] = {chain: [] for chain in self.chains}
        for rule in self.rules:
            found[rule.chain].append(rule)
        return found

    @property
    def outgoing(self) -> tuple[Rule, ...]:
        """Return the rules of OUTPUT, and of the chains below it that are not always there.

        What the proxy alone goes through is none of the sandbox's.
        """
        others = {*map(str, Chain), PROXY_CHAIN} - {str(Chain.OUTPUT)}
        return tuple(rule for rule in self.rules if rule.chain not in others)

    def of(self, chain: str) -> tuple[Rule, ...]:
        """Return the rules of one chain, in order."""
        return tuple(rule for rule in self.rules if rule.chain == chain)


class HostPort(Model):
    """A port of the machine; its addresses are known when the wall starts."""

    port: int = Field(ge=1, le=65535)
    origin: str


class OpenPort(Model):
    """A port of the sandbox that connections are let in to."""

    port: int = Field(ge=1, le=65535)
    origin: str


class Firewall(Model):
    """All that the wall loads."""

    egress: Egress
    ipv4: Ruleset
    ipv6: Ruleset
    names: tuple[Name, ...]
    denied_names: tuple[ClosedName, ...] = ()
    host_ports: tuple[HostPort, ...] = ()
    credentials: tuple[Name, ...] = ()
    """What the proxy alone reaches."""

    def denial(self, name: str) -> ClosedName | None:
        """Return what keeps a host name from being resolved; None if nothing does."""
        return next((each for each in self.denied_names if each.covers(name)), None)

    def of(self, family: Family) -> Ruleset:
        """Return the rules of a family."""
        return self.ipv4 if family is Family.IPV4 else self.ipv6

    def facing(self, machine: Iterable[str]) -> "Firewall":
        """Return it as in a wall that knows these addresses and networks of the machine.

        Raises:
            ValueError: one is no address.
        """
        places = sorted(
            {*map(ipaddress.ip_network, machine)}, key=lambda each: each.network_address.packed
        )

        def filled(rules: Ruleset) -> Ruleset:
            here = [each for each in places if each.version == rules.family]
            more = [_closes(each, Chain.MACHINE, THIS_MACHINE) for each in here if is_single(each)]
            links = [_closes(each, Chain.OUTPUT, NEAR) for each in here if not is_single(each)]
            # Where the kernel's list of them is asked; without one nobody knows of any.
            of_links = (index for index, each in enumerate(rules.rules)
                        if each.recent is not None and each.comment == NEAR
                        and each.chain == Chain.OUTPUT)  # fmt: skip
            at = next(of_links, len(rules.rules))
            every = (*rules.rules[:at], *links, *rules.rules[at:], *more)
            return Ruleset(family=rules.family, rules=every)

        return self.model_copy(update={"ipv4": filled(self.ipv4), "ipv6": filled(self.ipv6)})


def nameless(reason: str, address: Address) -> bool:
    """Tell whether no name opens what is closed for a reason.

    An IPv6 network that the machine is in is judged before names: it may have any address there.
    """
    return reason == NEAR and Family(address.version) is Family.IPV6


class Decision(Model):
    """One line of a policy: these destinations, through this door, are open or closed."""

    network: Network
    accept: bool
    reason: str
    protocol: Protocol | None = None
    port: int | None = None
    until: date | None = None


class Policy(Model):
    """Decisions in order; the first that matches holds, and what none matches is closed.

    Loopback is the sandbox itself and open before any decision, but for the engine's resolver where
    only the wall's may ask it. Five things stand outside the order because no address of
    theirs is known yet: replies to connections from outside, the container's own resolvers,
    allowed names, the machine's ports, and those of its addresses that come and go.
    """

    egress: Egress = Egress.PUBLIC
    denied: tuple[Decision, ...] = ()
    """What nothing opens: no entry, no name, no port of the machine."""
    alone: tuple[Decision, ...] = ()
    """Entries that name single addresses: they come before the machine, and so are the only ones
    that can open it."""
    near: tuple[Decision, ...] = ()
    """Entries that name a network of the machine's, or a part of one: its neighbours there."""
    machine: tuple[Network, ...] = ()
    """Addresses and networks of the machine that stay as they are: closed to all that follows."""
    follows: bool = False
    """Whether the wall hears of addresses that become the machine's, and closes them, too."""
    decisions: tuple[Decision, ...]
    published_port: int | None
    """The server's."""
    open_ports: tuple[OpenPort, ...] = ()
    """What else is published."""
    published_over: tuple[Family, ...] = (Family.IPV4,)
    """The families by which anybody comes to what is published: the machine by 127.0.0.1 alone."""
    names: tuple[Name, ...]
    denied_names: tuple[ClosedName, ...] = ()
    host_ports: tuple[HostPort, ...] = ()
    credentials: tuple[Name, ...] = ()
    """What the proxy reaches under a name, and the sandbox only through it."""
    agent: int = DEFAULT_ID
    """UID of the agent."""
    observe: bool = False
    """Whether what passes is told of, too."""

    def visited(self, family: Family) -> bool:
        """Tell whether connections come in from outside of the sandbox by a family."""
        published = self.published_port is not None or bool(self.open_ports)
        return published and family in self.published_over

    @property
    def guarded(self) -> bool:
        """Tell whether the wall's resolver alone may ask others: something must not be found."""
        return self.egress is not Egress.PUBLIC or bool(self.denied or self.denied_names)

    @property
    def ordered(self) -> tuple[Decision, ...]:
        """Return every decision, in the order in which they hold."""
        return (*self.denied, *self.alone, *self.itself, *self.near, *self.beside, *self.decisions)

    @property
    def itself(self) -> tuple[Decision, ...]:
        """Return what closes the machine's own addresses, as far as they are written down."""
        return tuple(each for each in self._closed if is_single(each.network))

    @property
    def beside(self) -> tuple[Decision, ...]:
        """Return what closes the networks that the machine is in, but for what names them."""
        return tuple(each for each in self._closed if not is_single(each.network))

    @property
    def _closed(self) -> tuple[Decision, ...]:
        return tuple(Decision(network=each, accept=False, reason=NEAR) for each in self.machine)

    def accepted(self, family: Family, protocol: Protocol, port: int) -> AddressSet:
        """Return every address that the policy opens for new connections of this kind."""
        closed = [ENGINE_RESOLVER] if self.guarded else []
        closed += [PROXY_RESOLVER] if self.credentials else []
        open_ = loopback(family) - AddressSet.networks(family, closed)
        undecided = AddressSet.everything(family) - loopback(family)
        for each in self.ordered:
            if each.protocol not in {None, protocol} or each.port not in {None, port}:
                continue
            matched = undecided & AddressSet.networks(family, (each.network,))
            undecided -= matched
            if each.accept:
                open_ |= matched
        return open_


def _closes(network: Network, chain: str, why: str) -> Rule:
    return Rule(chain=chain, jump=Chain.DENY, destination=network, comment=why)
