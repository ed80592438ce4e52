"""Allowed names at their addresses, and sandboxes that may go nowhere else, with real packets."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jailoc.model.name_pattern import Name
from jailoc.model.sandbox import ASK_RESOLVER
from tests.engine import world
from tests.engine.conftest import Sandbox, friend, network

pytestmark = pytest.mark.engine

LOOK = """
import json, socket, sys
try:
    print(json.dumps(sorted({each[4][0] for each in socket.getaddrinfo(sys.argv[1], 1)})))
except OSError as error:
    print("[]")
"""
DATAGRAM = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waiting, \\
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
    waiting.bind((sys.argv[1], 0))
    waiting.settimeout(1)
    forger.bind(("127.0.0.11", 53))
    try:
        forger.sendto(b"forged", waiting.getsockname())
        print(waiting.recv(10).decode())
    except OSError as error:
        print(type(error).__name__)
"""
KNOCK = """
import socket, sys
source, destination, address = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
    door.bind(("", source))
    try:
        door.sendto(b"", (address, destination))
    except OSError:
        pass
"""
ASK = """
import socket, sys
query = bytes.fromhex("123401000001000000000000" "07626c6f636b6564" "0474657374" "0000010001")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
    door.settimeout(2)
    try:
        door.sendto(query, (sys.argv[1], 53))
        print("rcode", door.recv(512)[3] & 15)
    except OSError as error:
        print(type(error).__name__)
"""

FLOOD = """
import socket, sys, time
kept = []
for _ in range(int(sys.argv[1])):
    door = socket.socket()
    door.setblocking(False)
    try:
        door.connect(("127.0.0.1", 53))
    except OSError:
        pass
    kept.append(door)
    if len(kept) % 100 == 0:
        time.sleep(0.05)
        for each in kept[-100:]:
            try:
                each.send(b"\\xff\\xff" + b"x" * 8000)
            except OSError:
                pass
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""
SQUAT = """
import socket, sys, time
word = "never"
for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
    for place in ("127.0.0.1", "0.0.0.0"):
        end = time.monotonic() + float(sys.argv[1])
        while time.monotonic() < end:
            with socket.socket(socket.AF_INET, kind) as door:
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                try:
                    door.bind((place, int(sys.argv[2])))
                    word = "taken"
                    break
                except OSError:
                    time.sleep(0.002)
print(word)
"""
CONNECTIONS = """
lines = open("/proc/net/tcp").read().splitlines()[1:]
print(sum(line.split()[1].endswith(":0035") and line.split()[3] == "01" for line in lines))
"""


SILENT, HELD = 7790, (45002, 45003)
"""A port where one waits for who has connected or sends, and the ports that one connects from."""
WAITS = f"""
import socket, threading
door = socket.create_server(("", {SILENT}))
hall = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
hall.bind(("", {SILENT}))
def answers():
    while True:
        hall.sendto(*hall.recvfrom(9))
threading.Thread(target=answers).start()
kept = []
while True:
    kept.append(door.accept()[0])
    kept[-1].sendall(b"hello")
"""
LOSES = """
import socket, sys
TCP_USER_TIMEOUT = 18  # tcp(7)
kept = []
for port in map(int, sys.argv[3:]):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("", port))
    one.connect((sys.argv[1], int(sys.argv[2])))
    assert one.recv(9) == b"hello"
    kept.append(one)
print("held", flush=True)
sys.stdin.readline()
for one in kept:
    one.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 2000)
    one.send(b"x")
for one in kept:
    try:
        one.recv(9)
    except OSError:  # neither end has said that it is over
        one.close()
print("lost", flush=True)
"""
SENDS = """
import select, socket, sys, time
last, end = 0.0, time.monotonic() + 150
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
    door.bind(("", 45005))
    door.settimeout(0.5)
    while time.monotonic() < end:
        try:
            door.sendto(b"x", (sys.argv[1], int(sys.argv[2])))
            door.recv(9)
            last = time.monotonic()
            time.sleep(0.2)
        except OSError:
            pass
        if select.select([sys.stdin], [], [], 0)[0] and sys.stdin.readline():
            print("answered" if time.monotonic() - last < 3 else "closed", flush=True)
