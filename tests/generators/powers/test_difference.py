"""What a change is said to do is what the rules and mounts do, in both directions."""

import ipaddress
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import portable
from jailoc.generators.config.load import load
from jailoc.generators.powers.difference import QUIET, TOLD, changes, powers
from jailoc.generators.powers.ranges import counted
from jailoc.generators.runtime.explain import PROTOCOLS, mentioned
from jailoc.model.address import AddressSet, Family, loopback
from jailoc.model.compose import Bind, Capability, Compose, Literally, Service, Sidecar
from jailoc.model.document import Document
from jailoc.model.firewall import Protocol
from jailoc.model.host import FileKind as PathKind
from jailoc.model.host import Host
from jailoc.model.mount import Mode
from jailoc.model.power import Direction, PowerChange, Rank, Sides
from jailoc.model.power_rules import RULES
from jailoc.model.rule_walk import accepted
from tests.strategies import CERTIFICATE, HOST, any_networks, host_names, paths, toml

HOME = "/home/alice"

ports = st.sampled_from(("", ":53", ":443"))
plain_entries = st.builds(
    lambda network, port: (
        f"[{network.network_address}]/{network.prefixlen}{port}"
        if network.version == 6 and port
        else f"{network}{port}"
    ),
    any_networks(3),
    ports,
).map(lambda text: f'"{text}"')
entries = plain_entries | st.builds(
    lambda network, day: f'{{ to = "{network}", until = {day} }}',
    any_networks(3),
    st.sampled_from(("2030-01-01", "2031-01-01")),
)
name_entries = st.builds(lambda name, port: f'"{name}{port}"', host_names, ports)


@st.composite
def sides(draw: st.DrawFn) -> Sides:
    lines = ["[workspaces.a]"]
    lines.append(f"allowed_networks = [{', '.join(draw(st.lists(entries, max_size=4)))}]")
    lines.append(f"allowed_hosts = [{', '.join(draw(st.lists(name_entries, max_size=2)))}]")
    lines.append(f"egress = '{draw(st.sampled_from(('public', 'allowlist')))}'")
    lines.append(f"host_ports = {draw(st.lists(st.sampled_from((80, 8080)), unique=True))}")
    closed = draw(st.lists(plain_entries, max_size=3))
    lines.append(f"denied_networks = [{', '.join(closed)}]")
    names = draw(st.lists(st.builds(lambda each: f'"{each}"', host_names), max_size=2))
    lines.append(f"denied_hosts = [{', '.join(names)}]")
    published = draw(st.lists(st.sampled_from(('"3000"', '"8080:80"', "5173")), unique=True))
    lines.append(f"ports = [{', '.join(published)}]")
    lines.append(f"enable_docker = {str(draw(st.booleans())).lower()}")
    lines.append(f"memory = '{draw(st.sampled_from(('4g', '8g')))}'")
    where = draw(st.lists(paths, max_size=2, unique=True))
    text = "\n".join(lines) + "\n" + toml({"a": {"paths": where}}).partition("\n")[2]
    kinds = {f"{path}/.git": PathKind.DIRECTORY for path in where}
    # What lies at a path is one machine's, whichever side looks at it.
    kinds |= {f"{path}/.git/hooks": PathKind.DIRECTORY for path in where if len(path) % 2}
    host = Host(home=HOME, ipv6=draw(st.booleans()), kinds=kinds)
    for key in draw(st.lists(st.sampled_from(sorted(MORE)), max_size=3, unique=True)):
        text += MORE[key]
    return side(text, host)


MORE = {
    "secret": "[workspaces.a.secrets.env]\nT = { from_env = 'T' }\n",
    "expect": "[workspaces.a.expect]\nblock = ['203.0.113.0/25']\n",
    "defaults": "[defaults]\nimage = 'debian:13'\nssh_auth_sock = true\n",
    "base": "[base]\nca_certificates = ['~/ca.pem']\n",
}


def side(text: str, host: Host = HOST) -> Sides:
    document = Document(text, "c")
    machine = host.model_copy(
        update={"files": {f"{HOME}/ca.pem": CERTIFICATE}, "agent_socket": "/run/agent.sock"}
    )
    return portable.sides(load(document, machine), "a", machine)


def texts(before: Sides | None, after: Sides | None) -> list[str]:
    return [each.text for each in changes(before, after, HOME)]


