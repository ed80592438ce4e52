"""Hosts of the tests' own, and the sandbox they look at.

Every address that is probed belongs to a network namespace made here, so that a wall that fails
shows as an answer, never as traffic that left the machine.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from jailoc.bin.host import files
from jailoc.generators.runtime import probes as probe_module

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = f"{zlib.crc32(str(ROOT).encode()):08x}"
"""Two checkouts may be tested at once."""
NAMESPACE = f"jailoc-test-{CHECKOUT}"
PORT = 18100
OTHER_PORT = 18101
THIRD_PORT = 18102

PUBLIC, PUBLIC_IPV6 = "11.22.33.44", "2a0f:dead:beef::44"
OWN, OWN_IPV6, NEIGHBOUR = "11.22.33.99", "2a0f:dead:cafe::1", "2a0f:dead:cafe::2"
ALLOWED, ALLOWED_IPV6 = "10.99.1.10", "fd99:1::10"
# Outside of the pools that an engine takes its own networks from, or in the last of them.
CLOSED = {
    "private-10": "10.99.0.10",
    "private-172": "172.16.99.10",
    "private-192": "192.168.255.10",
    "shared-by-carriers": "100.99.0.10",
    "benchmarking": "198.18.99.10",
    "documentation": "203.0.113.10",
    "reserved": "240.99.0.10",
    "metadata": "169.254.169.254",
    "platform-endpoint": "168.63.129.16",
    "unique-local": "fd99:2::10",
    "documentation-ipv6": "2001:db8:99::10",
    "nat64": "64:ff9b::a63:a",
}
UPLINK, DOWNLINK = "10.99.255.1", "10.99.255.2"
UPLINK_IPV6, DOWNLINK_IPV6 = "fd99:ff::1", "fd99:ff::2"

PROBE = """
import json, socket, sys, time
found = {}
for name, address, port in json.load(sys.stdin):
    start = time.monotonic()
    try:
        with socket.create_connection((address, port), timeout=5) as peer:
            word = peer.recv(5).decode() or "closed"
    except OSError as error:
        word = type(error).__name__
    found[name] = [word, round(time.monotonic() - start, 2)]
print(json.dumps(found))
"""

LISTENER = """
import os, socket, sys, threading
def serve(family, port):
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        door.bind(("", port))
        door.listen(64)
        os.write(1, b"ready\\n")
        while True:
            peer, _ = door.accept()
            with peer:
                peer.sendall(b"hello")
def echo(port):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as door:
        door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Answers leave from the address that was asked.
        door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        door.bind(("", port))
        os.write(1, b"ready\\n")
        while True:
            data, told, _, place = door.recvmsg(100, 200)
            try:
                door.sendmsg([data], told, 0, place)
            except OSError:
                pass
for port in map(int, sys.argv[1:]):
    for family in (socket.AF_INET, socket.AF_INET6):
        threading.Thread(target=serve, args=(family, port)).start()

    threading.Thread(target=echo, args=(port,)).start()
"""

MATRIX = """
import json, socket, struct, sys
def exchange(door, packet):
    # Nobody repeats what is lost while a neighbour is looked for.
    for last in (False, False, True):
        door.send(packet)
        try:
            return door.recv(100)
        except TimeoutError:
            if last:
                raise
