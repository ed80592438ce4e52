"""From what a real wall has seen to an allowlist, and what of it is dead."""

import json
import re
import time
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.engine import world
from tests.engine.conftest import Sandbox
from tests.engine.observed import Door, Observed, observed

pytestmark = pytest.mark.engine

ALONE = [f"n{number}.made.test" for number in range(30)]
SIBLINGS = [f"{each}.pkg.example.org" for each in ("a", "b", "c", "d")]
STRANGERS = [f"{each}.github.io" for each in ("a", "b", "c")]
TWO_PORTS = ["x.example.net", "y.example.com", "z.example.edu"]
NAMES = [*ALONE, *SIBLINGS, *STRANGERS, *TWO_PORTS]
MORE = "more.made.test"
ADDRESSES = [(f"11.22.35.{number}", world.PORT) for number in range(11, 16)]
"""Nobody is there: what is told of is that somebody went."""
CONFIG = f"""{world.certificates()}
# The team's sandboxes
[defaults]
enable_docker = false

[workspaces.observed]   # keep this
paths = ["~/project"]
port = 4231
observe = true
"""


def wanted() -> list[Door]:
    return [
        *((name, world.PORT) for name in NAMES),
        *((name, world.OTHER_PORT) for name in TWO_PORTS),
    ]


@pytest.fixture(scope="module")
def wall() -> Iterator[Observed]:
    with observed(CONFIG, "observed", [*NAMES, MORE]) as found:
        yield found


def doors(found: dict[str, object]) -> set[tuple[str, int]]:
    entries = found["entries"]
    assert isinstance(entries, list)
    return {(each["to"], port) for each in entries if each["live"] for port in each["ports"]}


def test_learn_proposes_exactly_what_was_used_and_it_still_works(wall: Observed) -> None:
    """Also for an address that forty names share, from both containers' users."""
    assert len(NAMES) == 40
    half = len(wanted()) // 2
    answers = wall.connect(wanted()[:half]) | wall.connect(wanted()[half:], "65532:65532")
    assert set(answers.values()) == {"hello"}
    wall.connect(ADDRESSES)
    found = wall.learn("--exact")
    assert doors(found) == set(wanted())
    comments = [each for each in found["entries"] if not each["live"]]
    assert {each["to"] for each in comments} == {address for address, _ in ADDRESSES}
    assert found["still_refused"] == [f"{address} tcp {port}" for address, port in ADDRESSES]
    assert found["lost"] == 0

    # One wildcard, where three siblings were seen, and never above a public suffix.
    wide = {each["to"] for each in wall.learn()["entries"] if each["live"]}
    assert {each for each in wide if each.startswith("*.")} == {"*.pkg.example.org"}
    assert wide >= {*STRANGERS, *ALONE}

    before = wall.user.config.read_text()
    wall.user.ok("learn", "observed", "--exact", "--addresses", "--apply", "--yes")
    after = wall.user.config.read_text()
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    mine = tomllib.loads(after)["workspaces"]["observed"]
    assert mine["egress"] == "allowlist"
    assert len(mine["allowed_hosts"]) == 45
    again = wall.connect(wanted())
    assert set(again.values()) == {"hello"}
    assert wall.connect([(MORE, world.PORT)]) == {f"{MORE} {world.PORT}": "gaierror"}
    assert wall.connect([("11.22.35.99", world.PORT)]) == {
        f"11.22.35.99 {world.PORT}": "ConnectionRefusedError"
    }
    assert "rules are as wanted" in world.call(
        "docker", "exec", wall.wall, "sh", "/etc/jailoc/firewall.sh", "verify"
    )


def commands(page: str) -> list[list[str]]:
    """Return the commands of a page, as they stand there."""
    text = (world.ROOT / page).read_text()
    return [line[2:].split() for line in text.splitlines() if line.startswith("$ ")]


def test_the_story_of_the_how_to_can_be_told(wall: Observed) -> None:
    """Every command of the page, in its order, on a workspace that is open again."""
    before = wall.user.config.read_text()
    wall.user.write(CONFIG.replace("observe = true\n", ""))
    wall.user.ok("refresh", "observed")
    told = commands("docs/how-to/from-open-to-allowlist.md")
    assert len(told) == 7
    for number, (program, *words) in enumerate(told):
        assert program == "jailoc"
        wall.user.ok(*("observed" if word == "api" else word for word in words))
        if number == 0:
            assert "observe = true" in wall.user.config.read_text()
            wall.connect(wanted()[:5])
    assert tomllib.loads(wall.user.config.read_text())["workspaces"]["observed"]["allowed_hosts"]
    assert (wall.user.home / "allowlist.patch").exists()
    wall.user.write(before)
    wall.user.ok("refresh", "observed")