def shape(each: PowerChange, way: Direction) -> tuple[object, ...]:
    """Return which change it is, however it is worded."""
    about = (each.networks, each.doors, each.paths)
    subject = each.subject if not any(about) else ""
    return (each.rule, way, subject, *map(repr, about))


@given(st.none() | sides(), st.none() | sides())
def test_the_way_back_undoes_every_effect_and_nothing_else(
    before: Sides | None, after: Sides | None
) -> None:
    there, back = changes(before, after), changes(after, before)
    assert Counter(shape(each, each.way.back) for each in there) == Counter(
        shape(each, each.way) for each in back
    )


@given(sides())
def test_equal_states_have_no_difference(state: Sides) -> None:
    assert changes(state, state) == ()


@given(sides(), sides())
def test_states_without_changes_between_them_differ_in_comments_alone(
    before: Sides, after: Sides
) -> None:
    if not changes(before, after):
        assert plain(before.compose) == plain(after.compose)


def plain(compose: Compose) -> object:
    """Return the model without the entries that values come from."""

    def strip(value: object) -> object:
        if isinstance(value, dict):
            return {key: strip(each) for key, each in value.items() if key != "origin"}
        return [strip(each) for each in value] if isinstance(value, list) else value

    return strip(compose.model_dump(mode="json"))


def union(
    found: tuple[PowerChange, ...], family: Family, way: Direction, *door: object
) -> AddressSet:
    protocol, port = door
    return AddressSet.networks(
        family,
        (
            network
            for each in found
            if each.way is way and "closed" in {each.before or "closed", each.after or "closed"}
            for network in each.networks
            if any((one.protocol, one.port) == (protocol, port) for one in each.doors)
        ),
    )


@given(st.none() | sides(), st.none() | sides())
def test_what_is_reached_is_the_difference_of_what_the_rules_accept(
    before: Sides | None, after: Sides | None
) -> None:
    found = changes(before, after)
    for family in Family:
        named = {
            port
            for each in (before, after)
            if each
            for port in mentioned(each.firewall.of(family).outgoing)
        }
        for protocol in PROTOCOLS:
            for port in [None] if protocol is Protocol.ICMP else [None, *named]:
                old, new = (
                    accepted(each.firewall.of(family), protocol, port) - loopback(family)
                    if each
                    else AddressSet(family)
                    for each in (before, after)
                )
                assert union(found, family, Direction.WIDENS, protocol, port) == new - old
                assert union(found, family, Direction.NARROWS, protocol, port) == old - new


EMPTY = "[workspaces.a]\n"


@given(st.none() | sides(), st.none() | sides())
def test_no_power_comes_without_being_told(before: Sides | None, after: Sides | None) -> None:
    """Of rules that neither hold one another nor are put together, by rule and subject."""
    found = changes(before, after)
    told = {(each.rule, each.subject) for each in found if each.widens}
    simple = {"hold.secret", "hold.ssh-agent", "trust.certificate", "be.docker", "be.privileged",
              "be.capability", "hold.env-file", "be-reached.port"}  # fmt: skip
    old = {each.key for each in powers(before) if each.rule in simple}
    new = {each.key for each in powers(after) if each.rule in simple}
    assert new - old == {each for each in told if each[0] in simple}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('allowed_networks = ["10.1.0.0/16"]',
         "may reach 10.1.0.0/16 (65,536 addresses), every port: in the range 10.0.0.0/8, private "
         "(RFC 1918)"),
        ('allowed_networks = ["10.1.2.3/32:5432"]',
         "may reach 10.1.2.3, port 5432: in the range 10.0.0.0/8, private (RFC 1918)"),
        ('allowed_networks = [{ to = "10.0.0.0/8", ports = [22, 443], until = 2030-01-31 }]',
         "may reach 10.0.0.0/8 (16,777,216 addresses), ports 22, 443, until 2030-01-31: all of the "
         "private network 10.0.0.0/8"),
        ('allowed_hosts = ["db.example.com:5432"]',
         "may reach db.example.com, port 5432 (PostgreSQL): whoever controls its DNS zone "
         "can point it into private networks"),
        ('allowed_hosts = [{ to = "*.example.com", until = 2030-01-31 }]',
         "may reach *.example.com, every port, until 2030-01-31: every name below it; whoever "
         "controls its DNS zone can point it into private networks"),
        ("host_ports = [8080]", "may reach port 8080 of this machine"),
        ('paths = ["/home/alice/code/api"]', "may change ~/code/api"),
        ('mounts = ["~/notes/x:/data:ro"]', "may read ~/notes/x at /data"),
        ('mounts = ["~/.opencode:/home/agent/.opencode:rw"]',
         "may change ~/.opencode at /home/agent/.opencode (it may read it either way): the user's "
         "programs execute or obey it"),
        ('env = ["A=1"]', "A"),
        ('memory = "8g"', "memory of opencode 8g (it was 4g)"),
        ("expose_port = false", "its server is no longer reached at 127.0.0.1:4096"),
        ("ssh_auth_sock = true",
         "holds the user's SSH agent: each key in it logs in as the user"),
        ("dind_privileged = true",
         "is privileged (dind): whoever becomes root in it is root on this machine"),
    ],
)  # fmt: skip
def test_a_line_of_the_configuration_has_its_words(line: str, told: str) -> None:
    found = texts(side(EMPTY), side(EMPTY + line))
    assert told in found
    assert texts(side(EMPTY + line), side(EMPTY)) != found


