"""The objects of a cluster are what Kubernetes takes; what its schemas let through is checked."""

import importlib
import json
import warnings
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from jailoc.generators.config.schema import kubernetes_schema
from jailoc.generators.kubernetes import manifests
from jailoc.generators.kubernetes.admission import admission, namespace
from jailoc.generators.kubernetes.compile import rendered, wall_script
from jailoc.model.kubernetes.bundle import ClusterBundle, ClusterObject
from jailoc.model.kubernetes.pod import SidecarSecurity, TunnelDevice
from jailoc.schemas import schema, text
from tests.generators.kubernetes.cluster import compiled, loaded

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    # It has no types.
    kubernetes_validate: Any = importlib.import_module("kubernetes_validate")

FULL = """[workspaces.api]
paths = ["~/src/api"]
allowed_hosts = ["git.example.com", "*.example.org:443"]
allowed_networks = ["10.77.0.16/28", "fd77::/64"]
denied_networks = ["9.9.9.0/24"]
volumes = ["npm:~/.npm", "caches:/caches"]
env = ["DOLLAR=$(HOME) $$", "odd-name=1"]
secrets.env.TOKEN.from_env = "TOKEN"
secrets.file.key.from_file = "~/key"
ports = ["3000"]
cpu = 1.5
memory = "300m"

[workspaces.api.kubernetes]
sources = [{ git = "https://git.example.com/api.git", path = "~/src/api", secret = "git" }]
"""
MORE = {
    "ingress_from": '[{ namespace = "web", labels = { app = "x" } }, { namespace = "ops" }]',
    "image_pull_secrets": '["pull"]',
    "storage_class": '"fast"',
    "names_within": '["10.50.0.0/16"]',
}
BUNDLES = {
    "least": compiled("[workspaces.api]"),
    "full": compiled(FULL, **MORE),
    "nothing open": compiled('[workspaces.api]\negress = "none"'),
    "without user namespace": compiled("[workspaces.api]", user_namespace="false"),
    "with docker": compiled(FULL, docker="true", **MORE),
}
DOCKER = BUNDLES["with docker"]
VERSIONS = ("1.29", "1.33", kubernetes_validate.latest_version())


def every(bundle: ClusterBundle) -> Iterator[ClusterObject]:
    settings = loaded("")[1].kubernetes
    assert settings is not None
    yield namespace(settings)
    yield from bundle.objects
    yield from admission(settings, [bundle.wall], [bundle.sidecar] if bundle.sidecar else [])


@pytest.mark.parametrize("name", BUNDLES)
def test_the_official_client_reads_and_writes_the_objects_as_they_are(name: str) -> None:
    client: Any = importlib.import_module("kubernetes.client")
    models = client.ApiClient()
    for each in every(BUNDLES[name]):
        data = manifests.data(each)
        kind = f"V1{each.kind}"
        read = models.deserialize(json.dumps(data), kind, "application/json")
        assert type(read).__name__ == kind
        assert models.sanitize_for_serialization(read) == data, each.kind


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", BUNDLES)
def test_the_objects_meet_the_schemas_of_kubernetes(name: str, version: str) -> None:
    seen = 0
    for each in every(BUNDLES[name]):
        if each.api_version.startswith("admission") and version == "1.29":
            continue  # stable from 1.30 on
        if each is DOCKER.sandbox and version == "1.29":
            continue  # see below
        kubernetes_validate.validate(manifests.data(each), version, strict=True)
        seen += 1
    assert seen >= 8 - (name == "with docker" and version == "1.29")


def test_a_docker_of_its_own_needs_a_kubernetes_that_knows_its_profile() -> None:
    """1.29 has no such field; the user namespace that it needs is on from 1.33 on."""
    with pytest.raises(kubernetes_validate.ValidationError, match="appArmorProfile"):
        kubernetes_validate.validate(manifests.data(DOCKER.sandbox), "1.29", strict=True)


@pytest.mark.parametrize(
    ("place", "value"),
    [(("runAsUsr",), 1), (("initContainers", 0, "restartPolicyy"), "Always"), (("dnsPolicy",), 5)],
)
def test_those_schemas_see_a_wrong_word(place: tuple[str | int, ...], value: object) -> None:
    data = manifests.data(BUNDLES["full"].sandbox)
    inner: Any = data["spec"]["template"]["spec"]
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(data, VERSIONS[-1], strict=True)


def test_the_shipped_schema_is_the_one_of_the_model() -> None:
    assert text("kubernetes") == kubernetes_schema()


