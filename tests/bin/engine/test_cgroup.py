"""What a container uses is read from the kernel's counters, and only if they are its own."""

from pathlib import Path

import pytest

from jailoc.bin.engine import cgroup

ID = "0f" * 32
NET = """Inter-|   Receive                            |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs
    lo:  900 1 0 0 0 0 0 0  900 1 0 0 0 0 0 0
  eth0:1000 1 0 0 0 0 0 0  200 1 0 0 0 0 0 0
"""
V2 = {
    "cpu.stat": "usage_usec 1500000\nuser_usec 1\n",
    "memory.current": "5000\n",
    "memory.stat": "anon 1\ninactive_file 1000\n",
    "memory.max": "1048576\n",
    "pids.current": "7\n",
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n",
}
V1 = {
    "cpuacct/GROUP/cpuacct.usage": "1500000000\n",
    "memory/GROUP/memory.usage_in_bytes": "5000\n",
    "memory/GROUP/memory.limit_in_bytes": "1048576\n",
    "memory/GROUP/memory.stat": "inactive_file 1\ntotal_inactive_file 1000\n",
    "pids/GROUP/pids.current": "7\n",
    "blkio/GROUP/blkio.throttle.io_service_bytes": "8:0 Read 11\n8:0 Write 22\nTotal 33\n",
}


def put(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroup, "PROC", tmp_path / "proc")
    monkeypatch.setattr(cgroup, "CGROUPS", tmp_path / "cgroup")
    put(tmp_path / "proc/meminfo", "MemTotal:  2048 kB\nMemFree: 1 kB\n")
    put(tmp_path / "proc/7/net/dev", NET)
    return tmp_path


def make(machine: Path, version: int, group: str, *, inner: str = "") -> None:
    if version == 2:
        put(machine / "proc/7/cgroup", f"0::/{group}{inner}\n")
        for name, text in V2.items():
            put(machine / "cgroup" / group / name, text)
    else:
        names = ("memory", "pids", "cpu,cpuacct", "blkio", "name=systemd")
        lines = [f"{index}:{each}:/{group}{inner}" for index, each in enumerate(names, 1)]
        put(machine / "proc/7/cgroup", "\n".join([*lines, "0::/"]) + "\n")
        for name, text in V1.items():
            put(machine / "cgroup" / name.replace("GROUP", group), text)


def test_a_thread_that_was_killed_is_seen_in_the_freezer_of_version_1(machine: Path) -> None:
    group = machine / f"cgroup/freezer/docker/{ID}"
    put(machine / "proc/7/cgroup", f"3:freezer:/docker/{ID}\n0::/\n")
    put(group / "tasks", "7\n8\n")
    put(group / "inner/tasks", "9\n10\n")
    for thread in (7, 8, 9):
        put(machine / f"proc/{thread}/status", "Name:\tx\nSigPnd:\t0000000000000000\n")
        put(machine / f"proc/{thread}/stat", f"{thread} (a) Z) D 1 7 7 0 -1 4194560 3\n")
    assert not cgroup.dying(ID, 7)
    for state, found in (("D", True), ("Z", False)):
        put(machine / "proc/9/stat", f"9 (a b) {state} 1 7 7 0 -1 {4194560 | 4} 3\n")
        assert cgroup.dying(ID, 7) is found
    put(machine / "proc/9/stat", "9 (a b) D 1 7 7 0 -1 4194560 3\n")
    for pending, found in (("0000000000000200", False), ("0000000000000100", True)):
        put(machine / "proc/9/status", f"Name:\ta:b\nSigPnd:\t{pending}\nShdPnd:\t{'0' * 16}\n")
        assert cgroup.dying(ID, 7) is found
    assert cgroup.freezes_all_but_killed()
    assert not cgroup.dying("1e" * 32, 7)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("group", [f"docker/{ID}", f"system.slice/docker-{ID}.scope"])
@pytest.mark.parametrize("inner", ["", "/init"])
def test_both_versions_of_cgroups_are_read(
    machine: Path, version: int, group: str, inner: str
) -> None:
    make(machine, version, group, inner=inner)
    found = cgroup.sample(ID, 7)
    assert found is not None
    assert found.cpu == 1.5
    usage = found.usage
    assert (usage.memory, usage.memory_limit, usage.pids) == (4000, 1048576, 7)
    assert (usage.received, usage.sent) == (1000, 200), "without loopback"
    assert (usage.read, usage.written) == (11, 22)


def test_without_a_limit_the_memory_of_the_machine_is_one(machine: Path) -> None:
    make(machine, 2, f"docker/{ID}")
    put(machine / "cgroup/docker" / ID / "memory.max", "max\n")
    found = cgroup.sample(ID, 7)
    assert found is not None
    assert found.usage.memory_limit == 2048 << 10


@pytest.mark.parametrize("version", [1, 2])
def test_the_process_of_another_machine_with_the_same_number_is_not_taken_for_it(
    machine: Path, version: int
) -> None:
    make(machine, version, f"docker/{ID}")
    assert cgroup.sample(ID, 7), "the control"
    assert cgroup.sample("ab" * 32, 7) is None


@pytest.mark.parametrize("name", sorted(V2))
@pytest.mark.parametrize("text", [None, "", "nonsense\n", "a b c\n"])
def test_what_cannot_be_read_is_no_answer(machine: Path, name: str, text: str | None) -> None:
    make(machine, 2, f"docker/{ID}")
    place = machine / "cgroup/docker" / ID / name
    place.unlink()
    if text is not None:
        place.write_text(text)
    assert name == "io.stat" or cgroup.sample(ID, 7) is None
    cgroup.sample(ID, 0)


def test_the_share_of_a_processor_is_that_between_two_samples(machine: Path) -> None:
    make(machine, 2, f"docker/{ID}")
    first = cgroup.sample(ID, 7)
    assert first is not None
    second = first._replace(moment=first.moment + 2, cpu=first.cpu + 3)
    assert cgroup.share(first, second).cpu == 150.0
    assert cgroup.share(second, first).cpu == 0.0


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("inner", ["", "/container"])
def test_what_the_kernel_has_halted_is_seen(
    machine: Path, version: int, inner: str, frozen: bool
) -> None:
    """Podman has a group in that of a container, and halts the inner one (crun(1))."""
    group = f"docker/{ID}"
    above = machine / "cgroup" / ("freezer" if version == 1 else "") / group
    put(machine / "proc/7/cgroup", f"{'4:freezer' if version == 1 else '0:'}:/{group}{inner}\n")

    def state(place: Path, halted: bool, processes: str) -> None:
        put(place / "cgroup.procs", processes)
        if version == 1:
            put(place / "freezer.state", "FROZEN\n" if halted else "THAWED\n")
        else:
            put(place / "cgroup.events", f"populated 1\nfrozen {int(halted)}\n")

    state(above, frozen and not inner, "" if inner else "7\n8\n")
    if inner:
        state(Path(f"{above}{inner}"), frozen, "7\n8\n")
    assert cgroup.frozen(ID, 7) is frozen
    state(above / "other", False, "9\n")
    assert cgroup.frozen(ID, 7) is False
    assert cgroup.frozen("1e" * 32, 7) is None, "another machine's"
    assert cgroup.frozen(ID, 8) is None
