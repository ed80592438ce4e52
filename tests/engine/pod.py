"""The pod of a cluster on Podman's `kube play`: what can be tried of it without a cluster.

A program, not a module of tests: `tests/engine/engines run podman@trixie python3 -m
tests.engine.pod WALL AGENT` runs it in Podman's network, with the names of the two images that were
loaded. It prints one JSON object: what each step has seen.

What Podman does not do as a cluster does is translated, and told: a StatefulSet becomes its pod,
`names` an ordinary container (Podman waits for the end of each init container), images are by tag,
and the user namespace is left out (Podman's has 1,024 users, too few for the resolver's).
"""

import http.client
import ipaddress
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jailoc.generators.kubernetes import manifests
from jailoc.model.address import Family
from jailoc.model.firewall import Protocol
from jailoc.model.kubernetes.bundle import ClusterBundle, ClusterObject
from jailoc.model.rule_walk import accepted
from tests.engine import world
from tests.generators.kubernetes.cluster import compiled

POD, NETWORK = "jailoc-api", "both-families"
DNS = world.CLOSED["private-192"]
CLUSTER = (world.CLOSED["private-172"], world.NEIGHBOUR)
NAMES = {
    "named.test": world.CLOSED["private-10"],
    "named6.test": world.CLOSED["unique-local"],
    "public.test": world.PUBLIC,
    "cluster.test": world.CLOSED["private-172"],
}
TEXT = f"""[workspaces.api]
allowed_networks = ["{world.ALLOWED}/32", "{world.ALLOWED_IPV6}/128"]
allowed_hosts = ["named.test", "named6.test", "cluster.test"]
memory = "2g"
"""
SETTINGS = {
    "cluster_networks": json.dumps([f"{each}/{128 if ':' in each else 32}" for each in CLUSTER]),
    "dns": f'{{ addresses = ["{DNS}"] }}',
}


class Unix(http.client.HTTPConnection):
    """HTTP over a socket of the machine."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))


def podman(method: str, path: str, body: str = "") -> tuple[int, str]:
    """Ask Podman's own API (https://docs.podman.io/en/latest/_static/api.html)."""
    door = Unix("podman", timeout=180)
    door.request(
        method, f"/v5.0.0/libpod/{path}", body.encode(), {"Content-Type": "application/json"}
    )
    answer = door.getresponse()
    return answer.status, answer.read().decode(errors="replace")


def translated(bundle: ClusterBundle, images: dict[str, str]) -> list[dict[str, Any]]:
    """Return what Podman plays; what is changed is told on standard error."""
    sandbox = manifests.data(bundle.sandbox)
    spec = sandbox["spec"]["template"]["spec"]
    every = (*spec["initContainers"], *spec["containers"])
    for each in every:
        each["imagePullPolicy"] = "Never"
        each["image"] = images["wall" if "/jailoc-wall@" in each["image"] else "agent"]
    names = next(each for each in spec["initContainers"] if each["name"] == "names")
    spec["initContainers"].remove(names)
    del names["restartPolicy"]
    spec["containers"].insert(0, names)
    spec.pop("hostUsers", None)
    for each in spec["volumes"]:
        if "secret" in each:  # Podman knows no fsGroup
            each["secret"]["defaultMode"] = 0o444
    sys.stderr.write("translated: StatefulSet, `names`, images, hostUsers, modes of secrets\n")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": POD,
            "labels": sandbox["metadata"]["labels"],
            # Or it would be removed, and never run again (podman-kube-play(1)).
            "annotations": {"io.podman.annotations.init.container.type": "always"},
        },
        "spec": spec,
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": POD},
        "stringData": {".server-password": "s3cret"},
    }
    made: list[ClusterObject] = [*bundle.maps, *bundle.claims]
    rest = [manifests.data(each) for each in made]
    return [*rest, secret, pod]


