"""A program of the tools image sees what it is given, does nothing else, and is gone at its end."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jailoc.bin.engine import tools
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.engine.tools import Tool, ToolMount
from jailoc.model.sandbox import TOOLS_LABEL
from tests.engine import world
from tests.engine.tooling import containers, none_after, tools_image

pytestmark = pytest.mark.engine

NAME = "tools-test"


@pytest.fixture(scope="module")
def image() -> str:
    return tools_image()


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    with none_after(NAME):
        yield


def left() -> list[str]:
    return containers(NAME)


def tool(image: str, *words: str, mounts: tuple[ToolMount, ...] = ()) -> Tool:
    return Tool(image, NAME, "1234:1234", words, mounts)


def ran(image: str, script: str, *mounts: ToolMount) -> str:
    words = ("sh", "-c", script, "sh", *(each.target for each in mounts))
    found = tools.ask(tool(image, *words, mounts=mounts), what="a test", timeout=60)
    return (found.stdout + found.stderr).decode()


def test_it_has_no_privilege_no_network_and_no_place_to_write_but_memory(image: str) -> None:
    said = ran(image, """
        id -u; id -g; echo $HOME; ls /sys/class/net
        grep -hE '^(CapBnd|CapEff|NoNewPrivs)' /proc/self/status | cut -f 2 | sort
        for place in / /etc /var/tmp /dev /home; do touch $place/x 2>/dev/null && echo $place; done
        touch $HOME/x && echo memory
        cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null
        cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null
    """)  # fmt: skip
    none = "0" * 16
    user = ["1234", "1234", "/tmp", "lo"]  # noqa: S108 -- in the container
    assert said.split() == [*user, none, none, "1", "memory", str(1 << 30), "64"]


def test_its_git_reads_what_belongs_to_another_user(image: str, tmp_path: Path) -> None:
    world.call("git", "init", "--quiet", str(tmp_path / "it"))
    tmp_path.chmod(0o755)
    mount = ToolMount(str(tmp_path / "it"), "/it")
    assert ran(image, "git -C /it rev-parse --is-inside-work-tree", mount) == "true\n"
    refused = ran(image, "GIT_CONFIG_GLOBAL= git -C /it rev-parse --is-inside-work-tree", mount)
    assert "dubious ownership" in refused


@pytest.mark.parametrize("name", ['a,b="c"', "source=x,readonly ä $HOME"])
def test_a_mount_is_the_named_place_whatever_it_is_called(
    image: str, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "here").write_text("mine")
    (tmp_path / name).chmod(0o777)
    target = f"/{name}"
    seen = ran(image, 'cat "$1/here"; touch "$1/x"', ToolMount(str(tmp_path / name), target))
    assert seen.startswith("mine")
    assert "Read-only file system" in seen
    ran(image, 'touch "$1/x"', ToolMount(str(tmp_path / name), target, writable=True))
    assert (tmp_path / name / "x").exists()


def test_an_answer_is_handed_on_piece_by_piece_and_bounded(image: str) -> None:
    size, pieces = 3_000_000, [0]

    def take(piece: bytes) -> None:
        pieces[0] += len(piece)

    words = tool(image, "head", "-c", str(size), "/dev/zero")
    assert tools.pour(words, take, what="a test", timeout=60, limit=size).status == 0
    assert pieces == [size]
    with pytest.raises(DockerError, match="a test") as refused:
        tools.pour(words, take, what="a test", timeout=60, limit=size - 1)
    assert refused.value.cut
    assert left() == []


def test_what_it_reads_and_its_own_status_come_through(image: str) -> None:
    words = tool(image, "sh", "-c", "cat; head -c 5000 /dev/zero | tr '\\0' e >&2; exit 3")
    pieces: list[bytes] = []
    data = os.urandom(200_000)
    found = tools.pour(words, pieces.append, what="it", timeout=60, limit=1 << 20, stdin=data)
    assert (found.status, b"".join(pieces), found.stderr) == (3, data, b"e" * 2048)
    with pytest.raises(DockerError, match="it"):
        tools.ask(tool(image, "no-such-program"), what="it", timeout=60)
    assert left() == []


ENDLESS = ("cat", "/dev/zero")


def killed_client(image: str) -> list[DockerError]:
    """Kill docker(1) under a program that never ends; return what its caller gets."""
    errors: list[DockerError] = []

    def run() -> None:
        try:
            tools.pour(tool(image, *ENDLESS), lambda _: None, what="x", timeout=60, limit=1 << 50)
        except DockerError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    waited(lambda: bool(left()))
    label = f"{TOOLS_LABEL}={NAME}"
    for each in Path("/proc").glob("[0-9]*"):
        try:
            words = (each / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if label.encode() in words and words[0] == b"docker":
            os.kill(int(each.name), signal.SIGKILL)
    thread.join(30)
    assert not thread.is_alive()
    return errors


def waited(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not there():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_killed_client_leaves_no_container(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.status for each in killed_client(image)] == [-signal.SIGKILL]
    assert left() == []
    # The control: without the removal by name, it goes on.
    monkeypatch.setattr(tools, "_remove", lambda *_: None)
    assert killed_client(image)
    assert len(left()) == 1
    tools.remove_left(f"{NAME}-other")
    assert len(left()) == 1
    tools.remove_left(NAME)
    assert left() == []


@pytest.mark.parametrize("why", [KeyboardInterrupt, DockerError])
def test_neither_does_an_interrupt_or_the_end_of_its_time(
    image: str, why: type[BaseException]
) -> None:
    def take(piece: bytes) -> None:
        if why is KeyboardInterrupt:
            raise KeyboardInterrupt

    seconds = 2 if why is DockerError else 60
    with pytest.raises(why):
        tools.pour(tool(image, *ENDLESS), take, what="x", timeout=seconds, limit=1 << 50)
    assert left() == []


@pytest.mark.thorough
def test_its_time_ends_inside_where_nobody_is_left_to_end_it(
    image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "MARGIN", -55)
    monkeypatch.setattr(tools, "_remove", lambda *_: None)
    killed_client(image)
    waited(lambda: not left())


def test_the_log_driver_keeps_nothing(image: str) -> None:
    settings: list[str] = []

    def take(piece: bytes) -> None:
        if not settings:
            text = "{{.HostConfig.LogConfig.Type}} {{.HostConfig.NetworkMode}}"
            settings.append(world.call("docker", "inspect", "--format", text, *left()))

    words = tool(image, "sh", "-c", "echo begin; sleep 1")
    tools.pour(words, take, what="x", timeout=60, limit=1000)
    assert re.fullmatch(r"none none\n", settings[0])
