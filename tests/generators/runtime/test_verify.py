"""What is tried in a running sandbox, and how what was found is judged."""

import errno
import ipaddress
import json
import runpy
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime import witness
from jailoc.generators.runtime.probes import (
    NOT_SENT,
    UNREADABLE,
    USUAL,
    WORDS,
    Place,
    Probe,
    probes,
    verdict,
    words,
)
from jailoc.generators.runtime.verify import (
    fields,
    joined,
    judged,
    mounted,
    mounts,
    networked,
    processes,
    published,
    routed,
)
from jailoc.model.compose import Network, Port
from jailoc.model.firewall import Firewall, Protocol
from jailoc.model.mount import Mode
from jailoc.model.plan import Action, Change, Drift, FieldChange, Plan
from jailoc.model.plan_address import FieldAddress, FileAddress, ImageAddress, ServiceAddress
from jailoc.model.sandbox import AGENT
from jailoc.model.special_ranges import SPECIAL
from tests.engine.world import ROOT
from tests.strategies import HOST, Value, bundle_of, config_of, toml

RUNNING = Place(
    own=frozenset({"172.20.0.2", "fd00:5::2"}),
    machine=frozenset({"172.20.0.1"}),
    names={"db.test": ("10.5.5.5",)},
)


def firewall(**table: Value) -> Firewall:
    return walls.lower(walls.policy(resolve(config_of(toml({"a": table})), "a", HOST), HOST))


def probe(address: str, port: int | None = 443, protocol: Protocol = Protocol.TCP) -> Probe:
    return Probe(address=ipaddress.ip_address(address), protocol=protocol, port=port, what="x")


def test_every_special_range_that_can_be_sent_to_is_tried_by_every_protocol() -> None:
    tried = probes(firewall(), Place(), (), ipv6=True)
    for network, reason in SPECIAL:
        inside = {each.protocol for each in tried if each.address in network}
        assert inside == (set() if network in NOT_SENT else {Protocol.TCP, Protocol.UDP,
                                                             Protocol.ICMP}), reason  # fmt: skip
    assert {each.address.version for each in probes(firewall(), Place(), (), ipv6=False)} == {4}


def test_of_what_no_packet_leaves_for_nothing_is_expected() -> None:
    rules = firewall(allowed_hosts=["127.0.0.1", "10.1.2.3"], allowed_networks=["127.0.0.0/8"])
    tried = probes(rules, Place(), (), ipv6=True)
    assert not [each for each in tried if each.address.is_loopback]
    assert [each for each in tried if each.address == ipaddress.ip_address("10.1.2.3")]


def test_what_is_denied_is_tried_and_closed_whatever_else_would_open_it() -> None:
    rules = firewall(
        allowed_networks=["10.0.0.0/8"],
        allowed_hosts=["db.test"],
        denied_networks=["10.5.0.0/16", "::/0"],
        host_ports=[22],
    )
    tried = probes(rules, RUNNING, (), ipv6=True)
    assert {each.what for each in tried} >= {f"workspaces.a.denied_networks[{n}]" for n in (0, 1)}
    assert not verdict(rules, RUNNING, probe("10.5.5.5")).open
    assert verdict(rules, RUNNING, probe("10.6.5.5")).open
    shut = firewall(host_ports=[22], denied_networks=["172.20.0.0/16"])
    assert not verdict(shut, RUNNING, probe("172.20.0.1", 22)).open
    assert verdict(firewall(host_ports=[22]), RUNNING, probe("172.20.0.1", 22)).open


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([("127.0.0.1", 8080, 80)], ["127.0.0.1"]),
        ([], ["nowhere"]),
        ([("", 8080, 80)], ["every address"]),
        ([("127.0.0.1", 8080, 80), ("127.0.0.1", 9, 9)], ["127.0.0.1", "127.0.0.1"]),
    ],
)
def test_ports_that_lead_inside_are_those_of_the_model(
    found: list[tuple[str, int, int]], words: list[str]
) -> None:
    checks = list(published([Port(published=8080, target=80)], found))
    assert sorted(each.found for each in checks) == words
    assert all(each.ok for each in checks) == (found == [("127.0.0.1", 8080, 80)])


