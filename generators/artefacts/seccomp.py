"""Write the system calls that the kernel refuses to what runs in a sandbox.

The format is that of the engine's `--security-opt seccomp=FILE`
(https://docs.docker.com/engine/security/seccomp/). The agent's profile, which is that of all
without power, refuses what it does not name, and so do that of who reads its files and the one for
all containers of an engine. A daemon without root needs calls that no other does, `mount`,
`unshare`, `setns`, `pivot_root` and others, so the sidecar's allows what it does not name.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jailoc.generators.artefacts.system_calls import CALLS
from jailoc.model.compose import SecurityOption
from jailoc.model.host import Host

ENOSYS, EPERM, ENOTTY, EPROTONOSUPPORT, EAFNOSUPPORT = 38, 1, 25, 93, 97
"""errno(3) on Linux, the same on every architecture here."""

KEYRINGS = ("add_key", "keyctl", "request_key")
"""Keyrings belong to a UID of the kernel's, whatever user namespace asks (keyrings(7)).

Refused as missing: a runtime that is forbidden to join a keyring starts no container, one whose
kernel has none goes on.
"""

ASYNCHRONOUS = (
    "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_setup",
    "io_submit",
)  # fmt: skip
"""Reading and writing that goes on by itself (io_submit(2)): what is on its way comes to a file
while whoever sent it is halted, up to ten seconds later.

Refused as missing: a database whose kernel has none does without.
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

UNIX, INET, INET6, NETLINK = FAMILIES

ENDS: tuple[tuple[int, tuple[int, ...]], ...] = ((1, (0, 6, 262)), (2, (0, 1, 17, 58)))
"""Types of an agent's sockets of INET and INET6 with their protocols: STREAM of TCP and MPTCP,
DGRAM of UDP and of ICMP's echo (ip(7), icmp(7)). RAW and the rest take a capability or a module."""

LINKS = (0, 4)
"""Protocols of an agent's NETLINK sockets: ROUTE and SOCK_DIAG, by which programs learn of
interfaces and sockets (netlink(7)). KOBJECT_UEVENT tells of the machine's devices."""

OTHER_TYPES = (4, 5, 6)
"""RDM, SEQPACKET and DCCP, which for INET and INET6 are modules of the kernel's."""

OTHER_PROTOCOLS = (33, 115, 132, 256)
"""DCCP, L2TP, SCTP and SMC, which are modules too."""

PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
"""LINUX and LINUX32, plain and with uname(2) of 2.6, and the question which it is (personality(2)).
Others switch address randomisation off."""

LINUX = 1024
"""Of fcntl(2): commands from here on are Linux's own. This one is F_SETLEASE, by which whoever owns
a file, as an agent does what is its user's, has all others wait that open it. What is below has not
this bit."""

LEASES = (LINUX, LINUX + 2, LINUX + 16)
"""Those that have others wait or tell of them: F_SETLEASE, F_NOTIFY, F_SETDELEG."""

COMMANDS = tuple(each for each in range(LINUX, LINUX + 15) if each not in LEASES)
"""The others, which are allowed."""

SHUT = (ord("f"), 0x94, 0xBC)
"""Of ioctl(2): kinds of commands, by which whoever owns a directory is asked no more. An agent is
its user by number: it could take away the key of the user's encrypted files (`linux/fscrypt.h`),
for it is told which that is. And it could have Btrfs or bcachefs show in its project all that the
volume of it holds, of which Btrfs asks for a volume's own top since Linux 6.7."""

SNAPSHOTS = (0x50009401, 0x50009417)
"""Those of Btrfs that do so (`linux/btrfs.h`)."""

OPEN = (0x80086601, 0x40086602, 0x80046601, 0x40046602, 0xC020660B,
        0x40049409, 0x4020940D, 0xC0189436)  # fmt: skip
