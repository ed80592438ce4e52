"""From what was seen to what is proposed: names before addresses, nothing wider than is said."""

import ipaddress
import tomllib
from datetime import date

import pytest

from jailoc.generators.artefacts.compile import bundle
from jailoc.generators.config.host_sets import known
from jailoc.generators.config.learned import Line, extend, patch, without
from jailoc.generators.config.load import load
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime.learning import Proposal, propose, still_refused
from jailoc.generators.runtime.unused import Use, uses
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document
from jailoc.model.evidence import Evidence, Sighting, mark_of_name, mark_of_network
from jailoc.model.host import Host
from jailoc.model.name_pattern import Name

HOST = Host(home="/home/alice", ipv6=True, today=date(2026, 11, 26))
SEEN = Sighting(count=3, first=1795600000, last=1795700000)
SUFFIXES = {"github.io", "org", "com"}


def registrable(name: str) -> str | None:
    labels = name.split(".")
    for start in range(1, len(labels)):
        if ".".join(labels[start:]) in SUFFIXES:
            return ".".join(labels[start - 1 :])
    return None


def proposed(evidence: Evidence, config: str = "[workspaces.a]\n", **options: bool) -> Proposal:
    loaded = load(Document(config, "c"), HOST)
    rules = bundle(resolve(loaded, "a", HOST), HOST).firewall
    return propose(evidence, rules, known(loaded), registrable, **options)


def names(*doors: tuple[str, int]) -> Evidence:
    return Evidence(version=1, named=tuple((name, 6, port, "d", SEEN) for name, port in doors))


def test_names_are_proposed_with_the_ports_that_were_seen() -> None:
    found = proposed(names(("a.example.org", 443), ("a.example.org", 80), ("b.example.com", 22)))
    assert [(each.to, each.ports) for each in found.entries] == [
        ("b.example.com", (22,)), ("a.example.org", (80, 443)),
    ]  # fmt: skip
    assert found.entries[0].why == "learned: 3 connections, 2026-11-25 to 2026-11-26"


def test_three_siblings_are_one_wildcard_and_its_width_is_said() -> None:
    doors = [(f"{each}.pkg.example.org", 443) for each in "abc"]
    (found,) = proposed(names(*doors)).entries
    assert (found.to, found.ports) == ("*.pkg.example.org", (443,))
    assert "every name below pkg.example.org" in found.note
    assert len(proposed(names(*doors), exact=True).entries) == 3
    assert len(proposed(names(*doors[:2])).entries) == 2
    other = names(*doors[:2], ("c.pkg.example.org", 80))
    assert len(proposed(other).entries) == 3


@pytest.mark.parametrize("parent", ["github.io", "org", "internal", "corp.internal", "azure.com"])
def test_no_wildcard_is_above_a_public_suffix_or_where_none_is_known(parent: str) -> None:
    found = proposed(names(*((f"{each}.{parent}", 443) for each in "abcd"))).entries
    assert not [each.to for each in found if each.to.startswith("*")]


def test_a_set_is_proposed_where_most_of_its_hosts_were_seen() -> None:
    three = [("github.com", 443), ("api.github.com", 443), ("codeload.github.com", 443)]
    (found,) = proposed(names(*three)).entries
    assert (found.key, found.to) == ("allow", "@github")
    assert found.note == "opens also github.com:22, never seen"
    assert len(proposed(names(*three[:1])).entries) == 1
    assert proposed(names(*three[:1])).entries[0].to == "github.com"


@pytest.mark.parametrize(
    "name", ['a".example.org', "a\nb.example.org", "a#.org", "x" * 260, "a b.org", "localhost"]
)
def test_what_is_no_host_name_is_told_apart_and_never_proposed(name: str) -> None:
    evidence = Evidence.model_construct(
        **Evidence(version=1).model_copy(update={"named": ((name, 6, 443, "d", SEEN),)}).__dict__
    )
    found = proposed(evidence)
    assert not found.entries
    assert found.apart[0].reason == "no name that a host can have"


@pytest.mark.parametrize(
    "name",
    ["10.0.0.1", "0x7f.1", "1.1.1.1", "host.docker.internal", "gateway.docker.internal",
     "metadata.google.internal", "a.nip.io", "a.sslip.io"],
)  # fmt: skip
def test_a_name_that_leads_where_nobody_should_go_is_opened_by_hand_alone(name: str) -> None:
    more = [(f"{each}.{name}", 443) for each in "bcd"] if name.endswith("ip.io") else []
    found = proposed(names((name, 443), *more), exact=False)
    assert not found.entries
    assert all("by hand alone" in each.reason for each in found.apart)
    assert len(found.apart) == 1 + len(more)
    vain = Evidence(version=1, unresolved=((name, SEEN),))
    assert not proposed(vain).entries
    # What is written down already is known.
    if name == "a.nip.io":
        written = f'[workspaces.a]\nallowed_hosts = ["{name}:443"]\n'
        assert proposed(names((name, 443)), written).known == 1