@pytest.mark.parametrize(
    ("mtu", "subnets", "good"),
    [
        ("1400", ("10.200.0.0/24", "fd00::/64"), [True, True]),
        (None, ("10.200.0.0/24",), [False, True]),
        ("1400", ("172.18.0.0/16",), [True, False]),
        ("1500", (), [False, False]),
    ],
)
def test_the_network_that_the_engine_made_is_the_one_that_was_asked_for(
    mtu: str | None, subnets: tuple[str, ...], good: list[bool]
) -> None:
    wanted = Network(ipv6_subnet=None, ipv4_subnet="10.200.0.0/24", mtu=1400)
    assert [each.ok for each in networked(wanted, mtu, subnets)] == good
    assert not list(networked(Network(ipv6_subnet=None), mtu, subnets))


def test_nothing_is_open_by_default_but_public_addresses_and_the_sandbox_itself() -> None:
    rules = firewall()
    for each in probes(rules, RUNNING, (), ipv6=True):
        is_open = each.what in {"public internet", "the sandbox's own address"}
        assert verdict(rules, RUNNING, each).open == is_open, each


def test_what_no_name_opens_is_closed_whatever_its_zone_says() -> None:
    rules = firewall(egress="allowlist", allowed_hosts=["*.db.test"])
    never = ("0.0.0.1", "169.254.169.254", "::ffff:10.1.1.1", "::ac11:1", "ff02::1")
    place = Place(names={"*.db.test": (*never, "10.5.5.5")})
    assert not [each for each in never if verdict(rules, place, probe(each)).open]
    assert verdict(rules, place, probe("10.5.5.5")).open


def test_nothing_is_sent_to_what_never_leaves_the_sandbox_though_a_zone_answers_so() -> None:
    """A packet to 0.0.0.0 or to a loopback address is answered by the sandbox itself."""
    rules = firewall(egress="allowlist", allowed_hosts=["*.db.test"])
    answers = ("0.0.0.0", "127.0.0.1", "::", "::1", "10.5.5.5")  # noqa: S104 -- a zone's answers
    place = Place(names={rules.names[0].key: answers})
    tried = {str(each.address) for each in probes(rules, place, (), ipv6=True)}
    assert tried & {*answers} == {"10.5.5.5"}


def test_of_a_service_only_what_is_named_is_open_whatever_else_would_open_it() -> None:
    text = """[workspaces.w]
allowed_networks = ["10.0.0.0/8"]
[workspaces.w.services.db]
image = "postgres:17"
ports = [5432]
user = "999:999"
healthcheck = ["pg_isready"]
"""
    rules = bundle_of(text, "w").firewall
    place = Place(names={"db": ("10.5.5.5",)})
    assert verdict(rules, place, probe("10.5.5.5", 5432)).open
    assert not verdict(rules, place, probe("10.5.5.5", 22)).open
    icmp = probe("10.5.5.5", None, Protocol.ICMP)
    assert not verdict(rules, place, icmp).open
    # Control: its neighbour in the range is open.
    assert verdict(rules, place, probe("10.5.5.6", 22)).open
    tried = {(each.port, each.protocol) for each in probes(rules, place, (), ipv6=False)
             if str(each.address) == "10.5.5.5"}  # fmt: skip
    assert {(5432, Protocol.TCP), (USUAL, Protocol.TCP), (None, Protocol.ICMP)} <= tried


@pytest.mark.parametrize(
    ("address", "port", "is_open"),
    [
        ("10.5.5.5", 5432, True),
        ("10.5.5.5", 5433, False),
        ("10.5.5.6", 5432, False),
        ("172.20.0.1", 11434, True),
        ("172.20.0.1", 11435, False),
        ("172.20.0.9", 11434, False),
        ("172.20.0.2", 9, True),
    ],
)
def test_what_is_known_only_at_run_time_counts(address: str, port: int, is_open: bool) -> None:
    table = config_of('[workspaces.a]\nallowed_hosts = ["db.test:5432"]\nhost_ports = [11434]\n')
    rules = walls.lower(walls.policy(resolve(table, "a", HOST), HOST))
    assert verdict(rules, RUNNING, probe(address, port)).open == is_open
    assert not verdict(rules, RUNNING, probe("172.20.0.1", None, Protocol.ICMP)).open