@pytest.mark.parametrize(
    ("name", "least"),
    [
        *((each, Rank.MEDIUM) for each in (
            "*.nip.io:443", "10-0-0-1.sslip.io", "localtest.me", "metadata.google.internal",
            "*.azure.com", "*.corp", "*.io", "*.docker.internal", "gateway.docker.internal:80",
        )),
        # All of it was open, but for where its zone may lead.
        ("db.example.com:5432", Rank.LOW), ("*.example.com", Rank.MEDIUM),
    ],
)  # fmt: skip
def test_what_closes_the_internet_hides_no_name(name: str, least: Rank) -> None:
    names = f'allowed_hosts = ["{name}"]'
    closed, public = (side(f"{EMPTY}egress = '{each}'\n{names}") for each in
                      ("allowlist", "public"))  # fmt: skip
    told = [each for each in changes(side(EMPTY), closed, HOME) if each.widens]
    assert [each.rank.order <= least.order for each in told] == [True]
    # The same as where the internet stays open.
    assert told == [each for each in changes(side(EMPTY), public, HOME) if each.widens]


def test_the_egress_mode_is_told_as_the_loss_of_a_guard() -> None:
    (found,) = changes(side(EMPTY + 'egress = "allowlist"'), side(EMPTY), HOME)
    assert (found.rule, found.way, found.rank) == ("guard.egress", Direction.WIDENS, Rank.HIGH)
    assert found.text == (
        "what is not named is open: may reach the public internet (IPv4 and IPv6; 3,702,257,663 "
        "addresses of IPv4)"
    )


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ("172.16.0.0/12", True),
        ("192.168.0.0/16", True),
        ("fd00::/8", True),
        ("192.168.7.0/24", False),
        ("10.1.0.0/16", False),
    ],
)
def test_a_range_that_may_hold_the_machine_says_that_the_machine_is_not_in_it(
    network: str, told: bool
) -> None:
    """Engines take the networks of their containers, and so addresses of the machine, there."""
    found = changes(side(EMPTY), side(toml({"a": {"allowed_networks": [network]}})))
    (line,) = (each.text for each in found if each.rule == "reach.network")
    assert network in line
    assert (", none of this machine)" in line) == told


def test_what_is_open_already_is_not_told_again() -> None:
    port = side(EMPTY + 'allowed_networks = ["10.0.0.0/8:22"]')
    both = side(EMPTY + 'allowed_networks = ["10.0.0.0/8:22", "10.0.0.0/8"]')
    assert texts(port, both) == [
        "may reach 10.0.0.0/8 (16,777,216 addresses), every port but 22 (before only port 22): all "
        "of the private network 10.0.0.0/8"
    ]


def opens(before: str, after: str) -> list[tuple[str, str]]:
    """Return the ranks and words of what widens, after making sure that the way back narrows so."""

    def networks(text: str) -> Sides:
        return side(f"{EMPTY}egress = 'allowlist'\nallowed_networks = [{text}]")

    def told(way: Direction, found: tuple[PowerChange, ...]) -> list[tuple[str, str]]:
        return [(each.rank.value, each.text) for each in found if each.way is way]

    there, back = (changes(networks(one), networks(other), HOME) for one, other in
                   ((before, after), (after, before)))  # fmt: skip
    widens, narrows = told(Direction.WIDENS, there), told(Direction.NARROWS, back)
    assert sorted(rank for rank, _ in widens) == sorted(rank for rank, _ in narrows)
    return widens


