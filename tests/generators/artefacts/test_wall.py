"""What the wall's small programs say: which addresses are the machine's, and who answers names."""

import hmac
import importlib.util
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ASSETS = Path(__file__).parents[3] / "generators/assets"


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"wall_{name}", ASSETS / f"{name}.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


machine: Any = module("machine")
health: Any = module("health")
sockets: Any = module("sockets")


def number(address: str) -> str:
    """Write an address as /proc/net/route has it."""
    return f"{struct.unpack('=I', socket.inet_aton(address))[0]:08X}"


def route(network: str, gateway: str, mask: str, interface: str = "eth0") -> str:
    words = (number(each) for each in (network, gateway, "0.0.0.0", mask))  # noqa: S104
    first, second, flags, third = words
    return f"{interface}\t{first}\t{second}\t{flags}\t0\t0\t0\t{third}\t0\t0\t0\n"


ROUTES = "Iface\tDestination\n" + "".join(
    (
        route("0.0.0.0", "172.18.0.1", "0.0.0.0"),  # noqa: S104
        route("10.8.0.0", "172.18.0.9", "255.255.0.0"),
        route("172.18.0.0", "0.0.0.0", "255.255.0.0"),  # noqa: S104
    )
)


def route6(network: str, length: int, gateway: str, interface: str = "eth0") -> str:
    first, second = (socket.inet_pton(socket.AF_INET6, each).hex() for each in (network, gateway))
    zero = "0" * 32
    return f"{first} {length:02x} {zero} 00 {second} 00000400 00000002 0 00000003     {interface}\n"


ROUTES6 = "".join(
    (
        route6("fd00:0:7::", 64, "::"),
        route6("::", 0, "fd00:0:7::1"),
        route6("fe80::", 64, "::"),
        route6("::1", 128, "::", "lo"),
    )
)


def test_the_machine_is_every_gateway_its_name_and_what_it_says_of_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = {
        "/proc/net/route": ROUTES,
        "/proc/net/ipv6_route": ROUTES6,
        "/etc/hosts": "127.0.0.1 localhost\n172.17.0.1 host.docker.internal # x\n",
        "told": "192.168.1.5\n127.0.0.1\n::1\n224.0.0.1\n172.18.0.1\nno address\n0.0.0.0\n"
        "2a0f::5\n::ffff:10.0.0.1\n",
    }
    monkeypatch.setattr(machine, "read", texts.get)
    assert machine.found("told") == [
        "door 172.17.0.1",
        "closed 172.18.0.0",
        "door 172.18.0.1",
        "door 172.18.0.9",
        "closed 172.18.255.255",
        "closed 192.168.1.5",
        "closed 2a0f::5",
        "closed fd00:0:7::",
        "door fd00:0:7::1",
        "closed fe80::",
    ]


TRIE = """Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     +-- 172.30.0.0/24 2 0 2
        |-- 172.30.0.0
           /24 link UNICAST
        |-- 172.30.0.1
           /32 host LOCAL
        |-- 172.30.0.255
           /32 link BROADCAST
"""


def test_what_the_machine_has_by_now_is_in_the_kernels_tables(tmp_path: Path) -> None:
    assert machine.by_now(tmp_path / "none") == frozenset()
    (tmp_path / "fib_trie").write_text(TRIE)
    (tmp_path / "if_inet6").write_text(
        "00000000000000000000000000000001 01 80 10 80       lo\n"
        "fe8000000000000000421afffe7ab1c2 02 40 20 80     eth0\n"
        "fd000000000000000000000000000005 02 40 00 80     eth0\n"
    )
    (tmp_path / "anycast6").write_text("2    eth0 fd000000000000000000000000000000     1\n")
    assert machine.by_now(tmp_path) == {"172.30.0.1", "172.30.0.255", "fd00::5", "fd00::"}


def test_the_tables_of_this_machine_are_read_as_the_kernel_writes_them() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        try:
            door.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("no route anywhere")
        mine = door.getsockname()[0]
    assert mine in machine.by_now(Path("/proc/net"))


@contextmanager
def answering(reply: Any) -> Iterator[tuple[str, int]]:
    """Answer every question on a port with what a function makes of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                try:
                    query, place = door.recvfrom(512)
                    if not query:
                        return
                    door.sendto(reply(query), place)
                except OSError:
                    return

        server = threading.Thread(target=serve)
        server.start()
        try:
            yield door.getsockname()
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.sendto(b"", door.getsockname())
            server.join()


def proof(query: bytes, token: bytes) -> bytes:
    return query + hmac.digest(token, query[13:45], "sha256").hex().encode()


def test_only_an_answer_to_this_question_with_this_token_is_health(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    first: list[bytes] = []

    def replayed(query: bytes) -> bytes:
        first.append(proof(query, b"token"))
        return first[0]

    with answering(replayed) as place:
        monkeypatch.setattr(health, "PLACE", place)
        assert health.answered(b"token")
        assert not health.answered(b"token")
    for liar in (lambda query: proof(query, b"guess"), lambda query: query):
        with answering(liar) as place:
            monkeypatch.setattr(health, "PLACE", place)
            assert not health.answered(b"token")
    assert not health.answered(b"token")


def test_nobody_binds_beside_the_sockets_of_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.77", 0))
        place = free.getsockname()
    monkeypatch.setattr(sockets, "PLACE", place)
    both = [socket.socket(fileno=each) for each in sockets.bound()]
    try:
        assert all(each.get_inheritable() for each in both)
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as other:
                for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                    other.setsockopt(socket.SOL_SOCKET, option, 1)
                with pytest.raises(OSError, match="in use"):
                    other.bind(("0.0.0.0", place[1]))  # noqa: S104
    finally:
        for each in both:
            each.close()