def test_unused_names_what_was_never_used_and_nothing_else(wall: Observed) -> None:
    """Runs after the allowlist is there; what it opened was used once since then."""
    idle = [f"idle{number}.made.test" for number in range(3)]
    text = wall.user.config.read_text()
    wall.user.write(text.replace("allowed_hosts = [", "allowed_hosts = [\n" + "".join(
        f'    "{each}:443", # never\n' for each in idle)))  # fmt: skip
    wall.user.ok("refresh", "observed")
    wall.connect([(address, port) for address, port in ADDRESSES])
    found = wall.learn("--unused", "--days", "0")
    going = {each["text"].split()[0] for each in found["entries"] if each["goes"]}
    assert going == set(idle)
    patient = wall.learn("--unused")
    assert not [each for each in patient["entries"] if each["goes"]]
    wall.user.ok("learn", "observed", "--unused", "--days", "0", "--apply", "--yes")
    assert "idle" not in wall.user.config.read_text()


def test_what_was_seen_survives_a_restart_and_a_kill_and_a_new_resolver(wall: Observed) -> None:
    wall.connect([("10.99.0.10", 80)])
    wall.learn()
    before = {tuple(each[:3]) for each in wall.kept()["refused"]}
    assert ("10.99.0.10", 6, 80) in before
    number = world.call("docker", "exec", wall.wall, "cat", "/run/jailoc/names/pid").strip()
    world.call(
        "docker", "exec", "--user", "65533:65533", wall.wall, "sh", "-c", f"kill -KILL {number}"
    )
    time.sleep(2)
    wall.connect([("10.99.0.10", 81)])  # the next resolver hears of it on the same socket
    wall.learn()
    assert before | {("10.99.0.10", 6, 81)} <= {tuple(each[:3]) for each in wall.kept()["refused"]}
    for how in (["docker", "kill", wall.wall], ["docker", "stop", "--time", "5", wall.wall]):
        world.call(*how)
        world.call("docker", "start", wall.wall)
        wall.healthy()
        assert before <= {tuple(each[:3]) for each in wall.kept()["refused"]}
    wall.inside()


LITE = """
import socket
door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)
try:
    door.sendto(b"", ("10.99.0.20", 9000))
except OSError as error:
    print(type(error).__name__)
"""


RAW = r"""
import re, socket
server = re.search(r"nameserver (\S+)", open("/etc/resolv.conf").read())[1]
for first in (b"*", b"a b", b"\x1b]0;x\x07", b"\xe2\x80\xae", b'"\n#'):
    name = b"".join(bytes([len(each)]) + each for each in (first, b"crowd", b"test"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.settimeout(5)
        door.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0" + name + b"\0\0\1\0\1", (server, 53))
        try:
            door.recv(512)
        except OSError:
            pass
"""
"""Questions that no library asks: signs, blanks, escapes and line breaks in a label."""


def blocked(wall: Observed) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(wall.user.ok("blocked", "observed", "--json"))
    jsonschema.validate(found, schema("blocked"))
    return found


def test_a_protocol_without_a_name_is_refused_and_told(wall: Observed) -> None:
    """UDP-Lite takes no privilege, and has a number of its own (RFC 3828)."""
    world.call("docker", "exec", "observed-inside", "python3", "-c", LITE)
    rows = {(each["target"], each["protocol"], each["port"]) for each in blocked(wall)["blocked"]}
    assert ("10.99.0.20", "udplite", None) in rows
    assert "10.99.0.20  udplite  because of" in wall.user.ok("blocked", "observed")
    told = [each["what"] for each in wall.learn()["apart"]]
    assert "10.99.0.20 udplite" in told


def test_a_crowd_of_names_pushes_no_earlier_one_out(wall: Observed) -> None:
    """More names than the resolver remembers, and more than the wall keeps."""
    odd = ["xn--gthub-n4a.test", "b\u00fccher.test", "a;b$(c).test"]
    wall.connect([(each, 443) for each in ("honest.crowd.test", *odd)])
    world.call("docker", "exec", "observed-inside", "python3", "-c", RAW)
    wall.connect([(f"n{each}.crowd.test", 443) for each in range(1100)])
    found, names = {}, set[str]()
    for _ in range(20):  # the last ones are written down within a second, on an idle machine
        found = blocked(wall)
        names = {each["target"] for each in found["blocked"] if each["protocol"] == "dns"}
        if "n1099.crowd.test" in names:
            break
        time.sleep(0.5)
    assert {"honest.crowd.test", "xn--gthub-n4a.test", "xn--bcher-kva.test"} <= names
    assert {f"n{each}.crowd.test" for each in range(1100)} <= names
    assert found["not_kept"] > 0
    assert all(re.fullmatch(r"[a-z0-9_.?-]{1,253}", each) for each in names)
    # What `learn` tells of them: no entry of a name that was only asked for, and none left out.
    learned = wall.learn()
    assert learned["not_kept"]["unresolved"] > 0
    assert not [each for each in learned["entries"] if each["live"] and "crowd" in each["to"]]
    told = {each["to"] for each in learned["entries"]}
    assert {"honest.crowd.test", "xn--gthub-n4a.test"} <= told
    assert "?.crowd.test" not in told
    assert "?.crowd.test" in {each["what"] for each in learned["apart"]}
    assert "connections to further names that were not resolved were not kept" in (
        wall.user.run("learn", "observed").stderr
    )