PRIVATE = ": in the range 10.0.0.0/8, private (RFC 1918)"


def test_what_one_address_had_is_not_told_of_the_range_around_it() -> None:
    assert opens("'10.1.2.3/32:5432'", "'10.1.0.0/16'") == [
        ("high", f"may reach 10.1.0.0/16 but 10.1.2.3 (65,535 addresses), every port{PRIVATE}"),
        ("medium", "may reach 10.1.2.3 of 10.1.0.0/16, every port but 5432 (before only port "
         f"5432){PRIVATE}"),
    ]  # fmt: skip
    assert opens("'10.1.0.0/17:80'", "'10.1.0.0/16'") == [
        ("high", "may reach 10.1.0.0/17 of 10.1.0.0/16 (32,768 addresses), every port but 80 "
         f"(before only port 80){PRIVATE}; together with the rest, 65,536 addresses"),
        ("medium", "may reach 10.1.128.0/17 of 10.1.0.0/16 (32,768 addresses), every "
         f"port{PRIVATE}"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "rank"),
    [
        ("", "'10.1.0.0/16'", "high"),
        ("'10.1.2.3/32:5432'", "'10.1.0.0/16'", "high"),
        ("'10.1.2.3/32:5432'", "'10.1.0.0/16:5432'", "high"),
        ("'10.1.2.3/32:5432', '10.1.2.4/32:80'", "'10.1.0.0/16'", "high"),
        ("", "'10.1.0.0/17', '10.1.128.0/17'", "high"),
        ("", "'10.1.0.0/17:80', '10.1.128.0/17:443'", "high"),
        ("", "'10.1.0.0/17'", "medium"),
        ("'10.1.0.0/16'", "'10.1.0.0/16', '10.9.0.0/24'", "medium"),
        ("'10.1.0.0/16:80'", "'10.1.0.0/16:80', '10.9.0.0/24:443'", "medium"),
        ("", "'10.0.0.0/8'", "critical"),
        ("'10.1.2.3/32:5432'", "'10.0.0.0/8'", "critical"),
        ("", "'10.0.0.0/9', '10.128.0.0/9'", "critical"),
        ("", "'10.0.0.0/9:80', '10.128.0.0/9:443'", "critical"),
        ("'10.0.0.0/9'", "'10.0.0.0/9', '10.128.0.0/9'", "critical"),
        ("'10.0.0.0/9:443'", "'10.0.0.0/9:443', '10.128.0.0/9'", "critical"),
        ("'10.0.0.0/9:443'", "'10.0.0.0/9:443', '10.128.0.0/9:80'", "high"),
        ("'10.0.0.0/8:443'", "'10.0.0.0/8:443', '10.1.2.3/32:80', '192.168.0.9/32:443'", "medium"),
        ("", "'10.0.0.0/8:53', '10.1.2.3/32:80'", "high"),
        ("'[fd00::5]/128:80'", "'fd00::/8'", "critical"),
        ("", "'172.17.0.0/17', '172.17.128.0/17'", "high"),
        ("", "'192.168.0.0/16'", "critical"),
    ],
)
def test_pieces_are_as_grave_as_the_whole(before: str, after: str, rank: str) -> None:
    assert opens(before, after)[0][0] == rank


@pytest.mark.parametrize(
    ("allowed", "denied", "rank", "words"),
    [
        ("192.168.0.0/16", "192.168.255.255/32", "critical", "most of the private network 192.168"),
        ("10.0.0.0/8", "10.0.0.0/10", "critical", "most of the private network 10.0.0.0/8"),
        ("172.16.0.0/12", "172.16.0.0/13", "high", "addresses"),  # a half, as if it were named
        ("10.1.0.0/16", "10.1.2.3/32", "high", "65,535 addresses"),
        ("10.1.0.0/16", "10.1.0.0/17", "medium", "32,768 addresses"),
        ("fd00::/8", "fd00::/64", "critical", "most of the private networks of IPv6"),
    ],
)
def test_what_is_denied_of_a_range_makes_the_rest_no_less(
    allowed: str, denied: str, rank: str, words: str
) -> None:
    more = f"allowed_networks = ['{allowed}']\ndenied_networks = ['{denied}']\n"
    found = [each for each in changes(side(EMPTY), side(EMPTY + more), HOME)
             if each.rule == "reach.network"]  # fmt: skip
    assert found[0].rank.value == rank
    assert words in found[0].text