"""
FROM = """
import socket, sys
one = socket.socket()
one.settimeout(5)
one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
one.bind(("", int(sys.argv[3])))
try:
    one.connect((sys.argv[1], int(sys.argv[2])))
    print(one.recv(9).decode())
except OSError as error:
    print(type(error).__name__)
"""


def config(egress: str, more: str = "") -> str:
    return f"""{world.certificates()}
[defaults]
enable_docker = false
[workspaces.named]
paths = ["~/project"]
egress = "{egress}"
{more}
"""


NAMES = (
    f'allowed_hosts = ["moves.test", "*.wild.test", "host.docker.internal:{world.OTHER_PORT}"]\n'
)


@pytest.fixture(scope="module")
def named(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Run after the shared sandbox, whose images are there then; it gives up the port."""
    sandbox.user.ok("down", "walled")
    world.remove("jailoc-named")
    with world.home("named") as user:
        (user.home / "project").mkdir()
        user.write(config("allowlist", NAMES))
        user.ok("up", "named")
        try:
            yield Sandbox(user, "named")
        finally:
            world.remove("jailoc-named")
            sandbox.user.ok("up", "walled")


def agent(sandbox: Sandbox, program: str, *arguments: str) -> str:
    return world.call(
        "docker", "exec", "--user", "1000:1000", sandbox.container("opencode"),
        "/usr/bin/python3", "-c", program, *arguments,
    ).strip()  # fmt: skip


def reaches(sandbox: Sandbox, place: str) -> bool:
    answers = world.probe(sandbox.container("opencode"), [("it", place, world.PORT)])
    return answers["it"][0] == "hello"


def state(sandbox: Sandbox) -> dict[str, Any]:
    wall = sandbox.container("firewall")
    found: dict[str, Any] = json.loads(
        world.call("docker", "exec", wall, "cat", "/run/jailoc/names/state.json")
    )
    return found


def process(sandbox: Sandbox) -> int:
    state = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["State"]
    return int(state["Pid"])


def until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(1)
    return False


def waiting(container: str) -> None:
    """Have somebody wait for connections in a container, for as long as that is there."""
    world.call("docker", "exec", "--detach", container, "python3", "-c", WAITS)


