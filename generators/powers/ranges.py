"""How sets of addresses are spelt and counted."""

from jailoc.generators.powers.places import range_rank
from jailoc.model.address import AddressSet, Family, Network, is_single, written
from jailoc.model.power import Rank
from jailoc.model.special_ranges import PUBLIC, SPECIAL

EACH = 8
"""Up to so many networks have a line of their own."""
FEW = 3
"""Up to so many networks are named as a part of another one."""

Spelt = tuple[str, tuple[Network, ...], AddressSet]
"""The words, the networks, and the same as a set."""


def spelt(family: Family, found: AddressSet) -> list[Spelt]:
    """Spell a set of addresses: each network; of many, those that matter, and the others summed."""
    networks = found.collapse()
    if whole := _public(family, found):
        return [(whole, networks, found)]
    if len(networks) <= EACH:
        return [_one(family, each) for each in networks]
    grave = [
        each
        for each in networks
        if range_rank(family, AddressSet.networks(family, (each,)), (None,), AddressSet(family))
        in {Rank.CRITICAL, Rank.HIGH}
    ][:EACH]
    rest = tuple(each for each in networks if each not in grave)
    few = ", ".join(map(written, rest[:3]))
    more = f" and {len(rest) - 3:,} more networks" if len(rest) > 3 else ""
    summed: list[Spelt] = (
        [(f"{few}{more}", rest, AddressSet.networks(family, rest))] if rest else []
    )
    return [*(_one(family, each) for each in grave), *summed]


def _one(family: Family, network: Network) -> Spelt:
    words = written(network.network_address if is_single(network) else network)
    return words, (network,), AddressSet.networks(family, (network,))


def within(family: Family, network: Network, part: AddressSet, near: AddressSet) -> str:
    """Name a part of a network: by what it is or by what it leaves out, where either is short.

    Args:
        family: That of the addresses.
        network: The network.
        part: The part.
        near: What is told of as well, and so is not left out.
    """
    whole = _one(family, network)
    inside, outside = part.collapse(), (whole[2] - part - near).collapse()
    if not outside:
        return whole[0]
    names = [_one(family, each)[0] for each in inside[: FEW + 1]]
    if len(inside) <= FEW and not near and len(inside) <= len(outside):
        return f"{', '.join(names)} of {whole[0]}"
    if len(outside) <= FEW:
        return f"{whole[0]} but {', '.join(_one(family, each)[0] for each in outside)}"
    return whole[0]


def _public(family: Family, found: AddressSet) -> str | None:
    """Name the public internet, whole or with few exceptions."""
    special = AddressSet.networks(family, (network for network, _ in SPECIAL))
    public = AddressSet.networks(family, PUBLIC) - special
    missing = (public - found).collapse()
    if found - public or len(missing) > EACH or 2 * found.size < public.size:
        return None
    name = f"the public internet (IPv{family.value})"
    return f"{name} but {', '.join(map(written, missing))}" if missing else name


def counted(number: int) -> str:
    """Say how many addresses there are.

    >>> counted(65536), counted(1 << 64), counted((1 << 64) + 1)
    ('65,536 addresses', '2^64 addresses', 'about 2^64 addresses')
    """
    if number == 1:
        return "1 address"
    if number <= 1 << 32:
        return f"{number:,} addresses"
    power = number.bit_length() - 1
    about = "" if number == 1 << power else "about "
    return f"{about}2^{power + (2 * number > 3 << power)} addresses"
