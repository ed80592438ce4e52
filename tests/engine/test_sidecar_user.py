"""What the sidecar shares with the machine and with the agent: keyrings, calls, files, a port."""

import itertools
import json
import os
import platform
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jailoc.generators.artefacts.seccomp import KERNEL, sidecar
from jailoc.model.path import within
from jailoc.model.sandbox import AGENT, DOCKER_SOCKET, SIDECAR, SIDECAR_RUN
from tests.engine import world
from tests.engine.conftest import Sandbox, inner_image
from tests.engine.pod import eventually

pytestmark = pytest.mark.engine

VALUE = "a secret of the host's user"
PLANT = f"""
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)
key = libc.syscall(NUMBERS[0], b"user", b"jailoc-test", b"{VALUE}", {len(VALUE)},
                   ctypes.c_long(-4))
assert key > 0, ctypes.get_errno()
print("planted", flush=True)
time.sleep(300)
"""
READ = """
import ctypes, json, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    found = libc.syscall(*arguments)
    return found if found >= 0 else -ctypes.get_errno()
lines = [line.split() for line in open("/proc/keys")]
told = {"session": call(NUMBERS[1], 0, ctypes.c_long(-3), 1), "value": ""}
for line in lines:
    if line[8] == "_uid.1000:":
        call(NUMBERS[1], 8, int(line[0], 16), ctypes.c_long(-3))
for line in lines:
    if line[8] == "jailoc-test:":
        place = ctypes.create_string_buffer(100)
        call(NUMBERS[1], 11, int(line[0], 16), place, 100)
        told["value"] = place.value.decode()
if os.uname().machine == "x86_64":
    told["x32"] = call(0x40000000 | 250, 0, ctypes.c_long(-3), 1)
    # keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1) as a program of 32 bits says it.
    code = bytes.fromhex("53b82001000031dbb9fdffffffba01000000cd805bc3")
    room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    room.write(code)
    place = ctypes.addressof(ctypes.c_char.from_buffer(room))
    told["i386"] = ctypes.CFUNCTYPE(ctypes.c_int)(place)()
print(json.dumps(told))
"""
NUMBERS = {"x86_64": (248, 250), "aarch64": (217, 219)}.get(platform.machine(), (0, 0))
"""add_key(2) and keyctl(2)."""
OPEN = ("--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined")
ENOSYS, EPERM, EFAULT, EPROTONOSUPPORT, EAFNOSUPPORT = 38, 1, 14, 93, 97


def inspected(sandbox: Sandbox, service: str) -> Any:
    return json.loads(world.call("docker", "inspect", sandbox.container(service)))[0]


def in_the_agents_docker(sandbox: Sandbox, *command: str, stdin: str | None = None) -> str:
    """Run the docker command as the agent does."""
    return world.call("docker", "exec", "--interactive", "--user", "1000:1000",
                      sandbox.container("opencode"), "docker", *command, stdin=stdin)  # fmt: skip


def descendants(container: str) -> list[tuple[str, str]]:
    """Return the UID and the words of all that the container's first process began.

    The engine's own checks of its health are none of them: they are put there from outside.
    """
    listed = world.call("docker", "top", container, "-eo", "pid,ppid,uid,args").splitlines()[1:]
    rows = [line.split(maxsplit=3) for line in listed]
    own = {world.call("docker", "inspect", "--format", "{{.State.Pid}}", container).strip()}
    while found := {pid for pid, parent, *_ in rows if parent in own} - own:
        own |= found
    return [(uid, words) for pid, _, uid, words in rows if pid in own]


def numbered(program: str) -> str:
    return f"NUMBERS = {NUMBERS}\n{program}"


@pytest.fixture
def key(sandbox: Sandbox) -> Iterator[str]:
    """Have a key in the keyring of UID 1000 of the machine; yield the image of who has it."""
    image = str(inspected(sandbox, "opencode")["Image"])
    started = [
        "docker", "run", "--rm", "--interactive", "--name", "jailoc-test-key", "--user",
        "1000:1000", "--network", "none", *OPEN, "--entrypoint", "python3", image, "-c",
        numbered(PLANT),
    ]  # fmt: skip
    world.call("docker", "rm", "--force", "jailoc-test-key", check=False)
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            assert running.stdout.readline() == "planted\n"
            yield image
        finally:
            world.call("docker", "rm", "--force", "jailoc-test-key", check=False)


