"""The pod of a cluster on Podman's `kube play`: what can be tried of it without a cluster.

A program, not a module of tests: `tests/engine/engines run podman@trixie python3 -m
tests.engine.pod WALL AGENT DIND` runs it in Podman's network, with the names of the three images
that were loaded. It prints one JSON object: what each step has seen.

What Podman does not do as a cluster does is translated, and told: a StatefulSet becomes its pod,
`names` and `dind` ordinary containers (Podman waits for the end of each init container), images are
by tag, seccomp is left out by the annotation that Podman reads, and the user namespace is asked for
beside the pod (by itself Podman's has 1,024 users, too few for the resolver's): a first pod is in
none, a second one, with a Docker of the agent's own, in one of 65,536, a third in one of 1,024.
"""

import http.client
import ipaddress
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator
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


IMAGES = ("wall", "agent", "dind")


def translated(bundle: ClusterBundle, images: dict[str, str]) -> list[dict[str, Any]]:
    """Return what Podman plays; what is changed is told on standard error."""
    sandbox = manifests.data(bundle.sandbox)
    spec = sandbox["spec"]["template"]["spec"]
    every = (*spec["initContainers"], *spec["containers"])
    for each in every:
        each["imagePullPolicy"] = "Never"
        each["image"] = next(images[name] for name in IMAGES if f"/jailoc-{name}@" in each["image"])
    going_on = [each for each in spec["initContainers"] if "restartPolicy" in each]
    for each in going_on:
        spec["initContainers"].remove(each)
        del each["restartPolicy"]
    spec["containers"] = [*going_on, *spec["containers"]]
    spec.pop("hostUsers", None)
    for each in spec["volumes"]:
        if "secret" in each:  # Podman knows no fsGroup
            each["secret"]["defaultMode"] = 0o444
    sys.stderr.write(
        "translated: StatefulSet, `names`, `dind`, seccomp of `dind`, images, hostUsers, modes of "
        "secrets\n"
    )
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": POD,
            "labels": sandbox["metadata"]["labels"],
            # Or it would be removed, and never run again (podman-kube-play(1)).
            "annotations": {
                "io.podman.annotations.init.container.type": "always",
                # The field is passed over.
                **(
                    {"container.seccomp.security.alpha.kubernetes.io/dind": "unconfined"}
                    if bundle.sidecar
                    else {}
                ),
            },
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


TARGETS: list[world.Target] = [
    ("public", world.PUBLIC, world.PORT),
    ("public6", world.PUBLIC_IPV6, world.PORT),
    ("allowed", world.ALLOWED, world.PORT),
    ("allowed6", world.ALLOWED_IPV6, world.PORT),
    ("api", world.NEIGHBOUR, world.PORT),
    *((name, address, world.PORT) for name, address in world.CLOSED.items()),
]


def matrix(
    bundle: ClusterBundle, seen: world.Answers, families: Container[int] = (4, 6)
) -> list[str]:
    """Return each destination that is not as the rules say; by address, then by name.

    Args:
        bundle: What says so.
        seen: What was seen.
        families: Those that whoever has looked has addresses of.
    """
    opened = {NAMES["named.test"], NAMES["named6.test"]}
    wrong = []
    for name, address, port in TARGETS:
        parsed = ipaddress.ip_address(address)
        family = Family(parsed.version)
        by_rule = parsed in accepted(bundle.firewall.of(family), Protocol.TCP, port)
        wanted = (by_rule or address in opened) and parsed.version in families
        word, seconds = seen[name]
        if (word == "hello") != wanted or (not wanted and seconds > 1):
            wrong.append(f"{name} {address}: {word} after {seconds} s, open is {wanted}")
    return [*wrong, f"{len(TARGETS)} destinations"]


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


Told = dict[str, object]


def main(*images: str) -> Told:
    found: dict[str, str] = dict(zip(IMAGES, images, strict=True))
    told: Told = {}
    with world.hosts(), resolver():
        status, said = podman(
            "POST", "networks/create",
            json.dumps({"name": NETWORK, "driver": "bridge", "ipv6_enabled": True, "subnets": [
                {"subnet": "10.89.77.0/24"}, {"subnet": "fd00:77::/64"}]}),
        )  # fmt: skip
        assert status == 200, said
        plain, docker = compiled(TEXT, **SETTINGS), compiled(TEXT, docker="true", **SETTINGS)
        told |= played(plain, found, tried)
        if "problem" not in told:
            told["with docker"] = played(docker, found, tried_docker, "auto:size=65536")
            told["few users"] = played(plain, found, tried_few, "auto:size=1024")
    return told