@pytest.mark.parametrize(
    ("word", "counted", "address", "found"),
    [
        ("refused", True, "10.1.2.3", "closed"),
        ("refused", False, "10.1.2.3", "closed"),
        ("refused", False, "172.20.0.1", "open"),
        ("refused", True, "172.20.0.1", "closed"),
        ("prohibited", False, "10.1.2.3", "closed"),
        ("passed", False, "10.1.2.3", "open"),
        ("passed", True, "10.1.2.3", "closed"),
        ("no route", False, "10.1.2.3", "no route"),
        (UNREADABLE, True, "10.1.2.3", UNREADABLE),
        ("not sent", False, "10.1.2.3", "could not be tried"),
        ("not sent", True, "10.1.2.3", "could not be tried"),
    ],
)
def test_a_probe_is_judged_by_its_word_and_by_the_walls_own_count(
    word: str, counted: bool, address: str, found: str
) -> None:
    (check,) = judged(firewall(), RUNNING, [(probe(address), word, counted)])
    assert (check.found, check.expected) == (found, "closed")
    assert check.ok == (found not in {"open", UNREADABLE, "could not be tried"})


@pytest.mark.parametrize("address", ["10.1.2.3", "172.20.0.2"])
def test_what_was_never_sent_is_fine_neither_closed_nor_open(address: str) -> None:
    (check,) = judged(firewall(), RUNNING, [(probe(address), "not sent", False)])
    assert not check.ok


def test_where_nobody_may_ping_icmp_is_not_counted() -> None:
    forbidden = (probe("10.1.2.3", None, Protocol.ICMP), "no ping", False)
    checks = [*judged(firewall(), RUNNING, [forbidden, (probe("10.1.2.3"), "refused", True)])]
    assert [(each.subject[:3], each.ok) for each in checks] == [("tcp", True)]
    assert not routed(["no route", "no ping"]).ok


class Sockets:
    """Stands for `socket.socket`: fails when it is made, or when something is to be sent."""

    def __init__(self, made: int, sent: int) -> None:
        self.made, self.sent = made, sent

    def __call__(self, *_: int) -> "Sockets":
        return self._fail(self.made)

    def _fail(self, number: int) -> "Sockets":
        if number:
            raise OSError(number, "failed")
        return self

    def connect(self, _: object) -> None:
        self._fail(self.sent)

    def sendto(self, *_: object) -> None:
        self._fail(self.sent)

    def setblocking(self, _: bool) -> None: ...

    def setsockopt(self, *_: int) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("address", ["10.1.2.3", "fd00::1"])
@pytest.mark.parametrize(
    ("protocol", "made", "sent", "word"),
    [
        ("tcp", errno.EACCES, 0, "not sent"),
        ("udp", errno.EPERM, 0, "not sent"),
        ("tcp", errno.EAFNOSUPPORT, 0, "not sent"),
        ("icmp", errno.EMFILE, 0, "not sent"),
        ("icmp", errno.EACCES, 0, "no ping"),
        ("tcp", 0, errno.EADDRNOTAVAIL, "not sent"),
        ("udp", 0, errno.EAGAIN, "not sent"),
        ("udp", 0, errno.EPERM, "prohibited"),
        ("icmp", 0, errno.EACCES, "prohibited"),
        ("tcp", 0, errno.ENETUNREACH, "no route"),
        ("udp", 0, 0, "passed"),
    ],
)
def test_an_error_before_the_packet_is_no_refusal(
    monkeypatch: pytest.MonkeyPatch, address: str, protocol: str, made: int, sent: int, word: str
) -> None:
    program = runpy.run_path(str(ROOT / "generators/assets/probe.py"))
    monkeypatch.setattr(socket, "socket", Sockets(made, sent))
    assert program["knock"](protocol, address, 443) == word


def test_no_route_to_anywhere_is_a_difference_and_to_some_place_is_none() -> None:
    assert not routed(["no route"] * 3).ok
    assert routed(["no route", "refused"]).ok


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_words_of_any_other_form_are_no_answer_and_no_error(text: str) -> None:
    assert set(words(text, 3)) <= {UNREADABLE, *WORDS}
    assert words("[" * 100_000, 2) == (UNREADABLE,) * 2
    assert words('["passed", "fine"]', 2) == ("passed", UNREADABLE)


def test_a_container_without_the_walls_network_differs_by_its_cause() -> None:
    check = joined("opencode", "the firewall restarted")
    assert (check.ok, check.found) == (False, "none: the firewall restarted")
    assert joined("opencode", "").ok


