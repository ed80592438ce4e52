"""Feed the wall's resolver packets, as the program that it is.

`python tests/fuzz/program.py SECONDS`, with another SEED behind it to do something else. It runs
alone in a network of its own (unshare(1)), beside a resolver of the engine that lies: each question
of its own is answered by a changed answer, then by the true one. What the sandbox sends is changed
packets of a corpus, over UDP and TCP. After every batch a question of known answer is asked. A
message on its standard error, an answer that is none, no answer or memory without a bound ends the
run with status 1, and what was sent last is kept below `build/fuzz/program`.
"""

# ruff: noqa: T201, S311 -- its result is lines; no secret is made

import asyncio
import contextlib
import fcntl
import logging
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.update

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build/fuzz/program"
APART = ("unshare", "--map-root-user", "--net", "--mount")
SERVER, INSIDE = "127.0.0.77", "FUZZED_APART"
OPEN, WILD, CLOSED = "db.example.com", "a.packages.example.com", "x.attacker.example"
NAMES = (
    f"{OPEN} 5000 40000\n*.packages.example.com 5001 40002\ncache 5002 40004 service\n"
    "! denied.example.com\n! *.denied.example.net\n"
)
BATCH, PATIENCE = 64, 5.0
MOST_MEMORY = 300 << 20
"""Bytes of the program; it has some 30 MiB when it starts."""
START = (
    "import asyncio, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
    "import resolver as it; place = Path(sys.argv[2])\n"
    "it.SHOWN_REFUSED = place / 'shown/refused.json'\n"
    "record = it.recorded(Path(sys.argv[1]), place / 'evidence.json', '-')\n"
    "asyncio.run(it.run(place / 'made', place / 'state', *map(int, sys.argv[3:]), record))\n"
)


def apart() -> bool:
    """Tell whether this machine lets a program have a network of its own."""
    return (
        shutil.which("unshare") is not None
        and subprocess.run([*APART, "true"], capture_output=True, check=False).returncode == 0
    )


def corpus() -> Iterator[bytes]:
    """Yield messages that a client, or a hostile one, could send."""
    for name in (OPEN, WILD, CLOSED, "cache", "a.denied.example.net", "x" * 63 + ".example"):
        for kind in ("A", "AAAA", "TXT", "PTR", "ANY", "HTTPS", "SRV", "AXFR", "OPT"):
            with contextlib.suppress(ValueError):
                yield dns.message.make_query(name, kind).to_wire()
        query = dns.message.make_query(name, "A")
        query.use_edns(
            0, dns.flags.DO, 4096, options=[dns.edns.GenericOption(cast("Any", 65001), b"x" * 64)]
        )
        yield query.to_wire()
        update = dns.update.UpdateMessage(name)
        update.add(name, 1, "TXT", "x")
        yield update.to_wire()
        yield true(dns.message.make_query(name, "A").to_wire())
    yield from (b"", b"\0", b"\0" * 12, b"\xff" * 512)
    header = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    # Names that point at themselves, forward, and on and on (RFC 1035, section 4.1.4).
    for place in (b"\xc0\x0c", b"\xc0\xff", b"\x3f" * 300, b"\x01a" * 200 + b"\0", b"\x40"):
        yield header + place + b"\0\x01\0\x01"


def changed(data: bytes, pool: list[bytes], chance: random.Random) -> bytes:
    """Change a packet a little."""
    wire = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 2, 4, 8))):
        at = chance.randint(0, len(wire))
        match chance.randint(0, 5):
            case 0:
                del wire[at : at + chance.randint(0, 6)]
            case 1:
                wire[at:at] = chance.randbytes(chance.randint(1, 6))
            case 2:
                wire[at : at + 2] = bytes((0xC0 | chance.randint(0, 1), chance.randint(0, 255)))
            case 3:
                wire[at : at + 2] = chance.choice((b"\0\0", b"\xff\xff", b"\0\x01", b"\0\x29"))
            case 4:
                other = chance.choice(pool)
                wire[at:] = other[min(at, len(other)) :]
            case _ if at < len(wire):
                wire[at] ^= 1 << chance.randint(0, 7)
    return bytes(wire[:4000])


def true(wire: bytes) -> bytes:
    """Answer a question as the engine's resolver does."""
    query = dns.message.from_wire(wire)
    (question,) = query.question
    response = dns.message.make_response(query, recursion_available=True)
    data = {"A": "10.1.2.3", "AAAA": "fd00::7", "TXT": '"x"', "CNAME": OPEN + "."}
    if text := data.get(dns.rdatatype.to_text(question.rdtype)):
        kind = question.rdtype
        response.answer.append(dns.rrset.from_text(question.name, 30, "IN", kind, text))
    return response.to_wire()


