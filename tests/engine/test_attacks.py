"""Attacks that broke other sandboxes, carried out for real. Nothing here may get through."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.conftest import EVIL, Sandbox, friend, inner_image, network

pytestmark = pytest.mark.engine

HOME = "/home/agent"
PLANTED = ("curl", "sed", "sh", "cat", "env", "id", "iptables", "getent", "setpriv", "python3")
"""Tools that a root process of careless design would find first in the agent's own directory."""
TRACE, MARK = f"{HOME}/planted", f"{HOME}/evil"
TOOL = r"""#!/bin/bash -p
/bin/grep -E "^(Uid|CapEff|CapBnd)" /proc/self/status >>TRACE
exec REAL "$@"
"""
PLANT = """
mkdir -p ~/.local/bin
for tool in TOOLS; do
    real=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v $tool || echo /bin/true)
    printf '%s' "$1" | sed "s#REAL#$real#; s#TRACE#$2#" >~/.local/bin/$tool.new
    chmod +x ~/.local/bin/$tool.new
done
cd ~/.local/bin; for tool in TOOLS; do mv $tool.new $tool; done
"""
HANDLE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("kind", ctypes.c_int), ("data", ctypes.c_char * 128)]
handle, mount = Handle(size=128), ctypes.c_int()
found = libc.name_to_handle_at(-100, sys.argv[1].encode(), ctypes.byref(handle),
                               ctypes.byref(mount), 0)
assert found == 0 or ctypes.get_errno() in (1, 95), os.strerror(ctypes.get_errno())
door = os.open(sys.argv[1], os.O_RDONLY)
result = libc.open_by_handle_at(door, ctypes.byref(handle), os.O_RDONLY)
print("opened" if result >= 0 else os.strerror(ctypes.get_errno()))
"""
LOOP = """
import json, os, signal, socket, sys, time
file = open(sys.argv[3], "w")
os.setgid(1000)
os.setuid(1000)
address, port = sys.argv[1], int(sys.argv[2])
tries, reached, running = 0, [], True
def stop(*_):
    global running
    running = False
signal.signal(signal.SIGTERM, stop)
print("going", flush=True)
while running:
    tries += 1
    with socket.socket() as door:
        door.settimeout(0.5)
        try:
            door.connect((address, port))
            reached.append(time.time())
        except OSError:
            pass
with file:
    json.dump({"tries": tries, "reached": reached}, file)
