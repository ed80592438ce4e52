"""The schemas are valid, current, and refuse what is unsafe."""

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.compose_yaml import document
from jailoc.generators.config.schema import (
    bundle_schema,
    cluster_plan_schema,
    config_schema,
    destroy_schema,
    plan_schema,
    policy_schema,
)
from jailoc.model.document import Document
from jailoc.schemas import NAMES, schema, text
from tests.strategies import HOST, bundle_of, config_of, configs, toml

FULL = bundle_of(toml({"a": {"paths": ["/data/x"], "mounts": ["/m:/m:ro"]}}), "a")
Mutation = Callable[[dict[str, Any]], None]


def valid(name: str, data: Any) -> bool:
    return jsonschema.Draft202012Validator(schema(name)).is_valid(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_2020_12_with_a_stable_id(name: str) -> None:
    data = json.loads(text(name))
    jsonschema.Draft202012Validator.check_schema(data)
    assert data["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert data["$id"] == f"https://jailoc.dev/schemas/{name}.schema.json"


def test_the_shipped_schemas_of_models_are_theirs() -> None:
    assert text("config") == config_schema()
    assert text("plan") == plan_schema()
    assert text("policy") == policy_schema()
    assert text("destroy") == destroy_schema()
    assert text("cluster-plan") == cluster_plan_schema()


def test_the_shipped_bundle_schema_is_the_one_of_the_model() -> None:
    assert text("bundle") == bundle_schema()


@given(configs)
def test_what_loads_meets_the_config_schema(written: str) -> None:
    assert valid("config", Document(written, "config.toml").data)


@pytest.mark.parametrize(
    "written",
    ["a = 1", "[defaults]\npaths = []", "[defaults]\ncpu = '4'", "[workspaces.a]\nenv = 'A=1'",
     "[workspaces.a]\nmode = 'ssh'", "workspaces = []", "[base]\nca_certificates = [1]"],
)  # fmt: skip
def test_the_config_schema_refuses_wrong_keys_and_types(written: str) -> None:
    assert not valid("config", Document(written, "config.toml").data)


@given(configs)
def test_what_compiles_meets_the_strict_schemas(written: str) -> None:
    config = config_of(written)
    for name in config.workspaces:
        bundle = compile_workspace(config, name, HOST)
        assert valid("compose", document(bundle.compose))
        assert valid("firewall", bundle.firewall.model_dump(mode="json"))


def put(*path: str, value: object) -> Mutation:
    def mutate(data: dict[str, Any]) -> None:
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = value

    return mutate


def add(*path: str, value: object) -> Mutation:
    def mutate(data: dict[str, Any]) -> None:
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = [*data.get(path[-1], []), value]

    return mutate


def drop(*path: str) -> Mutation:
    def mutate(data: dict[str, Any]) -> None:
        for part in path[:-1]:
            data = data[part]
        del data[path[-1]]

    return mutate


def bind(source: str, target: str = "/x", **more: object) -> dict[str, object]:
    return {
        "type": "bind",
        "source": source,
        "target": target,
        "read_only": True,
        "bind": {"create_host_path": False},
        **more,
    }


PORT = {"host_ip": "127.0.0.1", "published": "4096", "target": 4096, "protocol": "tcp"}
SERVICES = ("firewall", "opencode", "dind")
UNSAFE: dict[str, Mutation] = {
    "another service": put("services", "shell", value={"image": "x"}),
    "no firewall": drop("services", "firewall"),
    "a host network": put("networks", "jailoc", "driver", value="host"),
    "an external network": put("networks", "other", value={"external": True}),
    "a volume with a driver": put("volumes", "dind-socket", value={"driver": "local"}),
    "secrets": put("secrets", value={"x": {"file": "/etc/shadow"}}),
    "an included file": put("include", value=["other.yml"]),
    "a name that is not ours": put("name", value="other"),
    "a port on all interfaces": put(
        "services",
        "firewall",
        "ports",
        value=[{**PORT, "host_ip": "0.0.0.0"}],  # noqa: S104
    ),
    "a port on all IPv6 interfaces": put(
        "services", "firewall", "ports", value=[{**PORT, "host_ip": "::"}]
    ),
    "a port without an interface": put(
        "services", "firewall", "ports", value=[{k: v for k, v in PORT.items() if k != "host_ip"}]
    ),
    "a port in short form": put("services", "firewall", "ports", value=["4096:4096"]),
    "two ports": put("services", "firewall", "ports", value=[PORT, PORT]),
    "a port of the agent": put("services", "opencode", "ports", value=[PORT]),
    "a port of the inner docker": put("services", "dind", "ports", value=[PORT]),
    "the agent on its own network": put(
        "services", "opencode", "network_mode", value="service:dind"
    ),
    "the agent on the bridge": put("services", "opencode", "networks", value={"jailoc": {}}),
    "the agent before the wall": drop("services", "opencode", "depends_on"),
    "the agent beside an unhealthy wall": put(
        "services", "opencode", "depends_on", "firewall", "condition", value="service_started"
    ),
    "the agent as root": put("services", "opencode", "user", value="root"),
    "the agent as user 0": put("services", "opencode", "user", value="0:0"),
    "the agent without a user": drop("services", "opencode", "user"),
    "a password on disk": put(
        "services", "opencode", "environment", "OPENCODE_SERVER_PASSWORD", value="hunter2"
    ),
    "an empty password on disk": put(
        "services", "opencode", "environment", "OPENCODE_SERVER_PASSWORD", value=""
    ),
    "secrets on a disk": put("volumes", "secrets", value={}),
    "secrets from elsewhere": put("volumes", "secrets", "driver_opts", "device", value="/dev/sda"),
    "secrets that can be executed": put(
        "volumes", "secrets", "driver_opts", "o", value="size=1,mode=0755,nosuid,nodev"
    ),
    "an agent without what hands over its secrets": put(
        "services", "opencode", "entrypoint", value=["opencode"]
    ),
    "an inherited variable": put("services", "opencode", "environment", "OTHER", value=None),
    "environment of the wall": put("services", "firewall", "environment", value={"PATH": "/x"}),
    "a device of the agent": put("services", "opencode", "devices", value=["/dev/sda:/dev/sda"]),
    "a device of the inner docker": add("services", "dind", "devices", value="/dev/sda:/dev/sda"),
    "a capability of the agent": put("services", "opencode", "cap_add", value=["CHOWN"]),
    "NET_ADMIN of the inner docker": add("services", "dind", "cap_add", value="NET_ADMIN"),
    "a writable wall": put("services", "firewall", "read_only", value=False),
    "a host path of the wall": add("services", "firewall", "volumes", value=bind("/home")),
    "a writable host path of the wall": add(
        "services", "firewall", "volumes", value=bind("/home", "/etc/jailoc", read_only=False)
    ),
    "a directory the engine creates": add(
        "services", "opencode", "volumes", value=bind("/x", bind={"create_host_path": True})
    ),
    "a relative source": add("services", "opencode", "volumes", value=bind("x")),
    "a bind in short form": add("services", "opencode", "volumes", value="/x:/x"),
    **{
        f"{service}: {what}": mutation
        for service in SERVICES
        for what, mutation in {
            "not privileged, said aloud": put("services", service, "privileged", value=False),
            "the host's network": put("services", service, "network_mode", value="host"),
            "the host's processes": put("services", service, "pid", value="host"),
            "the host's IPC": put("services", service, "ipc", value="host"),
            "the host's users": put("services", service, "userns_mode", value="host"),
            "the host's cgroups": put("services", service, "cgroup", value="host"),
            "SYS_ADMIN": add("services", service, "cap_add", value="SYS_ADMIN"),
            "ALL capabilities": add("services", service, "cap_add", value="ALL"),
            "capabilities kept": drop("services", service, "cap_drop"),
            "fewer capabilities dropped": put("services", service, "cap_drop", value=["CHOWN"]),
            "the engine's socket": add(
                "services", service, "volumes", value=bind("/var/run/docker.sock")
            ),
            "the engine's socket elsewhere": add(
                "services", service, "volumes", value=bind("/run/user/1000/docker.sock")
            ),
            "the root directory": add("services", service, "volumes", value=bind("/")),
            "another user": put("services", service, "user", value="5:5"),
            "no limit of memory": drop("services", service, "mem_limit"),
            "swap without limit": put("services", service, "memswap_limit", value=-1),
            "no limit of processes": put("services", service, "pids_limit", value=-1),
            "no health check": drop("services", service, "healthcheck"),
            "an unknown key": put("services", service, "gpus", value="all"),
            "a build": put("services", service, "build", value="."),
            "another service's volumes": put("services", service, "volumes_from", value=["x"]),
            "an env file": put("services", service, "env_file", value="/etc/environment"),
            "sysctls": put("services", service, "sysctls", value={"net.ipv4.ip_forward": "1"}),
        }.items()
    },
    "a privileged wall": put("services", "firewall", "privileged", value=True),
    "a privileged agent": put("services", "opencode", "privileged", value=True),
    "an agent that does not wait for its Docker": drop(
        "services", "opencode", "depends_on", "dind"
    ),
    "an agent that is replaced with its Docker": put(
        "services", "opencode", "depends_on", "dind", "restart", value=True
    ),
    "an agent that waits for a Docker it does not have": drop("services", "dind"),
    "unconfined wall": add("services", "firewall", "security_opt", value="seccomp=unconfined"),
    "unconfined agent": put("services", "opencode", "security_opt", value=["seccomp=unconfined"]),
    "an unconfined sidecar": put("services", "dind", "security_opt", value=["seccomp=unconfined"]),
    "another profile for the sidecar": put(
        "services", "dind", "security_opt", value=["seccomp=/etc/other.json"]
    ),
    "an agent whose log never ends": drop("services", "opencode", "logging"),
    "a log with another driver": put("services", "opencode", "logging", "driver", value="syslog"),
    "a log without a size": drop("services", "opencode", "logging", "options", "max-size"),
    "an agent that may gain privileges": drop("services", "opencode", "security_opt"),
}


def test_the_document_that_is_mutated_is_valid_itself() -> None:
    assert valid("compose", document(FULL.compose))
    assert valid("firewall", FULL.firewall.model_dump(mode="json"))


@pytest.mark.parametrize("mutation", UNSAFE.values(), ids=UNSAFE)
def test_the_compose_schema_refuses(mutation: Mutation) -> None:
    data = copy.deepcopy(document(FULL.compose))
    mutation(data)
    assert not valid("compose", data)


RULE: dict[str, Any] = {
    "chain": "OUTPUT",
    "target": "ACCEPT",
    "destination": "10.0.0.0/8",
    "protocol": None,
    "destination_port": None,
    "match": None,
    "comment": "x",
}


def rule(family: str, **change: object) -> Mutation:
    def mutate(data: dict[str, Any]) -> None:
        address = "10.0.0.0/8" if family == "ipv4" else "fd00::/8"
        data[family]["rules"].append({**RULE, "destination": address, **change})

    return mutate


def without(family: str, **fields: str) -> Mutation:
    def mutate(data: dict[str, Any]) -> None:
        data[family]["rules"] = [
            each
            for each in data[family]["rules"]
            if any(each[field] != value for field, value in fields.items())
        ]

    return mutate


WEAK: dict[str, Mutation] = {
    f"{family}: {what}": mutation
    for family, everywhere, prohibit in (
        ("ipv4", "0.0.0.0/0", "REJECT --reject-with icmp-admin-prohibited"),
        ("ipv6", "::/0", "REJECT --reject-with icmp6-adm-prohibited"),
    )
    for what, mutation in {
        "everything accepted": rule(family, destination=everywhere),
        "an unknown target": rule(family, target="RETURN"),
        "an unknown chain": rule(family, chain="PREROUTING"),
        "text after a destination": rule(family, destination="10.0.0.0/8 -j ACCEPT"),
        "a scope in a destination": rule(family, destination="fe80::1%eth0/128"),
        "a quote in a comment": rule(family, comment='x" -j ACCEPT'),
        "a line break in a comment": rule(family, comment="x\n-A OUTPUT -j ACCEPT"),
        "an unknown field": rule(family, source="10.0.0.0/8"),
        "a port that is none": rule(family, protocol="tcp", destination_port=0),
        "no denial at all": without(family, jump="JAILOC-DENY"),
        "no refusal of TCP": without(family, target="REJECT --reject-with tcp-reset"),
        "no refusal of the rest": without(family, target=prohibit),
        "no rules": put(family, "rules", value=[]),
        "the other family's number": put(family, "family", value=5),
        "no family": drop(family),
    }.items()
} | {
    "a name with a blank": put("names", value=[{"name": "a b", "origin": "x"}]),
    "a name with a line break": put("names", value=[{"name": "a\nb", "origin": "x"}]),
    "an empty name": put("names", value=[{"name": "", "origin": "x"}]),
}


@pytest.mark.parametrize("mutation", WEAK.values(), ids=WEAK)
def test_the_firewall_schema_refuses(mutation: Mutation) -> None:
    data = copy.deepcopy(FULL.firewall.model_dump(mode="json"))
    mutation(data)
    assert not valid("firewall", data)