def test_another_last_day_is_told_as_such() -> None:
    def until(day: str) -> Sides:
        return side(
            EMPTY + f'allowed_networks = [{{ to = "10.7.0.0/24"{day} }}]\n'
            f'allowed_hosts = [{{ to = "x.example"{day} }}]'
        )

    longer = texts(until(", until = 2030-01-01"), until(""))
    assert longer[0].startswith(
        "may reach 10.7.0.0/24 (256 addresses), every port, for good (was until 2030-01-01)"
    )
    assert longer[1].startswith("may reach x.example, every port (was every port until 2030-01-01)")
    assert not [each for each in changes(until(""), until(", until = 2030-01-01")) if each.widens]


@pytest.mark.parametrize(
    ("egress", "end"), [("public", ", where its addresses are not public"), ("allowlist", "")]
)
def test_what_is_open_all_the_same_is_not_called_closed(egress: str, end: str) -> None:
    plain = EMPTY + f'egress = "{egress}"\n'
    named = side(plain + 'allowed_hosts = ["x.example"]')
    assert texts(named, side(plain)) == [f"may no longer reach x.example, every port{end}"]


def test_each_of_many_networks_is_told_and_the_grave_one_first() -> None:
    lines = ", ".join(f'"10.{each}.0.0/24"' for each in range(20))
    found = changes(
        side(EMPTY), side(EMPTY + f"allowed_networks = [{lines}, '169.254.169.254/32']")
    )
    assert "metadata" in found[0].text
    assert found[0].rank is Rank.CRITICAL
    assert len(found) == 21
    assert ipaddress.ip_network("10.19.0.0/24") in {each for one in found for each in one.networks}


def test_what_stays_read_only_in_a_writable_path_is_told_with_it() -> None:
    there = {f"/src/api/{name}": PathKind.DIRECTORY for name in (".git", ".git/hooks", ".idea")}
    host = HOST.model_copy(update={"kinds": HOST.kinds | there})
    path = EMPTY + 'paths = ["/src/api"]\n'
    assert "may change /src/api: read-only in it: .git/hooks, .idea" in texts(
        side(EMPTY), side(path, host)
    )
    (found,) = [
        each
        for each in changes(side(path, host), side(path + 'protect = ["**/.idea"]', host))
        if each.widens
    ]
    assert (found.rule, found.rank) == ("guard.protect", Rank.CRITICAL)
    assert ".git/hooks" in found.text


def test_many_places_in_one_path_are_summed_up_and_all_of_them_are_there_as_data() -> None:
    made = {f"/src/{name}": PathKind.FILE for name in "abcdefghij"}
    host = HOST.model_copy(update={"kinds": HOST.kinds | made})
    path = EMPTY + 'paths = ["/src"]\n'
    before = side(path + f"protect = {list('abcdefghij')}", host)
    (found,) = changes(before, side(path + "protect = []", host))
    assert found.text == (
        "guard gone: the agent may change a, b, c and 7 more in its projects (protect)"
    )


def test_the_same_right_at_another_place_is_no_power() -> None:
    def at(place: str) -> Sides:
        return side(EMPTY + f'mounts = ["~/data:{place}:ro"]')

    (found,) = changes(at("/one"), at("/two"), HOME)
    assert found.text == "~/data is at /two, it was at /one"
    assert found.way is Direction.SAME


def test_a_workspace_that_is_new_is_told_from_nothing() -> None:
    found = texts(None, side(EMPTY))
    assert "has a Docker of its own, rootless, behind the same wall" in found
    assert texts(side(EMPTY), None) != []
    assert texts(None, None) == []


