"""What a change is said to do is what the rules and mounts do, in both directions."""

import ipaddress
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.plan.effects import effects
from jailoc.generators.plan.reachability import counted
from jailoc.generators.runtime.explain import PROTOCOLS, mentioned
from jailoc.model.address import AddressSet, Family
from jailoc.model.compose import Bind, Capability, Compose, Literally
from jailoc.model.effect import Effect, Kind, Sides, Sign
from jailoc.model.firewall import Protocol, loopback
from jailoc.model.host import FileKind as PathKind
from jailoc.model.host import Host
from jailoc.model.mount import Mode
from jailoc.model.rule_walk import accepted
from tests.strategies import HOST, any_networks, bundle_of, host_names, paths, toml

HOME = "/home/alice"
EVERY_SIDE = {Sign.MORE: Sign.LESS, Sign.LESS: Sign.MORE, Sign.CHANGED: Sign.CHANGED}

ports = st.sampled_from(("", ":53", ":443"))
entries = st.builds(
    lambda network, port: (
        f"[{network.network_address}]/{network.prefixlen}{port}"
        if network.version == 6 and port
        else f"{network}{port}"
    ),
    any_networks(3),
    ports,
).map(lambda text: f'"{text}"') | st.builds(
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
    closed = draw(st.lists(entries.filter(lambda each: "until" not in each), max_size=3))
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
    kinds |= {f"{path}/.git/hooks": PathKind.DIRECTORY for path in where if draw(st.booleans())}
    host = Host(home=HOME, ipv6=draw(st.booleans()), kinds=kinds)
    return Sides.of(bundle_of(text, "a", host), secrets=draw(st.sampled_from(((), ("env T",)))))


def mirrored(each: Effect) -> Effect:
    return each.model_copy(
        update={"sign": EVERY_SIDE[each.sign], "before": each.after, "after": each.before}
    )


def texts(before: Sides | None, after: Sides | None) -> list[str]:
    return [each.text for each in effects(before, after, HOME)]


def side(text: str, host: Host = HOST) -> Sides:
    return Sides.of(bundle_of(text, "a", host))


@given(st.none() | sides(), st.none() | sides())
def test_the_way_back_undoes_every_effect_and_nothing_else(
    before: Sides | None, after: Sides | None
) -> None:
    there, back = effects(before, after), effects(after, before)
    assert Counter(map(mirrored, there)) == Counter(back)
    assert Counter(each.text for each in map(mirrored, there)) == Counter(e.text for e in back)


@given(sides())
def test_a_state_has_no_effect_on_itself(state: Sides) -> None:
    assert effects(state, state) == ()


@given(sides(), sides())
def test_states_without_effects_between_them_differ_in_comments_alone(
    before: Sides, after: Sides
) -> None:
    if not effects(before, after):
        assert plain(before.compose) == plain(after.compose)


def plain(compose: Compose) -> object:
    """Return the model without the entries that values come from."""

    def strip(value: object) -> object:
        if isinstance(value, dict):
            return {key: strip(each) for key, each in value.items() if key != "origin"}
        return [strip(each) for each in value] if isinstance(value, list) else value

    return strip(compose.model_dump(mode="json"))


def union(found: tuple[Effect, ...], family: Family, sign: Sign, *door: object) -> AddressSet:
    protocol, port = door
    return AddressSet.networks(
        family,
        (
            network
            for each in found
            if each.sign is sign
            for network in each.networks
            if any((one.protocol, one.port) == (protocol, port) for one in each.doors)
        ),
    )


@given(st.none() | sides(), st.none() | sides())
def test_reachable_effects_are_the_difference_of_what_the_rules_accept(
    before: Sides | None, after: Sides | None
) -> None:
    found = effects(before, after)
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
                assert union(found, family, Sign.MORE, protocol, port) == new - old
                assert union(found, family, Sign.LESS, protocol, port) == old - new


EMPTY = "[workspaces.a]\n"


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ('allowed_networks = ["10.1.0.0/16"]',
         "reachable + 10.1.0.0/16 (65,536 addresses), all ports"),
        ('allowed_networks = ["10.1.2.3/32:5432"]', "reachable + 10.1.2.3, port 5432"),
        ('allowed_networks = ["fd00:1:2:3::/64"]',
         "reachable + fd00:1:2:3::/64 (2^64 addresses), all ports"),
        ('allowed_networks = [{ to = "10.0.0.0/8", ports = [22, 443], until = 2030-01-31 }]',
         "reachable + 10.0.0.0/8 (16,777,216 addresses), ports 22, 443, until 2030-01-31"),
        ('allowed_networks = ["10.0.0.0/24", "10.0.1.0/24"]',
         "reachable + 10.0.0.0/23 (512 addresses), all ports"),
        ('allowed_hosts = ["db.example.com:5432"]',
         "reachable + db.example.com, port 5432 (addresses known at run time)"),
        ('allowed_hosts = [{ to = "*.example.com", until = 2030-01-31 }]',
         "reachable + *.example.com, all ports (addresses known at run time), until 2030-01-31"),
        ("host_ports = [8080]",
         "reachable + this machine, port 8080 (addresses known at run time)"),
        ('paths = ["/home/alice/code/api"]', "writable + ~/code/api"),
        ('mounts = ["~/data:/data:ro"]', "readable + ~/data at /data"),
        ('mounts = ["~/.opencode:/home/agent/.opencode:rw"]',
         "writable + ~/.opencode at /home/agent/.opencode (readable either way)"),
        ('env = ["A=1"]', "environment + A"),
        ('memory = "8g"', "limits opencode, memory: 4g -> 8g"),
        ("expose_port = false", "port - 4096"),
    ],
)  # fmt: skip
def test_a_line_of_the_configuration_has_its_effect(line: str, effect: str) -> None:
    found = texts(side(EMPTY), side(EMPTY + line))
    assert effect in found
    assert texts(side(EMPTY + line), side(EMPTY)) != found