def test_a_scan_keeps_the_honest_entries_and_says_what_it_pushed_aside(wall: Observed) -> None:
    wall.connect([("10.99.0.11", 8443)])
    wall.scan("10.99.0.12", 0, 6000)
    begun = time.monotonic()
    assert list(wall.connect([("10.99.0.13", 80)]).values()) == ["ConnectionRefusedError"]
    assert time.monotonic() - begun < 5  # a full table would let it hang
    found = json.loads(wall.user.ok("blocked", "observed", "--json"))
    assert ("10.99.0.11", 8443) in {(each["target"], each["port"]) for each in found["blocked"]}
    assert found["not_kept"] + found["lost"] >= 6000 - 4096
    shown = json.loads(world.call("docker", "exec", "observed-inside", "cat",
                                  "/run/jailoc-refused/refused.json"))["refused"]  # fmt: skip
    assert len(shown) == 100
    # Port 53 of the scan has a rule of its own, and so have names of before, written down late.
    rules = {each["rule"] for each in shown if each["port"] != 53 and each["protocol"] != "dns"}
    assert rules == {"private (RFC 1918)"}
    assert "Read-only" in world.call("docker", "exec", "observed-inside", "sh", "-c",
                                     "touch /run/jailoc-refused/x 2>&1 || true")  # fmt: skip
    assert "were not kept" in wall.user.run("blocked", "observed").stderr


def test_the_agent_can_neither_hear_nor_write_what_is_kept(wall: Observed) -> None:
    program = """
import socket
try:
    door = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    door.bind((0, 0))
    import struct
    body = struct.pack("!BBH", 0, 0, 7) + struct.pack("=HH", 5, 1) + b"\\x01\\0\\0\\0"
    door.send(struct.pack("=IHHII", 16 + len(body), 0x401, 5, 0, 0) + body)
    print(struct.unpack_from("=i", door.recv(100), 16)[0])
except OSError as error:
    print(-error.errno)
"""
    answer = world.call("docker", "exec", "observed-inside", "python3", "-c", program).strip()
    assert answer == "-1"  # EPERM
    assert "No such file" in world.call(
        "docker", "exec", "observed-inside", "sh", "-c", "ls /evidence 2>&1 || true"
    )


def test_evidence_of_several_machines_is_joined_and_foreign_files_are_refused(
    wall: Observed,
) -> None:
    one, two = wall.user.home / "one.json", wall.user.home / "two.json"
    wall.user.ok("learn", "observed", "--export", str(one))
    data = json.loads(one.read_text())
    data["named"] = [["other.made.test", 6, 443, "d", {"count": 2, "first": 1, "last": 2}]]
    two.write_text(json.dumps(data))
    found = json.loads(wall.user.ok("learn", "observed", "--json", "--from", str(one),
                                    "--from", str(two)))  # fmt: skip
    assert ("other.made.test", 443) in doors(found)
    before = wall.user.config.read_text()
    for change in ({"version": 2}, {"workspace": "web"}, {"named": [["x"]]}):
        two.write_text(json.dumps({**data, **change}))
        refused = wall.user.run("learn", "observed", "--from", str(two), "--apply", "--yes")
        assert refused.status == 1
        assert len([line for line in refused.stderr.splitlines() if "Error" in line]) == 1
    two.write_text(one.read_text()[:-100])
    assert wall.user.run("learn", "observed", "--from", str(two)).status == 1
    assert wall.user.config.read_text() == before


@pytest.mark.thorough
def test_a_hundred_thousand_places_fill_neither_memory_nor_disk(wall: Observed) -> None:
    for address in ("10.99.0.14", "10.99.0.15"):
        wall.scan(address, 0, 50_000)
    # How many the kernel could not tell of is known from the number of the next that it tells of.
    wall.connect([("10.99.0.13", 81)])
    found = json.loads(wall.user.ok("blocked", "observed", "--json"))
    assert ("10.99.0.11", 8443) in {(each["target"], each["port"]) for each in found["blocked"]}
    assert found["not_kept"] + found["lost"] >= 90_000
    used = world.call("docker", "exec", wall.wall, "sh", "-c",
                      "grep VmRSS /proc/$(cat /run/jailoc/names/pid)/status")  # fmt: skip
    assert int(used.split()[1]) < 64 << 10
    size = world.call("docker", "exec", "--user", "65533:65533", wall.wall,
                      "stat", "-c", "%s", "/evidence/evidence.json")  # fmt: skip
    assert int(size) < 2 << 20
    begun = time.monotonic()
    assert wall.connect([("n1.made.test", world.PORT)]) == {f"n1.made.test {world.PORT}": "hello"}
    assert time.monotonic() - begun < 10


@pytest.mark.thorough
def test_what_verify_tries_itself_is_in_no_list(sandbox: Sandbox) -> None:
    before = json.loads(sandbox.user.ok("blocked", "walled", "--json"))["blocked"]
    sandbox.user.ok("verify", "walled")
    after = json.loads(sandbox.user.ok("blocked", "walled", "--json"))["blocked"]
    assert {(each["target"], each["port"]) for each in after} == {
        (each["target"], each["port"]) for each in before
    }