@pytest.mark.skipif(NUMBERS == (0, 0), reason="the numbers of the calls are not known here")
def test_no_container_of_the_agents_reads_a_keyring_of_the_hosts_user(
    sandbox: Sandbox, key: str, tmp_path: Path
) -> None:
    """Each of the two measures does it alone: the profile, and a UID that is nobody's."""

    def outside(*options: str) -> dict[str, Any]:
        words = ["docker", "run", "--rm", "--interactive", "--network", "none", *options,
                 "--entrypoint", "python3", key, "-c", numbered(READ)]  # fmt: skip
        found: dict[str, Any] = json.loads(world.call(*words))
        return found

    control = outside("--user", "1000:1000", *OPEN)
    assert control["value"] == VALUE, "without either, the key is read"
    assert control["session"] > 0
    other = outside("--user", "65532:65532", *OPEN)
    assert other["value"] == ""
    assert other["session"] > 0
    file = tmp_path / "seccomp.json"
    file.write_text(sidecar())
    held = ("--security-opt", f"seccomp={file}", "--security-opt", "systempaths=unconfined")
    assert {**outside("--user", "1000:1000", *held), "value": ""} == {
        each: "" if each == "value" else -ENOSYS for each in control
    }

    inner_image(sandbox)
    told = json.loads(in_the_agents_docker(
        sandbox, "run", "--rm", "--interactive", *OPEN, "shell:1", "/usr/bin/python3", "-c",
        numbered(READ),
    ))  # fmt: skip
    assert told == {each: "" if each == "value" else -ENOSYS for each in control}