def played(
    bundle: ClusterBundle,
    images: dict[str, str],
    look: Callable[[ClusterBundle, float], Told],
    users: str = "",
) -> Told:
    """Let Podman play a pod, look at it, and take it away."""
    text = "---\n".join(json.dumps(each) + "\n" for each in translated(bundle, images))
    begun = time.monotonic()
    more = f"&userns={users}" if users else ""
    status, said = podman("POST", f"play/kube?start=true&network={NETWORK}{more}", text)
    told: Told = {"play": [status, said[-600:] if status != 200 else ""]}
    try:
        return told | look(bundle, begun)
    except (AssertionError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", "") or ""
        names = ("wall", "names", "agent", *(("dind",) if bundle.sidecar else ()))
        return told | {
            "problem": f"{error} {output}"[:3000], "logs": {each: logs(each) for each in names},
        }  # fmt: skip
    finally:
        podman("DELETE", "play/kube?force=true", text)


def logs(name: str) -> str:
    try:
        return world.logs(container(name))[-2000:]
    except subprocess.CalledProcessError as error:
        return str(error)


def tried(bundle: ClusterBundle, begun: float) -> Told:
    told: Told = {}
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
    told["matrix"] = matrix(bundle, world.probe(container("agent"), TARGETS))
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


INNER = """set -e
tools='/bin/bash /usr/bin/timeout /usr/bin/python3'
modules=$(find /usr/lib/python3.*/lib-dynload -name '*.so')
libraries=$(ldd $tools $modules 2>/dev/null | grep -o '/lib[^ ]*' | sort -u)
tar -chf - --exclude=test --exclude=dist-packages --exclude=__pycache__ \
    $tools /usr/lib/python3.* $libraries 2>/dev/null | docker import - shell:1
"""
"""Makes an image in the agent's own Docker out of what the agent has."""
RESOLVE = """
import socket
for name in ("named.test", "public.test", "other.invalid"):
    try: print(name, socket.gethostbyname(name))
    except OSError: print(name, "none")
"""


def inner(network: str, program: str, stdin: str = "") -> str:
    """Run a Python program in a container of the agent's own Docker."""
    # With groups of version 1 the daemon's default would be those of the machine, which a pod in a
    # user namespace does not see; with version 2 this is the default.
    return world.call(
        "docker", "exec", "--interactive", container("agent"), "docker", "run", "--interactive",
        "--rm", "--cgroupns=private", f"--network={network}", "shell:1", "/usr/bin/python3", "-c",
        program, stdin=stdin,
    )  # fmt: skip


def tried_docker(bundle: ClusterBundle, begun: float) -> Told:
    told: Told = {}
    eventually("served", serves, 120)
    told["matrix"] = matrix(bundle, world.probe(container("agent"), TARGETS))
    eventually("docker", lambda: "Server" in inside("agent", "docker version 2>&1", False), 60)
    told["served after"] = round(time.monotonic() - begun, 1)
    for each in ("names", "agent", "dind"):
        told[f"powers of {each}"] = inside(
            each, "grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid)' /proc/1/status"
        ).split()
    told["users"] = inside("agent", "cat /proc/1/uid_map").split()
    world.call("docker", "exec", container("agent"), "/bin/bash", "-c", INNER)
    told["users of an inner container"] = inner(
        "bridge", "print(open('/proc/self/uid_map').read())"
    ).split()
    for each in ("bridge", "host"):
        seen = json.loads(inner(each, world.PROBE, json.dumps(TARGETS)))
        answers = {name: (word, seconds) for name, (word, seconds) in seen.items()}
        told[f"matrix of {each}"] = matrix(bundle, answers, (4,))
        told[f"names of {each}"] = inner(each, RESOLVE).splitlines()
    told["agent on the socket's place"] = inside("agent", "touch /run/dind/x 2>&1 || true").strip()
    space = namespace_of_pod()
    world.call("nsenter", space, "iptables", "-P", "INPUT", "ACCEPT")
    world.call("nsenter", space, "iptables", "-F", "INPUT")
    world.call("docker", "restart", "-t", "2", container("dind"))
    gone = "rules are not in force (bash: 1)"
    eventually("gate of docker", lambda: gone in world.logs(container("dind")))
    told["docker without rules"] = inside("agent", "docker version 2>&1 | tail -n 1", False).strip()
    return told


def tried_few(_bundle: ClusterBundle, _begun: float) -> Told:
    """Look at a pod whose user namespace has no resolver's user."""
    time.sleep(5)
    ends = {each: state(each) for each in ("wall", "names", "agent")}
    return {
        "wall": [ends["wall"]["ExitCode"], logs("wall").strip().splitlines()[-1:]],
        "running": [name for name, each in ends.items() if each["Running"]],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:4])) + "\n")