"""Those of them that are allowed: flags of a file (64 bits and 32), where it lies, and copies that
share what is in it (`linux/fs.h`, `linux/fiemap.h`)."""

NAMESPACES = 0x7E020000
"""The flags of clone(2) that make namespaces. clone3(2) has them in memory, where no filter reads:
it is refused as missing, and the C libraries fall back."""

POWERS = (
    ("CAP_NET_ADMIN", ("socket", "socketpair")),
    ("CAP_SYS_CHROOT", ("chroot",)),
    (
        "CAP_SYS_ADMIN",
        (
            "clone", "clone3", "fsconfig", "fsmount", "fsopen", "fspick", "ioctl", "mount",
            "mount_setattr", "move_mount", "open_tree", "pivot_root", "setns", "umount", "umount2",
            "unshare",
        ),
    ),
)  # fmt: skip
"""Capabilities with the calls that they are for, in a profile of all containers of an engine: the
wall's and those of builds have some."""

_INT = 0xFFFFFFFF
"""What the kernel reads of a register for an int; compilers may leave anything in the rest."""
_TYPE = 0xF
"""What it reads of a socket's type; the other bits are flags."""

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

_AGENTS = _ARCHITECTURES | {"SCMP_ARCH_X86_64": ()}
"""The same for an agent, without x86 of 32 bits: who allows some of `socket` there has
libseccomp(3) allow all of `socketcall`."""


def options(host: Host) -> tuple[SecurityOption, ...]:
    """Return the options of a container without power: an agent's, its proxy's, a service's."""
    plain = (SecurityOption.NO_NEW_PRIVILEGES,)
    return (*plain, SecurityOption.SECCOMP) if host.profiles else plain


@cache
def profile() -> str:
    """Return the profile of what has no power, as the text of a file."""
    return _text(_ERRNO, [*_plain(), *_sockets()], _AGENTS)


@cache
def reader() -> str:
    """Return the profile of who reads an agent's files from outside: the same, and no socket."""
    return _text(_ERRNO, _plain(), _AGENTS)


@cache
def whole() -> str:
    """Return one for all containers of an engine that takes none for one of them, as Podman.

    Who has no power has the same; with a capability its calls are there.
    """
    calls = [*_plain(), *_sockets()]
    for capability, names in POWERS:
        for each in calls:
            if each["action"] != _ALLOW and {*each["names"]} & {*names}:
                each["excludes"] = {"caps": [capability]}
        calls.append({"names": [*names], "action": _ALLOW, "includes": {"caps": [capability]}})
    return _text(_ERRNO, calls, _AGENTS)


def _plain() -> list[dict[str, Any]]:
    return [
        {"names": [*CALLS], "action": _ALLOW},
        {"names": [*ASYNCHRONOUS], "action": _ERRNO, "errnoRet": ENOSYS},
        _allow("clone", (0, NAMESPACES, 0)),
        {"names": ["clone3"], "action": _ERRNO, "errnoRet": ENOSYS},
        *(_allow("personality", (0, _INT, each)) for each in PERSONALITIES),
        *(
            {**_allow("fcntl", condition), "names": ["fcntl", "fcntl64"]}
            for condition in ((1, LINUX, 0), *((1, _INT, each) for each in COMMANDS))
        ),
        *(_allow("ioctl", (1, mask << 8, value << 8)) for mask, value in _others(SHUT)),
        *(_allow("ioctl", (1, _INT, each)) for each in OPEN),
    ]


def _others(
    shut: tuple[int, ...], bit: int = 0x80, mask: int = 0, value: int = 0
) -> Iterator[tuple[int, int]]:
    """Yield which bits of a byte are to be what, so that one of them fits each byte but some.

    A filter compares with what a call may be, one by one: of `not this` it would take any.

    >>> list(_others((0xFF, 0xFE)))[-1]
    (254, 252)
    """
    if all(each & mask != value for each in shut):
        yield mask, value
    elif bit:
        for each in (0, bit):
            yield from _others(shut, bit >> 1, mask | bit, value | each)


