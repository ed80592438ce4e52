"""System calls that a sandbox is refused: the files, and how the engine's copy is read."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from jailoc.generators.artefacts import seccomp
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.container_fields import expected, found
from jailoc.generators.artefacts.seccomp import (
    FAMILIES,
    KERNEL,
    KEYRINGS,
    named,
    profile,
    sidecar,
)
from jailoc.model.compose import SecurityOption
from jailoc.model.sandbox import DIGEST_LABEL, SECCOMP, SIDECAR_SECCOMP
from tests.strategies import HOST, bundle_of, config_of, file_of


def inspected(profile: str, logs: dict[str, Any]) -> dict[str, Any]:
    """Return what the engine says of a container, as far as it is looked at here."""
    options = [f"seccomp={profile}", "apparmor=unconfined"]
    return {
        "Config": {"Image": "x"},
        "HostConfig": {"SecurityOpt": options, "LogConfig": logs, "NetworkMode": "none"},
        "NetworkSettings": {},
    }


BOUNDED = {"Type": "json-file", "Config": {"max-size": "20m", "max-file": "3"}}


def test_keyring_calls_are_missing_and_the_others_forbidden() -> None:
    data = json.loads(file_of(bundle_of("[workspaces.a]", "a"), SIDECAR_SECCOMP))
    assert {
        name: each["errnoRet"]
        for each in data["syscalls"]
        if "args" not in each
        for name in each["names"]
    } == (dict.fromkeys(KEYRINGS, 38) | dict.fromkeys(KERNEL, 1))
    assert {"SCMP_ARCH_X86", "SCMP_ARCH_X32"} == {*data["archMap"][0]["subArchitectures"]}


def test_what_goes_on_by_itself_is_missing_to_whoever_has_no_power() -> None:
    for text in (profile(), seccomp.reader(), seccomp.whole()):
        assert {outcome(text, each) for each in seccomp.ASYNCHRONOUS} == {38}
        assert outcome(text, "pwrite64") is None


Errno = int | None
"""What a call ends with before the kernel does anything; None if it is let through."""


def outcome(text: str, call: str, *arguments: int) -> Errno:
    """Say what a profile makes of a call, as libseccomp does: what is refused by a rule, is."""
    compare: dict[str, Callable[[int, int, int], bool]] = {
        "SCMP_CMP_EQ": lambda given, value, _: given == value,
        "SCMP_CMP_GT": lambda given, value, _: given > value,
        "SCMP_CMP_MASKED_EQ": lambda given, mask, value: given & mask == value,
    }
    data = json.loads(text)
    for rule in data["syscalls"]:
        if call in rule["names"] and all(
            compare[each["op"]](arguments[each["index"]], each["value"], each.get("valueTwo", 0))
            for each in rule.get("args", ())
        ):
            return int(rule.get("errnoRet", 1)) if rule["action"] == "SCMP_ACT_ERRNO" else None
    return 1 if data["defaultAction"] == "SCMP_ACT_ERRNO" else None


HIGH = 0xABCD << 32
"""What a compiler may leave in the half of a register that the kernel does not read for an int."""
STREAM, DGRAM, RAW, SEQPACKET = 1, 2, 3, 5
CLOEXEC = 0o2000000


def test_the_sidecars_sockets_are_of_no_other_family_by_what_the_kernel_reads() -> None:
    for call in ("socket", "socketpair"):
        reached = {each for each in range(1 << 10) if not outcome(sidecar(), call, each, STREAM, 0)}
        assert reached == {*FAMILIES}
        # An int of the kernel's is the lower half of a register.
        assert all(outcome(sidecar(), call, 1 << 32 | each, STREAM, 0) for each in range(64))
    assert [each for each in range(21) if outcome(sidecar(), "socketcall", each)] == [1, 8]
    assert outcome(sidecar(), "socketcall", 1 | HIGH)


@pytest.mark.parametrize("family", [2, 10])
def test_no_socket_loads_a_module_of_a_protocol(family: int) -> None:
    for kind, protocol in ((STREAM, 132), (SEQPACKET, 0), (6, 0), (DGRAM, 115), (STREAM, 256)):
        for high in (0, HIGH):
            for text in (profile(), sidecar()):
                assert outcome(text, "socket", family | high * (text == profile()),
                               kind | CLOEXEC | high, protocol | high)  # fmt: skip
    for kind, protocol in ((STREAM, 0), (STREAM, 6), (STREAM, 262), (DGRAM, 0), (DGRAM, 17),
                           (DGRAM, 1), (DGRAM, 58)):  # fmt: skip
        assert outcome(profile(), "socket", family | HIGH, kind | CLOEXEC, protocol | HIGH) is None
        assert outcome(sidecar(), "socket", family, kind | CLOEXEC, protocol) is None
    assert outcome(profile(), "socket", family, RAW, 1)
    assert outcome(sidecar(), "socket", family, RAW, 1) is None


SEEN = (*range(20), 33, 58, 115, 132, 136, 255, 256, 262, 263)
"""Protocols: those of netlink, and what there is of IP's."""


