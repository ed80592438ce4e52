"""An organisation's policy refuses and asks, and nothing in a configuration switches it off."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import portable
from jailoc.generators.config.load import load
from jailoc.generators.powers.policy import read, verdict
from jailoc.model.diagnostic import Refused, Severity
from jailoc.model.document import Document

TODAY = date(2026, 11, 26)
PLAIN = '[workspaces.api]\npaths = ["~/code/api"]\n'


def said(
    policy: str, text: str, links: dict[str, str] | None = None, networks: tuple[str, ...] = ()
) -> list[tuple[str, str, int]]:
    """Return what a policy says of a configuration; links and networks are those of the machine."""
    document = Document(text, "config.toml")
    host = portable.host(document).model_copy(update={"links": links or {}, "networks": networks})
    config = load(document, host)
    sides = {name: portable.sides(config, name, host) for name in config.workspaces}
    found = verdict([read(policy, "policy.toml")], document, config, host, sides, TODAY)
    return [
        (each.severity.value, each.message, each.position.line if each.position else 0)
        for each in found
    ]


def test_a_word_of_a_name_is_not_looked_for_below_a_wildcard() -> None:
    rule = '[[forbid]]\npower = "reach.name"\nabout = ["*.ngrok*"]\n'
    assert said(rule, f'{PLAIN}allowed_hosts = ["*.example.org"]\n') == []
    # Controls: by its text it is found, and by a whole name below the wildcard.
    assert said(rule, f'{PLAIN}allowed_hosts = ["*.ngrok.io"]\n')
    assert said(rule.replace("*.ngrok*", "a.example.org*"),
                f'{PLAIN}allowed_hosts = ["*.example.org"]\n')  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "line", "essence"),
    [
        ('[[forbid]]\npower = "be.privileged"\n', "dind_privileged = true", "privileged"),
        ('[[forbid]]\npower = "hold.*"\nabout = ["SSH*"]\n', "ssh_auth_sock = true", "SSH agent"),
        ('[[forbid]]\npower = "reach.network"\nto = ["10.9.0.0/16"]\n',
         'allowed_networks = ["10.0.0.0/8:443"]', "may reach 10.9.0.0/16"),
        ('[[forbid]]\npower = "reach.name"\nabout = ["*.ngrok*"]\n',
         'allowed_hosts = ["a.ngrok.io:443"]', "a.ngrok.io port 443"),
        ('[[forbid]]\npower = "write.path"\nabout = ["~/.config*"]\n',
         'mounts = ["~/.config/nvim:/x"]', "~/.config/nvim"),
        ('[[require]]\npower = "run.image"\nonly = ["registry.example.com/*"]\n',
         "image = 'debian'", "docker.io/library/debian:latest"),
        ('[[require]]\npower = "reach.*"\nuntil_within_days = 90\n',
         "allowed_hosts = [{ to = 'a.example', until = 2027-06-01 }]",
         "does not end by 2027-02-24"),
        ('[[require]]\npower = "reach.*"\nreason = true\n',
         "allowed_hosts = [{ to = 'a.example', until = 2026-12-01 }]", "has no `why`"),
        ('[[require]]\npower = "reach.*"\nreason = true\n', "host_ports = [22]",
         "port 22 of this machine has neither a `why` nor an end"),
        ('[[forbid]]\npower = "reach.*"\n', 'allowed_networks = ["10.1.0.0/16:443"]',
         "10.1.0.0/16 port 443"),
        ('[[forbid]]\npower = "reach.network"\n', 'allowed_networks = ["10.0.0.0/8"]',
         "10.0.0.0/8 every port"),
        ('[[forbid]]\npower = "reach.network"\nabout = ["10.* port 22"]\n',
         'allowed_networks = ["10.0.0.0/8"]', "10.0.0.0/8 every port"),
        ('[[forbid]]\npower = "reach.name"\nabout = ["evil.ngrok.io*"]\n',
         'allowed_hosts = ["*.ngrok.io"]', "*.ngrok.io every port"),
        ('[[forbid]]\npower = "reach.name"\nabout = ["A.example port 443"]\n',
         'allowed_hosts = ["a.example"]', "a.example every port"),
        ('[[forbid]]\npower = "reach.machine"\nabout = ["port 5432"]\n',
         'allowed_hosts = ["host.docker.internal"]', "reach.machine: every port"),
        ('[[forbid]]\npower = "reach.machine"\n',
         'allowed_hosts = ["gateway.docker.internal:22"]', "reach.machine: port 22"),
        ('[[forbid]]\npower = "reach.machine"\n',
         'allowed_hosts = ["*.docker.internal"]', "reach.machine: every port"),
        ('[[forbid]]\npower = "run.service"\nabout = ["docker.io/*"]\n',
         'services.db = { image = "postgres:17", ports = [5432], user = "999:999", '
         'tmpfs = ["/var/lib/postgresql/data"], healthcheck = ["true"] }', "service"),
    ],
)  # fmt: skip
def test_a_rule_refuses_at_the_line_of_both_files(policy: str, line: str, essence: str) -> None:
    found = said(policy, PLAIN + line)
    assert [each[0] for each in found] == ["error"]
    assert essence in found[0][1]
    assert "by policy.toml:1" in found[0][1]
    assert found[0][2] == 3
    if "forbid" in policy:
        assert said(policy, PLAIN) == []


@pytest.mark.parametrize(
    ("open_one", "way"),
    [
        ("10.9.1.1/32", "10.9.0.0/16"), ("10.0.0.0/8", "10.9.0.0/16"),
        ("64:ff9b::a09:100/120", "64:ff9b::a09:0/112, through NAT64"),
        ("64:ff9b::/96", "64:ff9b::a09:0/112, through NAT64"),
        ("2002:a09:101::/48", "2002:a09::/32, through 6to4"),
        ("2002::/16", "2002:a09::/32, through 6to4"),
        ("64:ff9b:1:5::/64", "64:ff9b:1::/48, through local NAT64"),
        ("2001:0:102:304::/64", "2001::/32, through Teredo"),
    ],
)  # fmt: skip
def test_a_network_is_judged_by_every_address_that_leads_there(open_one: str, way: str) -> None:
    policy = '[[forbid]]\npower = "reach.network"\nto = ["10.9.0.0/16"]\n'
    address, _, length = open_one.partition("/")
    entry = f"[{address}]/{length}" if ":" in address else open_one
    found = said(policy, PLAIN + f'allowed_networks = ["{entry}:443"]')
    assert len(found) == 1
    assert way in found[0][1]
    assert found[0][2] == 3


@pytest.mark.parametrize(
    "other", ["64:ff9b::a0a:100/120", "2002:a0a:101::/48", "10.10.0.0/16", "fd09::/16"]
)
def test_other_networks_are_none_of_it(other: str) -> None:
    policy = '[[forbid]]\npower = "reach.network"\nto = ["10.9.0.0/16"]\n'
    assert said(policy, PLAIN + f'allowed_networks = ["{other}"]') == []


def test_what_reaches_only_itself_reaches_nothing() -> None:
    policy = '[[forbid]]\npower = "reach.network"\nto = ["0.0.0.0/0", "::/0"]\n'
    assert said(policy, PLAIN + "egress = 'none'") == []
    assert len(said(policy, PLAIN + "egress = 'allowlist'\nallowed_hosts = ['1.2.3.4']")) == 1


WORKS = '[workspaces.api]\npaths = ["{}"]\n'
MOUNTS = PLAIN + 'mounts = ["{}"]\n'


@pytest.mark.parametrize("named", ["~/src/wd", "~/src/wd/", "~/src/x/../wd", "~/SRC/Wd", "~/s*/wd"])
@pytest.mark.parametrize(
    "text",
    [WORKS.format("~/src/wd"), WORKS.format("~/src/wd/sub"), WORKS.format("~/src"),
     WORKS.format("~/Src/wD/sub"), MOUNTS.format("~/src/wd:/m:rw"),
     MOUNTS.format("~/src:/m:rw"), MOUNTS.format("~/src/wd/a/b:/m:rw")],
)  # fmt: skip
def test_a_place_is_what_lies_in_it_and_what_holds_it(named: str, text: str) -> None:
    policy = f'[[forbid]]\npower = "write.path"\nabout = ["{named}"]\n'
    assert [each[0] for each in said(policy, text)] == ["error"]
    for other in (WORKS.format("~/src/wd2"), WORKS.format("~/other"), MOUNTS.format("~/src:/m:ro")):
        assert said(policy, other) == []


@pytest.mark.parametrize(
    ("named", "text", "links"),
    [
        ("~/src/wd", WORKS.format("~/zlink"), {"~/zlink": "~/src/wd"}),
        ("~/src/wd", WORKS.format("~/zlink"), {"~/zlink": "~/src/wd/sub"}),
        ("~/src/wd", MOUNTS.format("~/zlink:/m:rw"), {"~/zlink": "~/src"}),
        ("~/zlink", WORKS.format("~/src/wd/sub"), {"~/zlink": "~/src/wd"}),
        ("~/zlink/*", WORKS.format("~/src/wd/sub"), {"~/zlink": "~/src/wd"}),
        ("~/zlink", WORKS.format("~/src"), {"~/zlink": "~/src/wd"}),
    ],
)
def test_a_place_is_where_links_lead(named: str, text: str, links: dict[str, str]) -> None:
    policy = f'[[forbid]]\npower = "write.path"\nabout = ["{named}"]\n'
    real = {portable.HOME + one[1:]: portable.HOME + other[1:] for one, other in links.items()}
    assert [each[0] for each in said(policy, text, real)] == ["error"]
    assert said(policy, text) == []


@pytest.mark.parametrize(
    ("named", "path", "refused"),
    [
        ("~/src/*/secrets", "~/src", True), ("~/src/*/secrets", "~/src/a", True),
        ("~/src/*/secrets", "~/src/a/secrets/x", True), ("~/src/*/secrets", "~/src/a/b", False),
        ("~/src/**/secrets", "~/src/a/b", True), ("~/src/*-prod", "~/src/api", False),
        ("~/src/*-prod", "~/src/api-prod/x", True), ("*/secrets", "~/src", False),
        ("*/secrets", "~/src/secrets/x", True), ("**/secrets", "~/src", True),
    ],
)  # fmt: skip
def test_a_wildcard_of_a_place_stands_for_one_name_of_what_is_held(
    named: str, path: str, refused: bool
) -> None:
    policy = f'[[forbid]]\npower = "write.path"\nabout = ["{named}"]\n'
    assert bool(said(policy, WORKS.format(path))) is refused


def test_what_is_read_only_in_a_writable_directory_is_not_written() -> None:
    policy = '[[forbid]]\npower = "{}.path"\nabout = ["~/code/api/infra"]\n'
    assert len(said(policy.format("write"), PLAIN)) == 1
    covered = PLAIN + 'protect = ["infra"]\n'
    assert said(policy.format("write"), covered) == []
    assert len(said(policy.format("read"), covered)) == 1
    # Of another case nobody knows whether it is the covered one.
    other = '[[forbid]]\npower = "write.path"\nabout = ["~/code/api/Infra"]\n'
    assert len(said(other, covered)) == 1


def test_what_writes_a_place_reads_it_as_well() -> None:
    policy = '[[forbid]]\npower = "read.path"\nabout = ["~/src/wd"]\n'
    for mode in ("ro", "rw"):
        assert len(said(policy, MOUNTS.format(f"~/src/wd:/m:{mode}"))) == 1
    only = '[[require]]\npower = "{}.path"\nonly = ["~/code", "~/.*"]\n'
    assert said(only.format("read"), PLAIN) == []
    assert len(said(only.format("read"), MOUNTS.format("~/src:/m:rw"))) == 1
    assert len(said(only.format("write"), MOUNTS.format("~/src:/m:rw"))) == 1


def test_only_what_lies_in_a_place_is_one_of_it() -> None:
    policy = '[[require]]\npower = "write.path"\nonly = ["~/src/wd", "~/.claude"]\n'
    assert said(policy, WORKS.format("~/src/wd/sub")) == []
    for path in ("~/src", "~/src/wd2", "~/src/WD"):
        assert len(said(policy, WORKS.format(path))) == 1
    link = {f"{portable.HOME}/src/wd/link": f"{portable.HOME}/other"}
    assert len(said(policy, WORKS.format("~/src/wd/link"), link)) == 1


@pytest.mark.parametrize(
    ("power", "line"),
    [
        ("hold.env-file", "env_file = ['~/keys/x.env']"),
        ("hold.secret", "[workspaces.api.secrets.env]\nTOKEN = { from_file = '~/keys/token' }"),
        ("trust.path", ""),
    ],
)
def test_every_power_about_a_path_is_about_its_place(power: str, line: str) -> None:
    text = PLAIN + line
    if not line:
        text = 'trust = ["~/keys/x"]\n' + PLAIN
    for named in ("~/keys", "~/KEYS", "~/keys/*"):
        policy = f'[[forbid]]\npower = "{power}"\nabout = ["{named}"]\n'
        assert len(said(policy, text)) == 1, named
        assert said(policy, PLAIN) == []


def test_what_is_required_has_to_be_there() -> None:
    block = '[[require]]\npower = "guard.block"\nabout = ["169.254.169.254/32"]\n'
    assert len(said(block, PLAIN)) == 1
    expect = "[workspaces.api.expect]\nblock = ['169.254.169.254']\n"
    assert said(block, PLAIN + expect) == []
    egress = '[[require]]\npower = "guard.egress"\nworkspaces = ["web-*"]\n'
    assert said(egress, PLAIN) == []
    web = PLAIN.replace("api]", "web-1]")
    assert len(said(egress, web)) == 1
    assert said(egress, web + "egress = 'none'") == []


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ('guard.block"\nabout = ["169.254.169.254/32"]', "expect.block = ['169.254.0.0/16']"),
        ('guard.block"\nabout = ["169.254.169.254"]', "expect.block = ['169.254.169.254']"),
        ('guard.block"\nabout = ["10.0.0.0/8"]', "expect.block = ['10.0.0.0/9', '10.128.0.0/9']"),
        ('guard.block"\nabout = ["10.1.0.0/16 port 22"]', "expect.block = ['10.0.0.0/8']"),
        ('guard.denied"\nabout = ["203.0.113.0/28"]', "denied_networks = ['203.0.113.0/24']"),
        ('guard.denied"\nabout = ["a.example.com"]', "denied_hosts = ['*.example.com']"),
        ('guard.*"\nabout = ["a.example.com"]', "denied_hosts = ['*.example.com']"),
        ('guard.protect"\nabout = ["a/odd.rc"]', "protect = ['**/odd.rc']"),
        ('guard.protect"\nabout = ["**/.git/odd"]', "git_write = false\nprotect = []"),
        ('guard.egress"\nabout = ["allowlist"]', "egress = 'none'"),
    ],
)  # fmt: skip
def test_a_wider_guard_is_what_is_required(wanted: str, line: str) -> None:
    policy = f'[[require]]\npower = "{wanted}\n'
    assert said(policy, PLAIN + line) == []
    assert len(said(policy, PLAIN)) == 1


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ('guard.block"\nabout = ["169.254.0.0/16"]', "expect.block = ['169.254.169.254']"),
        ('guard.block"\nabout = ["10.0.0.0/8"]', "expect.block = ['10.0.0.0/9']"),
        ('guard.block"\nabout = ["10.0.0.0/8"]', "denied_networks = ['10.0.0.0/8']"),
        ('guard.block"\nabout = ["a.example.com"]', "denied_hosts = ['a.example.com']"),
        ('guard.denied"\nabout = ["*.example.com"]', "denied_hosts = ['a.example.com']"),
        ('guard.protect"\nabout = ["**/odd.rc"]', "protect = ['a/odd.rc']"),
        ('guard.protect"\nabout = ["**/.git/hooks"]', "protect = ['**/hooks']"),
        ('guard.protect"\nabout = ["**/.git"]', "protect = ['**/.git/hooks']"),
        ('guard.denied"\nabout = ["example.com"]', "denied_hosts = ['*.example.com']"),
        ('guard.egress"\nabout = ["none"]', "egress = 'allowlist'"),
    ],
)  # fmt: skip
def test_a_narrower_guard_is_not_what_is_required(wanted: str, line: str) -> None:
    assert len(said(f'[[require]]\npower = "{wanted}\n', PLAIN + line)) == 1


MACHINE = ("172.17.0.1/32", "11.2.3.4/32", "2a02:2168:5::/64", "fd00:5::/64", "127.0.0.1/32")


@pytest.mark.parametrize(
    ("line", "essence"),
    [
        ("allowed_hosts = ['172.17.0.1:22']", "port 22 by 172.17.0.1/32"),
        ("allowed_networks = ['11.2.3.4/32']", "every port by 11.2.3.4/32"),
        ("allowed_networks = ['2a02:2168:5::9/128']", "every port by 2a02:2168:5::9/128"),
        ("allowed_networks = ['fd00:5::9/128']", "every port by fd00:5::9/128"),
        ("allowed_networks = ['2a02:2168:5::/64']", "every port by 2a02:2168:5::/64"),
    ],
)
def test_a_port_of_the_machine_is_one_by_whatever_it_is_named(line: str, essence: str) -> None:
    forbid = '[[forbid]]\npower = "reach.machine"\n'
    (found,) = said(forbid, PLAIN + line, networks=MACHINE)
    assert found[1].endswith(essence)
    assert found[2] == 3
    assert said(f'{forbid}about = ["port 22"]\n', PLAIN + line, networks=MACHINE)
    # Control: of another machine.
    assert said(forbid, PLAIN + line) == []


@pytest.mark.parametrize(
    "line",
    ["allowed_networks = ['172.16.0.0/12']", "allowed_hosts = ['172.17.0.2:22']",
     "allowed_networks = ['2a02:2168::/32']", "allowed_networks = ['fd00:5::/64']"],
)  # fmt: skip
def test_a_range_that_holds_the_machine_does_not_open_it(line: str) -> None:
    assert said('[[forbid]]\npower = "reach.machine"\n', PLAIN + line, networks=MACHINE) == []


def test_what_is_asked_is_no_refusal() -> None:
    found = said(
        '[[ask]]\npower = "hold.ssh-agent"\nwhy = "keys"\n', PLAIN + "ssh_auth_sock = true"
    )
    assert [each[0] for each in found] == [Severity.WARNING.value]
    assert "(keys)" in found[0][1]


@pytest.mark.parametrize(
    "text",
    ['[[forbid]]\npower = "be.nice"\n', "[[allow]]\n", '[[forbid]]\nabout = ["*"]\n',
     '[[forbid]]\npower = "reach.network"\nto = ["10.0.0.1/8"]\n', "forbid = 1\n"],
)  # fmt: skip
def test_a_policy_that_is_wrong_stops_everything(text: str) -> None:
    """There is no word that allows, and none that is passed over."""
    with pytest.raises(Refused) as caught:
        read(text, "policy.toml")
    assert caught.value.diagnostics[0].file == "policy.toml"


LINES = (
    "ssh_auth_sock = true", "dind_privileged = true", 'env_file = ["~/x.env"]',
    'allowed_networks = ["10.0.0.0/8"]', 'allowed_hosts = ["a.example"]', "host_ports = [80]",
    'mounts = ["~/x:/x"]',
)  # fmt: skip
EVERYTHING = "".join(
    f'[[forbid]]\npower = "{kind}.*"\n' for kind in ("hold", "be", "reach", "write", "trust")
) + '[[forbid]]\npower = "reach.network"\nto = ["10.9.0.0/16"]\n'  # fmt: skip


@given(st.sets(st.sampled_from(LINES)), st.sets(st.sampled_from(LINES)))
def test_more_power_never_means_fewer_refusals(less: set[str], more: set[str]) -> None:
    def refusals(lines: set[str]) -> set[str]:
        return {each[1] for each in said(EVERYTHING, PLAIN + "\n".join(sorted(lines)))}

    assert refusals(less) <= refusals(less | more)


@given(st.sets(st.sampled_from(LINES)))
def test_another_rule_never_means_fewer_refusals(lines: set[str]) -> None:
    text = PLAIN + "\n".join(sorted(lines))
    first = '[[forbid]]\npower = "hold.*"\n'
    one, both = ({each[1] for each in said(policy, text)} for policy in (first, first + EVERYTHING))
    assert one <= both


@pytest.mark.parametrize(
    ("text", "message", "allowed", "hint"),
    [
        ('[[allow]]\npower = "x"\n', "unknown key `allow`", "ask, forbid, require", None),
        ('[[forbids]]\n', "unknown key `forbids`", "ask, forbid", "did you mean `forbid`?"),
        ('[[forbid]]\npower = "be.privileged"\nabut = ["x"]\n', "unknown key `abut`", "about",
         "did you mean `about`?"),
        ('[[forbid]]\npower = "hold.sshagent"\n', "`hold.sshagent` is no power", "powers.md",
         "did you mean `hold.ssh-agent`?"),
        ("[[forbid]]\n", "`power` is missing", None, None),
        ('[[require]]\npower = "reach.*"\nreason = "x"\n', "expected true or false", None, None),
    ],
)  # fmt: skip
def test_a_policy_that_is_wrong_is_told_in_our_own_words(
    text: str, message: str, allowed: str | None, hint: str | None
) -> None:
    with pytest.raises(Refused) as caught:
        read(text, "policy.toml")
    (found,) = caught.value.diagnostics
    assert message in found.message
    assert (allowed or "") in (found.allowed or "")
    assert found.hint == hint