SOCKETS = """
import ctypes, json, mmap
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    return 0 if libc.syscall(*arguments) >= 0 else ctypes.get_errno()
def code(text):
    room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    room.write(bytes.fromhex(text))
    place = ctypes.addressof(ctypes.c_char.from_buffer(room))
    return max(0, -ctypes.CFUNCTYPE(ctypes.c_int)(place)())
print(json.dumps({
    "plain": call(41, 40, 1, 0),
    "padded": call(41, ctypes.c_long(1 << 32 | 40), 1, 0),
    "packet": call(41, 17, 3, 0),
    "xdp": call(41, 44, 3, 0),
    "pair": call(53, 44, 3, 0, ctypes.create_string_buffer(8)),
    "below": call(41, 9, 5, 0),
    "x32": call(0x40000000 | 41, 40, 1, 0),
    # socket(AF_SOCKETS, SOCK_STREAM, 0), then socketcall(SYS_SOCKET, NULL), by programs of 32 bits.
    "i386": code("53b867010000bb28000000b90100000031d2cd805bc3"),
    "call": code("53b866000000bb0100000031c931d2cd805bc3"),
    "protocols": [call(41, *each) for each in ((2, 1, 132), (10, 5, 0), (2, 6, 33), (2, 2, 115))],
    "others": [call(41, family, kind, 0) for family, kind in ((1, 1), (2, 1), (10, 2), (16, 3))],
}))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of the calls are its")
def test_no_container_of_the_agents_makes_a_socket_of_another_family(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    image = inspected(sandbox, "opencode")["Image"]
    file = tmp_path / "seccomp.json"
    file.write_text(sidecar())

    def outside(profile: object) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(world.call(
            "docker", "run", "--rm", "--user", "0:0", "--network", "none", "--security-opt",
            f"seccomp={profile}", "--entrypoint", "python3", image, "-c", SOCKETS,
        ))  # fmt: skip
        return found

    control, held = outside("unconfined"), outside(file)
    assert control["packet"] == control["xdp"] == 0, "the engine lets root make one"
    assert control["call"] == EFAULT, "without a filter the kernel looks at the arguments"
    assert held == dict.fromkeys(control, EAFNOSUPPORT) | {
        "others": control["others"], "protocols": [EPROTONOSUPPORT] * 4,
    }  # fmt: skip
    # The kernel looks for a module, and knows no such type where it finds none.
    assert control["protocols"][1:3] != held["protocols"][1:3]
    inner_image(sandbox)
    told = json.loads(in_the_agents_docker(
        sandbox, "run", "--rm", "--interactive", *OPEN, "shell:1", "/usr/bin/python3", "-c",
        SOCKETS,
    ))  # fmt: skip
    assert told == held


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of the calls are its")
def test_calls_about_the_machine_are_refused_to_containers_of_the_agents(
    sandbox: Sandbox,
) -> None:
    numbers = {"bpf": 321, "io_uring_setup": 425, "userfaultfd": 323, "perf_event_open": 298,
               "open_by_handle_at": 304, "syslog": 103}  # fmt: skip
    assert numbers.keys() <= {*KERNEL}
    # Bad arguments: a kernel that looks at them says so, one that refuses does not look.
    program = (
        "import ctypes, json; libc = ctypes.CDLL(None, use_errno=True)\n"
        f"print(json.dumps({{name: (libc.syscall(number, -1, 0, -1, -1, -1), ctypes.get_errno())[1]"
        f" for name, number in {numbers}.items()}}))"
    )
    image = inspected(sandbox, "opencode")["Image"]
    control = json.loads(world.call(
        "docker", "run", "--rm", "--network", "none", "--user", "0", *OPEN,
        *(word for each in ("SYS_ADMIN", "SYSLOG", "DAC_READ_SEARCH")
          for word in ("--cap-add", each)),
        "--entrypoint", "python3", image, "-c", program,
    ))  # fmt: skip
    open_here = [each for each, error in control.items() if error != EPERM]
    assert len(open_here) > 3, control
    inner_image(sandbox)
    told = json.loads(in_the_agents_docker(
        sandbox, "run", "--rm", "--cap-add", "ALL", *OPEN, "shell:1", "/usr/bin/python3", "-c",
        program,
    ))  # fmt: skip
    assert told == dict.fromkeys(numbers, EPERM)


def test_the_sidecar_and_all_in_it_run_as_a_user_of_their_own(sandbox: Sandbox) -> None:
    inner_image(sandbox)
    in_the_agents_docker(
        sandbox, "run", "--detach", "--name", "own", "shell:1",
        "/usr/bin/python3", "-c", "import time; time.sleep(60)",
    )  # fmt: skip
    try:
        own = descendants(sandbox.container("dind"))
        assert any("time.sleep(60)" in words for _, words in own)
        # And the relay to the daemon, over which no container has any power.
        assert {uid for uid, _ in own} == {"65530", "65532"}
        assert all(words.startswith("perl -e") for uid, words in own if uid == "65530")
    finally:
        in_the_agents_docker(sandbox, "rm", "--force", "own")


def test_the_work_of_the_agents_docker_goes_on_under_the_profile(sandbox: Sandbox) -> None:
    """Build, run, volumes, networks, compose: what a runtime asks the kernel for first."""
    inner_image(sandbox)
    script = """
        set -e
        mkdir -p /tmp/work && cd /tmp/work
        printf 'FROM shell:1\\nRUN ["/bin/bash", "-c", "echo built >/built"]\\n' >Dockerfile
        printf '%s' '{"services": {"one": {"build": ".", "volumes": ["kept:/kept"], "command":
            ["/bin/bash", "-c", "read word </built; echo $$word >/kept/word; echo $$word"]}},
            "volumes": {"kept": {}}}' >compose.json
        docker compose --file compose.json build >/dev/null 2>&1
        docker compose --file compose.json run --rm one 2>/dev/null
        docker run --rm --volume work_kept:/kept shell:1 /bin/bash -c 'echo "$(</kept/word)"'
        docker compose --file compose.json down --volumes 2>/dev/null
    """
    told = world.call("docker", "exec", "--user", "1000:1000", sandbox.container("opencode"),
                      "bash", "-c", script)  # fmt: skip
    assert told.split() == ["built", "built"]


MAKE = """
import os
def file(name, uid, gid, mode):
    with open("/v/" + name, "w") as door:
        door.write(name)
    os.chown("/v/" + name, uid, gid)
    os.chmod("/v/" + name, mode)
file("set id", 0, 0, 0o4755)
file("others", 33, 0, 0o2755)
file("line\\nend", 0, 33, 0o640)
file("capable [x] =", 0, 0, 0o755)
os.setxattr("/v/capable [x] =", "security.capability",
            bytes.fromhex("0100000200200000000000000000000000000000"))