@pytest.mark.parametrize("name", BUNDLES)
def test_the_objects_meet_the_shipped_schema(name: str) -> None:
    data = {"objects": [manifests.data(each) for each in every(BUNDLES[name])]}
    jsonschema.Draft202012Validator(schema("kubernetes")).validate(data)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("metadata", "name"), "UPPER_case"),
        (("spec", "replicas"), 2),
        (("spec", "template", "spec", "hostNetwork"), True),
        (("spec", "template", "spec", "hostUsers"), True),
        (("spec", "template", "spec", "automountServiceAccountToken"), True),
        (("spec", "template", "spec", "containers", 0, "image"), ""),
        (("spec", "template", "spec", "containers", 0, "image"), "agent:latest"),
        (("spec", "template", "spec", "containers", 0, "securityContext", "privileged"), True),
        (
            ("spec", "template", "spec", "containers", 0, "securityContext",
             "readOnlyRootFilesystem"), False,
        ),
        (
            ("spec", "template", "spec", "containers", 0, "securityContext", "capabilities",
             "add"), ["SYS_ADMIN"],
        ),
        (("spec", "template", "spec", "volumes", 0, "hostPath"), {"path": "/", "type": ""}),
    ],
)  # fmt: skip
def test_the_shipped_schema_refuses_what_is_unsafe(
    place: tuple[str | int, ...], value: object
) -> None:
    data = manifests.data(BUNDLES["full"].sandbox)
    inner: Any = data
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    validator = jsonschema.Draft202012Validator(schema("kubernetes"))
    assert not validator.is_valid({"objects": [data]})


@pytest.mark.parametrize("name", BUNDLES)
def test_what_kubernetes_schemas_let_through_holds(name: str) -> None:
    """They take a selector that misses its pods, a mount of no volume, and two of one name."""
    bundle = BUNDLES[name]
    spec = bundle.sandbox.spec.template.spec
    labels = bundle.sandbox.spec.template.metadata.labels
    for selector in (
        bundle.sandbox.spec.selector.match_labels,
        bundle.service.spec.selector,
        bundle.policy.spec.pod_selector.match_labels,
    ):
        assert selector
        assert selector.items() <= labels.items()
    assert bundle.sandbox.spec.service_name == bundle.service.metadata.name
    volumes = [each.name for each in spec.volumes]
    assert len(set(volumes)) == len(volumes)
    containers = (*spec.init_containers, *spec.containers)
    assert len({each.name for each in containers}) == len(containers)
    for each in containers:
        assert {mount.name for mount in each.volume_mounts} <= set(volumes)
        places = [mount.mount_path for mount in each.volume_mounts]
        assert len(set(places)) == len(places)
        assert each.image
    claims = {each.metadata.name for each in bundle.claims}
    maps = {each.metadata.name for each in bundle.maps}
    used = {each.persistent_volume_claim.claim_name for each in spec.volumes
            if each.persistent_volume_claim}  # fmt: skip
    assert used == claims
    assert {each.config_map.name for each in spec.volumes if each.config_map} == maps
    for volume in spec.volumes:
        sources = volume.model_dump(exclude_none=True, exclude={"name"})
        assert len(sources) == 1
    for name_ in (each.metadata.name for each in bundle.objects):
        assert len(name_) <= 63 or name_ in maps | claims
    # The API takes an `except` only if it lies in its network, and is less than it.
    for rule in bundle.policy.spec.egress:
        for peer in rule.to:
            if peer.ip_block:
                assert peer.ip_block.cidr not in (peer.ip_block.except_ or ())


def test_only_the_wall_is_root_and_has_a_capability_and_it_ends() -> None:
    spec = BUNDLES["full"].sandbox.spec.template.spec
    first, *rest = (*spec.init_containers, *spec.containers)
    assert first.name == "wall"
    assert first.restart_policy is None
    assert first.security_context.capabilities.add == ("NET_ADMIN",)
    for each in rest:
        assert each.security_context.run_as_user in {1000, 65533}
        assert each.security_context.run_as_non_root
        assert each.security_context.capabilities.add is None
    for each in (first, *rest):
        assert not each.security_context.allow_privilege_escalation
        assert each.security_context.capabilities.drop == ("ALL",)


def test_a_docker_of_its_own_is_the_one_container_with_more_and_no_other_sees_its_device() -> None:
    spec, other = (
        each.sandbox.spec.template.spec for each in (DOCKER, BUNDLES["full"])
    )  # fmt: skip
    parts = (*spec.init_containers, *spec.containers)
    plain = {each.name: each for each in (*other.init_containers, *other.containers)}
    assert [each.name for each in parts if isinstance(each.security_context, SidecarSecurity)] == [
        "dind"
    ]
    assert [each.name for each in parts if "tun" in {one.name for one in each.volume_mounts}] == [
        "dind"
    ]
    for each in parts:
        if each.name not in {"dind", "agent"}:
            assert each == plain[each.name]
    (dind,) = [each for each in parts if each.name == "dind"]
    assert dind.command[:2] == ("/bin/sh", "/etc/jailoc/gate.sh")
    assert dind.restart_policy == "Always"
    assert parts.index(dind) == len(parts) - 2  # what clones is before it, the agent after it
    (devices,) = [each for each in spec.volumes if each.host_path]
    assert (devices.name, devices.host_path) == ("tun", TunnelDevice())
    (agent,) = spec.containers
    (socket,) = [each for each in agent.volume_mounts if each.mount_path == "/run/dind"]
    assert socket.read_only
    assert {"DOCKER_HOST": "unix:///run/dind/docker.sock"}.items() <= {
        each.name: each.value for each in agent.env or ()
    }.items()


