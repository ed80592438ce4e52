"""Write the system calls that the kernel refuses to the sidecar and all that runs in it.

The format is that of the engine's `--security-opt seccomp=FILE`
(https://docs.docker.com/engine/security/seccomp/). A daemon without root needs calls that the
engine's own profile keeps for root: `mount`, `unshare`, `setns`, `pivot_root` and others. So this
one allows what it does not name.
"""

import json
from functools import cache
from typing import Any

ENOSYS, EPERM, EAFNOSUPPORT = 38, 1, 97
"""errno(3) on Linux, the same on every architecture here."""

KEYRINGS = ("add_key", "keyctl", "request_key")
"""Keyrings belong to a UID of the kernel's, whatever user namespace asks (keyrings(7)).

Refused as missing: a runtime that is forbidden to join a keyring starts no container, one whose
kernel has none goes on.
"""

KERNEL = (
    "_sysctl", "acct", "bpf", "clock_settime", "clock_settime64", "create_module",
    "delete_module", "finit_module", "get_kernel_syms", "init_module", "io_uring_enter",
    "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kexec_file_load", "kexec_load",
    "lookup_dcookie", "nfsservctl", "open_by_handle_at", "perf_event_open", "query_module",
    "quotactl", "quotactl_fd", "settimeofday", "stime", "swapoff", "swapon", "sysfs", "syslog",
    "uselib", "userfaultfd", "ustat", "vm86", "vm86old",
)  # fmt: skip
"""Calls about the machine as a whole, or often part of an escape; nothing inside needs them.

All but `syslog` are refused by the engine's own profile, too, to whoever is not root. Calls that a
kernel does not know are passed over.
"""

FAMILIES = (1, 2, 10, 16)
"""Families of sockets that there are: UNIX, INET, INET6 and NETLINK (address_families(7)).

Any other may load a module into the machine's kernel, reach what no rule of a network sees (VSOCK,
the hypervisor and its other guests), or hold memory that is counted to nobody, so that no limit
bounds it (the rings of PACKET and XDP).
"""

_SYS_SOCKET, _SYS_SOCKETPAIR = 1, 8
"""The sub-calls of `socketcall` that make sockets (socketcall(2)).

`socketcall`, which 32-bit x86 alone has, keeps the family in memory, where no filter reads: there
it makes no socket of any family. `socket` itself does.
"""

_ARCHITECTURES = {
    "SCMP_ARCH_X86_64": ("SCMP_ARCH_X86", "SCMP_ARCH_X32"),
    "SCMP_ARCH_AARCH64": ("SCMP_ARCH_ARM",),
}
"""Each with what else its kernel runs. A call of any other architecture ends its process."""


@cache
def profile() -> str:
    """Return the sidecar's profile as the text of a file."""
    calls: list[dict[str, Any]] = [
        {"names": [*names], "action": "SCMP_ACT_ERRNO", "errnoRet": error}
        for names, error in ((KEYRINGS, ENOSYS), (KERNEL, EPERM))
    ]
    # A number above an int's, of which the kernel would read the lower half alone, is greater, too.
    refused = [(each, "SCMP_CMP_EQ") for each in range(max(FAMILIES)) if each not in FAMILIES]
    for value, comparison in (*refused, (max(FAMILIES), "SCMP_CMP_GT")):
        calls.append(_socket(("socket", "socketpair"), value, comparison))
    calls += [
        _socket(("socketcall",), each, "SCMP_CMP_EQ") for each in (_SYS_SOCKET, _SYS_SOCKETPAIR)
    ]
    data = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [
            {"architecture": each, "subArchitectures": [*others]}
            for each, others in _ARCHITECTURES.items()
        ],
        "syscalls": calls,
    }
    return json.dumps(data, indent=1) + "\n"


def _socket(names: tuple[str, ...], value: int, comparison: str) -> dict[str, Any]:
    """Return what refuses these calls for a first argument that compares so with `value`."""
    return {
        "names": [*names], "action": "SCMP_ACT_ERRNO", "errnoRet": EAFNOSUPPORT,
        "args": [{"index": 0, "value": value, "op": comparison}],
    }  # fmt: skip


def is_profile(text: str) -> bool:
    """Tell whether what the engine reports of a container is this profile.

    Compose hands the file's text over without white space.
    """
    try:
        return bool(json.loads(text) == json.loads(profile()))
    except (ValueError, RecursionError):
        return False
