"""How the layers become one workspace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.config.resolve import names, resolve
from jailoc.model.host import Host
from jailoc.model.workspace import Workspace
from tests.strategies import CERTIFICATE, HOST, Table, config_of, toml
from tests.strategies import names as name_texts


def resolved(mine: Table, defaults: Table | None = None, name: str = "a") -> Workspace:
    return resolve(config_of(toml({name: mine}, defaults)), name, HOST)


@pytest.mark.parametrize(
    ("key", "built_in", "one", "other"),
    [
        ("image", None, "one:1", "two:2"),
        ("expose_port", True, False, True),
        ("enable_docker", True, False, True),
        ("cpu", 2.0, 0.5, 8.0),
        ("memory", "4g", "512m", "16g"),
    ],
)
def test_a_single_value_is_the_workspaces_or_the_defaults_or_built_in(
    key: str, built_in: object, one: str | bool | float, other: str | bool | float
) -> None:
    assert getattr(resolved({}), key) == built_in
    assert getattr(resolved({}, {key: one}), key) == one
    assert getattr(resolved({key: one}), key) == one
    assert getattr(resolved({key: one}, {key: other}), key) == one
    assert getattr(resolved({key: other}, {key: one}), key) == other


def test_the_image_knows_where_it_comes_from() -> None:
    assert resolved({}).image_origin == "built-in"
    assert resolved({}, {"image": "x"}).image_origin == "defaults.image"
    assert resolved({"image": "y"}, {"image": "x"}).image_origin == "workspaces.a.image"


def test_env_keeps_the_first_place_and_the_last_value_of_a_key() -> None:
    found = resolved({"env": ["B=3", "C=4", "C=5"]}, {"env": ["A=1", "B=2"]}).env
    assert [(each.key, each.value, each.origin) for each in found] == [
        ("A", "1", "defaults.env[0]"),
        ("B", "3", "workspaces.a.env[0]"),
        ("C", "5", "workspaces.a.env[2]"),
    ]


def test_allow_lists_are_joined_each_item_once_defaults_first() -> None:
    found = resolved(
        {"allowed_hosts": ["x", "y", "x"], "allowed_networks": ["10.0.0.9/8", "fd00::/8"]},
        {"allowed_hosts": ["y", "z"], "allowed_networks": ["10.0.0.0/8"]},
    )
    assert [(each.name, each.origin) for each in found.allowed_names] == [
        ("y", "defaults.allowed_hosts[0]"),
        ("z", "defaults.allowed_hosts[1]"),
        ("x", "workspaces.a.allowed_hosts[0]"),
    ]
    assert [(str(each.network), each.origin) for each in found.allowed_networks] == [
        ("10.0.0.0/8", "defaults.allowed_networks[0]"),
        ("fd00::/8", "workspaces.a.allowed_networks[1]"),
    ]


def test_literal_addresses_among_hosts_are_networks_of_one_and_comments_nothing() -> None:
    found = resolved({"allowed_hosts": ["10.0.0.7", "fd00::7 # printer", "# none", "db"]})
    assert [str(each.network) for each in found.allowed_networks] == ["10.0.0.7/32", "fd00::7/128"]
    assert [each.name for each in found.allowed_names] == ["db"]


def test_paths_are_the_workspaces_own_cleaned_in_order_and_once() -> None:
    found = resolved({"paths": ["~/src", "/data/./x/", "/home/alice/src", "/srv"]}).paths
    assert [(each.path, each.origin) for each in found] == [
        ("/home/alice/src", "workspaces.a.paths[0]"),
        ("/data/x", "workspaces.a.paths[1]"),
        ("/srv", "workspaces.a.paths[2]"),
    ]


def test_mounts_are_laid_over_each_other_built_in_then_defaults_then_workspace() -> None:
    found = resolved(
        {"mounts": ["/w:/x", ":/home/agent/.agents", "/mine:/home/agent/.opencode:rw"]},
        {"mounts": ["/d:/x:ro", "/d2:/y:ro"]},
    ).mounts
    assert [(each.host, each.container, each.mode.value, each.origin) for each in found] == [
        ("/home/alice/.config/opencode", "/home/agent/.config/opencode", "ro", "built-in"),
        ("/mine", "/home/agent/.opencode", "rw", "workspaces.a.mounts[2]"),
        (
            "/home/alice/.claude/transcripts",
            "/home/agent/.claude/transcripts",
            "rw",
            "built-in",
        ),
        ("/w", "/x", "rw", "workspaces.a.mounts[0]"),
        ("/d2", "/y", "ro", "defaults.mounts[1]"),
    ]


@given(st.sets(name_texts, min_size=1, max_size=8).flatmap(lambda s: st.permutations(sorted(s))))
def test_ports_go_by_byte_order_of_the_names_not_by_their_place_in_the_file(
    order: list[str],
) -> None:
    config = config_of(toml({name: {} for name in order}))
    by_bytes = sorted(order, key=str.encode)
    assert list(names(config)) == by_bytes
    assert [resolve(config, name, HOST).port for name in by_bytes] == list(
        range(4096, 4096 + len(order))
    )


def test_a_port_stays_reserved_when_it_is_not_published() -> None:
    config = config_of(toml({"a": {"expose_port": False}, "b": {}}))
    assert resolve(config, "b", HOST).port == 4097


def test_certificates_come_from_the_host_record() -> None:
    pem = CERTIFICATE
    host = Host(home="/home/alice", files={"/home/alice/ca.pem": pem})
    config = config_of(toml({"a": {}}, base={"ca_certificates": ["~/ca.pem"]}), host)
    (found,) = resolve(config, "a", host).certificates
    assert (found.text, found.origin) == (pem, "base.ca_certificates[0]")
