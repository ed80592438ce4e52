"""The admission policy takes the pods that are compiled, and none that has more."""

import copy
from collections.abc import Callable
from typing import Any

import cel
import pytest

from jailoc.generators.kubernetes import manifests
from jailoc.generators.kubernetes.admission import admission
from tests.generators.kubernetes.cluster import loaded
from tests.generators.kubernetes.test_objects import BUNDLES

Mutation = Callable[[dict[str, Any]], None]
WALL = BUNDLES["full"].wall
DOCKER = BUNDLES["with docker"].sidecar or ""


def pod(name: str = "full") -> dict[str, Any]:
    spec: dict[str, Any] = manifests.data(BUNDLES[name].sandbox)["spec"]["template"]["spec"]
    # As a controller makes it, with what the API adds.
    return copy.deepcopy(spec) | {"restartPolicy": "Always", "serviceAccountName": "default"}


def refused(spec: dict[str, Any], *sidecars: str) -> list[str]:
    """Return what each expression that is not true says, in a namespace that has such sidecars."""
    settings = loaded("")[1].kubernetes
    assert settings is not None
    policy, _ = admission(settings, [WALL], sidecars)
    context = cel.Context({"object": {"spec": spec}})
    return [
        each.message
        for each in policy.spec.validations
        if cel.evaluate(each.expression, context) is not True
    ]


@pytest.mark.parametrize("name", BUNDLES)
def test_a_compiled_pod_is_admitted(name: str) -> None:
    assert refused(pod(name), DOCKER) == []
    assert refused(pod(name)) == [] or name == "with docker"


def container(spec: dict[str, Any], name: str) -> dict[str, Any]:
    both = (*spec["initContainers"], *spec["containers"])
    found: dict[str, Any] = next(each for each in both if each["name"] == name)
    return found


def secured(name: str, key: str, value: object) -> Mutation:
    def mutate(spec: dict[str, Any]) -> None:
        container(spec, name)["securityContext"][key] = value

    return mutate


def changed(name: str, key: str, value: object) -> Mutation:
    def mutate(spec: dict[str, Any]) -> None:
        container(spec, name)[key] = value

    return mutate


def put(key: str, value: object) -> Mutation:
    def mutate(spec: dict[str, Any]) -> None:
        spec[key] = value

    return mutate


def second_wall(spec: dict[str, Any]) -> None:
    spec["initContainers"].append(container(spec, "wall") | {"name": "clone-9"})


def helper(spec: dict[str, Any]) -> None:
    spec["containers"].append(container(spec, "agent") | {"name": "proxy"})


def no_wall(spec: dict[str, Any]) -> None:
    del spec["initContainers"][0]


def late_wall(spec: dict[str, Any]) -> None:
    spec["initContainers"] = [*spec["initContainers"][1:], spec["initContainers"][0]]


MUTANTS: dict[str, Mutation] = {
    "NET_ADMIN of the agent": secured(
        "agent", "capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}
    ),
    "NET_ADMIN of who answers names": secured(
        "names", "capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}
    ),
    "capabilities of the agent kept": secured("agent", "capabilities", {}),
    "SYS_ADMIN of the wall": secured(
        "wall", "capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN", "SYS_ADMIN"]}
    ),
    "a wall that gains privileges": secured("wall", "allowPrivilegeEscalation", True),
    "a privileged wall": secured("wall", "privileged", True),
    "a privileged agent": secured("agent", "privileged", True),
    "an agent that gains privileges": secured("agent", "allowPrivilegeEscalation", True),
    "an agent as root": secured("agent", "runAsUser", 0),
    "an agent that may be root": secured("agent", "runAsNonRoot", False),
    "a writable root": secured("agent", "readOnlyRootFilesystem", False),
    "an unmasked /proc": secured("agent", "procMount", "Unmasked"),
    "no seccomp for the agent": secured("agent", "seccompProfile", {"type": "Unconfined"}),
    "no AppArmor for the agent": secured("agent", "appArmorProfile", {"type": "Unconfined"}),
    "no AppArmor for the wall": secured("wall", "appArmorProfile", {"type": "Unconfined"}),
    "no AppArmor for the pod": lambda spec: spec["securityContext"].update(
        appArmorProfile={"type": "Unconfined"}
    ),
    "a port of the node": changed("agent", "ports", [{"containerPort": 4096, "hostPort": 4096}]),
    "a port of the node for the wall": changed(
        "wall", "ports", [{"containerPort": 53, "hostPort": 53}]
    ),
    "another image of the wall": changed("wall", "image", WALL.replace("5", "6")),
    "another command of the wall": changed("wall", "command", ["/bin/sh", "-c", "sleep 9"]),
    "arguments of the wall": changed("wall", "args", ["x"]),
    "a wall that goes on": changed("wall", "restartPolicy", "Always"),
    "a second container with the wall's power": second_wall,
    "a container that was put in": helper,
    "no wall": no_wall,
    "a wall after the others": late_wall,
    "the node's network": put("hostNetwork", True),
    "the node's processes": put("hostPID", True),
    "the node's IPC": put("hostIPC", True),
    "a path of the node": put("volumes", [{"name": "x", "hostPath": {"path": "/"}}]),
    "a token of the API": put("volumes", [{"name": "x", "projected": {"sources": []}}]),
    "an ephemeral container": put("ephemeralContainers", [{"name": "debug"}]),
    "SELinux's type for what is not confined": secured(
        "agent", "seLinuxOptions", {"type": "spc_t"}
    ),
    "a user of SELinux's for the wall": secured("wall", "seLinuxOptions", {"user": "system_u"}),
    "SELinux's type for the pod": lambda spec: spec["securityContext"].update(
        seLinuxOptions={"type": "spc_t"}
    ),
    "a process of a Windows node": secured("agent", "windowsOptions", {"hostProcess": True}),
    "Windows for the pod": lambda spec: spec["securityContext"].update(windowsOptions={}),
    "another setting of the kernel": lambda spec: spec["securityContext"].update(
        sysctls=[{"name": "kernel.msgmax", "value": "1"}]
    ),
    "a probe of another host": changed(
        "agent", "livenessProbe", {"httpGet": {"host": "10.0.0.1", "port": 80}}
    ),
    "a probe of another host by who answers names": changed(
        "names", "readinessProbe", {"tcpSocket": {"host": "10.0.0.1", "port": 22}}
    ),
    "a hook that asks another host": changed(
        "agent", "lifecycle", {"postStart": {"httpGet": {"host": "10.0.0.1", "port": 80}}}
    ),
    "processes that are shared": put("shareProcessNamespace", True),
    "a device of a volume": changed("agent", "volumeDevices", [{"name": "source-0"}]),
    "a device that is claimed": put("resourceClaims", [{"name": "x"}]),
    "no seccomp for the pod": put("securityContext", {"seccompProfile": {"type": "Unconfined"}}),
}


