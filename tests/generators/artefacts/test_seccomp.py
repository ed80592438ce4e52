"""The sidecar's system calls: what the file says, and how the engine's copy of it is read."""

import json
from typing import Any

from jailoc.generators.artefacts.container_fields import expected, found
from jailoc.generators.artefacts.seccomp import (
    FAMILIES,
    KERNEL,
    KEYRINGS,
    is_profile,
    profile,
)
from jailoc.model.sandbox import SIDECAR_SECCOMP
from tests.strategies import bundle_of, file_of


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


def test_sockets_of_no_other_family_are_made_by_what_the_kernel_reads_of_the_number() -> None:
    rules = [
        (each["args"][0], name, each["action"], each["errnoRet"])
        for each in json.loads(profile())["syscalls"] if "args" in each for name in each["names"]
    ]  # fmt: skip
    assert {(action, error) for _, _, action, error in rules} == {("SCMP_ACT_ERRNO", 97)}

    def refused(call: str, first: int) -> bool:
        compare = {"SCMP_CMP_EQ": int.__eq__, "SCMP_CMP_GT": int.__gt__}
        return any(
            compare[rule["op"]](first, rule["value"]) and rule["index"] == 0
            for rule, name, _, _ in rules if name == call
        )  # fmt: skip

    for call in ("socket", "socketpair"):
        assert {each for each in range(1 << 10) if not refused(call, each)} == {*FAMILIES}
        # An int of the kernel's is the lower half of a register.
        assert all(refused(call, 1 << 32 | each) for each in range(64))
    assert [each for each in range(21) if refused("socketcall", each)] == [1, 8]


def test_the_engines_copy_is_the_profile_and_any_other_is_drift() -> None:
    wanted = expected(bundle_of("[workspaces.a]", "a").compose.services["dind"], "jailoc-a")
    compact = json.dumps(json.loads(profile()), separators=(",", ":"))
    assert found(inspected(compact, BOUNDED), None)["security"] == wanted["security"].value
    data = json.loads(profile())
    data["syscalls"].pop()
    for other in (json.dumps(data), "unconfined", "{", "[" * 100_000):
        assert not is_profile(other)
        assert found(inspected(other, BOUNDED), None)["security"] != wanted["security"].value


def test_another_bound_of_the_output_is_drift() -> None:
    wanted = expected(bundle_of("[workspaces.a]", "a").compose.services["dind"], "jailoc-a")
    compact = profile()
    assert found(inspected(compact, BOUNDED), None)["logs"] == wanted["logs"].value
    for other in ({"Type": "json-file", "Config": {}}, {"Type": "local", "Config": {}}):
        assert found(inspected(compact, other), None)["logs"] != wanted["logs"].value
