"""Rules that close what becomes the machine's while its wall runs, such as a new network's gateway.

What the machine has when a wall loads its rules stands in them. Of what comes later a program of
the wall's (`guard.py`) learns from the kernel's own tables, and closes it as the resolver opens
addresses of names: with a datagram that never leaves, and that adds to a list of the kernel's. All
that it can do so is close, and open again what it has closed.

The same is done to the network that a public IPv6 address of the machine is in, where its
neighbours are.
"""

from collections.abc import Iterator
from functools import partial

from jailoc.generators.artefacts.name_rules import knocks
from jailoc.model.address import Family
from jailoc.model.compose import Bind, Literally
from jailoc.model.firewall import NEAR, THIS_MACHINE, Chain, Policy, Rule
from jailoc.model.host import Host
from jailoc.model.mount import Mode
from jailoc.model.rule_match import Memory, Recent
from jailoc.model.special_ranges import LINK_LENGTH

DOOR = 1023, 1022
"""UDP ports of such a datagram, source and destination; those of names are higher."""
LINK_DOOR = 1023, 1020
"""The same of networks."""
LINKS = ".link"
"""The list of them."""
PLACE = "/etc/jailoc-machine"
"""Where the wall has the kernel's tables."""


def closing(policy: Policy, family: Family) -> Iterator[Rule]:
    """Close what is in the list, before any range or name that could hold it."""
    if policy.follows:
        yield Rule(
            chain=Chain.MACHINE,
            jump=Chain.DENY,
            recent=_list(family, Memory.HOLDS),
            comment=THIS_MACHINE,
        )


def closing_links(policy: Policy, family: Family) -> Iterator[Rule]:
    """Close networks that the machine is in, but for what an entry names of those known before."""
    if policy.follows and family is Family.IPV6:
        yield Rule(chain=Chain.OUTPUT, jump=Chain.DENY, recent=_links(Memory.HOLDS), comment=NEAR)


def learning(policy: Policy, family: Family) -> Iterator[Rule]:
    """Let that program add to the lists, and take from them."""
    if policy.follows:
        yield from knocks(DOOR, partial(_list, family), THIS_MACHINE)
        if family is Family.IPV6:
            yield from knocks(LINK_DOOR, _links, NEAR)


def tables(host: Host) -> tuple[Bind, ...]:
    """Return the mounts of the kernel's tables, which name what the machine has at any time."""
    return tuple(
        Bind(
            source=Literally(text=each),
            target=Literally(text=f"{PLACE}/{each.rpartition('/')[2]}"),
            mode=Mode.READ_ONLY,
        )
        for each in host.tables
    )


def _list(family: Family, memory: Memory) -> Recent:
    # No host's name begins with a dot.
    return Recent(memory=memory, name=f"v{family.value}:.machine")


def _links(memory: Memory) -> Recent:
    return Recent(memory=memory, name=f"v{Family.IPV6.value}:{LINKS}", length=LINK_LENGTH)
