"""Write the system calls that the kernel refuses to the sidecar and all that runs in it.

The format is that of the engine's `--security-opt seccomp=FILE`
(https://docs.docker.com/engine/security/seccomp/). A daemon without root needs calls that the
engine's own profile keeps for root: `mount`, `unshare`, `setns`, `pivot_root` and others. So this
one allows what it does not name.
"""

import json
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

AF_VSOCK = 40
"""Sockets to the hypervisor and to its other guests (vsock(7)), which no rule of a network sees."""

AF_PACKET = 17
"""Sockets below the network's layer (packet(7)): the memory of their rings is counted to nobody, so
no limit bounds it."""

_INT = 0xFFFFFFFF
"""What the kernel reads of an argument of type int; more would let 1 << 32 | 40 pass."""
_SYS_SOCKET = 1
"""The sub-call of `socketcall` that makes a socket (socketcall(2))."""
_SOCKETS = (("socket", AF_VSOCK), ("socket", AF_PACKET), ("socketcall", _SYS_SOCKET))
"""Calls that are refused for one value of their first argument.

`socketcall`, which 32-bit x86 alone has, keeps the family in memory, where no filter reads: there
it makes no socket of any family. `socket` itself does.
"""

_ARCHITECTURES = {
    "SCMP_ARCH_X86_64": ("SCMP_ARCH_X86", "SCMP_ARCH_X32"),
    "SCMP_ARCH_AARCH64": ("SCMP_ARCH_ARM",),
}
"""Each with what else its kernel runs. A call of any other architecture ends its process."""


def profile() -> str:
    """Return the sidecar's profile as the text of a file."""
    calls: list[dict[str, Any]] = [
        {"names": [*names], "action": "SCMP_ACT_ERRNO", "errnoRet": error}
        for names, error in ((KEYRINGS, ENOSYS), (KERNEL, EPERM))
    ]
    for name, value in _SOCKETS:
        first = {"index": 0, "value": _INT, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
        calls.append(
            {"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": EAFNOSUPPORT, "args": [first]}
        )
    data = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [
            {"architecture": each, "subArchitectures": [*others]}
            for each, others in _ARCHITECTURES.items()
        ],
        "syscalls": calls,
    }
    return json.dumps(data, indent=1) + "\n"


def is_profile(text: str) -> bool:
    """Tell whether what the engine reports of a container is this profile.

    Compose hands the file's text over without white space.
    """
    try:
        return bool(json.loads(text) == json.loads(profile()))
    except (ValueError, RecursionError):
        return False