def test_privileges_and_mounts_that_nobody_should_have_are_told_for_every_service() -> None:
    """No configuration says so; a file that was edited by hand does."""
    state = side(EMPTY)
    wall = state.compose.services["firewall"]
    agent = state.compose.services["opencode"]
    worse = {
        **state.compose.services,
        "firewall": wall.model_copy(
            update={
                "mounts": (
                    *wall.mounts,
                    Bind(source=Literally(text="/srv"), target=Literally(text="/srv"),
                         mode=Mode.READ_WRITE),
                ),
            }
        ),
        "opencode": agent.model_copy(
            update={"cap_add": (Capability.NET_ADMIN,), "security": (), "user": "0:0"}
        ),
        "other": agent,
    }  # fmt: skip
    after = state.model_copy(
        update={"compose": state.compose.model_copy(update={"services": worse})}
    )
    found = [each.text for each in changes(state, after) if each.widens]
    assert "runs a service that jailoc does not know: other" in found
    assert {
        "may change firewall: /srv: a whole top directory of the machine",
        "opencode has the capability NET_ADMIN",
        "lost confinement: opencode may gain privileges",
        "runs as root: opencode",
    } <= set(found)


def test_ports_volumes_and_networks_are_told_by_the_names_of_the_configuration() -> None:
    more = 'ports = ["8080:80"]\nvolumes = ["npm:~/.npm", "shared:pip:~/.cache/pip"]\npids = 512\n'
    network = 'network = { mtu = 1400, subnet = "10.200.0.0/24" }\n'
    found = {each.rule: each.text for each in changes(side(EMPTY), side(EMPTY + more + network))}
    assert "127.0.0.1:8080, which leads to 80 inside" in found["be-reached.port"]
    assert "the volume pip" in found["write.shared"]
    assert "processes" in found["note.limits"]
    assert "note.other" in found


def test_what_is_denied_is_told_as_what_stops_being_reachable() -> None:
    wide = EMPTY + 'allowed_networks = ["10.0.0.0/8"]\n'
    narrow = wide + 'denied_networks = ["10.9.0.0/16"]\ndenied_hosts = ["evil.test"]\n'
    assert {
        "may no longer reach 10.9.0.0/16 (65,536 addresses), every port",
        "the name evil.test no longer resolves",
    } <= {*texts(side(wide), side(narrow))}
    assert {each.rule for each in changes(side(narrow), side(wide)) if each.widens} == {
        "reach.network", "guard.denied",
    }  # fmt: skip


def test_values_of_variables_are_not_told() -> None:
    (found,) = changes(
        side(EMPTY + 'env = ["API_TOKEN=planted-1"]'), side(EMPTY + 'env = ["API_TOKEN=planted-2"]')
    )[:1]
    assert "API_TOKEN" in found.text
    assert "planted" not in repr(found)


def test_a_guard_that_is_another_in_words_alone_is_the_same() -> None:
    block = "[workspaces.a.expect]\nblock = "
    whole, parts = (
        side(EMPTY + block + each) for each in ("['10.0.0.0/8']", "['10.128.0.0/9', '10.0.0.0/9']")
    )
    assert changes(whole, parts) == ()
    smaller = side(EMPTY + block + "['10.0.0.0/9']")
    assert [each.way for each in changes(whole, smaller)] == [Direction.WIDENS]
    assert [each.way for each in changes(smaller, whole)] == [Direction.NARROWS]


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1 address"), (2, "2 addresses"), (1 << 32, "4,294,967,296 addresses"),
     (1 << 64, "2^64 addresses"), ((1 << 64) - 1, "about 2^64 addresses"),
     ((1 << 128) - 1, "about 2^128 addresses")],
)  # fmt: skip
def test_counts_are_readable(number: int, text: str) -> None:
    assert counted(number) == text


@given(st.none() | sides(), st.none() | sides())
def test_every_change_follows_the_table_of_the_rules(
    before: Sides | None, after: Sides | None
) -> None:
    found = changes(before, after)
    for each in found:
        assert each.rank in RULES[each.rule].ranks
        assert (each.rank is Rank.NOTE) == (each.way is Direction.SAME)
    gravest = [each.rank.order for each in found if each.widens]
    assert gravest == sorted(gravest)


def test_every_field_of_a_service_is_told_or_known_to_be_no_power() -> None:
    """A new one is told by default: it has to be named here, with a power or as none."""
    assert set(Service.model_fields) | set(Sidecar.model_fields) == TOLD | QUIET
    assert not TOLD & QUIET


MACHINE = ("10.99.3.2/32", "127.0.0.1/32", "2a02:2168:5::/64", "::1/128")


