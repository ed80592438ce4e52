"""The configuration of a container as facets: as a service wants it, and as the engine has it.

Both are spelt alike, so that an edit by hand shows as one named difference. The engine's side is
what `docker inspect` prints (https://docs.docker.com/reference/cli/docker/inspect/).
"""

import hashlib
import json
import re
from typing import Any

from jailoc.generators.artefacts.compose_yaml import networks
from jailoc.generators.artefacts.seccomp import named
from jailoc.model.base import Model
from jailoc.model.compose import Bind, SecurityOption, Service, Sidecar, Tmpfs, Volume
from jailoc.model.deployed import Facets
from jailoc.model.mount import Mode
from jailoc.model.sandbox import COMPOSE_SERVICE
from jailoc.model.size import size


class Facet(Model):
    """One value of a service, with the configuration entry behind it."""

    value: str
    origin: str | None = None


NOTHING_MORE = {
    "binds.propagation": "rprivate",
    "cgroup": "",
    "groups": "[]",
    "ipc": "private",
    "pid": "",
    "restart": "no",
    "userns": "",
    "uts": "",
}
"""What no service asks for, and what an edit by hand could give it."""
RARE = {
    "dns.options": "DnsOptions",
    "dns.search": "DnsSearch",
    "devices.asked": "DeviceRequests",
    "devices.rules": "DeviceCgroupRules",
    "memory.adjustment": "OomScoreAdj",
    "memory.killer": "OomKillDisable",
    "storage": "StorageOpt",
    "ulimits": "Ulimits",
}
"""The same, as the engine calls it, of what is there only where somebody has asked for it."""


def expected(service: Service, project: str) -> dict[str, Facet]:
    """Return the facets that a container made from a service has."""
    found = {
        "image": Facet(value=service.image.text, origin=service.image.origin),
        "user": Facet(value=service.user),
        "network": Facet(
            value=", ".join(f"{project}_{each}" for each in networks(service))
            or f"service:{service.namespace}"
        ),
        "privileged": Facet(value=_flag(isinstance(service, Sidecar) and service.privileged)),
        "capabilities.add": Facet(value=_list(sorted(each.value for each in service.cap_add))),
        "capabilities.drop": Facet(value=_list(["ALL"])),
        "security": Facet(value=_list(sorted(each.value for each in service.security))),
        "devices": Facet(value=_list(sorted(each.value for each in service.devices))),
        "sysctls": Facet(value=json.dumps(service.sysctls, sort_keys=True)),
        "read_only": Facet(value=_flag(service.read_only)),
        "init": Facet(value=_flag(service.init)),
        "cpus": Facet(value=f"{service.limits.cpus:.9f}", origin=service.limits.origin),
        "memory": Facet(value=str(size(service.limits.memory)), origin=service.limits.origin),
        "memory.swap": Facet(value=str(size(service.limits.memory)), origin=service.limits.origin),
        "memory.reservation": Facet(value=str(size(service.limits.reservation))),
        "pids": Facet(value=str(service.limits.pids)),
        "logs": Facet(
            value=_logs(
                "json-file",
                {"max-size": f"{service.logs.megabytes}m", "max-file": str(service.logs.files)},
            )
        ),
        "health": Facet(
            value=_list([
                list(service.health.test), service.health.interval, service.health.timeout,
                service.health.retries, service.health.start_period,
            ])
        ),
    }  # fmt: skip
    if service.given:
        found["entrypoint"] = Facet(value=_list(service.entrypoint))
        found["command"] = Facet(value=_list(service.command))
    if service.working_dir is not None:
        found["working_dir"] = Facet(
            value=service.working_dir.text, origin=service.working_dir.origin
        )
    if service.dns:
        found["dns"] = Facet(value=_list(service.dns))
    for port in service.ports:
        found[f"ports.{port.target}/tcp"] = Facet(
            value=f"127.0.0.1:{port.published}", origin=port.origin
        )
    for key, variable in service.environment.items():
        found[f"environment.{key}"] = Facet(value=variable.text, origin=variable.origin)
    for name, address in service.extra_hosts.items():
        found[f"hosts.{name}"] = Facet(value=address)
    for mount in service.mounts:
        place, facet = _mount(mount, project)
        found[f"mounts.{place}"] = facet
    return found | {name: Facet(value=value) for name, value in NOTHING_MORE.items()}


