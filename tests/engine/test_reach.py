"""Published ports, volumes, denials, the network and the limit of tasks, in one sandbox."""

import ipaddress
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.engine import world
from tests.engine.conftest import Sandbox, address, friend, inner_image
from tests.engine.test_names import LOOK, agent

pytestmark = pytest.mark.engine

HERE, ALIKE = 18300, 18301
"""Ports of this machine: one leads to another number inside, one to the same."""
INSIDE, UNPUBLISHED = 3000, 3001
SUBNET = ipaddress.IPv4Network("10.98.7.0/24")
SHARED = "jailoc_shared-reachtests"
DENIED, BESIDE = world.ALLOWED, world.CLOSED["private-10"]
"""Two hosts of one allowed range, one of which is denied."""


def config(docker: bool = False) -> str:
    return f"""{world.certificates()}
[defaults]
enable_docker = {str(docker).lower()}
[defaults.network]
mtu = 1400
[workspaces.reach]
paths = ["~/project"]
port = 4197
pids = 150
ports = ["{HERE}:{INSIDE}", {ALIKE}]
volumes = ["npm:~/.npm", "shared:reachtests:~/.cache/tool/deep"]
allowed_networks = ["10.98.0.0/16", "10.99.0.0/16"]
allowed_hosts = ["*.reach.test", "alias.test"]
denied_networks = ["10.99.1.0/24"]
denied_hosts = ["vault.reach.test"]
network = {{ subnet = "{SUBNET}" }}
"""


@pytest.fixture(scope="module")
def reach(hosts: None) -> Iterator[Sandbox]:
    world.remove("jailoc-reach")
    with world.home("reach") as user:
        (user.home / "project").mkdir()
        user.write(config())
        user.ok("up", "reach")
        try:
            yield Sandbox(user, "reach")
        finally:
            world.remove("jailoc-reach")
            world.call("docker", "volume", "rm", "--force", SHARED, check=False)


PROBE = world.PROBE.replace("timeout=5", "timeout=1")
"""Nothing here is far away, and what the wall drops is waited for."""


def serve(sandbox: Sandbox, *ports: int) -> None:
    """Let the agent serve, until its container ends."""
    world.call(
        "docker", "exec", "--detach", "--user", "1000:1000", sandbox.container("opencode"),
        "/usr/bin/python3", "-c", world.LISTENER, *map(str, ports),
    )  # fmt: skip
    until(
        lambda: reached(("it", address(sandbox.container("firewall")), ports[0])), {"it": "hello"}
    )


def until(look: Callable[[], object], wanted: object) -> None:
    """Wait until a look finds what is wanted."""
    for _ in range(60):
        if look() == wanted:
            return
        time.sleep(0.25)
    assert look() == wanted


def reached(*targets: world.Target, prefix: tuple[str, ...] = ()) -> dict[str, str]:
    """Connect from this machine, or from where the prefix leads."""
    text = world.call(*prefix, sys.executable, "-c", PROBE, stdin=json.dumps([*targets]))
    return {name: word for name, (word, _) in json.loads(text).items()}


def test_what_is_published_is_reached_from_this_machine_alone(reach: Sandbox) -> None:
    serve(reach, INSIDE, ALIKE, UNPUBLISHED)
    inside = address(reach.container("firewall"))
    here = reached(
        ("here", "127.0.0.1", HERE),
        ("alike", "127.0.0.1", ALIKE),
        ("inside", inside, INSIDE),
        ("unpublished", "127.0.0.1", UNPUBLISHED),
        ("behind the wall", inside, UNPUBLISHED),
        ("other address", world.UPLINK, HERE),
    )
    # The control: the same server, past the wall's one door for it.
    assert [here[each] for each in ("here", "alike", "inside")] == ["hello"] * 3
    assert {here["unpublished"], here["other address"]} == {"ConnectionRefusedError"}
    assert here["behind the wall"] in {"TimeoutError", "ConnectionRefusedError"}
    # The control: another host reaches what listens on every address of this machine.
    there = reached(
        ("published", world.UPLINK, HERE),
        ("control", world.UPLINK, world.OTHER_PORT),
        prefix=("ip", "netns", "exec", world.NAMESPACE),
    )
    assert there == {"published": "ConnectionRefusedError", "control": "hello"}
    other = world.call(
        "docker", "run", "--rm", "--interactive", "--entrypoint", "/usr/bin/python3",
        json.loads(world.call("docker", "inspect", reach.container("firewall")))[0]["Image"],
        "-c", PROBE,
        stdin=json.dumps([("inside", inside, INSIDE), ("machine", world.UPLINK, HERE),
                          ("control", world.UPLINK, world.OTHER_PORT)]),
    )  # fmt: skip
    words = {name: word for name, (word, _) in json.loads(other).items()}
    assert words["control"] == "hello"
    assert "hello" not in {words["inside"], words["machine"]}


