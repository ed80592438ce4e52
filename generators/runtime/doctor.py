"""Judge a machine: what of it lets sandboxes work, what does not, and what mends it."""

from collections.abc import Callable, Iterator

from jailoc.model.doctor import TAKE_AWAY, CheckState, Machine, MachinePlace, Row, trust
from jailoc.model.text import number_of

OK, WARN, FAIL = CheckState.OK, CheckState.WARN, CheckState.FAIL
NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs")
"""File systems of another machine."""
SHARED = ("virtiofs", "fuse.grpcfuse", "fakeowner", "fuse.osxfs", "vboxsf", "prl_fs")
"""File systems that hand a host's directories into a virtual machine."""
BUILD = 6 << 30
"""Bytes that the images of one workspace take with what building them needs."""
LITTLE = 1 << 30
CLOCK = 30.0
"""Seconds from which certificates, dates of allows and logs begin to disagree."""


def judge(machine: Machine) -> tuple[Row, ...]:
    """Return one row a check, in the order in which to mend things."""
    checks: tuple[Callable[[Machine], Iterator[Row]], ...] = (
        _engine, _namespaces, _services, _cgroups, _ids, _places, _exposed, _names, _proxies,
        _certificates, _keyring, _ports, _clock, _disk, _config,
    )  # fmt: skip
    return tuple(row for check in checks for row in check(machine))


def failed(rows: tuple[Row, ...]) -> bool:
    """Tell whether something keeps sandboxes from working."""
    return any(each.state is FAIL for each in rows)


def _row(check: str, found: str, state: CheckState = OK, meaning: str = "", mend: str = "") -> Row:
    return Row(check=check, state=state, found=found, meaning=meaning, mend=mend)


def _engine(machine: Machine) -> Iterator[Row]:
    engine = machine.engine
    if engine.trouble:
        yield _row(
            "engine", engine.trouble, FAIL,
            "no sandbox can be started, and what an engine decides has no row here", engine.mend,
        )  # fmt: skip
        return
    told = f"{engine.version} at {engine.address}" + (f", {engine.name}" if engine.name else "")
    yield _row("engine", told)
    yield _row("compose", engine.compose)
    if not engine.local:
        yield _row(
            "engine's place", "another machine", WARN,
            "paths and mounts are looked up there, and ports are published there",
            "docker context use default",
        )  # fmt: skip
    if any("rootless" in each for each in engine.security):
        yield _row(
            "engine's user", "not root", WARN,
            "user ids are mapped: files that the agent makes may belong to a subordinate id",
            "see docs/reference/users.md",
        )  # fmt: skip
    if engine.driver == "vfs":
        yield _row(
            "image store", "vfs", WARN,
            "every layer is a full copy: builds are slow and take many times the room",
            "dockerd --storage-driver overlay2 (needs a file system that overlay can lie on)",
        )  # fmt: skip


def _namespaces(machine: Machine) -> Iterator[Row]:
    if not machine.engine.local or machine.system != "Linux":
        return
    without = "the agent's own Docker does not start; `enable_docker = false` does without"
    if machine.namespaces == 0:
        yield _row("user namespaces", "none may be made", FAIL, without,
                   "sudo sysctl -w user.max_user_namespaces=15000")  # fmt: skip
    elif machine.unprivileged is False:
        yield _row("user namespaces", "only root may make them", FAIL, without,
                   "sudo sysctl -w kernel.unprivileged_userns_clone=1")  # fmt: skip
    else:
        few = "" if machine.namespaces is None else f", up to {machine.namespaces}"
        yield _row("user namespaces", f"may be made{few}")
    if machine.apparmor:
        yield _row(
            "AppArmor", "restricts user namespaces of unconfined programs", WARN,
            "rootless engines, and the agent's own Docker, may be refused theirs",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        )  # fmt: skip
    else:
        yield _row("AppArmor", "no restriction of user namespaces")
    if not machine.tunnels:
        yield _row("/dev/net/tun", "not there", FAIL, without, "sudo modprobe tun")
    else:
        yield _row("/dev/net/tun", "there")


def _services(machine: Machine) -> Iterator[Row]:
    if not machine.engine.local or machine.system != "Linux" or machine.reverse_path is None:
        return
    if machine.reverse_path:
        yield _row("services", "packets from elsewhere are dropped (rp_filter)")
    else:
        yield _row(
            "services", "packets from elsewhere are taken (rp_filter is 0)", WARN,
            "a service can send datagrams (UDP) to programs of this machine",
            "sudo sysctl -w net.ipv4.conf.all.rp_filter=2",
        )  # fmt: skip