os.symlink("/etc/passwd", "/v/link")
os.mkdir("/v/closed", 0o700)
file("closed/deep", 0, 0, 0o600)
"""
LOOK = """
import json, os
found = {}
for name in sorted([*os.listdir("/v"), "closed/deep"]):
    state = os.lstat("/v/" + name)
    try:
        held = os.getxattr("/v/" + name, "security.capability", follow_symlinks=False).hex()
    except OSError:
        held = ""
    found[name] = [state.st_uid, state.st_gid, oct(state.st_mode), held]
print(json.dumps(found))
"""
BACK = "cd /data && find . -mindepth 1 -xdev -uid 65532 -exec chown -h 1000 {} + && " \
       "find . -mindepth 1 -xdev -gid 65532 -exec chgrp -h 1000 {} +"  # fmt: skip
"""What an older version left, once the wall has looked at the volume itself."""


def test_what_the_sidecar_kept_as_the_agents_user_stays_usable(sandbox: Sandbox) -> None:
    inner_image(sandbox)
    run = ("run", "--rm", "--volume", "old:/v", "shell:1", "/usr/bin/python3", "-c")
    in_the_agents_docker(sandbox, *run, MAKE)
    before = json.loads(in_the_agents_docker(sandbox, *run, LOOK))
    # On the way to the older owner the bits and the capabilities get lost: they are put back.
    capability = "0100000300200000000000000000000000000000e8030000"
    again = f"""
import os
os.chmod("/v/set id", 0o4755)
os.chmod("/v/others", 0o2755)
os.setxattr("/v/capable [x] =", "security.capability", bytes.fromhex("{capability}"))
"""
    image = inspected(sandbox, "dind")["Image"]
    volume = f"{sandbox.project}_dind-data"
    world.call("docker", "rm", "--force", sandbox.container("dind"))
    world.call("docker", "run", "--rm", "--user", "0", "--volume", f"{volume}:/data",
               "--entrypoint", "/bin/sh", image, "-c", BACK)  # fmt: skip
    agent = inspected(sandbox, "opencode")["Image"]
    world.call("docker", "run", "--rm", "--user", "0", "--volume",
               f"{volume}:/data", "--entrypoint", "/bin/sh", agent, "-c",
               'ln -s /data/volumes/old/_data /v && exec python3 -c "$1"', "sh", again)  # fmt: skip
    sandbox.user.ok("up", "walled")
    assert "giving the data of user 1000 to user 65532, once" in world.logs(
        sandbox.container("dind")
    )
    assert json.loads(in_the_agents_docker(sandbox, *run, LOOK)) == before
    left = world.call("docker", "run", "--rm", "--user", "0", "--volume", f"{volume}:/data",
                      "--entrypoint", "/usr/bin/find", image, "/data", "-xdev", "(", "-uid", "1000",
                      "-o", "-gid", "1000", ")")  # fmt: skip
    assert left == ""
    in_the_agents_docker(sandbox, "volume", "rm", "old")


RECEIVE = """
import os, socket
door = socket.socket(socket.AF_UNIX)
door.bind("/s/handed")
os.chmod("/s/handed", 0o666)
door.listen()
print("listening", flush=True)
other, _ = door.accept()
_, (folder, *_), _, _ = socket.recv_fds(other, 10, 1)
os.rename("hooks", "moved", src_dir_fd=folder, dst_dir_fd=folder)
other.send(b"x")
"""
SEND = """
import os, socket
try:
    os.rename("/p/.git/hooks", "/p/.git/moved")
except OSError as error:
    print(error.strerror)
os.chmod("/p/.git", 0o777)
other = socket.socket(socket.AF_UNIX)
other.connect("/s/handed")
socket.send_fds(other, [b"x"], [os.open("/p/.git", os.O_DIRECTORY)])
print(other.recv(1))
"""


def test_control_a_directory_that_is_handed_to_another_container_loses_its_covers(
    sandbox: Sandbox,
) -> None:
    """A mount holds a name in place in its own namespace alone (rename(2), EBUSY)."""
    place = sandbox.user.home / "handed"
    (place / "p/.git/hooks").mkdir(parents=True)
    (place / "s").mkdir()
    (place / "s").chmod(0o777)
    world.call("chown", "-R", "1000:1000", str(place / "p"))
    image = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))[0]["Image"]
    plain = ("docker", "run", "--network", "none", "--entrypoint", "python3",
             "--volume", f"{place}/s:/s", "--log-opt", "max-size=1m")  # fmt: skip
    receiver = world.call(*plain, "--detach", "--user", "65532", image, "-u", "-c", RECEIVE).strip()
    try:
        eventually("its socket", lambda: "listening" in world.logs(receiver))
        told = world.call(
            *plain, "--rm", "--user", "1000", "--volume", f"{place}/p:/p",
            "--volume", f"{place}/p/.git/hooks:/p/.git/hooks:ro", image, "-c", SEND,
        )  # fmt: skip
    finally:
        world.call("docker", "rm", "--force", receiver)
    assert told == "Device or resource busy\nb'x'\n"
    assert (place / "p/.git/moved").is_dir()


STEAL = """
import ctypes, os, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
me = sorted(int(each) for each in os.listdir("/proc") if each.isdigit())
def program(pid):
    try:
        return open(f"/proc/{pid}/cmdline", "rb").read().split(b"\\0")
    except OSError:
        return [b""]
