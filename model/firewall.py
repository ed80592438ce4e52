"""The firewall: what it means (a policy), what the kernel is given (rules), and how rules decide.

A `Policy` is a list of decisions; the first one that matches a destination holds. A `Ruleset` is
the same written as iptables rules (iptables(8), iptables-extensions(8)). `accepted` computes what
rules let out by walking them as the kernel does, with whole address ranges instead of packets, so
that "the rules decide as the policy says" can be checked for every address there is.
"""

from enum import StrEnum

from pydantic import Field, model_validator

from jailoc.model.address import AddressSet, Family, Network
from jailoc.model.base import Model

DENY = "JAILOC-DENY"
DNS = "JAILOC-DNS"
NAMES = "JAILOC-NAMES"


class Protocol(StrEnum):
    """A transport protocol by its iptables name."""

    TCP = "tcp"
    UDP = "udp"
    ICMPV6 = "ipv6-icmp"


class Target(StrEnum):
    """What becomes of a packet that matches."""

    ACCEPT = "ACCEPT"
    DENY = DENY
    DNS = DNS
    NAMES = NAMES
    RESET = "REJECT --reject-with tcp-reset"
    PROHIBIT = "REJECT --reject-with icmp-admin-prohibited"
    PROHIBIT_IPV6 = "REJECT --reject-with icmp6-adm-prohibited"


class Chain(StrEnum):
    """The chains of the filter table, in the order they are declared."""

    INPUT = "INPUT"
    FORWARD = "FORWARD"
    OUTPUT = "OUTPUT"
    DENY = DENY
    DNS = DNS
    NAMES = NAMES


class Match(StrEnum):
    """Conditions that are not about the destination, each in the words iptables prints back."""

    LOOPBACK_IN = "-i lo"
    LOOPBACK_OUT = "-o lo"
    REPLY_IN = "-m conntrack --ctstate RELATED,ESTABLISHED"
    REPLY_OUT = "-m conntrack --ctstate ESTABLISHED --ctdir REPLY"
    NEIGHBOUR_SOLICITATION = "-m icmp6 --icmpv6-type 135"
    NEIGHBOUR_ADVERTISEMENT = "-m icmp6 --icmpv6-type 136"


class Rule(Model):
    """One iptables rule. Absent fields match everything."""

    chain: Chain
    target: Target
    destination: Network | None = None
    protocol: Protocol | None = None
    destination_port: int | None = Field(default=None, ge=1, le=65535)
    match: Match | None = None
    comment: str = Field(pattern=r"^[A-Za-z0-9 .,:()\[\]/_-]{1,255}$")
    """What the rule is for: the configuration entry, or the reason."""

    @model_validator(mode="after")
    def _port_needs_protocol(self) -> "Rule":
        if self.destination_port and self.protocol not in {Protocol.TCP, Protocol.UDP}:
            raise ValueError("a port needs tcp or udp")
        return self


class Ruleset(Model):
    """The filter table of one family. Every built-in chain drops what no rule accepts."""

    family: Family
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _one_family(self) -> "Ruleset":
        if any(each.destination and each.destination.version != self.family for each in self.rules):
            raise ValueError("a rule of the other family")
        return self

    def of(self, chain: Chain) -> tuple[Rule, ...]:
        """Return the rules of one chain, in order."""
        return tuple(rule for rule in self.rules if rule.chain is chain)


class Name(Model):
    """A host name that is looked up when the wall starts."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,254}$")
    port: int | None = Field(default=None, ge=1, le=65535)
    origin: str

    @property
    def line(self) -> str:
        """Return the line of the wall's list."""
        return self.name if self.port is None else f"{self.name} {self.port}"


class HostPort(Model):
    """A port of the machine; its addresses are known when the wall starts."""

    port: int = Field(ge=1, le=65535)
    origin: str


class Firewall(Model):
    """All that the wall loads."""

    ipv4: Ruleset
    ipv6: Ruleset
    names: tuple[Name, ...]
    host_ports: tuple[HostPort, ...] = ()


class Decision(Model):
    """One line of a policy: these destinations, through this door, are open or closed."""

    network: Network
    accept: bool
    reason: str
    protocol: Protocol | None = None
    port: int | None = None


class Policy(Model):
    """Decisions in order; the first that matches holds, and what none matches is closed.

    Four things stand outside the order because no address of theirs is known yet: loopback,
    replies to connections from outside, the container's own resolvers, and the machine's ports.
    """

    decisions: tuple[Decision, ...]
    published_port: int | None
    names: tuple[Name, ...]
    host_ports: tuple[HostPort, ...] = ()

    def accepted(self, family: Family, protocol: Protocol, port: int) -> AddressSet:
        """Return every address that the policy opens for new connections of this kind."""
        open_, undecided = AddressSet(family), AddressSet.everything(family)
        for each in self.decisions:
            if each.protocol not in {None, protocol} or each.port not in {None, port}:
                continue
            matched = undecided & AddressSet.networks(family, (each.network,))
            undecided -= matched
            if each.accept:
                open_ |= matched
        return open_


def accepted(rules: Ruleset, protocol: Protocol, port: int) -> AddressSet:
    """Return every address to which the rules let new connections of this kind out.

    Resolver and name chains count as empty: they are filled when the wall starts.
    """
    open_, undecided = AddressSet(rules.family), AddressSet.everything(rules.family)
    for rule in rules.of(Chain.OUTPUT):
        if rule.match is not None:
            continue  # loopback, replies and neighbour discovery: not a new connection to anywhere
        if rule.protocol not in {None, protocol} or rule.destination_port not in {None, port}:
            continue
        if rule.target in {Target.DNS, Target.NAMES}:
            continue
        matched = undecided
        if rule.destination is not None:
            matched = undecided & AddressSet.networks(rules.family, (rule.destination,))
        undecided -= matched
        if rule.target is Target.ACCEPT:
            open_ |= matched
    return open_
