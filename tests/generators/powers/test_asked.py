"""What `explain` and `verify` say of an answer is the power that `diff` tells of."""

import ipaddress

import pytest

from jailoc.generators.artefacts import portable
from jailoc.generators.config.load import load
from jailoc.generators.powers.asked import agreed, behind, critical_of, let_in
from jailoc.model.allow_entry import parse_host, parse_network, parse_target
from jailoc.model.compose import Port
from jailoc.model.document import Document
from jailoc.model.firewall import Firewall
from jailoc.model.power import Rank

TEXT = """\
[defaults]
egress = "allowlist"
allowed_hosts = ["git.example.com:443", "*.github.io"]
host_ports = [2375]
denied_networks = ["10.9.0.0/16"]
denied_hosts = ["bad.example"]
[workspaces.api]
allowed_networks = ["10.0.0.0/8:443"]
"""


def firewall(text: str = TEXT) -> Firewall:
    document = Document(text, "config.toml")
    machine = portable.host(document)
    return portable.sides(load(document, machine), "api", machine).firewall


@pytest.mark.parametrize(
    ("reason", "opened", "rule", "rank", "words"),
    [
        ("workspaces.api.allowed_networks[0]", True, "reach.network", Rank.CRITICAL, "10.0.0.0/8"),
        ("defaults.allowed_hosts[0]", True, "reach.name", Rank.MEDIUM, "git.example.com"),
        ("defaults.allowed_hosts[1]", True, "reach.name", Rank.HIGH, "everybody"),
        ("defaults.host_ports[0]", True, "reach.machine", Rank.CRITICAL, "port 2375"),
        ("defaults.denied_networks[0]", False, "guard.denied", Rank.HIGH, "10.9.0.0/16"),
        ("defaults.denied_hosts[0]", False, "guard.denied", Rank.HIGH, "bad.example"),
    ],
)
def test_the_power_behind_an_entry_is_told_with_its_rank(
    reason: str, opened: bool, rule: str, rank: Rank, words: str
) -> None:
    found = behind(firewall(), reason, opened=opened)
    assert found is not None
    assert (found.rule, found.rank) == (rule, rank)
    assert words in str(found)


def test_what_is_closed_for_everybody_has_no_guard_of_its_own() -> None:
    private = ipaddress.ip_network("10.1.1.1/32")
    assert behind(firewall(), "private (RFC 1918)", opened=False, address=private) is None


def test_the_internet_is_closed_by_egress_and_open_without() -> None:
    public = ipaddress.ip_network("1.2.3.4/32")
    found = behind(firewall(), "defaults.egress", opened=False, address=public)
    assert found is not None
    assert found.rule == "guard.egress"
    opened = behind(firewall("[workspaces.api]\n"), "public", opened=True, address=public)
    assert opened is not None
    assert str(opened) == "guard.egress the public internet: what is not named is open"


def test_an_expectation_is_a_guard() -> None:
    found = agreed(parse_target("10.0.0.0/9"), closed=True)
    assert str(found) == ("guard.block 10.0.0.0/9: it is agreed that 10.0.0.0/9 must stay closed")
    assert agreed(parse_target("db.example.com:5432"), closed=False).rule == "guard.reach"


def test_a_published_port_is_a_power() -> None:
    assert let_in(Port(published=8080, target=80)).rank is Rank.MEDIUM


OWN = ("10.99.3.2", "fd00::7")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("10.99.3.2", "every port of this machine"),
        ("10.99.3.2/32", "every port of this machine"),
        ("10.99.3.2/32:2375", "port 2375 (Docker's API: root on the machine) of this machine"),
        ("fd00::7", "every port of this machine"),
        ("FD00:0::7/128", "every port of this machine"),
        # What is high is not asked, nor what a range holds: it does not open the machine.
        ("10.99.3.2/32:7777", None), ("10.99.3.2:7777", None), ("10.99.3.0/24", None),
        ("10.99.3.3/32", None),
    ],
)  # fmt: skip
def test_an_address_of_the_machine_is_critical_however_it_is_written(
    target: str, words: str | None
) -> None:
    entry = parse_network(target) if "/" in target else parse_host(target)
    said = critical_of(entry, OWN)
    assert said == (words and f"{words}; `host_ports` opens single ones")


@pytest.mark.parametrize(
    ("entry", "rank", "words"),
    [
        ("10.99.3.2/32", Rank.CRITICAL, "every port of this machine"),
        ("10.99.3.2/32:7777", Rank.HIGH, "port 7777 of this machine"),
        ("fd00::7/128", Rank.CRITICAL, "every port of this machine"),
        ("10.99.3.0/24", Rank.MEDIUM, "10.99.3.0/24"),
    ],
)
def test_the_power_behind_an_address_of_the_machine_is_that_of_the_machine(
    entry: str, rank: Rank, words: str
) -> None:
    wall = firewall(f"[workspaces.api]\nallowed_networks = ['{entry}']\n")
    found = behind(wall, "workspaces.api.allowed_networks[0]", opened=True, own=OWN)
    assert found is not None
    assert (found.rank, found.subject) == (rank, words)