def test_an_agent_has_sockets_of_its_programs_and_no_others() -> None:
    made = {
        (family, protocol)
        for family in range(48) for kind in (1, 2, 3, 5) for protocol in SEEN
        if outcome(profile(), "socket", family, kind, protocol) is None
    }  # fmt: skip
    assert made == {
        *((1, each) for each in SEEN), (16, 0), (16, 4),
        *((family, each) for family in (2, 10) for each in (0, 1, 6, 17, 58, 262)),
    }  # fmt: skip
    pairs = [each for each in range(64) if outcome(profile(), "socketpair", each, 1, 0) is None]
    assert pairs == [1]
    # libseccomp(3) makes `socketcall` of `socket` for x86 of 32 bits, and drops the conditions.
    assert json.loads(profile())["archMap"] == [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
    ]


def test_an_agent_makes_processes_and_no_namespaces() -> None:
    thread, child = 0x3D0F00, 0x1200011
    assert outcome(profile(), "clone", thread) is None is outcome(profile(), "clone", child)
    for bit in (17, 25, 26, 27, 28, 29, 30):
        assert outcome(profile(), "clone", child | 1 << bit) == 1
    assert outcome(profile(), "clone3") == 38
    assert outcome(profile(), "personality", 0x40000) == 1
    assert outcome(profile(), "personality", 0xFFFFFFFF) is None


ENCRYPTION = {
    "set a policy": 0x800C6613, "add a key": 0xC0506617, "remove a key": 0xC0406618,
    "remove it of all users": 0xC0406619, "status of a key": 0xC080661A,
    "the policy of a file": 0xC0096616,
}  # fmt: skip
SUBVOLUMES = {
    "snapshot": 0x50009401,
    "snapshot, too": 0x50009417,
    "remove": 0x5000940F,
    "of bcachefs": 0x4020BC10,
}
FILES = {
    "flags": 0x80086601, "set flags": 0x40086602, "where it lies": 0xC020660B, "clone": 0x40049409,
    "clone a part": 0x4020940D, "the same": 0xC0189436, "a terminal": 0x5401, "its size": 0x5413,
    "what can be read": 0x541B, "without waiting": 0x5421, "an address": 0x8915, "closed": 0x5451,
    "extended flags": 0x801C581F,
}  # fmt: skip


@pytest.mark.parametrize("text", [profile(), seccomp.reader()], ids=["agent", "reader"])
def test_an_agent_has_no_command_of_keys_and_snapshots_by_being_its_user(text: str) -> None:
    for each in (*ENCRYPTION.values(), *SUBVOLUMES.values()):
        assert outcome(text, "ioctl", 3, each) == outcome(text, "ioctl", 3, each | 1 << 40) == 1
    assert {each: outcome(text, "ioctl", 3, number) for each, number in FILES.items()} == (
        dict.fromkeys(FILES)
    )
    kinds = [each for each in range(256) if outcome(text, "ioctl", 3, each << 8 | 0x77)]
    assert kinds == sorted(seccomp.SHUT)


def test_a_container_of_the_sidecars_takes_no_lease() -> None:
    for call in ("fcntl", "fcntl64"):
        refused = {each for each in range(2048) if outcome(sidecar(), call, 3, each)}
        assert refused == {1024, 1026, 1040}
        assert outcome(sidecar(), call, 3, HIGH | 1024) == 1