def _sockets() -> list[dict[str, Any]]:
    return [
        _allow("socketpair", (0, _INT, UNIX)),
        _allow("socket", (0, _INT, UNIX)),
        *(
            _allow("socket", (0, _INT, family), (1, _TYPE, kind), (2, _INT, protocol))
            for family in (INET, INET6)
            for kind, protocols in ENDS
            for protocol in protocols
        ),
        *(_allow("socket", (0, _INT, NETLINK), (2, _INT, each)) for each in LINKS),
    ]


@cache
def sidecar() -> str:
    """Return the sidecar's profile as the text of a file."""
    calls: list[dict[str, Any]] = [
        {"names": [*names], "action": _ERRNO, "errnoRet": error}
        for names, error in ((KEYRINGS, ENOSYS), (KERNEL, EPERM))
    ]
    # A number above an int's, of which the kernel would read the lower half alone, is greater, too.
    refused = [(each, "SCMP_CMP_EQ") for each in range(max(FAMILIES)) if each not in FAMILIES]
    for value, comparison in (*refused, (max(FAMILIES), "SCMP_CMP_GT")):
        calls.append(
            {
                "names": ["socket", "socketpair"], "action": _ERRNO, "errnoRet": EAFNOSUPPORT,
                "args": [{"index": 0, "value": value, "op": comparison}],
            }
        )  # fmt: skip
    for family in (INET, INET6):
        calls += [
            _refuse("socket", EPROTONOSUPPORT, (0, _INT, family), (1, _TYPE, each))
            for each in OTHER_TYPES
        ]
        calls += [
            _refuse("socket", EPROTONOSUPPORT, (0, _INT, family), (2, _INT, each))
            for each in OTHER_PROTOCOLS
        ]
    calls += [
        _refuse("socketcall", EAFNOSUPPORT, (0, _INT, each))
        for each in (_SYS_SOCKET, _SYS_SOCKETPAIR)
    ]
    # Its volumes lie where the machine's files do, and whoever saves these opens them.
    calls += [
        {**_refuse("fcntl", EPERM, (1, _INT, each)), "names": ["fcntl", "fcntl64"]}
        for each in LEASES
    ]
    calls += [_refuse("ioctl", ENOTTY, (1, _INT, each)) for each in SNAPSHOTS]
    calls.append(_refuse("ioctl", ENOTTY, (1, 0xFF << 8, SHUT[-1] << 8)))
    return _text(_ALLOW, calls, _ARCHITECTURES)


_ALLOW, _ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
_Condition = tuple[int, int, int]
"""An argument's index, the bits of it that count, and what they have to be."""


def _allow(name: str, *conditions: _Condition) -> dict[str, Any]:
    """Return what allows a call if all conditions hold."""
    args = [
        {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
        for index, mask, value in conditions
    ]
    return {"names": [name], "action": _ALLOW, "args": args}


def _refuse(name: str, error: int, *conditions: _Condition) -> dict[str, Any]:
    """Return what refuses a call if all conditions hold."""
    return {**_allow(name, *conditions), "action": _ERRNO, "errnoRet": error}


def _text(
    default: str, calls: list[dict[str, Any]], architectures: dict[str, tuple[str, ...]]
) -> str:
    data = {
        "defaultAction": default,
        "archMap": [
            {"architecture": each, "subArchitectures": [*others]}
            for each, others in architectures.items()
        ],
        "syscalls": calls,
    }
    return json.dumps(data, indent=1) + "\n"


def named(text: str) -> SecurityOption | None:
    """Return which profile it is that the engine reports of a container; None for another.

    Compose hands the file's text over without white space.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    known = ((SecurityOption.SECCOMP, profile()), (SecurityOption.SECCOMP_SIDECAR, sidecar()))
    return next((option for option, each in known if data == json.loads(each)), None)