def _mount(mount: Bind | Volume | Tmpfs, project: str) -> tuple[str, Facet]:
    match mount:
        case Bind():
            return mount.target.text, Facet(
                value=_bind(mount.source.text, mount.mode), origin=mount.source.origin
            )
        case Volume():
            return mount.target, Facet(
                value=_volume(mount.full_name(project), mount.mode), origin=mount.origin
            )
        case Tmpfs():
            return mount.target, Facet(value=_tmpfs(mount.size, mount.mode, mount.owner))


def _bind(source: str, mode: Mode) -> str:
    return f"{source} {mode.value}"


def _volume(name: str, mode: Mode) -> str:
    return f"volume {name} {mode.value}"


def _tmpfs(size_: int, mode: int, owner: str = "") -> str:
    return f"tmpfs {size_} {mode:04o}" + (f" of {owner}" if owner else "")


def digest(facets: dict[str, Facet]) -> str:
    """Return the SHA-256 of what makes a container another one; where it comes from does not."""
    text = json.dumps({name: facet.value for name, facet in facets.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def found(data: dict[str, Any], wall: str | None) -> Facets:
    """Return the facets of a container from one object of `docker inspect`.

    Args:
        data: The object.
        wall: Id of the project's wall.
    """
    config, host = data["Config"], data["HostConfig"]
    facets = {
        "image": config["Image"],
        "user": config.get("User") or "",
        "entrypoint": _list(config.get("Entrypoint") or []),
        "command": _list(config.get("Cmd") or []),
        "network": _network(data, wall),
        "privileged": _flag(bool(host.get("Privileged"))),
        "capabilities.add": _list(sorted(map(_capability, host.get("CapAdd") or []))),
        "capabilities.drop": _list(sorted(map(_capability, host.get("CapDrop") or []))),
        "security": _list(_security(host)),
        "devices": _list(sorted(each["PathOnHost"] for each in host.get("Devices") or [])),
        "read_only": _flag(bool(host.get("ReadonlyRootfs"))),
        "init": _flag(bool(host.get("Init"))),
        "cpus": f"{(host.get('NanoCpus') or 0) / 1e9:.9f}",
        "memory": str(host.get("Memory") or 0),
        "memory.swap": str(host.get("MemorySwap") or 0),
        "memory.reservation": str(host.get("MemoryReservation") or 0),
        "pids": str(host.get("PidsLimit") or 0),
        "logs": _logs(
            (host.get("LogConfig") or {}).get("Type") or "",
            (host.get("LogConfig") or {}).get("Config") or {},
        ),
        "health": _health(config.get("Healthcheck") or {}),
        "binds.propagation": _propagation(data),
        "cgroup": host.get("CgroupParent") or "",
        "groups": _list(host.get("GroupAdd") or []),
        "ipc": host.get("IpcMode") or "",
        "pid": host.get("PidMode") or "",
        "restart": (host.get("RestartPolicy") or {}).get("Name") or "no",
        "sysctls": json.dumps(host.get("Sysctls") or {}, sort_keys=True),
        "userns": host.get("UsernsMode") or "",
        "uts": host.get("UTSMode") or "",
    }
    if more := _called(data):
        facets["network.names"] = _list(more)
    if host.get("Dns"):
        facets["dns"] = _list(host["Dns"])
    for facet, key in RARE.items():
        if host.get(key):
            facets[facet] = json.dumps(host[key], sort_keys=True)
    if config.get("WorkingDir"):
        facets["working_dir"] = config["WorkingDir"]
    for port, bindings in (host.get("PortBindings") or {}).items():
        places = (f"{each.get('HostIp') or '*'}:{each.get('HostPort')}" for each in bindings or [])
        facets[f"ports.{port}"] = ", ".join(places)
    for entry in config.get("Env") or []:
        key, _, value = entry.partition("=")
        facets[f"environment.{key}"] = value
    for entry in host.get("ExtraHosts") or []:
        name, _, address = entry.replace("=", ":", 1).partition(":")
        facets[f"hosts.{name}"] = address
    return facets | _mounts(data)


_MODES = {"", "bridge", "default", "host", "none"}
"""Networks of an engine's own, which some tell of by the mode alone."""


def _network(data: dict[str, Any], wall: str | None) -> str:
    mode = data["HostConfig"].get("NetworkMode") or ""
    if mode.startswith("container:"):
        return "service:firewall" if wall and mode == f"container:{wall}" else mode
    joined = ", ".join(sorted(data["NetworkSettings"].get("Networks") or {}))
    # Who has taken it off its network leaves the name of that in the mode.
    return joined or (mode if mode in _MODES else "none")


def _called(data: dict[str, Any]) -> list[str]:
    """Return what names lead to it, or for it elsewhere, beside those that Compose gives."""
    labels = data["Config"].get("Labels") or {}
    usual = {labels.get(COMPOSE_SERVICE), data.get("Name", "").lstrip("/"), data.get("Id", "")[:12]}
    ends = (data["NetworkSettings"].get("Networks") or {}).values()
    found = [
        name
        for each in ends
        for key in ("Aliases", "Links")
        for name in (each or {}).get(key) or []
    ]
    return sorted({*found} - usual)


def _security(host: dict[str, Any]) -> list[str]:
    options = {_option(str(each)) for each in host.get("SecurityOpt") or []}
    if not host.get("MaskedPaths"):
        options.add(SecurityOption.PATHS_UNMASKED.value)
    # Some engines add this by themselves to a privileged container.
    return sorted(options - {"label=disable"})


def _option(text: str) -> str:
    if text == "no-new-privileges":
        return SecurityOption.NO_NEW_PRIVILEGES.value
    text = text.replace("seccomp:", "seccomp=", 1)
    profile = text.removeprefix("seccomp=")
    if profile == text or not profile.startswith("{"):
        return text
    if (known := named(profile)) is not None:
        return known.value
    return f"seccomp=another profile, {hashlib.sha256(profile.encode()).hexdigest()[:16]}"


def _logs(driver: str, options: dict[str, str]) -> str:
    return " ".join([driver, *(f"{key}={value}" for key, value in sorted(options.items()))])


def _capability(name: str) -> str:
    return name.removeprefix("CAP_")


def _health(check: dict[str, Any]) -> str:
    second = 1_000_000_000
    times = [(check.get(key) or 0) // second for key in ("Interval", "Timeout")]
    return _list(
        [check.get("Test") or [], *times, check.get("Retries") or 0,
         (check.get("StartPeriod") or 0) // second]
    )  # fmt: skip


def _propagation(data: dict[str, Any]) -> str:
    binds = (each for each in data.get("Mounts") or [] if each["Type"] == "bind")
    return ", ".join(sorted({str(each.get("Propagation")) for each in binds})) or "rprivate"


def _mounts(data: dict[str, Any]) -> Facets:
    facets: Facets = {}
    for mount in data.get("Mounts") or []:
        mode = Mode.READ_WRITE if mount.get("RW") else Mode.READ_ONLY
        place = f"mounts.{mount['Destination']}"
        if mount["Type"] == "bind":
            facets[place] = _bind(mount["Source"], mode)
        elif mount["Type"] == "volume" and not anonymous(mount.get("Name") or ""):
            facets[place] = _volume(mount["Name"], mode)
    for mount in data["HostConfig"].get("Mounts") or []:
        if mount["Type"] == "tmpfs":
            options = mount.get("TmpfsOptions") or {}
            facets[f"mounts.{mount['Target']}"] = _tmpfs(
                options.get("SizeBytes") or 0, options.get("Mode") or 0
            )
    # Podman tells them as docker(1) takes them with `--tmpfs`: options of mount(8).
    for place, options in (data["HostConfig"].get("Tmpfs") or {}).items():
        given = dict(each.partition("=")[::2] for each in options.split(","))
        mode = given.get("mode", "")
        owner = f"{given['uid']}:{given.get('gid', '')}" if "uid" in given else ""
        facets[f"mounts.{place}"] = _tmpfs(
            size(given.get("size", "")) or 0,
            int(mode, 8) if re.fullmatch("[0-7]+", mode) else 0,
            owner,
        )
    return facets


def anonymous(name: str) -> bool:
    """Tell whether a volume is one that the image itself asks for."""
    return len(name) == 64 and not name.strip("0123456789abcdef")


def _list(values: Any) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _flag(value: bool) -> str:
    return "true" if value else "false"