def test_the_sidecar_makes_no_snapshot_of_what_its_volumes_lie_in() -> None:
    refused = {number for number in range(0x50009400, 0x50009440)
               if outcome(sidecar(), "ioctl", 3, number)}  # fmt: skip
    assert refused == {SUBVOLUMES["snapshot"], SUBVOLUMES["snapshot, too"]}
    assert outcome(sidecar(), "ioctl", 3, SUBVOLUMES["of bcachefs"]) == 25
    assert outcome(sidecar(), "ioctl", 3, 1 << 40 | SUBVOLUMES["snapshot"]) == 25
    assert {outcome(sidecar(), "ioctl", 3, each) for each in FILES.values()} == {None}


@pytest.mark.parametrize("call", [*KERNEL, *KEYRINGS])
def test_what_the_sidecar_may_not_the_agent_may_not_either(call: str) -> None:
    assert outcome(profile(), call) == 1
    assert outcome(sidecar(), call) == (38 if call in KEYRINGS else 1)


@pytest.mark.parametrize(
    "call",
    ["chroot", "fanotify_init", "fsmount", "kcmp", "mbind", "mount", "move_mount", "open_tree",
     "pidfd_getfd", "pivot_root", "process_madvise", "reboot", "setns", "umount2", "unshare",
     "vhangup", "a_call_of_a_later_kernel"],
)  # fmt: skip
def test_an_agent_is_refused_what_takes_a_capability(call: str) -> None:
    assert outcome(profile(), call) == 1
    assert outcome(profile(), "openat") is None


def test_all_without_power_has_the_profile_where_the_engine_takes_one() -> None:
    text = """
[workspaces.a]
enable_docker = true
[workspaces.a.services.db]
image = "db:1"
user = "70:70"
healthcheck = ["true"]
ports = [5432]
"""
    for profiles in (True, False):
        host = HOST.model_copy(update={"profiles": profiles})
        bundle = compile_workspace(config_of(text), "a", host)
        held = {
            name: SecurityOption.SECCOMP in each.security
            for name, each in bundle.compose.services.items()
        }
        assert held == {"firewall": False, "opencode": profiles, "dind": False, "db": profiles}
        (file,) = [each for each in bundle.files if each.path == SECCOMP]
        assert file.text == (seccomp.profile() if profiles else seccomp.whole())


def test_a_profile_for_all_containers_lets_the_powerless_do_no_more() -> None:
    """Rules without `includes` that hold for them are those of the agent's profile."""
    rules = json.loads(seccomp.whole())["syscalls"]
    for each in rules:
        each.pop("excludes", None)
    own = json.loads(seccomp.profile())["syscalls"]
    assert [each for each in rules if "includes" not in each] == own
    assert [(each["includes"]["caps"], each["names"]) for each in rules if "includes" in each] == [
        ([capability], [*names]) for capability, names in seccomp.POWERS
    ]


def test_another_profile_is_another_container() -> None:
    """Compose compares the name of the file, not what is in it."""
    label = bundle_of("[workspaces.a]", "a").compose.services["opencode"].labels[DIGEST_LABEL]
    host = HOST.model_copy(update={"profiles": False})
    other = compile_workspace(config_of("[workspaces.a]"), "a", host)
    assert other.compose.services["opencode"].labels[DIGEST_LABEL] != label


def test_the_engines_copy_is_the_profile_and_any_other_is_drift() -> None:
    wanted = expected(bundle_of("[workspaces.a]", "a").compose.services["dind"], "jailoc-a")
    compact = json.dumps(json.loads(sidecar()), separators=(",", ":"))
    assert found(inspected(compact, BOUNDED), None)["security"] == wanted["security"].value
    assert named(profile()) is SecurityOption.SECCOMP
    assert named(sidecar()) is SecurityOption.SECCOMP_SIDECAR
    data = json.loads(sidecar())
    data["syscalls"].pop()
    for other in (json.dumps(data), "unconfined", "{", "[" * 100_000):
        assert named(other) is None
        assert found(inspected(other, BOUNDED), None)["security"] != wanted["security"].value


def test_another_bound_of_the_output_is_drift() -> None:
    wanted = expected(bundle_of("[workspaces.a]", "a").compose.services["dind"], "jailoc-a")
    compact = sidecar()
    assert found(inspected(compact, BOUNDED), None)["logs"] == wanted["logs"].value
    for other in ({"Type": "json-file", "Config": {}}, {"Type": "local", "Config": {}}):
        assert found(inspected(compact, other), None)["logs"] != wanted["logs"].value
