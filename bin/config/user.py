"""Find out who runs jailoc, what the engine makes of users, and who may do what with files."""

import grp
import os
import platform
import pwd
import re
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

from jailoc.bin.engine import endpoint, stats
from jailoc.bin.engine.stats import About
from jailoc.bin.host import subordinate_ids
from jailoc.model.diagnostic import Refused
from jailoc.model.host import DESKTOPS, Host, Ids
from jailoc.model.permissions import Permissions
from jailoc.model.user import DEFAULT_ID, agent_user

POWERFUL = frozenset(
    ("adm", "admin", "disk", "docker", "incus", "incus-admin", "kmem", "kvm", "libvirt",
     "libvirt-qemu", "lxd", "podman", "shadow", "sudo", "systemd-journal", "wheel")
)  # fmt: skip
"""Groups whose members become root, or read what only root should (Debian's SystemGroups)."""
VIRTUAL = ("colima", "lima-")
"""How virtual machines for containers name themselves (https://lima-vm.io)."""


def gather(host: Host, paths: Iterable[str], worked: Iterable[str]) -> Host:
    """Return a machine with who runs jailoc, and with what the engine makes of users.

    The engine is asked only where its answer decides something: 1000 is 1000 everywhere.

    Args:
        host: The machine so far.
        paths: Whose permissions are looked at.
        worked: Those of them that agents work in.
    """
    known = {each: place for each in paths if (place := permissions(each)) is not None}
    found = host.model_copy(
        update={
            "uid": os.geteuid(),
            "gid": _plain(os.getegid()),
            "groups": tuple(sorted(each for each in os.getgroups() if not powerful(each))),
            "sudo": _sudo(),
            "permissions": known,
        }
    )
    users = [agent_user(found, ()), *(agent_user(found, (each,)) for each in worked)]
    return found if all(each.default for each in users) else asked(found)


def powerful(gid: int) -> bool:
    """Tell whether a group is as good as root: no agent has it, who could hand it on."""
    try:
        return grp.getgrgid(gid).gr_name in POWERFUL
    except KeyError:
        return False


def _plain(gid: int) -> int:
    """Return a user's group; of a shell of `newgrp docker` it is the one that they log in with."""
    if not powerful(gid):
        return gid
    with suppress(KeyError):
        if not powerful(own := pwd.getpwuid(os.geteuid()).pw_gid):
            return own
    return os.geteuid()


def asked(host: Host) -> Host:
    """Return a machine with what the engine makes of users."""
    found = stats.about()
    ids = _unasked() if found is None else ids_of(found)
    shifted = behind(found, host.uid) if found and ids is Ids.SHIFTED else None
    return host.model_copy(update={"ids": ids, "shifted": shifted})


def ids_of(engine: About) -> Ids:
    """Return what an engine makes of users, from what it says of its machine."""
    own = sys.platform == "linux" and engine.kernel == platform.release()
    if not own or engine.system.startswith(DESKTOPS) or engine.name.startswith(VIRTUAL):
        return Ids.SHARED
    return Ids.SHIFTED if {"name=rootless", "name=userns"} & _options(engine) else Ids.KEPT


def _options(engine: About) -> set[str]:
    """Return the names of its security options; each may have more to say after a comma."""
    return {each.partition(",")[0] for each in engine.security}


def _unasked() -> Ids:
    """Return what is likely where no engine answers: nothing is started then."""
    try:
        local = endpoint.endpoint().local
    except Refused:
        local = True
    return Ids.KEPT if local and sys.platform == "linux" else Ids.SHARED


def behind(engine: About, uid: int) -> tuple[int, int] | None:
    """Return who is behind 1000:1000 of a container on an engine that shifts ids, if it is known.

    A daemon that remaps has the first ids in the name of its directory. One without root has its
    user as 0, and that user's subordinate ids from 1 on (subuid(5)).
    """
    if remapped := re.search(r"/(\d+)\.(\d+)$", engine.root):
        return int(remapped[1]) + DEFAULT_ID, int(remapped[2]) + DEFAULT_ID
    first = [subordinate_ids.first(each, uid, DEFAULT_ID) for each in subordinate_ids.FILES]
    return (first[0] + DEFAULT_ID - 1, first[1] + DEFAULT_ID - 1) if first[0] and first[1] else None


def _sudo() -> tuple[int, int] | None:
    """Return who called sudo(8), if root runs this because of it."""
    uid, gid = (os.environ.get(each, "") for each in ("SUDO_UID", "SUDO_GID"))
    if os.geteuid() == 0 and uid.isdecimal() and gid.isdecimal():
        return int(uid), int(gid)
    return None


_TAGS = {"user": 0x02, "owning": 0x04, "group": 0x08}


def permissions(path: str) -> Permissions | None:
    """Return the permissions of a place, links followed; None if nothing is there."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- text: there may be very many
        read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except (OSError, ValueError):
        return None
    entries: list[tuple[int, int, int]] = []
    if sys.platform == "linux":
        with suppress(OSError, struct.error):
            # Linux keeps a list as a version and (tag, permission, id) (posix_acl_xattr.h).
            data = os.getxattr(path, "system.posix_acl_access")
            entries = list(struct.iter_unpack("<HHI", data[4:]))
    return Permissions(
        uid=found.st_uid,
        gid=found.st_gid,
        mode=found.st_mode & 0o777,
        users={who: bits for tag, bits, who in entries if tag == _TAGS["user"]},
        groups={who: bits for tag, bits, who in entries if tag == _TAGS["group"]},
        group=next((bits for tag, bits, _ in entries if tag == _TAGS["owning"]), None),
        read_only=read_only,
    )