def reach(protocol, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if protocol == "tcp":
        with socket.create_connection((address, port), timeout=2) as peer:
            return peer.recv(5) == b"hello"
    if protocol == "udp":
        with socket.socket(family, socket.SOCK_DGRAM) as door:
            door.settimeout(1)
            door.connect(socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0][4])
            return exchange(door, b"hello") == b"hello"
    number, kind, answer = ((socket.IPPROTO_ICMP, 8, 0) if family == socket.AF_INET
                            else (socket.IPPROTO_ICMPV6, 128, 129))
    def message(checksum):
        return struct.pack("!BBHHH", kind, 0, checksum, 7, 1) + b"hello!"
    total = sum(struct.unpack("!7H", message(0)))
    packet = message(~(total + (total >> 16)) & 0xFFFF)
    try:
        door, skip = socket.socket(family, socket.SOCK_DGRAM, number), 0
    except PermissionError:  # no range of groups that may ping; root of a container may anyway
        door = socket.socket(family, socket.SOCK_RAW, number)
        skip = 20 if family == socket.AF_INET else 0
    with door:
        place = socket.getaddrinfo(address, 1, type=socket.SOCK_DGRAM)[0][4]
        door.connect((place[0], 0, *place[2:]))
        # Until it was connected, a raw socket heard the answers to everybody else.
        door.setblocking(False)
        try:
            while True:
                door.recv(100)
        except BlockingIOError:
            door.settimeout(1)
        data = exchange(door, packet)
        for _ in range(5):
            if data[skip] == answer:
                return data.endswith(b"hello!")
            data = door.recv(100)
def cell(wanted):
    name, *place = wanted
    try:
        return name, "open" if reach(*place) else "silent"
    except OSError as error:
        return name, type(error).__name__
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(24) as pool:
    found = dict(pool.map(cell, json.load(sys.stdin)))
print(json.dumps(found))
"""

Target = tuple[str, str, int]
Answers = dict[str, tuple[str, float]]


def call(*command: str, check: bool = True, stdin: str | None = None) -> str:
    """Run a command and return what it printed; show everything if it fails."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, timeout=600
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@dataclass(frozen=True)
class Result:
    """What one run of the command line gave."""

    status: int
    stdout: str
    stderr: str


_built: dict[str, str] = {}