"""


def agent(sandbox: Sandbox, *command: str, user: str = "1000:1000") -> str:
    return world.call("docker", "exec", "--user", user, sandbox.container("opencode"), *command)


def rules_hold(sandbox: Sandbox) -> bool:
    told = world.call("docker", "exec", "--user", "0", sandbox.container("firewall"),
                      "/bin/sh", "/etc/jailoc/firewall.sh", "verify", check=False)  # fmt: skip
    return "as wanted" in told


def reaches(sandbox: Sandbox, place: str, port: int = world.PORT) -> bool:
    answers = world.probe(sandbox.container("opencode"), [("it", place, port)])
    return answers["it"][0] == "hello"


@pytest.fixture
def planted(sandbox: Sandbox) -> Iterator[Sandbox]:
    script = PLANT.replace("TOOLS", " ".join(PLANTED))
    agent(sandbox, "/bin/bash", "-pc", script, "bash", TOOL, TRACE)
    try:
        yield sandbox
    finally:
        agent(sandbox, "/bin/rm", "-rf", f"{HOME}/.local/bin", TRACE)


def traces(sandbox: Sandbox) -> set[str]:
    """Return what the planted tools saw of whoever ran them."""
    text = agent(sandbox, "/bin/cat", TRACE)
    return {" ".join(line.split()[:3]) for line in text.splitlines()}


POWERLESS = {"Uid: 1000 1000", "CapEff: 0000000000000000", "CapBnd: 0000000000000000"}


def test_a_planted_tool_is_run_by_no_health_check(planted: Sandbox) -> None:
    agent(planted, "/bin/touch", TRACE)
    time.sleep(12)  # some health checks
    assert traces(planted) == set()
    agent(planted, "/bin/bash", "-pc", "curl --version >/dev/null")
    assert traces(planted) == POWERLESS, "what is planted would tell who runs it"
    assert rules_hold(planted)


def test_a_planted_tool_is_run_by_no_root_of_a_restart(planted: Sandbox) -> None:
    world.call("docker", "restart", "--time", "3", planted.container("opencode"))
    planted.user.ok("up", "walled")
    assert traces(planted) == POWERLESS
    assert rules_hold(planted)


def test_a_planted_tool_is_run_by_no_root_of_jailoc_itself(planted: Sandbox) -> None:
    planted.user.ok("verify", "walled")
    planted.user.ok("refresh", "walled")
    agent(planted, "/bin/touch", TRACE)
    # A health check may have come meanwhile; jailoc itself runs none of them.
    assert traces(planted) <= POWERLESS


def test_variables_of_the_user_reach_no_root(sandbox: Sandbox) -> None:
    """Every bash of the sandbox reads EVIL first, and it tells who it is."""
    agent(sandbox, "/bin/bash", "-pc", f"echo 'echo $EUID >>{MARK}' >{EVIL}")
    try:
        world.call("docker", "restart", "--time", "3", sandbox.container("opencode"))
        sandbox.user.ok("up", "walled")
        agent(sandbox, "/bin/bash", "-c", "true")
        assert set(agent(sandbox, "/bin/cat", MARK).split()) == {"1000"}
        wall = world.call("docker", "inspect", sandbox.container("firewall"))
        assert EVIL not in wall
    finally:
        agent(sandbox, "/bin/rm", "-f", EVIL, MARK)


@pytest.mark.parametrize("user", ["1000:1000", "0:0"])
def test_no_file_of_the_host_is_opened_by_its_handle(sandbox: Sandbox, user: str) -> None:
    project = str(sandbox.user.home / "project")
    told = agent(sandbox, "/usr/bin/python3", "-I", "-c", HANDLE, project, user=user)
    assert told.strip() == "Operation not permitted"
    for service in ("firewall", "opencode", "dind"):
        host = json.loads(world.call("docker", "inspect", sandbox.container(service)))[0][
            "HostConfig"
        ]
        assert host["CapDrop"] == ["ALL"]
        assert not {"CAP_DAC_READ_SEARCH", "DAC_READ_SEARCH"} & set(host["CapAdd"] or ())


def test_even_a_root_that_is_let_into_the_agents_container_has_no_power(sandbox: Sandbox) -> None:
    text = agent(sandbox, "/bin/cat", "/proc/self/status", user="0:0")
    facts = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(facts[kind], 16) == 0, kind
    assert facts["NoNewPrivs"] == "1"


def test_flushed_rules_leave_everything_closed(sandbox: Sandbox) -> None:
    """N4: the policy drops, so a chain without rules opens nothing."""
    wall = sandbox.container("firewall")
    try:
        for tool in ("iptables", "ip6tables"):
            world.call("docker", "exec", "--user", "0", wall, tool, "-F", "OUTPUT")
        answers = world.probe(
            sandbox.container("opencode"),
            [(place, place, world.PORT) for place in (world.PUBLIC, world.ALLOWED)],
        )
        assert "hello" not in {word for word, _ in answers.values()}
    finally:
        sandbox.user.ok("refresh", "walled")
    assert reaches(sandbox, world.PUBLIC)


@contextmanager
def again(sandbox: Sandbox) -> Iterator[None]:
    """Leave the sandbox as it was found, whatever happens."""
    try:
        yield
    finally:
        sandbox.user.write(sandbox.config())
        sandbox.user.ok("up", "walled")


@contextmanager
def looping(sandbox: Sandbox, place: str) -> Iterator[None]:
    """Try a closed address without a pause, in the sandbox's namespace, from its first instant."""
    pid, deadline = 0, time.monotonic() + 60
    while not pid and time.monotonic() < deadline:
        told = world.call("docker", "inspect", "--format", "{{.State.Pid}}",
                          sandbox.container("firewall"), check=False).strip()  # fmt: skip
        pid = int(told) if told.isdigit() else 0
    with subprocess.Popen(
        ["nsenter", "--net", "--target", str(pid), sys.executable, "-c", LOOP,
         world.CLOSED["private-10"], str(world.PORT), place],
        stdout=subprocess.PIPE,
    ) as running:  # fmt: skip
        try:
            assert running.stdout
            assert running.stdout.readline() == b"going\n"
            yield
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(20)