def test_nobody_comes_in_over_ipv6(reach: Sandbox) -> None:
    """Nothing is published there, and engines before Docker 27 keep no networks apart by it."""
    serve(reach, INSIDE)
    wall = reach.container("firewall")
    (network,) = json.loads(world.call("docker", "inspect", wall))[0]["NetworkSettings"][
        "Networks"
    ].values()
    place = network["GlobalIPv6Address"]
    assert reached(("inside", place, INSIDE), ("server", place, 4096)) == dict.fromkeys(
        ("inside", "server"), "TimeoutError"
    )
    # The control: the same without the wall's own rules in the way.
    rules = (("INPUT", "--dport"), ("OUTPUT", "--sport"))
    door = [(chain, "1", "-p", "tcp", which, str(INSIDE), "-j", "ACCEPT") for chain, which in rules]
    for chain, at, *rule in door:
        world.call("docker", "exec", "--user", "0", wall, "ip6tables", "-I", chain, at, *rule)
    try:
        assert reached(("inside", place, INSIDE)) == {"inside": "hello"}
    finally:
        for chain, _, *rule in door:
            world.call("docker", "exec", "--user", "0", wall, "ip6tables", "-D", chain, *rule)


def test_every_view_tells_what_is_published(reach: Sandbox) -> None:
    assert row_of(reach)["ports"] == [[HERE, INSIDE], [ALIKE, ALIKE]]
    checks = json.loads(reach.user.run("doctor", "--json").stdout)["checks"]
    ports = [each for each in checks if "port" in each["check"]]
    assert ports
    assert not [each for each in ports if "taken" in each["found"]], "they are its own"
    found = json.loads(reach.user.run("verify", "reach", "--json").stdout)
    assert [each for each in found["checks"] if not each["ok"]] == []
    assert {(each["subject"], each["found"]) for each in found["checks"]} >= {
        (f"port {HERE} of this machine, to {INSIDE} inside", "127.0.0.1"),
        ("bytes of a packet in the network", "1400"),
    }
    reach.user.nothing_to_do("reach")


def test_a_denied_address_is_closed_in_an_allowed_range(reach: Sandbox) -> None:
    found = world.probe(
        reach.container("opencode"),
        [("denied", DENIED, world.PORT), ("beside", BESIDE, world.PORT)],
    )
    assert found["beside"][0] == "hello"
    assert found["denied"][0] == "ConnectionRefusedError"
    (row,) = [
        each for each in json.loads(reach.user.ok("blocked", "reach", "--json"))["blocked"]
        if each["target"] == DENIED
    ]  # fmt: skip
    assert row["reason"] == "workspaces.reach.denied_networks[0]"
    assert (row["open_now"], row["allow"]) == (False, None)