def status(number: int = 1, parent: int = 0, **changes: str) -> str:
    lines = {
        "Pid": str(number), "PPid": str(parent),
        "Uid": "1000\t1000\t1000\t1000", "Gid": "1000\t1000\t1000\t1000",
        **dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0000000000000000"),
        "NoNewPrivs": "1", "Seccomp": "2",
    } | changes  # fmt: skip
    return "".join(f"{key}:\t{value}\n" for key, value in lines.items())


def test_processes_of_the_agent_are_powerless() -> None:
    assert all(each.ok for each in processes(status() + status(7, 1) + status(8, 7)))
    assert not any(each.ok for each in processes(""))


@pytest.mark.parametrize(
    ("key", "value"),
    [("Uid", "0\t0\t0\t0"), ("Uid", "1000\t0\t1000\t1000"), ("CapBnd", "00000000000000c0"),
     ("CapEff", "000001ffffffffff"), ("NoNewPrivs", "0"), ("Seccomp", "0"), ("Gid", "0\t0\t0\t0")],
)  # fmt: skip
def test_one_process_with_more_than_that_is_a_difference(key: str, value: str) -> None:
    for parent in (1, 7, 99):  # its own parent may have gone since
        text = status() + status(7, 1) + status(8, parent, **{key: value})
        wrong = [each for each in processes(text) if not each.ok]
        assert [each.subject for each in wrong] == [key]


def test_what_the_engine_is_putting_there_is_not_the_agents() -> None:
    begun = status(40, 0, Seccomp="0", CapEff="00000000a80425fb") + status(41, 40, NoNewPrivs="0")
    assert all(each.ok for each in processes(begun + status() + status(7, 1)))
    assert not all(each.ok for each in processes(status(Seccomp="0") + begun))


@pytest.mark.parametrize(
    "text",
    ["nonsense\n", "Pid:\t7\n", "Pid:\t7\nPPid:\t1\nUid:\tx\n", status(7, 1) + "Seccomp:\t2\n",
     status(7, 1, CapEff="-1"), status(7, 1, Uid="1000")],
)  # fmt: skip
def test_a_status_of_any_other_form_is_a_difference(text: str) -> None:
    assert not all(each.ok for each in processes(status() + text))


@given(st.text())
def test_no_text_stops_the_judgement_of_processes_and_mounts(text: str) -> None:
    service = bundle_of("[workspaces.a]", "a").compose.services[AGENT]
    assert not all(each.ok for each in processes(text))
    assert not all(each.ok for each in mounted(service, text, ()))


@given(st.data())
def test_a_mount_that_is_missing_weaker_or_too_many_is_a_difference(data: st.DataObject) -> None:
    text = toml({"a": {"paths": ["/srv/a"], "mounts": ["/srv/data:/mnt/data:ro"]}})
    service = bundle_of(text, "a").compose.services[AGENT]
    good = {each.subject: Mode(each.expected) for each in mounts(service, {}, {})}
    assert {"/srv/a", "/mnt/data", "/etc/resolv.conf"} <= good.keys()
    engine = {"/": Mode.READ_WRITE, "/proc": Mode.READ_WRITE, "/etc/hosts": Mode.READ_WRITE}
    kinds = {"/": "overlay", "/proc": "proc", "/etc/hosts": "ext4"}
    assert all(each.ok for each in mounts(service, good | engine, kinds))
    place = data.draw(st.sampled_from(sorted(good)))
    other = Mode.READ_ONLY if good[place] is Mode.READ_WRITE else Mode.READ_WRITE
    lacking = {key: mode for key, mode in good.items() if key != place}
    for present in (lacking, good | {place: other}):
        wrong = [each.subject for each in mounts(service, present, {}) if not each.ok]
        assert wrong == [place]
    more = good | {"/mnt/engine.sock": Mode.READ_WRITE}
    assert [each.subject for each in mounts(service, more, {}) if not each.ok] == [
        "/mnt/engine.sock"
    ]