@pytest.mark.parametrize(
    ("before", "entry", "unknown", "known"),
    [
        ("10.99.3.0/24", "10.99.3.2/32", "high", "critical"),
        ("10.99.3.0/24", "10.99.3.2/32:7777", "high", "high"),
        ("10.99.3.0/24", "10.99.3.3/32", "high", None),
        ("", "10.99.3.2/32", None, "critical"),
        ("", "10.99.3.3/32", None, None),
        # The internet is open.
        ("", "93.184.216.34/32:443", "high", None),
        ("", "2a02:2168:5::/64", "high", "critical"),
        ("", "2a02:2168:5::7/128", "high", "high"),
        ("", "2a02:2168:6::/64", "high", None),
        ("", "2a02:2168:6::/48", None, None),
        # Engines' networks come and go.
        ("172.16.0.0/12", "172.20.0.9/32", "high", "high"),
    ],
)
def test_what_opens_the_machine_by_itself_is_news_in_what_was_open(
    before: str, entry: str, unknown: str | None, known: str | None
) -> None:
    was, now = (side(toml({"a": {"allowed_networks": [each for each in some if each]}}))
                for some in ([before], [before, entry]))  # fmt: skip
    for own, rank in (((), unknown), (MACHINE, known)):
        for sides_, way in (((was, now), Direction.WIDENS), ((now, was), Direction.NARROWS)):
            found = [each for each in changes(*sides_, HOME, own) if each.rule == "reach.machine"]
            assert [each.rank.value for each in found] == [rank] * (rank is not None)
            assert all(each.way is way for each in found)


def test_many_addresses_by_themselves_are_one_line() -> None:
    names = ", ".join(f"'1.1.1.{each}/32:443'" for each in range(20))
    found = changes(side(EMPTY), side(f"{EMPTY}allowed_networks = [{names}]"), HOME)
    (one,) = (each for each in found if each.rule == "reach.machine")
    assert "1.1.1.0, 1.1.1.1, 1.1.1.2 and 17 more, port 443" in one.text


def of_context(digest: str | None, text: str = "") -> Sides:
    lines = f"{EMPTY}dockerfile = '~/docker/Dockerfile'\n{text}"
    home = f"{HOME}/docker"
    host = HOST.model_copy(update={
        "files": {f"{home}/Dockerfile": "FROM ${BASE}\n"},
        "kinds": {**HOST.kinds, home: PathKind.DIRECTORY, f"{home}/sub": PathKind.DIRECTORY},
        "contexts": {} if digest is None else {home: digest, f"{home}/sub": digest},
    })  # fmt: skip
    return portable.sides(load(Document(lines, "c"), host), "a", host)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("c" * 64, "c" * 64, None),
        ("c" * 64, "d" * 64, "has changed"),
        # One that is too large may be any: that it became so is news, and that it is so, is none.
        ("c" * 64, None, "may have changed"),
        (None, "c" * 64, "may have changed"),
        (None, None, None),
    ],
)
def test_another_content_of_a_build_context_is_high(
    before: str | None, after: str | None, said: str | None
) -> None:
    found = changes(of_context(before), of_context(after), HOME)
    gained = [each for each in found if each.way is Direction.WIDENS]
    assert [(each.rank, each.text) for each in gained] == [
        (Rank.HIGH, "runs an image that is built of other files: what lies in ~/docker "
                    f"(build context) {said}")
    ] * (said is not None)  # fmt: skip
    lost = [each.text for each in found if each.way is Direction.NARROWS]
    assert lost == ["its image is no longer built of what lay in ~/docker (build context)"] * (
        said is not None
    )


def test_a_content_that_was_not_written_down_is_no_other_one() -> None:
    """Notes of a start before it was known have none, and nor has what is for every machine."""
    now = of_context("c" * 64)
    old = now.model_copy(update={"stated": tuple(
        each.model_copy(update={"value": ""}) if each.rule == "run.context" else each
        for each in now.stated
    )})  # fmt: skip
    assert changes(old, now, HOME) == changes(now, old, HOME) == ()
    # A directory in one that could be copied already is no more than that.
    sub = of_context("d" * 64, "build_context = '~/docker/sub'\n")
    assert not [each for each in changes(old, sub, HOME) if each.way is Direction.WIDENS]
    document = Document(f"{EMPTY}dockerfile = '~/docker/Dockerfile'\n", "c")
    machine = portable.host(document)
    everybody = portable.sides(load(document, machine), "a", machine)
    assert [each.value for each in everybody.stated if each.rule == "run.context"] == [""]