def test_addresses_without_a_name_are_comments_until_they_are_asked_for() -> None:
    evidence = Evidence(
        version=1, bare=(("44.8.0.1", 6, 22, "d", SEEN), ("2a0f::1", 6, 22, "d", SEEN))
    )
    assert [each.live for each in proposed(evidence).entries] == [False, False]
    found = proposed(evidence, addresses=True).entries
    assert [each.door for each in found] == ["44.8.0.1:22", "[2a0f::1]:22"]
    assert all(each.live for each in found)


def test_special_ranges_and_what_is_refused_are_told_apart_with_a_reason() -> None:
    evidence = Evidence(
        version=1,
        bare=(("169.254.169.254", 6, 80, "d", SEEN),),
        refused=(("169.254.169.254", 6, 80, SEEN), ("10.1.2.3", 6, 5432, SEEN)),
    )
    found = proposed(evidence, addresses=True)
    assert not found.entries
    assert len(found.apart) == 3
    assert all(each.reason for each in found.apart)


def test_what_is_open_already_is_not_proposed_again() -> None:
    config = '[workspaces.a]\nallowed_hosts = ["*.example.org:443"]\n'
    found = proposed(names(("a.example.org", 443), ("a.example.org", 80)), config)
    assert [(each.to, each.ports) for each in found.entries] == [("a.example.org", (80,))]
    assert found.known == 1


def test_names_that_were_asked_for_in_vain_are_comments() -> None:
    evidence = Evidence(version=1, unresolved=(("a.example.org", SEEN),))
    (found,) = proposed(evidence, '[workspaces.a]\negress = "allowlist"\n').entries
    assert (found.to, found.live) == ("a.example.org", False)


ALLOWLIST = '[workspaces.a]\negress = "allowlist"\ndenied_hosts = ["*.denied.test"]\n'


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("?.example.org", "no name that a host can have"),
        ("*.example.org", "no name that a host can have"),
        ("-a.example.org", "no name that a host can have"),
        ("org", "no name that a host can have"),
        ("a..org", "no name that a host can have"),
        ("a.denied.test", "denied by workspaces.a.denied_hosts[0]"),
    ],
)
def test_a_name_that_was_asked_for_in_vain_and_can_be_no_entry_is_told_apart(
    name: str, reason: str
) -> None:
    found = proposed(Evidence(version=1, unresolved=((name, SEEN),)), ALLOWLIST)
    assert not found.entries
    assert [(each.what, each.reason) for each in found.apart] == [(name, reason)]


def test_a_name_that_looks_like_another_is_written_as_it_was_asked_for() -> None:
    """In its ASCII form (RFC 5890), which nobody takes for another one."""
    found = proposed(names(("xn--gthub-n4a.com", 443), ("github.com", 443)))
    assert {each.to for each in found.entries} == {"xn--gthub-n4a.com", "github.com"}


@pytest.mark.parametrize("address", ["10.1.2.3", "172.17.0.1", "127.0.0.1", "169.254.169.254",
                                     "fd00::1", "fe80::1", "100.64.0.1"])  # fmt: skip
def test_a_name_that_led_to_what_is_closed_is_told_and_never_proposed(address: str) -> None:
    """Whether it was refused, as it is, or the default had let it through."""
    seen = SEEN.model_copy(update={"also": ("trap.example.org",)})
    evidence = Evidence(
        version=1, refused=((address, 6, 443, seen),), bare=((address, 6, 443, "d", SEEN),)
    )
    found = proposed(evidence, addresses=True)
    assert not found.entries
    if address != "127.0.0.1":  # which is the sandbox itself
        assert f"{address} tcp 443 (trap.example.org)" in {each.what for each in found.apart}


def test_what_goes_to_a_group_is_left_out_only_where_the_kernel_sends_it() -> None:
    groups = tuple(("ff02::fb", number, 5353 * (number == 17), SEEN) for number in (17, 58, 136))
    told = {each.what for each in proposed(Evidence(version=1, refused=groups)).apart}
    assert told == {"ff02::fb udp 5353", "ff02::fb udplite"}


def test_of_thousands_of_names_every_one_is_an_entry() -> None:
    many = [(f"n{each}.x{each}.example.com", 443) for each in range(4096)]
    found = proposed(names(*many))
    assert {each.to for each in found.entries} == {name for name, _ in many}


def test_what_a_change_would_still_refuse_is_named() -> None:
    evidence = names(("a.example.org", 443), ("b.example.org", 443))
    config = load(Document(
        '[workspaces.a]\negress = "allowlist"\nallowed_hosts = ["a.example.org:443"]\n', "c"
    ), HOST)  # fmt: skip
    rules = bundle(resolve(config, "a", HOST), HOST).firewall
    assert still_refused(evidence, rules) == ("b.example.org tcp 443",)


TEXT = """\
# mine
[workspaces.a]  # keep
cpu = 2
allowed_hosts = [
    "x.example.org", # first
]

[workspaces.b]
"""