def test_what_a_cluster_adds_by_itself_is_admitted() -> None:
    spec = pod()
    spec["securityContext"]["seLinuxOptions"] = {"level": "s0:c26,c5"}
    container(spec, "agent")["livenessProbe"] = {"httpGet": {"host": "", "port": 4096}}
    container(spec, "agent")["lifecycle"] = {"preStop": {"exec": {"command": ["true"]}}}
    assert refused(spec) == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_pod_that_has_more_is_refused(name: str) -> None:
    spec = pod()
    MUTANTS[name](spec)
    assert refused(spec)


def mounted(name: str) -> Mutation:
    def mutate(spec: dict[str, Any]) -> None:
        container(spec, name)["volumeMounts"].append({"name": "tun", "mountPath": "/dev/net/tun"})

    return mutate


def volume(name: str, value: object) -> Mutation:
    def mutate(spec: dict[str, Any]) -> None:
        spec["volumes"] = [each for each in spec["volumes"] if each["name"] != "tun"]
        spec["volumes"].append({"name": name, "hostPath": value})

    return mutate


def renamed(spec: dict[str, Any]) -> None:
    container(spec, "dind")["name"] = "clone-9"


def beside(spec: dict[str, Any]) -> None:
    (one,) = [each for each in spec["initContainers"] if each["name"] == "dind"]
    spec["initContainers"].remove(one)
    spec["containers"].append({key: one[key] for key in one if key != "restartPolicy"})


TUN = {"path": "/dev/net/tun", "type": "CharDevice"}
DOCKER_MUTANTS: dict[str, Mutation] = {
    "another image": changed("dind", "image", DOCKER.replace("5", "6")),
    "the wall's image": changed("dind", "image", WALL),
    "another command": changed("dind", "command", ["/bin/sh", "/etc/jailoc/dind_pod.sh"]),
    "arguments": changed("dind", "args", ["x"]),
    "one that ends": changed("dind", "restartPolicy", "Never"),
    "another name": renamed,
    "beside the agent": beside,
    "a privileged one": secured("dind", "privileged", True),
    "a writable root": secured("dind", "readOnlyRootFilesystem", False),
    "NET_ADMIN": secured(
        "dind", "capabilities", {"drop": ["ALL"], "add": ["SETGID", "SETUID", "NET_ADMIN"]}
    ),
    "capabilities kept": secured("dind", "capabilities", {"add": ["SETGID", "SETUID"]}),
    "the node's users": put("hostUsers", True),
    "users that nobody has named": lambda spec: spec.pop("hostUsers"),
    "the device for the agent": mounted("agent"),
    "the device for what clones": mounted("clone-0"),
    "another device": volume("tun", TUN | {"path": "/dev/kvm"}),
    "a directory of the node": volume("tun", {"path": "/dev/net/tun", "type": ""}),
    "the device under another name": volume("other", TUN),
    "its powers for the agent": secured(
        "agent", "capabilities", {"drop": ["ALL"], "add": ["SETGID", "SETUID"]}
    ),
    "no seccomp for the agent": secured("agent", "seccompProfile", {"type": "Unconfined"}),
    "an unmasked /proc for the agent": secured("agent", "procMount", "Unmasked"),
}


@pytest.mark.parametrize("name", [*DOCKER_MUTANTS, *MUTANTS])
def test_a_pod_with_a_docker_that_has_more_is_refused(name: str) -> None:
    spec = pod("with docker")
    (DOCKER_MUTANTS | MUTANTS)[name](spec)
    assert refused(spec, DOCKER)


def test_a_docker_is_refused_where_no_workspace_has_one() -> None:
    assert refused(pod("with docker"))


def test_the_policy_holds_in_the_namespace_alone_and_fails_closed() -> None:
    settings = loaded("")[1].kubernetes
    assert settings is not None
    policy, binding = (manifests.data(each) for each in admission(settings, [WALL]))
    assert policy["spec"]["failurePolicy"] == "Fail"
    assert binding["spec"]["validationActions"] == ["Deny"]
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert binding["spec"]["matchResources"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "agents"
    }