def test_what_podman_mounts_in_every_container_is_no_difference() -> None:
    service = bundle_of("[workspaces.a]", "a").compose.services[AGENT]
    good = {each.subject: Mode(each.expected) for each in mounts(service, {}, {})}
    podman = {"/run/.containerenv": Mode.READ_WRITE, "/run/podman-init": Mode.READ_ONLY}
    kinds = {"/run/.containerenv": "tmpfs", "/run/podman-init": "ext4"}
    assert all(each.ok for each in mounts(service, good | podman, kinds))
    beside = {f"{place}2": mode for place, mode in podman.items()}
    wrong = [each.subject for each in mounts(service, good | beside, kinds) if not each.ok]
    assert wrong == [*beside]


MOUNTINFO = (
    "600 533 0:61 / / rw,relatime master:2 - overlay overlay rw,lowerdir=/x\n"
    "601 600 0:64 / /proc rw,nosuid shared:1 master:3 - proc proc rw\n"
    "602 600 8:1 /a\\040b /mnt/c\\134d\\012e ro,noatime - ext4 /dev/sda1 rw\n"
)


def test_mounts_are_read_as_the_kernel_writes_them() -> None:
    found, bad = witness.mounts(MOUNTINFO)
    assert bad == ()
    assert [(each.place, each.read_only, each.kind) for each in found] == [
        ("/", False, "overlay"), ("/proc", False, "proc"), ("/mnt/c\\d\ne", True, "ext4"),
    ]  # fmt: skip


@pytest.mark.parametrize("mark", ["\u2028", "\xa0", "\u3000", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_a_blank_that_the_kernel_does_not_escape_is_a_part_of_a_path(mark: str) -> None:
    line = f"9 8 8:1 /a{mark}b /mnt/a{mark}\\040b rw - ext4 /dev/d{mark}isk rw,lowerdir=/{mark}x\n"
    found, bad = witness.mounts(MOUNTINFO + line)
    assert bad == ()
    assert found[-1].place == f"/mnt/a{mark} b"
    blanks = MOUNTINFO + line.replace(mark, " ", 1)
    assert witness.mounts(blanks)[1]


def test_a_line_that_is_no_mount_is_a_difference_and_shows_no_control_character() -> None:
    service = bundle_of("[workspaces.a]", "a").compose.services[AGENT]
    checks = [*mounted(service, MOUNTINFO + "\x1b[2J" + "x" * 1000 + "\n", ("/mnt/c\\d\ne",))]
    (wrong,) = (each for each in checks if each.subject == "a line of mountinfo")
    assert not wrong.ok
    assert wrong.found.isprintable()
    assert len(wrong.found) < 100
    assert not any("/mnt/c" in each.subject for each in checks)


def test_the_usual_port_is_no_port_that_anybody_names() -> None:
    assert USUAL > 1024
    assert USUAL != 65535


def planned(changes: tuple[Change, ...], drift: tuple[Drift, ...]) -> Plan:
    """Return a plan of changes and drift."""
    return Plan(
        workspace="api", changes=changes, drift=drift, powers=(), notes=(), agent_restarts=False,
        engine=True, steps=(), bundle=None, world={},
    )  # fmt: skip


def test_what_waits_and_what_was_changed_by_hand_differs_once_and_noise_does_not() -> None:
    change = Change(
        address=ServiceAddress("opencode"), action=Action.RECREATE,
        fields=(FieldChange(name="cpus", before="2", after="1", origin="workspaces.api.cpu"),),
    )  # fmt: skip
    drift = [
        Drift(address=FieldAddress("opencode", "memory"), before=str(4 << 30), after=str(1 << 30)),
        Drift(address=FieldAddress("opencode", "cpus"), before="2", after="3"),
        Drift(address=FieldAddress("opencode", "labels.x"), before=None, after="1", ignored=True),
        Drift(address=FileAddress("wall/rules.v4"), before="0644 a", after="0644 b"),
        Drift(address=ImageAddress("jailoc-agent"), before="sha256:a", after="sha256:b"),
    ]
    found = list(fields(planned((change,), tuple(drift))))
    assert [(each.subject, each.expected, each.found, each.reason) for each in found] == [
        ("service.opencode.cpus", "1", "2", "workspaces.api.cpu"),
        ("service.opencode.memory", "4g", "1g", None),
        ("image.jailoc-agent", "sha256:a", "sha256:b", None),
    ]
    assert not any(each.ok for each in found)
    assert [each.ok for each in fields(planned((), (drift[2],)))] == [True]