def test_the_change_keeps_every_other_line() -> None:
    lines = (
        Line(value={"to": "y.example.org:443", "why": 'learned: "3"'}),
        Line(comment="44.8.0.1:22: no name"),
    )
    after = extend(TEXT, "a", {"allowed_hosts": lines}, {"egress": "allowlist"})
    mine = tomllib.loads(after)["workspaces"]["a"]
    assert mine["egress"] == "allowlist"
    assert mine["allowed_hosts"][1] == {"to": "y.example.org:443", "why": 'learned: "3"'}
    assert "# 44.8.0.1:22: no name" in after
    assert [line for line in TEXT.splitlines() if line not in after.splitlines()] == []
    difference = patch(TEXT, after, "config.toml")
    assert difference.startswith("--- a/config.toml\n+++ b/config.toml\n@@ ")
    assert not [line for line in difference.splitlines()[2:] if line.startswith("-")]


def test_a_list_that_is_not_there_is_made_and_one_in_a_line_is_kept_valid() -> None:
    lines = (Line(value="@github", comment="most of it"), Line(comment="no"))
    for text in ("[workspaces.a]\n", "[workspaces.a]\nallow = ['@x']", "[workspaces.'a']"):
        after = extend(text, "a", {"allow": lines}, {})
        assert tomllib.loads(after)["workspaces"]["a"]["allow"][-1] == "@github"
    with pytest.raises(Refused):
        extend("workspaces = {a = {}}\n", "a", {"allow": lines}, {})


def test_elements_are_removed_and_nothing_else() -> None:
    text = TEXT.replace('"x.example.org", # first', '"x.example.org", # first\n    "y.example.org"')
    after = without(text, (("workspaces", "a", "allowed_hosts", 0),))
    assert tomllib.loads(after)["workspaces"]["a"]["allowed_hosts"] == ["y.example.org"]
    assert after.startswith("# mine\n[workspaces.a]  # keep\ncpu = 2\n")
    every = tuple(("workspaces", "a", "allowed_hosts", each) for each in (0, 1))
    assert tomllib.loads(without(text, every))["workspaces"]["a"]["allowed_hosts"] == []


UNUSED = """\
[sets.corp]
hosts = ["in.example.org:443"]
[defaults]
allowed_hosts = ["all.example.org"]
[workspaces.a]
allow = ["@corp"]
allowed_hosts = ["used.example.org:443", "idle.example.org", "deep.idle.example.org",
  { to = "over.example.org", until = 2020-01-01 }]
allowed_networks = ["10.1.0.0/16", "10.1.2.0/24"]
host_ports = [8080]
"""


def judged(evidence: Evidence, days: float = 7, config: str = UNUSED) -> dict[str, Use]:
    loaded = load(Document(config, "c"), HOST)
    return {each.text: each for each in uses(loaded, "a", HOST, evidence, {}, 1_000_000, days)}


def marks() -> dict[str, str]:
    found = {
        name: mark_of_name(Name(name=name, port=port, origin="").mark)
        for name, port in (
            ("in.example.org", 443), ("all.example.org", None), ("used.example.org", 443),
            ("idle.example.org", None), ("deep.idle.example.org", None), ("over.example.org", None),
        )
    }  # fmt: skip
    for text in ("10.1.0.0/16", "10.1.2.0/24"):
        found[text] = mark_of_network(ipaddress.ip_network(text), None)
    return {**found, "8080": "h8080"}


def test_unused_is_what_was_watched_long_enough_and_never_seen() -> None:
    known = marks()
    evidence = Evidence(
        version=1,
        watched=dict.fromkeys(known.values(), 1_000_000 - 8 * 86_400),
        used=((known["used.example.org"], SEEN), (known["10.1.0.0/16"], SEEN),
              (known["in.example.org"], SEEN), (known["8080"], SEEN)),
    )  # fmt: skip
    found = judged(evidence)
    assert {text for text, each in found.items() if each.goes} == {
        "idle.example.org", "deep.idle.example.org", "over.example.org", "10.1.2.0/24",
    }  # fmt: skip
    shared = evidence.model_copy(
        update={"used": (), "reached": (("idle.example.org", 6, 22, SEEN),
                                        ("used.example.org", 6, 80, SEEN))}
    )  # fmt: skip
    assert judged(shared)["idle.example.org"].count == 3
    assert judged(shared)["used.example.org port 443"].idle  # another port than its own
    assert found["10.1.2.0/24"].swallowed == "workspaces.a.allowed_networks[0]"
    assert found["deep.idle.example.org"].swallowed is None
    assert found["over.example.org"].ended
    assert found["all.example.org"].idle
    assert found["all.example.org"].shared
    assert not [each for each in judged(evidence, 9).values() if each.idle]
    lost = evidence.model_copy(update={"lost": 1})
    assert not [each for each in judged(lost).values() if each.idle]
    assert judged(Evidence(version=1))["idle.example.org"].watched is None