def _cgroups(machine: Machine) -> Iterator[Row]:
    engine = machine.engine
    if engine.trouble or not engine.cgroup:
        return
    if not (engine.memory_limits and engine.pids_limits):
        lacking = " and ".join(
            name for name, there in (("memory", engine.memory_limits), ("pids", engine.pids_limits))
            if not there
        )  # fmt: skip
        yield _row(
            "cgroups", f"version {engine.cgroup}, without limits of {lacking}", WARN,
            "the limits of the configuration do not hold",
            "boot with systemd.unified_cgroup_hierarchy=1 and delegate the controllers",
        )  # fmt: skip
        return
    yield _row("cgroups", f"version {engine.cgroup}")


def _ids(machine: Machine) -> Iterator[Row]:
    mine = f"uid {machine.uid}, gid {machine.gid}"
    if machine.uid == 0:
        yield _row(
            "user", f"{mine}: root", WARN, "projects of root are not writable for an agent",
            "run jailoc as the user who owns the projects",
        )  # fmt: skip
    else:
        yield _row("user", mine)
    rootless = any("rootless" in each for each in machine.engine.security)
    if rootless and not machine.subuid:
        yield _row(
            "subordinate ids", "fewer than 65,536 in /etc/subuid or /etc/subgid", FAIL,
            "an engine without root cannot map users",
            "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER",
        )  # fmt: skip


def _places(machine: Machine) -> Iterator[Row]:
    for place in machine.places:
        yield from _place(place)


def _place(place: MachinePlace) -> Iterator[Row]:
    check = f"file system of {place.name}"
    told = f"{place.path}, {place.kind or 'unknown file system'}"
    if not place.exists:
        yield _row(check, f"{place.path} does not exist", WARN,
                   "nobody makes it", f"mkdir -p {place.path}")  # fmt: skip
    elif not place.writable:
        yield _row(
            check, f"{told}, not writable", FAIL, "nothing can be written there",
            f"ls -ld {place.path}",
        )  # fmt: skip
    elif place.kind in NETWORK:
        yield _row(
            check, f"{told}, of another machine", WARN,
            "locks and changes are seen late, and root is nobody there: mounts may be refused",
            "keep it on a local disk",
        )  # fmt: skip
    elif place.kind in SHARED:
        yield _row(check, f"{told}, shared with a host", WARN,
                   "reading many files is slow, and changes are seen late",
                   "keep it inside the virtual machine")  # fmt: skip
    elif place.kind == "overlay":
        yield _row(check, f"{told}, a container's", WARN,
                   "it ends with the container, and an engine outside of it sees other files",
                   "use a volume or a bind mount")  # fmt: skip
    elif place.folds:
        yield _row(check, f"{told}, case is ignored", WARN,
                   "two names that differ only in case are one file; what is protected is "
                   "compared so anyway", "rename what differs only in case")  # fmt: skip
    else:
        yield _row(check, told)


def _exposed(machine: Machine) -> Iterator[Row]:
    for each in machine.exposed:
        yield _row(
            f"owner of {each.name}", "another user can change it", FAIL if each.refused else WARN,
            f"{each.why}: who can do so decides what the engine runs"
            + "; nothing is started" * each.refused,
            f"{TAKE_AWAY}, or keep it in a directory of yours",
        )  # fmt: skip


def _names(machine: Machine) -> Iterator[Row]:
    if not machine.resolvers:
        yield _row(
            "names (DNS)", "no name server in /etc/resolv.conf", FAIL,
            "neither this machine nor a sandbox finds names",
            "resolvectl status, or write `nameserver ADDRESS` into /etc/resolv.conf",
        )  # fmt: skip
        return
    yield _row("names (DNS)", ", ".join(machine.resolvers))


def _proxies(machine: Machine) -> Iterator[Row]:
    if not machine.proxies:
        yield _row("proxy", "none")
    elif not machine.certificates:
        yield _row(
            "proxy", f"set by {', '.join(machine.proxies)}", WARN,
            "a proxy that inspects TLS needs its certificate in every image, and the sandbox gets "
            "no proxy of this machine",
            "see docs/how-to/behind-a-company-proxy.md",
        )  # fmt: skip
    else:
        yield _row("proxy", f"set by {', '.join(machine.proxies)}; certificates are configured")


def _certificates(machine: Machine) -> Iterator[Row]:
    if machine.certificates:
        yield _row("certificates", "[base] ca_certificates adds to those of the images")
    elif machine.authorities:
        yield _row(
            "certificates",
            f"this machine has authorities of its own: {', '.join(machine.authorities)}", WARN,
            "if a proxy that inspects TLS signs with one, the images do not know it: their build "
            "fails, after minutes",
            trust(machine.authorities, machine.file),
        )  # fmt: skip