def test_there_is_no_instant_without_rules(sandbox: Sandbox) -> None:
    """N5, N6: from the first instant of the agent's namespace through twenty reloads."""
    sandbox.user.ok("down", "walled")
    record = sandbox.user.home / "record.json"
    with (
        again(sandbox),
        sandbox.user.start("up", "walled") as starting,
        looping(sandbox, str(record)),
    ):
        assert starting.wait(120) == 0
        for index in range(20):
            names = ', "10.98.0.0/16"' if index % 2 else ""
            sandbox.user.write(sandbox.config(names))
            sandbox.user.ok("refresh", "walled")
    found = json.loads(record.read_text())
    inspected = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]
    # Before the wall is healthy no other process can be in the namespace: there is no agent yet.
    born = inspected["State"]["StartedAt"][:26].rstrip("Z")
    since = time.mktime(time.strptime(born[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert found["tries"] > 5000
    assert [each for each in found["reached"] if each >= since - 1] == []


def test_a_reload_that_is_killed_leaves_whole_rules_or_none(sandbox: Sandbox) -> None:
    """N6."""
    wall = sandbox.container("firewall")
    for pause in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3):
        with subprocess.Popen(
            ["docker", "exec", "--user", "0", wall, "/bin/sh", "/etc/jailoc/firewall.sh", "reload"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ):  # fmt: skip
            time.sleep(pause)
            world.call(
                "docker", "exec", "--user", "0", wall, "/bin/sh", "-c",
                "for each in /proc/[0-9]*; do read -r line <$each/comm 2>/dev/null; "
                "case $line in sh|iptables*|ip6tables*) kill -9 ${each#/proc/};; esac; done",
                check=False,
            )  # fmt: skip
        answers = world.probe(
            sandbox.container("opencode"),
            [(place, place, world.PORT) for place in (world.CLOSED["private-10"],
                                                      world.CLOSED["unique-local"])],
        )  # fmt: skip
        assert "hello" not in {word for word, _ in answers.values()}, pause
    sandbox.user.ok("up", "walled")
    sandbox.user.ok("refresh", "walled")
    assert rules_hold(sandbox)


@contextmanager
def wall_alone(sandbox: Sandbox, stubs: dict[str, str]) -> Iterator[str]:
    """Run a wall by itself with tools replaced by scripts; yield its container."""
    image = json.loads(world.call("docker", "inspect", sandbox.container("firewall")))[0]["Image"]
    folder = sandbox.user.home / ".cache/jailoc/walled/wall"
    lone = "jailoc-lone-wall"
    world.call("docker", "rm", "--force", lone, check=False)
    # All tools of iptables are links to one program, which tells them apart by their names.
    real = sandbox.user.home / "real-multi"
    source = f"{sandbox.container('firewall')}:/usr/sbin/xtables-nft-multi"
    world.call("docker", "cp", "--quiet", source, str(real))
    cases = "".join(f"{tool})\n{script}\n;;\n" for tool, script in stubs.items())
    legacy = 'exec /usr/sbin/real-multi "$(echo "$tool" | sed s/-legacy//)" "$@"'
    tool = "tool=${0##*/}"
    scripts = {
        "xtables-nft-multi": f"{tool}\ncase $tool in\n{cases}esac\n"
        'exec /usr/sbin/real-multi "$tool" "$@"',
        "xtables-legacy-multi": f"{tool}\ncase $tool in\n{cases}esac\n{legacy}",
    }
    words = ["--volume", f"{real}:/usr/sbin/real-multi:ro"]
    for name, script in scripts.items():
        stub = sandbox.user.home / name
        stub.write_text(f"#!/bin/sh\n{script}\n")
        stub.chmod(0o755)
        words += ["--volume", f"{stub}:/usr/sbin/{name}:ro"]
    if "setpriv" in stubs:
        stub = sandbox.user.home / "setpriv"
        stub.write_text(f"#!/bin/sh\n{stubs['setpriv']}\n")
        stub.chmod(0o755)
        words += ["--volume", f"{stub}:/usr/bin/setpriv:ro"]
    world.call(
        "docker", "run", "--detach", "--name", lone, "--user", "0:0", "--cap-drop", "ALL",
        *(word for cap in ("NET_ADMIN", "SETUID", "SETGID", "SETPCAP", "CHOWN")
          for word in ("--cap-add", cap)),
        "--tmpfs", "/run/jailoc", "--tmpfs", "/evidence",
        "--volume", f"{folder}:/etc/jailoc:ro", *words,
        "--entrypoint", "/bin/sh", image, "/etc/jailoc/firewall.sh",
    )  # fmt: skip
    try:
        yield lone
    finally:
        world.call("docker", "rm", "--force", lone)


def outcome(container: str) -> tuple[str, str]:
    """Return `ready` or `exited`, and what the wall said."""
    for _ in range(100):
        state = world.call("docker", "inspect", "--format", "{{.State.Status}}", container).strip()
        done = subprocess.run(["docker", "logs", container], capture_output=True, text=True,
                              check=True)  # fmt: skip
        if state == "exited":
            return state, done.stdout + done.stderr
        ready = world.call("docker", "exec", container, "ls", "/run/jailoc", check=False)
        if "ready" in ready.split():
            return "ready", done.stdout + done.stderr
        time.sleep(0.1)
    raise AssertionError("neither ready nor ended")


SUCCEEDS = "cat >/dev/null; exit 0"
FAILS = "echo no such thing >&2; exit 1"
NAMELESS = """text=$(cat)
case $text in *"-m recent"*) exit 1 ;; esac
printf '%s\\n' "$text" | /usr/sbin/real-multi "$tool" "$@"
exit $?"""


@pytest.mark.parametrize(
    ("stubs", "words"),
    [
        pytest.param({"iptables-restore": SUCCEEDS}, "not the ones wanted", id="liar"),
        pytest.param({"ip6tables-restore": SUCCEEDS}, "not the ones wanted", id="liar-6"),
        pytest.param({"iptables-save": SUCCEEDS}, "not the ones wanted", id="silent"),
        pytest.param({"iptables": FAILS, "iptables-legacy": FAILS}, "neither iptables nor",
                     id="no-tool"),
        pytest.param({"ip6tables": FAILS, "ip6tables-legacy": FAILS}, "the kernel has IPv6, but",
                     id="no-ipv6-tool"),
        pytest.param({"ip6tables-restore": FAILS}, "refused the rules", id="no-ipv6-load"),
        pytest.param({"setpriv": FAILS}, "give up privileges", id="no-drop"),
    ],
)  # fmt: skip
def test_a_wall_whose_tools_lie_or_fail_never_becomes_ready(
    sandbox: Sandbox, stubs: dict[str, str], words: str
) -> None:
    """N7."""
    with wall_alone(sandbox, stubs) as container:
        state, said = outcome(container)
    assert state == "exited"
    assert words in said


def test_a_wall_falls_back_to_the_legacy_tools(sandbox: Sandbox) -> None:
    with wall_alone(sandbox, {"iptables": FAILS}) as container:
        state, said = outcome(container)
    assert state == "ready", said
    assert "using iptables-legacy" in said


def test_a_kernel_that_cannot_hold_names_keeps_them_closed_and_says_so(sandbox: Sandbox) -> None:
    stubs = {f"{tool}-restore": NAMELESS for tool in ("iptables", "ip6tables")}
    with wall_alone(sandbox, stubs) as container:
        state, said = outcome(container)
        loaded = world.call("docker", "exec", "--user", "0", container, "iptables-save")
    assert state == "ready", said
    assert "allowed names stay closed" in said
    assert "-m recent" not in loaded
    assert "10.0.0.0/8" in loaded


def test_a_stranger_called_dind_is_not_let_in(sandbox: Sandbox) -> None:
    """N13."""
    with friend(sandbox, "dind", "dind.example") as (_, place):
        assert not reaches(sandbox, place)
        told = agent(sandbox, "/usr/bin/getent", "ahostsv4", "dind").split()
        assert told[0] == "127.0.0.1"


def test_a_container_of_the_agents_reaches_an_allowed_name(sandbox: Sandbox) -> None:
    """N9, N17: inside, names resolve as they do for the agent, and both families are no trap."""
    inner_image(sandbox)
    with friend(sandbox, "friend.test") as (_, place):
        sandbox.user.ok("refresh", "walled")
        program = (
            "import socket; door = socket.create_connection(('friend.test', "
            f"{world.PORT}), 5); print(door.getpeername()[0], door.recv(5).decode())"
        )
        told = agent(sandbox, "docker", "run", "--rm", "shell:1", "/usr/bin/python3", "-c", program)
        assert told.split() == [place, "hello"]


def test_one_namespace_one_set_of_rules(sandbox: Sandbox) -> None:
    """N18."""
    spaces = {
        str(Path(f"/proc/{pid}/ns/net").readlink())
        for service in ("firewall", "opencode", "dind")
        for pid in [json.loads(world.call("docker", "inspect", sandbox.container(service)))[0][
            "State"]["Pid"]]
    }  # fmt: skip
    assert len(spaces) == 1


def test_nobody_on_the_network_reaches_the_agents_other_ports(sandbox: Sandbox) -> None:
    """N21."""
    world.call(
        "docker", "exec", "--detach", "--user", "1000:1000", sandbox.container("opencode"),
        "/usr/bin/python3", "-c", world.LISTENER, str(world.THIRD_PORT),
    )  # fmt: skip
    wall = sandbox.container("firewall")
    inspected = json.loads(world.call("docker", "inspect", wall))[0]["NetworkSettings"]["Networks"]
    (found,) = inspected.values()
    places = {"ipv4": found["IPAddress"], "ipv6": found["GlobalIPv6Address"]}
    time.sleep(1)
    inside = world.probe(sandbox.container("opencode"), [("own", "127.0.0.1", world.THIRD_PORT)])
    assert inside["own"][0] == "hello"
    with friend(sandbox, "stranger.test") as (stranger, _):
        answers = world.probe(
            stranger, [(name, place, world.THIRD_PORT) for name, place in places.items()]
        )
        program = f"import socket; socket.create_connection(('{places['ipv4']}', 4096), 3)"
        world.call("docker", "exec", stranger, "python3", "-c", program)
    assert "hello" not in {word for word, _ in answers.values()}
    assert network(sandbox) in inspected


FORGE = """
import errno, json, socket, sys
FREEBIND, ROUTING, SEGMENTS = 78, 57, 4
def sent(prepare):
    one = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        prepare(one)
        one.sendto(b"forged", (sys.argv[1], 7777))
    except OSError as error:
        return errno.errorcode[error.errno]
    return "sent"
def elsewhere(one):
    one.setsockopt(socket.IPPROTO_IPV6, FREEBIND, 1)
    one.bind((sys.argv[2], 7777))
def onward(one):
    # One more segment, to the same place (RFC 8754, section 2).
    place = socket.inet_pton(socket.AF_INET6, sys.argv[1])
    one.setsockopt(socket.IPPROTO_IPV6, ROUTING, bytes([0, 4, SEGMENTS, 1, 1, 0, 0, 0]) + place * 2)
print(json.dumps([sent(each) for each in (lambda one: None, elsewhere, onward)]))
"""


def test_the_agent_sends_by_its_own_address_and_to_one_that_it_says(sandbox: Sandbox) -> None:
    """Who answered would answer to somebody else: to the machine, at a port that is closed."""
    words = ("python3", "-c", FORGE, world.ALLOWED_IPV6, "2001:db8::5")
    assert json.loads(agent(sandbox, *words)) == ["sent", "EPERM", "EPERM"]
    with friend(sandbox) as (other, _):
        # Control: without the wall, in the same network.
        assert json.loads(world.call("docker", "exec", other, *words)) == ["sent", "sent", "sent"]


FEIGNED = """
import errno, json, socket, sys, time
FREEBIND = 78
own, other, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
def feigned(kind):
    one = socket.socket(socket.AF_INET6, kind)
    one.setsockopt(socket.IPPROTO_IPV6, FREEBIND, 1)
    one.settimeout(3)
    one.bind((other, port))
    return one
def datagram():
    inside = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    inside.settimeout(3)
    inside.bind((own, 0))
    feigned(socket.SOCK_DGRAM).sendto(b"as if from there", inside.getsockname())
    inside.recv(99)
    inside.sendto(b"out", (other, port))
    return inside.recv(99).decode()
def at_the_servers():  # which listens for IPv4
    one = socket.socket(socket.AF_INET6)
    one.settimeout(3)
    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    for each in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        one.setsockopt(socket.SOL_SOCKET, each, 1)
    one.bind((own, 4096))
    return one
def begin(one):
    one.setblocking(False)
    try:
        one.connect((own, 4096))
    except BlockingIOError:
        pass
    time.sleep(0.1)
    return one
def stream():
    # Who has no room for one more neither takes a connection nor refuses it.
    full = at_the_servers()
    full.listen(0)
    waiting = [begin(socket.socket(socket.AF_INET6)) for _ in range(4)]
    begin(feigned(socket.SOCK_STREAM)).close()
    full.close()
    out = at_the_servers()
    out.connect((other, port))
    return out.recv(99).decode()
def became(act):
    try:
        return act()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
print(json.dumps([became(each) for each in (datagram, stream)]))
"""
REPLIES = "-m conntrack --ctstate ESTABLISHED --ctdir REPLY"
AS_BEFORE = (
    "OUTPUT 1 -o lo -j ACCEPT", f"OUTPUT 1 {REPLIES} -j ACCEPT",
    "INPUT 1 -p tcp --dport 4096 -j ACCEPT",
)  # fmt: skip


@contextmanager
def loosened(sandbox: Sandbox, *rules: str) -> Iterator[None]:
    """Have more rules of IPv6 in a wall, each with its chain and place."""
    call = ("docker", "exec", "--user", "0", sandbox.container("firewall"), "ip6tables", "-I")
    try:
        for rule in rules:
            world.call(*call, *rule.split())
        yield
    finally:
        sandbox.user.ok("refresh", sandbox.name)


def test_nothing_that_the_agent_feigns_on_loopback_makes_a_reply_of_what_it_sends(
    sandbox: Sandbox,
) -> None:
    """A datagram of its own by a foreign address is the first one of a connection from there."""
    wall, other = sandbox.container("firewall"), world.CLOSED["unique-local"]
    words = ("python3", "-c", FEIGNED, ipv6(wall), other, str(world.PORT))
    assert json.loads(agent(sandbox, *words)) == ["EPERM", "ECONNREFUSED"]
    # Control: with these rules first, somebody closed answers.
    with loosened(sandbox, *AS_BEFORE):
        assert json.loads(agent(sandbox, *words)) == ["out", "hello"]


ANSWERS = """
import socket
ROUTING, SEGMENTS = 57, 4
door = socket.socket(socket.AF_INET6)
door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
door.bind(("::", 4096))
door.listen()
print("ready", flush=True)
one, (place, *_) = door.accept()
one.sendall(b"plain")
one.recv(4)
place = socket.inet_pton(socket.AF_INET6, place)
one.setsockopt(socket.IPPROTO_IPV6, ROUTING, bytes([0, 4, SEGMENTS, 1, 1, 0, 0, 0]) + place * 2)
one.sendall(b"onward")
"""
ASKS = """
import socket, sys, time
ROUTED = 43  # RFC 8200, section 4.4
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x86DD))
wire.settimeout(0.2)
one = socket.create_connection((sys.argv[1], 4096), 5)
heard = [one.recv(5).decode()]
one.sendall(b"more")
end = time.monotonic() + 3
while time.monotonic() < end and "routed" not in heard:
    try:
        packet, (*_, kind, _, _) = wire.recvfrom(2048)
    except TimeoutError:
        continue
    if kind != socket.PACKET_OUTGOING and packet[6] == ROUTED:
        heard.append("routed")
print(" ".join(heard))
"""


def heard(server: str, place: str, client: str, *user: str) -> str:
    """Return what a client hears of a server that answers, then with a routing header."""
    with subprocess.Popen(
        ["docker", "exec", *user, server, "python3", "-c", ANSWERS],
        stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        try:
            told = world.call("docker", "exec", "--user", "0", client, "python3", "-c", ASKS, place)
        finally:
            running.kill()
    return told.strip()


def test_no_answer_of_the_agents_says_that_it_goes_on_to_elsewhere(sandbox: Sandbox) -> None:
    """On a connection that came in, where an answer is let out before its place is looked at."""
    agents, wall = sandbox.container("opencode"), sandbox.container("firewall")
    told = world.call("docker", "exec", "--user", "0", wall, "ip6tables", "-S", "OUTPUT")
    (at,) = (index for index, line in enumerate(told.splitlines()) if " loopback " in line)
    # As where other pods come in; by itself nobody does.
    visited = (
        AS_BEFORE[-1],
        f"OUTPUT {at + 1} -p tcp {REPLIES} -m addrtype --src-type LOCAL -j ACCEPT",
    )
    with (
        friend(sandbox) as (server, _),
        friend(sandbox) as (client, _),
        loosened(sandbox, *visited),
    ):
        assert heard(agents, ipv6(wall), client, "--user", "1000:1000") == "plain"
        # Control: without the wall, in the same network.
        assert heard(server, ipv6(server), client) == "plain routed"


def ipv6(container: str) -> str:
    (found,) = json.loads(world.call("docker", "inspect", container))[0]["NetworkSettings"][
        "Networks"
    ].values()
    return str(found["GlobalIPv6Address"])


FLUSH = """
set -e
libraries=$(ldd /usr/sbin/xtables-nft-multi /bin/bash | grep -o '/lib[^ ]*' | sort -u)
tar -chf - /bin/bash /usr/sbin/xtables-nft-multi /usr/lib/x86_64-linux-gnu/xtables $libraries \
    2>/dev/null | docker --host unix:///run/dind/docker.sock import - tools:1
"""


def test_a_container_of_the_agents_flushes_only_its_own_rules(sandbox: Sandbox) -> None:
    """D1: with all capabilities and the network of its host, which is the daemon's."""
    world.call("docker", "exec", "--user", "1000:1000", "--env", "HOME=/tmp",
               sandbox.container("dind"), "/bin/bash", "-c", FLUSH)  # fmt: skip
    for words in (("-F", "OUTPUT"), ("-P", "OUTPUT", "ACCEPT"), ("-S", "OUTPUT")):
        told = agent(
            sandbox, "docker", "run", "--rm", "--cap-add", "ALL", "--network", "host", "tools:1",
            "/usr/sbin/xtables-nft-multi", "iptables", *words,
        )  # fmt: skip
    assert "JAILOC" not in told, "it sees no rule of the wall"
    assert rules_hold(sandbox)
    assert not reaches(sandbox, world.CLOSED["private-10"])


def test_a_privileged_container_of_the_agents_is_refused(sandbox: Sandbox) -> None:
    """D1."""
    inner_image(sandbox)
    done = subprocess.run(
        ["docker", "exec", sandbox.container("opencode"), "docker", "run", "--rm", "--privileged",
         "shell:1", "/bin/bash", "-c", "echo through"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "through" not in done.stdout
    assert rules_hold(sandbox)


def test_a_fork_bomb_in_the_sidecar_is_bounded(sandbox: Sandbox) -> None:
    """D2."""
    for service in ("firewall", "opencode", "dind"):
        host = json.loads(world.call("docker", "inspect", sandbox.container(service)))[0][
            "HostConfig"
        ]
        assert host["PidsLimit"] > 0, service
        assert host["Memory"] > 0, service
        assert host["NanoCpus"] > 0, service
        limit = host["PidsLimit"]
    bomb = "for each in $(seq 3000); do sleep 20 & done; wait"
    with subprocess.Popen(
        ["docker", "exec", "--user", "1000:1000", sandbox.container("dind"), "/bin/bash", "-c",
         bomb],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        time.sleep(4)
        listed = world.call("docker", "top", sandbox.container("dind"), "-eo", "pid")
        running.kill()
    # The head of the table, and who asks for it.
    assert 100 < len(listed.splitlines()) <= limit + 6
    assert reaches(sandbox, world.PUBLIC), "the agent goes on"
    world.call("docker", "restart", "--time", "1", sandbox.container("dind"))
    sandbox.user.ok("up", "walled")


def test_the_agent_needs_no_sidecar_to_start(sandbox: Sandbox) -> None:
    """D4."""
    world.call("docker", "stop", "--time", "2", sandbox.container("dind"))
    try:
        world.call("docker", "restart", "--time", "3", sandbox.container("opencode"))
        health = ""
        for _ in range(60):
            health = world.call("docker", "inspect", "--format", "{{.State.Health.Status}}",
                                sandbox.container("opencode")).strip()  # fmt: skip
            if health == "healthy":
                break
            time.sleep(1)
        assert health == "healthy"
        shown = json.loads(sandbox.user.ok("status", "walled", "--json"))["workspaces"][0]
        assert shown["state"] == "running"
        assert shown["docker"].startswith("exited")
    finally:
        sandbox.user.ok("up", "walled")


def test_a_sandbox_starts_without_any_network(sandbox: Sandbox) -> None:
    """D3: nothing is fetched when containers start."""
    sandbox.user.ok("down", "walled")
    try:
        text = sandbox.config().replace("[workspaces.walled]", '[workspaces.walled]\negress="none"')
        kept = [line for line in text.splitlines() if not line.startswith("allowed_")]
        sandbox.user.write("\n".join(kept))
        sandbox.user.ok("up", "walled")
        assert not reaches(sandbox, world.PUBLIC)
        assert "Server Version" in agent(sandbox, "docker", "info")
    finally:
        sandbox.user.write(sandbox.config())
        sandbox.user.ok("up", "walled")


def test_an_image_that_calls_itself_part_of_a_sandbox_is_none(sandbox: Sandbox) -> None:
    """A container has the labels of its image, and Compose finds what is its own by labels."""
    directory = f"{sandbox.user.home}/.cache/jailoc/{sandbox.name}"
    labels = {
        "com.docker.compose.project": sandbox.project,
        "com.docker.compose.service": "firewall",
        "com.docker.compose.project.working_dir": directory,
        "dev.jailoc.tools": sandbox.name,
    }
    changes = [
        word for key, value in labels.items() for word in ("--change", f"LABEL {key}={value}")
    ]
    image, name = "jailoc-tests-feigned:1", "jailoc-tests-feigned"
    world.call("docker", "commit", "--pause=false", *changes, sandbox.container("firewall"), image)
    try:
        world.call("docker", "run", "--detach", "--name", name, "--network", "none",
                   "--entrypoint", "/bin/sleep", image, "300")  # fmt: skip
        # Control: for Compose it is the project's.
        found = world.call("docker", "compose", "--project-name", sandbox.project, "ps", "--all",
                           "--format", "{{.Name}}").split()  # fmt: skip
        assert name in found
        for words in (
            ("plan",),
            ("up",),
            ("refresh",),
            ("restart",),
            ("down",),
            ("pause", "--", "true"),
        ):
            done = sandbox.user.run(words[0], sandbox.name, *words[1:])
            assert done.status != 0, words
            assert f"`{name}` says that it is a container" in done.stderr, words
        assert name not in sandbox.user.ok("logs", sandbox.name)
        running = "{{.State.Running}}"
        for each in (name, sandbox.container("firewall"), sandbox.container("opencode")):
            assert world.call("docker", "inspect", "--format", running, each).strip() == "true"
        # Who asks about all workspaces is told of those that are there.
        (row,) = json.loads(sandbox.user.ok("status", sandbox.name, "--json"))["workspaces"]
        assert row["state"] == "running"
        assert f"`{name}` says that it is one of its containers" in row["problem"]
    finally:
        world.call("docker", "rm", "--force", name, check=False)
        world.call("docker", "rmi", "--force", image, check=False)
    sandbox.user.ok("up", sandbox.name)