@contextmanager
def talking(sandbox: Sandbox, program: str, *arguments: str) -> Iterator[Callable[[str], str]]:
    """Run a program of the agent's; yield what says a line to it and returns the next one of its.

    It ends with what is said to it.
    """
    with subprocess.Popen(
        ["docker", "exec", "--interactive", "--user", "1000:1000",
         sandbox.container("opencode"), "/usr/bin/python3", "-c", program, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        said, told = running.stdin, running.stdout
        assert said is not None
        assert told is not None

        def talk(line: str) -> str:
            said.write(line)
            said.flush()
            return told.readline().strip()

        yield talk


def lose(sandbox: Sandbox, address: str, gone: Callable[[], object]) -> None:
    """Have the agent hold connections to an address whose ends are gone before it lets them go."""
    numbers = map(str, (SILENT, *HELD))
    with talking(sandbox, LOSES, address, *numbers) as talk:
        assert talk("") == "held"
        gone()
        assert talk("\n") == "lost"


def test_an_allowed_host_stays_open_when_it_moves_and_its_old_address_closes(
    named: Sandbox,
) -> None:
    """A connection of before opens nothing there either: the kernel remembers one for days."""
    before = process(named)
    with ExitStack() as stack:
        first, old = stack.enter_context(friend(named, "moves.test"))
        waiting(first)
        assert until(lambda: agent(named, LOOK, "moves.test") != "[]", 5)
        assert reaches(named, "moves.test")
        assert reaches(named, old)
        sends = stack.enter_context(talking(named, SENDS, old, str(SILENT)))
        assert until(lambda: sends("\n") == "answered", 10)
        lose(named, old, lambda: world.call("docker", "network", "disconnect",
                                            network(named), first))  # fmt: skip
        # The stranger takes the address over, as the next customer of a cloud does.
        other, taken = stack.enter_context(friend(named, "stranger.test"))
        waiting(other)
        assert taken == old
        new = stack.enter_context(friend(named, "moves.test"))[1]
        assert new != old
        assert reaches(named, "moves.test")
        assert until(lambda: sends("\n") == "answered", 10)  # the control: as long as it is open
        assert until(lambda: not reaches(named, old), 110)
        assert until(lambda: sends("\n") == "closed", 5)
        assert reaches(named, "moves.test")
        assert reaches(named, new)
        assert process(named) == before
        earlier, control = map(str, HELD)
        assert agent(named, FROM, old, str(SILENT), "45004") == "ConnectionRefusedError"
        assert agent(named, FROM, old, str(SILENT), earlier) == "ConnectionRefusedError"
        try:  # Control: without the rules that forget.
            for chain in ("JAILOC-NAMES", "JAILOC-HOST"):
                world.call("docker", "exec", "--user", "0", named.container("firewall"),
                           "iptables", "-D", chain, "1")  # fmt: skip
            assert agent(named, FROM, old, str(SILENT), control) == "hello"
        finally:
            named.user.ok("refresh", "named")


def test_a_wildcard_opens_what_is_below_and_nothing_else(named: Sandbox) -> None:
    with ExitStack() as stack:
        places = {
            alias: stack.enter_context(friend(named, alias))[1]
            for alias in ("a.wild.test", "b.c.wild.test", "wild.test", "notwild.test")
        }
        assert reaches(named, "a.wild.test")
        assert reaches(named, "b.c.wild.test")
        for alias in ("wild.test", "notwild.test"):
            assert agent(named, LOOK, alias) == "[]"
            assert not reaches(named, places[alias])


def test_in_allowlist_mode_no_other_name_leaves(named: Sandbox) -> None:
    with friend(named, "stranger.test"):
        assert agent(named, LOOK, "stranger.test") == "[]"
        for resolver in ("127.0.0.11", world.PUBLIC):
            assert not agent(named, ASK, resolver).startswith("rcode")
        assert agent(named, ASK, "127.0.0.1") == "rcode 3"
    assert until(lambda: {"stranger.test", "blocked.test"} <= set(state(named)["refused"]), 5)


def test_in_allowlist_mode_the_public_internet_is_closed(named: Sandbox) -> None:
    for place in (world.PUBLIC, world.PUBLIC_IPV6, world.ALLOWED):
        assert not reaches(named, place)


def test_a_name_of_the_hosts_file_is_open_on_its_port(named: Sandbox) -> None:
    answers = world.probe(
        named.container("opencode"),
        [
            (str(port), "host.docker.internal", port)
            for port in (world.OTHER_PORT, world.THIRD_PORT)
        ],
    )
    assert [answers[str(port)][0] for port in (world.OTHER_PORT, world.THIRD_PORT)] == [
        "hello",
        "ConnectionRefusedError",
    ]


def test_the_agent_cannot_answer_in_the_place_of_the_engine(named: Sandbox) -> None:
    with pytest.raises(AssertionError, match="PermissionError"):
        agent(named, DATAGRAM, "127.0.0.77")

    def forged(place: str) -> str:
        """Send as somebody who may have the port, whom the rules alone stop."""
        wall = named.container("firewall")
        return world.call(
            "docker", "exec", "--user", "0:0", wall, "python3", "-c", DATAGRAM, place
        ).strip()

    assert forged("127.0.0.77") == "forged"
    assert forged("127.0.0.53") != "forged"


def test_the_agent_cannot_knock_for_an_address(named: Sandbox) -> None:
    source, destination = Name(name="moves.test", origin="x").door
    agent(named, KNOCK, str(source), str(destination), world.ALLOWED)
    assert not reaches(named, world.ALLOWED)


def test_the_resolver_has_no_capability_and_ends_in_nothing_open(named: Sandbox) -> None:
    text = world.call("docker", "exec", named.container("firewall"), "sh", "-c",
                      'cat "/proc/$(cat /run/jailoc/names/pid)/status"')  # fmt: skip
    facts = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert facts["Uid"].split() == ["65533"] * 4
    assert facts["NoNewPrivs"] == "1"
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(facts[kind], 16) == 0, kind


def test_an_allow_closes_by_itself_when_its_last_day_is_over(named: Sandbox) -> None:
    today = datetime.now(tz=UTC).date()

    def until_(day: date) -> str:
        entry = f'{{ to = "{world.ALLOWED}/32", ports = [{world.PORT}], until = {day} }}'
        return config("allowlist", f"{NAMES}allowed_networks = [{entry}]\n")

    try:
        named.user.write(until_(today))
        named.user.ok("refresh", "named")
        assert reaches(named, world.ALLOWED)
        rules = named.user.home / ".cache/jailoc/named/wall/rules.v4"
        # What a wall holds that has not been touched since: its last day was yesterday.
        rules.write_text(rules.read_text().replace(str(today + timedelta(days=1)), str(today)))
        wall = named.container("firewall")
        world.call("docker", "exec", wall, "/bin/sh", "/etc/jailoc/firewall.sh", "reload")
        assert not reaches(named, world.ALLOWED)
        named.user.write(until_(today - timedelta(days=1)))
        said = named.user.run("refresh", "named")
        assert said.status == 0
        assert "it is closed" in said.stderr
        assert not reaches(named, world.ALLOWED)
    finally:
        named.user.write(config("allowlist", NAMES))
        named.user.ok("refresh", "named")


def test_an_allow_that_the_wall_does_not_take_is_taken_back(named: Sandbox) -> None:
    wall, before = named.container("firewall"), named.user.config.read_bytes()
    pid = "/run/jailoc/names/pid"
    words = ("allow", f"{world.ALLOWED}:{world.PORT}", "-w", "named")

    def moved(place: str, to: str) -> None:
        world.call("docker", "exec", "--user", "65533", wall, "mv", place, to)

    try:
        moved(pid, f"{pid}.away")  # the last step of a load fails
        try:
            said = named.user.run(*words)
        finally:
            moved(f"{pid}.away", pid)
        assert said.status == 1
        assert "added" not in said.stdout, "it is told only once it is in effect"
        assert f"{named.user.config} is as it was before" in said.stderr
        assert "the resolver does not run" in said.stderr
        assert "`jailoc refresh named`" in said.stderr
        assert named.user.config.read_bytes() == before
        assert not reaches(named, world.ALLOWED)
        named.user.ok("refresh", "named")
        assert not reaches(named, world.ALLOWED)
        # Control: nothing else was in the way.
        named.user.ok(*words)
        assert reaches(named, world.ALLOWED)
    finally:
        named.user.config.write_bytes(before)
        named.user.ok("refresh", "named")


def test_allows_at_once_wait_for_each_other_and_all_of_them_hold(named: Sandbox) -> None:
    before = named.user.config.read_bytes()
    hosts = [f"10.77.0.{number}:80" for number in range(1, 5)]
    try:
        with ThreadPoolExecutor(len(hosts)) as pool:
            done = [*pool.map(lambda each: named.user.run("allow", each, "-w", "named"), hosts)]
        assert [each.status for each in done] == [0] * len(hosts), [each.stderr for each in done]
        rules = (named.user.home / ".cache/jailoc/named/wall/rules.v4").read_text()
        for each in hosts:
            assert each in named.user.config.read_text()
            assert f"-d {each.removesuffix(':80')}/32 " in rules
        named.user.nothing_to_do("named")
    finally:
        named.user.config.write_bytes(before)
        named.user.ok("refresh", "named")


def test_a_new_mode_takes_effect_without_a_restart(named: Sandbox) -> None:
    before = process(named)
    try:
        named.user.write(config("none"))
        named.user.ok("refresh", "named")
        with friend(named, "moves.test") as (_, place):
            assert agent(named, LOOK, "moves.test") == "[]"
            assert not reaches(named, place)
        assert not reaches(named, world.PUBLIC)
        named.user.write(config("public", NAMES))
        named.user.ok("refresh", "named")
        assert reaches(named, world.PUBLIC)
        assert not reaches(named, world.ALLOWED)
        with friend(named, "stranger.test") as (_, place):
            assert place in json.loads(agent(named, LOOK, "stranger.test"))
            assert not reaches(named, place)
    finally:
        named.user.write(config("allowlist", NAMES))
        named.user.ok("refresh", "named")
    assert process(named) == before
    assert not reaches(named, world.PUBLIC)


def test_the_resolver_cannot_open_what_no_name_may(named: Sandbox) -> None:
    """As if it had been taken over: its own user knocks for addresses of its choice."""
    source, destination = Name(name="moves.test", origin="x").door
    wall = named.container("firewall")
    for place in (world.CLOSED["metadata"], world.CLOSED["platform-endpoint"], world.ALLOWED):
        world.call("docker", "exec", "--user", "65533:65533", wall, "python3", "-c", KNOCK,
                   str(source), str(destination), place)  # fmt: skip
    # What names may open does open this way, so the knocks were good ones.
    assert reaches(named, world.ALLOWED)
    assert not reaches(named, world.CLOSED["metadata"])
    assert not reaches(named, world.CLOSED["platform-endpoint"])
    world.call("docker", "exec", "--user", "65533:65533", wall, "python3", "-c", KNOCK,
               str(source), str(destination + 1), world.ALLOWED)  # fmt: skip
    assert not reaches(named, world.ALLOWED)


def resolver(sandbox: Sandbox) -> str:
    wall = sandbox.container("firewall")
    return world.call("docker", "exec", wall, "cat", "/run/jailoc/names/pid").strip()


def signal(sandbox: Sandbox, name: str) -> None:
    """Send the resolver a signal, as only its own user may."""
    wall = sandbox.container("firewall")
    world.call("docker", "exec", "--user", "65533:65533", wall, "sh", "-c",
               f"kill -{name} $(cat /run/jailoc/names/pid)")  # fmt: skip


def health(sandbox: Sandbox) -> bool:
    wall = sandbox.container("firewall")
    program = " ".join(ASK_RESOLVER)
    done = world.call("docker", "exec", wall, "sh", "-c", f"{program} && echo well", check=False)
    return done.strip() == "well"


def test_a_resolver_that_dies_comes_back_on_a_port_that_was_never_free(named: Sandbox) -> None:
    before = resolver(named)
    with ThreadPoolExecutor(1) as pool:
        squatter = pool.submit(agent, named, SQUAT, "1", "53")
        time.sleep(0.5)
        signal(named, "KILL")
        assert squatter.result() == "never"
    assert until(lambda: health(named) and resolver(named) != before, 10)
    # The same program takes a port that is anybody's: also the low ones that servers like.
    assert agent(named, SQUAT, "1", "80") == "taken"
    with friend(named, "a.wild.test"):
        assert reaches(named, "a.wild.test")


@pytest.mark.parametrize("number", [3000, pytest.param(16_000, marks=pytest.mark.thorough)])
def test_thousands_of_half_questions_do_not_end_the_resolver(named: Sandbox, number: int) -> None:
    wall, before = named.container("firewall"), resolver(named)
    with subprocess.Popen(
        ["docker", "exec", "--user", "1000:1000", named.container("opencode"),
         "python3", "-c", FLOOD, str(number), "6"],
        stdout=subprocess.PIPE, text=True,
    ) as flood:  # fmt: skip
        assert flood.stdout
        assert flood.stdout.readline() == "held\n"
        held = int(world.call("docker", "exec", wall, "python3", "-c", CONNECTIONS))
        # Those that are served, and those that the kernel lets wait.
        assert held <= 128 + 65 + 65
        assert health(named)
        assert agent(named, ASK, "127.0.0.1") == "rcode 3"
    assert resolver(named) == before


def test_a_wall_that_loads_its_rules_is_not_called_unhealthy(named: Sandbox) -> None:
    """Nor does a plan made meanwhile replace it: three looks may find it not ready."""
    wall, seen = named.container("firewall"), set()
    signal(named, "STOP")
    with ThreadPoolExecutor(1) as pool:
        refresh = pool.submit(named.user.run, "refresh", "named")
        try:
            end = time.monotonic() + 9
            while time.monotonic() < end:
                seen.add(world.call("docker", "inspect", "-f", "{{.State.Health.Status}}", wall))
                time.sleep(0.5)
        finally:
            signal(named, "CONT")
        done = refresh.result()
    assert done.status == 0, done.stderr
    assert seen == {"healthy\n"}


def test_a_resolver_that_is_silent_or_another_is_seen(named: Sandbox) -> None:
    assert health(named)
    signal(named, "STOP")
    try:
        assert not health(named)
        said = named.user.run("verify", "named")
        assert said.status == 2
        assert "the port for names" in said.stdout
    finally:
        signal(named, "CONT")
    assert until(lambda: health(named), 10)