def test_the_users_of_an_inner_docker_are_the_pods_and_nobody_elses() -> None:
    """A user namespace of a pod has 65536 of them."""
    text = DOCKER.maps[2].data["subordinate"]
    _, first, count = text.strip().split(":")
    inner = range(int(first), int(first) + int(count))
    assert inner.stop <= 65536
    assert not {0, 1000, 65531, 65532, 65533, 65534} & set(inner)


def test_without_docker_nothing_of_it_is_said() -> None:
    for bundle in (
        BUNDLES["full"],
        compiled("[workspaces.api]\nenable_docker = false", docker="true"),
    ):
        told = json.dumps(manifests.data(bundle.sandbox))
        for word in ("Unconfined", "Unmasked", 'hostPath"', "SETUID", "dind"):
            assert word not in told, word


def test_whatever_reaches_the_network_stands_behind_the_gate() -> None:
    spec = BUNDLES["full"].sandbox.spec.template.spec
    gated = {each.name for each in (*spec.init_containers, *spec.containers)
             if each.command[:2] == ("/bin/sh", "/etc/jailoc/gate.sh")}  # fmt: skip
    assert gated == {"clone-0", "agent"}
    for each in spec.containers + spec.init_containers:
        seen = [mount for mount in each.volume_mounts if mount.mount_path == "/run/wall"]
        assert (each.name in gated) == bool(seen)
        assert all(mount.read_only for mount in seen)


def test_only_what_clones_sees_the_credential_and_only_the_agent_its_secrets() -> None:
    spec = BUNDLES["full"].sandbox.spec.template.spec
    seen = {
        name: [each.name for each in (*spec.init_containers, *spec.containers)
               if name in {mount.name for mount in each.volume_mounts}]
        for name in ("credential-0", "secrets")
    }  # fmt: skip
    assert seen == {"credential-0": ["clone-0"], "secrets": ["agent"]}
    keys = {volume.name: [item.key for item in volume.secret.items]
            for volume in spec.volumes if volume.secret}  # fmt: skip
    assert keys == {"secrets": [".server-password", "TOKEN", "key"], "credential-0": ["git"]}


def test_kubernetes_puts_nothing_in_for_a_variable_of_the_user() -> None:
    (agent,) = BUNDLES["full"].sandbox.spec.template.spec.containers
    values = {each.name: each.value for each in agent.env or ()}
    assert values["DOLLAR"] == "$$(HOME) $$$$"
    assert "odd-name=1" in agent.command


@pytest.mark.parametrize("name", BUNDLES)
def test_what_is_written_is_read_back_as_the_same(name: str) -> None:
    bundle = BUNDLES[name]
    written = {each.path: each.text for each in manifests.files(bundle)}
    listed = yaml.safe_load(written["kustomization.yaml"])["resources"]
    assert {*listed, "kustomization.yaml"} == written.keys()
    read = [
        data for path in listed for data in yaml.safe_load_all(written[path]) if data is not None
    ]
    wanted = [json.loads(json.dumps(manifests.data(each))) for each in bundle.objects]
    assert sorted(read, key=str) == sorted(wanted, key=str)


def test_scripts_stand_in_the_manifest_as_the_lines_that_they_are() -> None:
    written = {each.path: each.text for each in manifests.files(BUNDLES["full"])}
    assert '\n  "gate.sh": |2\n    #!/bin/sh\n' in written["agent.yaml"]
    assert "\n    -A INPUT -d 127.0.0.54/32 " in written["wall.yaml"]


def test_the_same_configuration_is_the_same_bytes_and_another_rule_another_pod() -> None:
    first, again = compiled(FULL, **MORE), compiled(FULL, **MORE)
    assert manifests.files(first) == manifests.files(again)
    other = compiled(FULL.replace("10.77.0.16/28", "10.77.0.32/28"), **MORE)
    assert other.maps[0].metadata.name != first.maps[0].metadata.name
    assert other.maps[1].metadata.name == first.maps[1].metadata.name
    assert other.sandbox.spec.template != first.sandbox.spec.template
    assert other.sandbox.spec.selector == first.sandbox.spec.selector


def test_the_lists_for_kustomize_name_all_that_is_rendered() -> None:
    settings = loaded("")[1].kubernetes
    assert settings is not None
    files = {each.path: each.text for each in rendered(settings, [BUNDLES["least"]])}
    top = yaml.safe_load(files["kustomization.yaml"])
    assert top["resources"] == ["namespace.yaml", "workspaces/api"]
    labels = yaml.safe_load(files["namespace.yaml"])["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
    assert labels["pod-security.kubernetes.io/warn"] == "restricted"


def test_the_walls_program_is_the_functions_of_the_other_and_an_end_of_its_own() -> None:
    script = wall_script()
    assert "case $mode in start" not in script
    assert "setpriv" not in script.partition("# The wall of a pod")[2]
    for each in ("probe() {", "load() {", "compare() {", "close() {", "resolvers() {"):
        assert each in script
