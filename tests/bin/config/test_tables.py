"""Which tables of the kernel's name this machine's addresses, and can be mounted."""

import subprocess
import sys
from pathlib import Path

import pytest

from jailoc.bin.config import facts
from jailoc.bin.engine import endpoint
from jailoc.model.host import TABLES
from tests.engine.world import ROOT


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the tables be files of a test; yield their directory."""
    monkeypatch.setattr(
        facts, "TABLES", tuple(each.replace("/proc", str(tmp_path)) for each in TABLES)
    )
    monkeypatch.setattr(endpoint, "desktop", lambda: False)
    monkeypatch.setattr(facts, "_kernel", lambda path: "")
    (tmp_path / "1/net").mkdir(parents=True)
    return tmp_path / "1/net"


def test_those_that_are_there_are_mounted(kernel: Path) -> None:
    assert facts.tables() == ()
    for name in ("fib_trie", "if_inet6"):
        (kernel / name).write_text("")
    assert [each.rpartition("/")[2] for each in facts.tables()] == ["fib_trie", "if_inet6"]


def test_an_engine_that_mounts_only_what_is_shared_gets_none(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kernel / "fib_trie").write_text("")
    assert facts.tables()
    monkeypatch.setattr(facts, "_kernel", lambda path: "Linux version 5.15-microsoft-standard-WSL2")
    assert facts.tables() == ()
    monkeypatch.setattr(facts, "_kernel", lambda path: "")
    monkeypatch.setattr(endpoint, "desktop", lambda: True)
    assert facts.tables() == ()


def test_the_network_that_jailoc_runs_in_decides_nothing() -> None:
    """Else a run in another one would make every wall anew."""
    words = [sys.executable, "-c", "from jailoc.bin.config.facts import tables; print(tables())"]
    environment = {"PYTHONPATH": str(ROOT / ".pkg"), "HOME": "/nonexistent", "PATH": "/usr/bin"}
    asked = [[*words], ["unshare", "--net", *words], ["unshare", "--user", "--net", *words]]
    found = [
        subprocess.run(each, env=environment, capture_output=True, text=True, check=False)
        for each in asked
    ]
    if found[1].returncode and found[2].returncode:
        pytest.skip("this kernel gives nobody a network of their own")
    said = {each.stdout for each in found if each.returncode == 0}
    assert said == {f"{facts.tables()}\n"}


TABLE = """Main:
  +-- 0.0.0.0/0 3 0 4
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 11.22.33.0/24 2 0 2
        +-- 11.22.33.0/31 1 0 0
           |-- 11.22.33.0
              /24 link UNICAST
           |-- 11.22.33.1
              /32 host LOCAL
        |-- 11.22.33.255
           /32 link BROADCAST
     +-- 25.0.0.0/8 2 0 2
        |-- 25.0.0.0
           /32 link BROADCAST
           /8 link UNICAST
        |-- 25.1.2.3
           /32 host LOCAL
        |-- 25.255.255.255
           /32 link BROADCAST
     |-- 44.0.0.0
        /8 link UNICAST
     |-- 45.1.0.0
        /16 link UNICAST
     |-- 45.1.2.3
        /32 host LOCAL
     |-- 46.1.0.0
        /16 link UNICAST
     |-- 64.0.0.0
        /2 link UNICAST
     |-- 127.255.255.255
        /32 link BROADCAST
     |-- 128.0.0.0
        /1 link UNICAST
     |-- 198.19.0.1
        /32 host LOCAL
"""
"""What a kernel says that is in two networks, and sends two more by tunnels."""


def test_a_network_that_the_machine_is_in_is_told_from_one_that_a_tunnel_leads_to() -> None:
    assert {*facts.addresses(facts.routes(TABLE))} == {
        "11.22.33.1/32", "25.1.2.3/32", "198.19.0.1/32", "45.1.2.3/32",
    }  # fmt: skip
    neighbours = {*facts.neighbours(facts.routes(TABLE))}
    assert neighbours == {"11.22.33.0/24", "25.0.0.0/8", "45.1.0.0/16"}
    assert {*facts.neighbours(facts.routes(""))} == set()


def test_a_network_of_ipv6_has_64_bits_however_an_address_of_it_was_given() -> None:
    table = (
        "2a0f00010002000300000000000000a1 02 40 00 80     eth0\n"
        "2a0f000200000001000000000000000f 03 38 00 80     eth1\n"
        "2a0f000300000000000000000000000f 04 80 00 80      wg0\n"
        "fd000000000000000000000000000001 05 80 00 80  docker0\n"
        "00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    assert {*facts.networks(table)} == {
        "2a0f:1:2:3::/64", "2a0f:2::/56", "2a0f:3::/64", "fd00::1/128", "::1/128",
    }  # fmt: skip


@pytest.mark.skipif(not Path("/proc/net/fib_trie").exists(), reason="no Linux")
def test_so_it_is_by_this_kernel() -> None:
    script = """
ip link set lo up
ip link add name one type veth peer name two
ip link set dev one up
ip link set dev two up
ip address add 11.22.33.1/24 dev one
ip address add 25.1.2.3/8 dev one
ip route add 44.0.0.0/8 dev one
ip route add 128.0.0.0/1 dev one
ip route add 64.0.0.0/2 dev one
ip route add 0.0.0.0/1 dev one
cat /proc/net/fib_trie
"""
    ways = (["--net"], ["--user", "--map-root-user", "--net"])
    made = [
        subprocess.run(["unshare", *each, "sh", "-ec", script],
                       capture_output=True, text=True, check=False)
        for each in ways
    ]  # fmt: skip
    tables = {each.stdout for each in made if each.returncode == 0}
    if not tables:
        pytest.skip("this kernel gives nobody a network of their own")
    for routes in map(facts.routes, tables):
        assert {*facts.addresses(routes)} == {"11.22.33.1/32", "25.1.2.3/32", "127.0.0.1/32"}
        assert {*facts.neighbours(routes)} == {"11.22.33.0/24", "25.0.0.0/8"}