found = []
for pid in me:
    words = program(pid)
    if not words[0].endswith((b"dockerd", b"perl")):
        continue
    handle = libc.syscall(434, pid, 0)
    for number in range(100):
        got = libc.syscall(438, handle, number, 0)
        if got < 0:
            continue
        try:
            one = socket.socket(fileno=os.dup(got))
            name = one.getsockname()
        except OSError:
            continue
        if one.family == socket.AF_UNIX and name:
            found.append(f"{os.path.basename(words[0]).decode()} {name}")
print("\\n".join(sorted(set(map(str, found)))))
"""


def with_all_power(sandbox: Sandbox, script: str) -> str:
    """Run Python in a container of the agent's that has what power its Docker can give."""
    inner_image(sandbox)
    return world.call(
        "docker", "exec", sandbox.container("opencode"), "docker", "run", "--rm", "--pid", "host",
        "--cap-add", "ALL", "--security-opt", "seccomp=unconfined", "--network", "none", "shell:1",
        "/usr/bin/python3", "-c", script,
    )  # fmt: skip


def test_no_container_of_the_agents_takes_the_socket_that_the_agent_talks_to(
    sandbox: Sandbox,
) -> None:
    """With all power over the daemon's processes it gets theirs (pidfd_getfd(2)), and not that."""
    told = with_all_power(sandbox, STEAL)
    # Control: the daemon's own, at which nobody but the relay asks.
    assert "dockerd /tmp/rootless." in told
    assert SIDECAR_RUN not in told


TRACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE = 0x4206
for pid in sorted(int(each) for each in os.listdir("/proc") if each.isdigit()):
    if pid == os.getpid() or libc.ptrace(PTRACE_SEIZE, pid, 0, 0):
        continue
    with open(f"/proc/{pid}/comm") as name:
        print(os.readlink(f"/proc/{pid}/ns/net"), name.read().strip())
"""


def test_no_container_of_the_agents_has_power_over_who_is_in_the_agents_network(
    sandbox: Sandbox,
) -> None:
    """Abstract sockets are the network namespace's: who is in both hands on what is open."""
    told = with_all_power(sandbox, TRACE)
    found = [line.split(" ", 1) for line in told.splitlines()]
    # Control: over the daemon it has all power.
    assert "dockerd" in {name for _, name in found}
    wall = inspected(sandbox, "firewall")["State"]["Pid"]
    assert os.readlink(f"/proc/{wall}/ns/net") not in {network for network, _ in found}  # noqa: PTH115 -- no path


def test_the_agent_can_hand_no_open_file_to_a_container_of_its_own(sandbox: Sandbox) -> None:
    inner_image(sandbox)
    agent = ("docker", "exec", sandbox.container("opencode"))
    told = world.call(
        *agent, "docker", "run", "--rm", "--network", "none", "--cap-add", "ALL",
        "--volume", "/run/dind:/s", "shell:1", "/usr/bin/python3", "-c", RECEIVE, check=False,
    )  # fmt: skip
    assert "listening" not in told
    for words in (
        ("python3", "-c", RECEIVE.replace("/s/", "/run/dind/")),
        ("rm", "/run/dind/docker.sock"), ("mkdir", "/run/dind/more"), ("chmod", "777", "/run/dind"),
    ):  # fmt: skip
        assert subprocess.run([*agent, *words], capture_output=True, check=False).returncode != 0
    inside = ("docker", "run", "--rm", "--network", "none", "--volume", "/run/dind:/s", "shell:1",
              "/bin/bash", "-c")  # fmt: skip
    # Control: what it can do there is to look, and to speak with the daemon.
    assert world.call(*agent, *inside, "[ -S /s/docker.sock ] && ! [ -w /s ] && echo there") == (
        "there\n"
    )