def _keyring(machine: Machine) -> Iterator[Row]:
    if not machine.keyring:
        yield _row("keyring", "there")
    elif machine.password_mode == "keyring":  # noqa: S105 -- a mode
        yield _row("keyring", machine.keyring, FAIL, "password_mode = \"keyring\" needs one",
                   'write password_mode = "file"')  # fmt: skip
    else:
        yield _row("keyring", f"{machine.keyring}; passwords are in files of mode 0600")


def _ports(machine: Machine) -> Iterator[Row]:
    taken = [each for each in machine.ports if each.taken]
    for each in taken:
        yield _row(
            "port", f"{each.port} of workspace {each.workspace} is taken", WARN,
            f"`jailoc up {each.workspace}` will be refused",
            f"ss -ltnp 'sport = :{each.port}', or set another one in `port` or `ports`",
        )  # fmt: skip
    if machine.ports and not taken:
        first = min(each.port for each in machine.ports)
        what = (f"{number_of(len(machine.ports), 'port')} from {first} on"
                if len(machine.ports) > 1 else f"{first}")  # fmt: skip
        yield _row("ports", f"{what}: free, or a sandbox of yours has it")


def _clock(machine: Machine) -> Iterator[Row]:
    offset = machine.engine.offset
    if machine.year < 2025:
        yield _row("clock", f"it is {machine.year}", FAIL,
                   "no certificate is valid", "timedatectl set-ntp true")  # fmt: skip
    elif offset is not None and abs(offset) > CLOCK:
        yield _row(
            "clock", f"the engine's is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}",
            WARN, "certificates, and allows with a last day, end at another time there",
            "restart the engine's virtual machine, or timedatectl set-ntp true on it",
        )  # fmt: skip
    else:
        yield _row("clock", "the engine's agrees" if offset is not None else "plausible")


def _disk(machine: Machine) -> Iterator[Row]:
    engine = machine.engine.folder
    places = (*machine.places, *((engine,) if engine else ()))
    for place in {(each.free, each.entries): each for each in places if each.exists}.values():
        check = f"room for {place.name}"
        least = BUILD if place is engine else LITTLE
        if place.free is not None and place.free < least:
            few = place.free < least // 8
            yield _row(
                check, f"{place.free / (1 << 30):.1f} GiB free", FAIL if few else WARN,
                "images cannot be built" if place is engine else "agents write there without limit",
                "docker system prune" if place is engine else f"df -h {place.path}",
            )  # fmt: skip
        elif place.entries is not None and place.entries < 10_000:
            yield _row(check, f"{number_of(place.entries, 'file')} can still be made", WARN,
                       "no inodes are left soon", f"df -i {place.path}")  # fmt: skip
        elif place.free is not None:
            yield _row(check, f"{place.free / (1 << 30):.0f} GiB free")


def _config(machine: Machine) -> Iterator[Row]:
    if machine.config_valid:
        yield _row("configuration", machine.config)
    else:
        yield _row("configuration", machine.config, FAIL, "no command can use it",
                   "jailoc validate")  # fmt: skip


def report(machine: Machine, rows: tuple[Row, ...], home: str) -> str:
    """Return Markdown for a bug report: no name of a path, a user or a workspace, and no value.

    Args:
        machine: What was looked at.
        rows: What follows from it.
        home: The user's home directory.
    """
    hidden = {each.path: f"({each.name.partition(' ')[0]})" for each in machine.places}
    hidden |= dict.fromkeys(machine.resolvers, "(address)")
    hidden[machine.engine.address] = f"({machine.engine.address.partition(':')[0]})"
    hidden |= {each.workspace: "(name)" for each in machine.ports}
    hidden |= {machine.file: "(file)"}
    hidden |= dict.fromkeys(machine.authorities, "(file)")
    hidden |= {each.name: each.name.partition(" ")[0] for each in machine.places}

    def plain(text: str) -> str:
        for word in sorted(filter(None, hidden), key=len, reverse=True):
            text = text.replace(word, hidden[word])
        return (text if home == "/" else text.replace(home, "~")).replace("|", "\\|")

    lines = [
        f"jailoc {machine.jailoc}, Python {machine.python}, {machine.system}",
        "",
        "| check | state | found |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {plain(each.check)} | {each.state} | {plain(each.found)} |"
        for each in rows
        if each.check != "configuration"
    ]
    valid = "valid" if machine.config_valid else "not valid"
    return "\n".join((*lines, f"| configuration | - | {valid} |")) + "\n"