def test_the_egress_mode_is_told_with_all_that_it_opens() -> None:
    held = side(EMPTY + 'egress = "allowlist"')
    assert texts(held, side(EMPTY)) == [
        "egress allowlist (only what is named) -> public (the internet, and what is named)",
        "reachable + the public internet (IPv4) (3,702,257,663 addresses), all ports but 53",
        "reachable + the public internet (IPv6) (about 2^125 addresses), all ports but 53",
    ]


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
    found = effects(
        Sides.of(bundle_of(toml({"a": {}}), "a"), ()),
        Sides.of(bundle_of(toml({"a": {"allowed_networks": [network]}}), "a"), ()),
    )
    (line,) = (each.text for each in found if each.kind is Kind.REACHABLE)
    assert network in line
    assert (", none of this machine)" in line) == told


def test_what_is_open_already_is_not_told_again() -> None:
    one = side(EMPTY + 'egress = "allowlist"\nallowed_networks = ["1.0.0.0/8"]')
    assert (
        "reachable + the public internet (IPv4) but 1.0.0.0/8 (3,685,480,447 addresses), "
        "all ports but 53" in texts(one, side(EMPTY))
    )
    port = side(EMPTY + 'allowed_networks = ["10.0.0.0/8:22"]')
    both = side(EMPTY + 'allowed_networks = ["10.0.0.0/8:22", "10.0.0.0/8"]')
    assert texts(port, both) == ["reachable + 10.0.0.0/8 (16,777,216 addresses), all ports but 22"]


def test_another_last_day_is_told_as_such() -> None:
    def until(day: str) -> Sides:
        return side(
            EMPTY + f'allowed_networks = [{{ to = "10.0.0.0/8"{day} }}]\n'
            f'allowed_hosts = [{{ to = "x.example"{day} }}]'
        )

    assert texts(until(", until = 2030-01-01"), until("")) == [
        "reachable 10.0.0.0/8 (16,777,216 addresses), all ports: until 2030-01-01 -> for good",
        "reachable x.example, all ports (addresses known at run time): "
        "until 2030-01-01 -> for good",
    ]


def test_many_networks_are_summed_up_and_all_of_them_are_there_as_data() -> None:
    lines = ", ".join(f'"10.{each}.0.0/24"' for each in range(20))
    (found,) = effects(side(EMPTY), side(EMPTY + f"allowed_networks = [{lines}]"))
    assert found.text == (
        "reachable + 10.0.0.0/24, 10.1.0.0/24, 10.2.0.0/24 and 17 more networks "
        "(5,120 addresses), all ports"
    )
    assert len(found.networks) == 20
    assert ipaddress.ip_network("10.19.0.0/24") in found.networks