@contextmanager
def resolver() -> Iterator[None]:
    """Answer names at the address that stands for the cluster's DNS."""
    program = f"""
import socket, dns.message, dns.rrset, dns.rdatatype
names = {NAMES!r}
door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
door.bind(({DNS!r}, 53))
print("ready", flush=True)
while True:
    wire, peer = door.recvfrom(4096)
    query = dns.message.from_wire(wire)
    answer = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    address = names.get(question.name.to_text(omit_final_dot=True).lower())
    kind = "AAAA" if address and ":" in address else "A"
    if address and dns.rdatatype.to_text(question.rdtype) == kind:
        answer.answer = [dns.rrset.from_text(question.name, 30, "IN", kind, address)]
    elif not address:
        answer.set_rcode(3)
    door.sendto(answer.to_wire(), peer)
"""
    command = ["ip", "netns", "exec", world.NAMESPACE, sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert server.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            server.kill()


def container(name: str) -> str:
    return f"{POD}-{name}"


def state(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.call("docker", "inspect", container(name)))[0]["State"]
    return found


def inside(name: str, script: str, check: bool = True) -> str:
    return world.call("docker", "exec", container(name), "/bin/sh", "-c", script, check=check)


def eventually(what: str, true: "Any", patience: float = 60) -> float:
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > patience:
            raise AssertionError(f"not in {patience} s: {what}")
        time.sleep(0.5)
    return round(time.monotonic() - begun, 1)


def gate_said(text: str) -> bool:
    return text in world.logs(container("agent"))


def serves() -> bool:
    """Tell whether the agent's own question, as the probe of the pod asks it, is answered well."""
    done = subprocess.run(
        ["docker", "exec", container("agent"), "/bin/sh", "/etc/jailoc/health.sh"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode == 0


def matrix(bundle: ClusterBundle) -> list[str]:
    """Return each destination that is not as the rules say; by address, then by name."""
    targets: list[world.Target] = [
        ("public", world.PUBLIC, world.PORT),
        ("public6", world.PUBLIC_IPV6, world.PORT),
        ("allowed", world.ALLOWED, world.PORT),
        ("allowed6", world.ALLOWED_IPV6, world.PORT),
        ("api", world.NEIGHBOUR, world.PORT),
        *((name, address, world.PORT) for name, address in world.CLOSED.items()),
    ]
    opened = {NAMES["named.test"], NAMES["named6.test"]}
    seen, wrong = world.probe(container("agent"), targets), []
    for name, address, port in targets:
        parsed = ipaddress.ip_address(address)
        family = Family(parsed.version)
        by_rule = parsed in accepted(bundle.firewall.of(family), Protocol.TCP, port)
        wanted = by_rule or address in opened
        word, seconds = seen[name]
        if (word == "hello") != wanted or (not wanted and seconds > 1):
            wrong.append(f"{name} {address}: {word} after {seconds} s, open is {wanted}")
    return [*wrong, f"{len(targets)} destinations"]


def namespace_of_pod() -> str:
    status, text = podman("GET", f"pods/{POD}/json")
    assert status == 200, text
    infra = json.loads(text)["InfraContainerID"]
    pid = json.loads(world.call("docker", "inspect", infra))[0]["State"]["Pid"]
    return f"--net=/proc/{pid}/ns/net"


def rules() -> list[int]:
    inner = namespace_of_pod()
    return [
        sum(line.startswith("-A") for line in world.call("nsenter", inner, tool, "-S").splitlines())
        for tool in ("iptables", "ip6tables")
    ]


def main(wall: str, agent: str) -> dict[str, object]:
    bundle = compiled(TEXT, **SETTINGS)
    text = "---\n".join(json.dumps(each) + "\n" for each in
                        translated(bundle, {"wall": wall, "agent": agent}))  # fmt: skip
    told: dict[str, object] = {}
    with world.hosts(), resolver():
        status, said = podman(
            "POST", "networks/create",
            json.dumps({"name": NETWORK, "driver": "bridge", "ipv6_enabled": True, "subnets": [
                {"subnet": "10.89.77.0/24"}, {"subnet": "fd00:77::/64"}]}),
        )  # fmt: skip
        assert status == 200, said
        begun = time.monotonic()
        status, said = podman("POST", f"play/kube?start=true&network={NETWORK}", text)
        told["play"] = [status, said[-600:] if status != 200 else ""]
        if status != 200:
            told["images"] = world.call("docker", "images").splitlines()
            told["logs"] = {each: logs(each) for each in ("wall", "names", "agent")}
            return told
        try:
            told |= tried(bundle, begun)
        except AssertionError as error:
            told["problem"] = str(error)
            told["logs"] = {each: logs(each) for each in ("wall", "names", "agent")}
        finally:
            podman("DELETE", "play/kube?force=true", text)
    return told


def logs(name: str) -> str:
    try:
        return world.logs(container(name))[-2000:]
    except subprocess.CalledProcessError as error:
        return str(error)


def tried(bundle: ClusterBundle, begun: float) -> dict[str, object]:
    told: dict[str, object] = {}
    told["wall"] = [state("wall")["ExitCode"], logs("wall").strip().splitlines()[-1:]]
    eventually("names", lambda: "state.json" in inside("names", "ls /run/jailoc/names", False))
    eventually("served", serves, 120)
    told["served after"] = round(time.monotonic() - begun, 1)
    for each in ("names", "agent"):
        told[f"powers of {each}"] = inside(
            each, "grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid)' /proc/1/status"
        ).split()
        told[f"root of {each}"] = inside(each, "touch /x 2>&1 || true").strip()
    told["rules"] = rules()
    told["resolved"] = {
        name: inside("agent", f"getent hosts {name} || true").split()[:1]
        for name in (*NAMES, "other.invalid")
    }
    told["matrix"] = matrix(bundle)
    # An own setting of the agent's must not fool the gate, in the same network it lets pass.
    inside("agent", "printf 'max-time = 0.001\\n' >/home/agent/.curlrc")
    world.call("docker", "restart", "-t", "2", container("agent"))
    told["restarted alone"] = eventually("the agent again", serves, 90)
    inner = namespace_of_pod()
    world.call("nsenter", inner, "iptables", "-P", "INPUT", "ACCEPT")
    world.call("nsenter", inner, "iptables", "-F", "INPUT")
    world.call("docker", "restart", "-t", "2", container("agent"))
    eventually("flushed", lambda: gate_said("rules are not in force (curl: 7)"))
    told["rules flushed"] = [state("agent")["Status"], serves()]
    status, said = podman("POST", f"pods/{POD}/restart?t=2")
    told["pod restarted"] = status if status == 200 else [status, said]
    time.sleep(10)
    told["gate"] = logs("agent").strip().splitlines()[-2:]
    told["in a new network"] = [rules(), serves()]
    podman("POST", f"pods/{POD}/stop?t=2")
    status, said = podman("POST", f"pods/{POD}/start")
    told["pod started"] = status if status == 200 else [status, said]
    told["stopped and started"] = [eventually("the agent at last", serves, 120), rules()]
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:3])) + "\n")