def test_a_denied_name_is_found_by_nobody_and_an_allowed_one_beside_it_is(reach: Sandbox) -> None:
    with friend(reach, "db.reach.test", "vault.reach.test") as (_, place):
        assert place in json.loads(agent(reach, LOOK, "db.reach.test"))
        assert json.loads(agent(reach, LOOK, "vault.reach.test")) == []
        assert json.loads(agent(reach, LOOK, "VAULT.Reach.Test")) == []
        # Nor past the wall's resolver, where the engine's own would answer.
        assert agent(reach, ASK_ENGINE, "vault.reach.test").strip() != "answer"
        wall = world.call(
            "docker", "exec", "--user", "65533:65533", reach.container("firewall"),
            "/usr/bin/python3", "-c", ASK_ENGINE, "vault.reach.test",
        )  # fmt: skip
        assert wall.strip() == "answer"


ASK_ENGINE = """
import socket, struct, sys
name = b"".join(bytes([len(each)]) + each.encode() for each in sys.argv[1].split(".")) + b"\\0"
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
    door.settimeout(2)
    try:
        door.bind(("127.0.0.53", 0))
        door.connect(("127.0.0.11", 53))
        door.send(b"\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + name + b"\\0\\1\\0\\1")
        print("answer" if struct.unpack("!H", door.recv(512)[6:8])[0] else "none")
    except OSError as error:
        print(type(error).__name__)
"""


def test_the_chosen_network_is_the_sandboxs_and_the_machine_in_it_is_closed(
    reach: Sandbox,
) -> None:
    mtu = world.call(
        "docker", "exec", reach.container("opencode"), "cat", "/sys/class/net/eth0/mtu"
    )
    assert mtu.strip() == "1400"
    assert ipaddress.ip_address(address(reach.container("firewall"))) in SUBNET
    gateway = world.gateways(reach.container("firewall"))["gateway"]
    assert ipaddress.ip_address(gateway) in SUBNET
    with friend(reach) as (_, neighbour):
        found = world.probe(
            reach.container("opencode"),
            [("gateway", gateway, world.OTHER_PORT), ("neighbour", neighbour, world.PORT)],
        )
        # All of 10.98.0.0/16 is allowed: a neighbour in the subnet answers, the machine does not.
        assert found["neighbour"][0] == "hello"
        assert found["gateway"][0] == "ConnectionRefusedError"


def test_the_limit_of_tasks_is_told_when_it_is_hit(reach: Sandbox) -> None:
    assert row_of(reach)["pids_refused"] == 0
    world.call(
        "docker", "exec", "--user", "1000:1000", reach.container("opencode"),
        "bash", "-c", "for each in $(seq 200); do sleep 3 & done 2>/dev/null; true", check=False,
    )  # fmt: skip
    row = row_of(reach)
    assert row["pids_refused"] > 0
    assert row["limits"]["pids"] == 150
    assert "`pids` raises" in reach.user.run("blocked", "reach").stderr


LITE = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136) as door:
    door.settimeout(2)
    try:
        door.connect((sys.argv[1], 4500))
        door.send(b"x")
        door.recv(1)
    except OSError:
        pass
"""
RAW = """
import socket, struct, sys
def raw(family, number, place, data, ancillary=()):
    with socket.socket(family, socket.SOCK_RAW, number) as door:
        try:
            door.sendmsg([data], ancillary, 0, (place, 0))
        except OSError:
            pass
four, six = sys.argv[1:]
for number in (33, 47, 50, 51, 132, 136, 253):
    raw(socket.AF_INET, number, four, bytes(32))
for number in (33, 132, 136, 253):
    raw(socket.AF_INET6, number, six, bytes(32))
# A datagram of UDP behind a header of options, and behind so many that it is cut off.
datagram = struct.pack("!HHHH", 1000, 4501, 8, 0)
for words in (0, 20):
    options = bytes([17, words, 1, 4 + 8 * words]) + bytes(4 + 8 * words)
    raw(socket.AF_INET6, 60, six, options[:8 + 8 * words] + datagram)