def test_what_stays_read_only_in_a_writable_path_is_told_with_it() -> None:
    there = {f"/src/api/{name}": PathKind.DIRECTORY for name in (".git", ".git/hooks", ".idea")}
    host = HOST.model_copy(update={"kinds": there})
    path = EMPTY + 'paths = ["/src/api"]\n'
    assert "writable + /src/api, read-only in it: .git/hooks, .idea" in texts(
        side(EMPTY), side(path, host)
    )
    assert texts(side(path, host), side(path + 'protect = [".idea"]', host)) == [
        "writable + /src/api/.git/hooks (readable either way)"
    ]


def test_many_places_in_one_path_are_summed_up_and_all_of_them_are_there_as_data() -> None:
    host = HOST.model_copy(
        update={"kinds": {f"/src/{name}": PathKind.FILE for name in "abcdefghij"}}
    )
    path = EMPTY + 'paths = ["/src"]\n'
    before = side(path + f"protect = {list('abcdefghij')}", host)
    (found,) = effects(before, side(path + "protect = []", host))
    assert found.text == "writable + in /src: a, b, c, d, e and 5 more (readable either way)"
    assert found.paths == tuple(f"/src/{name}" for name in "abcdefghij")


def test_a_path_that_is_seen_elsewhere_is_told() -> None:
    def at(place: str) -> Sides:
        return side(EMPTY + f'mounts = ["~/data:{place}:ro"]')

    assert texts(at("/one"), at("/two")) == ["mount ~/data: at /one -> at /two"]


def test_a_workspace_that_is_new_is_told_from_nothing() -> None:
    found = texts(None, side(EMPTY))
    assert "service + dind" in found
    assert "port + 4096" in found
    assert any(each.startswith("image + opencode: jailoc-agent:") for each in found)
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
    }  # fmt: skip
    after = state.model_copy(
        update={"compose": state.compose.model_copy(update={"services": worse})}
    )
    assert texts(state, after) == [
        "writable + firewall: /srv",
        "privileges + opencode: NET_ADMIN, may gain privileges, root",
        "privileges opencode, user: 1000:1000 -> 0:0",
    ]


def test_ports_volumes_and_networks_are_told_by_the_names_of_the_configuration() -> None:
    more = 'ports = ["8080:80"]\nvolumes = ["npm:~/.npm", "shared:pip:~/.cache/pip"]\npids = 512\n'
    network = 'network = { mtu = 1400, subnet = "10.200.0.0/24" }\n'
    found = texts(side(EMPTY), side(EMPTY + more + network))
    assert {
        "port + 8080 of 127.0.0.1 to 80 inside",
        "mount + volume npm",
        "mount + volume pip, shared with other workspaces",
        "mount + opencode: volume npm at /home/agent/.npm, rw",
        "limits opencode, processes: 2048 -> 512",
        "other IPv4 network: the engine's choice -> 10.200.0.0/24",
        "other bytes of a packet (mtu): the engine's choice -> 1400",
    } <= {*found}


def test_what_is_denied_is_told_as_what_stops_being_reachable() -> None:
    wide = EMPTY + 'allowed_networks = ["10.0.0.0/8"]\n'
    narrow = wide + 'denied_networks = ["10.9.0.0/16"]\ndenied_hosts = ["evil.test"]\n'
    assert (
        texts(side(wide), side(narrow))
        == [
            "reachable - 10.9.0.0/16 (65,536 addresses), all ports",
            "reachable - name evil.test (denied: it does not resolve)",
            "other firewall, mounted files: changed",
        ][:2]
    )
    assert all(each.opens for each in effects(side(narrow), side(wide)))


def test_values_of_variables_are_not_told() -> None:
    assert texts(side(EMPTY + 'env = ["A=planted-1"]'), side(EMPTY + 'env = ["A=planted-2"]')) == [
        "environment A: changed"
    ]


def test_what_opens_is_marked() -> None:
    before, after = side(EMPTY), side(EMPTY + 'paths = ["/src"]\nmemory = "8g"')
    opening = {each.text for each in effects(before, after) if each.opens}
    assert opening == {"writable + /src"}
    assert not any(each.opens for each in effects(after, before))


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1 address"), (2, "2 addresses"), (1 << 32, "4,294,967,296 addresses"),
     (1 << 64, "2^64 addresses"), ((1 << 64) - 1, "about 2^64 addresses"),
     ((1 << 128) - 1, "about 2^128 addresses")],
)  # fmt: skip
def test_counts_are_readable(number: int, text: str) -> None:
    assert counted(number) == text


def test_kinds_are_told_in_their_order() -> None:
    found = effects(None, side(EMPTY))
    order = list(Kind)
    assert [each.kind for each in found] == sorted((each.kind for each in found), key=order.index)
