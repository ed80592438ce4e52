"""Compiling is a function: same input, same bytes, whatever the process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import iptables
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import names
from jailoc.model.config_values import LONGEST_NAME
from jailoc.model.host import FileKind, Host
from jailoc.model.sandbox import MOST_NAME
from tests.strategies import CERTIFICATE, HOST, bundle_of, config_of, configs, hostile, toml

ROOT = Path(__file__).parents[3]

PROGRAM = """\
import sys
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.load import load
from jailoc.model.document import Document
from jailoc.model.host import Host
host = Host(home="/home/alice", ipv6=True)
config = load(Document(sys.stdin.read(), "config.toml"), host)
for name in config.workspaces:
    print(compile_workspace(config, name, host).digest)
"""

TEXT = toml(
    {
        "b": {
            "env": [f"K{index}=v" for index in range(20)],
            "allowed_hosts": ["z.example", "a.example", "10.0.0.1"],
            "allowed_networks": ["10.1.0.0/16", "fd00::/64"],
            "mounts": ["/a:/x", "/b:/y:ro", ":/home/agent/.agents"],
            "paths": ["/data/z", "/data/a"],
        },
        "a": {"enable_docker": False, "image": "example.com/agent:1"},
    },
    {"env": ["D=1", "K3=default"], "mounts": ["/c:/z"]},
)


@given(configs)
def test_compiling_twice_gives_equal_bundles(text: str) -> None:
    for name in names(config_of(text)):
        one = compile_workspace(config_of(text), name, HOST)
        other = compile_workspace(config_of(text), name, HOST)
        assert one == other
        assert one.digest == other.digest


def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=TEXT,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / ".pkg")},
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 2


@given(configs)
def test_files_are_sorted_unique_relative_and_never_executable(text: str) -> None:
    config = config_of(text)
    for name in names(config):
        files = compile_workspace(config, name, HOST).files
        places = [each.path for each in files]
        assert places == sorted(set(places))
        assert not [each for each in places if each.startswith("/") or ".." in each.split("/")]
        assert {each.mode for each in files} <= {0o600, 0o644}
        assert next(each.mode for each in files if each.path == "docker-compose.yml") == 0o600


@given(configs, st.sampled_from(["a", "b"]))
def test_another_workspace_changes_nothing_but_the_port(text: str, other: str) -> None:
    """A workspace behind all others in byte order moves no port, so no byte either."""
    config = config_of(text)
    more = config_of(f"{text}[workspaces.zzzzzzzzzz-{other}]\n")
    for name in names(config):
        assert compile_workspace(config, name, HOST) == compile_workspace(more, name, HOST)


@given(hostile)
def test_only_the_compose_file_holds_environment_values(value: str) -> None:
    mark = f"MARK{value}MARK"
    bundle = bundle_of(toml({"a": {"env": [f"K={mark}"]}}), "a")
    assert [each.path for each in bundle.files if "MARK" in each.text] == ["docker-compose.yml"]


@pytest.mark.parametrize("docker", [True, False])
def test_without_docker_nothing_of_it_is_left(docker: bool) -> None:
    bundle = bundle_of(toml({"a": {"enable_docker": docker}}), "a")
    assert ("dind" in bundle.compose.services) is docker
    assert any("dind" in each.path for each in bundle.files) is docker
    assert any("dind" in name for name in bundle.compose.volumes) is docker
    assert ("dind" in {each.name for each in bundle.builds}) is docker
    assert ("DOCKER_HOST" in bundle.compose.services["opencode"].environment) is docker


def test_a_given_image_is_used_as_it_is_and_none_is_built_for_the_agent() -> None:
    bundle = bundle_of(toml({"a": {"image": "example.com/agent:1"}}), "a")
    assert bundle.compose.services["opencode"].image.text == "example.com/agent:1"
    assert "agent" not in {each.name for each in bundle.builds}


def test_certificates_are_in_every_image_that_is_built_and_change_its_tag() -> None:
    pem = CERTIFICATE.rstrip("\n")
    host = Host(home="/home/alice", files={"/ca.pem": pem})
    plain = bundle_of(toml({"a": {}}), "a", host)
    trusted = bundle_of(toml({"a": {}}, base={"ca_certificates": ["/ca.pem"]}), "a", host)
    for before, after in zip(plain.builds, trusted.builds, strict=True):
        assert before.tag != after.tag
        held = [each.text for each in after.context if each.path.endswith(".crt")]
        assert held == [pem + "\n"]


def test_generated_files_belong_in_the_cache_directory_of_the_host() -> None:
    assert bundle_of("[workspaces.a]", "a").directory == "/home/alice/.cache/jailoc/a"
    host = Host(home="/home/alice", cache_home="/srv/cache")
    assert bundle_of("[workspaces.a]", "a", host).directory == "/srv/cache/jailoc/a"


def test_without_ipv6_on_the_host_the_network_has_none_but_the_rules_stay() -> None:
    bundle = bundle_of("[workspaces.a]", "a", Host(home="/home/alice"))
    assert bundle.compose.network.ipv6_subnet is None
    assert bundle.firewall.ipv6.rules


GITIGNORES = [
    "/home/alice/.config/opencode/.gitignore",
    "/home/alice/.opencode/.gitignore",
]


@pytest.mark.parametrize(
    ("mounts", "seeds"),
    [
        ([], GITIGNORES),
        (["~/.opencode:/home/agent/.opencode:rw"], GITIGNORES[:1]),
        ([":/home/agent/.opencode", ":/home/agent/.config/opencode"], []),
        (["/x:/home/agent/.config/opencode:ro"], ["/x/.gitignore", GITIGNORES[1]]),
        ([":/home/agent/.config/opencode", "/x:/home/agent/.config:ro"],
         ["/x/opencode/.gitignore", GITIGNORES[1]]),
        (["/x:/home/agent/.config:ro", "/y:/home/agent/.config/opencode"], GITIGNORES[1:]),
    ],
    ids=["built-in", "writable", "removed", "exact", "parent", "writable below a parent"],
)  # fmt: skip
def test_read_only_configuration_directories_get_the_file_that_opencode_insists_on(
    mounts: list[str], seeds: list[str]
) -> None:
    found = bundle_of(toml({"a": {"mounts": mounts}}), "a").seeds
    assert [each.path for each in found] == seeds
    assert {each.text.split("\n")[0] for each in found} <= {"node_modules"}


def test_a_protected_configuration_directory_gets_it_too() -> None:
    host = Host(home="/home/alice", kinds={"/data/x/.opencode": FileKind.DIRECTORY})
    found = bundle_of(toml({"a": {"paths": ["/data/x"]}}), "a", host).seeds
    assert "/data/x/.opencode/.gitignore" in [each.path for each in found]


def test_the_longest_name_of_a_workspace_fits_into_every_name_that_is_made_of_it() -> None:
    name = "a" * LONGEST_NAME
    made = bundle_of(toml({name: {}}), name)
    volumes = [f"{made.compose.name}_{each}" for each in made.compose.volumes]
    assert max(map(len, volumes)) in {MOST_NAME, MOST_NAME - 1}
    assert all(len(part) <= MOST_NAME for part in made.directory.split("/"))


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ("2027-01-31", "--datestop 2027-02-01T00:00:00"),
        ("2038-12-30", "--datestop 2038-12-31T00:00:00"),
        ("2038-12-31", None),
        ("9999-12-31", None),
    ],
)
def test_a_last_day_that_iptables_cannot_be_told_is_left_to_the_compiler(
    last: str, words: str | None
) -> None:
    allow = f'{{ to = "10.1.2.3", until = {last} }}, {{ to = "a.example", until = {last} }}'
    made = bundle_of(f"[workspaces.a]\nallowed_hosts = [{allow}]\n", "a")
    text = iptables.restore(made.firewall.ipv4)
    assert "-d 10.1.2.3/32" in text
    assert (words in text) if words else ("datestop" not in text)


@pytest.mark.parametrize(
    ("lasts", "words"),
    [
        (["2027-01-31"], "until=1801440000"),
        (["2027-01-31", "2026-12-31"], "until=1801440000"),
        (["2026-12-31", "2027-01-31"], "until=1801440000"),
        (["2027-01-31", ""], None),
        (["", "2027-01-31"], None),
        (["9999-12-31"], None),
    ],
)
def test_the_resolver_knows_until_when_a_name_is_found_on_any_port(
    lasts: list[str], words: str | None
) -> None:
    entries = ", ".join(
        f'{{ to = "a.example", ports = [{port}]{f", until = {last}" if last else ""} }}'
        for port, last in enumerate(lasts, 1)
    )
    made = bundle_of(f"[workspaces.a]\nallowed_hosts = [{entries}]\n", "a")
    text = next(each.text for each in made.files if each.path == "wall/names")
    (line,) = (each for each in text.splitlines() if each.startswith("a.example "))
    assert line.split()[3:] == ([words] if words else [])


def test_byte_order_marks_of_certificates_and_dockerfiles_are_taken_off() -> None:
    files = {"/ca.pem": f"\ufeff{CERTIFICATE}", "/docker/d": "\ufeffFROM ${BASE}\n"}
    text = toml({"a": {"dockerfile": "/docker/d"}}, base={"ca_certificates": ["/ca.pem"]})
    made = bundle_of(text, "a", Host(home="/home/alice", files=files))
    assert not [each.path for each in made.files if "\ufeff" in each.text]