class Seen(NamedTuple):
    """A file system, or a part of one, as a container has it (proc_pid_mountinfo(5))."""

    device: str
    root: str
    point: str
    writable: bool


VIEWS = ("proc", "sysfs", "cgroup", "cgroup2")
"""Of the kernel: nobody makes a socket there."""


def mounts(sandbox: Sandbox, service: str) -> list[Seen]:
    process = json.loads(world.call("docker", "inspect", sandbox.container(service)))[0]["State"]
    around = Path(f"/proc/{process['Pid']}")
    found = []
    for line in (around / "mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        _, _, device, root, point, options, *_ = before.split()
        # No socket is made in a file, as the engine mounts hosts(5).
        if after.split()[0] not in VIEWS and (around / "root" / point[1:]).is_dir():
            found.append(Seen(device, root, point, "rw" in options.split(",")))
    return found


def test_the_agent_and_its_docker_share_one_place_and_no_other(sandbox: Sandbox) -> None:
    """By a socket in any other they could hand each other what they have open."""
    common = {
        (mine.point, other.point)
        for mine, other in itertools.product(*(mounts(sandbox, each) for each in (AGENT, SIDECAR)))
        if mine.device == other.device
        and (mine.writable or other.writable)
        and (within(mine.root, other.root) or within(other.root, mine.root))
    }
    assert common == {(SIDECAR_RUN, SIDECAR_RUN)}
    volume = world.call(
        "docker", "volume", "inspect", "--format", "{{.Mountpoint}}",
        f"{sandbox.project}_{DOCKER_SOCKET}",
    ).strip()  # fmt: skip
    state = Path(volume).stat()
    assert (state.st_uid, state.st_mode & 0o777) == (0, 0o755)


SERVE = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Squatter(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"squatter")
HTTPServer(("", 4096), Squatter).serve_forever()
"""


@contextmanager
def squatter(sandbox: Sandbox) -> Iterator[None]:
    """Have a container of the agent's Docker on the port, while the agent is stopped."""
    inner_image(sandbox)
    daemon = ("docker", "exec", "--user", "65532:65532", sandbox.container("dind"), "docker",
              "--host", "unix:///run/dind/docker.sock")  # fmt: skip
    world.call("docker", "stop", "--time", "3", sandbox.container("opencode"))
    world.call(*daemon, "run", "--detach", "--name", "squatter", "--publish", "4096:4096",
               "shell:1", "/usr/bin/python3", "-c", SERVE)  # fmt: skip
    try:
        yield
    finally:
        world.call(*daemon, "rm", "--force", "squatter", check=False)
        sandbox.user.ok("up", "walled")


def answer(port: int) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/global/health", timeout=4) as answered:
            return str(answered.read().decode())
    except (OSError, urllib.error.URLError):
        return ""


def test_a_container_of_the_agents_never_answers_where_its_server_does(sandbox: Sandbox) -> None:
    wall = ("docker", "exec", "--user", "0", sandbox.container("firewall"))
    port = sandbox.port
    with squatter(sandbox):
        rule = next(line for line in world.call(*wall, "iptables-save").splitlines()
                    if "only the agent serves here" in line)  # fmt: skip
        time.sleep(2)
        assert answer(port) == ""
        world.call(*wall, "iptables", "-D", "OUTPUT", *without(rule))
        try:
            assert answer(port) == "squatter", "without the rule it is taken for the agent"
        finally:
            world.call(*wall, "/bin/sh", "/etc/jailoc/firewall.sh", "reload")
        assert answer(port) == ""
        result = sandbox.user.run("up", "walled")
        assert result.status == 1
        assert "port 4096 inside the sandbox is held by the agent's own Docker" in result.stderr
        assert "started on port" not in result.stderr


def without(rule: str) -> list[str]:
    """Return the words of a rule as iptables-save prints it, without chain and comment."""
    words = rule.split()
    start, end = words.index("OUTPUT") + 1, words.index("comment") - 1
    return [*words[start:end], "-m", "comment", "--comment", "only the agent serves here",
            *words[words.index("-j"):]]  # fmt: skip
