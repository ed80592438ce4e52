"""What closes the machine's later addresses: what it sends, when, and that it cannot be ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jailoc.generators.artefacts import machine_rules
from jailoc.generators.assets import guard, health, machine
from jailoc.model.rule_match import KEPT

GUARD = Path(guard.__file__)


def test_it_closes_what_comes_and_opens_what_goes() -> None:
    sent: list[tuple[str, int]] = []
    it = guard.Guard(lambda *words: sent.append(words))
    it.look(frozenset({"10.1.2.3", "172.18.0.1"}), frozenset({"172.18.0.1"}), 1)
    it.look(frozenset({"10.1.2.3", "10.1.2.4"}), frozenset(), 2)
    for number in range(guard.LOOKS):
        it.look(frozenset({"10.1.2.4"}), frozenset(), 3 + number)
    for number in range(guard.LOOKS):  # the rules have it now
        it.look(frozenset({"10.1.2.4"}), frozenset({"10.1.2.4"}), 9 + number)
    assert sent == [
        ("10.1.2.3", guard.CLOSE), ("10.1.2.4", guard.CLOSE), ("10.1.2.3", guard.REOPEN),
        ("10.1.2.4", guard.REOPEN),
    ]  # fmt: skip


def test_it_closes_a_network_by_a_door_of_its_own() -> None:
    sent: list[tuple[str, int]] = []
    doors = (guard.CLOSE_LINK, guard.REOPEN_LINK)
    it = guard.Guard(lambda *words: sent.append(words), doors=doors)
    it.look(frozenset({"2a0f:1::"}), frozenset(), 1)
    for number in range(guard.LOOKS):
        it.look(frozenset(), frozenset(), 2 + number)
    assert sent == [("2a0f:1::", guard.CLOSE_LINK), ("2a0f:1::", guard.REOPEN_LINK)]
    assert machine_rules.LINK_DOOR == (guard.SOURCE, guard.CLOSE_LINK)
    assert guard.REOPEN_LINK == guard.CLOSE_LINK + 1


def test_the_machine_is_in_public_networks_of_64_bits(tmp_path: Path) -> None:
    (tmp_path / "if_inet6").write_text(
        "2a0f00010002000300000000000000a1 02 40 00 80     eth0\n"
        "2a0f00010002000300000000000000a2 02 40 00 80     eth0\n"
        "2a0f000200000001000000000000000f 03 30 00 80     eth1\n"
        "2a0f000300000000000000000000000f 04 80 00 80      wg0\n"
        "fe800000000000000000000000000001 02 40 20 80     eth0\n"
        "fd000000000000000000000000000001 05 40 00 80  docker0\n"
        "00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    assert machine.links(tmp_path) == {"2a0f:1:2:3::", "2a0f:2:0:1::", "2a0f:3::"}
    assert machine.links(tmp_path / "none") == frozenset()


def test_what_some_looks_miss_stays_closed() -> None:
    """The kernel's tables are read in pieces, while others come and go in them."""
    sent: list[int] = []
    it = guard.Guard(lambda _, port: sent.append(port))
    there = frozenset({"10.1.2.3"})
    for missed in range(guard.LOOKS):
        it.look(there, frozenset(), missed)
        for _ in range(missed):
            it.look(frozenset(), frozenset(), missed)
    assert sent == [guard.CLOSE]


def test_it_closes_again_before_the_kernel_forgets() -> None:
    sent: list[str] = []
    it = guard.Guard(lambda address, _: sent.append(address))
    for now in range(KEPT):
        it.look(frozenset({"10.7.0.1"}), frozenset(), now)
    assert 2 < len(sent) < KEPT / 10


