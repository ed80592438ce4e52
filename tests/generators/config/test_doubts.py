"""What is valid and hardly meant is told, at its line, and nothing ordinary is."""

import ipaddress

from hypothesis import given

from jailoc.generators.config.doubts import doubts
from jailoc.generators.config.load import load
from jailoc.generators.config.mentioned import mentioned
from jailoc.model.address import Network
from jailoc.model.document import Document
from jailoc.model.host import Host
from tests.strategies import any_networks, toml


def told(text: str, **host: object) -> list[tuple[str, int]]:
    machine = Host.model_validate({"home": "/home/alice", **host})
    document = Document(text, "config.toml")
    found = doubts(document, load(document, machine), machine)
    return [(each.code, each.position.line if each.position else 0) for each in found]


@given(any_networks(1))
def test_host_bits_are_told_exactly_where_there_are_some(network: Network) -> None:
    last = network[-1]
    text = toml({"a": {"allowed_networks": [f"{last}/{network.prefixlen}", str(network)]}})
    codes = [each for each in told(text) if each[0] == "network-host-bits"]
    assert codes == [("network-host-bits", 2)] * (network.num_addresses > 1)


def test_private_and_public_addresses_are_silent() -> None:
    hosts = ["10.0.0.1", "192.168.1.1", "172.16.0.1", "9.9.9.9", "fd00::1", "2606:4700::1"]
    networks = ["10.0.0.0/8", "192.168.0.0/16", "fc00::/7", "100.64.0.0/10", "198.18.0.0/15"]
    text = toml({"a": {"allowed_hosts": hosts, "allowed_networks": networks}})
    assert not told(text)


def test_the_machine_is_asked_about_wildcards_alone() -> None:
    hosts = ["*.Com.", "example.com", "*.co.uk:443", "10.0.0.1", "* . b.example # x", "bad name !"]
    document = Document(toml({"a": {"allowed_hosts": hosts}}), "config.toml")
    assert mentioned(document, "/home/alice").wildcards == ("b.example", "co.uk", "com")


def test_only_what_the_machine_calls_a_suffix_is_one() -> None:
    text = toml({"a": {"allowed_hosts": ["*.com", "*.example.com", "com"]}})
    assert told(text, suffixes=("com",)) == [("allow-meaning", 2)]
    assert not told(text)


def test_an_env_file_is_told_once_and_each_of_its_lines() -> None:
    text = '[defaults]\nenv_file = ["/e"]\n[workspaces.a]\nenv_file = ["/e"]\n'
    found = told(text, files={"/e": "x\n" * 15})
    assert found == [("env-file-line", 2)] * 15


def test_every_address_of_a_loopback_network_is_told() -> None:
    for each in ("127.0.0.0/8", "127.1.2.3/32", "::1/128"):
        network = ipaddress.ip_network(each)
        assert told(toml({"a": {"allowed_networks": [str(network)]}})) == [("allow-meaning", 2)]