class Liar(asyncio.DatagramProtocol):
    """The engine's resolver, which sends something else before what is true."""

    def __init__(self, pool: list[bytes], chance: random.Random) -> None:
        self.pool, self.chance, self.count = pool, chance, 0

    def lie(self, answer: bytes) -> bytes:
        """Change an answer behind its question, which has to be the one that was asked."""
        whole = self.chance.random() < 0.2
        start = 0 if whole else min(len(answer), 12 + answer[12:].find(b"\0") + 5)
        head = bytearray(answer[:start])
        if start and self.chance.random() < 0.3:
            head[2] |= self.chance.choice((0, 2, 4))  # also: cut, ask over TCP
            head[3] = self.chance.randint(0, 255)
            head[6:12] = self.chance.randbytes(6)
        self.count += 1
        return bytes(head) + changed(answer[start:], self.pool, self.chance)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = true(data)
        if self.chance.random() < 0.8:
            self.transport.sendto(self.lie(answer), addr)
        self.transport.sendto(answer, addr)

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one question over TCP."""
        with contextlib.suppress(OSError, EOFError):
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            answer = self.lie(true(await reader.readexactly(size)))
            writer.write(struct.pack("!H", len(answer)) + answer)
            await writer.drain()
        writer.close()


class Fed:
    """The program, and what it was sent last."""

    def __init__(self, place: Path) -> None:
        self.place, self.last = place, list[bytes]()
        for each in ("made", "state", "shown"):
            (place / each).mkdir()
        (place / "made/egress").write_text("allowlist\n")
        (place / "made/names").write_text(NAMES)
        (place / "services").write_text("x 172.30.0.0/24\n")
        (place / "machine").write_text("x 10.1.2.3\n")
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket()
        udp.bind(("127.0.0.1", 0))
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        self.doors = udp.getsockname(), tcp.getsockname()
        self.errors = (place / "errors").open("wb")
        self.child = subprocess.Popen(
            [sys.executable, "-c", START, ROOT / "generators/assets", place,
             str(udp.fileno()), str(tcp.fileno())],
            pass_fds=(udp.fileno(), tcp.fileno()), stderr=self.errors,
        )  # fmt: skip
        udp.close()
        tcp.close()
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.setblocking(False)
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.client.connect(self.doors[0])

    async def known(self) -> None:
        """Ask what has a known answer, and read all that came before it."""
        loop = asyncio.get_running_loop()
        end = time.monotonic() + PATIENCE * 4
        while True:
            query = dns.message.make_query(CLOSED, "A")
            query.id = random.getrandbits(16)
            self.client.send(query.to_wire())
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                async with asyncio.timeout(PATIENCE):
                    while True:
                        data = await loop.sock_recv(self.client, 65535)
                        assert len(data) >= 12, data
                        assert data[2] & 0x80, data
                        if data[:2] == query.to_wire()[:2]:
                            answer = dns.message.from_wire(data, ignore_trailing=True)
                            if answer.question == query.question:
                                assert answer.rcode() == dns.rcode.NXDOMAIN
                                return
            assert self.child.poll() is None, "it ended"
            assert time.monotonic() < end, "it answers no more"

    async def stream(self, packets: list[bytes]) -> None:
        """Send packets over one TCP connection, then end it."""
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(*self.doors[1])
            for each in packets:
                writer.write(struct.pack("!H", len(each)) + each)
                await writer.drain()
            writer.close()

    def check(self) -> None:
        """Look whether it complained, or grew."""
        assert self.child.poll() is None, "it ended"
        said = (self.place / "errors").read_text(errors="replace")
        assert not said, said[-3000:]
        pages = int(Path(f"/proc/{self.child.pid}/statm").read_text().split()[1])
        assert pages * os.sysconf("SC_PAGE_SIZE") < MOST_MEMORY, "it grows"


async def feed(seconds: float, seed: int) -> tuple[int, int]:
    """Feed it; return how many packets it was sent, and how many answers it was lied to with."""
    chance, pool = random.Random(seed), list(corpus())
    pool += [each.read_bytes() for each in (ROOT / "build/fuzz/name_service").glob("*")]
    loop = asyncio.get_running_loop()
    transport, liar = await loop.create_datagram_endpoint(
        lambda: Liar(pool, chance), local_addr=(SERVER, 53)
    )
    streams = await asyncio.start_server(liar.stream, SERVER, 53)
    count, end = 0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        fed = Fed(Path(folder))
        try:
            await fed.known()
            while time.monotonic() < end:
                fed.last = [changed(chance.choice(pool), pool, chance) for _ in range(BATCH)]
                if chance.random() < 0.05:
                    await fed.stream(fed.last)
                else:
                    for each in fed.last:
                        with contextlib.suppress(ConnectionRefusedError):
                            await loop.sock_sendall(fed.client, each)
                count += BATCH
                await fed.known()
                fed.check()
        except BaseException:
            KEPT.mkdir(parents=True, exist_ok=True)
            for number, each in enumerate(fed.last):
                (KEPT / f"found-{number}").write_bytes(each)
            raise
        finally:
            fed.child.kill()
            fed.child.wait()
            transport.close()
            streams.close()
    return count, liar.count


def network() -> None:
    """Bring loopback up, and name the one resolver that there is (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        fcntl.ioctl(door, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))
    with tempfile.NamedTemporaryFile("w", delete=False) as own:
        own.write(f"nameserver {SERVER}\n")
    Path(own.name).chmod(0o644)
    subprocess.run(["mount", "--bind", own.name, "/etc/resolv.conf"], check=True)
    Path(own.name).unlink()


def main(seconds: str, *rest: str) -> int:
    """Feed it for a while; return 1 if something was found."""
    if INSIDE not in os.environ:
        again = [*APART, sys.executable, __file__, seconds, *rest]
        return subprocess.run(again, env=os.environ | {INSIDE: "1"}, check=False).returncode
    network()
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # of connections that it has ended
    try:
        count, lies = asyncio.run(feed(float(seconds), int(rest[0]) if rest else 0))
    except AssertionError as error:
        print(f"program: {error}", flush=True)
        return 1
    print(f"program {count} packets, {lies} false answers, status 0", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