def test_what_the_kernel_did_not_count_is_told_and_closed_anew_at_the_next_look() -> None:
    """Whatever dropped the datagram: to send it is refused either way."""
    lists: dict[int, dict[str, str]] = {4: {}}
    sent: list[str] = []
    counts = True

    def knock(address: str, _: int) -> bool:
        sent.append(address)
        if counts and ":" not in address:
            lists[4][address] = str(len(sent))
        return address != "10.1.2.9"

    it = guard.Guard(knock, lambda family: dict(lists[family]) if family in lists else None)
    # Of the other family the kernel has no list, and so nothing is known.
    both = frozenset({"10.1.2.3", "fd00::1"})
    assert it.look(both, frozenset(), 1) == frozenset()
    counts = False
    assert it.look(both, frozenset(), 1 + guard.AGAIN) == {"10.1.2.3"}
    assert it.look(both, frozenset(), 1.5 + guard.AGAIN) == {"10.1.2.3"}
    counts = True
    assert it.look(both, frozenset(), 2 + guard.AGAIN) == frozenset()
    assert sent.count("fd00::1") == 2
    before = len(sent)
    assert it.look(both, frozenset(), 2.5 + guard.AGAIN) == frozenset()
    assert len(sent) == before
    lists[4].clear()  # the rules were loaded anew after all was closed
    assert it.look(both, frozenset(), 3 + guard.AGAIN) == frozenset()
    assert set(lists[4]) == {"10.1.2.3"}
    # What has no route from here has none for the agent either.
    assert it.look(both | {"10.1.2.9"}, frozenset(), 3.5 + guard.AGAIN) == frozenset()
    # Of more than the list has room for, each takes the place of another.
    counts = False
    many = frozenset(f"10.9.{number}.1" for number in range(guard.ROOM + 1))
    assert it.look(many, frozenset(), 3 + guard.AGAIN) == frozenset()


def test_the_kernels_list_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LISTS", tmp_path)
    assert guard.counted(4) is None
    (tmp_path / "v4:.machine").write_text(
        "src=10.99.3.255 ttl: 64 last_seen: 4301918687 oldest_pkt: 1 4301918687\nodd\n"
    )
    (tmp_path / "v6:.machine").write_text(
        "src=fd00:0000:0000:0000:0000:0000:0000:0001 ttl: 64 last_seen: 7 oldest_pkt: 1 7\n"
    )
    assert guard.counted(4) == {"10.99.3.255": "4301918687"}
    assert guard.counted(6) == {"fd00::1": "7"}


def test_the_doors_and_the_tables_are_those_of_the_rules() -> None:
    assert (guard.SOURCE, guard.CLOSE) == machine_rules.DOOR
    assert guard.CLOSE + 1 == guard.REOPEN
    assert str(health.TABLES) == machine_rules.PLACE


def until(question: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not (said := question()) and time.monotonic() < end:
        time.sleep(0.05)
    return said


def children(number: int) -> list[int]:
    return [*map(int, Path(f"/proc/{number}/task/{number}/children").read_text().split())]


@pytest.mark.skipif(os.geteuid() != 0, reason="the port is below those that everybody may bind")
def test_whoever_looks_is_replaced_and_nobody_gets_its_port(tmp_path: Path) -> None:
    number = tmp_path / "number"
    command = ["unshare", "--net", sys.executable, "-I", "-S", "-B", str(GUARD)]
    with subprocess.Popen([*command, str(tmp_path / "known"), str(number)]) as running:
        try:
            assert until(lambda: number.exists() and number.read_text() == f"{running.pid}\n")
            assert until(lambda: len(children(running.pid)) == 1)
            (first,) = children(running.pid)
            os.kill(first, signal.SIGKILL)
            assert until(lambda: children(running.pid) not in ([], [first]))
            bind = f"import socket; socket.socket(2, 2).bind(('', {guard.SOURCE}))"
            inside = ["nsenter", "--net", "--target", str(running.pid), sys.executable, "-c", bind]
            taken = subprocess.run(inside, capture_output=True, text=True, check=False)
            assert "Address already in use" in taken.stderr
        finally:
            left = children(running.pid)
            running.kill()
            for each in left:  # it goes on alone
                os.kill(each, signal.SIGKILL)
    # Control: the port is free where nobody holds it.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("", guard.SOURCE))


def test_what_does_not_run_is_no_health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "RUN", tmp_path)
    monkeypatch.setattr(health, "TABLES", tmp_path / "none")
    assert health.guarded()  # nothing is looked at
    monkeypatch.setattr(health, "TABLES", tmp_path)
    (tmp_path / "names").mkdir()
    assert not health.guarded()
    (tmp_path / "names/guard").write_text(f"{os.getpid()}\n")
    assert not health.guarded()
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, "/guard.py"]) as running:
        (tmp_path / "names/guard").write_text(f"{running.pid}\n")
        assert until(health.guarded)
        (tmp_path / "names/guard-late").touch()  # something is not closed
        assert not health.guarded()
        running.kill()