"""


def test_a_refused_packet_of_whatever_protocol_is_told(reach: Sandbox) -> None:
    four, six = world.CLOSED["private-172"], world.CLOSED["unique-local"]

    def told() -> set[tuple[str, str, int | None]]:
        rows = json.loads(reach.user.ok("blocked", "reach", "--json"))["blocked"]
        return {(each["target"], each["protocol"], each["port"]) for each in rows}

    assert not {place for place in told() if place[0] in {four, six} and place[1] != "icmp"}
    agent_ = reach.container("opencode")
    lite = ("/usr/bin/python3", "-c", LITE, world.CLOSED["private-192"])
    with pytest.raises(AssertionError, match="Operation not permitted"):
        world.call("docker", "exec", "--user", "1000:1000", agent_, *lite)
    image = world.call("docker", "inspect", "--format", "{{.Image}}", agent_).strip()
    wall = reach.container("firewall")
    # Whoever is behind the same wall under another profile, as a container of the agent's Docker.
    world.call("docker", "run", "--rm", "--user", "1000:1000", "--network", f"container:{wall}",
               "--entrypoint", lite[0], image, *lite[1:], check=False)  # fmt: skip
    world.call("docker", "run", "--rm", "--user", "0:0", "--cap-add", "NET_RAW",
               "--network", f"container:{wall}", "--entrypoint", "/usr/bin/python3", image,
               "-c", RAW, four, six)  # fmt: skip
    named = {"dccp", "gre", "esp", "ah", "sctp", "udplite", "253"}
    wanted: set[tuple[str, str, int | None]] = {(four, each, None) for each in named}
    wanted |= {(six, each, None) for each in ("dccp", "sctp", "udplite", "253")}
    wanted.add((six, "udp", 4501))
    found = told()
    assert wanted <= found
    # What is behind more than the kernel tells of is told as what is seen of it.
    assert (six, "60", None) in found or (six, "udp", None) in found or (six, "udp", 0) in found
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136).close()
    except OSError:
        return  # this kernel has no UDP-Lite, which one could send without a capability
    assert (world.CLOSED["private-192"], "udplite", None) in found


def row_of(sandbox: Sandbox) -> dict[str, Any]:
    (row,) = json.loads(sandbox.user.ok("status", sandbox.name, "--json"))["workspaces"]
    found: dict[str, Any] = row
    return found


def test_volumes_are_the_agents_and_outlast_the_containers(reach: Sandbox) -> None:
    places = ("/home/agent/.npm", "/home/agent/.cache/tool/deep", "/home/agent/.cache/tool")
    owners = world.call(
        "docker", "exec", reach.container("opencode"), "stat", "-c", "%u:%g", *places
    )
    assert owners.split() == ["1000:1000"] * 3
    script = " && ".join(f"echo kept >{each}/mark" for each in (*places, "/home/agent"))
    world.call("docker", "exec", reach.container("opencode"), "bash", "-c", script)
    reach.user.ok("down", "reach")
    try:
        # Who has a port is named before anything starts.
        with world.taken(HERE):
            result = reach.user.run("up", "reach")
            assert result.status == 1
            assert f"port {HERE} on 127.0.0.1 is taken by another program: " in result.stderr
            assert "(PID " in result.stderr
        # So is a network that somebody has.
        world.call("docker", "network", "create", "--subnet", str(SUBNET), "reach-other")
        result = reach.user.run("up", "reach")
        assert result.status == 1
        assert "another one has some of its addresses" in result.stderr
        assert "[workspaces.reach.network]" in result.stderr
    finally:
        world.call("docker", "network", "rm", "reach-other", check=False)
        reach.user.ok("up", "reach")
    found = world.call(
        "docker", "exec", reach.container("opencode"), "bash", "-c",
        "cat ~/.npm/mark ~/.cache/tool/deep/mark; ls ~/mark", check=False,
    )  # fmt: skip
    # What is in no volume went with the container.
    assert found.split() == ["kept", "kept"]


@pytest.mark.thorough
def test_a_container_of_the_agents_own_docker_is_reached_where_it_publishes(
    reach: Sandbox,
) -> None:
    reach.user.write(config(docker=True))
    reach.user.ok("up", "reach")
    inner_image(reach)
    world.call(
        "docker", "exec", reach.container("opencode"), "docker", "run", "--detach", "--rm",
        "--publish", f"{INSIDE}:9000", "shell:1", "/usr/bin/python3", "-c", world.LISTENER, "9000",
    )  # fmt: skip
    until(lambda: reached(("here", "127.0.0.1", HERE)), {"here": "hello"})


def test_a_shared_volume_of_another_user_is_handed_over_to_nobody(reach: Sandbox) -> None:
    name, before = "jailoc_shared-others", reach.user.config.read_text()
    labels = ("dev.jailoc.shared=others", "dev.jailoc.shared.user=4242")
    world.call("docker", "volume", "create", *(f"--label={each}" for each in labels), name)
    image = json.loads(world.call("docker", "inspect", reach.container("opencode")))[0]["Image"]

    def inside(*command: str) -> str:
        return world.call(
            "docker", "run", "--rm", "--network", "none", "--user", "0", "--volume", f"{name}:/v",
            "--entrypoint", command[0], image, *command[1:],
        ).strip()  # fmt: skip

    try:
        inside("chown", "4242:4242", "/v")
        other = 'volumes = ["shared:others:~/.cache/others", '
        reach.user.write(before.replace("volumes = [", other))
        result = reach.user.run("up", "reach")
        assert result.status == 1
        assert "is that of another user of this engine (4242)" in result.stderr
        assert inside("stat", "-c", "%u", "/v") == "4242"
    finally:
        reach.user.write(before)
        reach.user.ok("up", "reach")
        world.call("docker", "volume", "rm", "--force", name, check=False)
    # One that was made here has the number of who made it.
    text = world.call("docker", "volume", "inspect", SHARED)
    assert json.loads(text)[0]["Labels"]["dev.jailoc.shared.user"] == str(os.getuid())


def test_a_volume_that_another_made_in_the_place_of_one_is_not_taken(reach: Sandbox) -> None:
    """Compose would take it by its name, and whoever made it may be in it."""
    prefix = f"{reach.project}_"
    every = world.call("docker", "volume", "ls", "--quiet", "--filter", f"name={prefix}").split()
    name = next(each for each in every if "npm" in each)
    labels = json.loads(world.call("docker", "volume", "inspect", name))[0]["Labels"]
    del labels["dev.jailoc.made"]
    reach.user.ok("down", "reach")
    world.call("docker", "volume", "rm", name)
    try:
        world.call(
            "docker", "volume", "create", *(f"--label={key}={labels[key]}" for key in labels), name
        )
        result = reach.user.run("up", "reach")
        assert result.status == 1
        assert f"jailoc has not made volume `{name}`" in result.stderr
    finally:
        world.call("docker", "volume", "rm", "--force", name)
        reach.user.ok("up", "reach")
    made = json.loads(world.call("docker", "volume", "inspect", name))[0]["Labels"]
    assert made.keys() == {*labels, "dev.jailoc.made"}


def test_the_volumes_of_another_user_go_to_nobody_who_once_had_the_name(reach: Sandbox) -> None:
    def volumes() -> str:
        return world.call("docker", "volume", "ls", "--quiet", "--filter", "name=jailoc-reach_")

    before = volumes()
    assert before
    agent(reach, "open('/home/agent/.npm/mine', 'w').write('SECRET')")
    reach.user.ok("down", "reach")
    try:
        with world.home("reach-other") as other:
            (other.home / "project").mkdir()
            other.write(config())
            # As if this user had started one of the name, long ago.
            (other.home / ".local/share/jailoc/reach").mkdir(parents=True)
            for words in (("up", "reach"), ("down", "reach", "--volumes"),
                          ("destroy", "reach", "--yes"), ("plan", "reach")):  # fmt: skip
                result = other.run(*words)
                assert result.status == 1, words
                assert "[foreign]" in result.stderr
                assert str(reach.user.home / ".cache/jailoc/reach") in result.stderr
            assert volumes() == before
    finally:
        reach.user.ok("up", "reach")
    assert agent(reach, "print(open('/home/agent/.npm/mine').read())") == "SECRET", "the control"