@dataclass(frozen=True)
class User:
    """A person with a home directory and a configuration, at the command line."""

    home: Path
    at: Path | None = field(default=None, kw_only=True)
    """Where commands are run; the home by default."""

    @property
    def config(self) -> Path:
        return self.home / ".config/jailoc/config.toml"

    def write(self, text: str) -> None:
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)

    def run(self, *arguments: str, **environment: str) -> Result:
        """Run jailoc as this user and return status and output."""
        if arguments[:1] in {("up",), ("apply",)}:
            self._has_built()
        kept = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
        done = subprocess.run(
            [sys.executable, "-P", "-m", "jailoc.bin", *arguments],
            env=kept | {"HOME": str(self.home), "PYTHONPATH": str(ROOT / ".pkg")} | environment,
            cwd=self.at or self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        with suppress(FileNotFoundError):
            _built[""] = self._built.read_text()
        return Result(done.returncode, done.stdout, done.stderr)

    @property
    def _built(self) -> Path:
        return self.home / ".local/share/jailoc/images.built"

    def _has_built(self) -> None:
        """Write down which images the users before have built, as if it had been this one.

        Each would build all of them again, though the engine needs no more than seconds for it.
        """
        if _built and not self._built.exists():
            files.make_private(self._built.parent)
            self._built.write_text(_built[""])

    @contextmanager
    def start(
        self, *arguments: str, prefix: tuple[str, ...] = ()
    ) -> Iterator[subprocess.Popen[str]]:
        """Run jailoc in the background, with its output in a pipe."""
        kept = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
        # A shell leaves what it starts in the background deaf to interrupts, which is inherited.
        with subprocess.Popen(
            [
                *prefix,
                "env",
                "--default-signal=INT",
                sys.executable,
                "-P",
                "-m",
                "jailoc.bin",
                *arguments,
            ],
            env=kept | {"HOME": str(self.home), "PYTHONPATH": str(ROOT / ".pkg")},
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as running:
            try:
                yield running
            finally:
                running.kill()

    def ok(self, *arguments: str) -> str:
        """Run jailoc, which must succeed, and return its standard output."""
        result = self.run(*arguments)
        assert result.status == 0, result.stderr[-6000:]
        return result.stdout

    def nothing_to_do(self, workspace: str) -> None:
        """Have a plan find nothing to do; `up` takes up what other tests' networks brought or took.

        Their addresses are the machine's own while they are there, and no sandbox may reach those.
        """
        rules = {"file.wall/rules.v4", "file.wall/rules.v6", "firewall.rules"}
        for left in reversed(range(5)):
            done = self.run("plan", workspace, "--detailed-exitcode", "--json")
            if done.status == 0:
                return
            assert left, done.stdout
            (plan,) = json.loads(done.stdout)["plans"]
            powers = [(each["rule"], ip_network(each["subject"])) for each in plan["powers"]]
            assert {each["address"] for each in plan["changes"]} <= rules, done.stdout
            assert powers, done.stdout
            assert all(rule == "reach.network" and at.num_addresses == 1 for rule, at in powers)
            self.ok("up", workspace)

    def password(self, workspace: str) -> str:
        return (self.home / f".local/share/jailoc/{workspace}/password").read_text()

    def was_started(self, workspace: str) -> None:
        """Leave what says that a workspace was started here, whatever became of it."""
        (self.home / ".local/share/jailoc" / workspace).mkdir(parents=True)

    def files(self) -> set[str]:
        """Return what is in the home, without what every run writes, and the tests for it."""
        ours = {".cache/jailoc/jailoc.log", ".local/share/jailoc/images.built"}
        found = {str(path.relative_to(self.home)) for path in self.home.rglob("*")}
        left = found - ours
        for each in (".cache/jailoc", ".cache", ".local/share/jailoc", ".local/share", ".local"):
            theirs, others = (
                any(one.startswith(f"{each}/") for one in some) for some in (found & ours, left)
            )
            if theirs and not others:
                left.discard(each)
        return left


@contextmanager
def hosts() -> Iterator[None]:
    """Make the hosts: a namespace that owns every probed address, with listeners on all of them."""

    def ip(*arguments: str) -> None:
        call("ip", *arguments)

    def inside(*arguments: str) -> None:
        call("ip", "-n", NAMESPACE, *arguments)

    every = [PUBLIC, PUBLIC_IPV6, NEIGHBOUR, ALLOWED, ALLOWED_IPV6, *CLOSED.values()]
    # What `verify` tries belongs to the tests, too.
    usual = [*(address for address, _ in probe_module.special()), *probe_module.PUBLIC]
    every += [str(each) for each in usual if not each.is_link_local or each.version == 4]
    every = list(dict.fromkeys(every))
    call("ip", "netns", "delete", NAMESPACE, check=False)
    call("ip", "link", "delete", "jailoc-up", check=False)
    ip("netns", "add", NAMESPACE)
    listeners: list[subprocess.Popen[str]] = []
    try:
        ip("link", "add", "jailoc-up", "type", "veth", "peer", "name", "jailoc-down",
           "netns", NAMESPACE)  # fmt: skip
        ip("address", "add", f"{UPLINK}/30", "dev", "jailoc-up")
        ip("address", "add", f"{UPLINK_IPV6}/64", "dev", "jailoc-up", "nodad")
        ip("address", "add", f"{OWN}/32", "dev", "jailoc-up")
        ip("address", "add", f"{OWN_IPV6}/64", "dev", "jailoc-up", "nodad")
        ip("link", "set", "jailoc-up", "up")
        inside("link", "set", "lo", "up")
        inside("address", "add", f"{DOWNLINK}/30", "dev", "jailoc-down")
        inside("address", "add", f"{DOWNLINK_IPV6}/64", "dev", "jailoc-down", "nodad")
        inside("link", "set", "jailoc-down", "up")
        inside("route", "add", "default", "via", UPLINK)
        inside("-6", "route", "add", "default", "via", UPLINK_IPV6)
        for address in every:
            wide, via = (
                (f"{address}/128", DOWNLINK_IPV6) if ":" in address else (f"{address}/32", DOWNLINK)
            )
            inside(
                "address", "add", wide, "dev", "jailoc-down", *(["nodad"] if ":" in wide else [])
            )
            ip("route", "replace", wide, "via", via)
        for prefix in (["ip", "netns", "exec", NAMESPACE], []):
            ports = [str(PORT)] if prefix else [str(OTHER_PORT), str(THIRD_PORT)]
            listener = subprocess.Popen(
                [*prefix, sys.executable, "-c", LISTENER, *ports],
                stdout=subprocess.PIPE,
                text=True,
            )
            listeners.append(listener)
            assert listener.stdout
            for _ in range(3 * len(ports)):
                assert listener.stdout.readline() == "ready\n"
        yield
    finally:
        for listener in listeners:
            listener.kill()
            listener.wait()
            if listener.stdout:
                listener.stdout.close()
        call("ip", "link", "delete", "jailoc-up", check=False)
        call("ip", "netns", "delete", NAMESPACE, check=False)


def probe(container: str, targets: list[Target]) -> Answers:
    """Connect to each target from inside a container, as the agent's user."""
    text = call(
        "docker", "exec", "--interactive", "--user", "1000:1000", container,
        "/usr/bin/python3", "-c", PROBE, stdin=json.dumps(targets),
    )  # fmt: skip
    return {name: (word, seconds) for name, (word, seconds) in json.loads(text).items()}


def gateways(container: str) -> dict[str, str]:
    """Return the bridge's own addresses, which are the host's, as a container sees them."""
    networks = json.loads(call("docker", "inspect", container))[0]["NetworkSettings"]["Networks"]
    (network,) = networks.values()
    found = {"gateway": network["Gateway"]}
    if network["IPv6Gateway"]:
        found["gateway-ipv6"] = network["IPv6Gateway"]
    return found


@contextmanager
def home(name: str) -> Iterator[User]:
    """Make a home directory outside the temporary directory, which no workspace may lie in.

    What runs beside this test may have one of the same name.
    """
    place = _outside() / os.environ.get("PYTEST_XDIST_WORKER", "gw") / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        yield User(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _outside() -> Path:
    """Return a directory of the tests' own that is no system directory."""
    for base in (Path("/srv"), Path.home() / ".cache"):
        if os.access(base, os.W_OK):
            return base / f"jailoc-tests-{CHECKOUT}"
    raise AssertionError("neither /srv nor ~/.cache can be written")


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Hold a port of the loopback address."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.listen()
        yield


def certificates() -> str:
    """Return the line that makes builds work behind the machine's own proxy, if it has one."""
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    return f'[base]\nca_certificates = ["{bundle}"]\n' if Path(bundle).exists() else ""


def remove(*projects: str) -> None:
    """Remove what a test left on the engine, volumes included, and what a killed one had beside."""
    for project in projects:
        label = f"label=com.docker.compose.project={project}"
        for each in call("docker", "network", "ls", "--quiet", "--filter", label).split():
            there = call("docker", "ps", "--all", "--quiet", "--filter", f"network={each}").split()
            if there:
                call("docker", "rm", "--force", *there, check=False)
        for kind in ("container", "network", "volume"):
            every = ["--all"] if kind == "container" else []
            found = call("docker", kind, "ls", *every, "--quiet", "--filter", label).split()
            if found:
                force = [] if kind == "network" else ["--force"]
                call("docker", kind, "rm", *force, *found, check=False)


def logs(container: str) -> str:
    """Return everything that a container wrote."""
    done = subprocess.run(
        ["docker", "logs", container], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout + done.stderr


def watch_uids(container: str, stop: threading.Event, seen: set[str]) -> None:
    """Collect the user of every process of a container until told to stop."""
    while not stop.is_set():
        for line in call("docker", "top", container, "-eo", "pid,uid", check=False).splitlines()[
            1:
        ]:
            seen.add(line.split()[1])
        time.sleep(0.2)
