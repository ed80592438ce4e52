"""What a sandbox can take of the machine without end: nothing."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine import world
from tests.engine.conftest import Sandbox

pytestmark = pytest.mark.engine

LINE, LINES = "x" * 1000, 90_000
LOOP = f"import sys; sys.stdout.writelines(['{LINE}\\n'] * {LINES}); print('the last line')"
LIMIT = 60 << 20
"""Bytes that the engine keeps of a service: three files of 20 MiB."""


def kept(container: str) -> int:
    """Return the bytes of a container's log on the disk, in all its files."""
    path = Path(world.call("docker", "inspect", "--format", "{{.LogPath}}", container).strip())
    if not path.is_file():
        pytest.skip("the engine's files are not on this machine")
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))


@contextmanager
def unbounded(sandbox: Sandbox) -> Iterator[str]:
    (data,) = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))
    name = "jailoc-test-unbounded"
    world.call("docker", "rm", "--force", name, check=False)
    world.call("docker", "run", "--detach", "--name", name, "--network", "none", "--log-driver",
               "json-file", "--entrypoint", "python3", data["Image"], "-c", LOOP)  # fmt: skip
    try:
        world.call("docker", "wait", name)
        yield name
    finally:
        world.call("docker", "rm", "--force", name)


def test_a_loop_in_the_agent_does_not_fill_the_disk_with_its_log(sandbox: Sandbox) -> None:
    with unbounded(sandbox) as container:
        assert kept(container) > LIMIT + (20 << 20), "without the limit all is kept"
    agent = sandbox.container("opencode")
    world.call("docker", "exec", "--user", "1000:1000", agent, "/bin/sh", "-c",
               'exec python3 -c "$1" >/proc/1/fd/1', "sh", LOOP)  # fmt: skip
    assert 1 << 20 < kept(agent) <= LIMIT + (1 << 20)
    assert "the last line" in sandbox.user.ok("logs", "walled", "--tail", "50")


def test_the_output_of_every_service_is_bounded(sandbox: Sandbox) -> None:
    for service in ("firewall", "opencode", "dind"):
        (data,) = json.loads(world.call("docker", "inspect", sandbox.container(service)))
        assert data["HostConfig"]["LogConfig"] == {
            "Type": "json-file", "Config": {"max-size": "20m", "max-file": "3"},
        }  # fmt: skip


LEASED = 40
"""Seconds; a lease ends after 45 (proc(5), lease-break-time)."""
LEASE = """
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
door = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.fcntl(door, fcntl.F_SETLEASE, fcntl.F_WRLCK)
if os.fork():  # who holds it now is not who took it
    os._exit(0)
print("held", flush=True)
time.sleep(300)
"""


@pytest.fixture
def leased(sandbox: Sandbox) -> Iterator[Path]:
    """Return a file of the agent's in its project."""
    place = sandbox.user.home / "project/leased"
    place.touch()
    os.chown(place, 1000, 1000)
    yield place
    place.unlink()


def test_an_agent_takes_no_lease(sandbox: Sandbox, leased: Path) -> None:
    """Of its own files or of the user's, which have one owner; the next test is the control."""
    agent = sandbox.container("opencode")
    for place in (str(leased), "/tmp/leased"):  # noqa: S108 -- in the sandbox
        words = ("docker", "exec", "--user", "1000:1000", agent, "python3", "-c", LEASE, place)
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == "PermissionError: [Errno 1] Operation not permitted"


def test_no_snapshot_waits_for_what_an_agent_holds(sandbox: Sandbox, leased: Path) -> None:
    """Where the engine takes no profile an agent can take leases; here one beside it does."""
    place, name = leased, "jailoc-walled-leases-1"
    image = world.call(
        "docker", "inspect", "--format", "{{.Image}}", sandbox.container("opencode")
    ).strip()
    words = [
        "docker", "run", "--rm", "--name", name, "--network", "none", "--user", "1000:1000",
        "--security-opt", "seccomp=unconfined", "--cap-drop", "ALL", "--log-driver", "none",
        "--mount", f"type=bind,source={place.parent},target={place.parent}",
        "--label", "com.docker.compose.project=jailoc-walled",
        "--label", "com.docker.compose.service=leases",
        "--entrypoint", "/bin/sh", image, "-c", 'python3 -c "$@"; sleep 300', "-", LEASE,
        str(place),
    ]  # fmt: skip
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            # Control: whoever opens it would wait.
            with pytest.raises(BlockingIOError):
                os.open(place, os.O_RDONLY | os.O_NONBLOCK)
            refused = sandbox.user.run("snapshot", "walled")
            assert refused.status == 1
            assert "programs in `walled` hold 1 lease on files" in refused.stderr
            assert "`jailoc down walled`" in refused.stderr
            # Who only looks does not wait, either.
            begun = time.monotonic()
            sandbox.user.ok("status", "walled")
            assert time.monotonic() - begun < LEASED
        finally:
            world.call("docker", "rm", "--force", name, check=False)
            holder.kill()
    sandbox.user.ok("snapshot", "walled")
