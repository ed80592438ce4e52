"""Gather what `jailoc doctor` judges. Nothing is written, and what does not answer is a fact."""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jailoc import __version__
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import host_ports
from jailoc.bin.engine import containers, docker
from jailoc.bin.host import authorities, keyring, paths, reverse_path, subordinate_ids
from jailoc.bin.host.exposure import exposed
from jailoc.generators.config.resolve import names, port_of
from jailoc.model.config import Config
from jailoc.model.diagnostic import Refused
from jailoc.model.doctor import EngineFacts, ExposedFile, Machine, MachinePlace, PortUse
from jailoc.model.path import within
from jailoc.model.sandbox import project

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
PATIENCE = 20
"""Seconds for one question to the engine."""
_MOUNT = re.compile(r"\d+ \d+ [^ ]+ [^ ]+ ([^ ]+) .* - ([^ ]+) ")
"""Mount point and type in a line of mountinfo (proc(5))."""


def gather(session: Session) -> Machine:
    """Look at the machine, the configuration and the engine."""
    config, told, valid = _configuration(session)
    engine = _engine()
    user = os.getuid()
    return Machine(
        jailoc=__version__,
        python=".".join(map(str, sys.version_info[:3])),
        system=os.uname().sysname,
        year=datetime.now(tz=UTC).year,
        config=told,
        config_valid=valid,
        engine=engine,
        uid=user,
        gid=os.getgid(),
        subuid=all(
            subordinate_ids.first(each, user, subordinate_ids.ENOUGH)
            for each in subordinate_ids.FILES
        ),
        namespaces=_number("/proc/sys/user/max_user_namespaces"),
        unprivileged=_switch("/proc/sys/kernel/unprivileged_userns_clone"),
        apparmor=_switch("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") or False,
        tunnels=Path("/dev/net/tun").exists(),
        reverse_path=_reverse_path(config),
        places=tuple(_places(config)),
        exposed=tuple(_exposed(session)),
        resolvers=tuple(_resolvers()),
        proxies=tuple(each for each in PROXIES if os.environ.get(each)),
        certificates=bool(config and config.base.ca_certificates),
        authorities=_authorities(config, engine),
        file=str(session.path),
        keyring=keyring.absent(),
        password_mode=config.password_mode if config else "auto",
        ports=tuple(_ports(config, engine)) if config else (),
    )


def _configuration(session: Session) -> tuple[Config | None, str, bool]:
    try:
        origin = session.source(expectations=False)
    except Refused as refused:
        first = refused.diagnostics[0]
        line = f", line {first.position.line}" if first.position else ""
        return None, f"{session.path}{line}: {first.message}", False
    told = f"{origin.path}: valid" if not origin.starter else "none: the starter is in effect"
    return origin.config, told, True


def _engine() -> EngineFacts:
    try:
        address = docker.endpoint()
        docker.check()
        told = docker.run(["info", "--format", "{{json .}}"], what="engine", timeout=PATIENCE)
        compose = docker.run(["compose", "version", "--short"], what="Compose", timeout=PATIENCE)
        data = json.loads(told)
    except Refused as refused:
        first = refused.diagnostics[0]
        return EngineFacts(trouble=first.message, mend=first.hint or first.allowed or "")
    except (docker.DockerError, ValueError):
        return EngineFacts(
            trouble="it answers, and not to the question what it is", mend="docker info"
        )
    if not isinstance(data, dict):
        data = {}
    folder = str(data.get("DockerRootDir") or "")
    return EngineFacts(
        address=str(address),
        local=address.local,
        version=str(data.get("ServerVersion") or ""),
        compose=compose.strip()[:40],
        name=str(data.get("OperatingSystem") or ""),
        security=tuple(str(each) for each in data.get("SecurityOptions") or ()),
        cgroup=str(data.get("CgroupVersion") or ""),
        driver=str(data.get("Driver") or ""),
        memory_limits=bool(data.get("MemoryLimit", True)),
        pids_limits=bool(data.get("PidsLimit", True)),
        offset=_offset(data),
        folder=_place("images", folder) if address.local and Path(folder or "-").is_dir() else None,
    )


def _authorities(config: Config | None, engine: EngineFacts) -> tuple[str, ...]:
    """Return this machine's own authorities, where an image is built here that knows none."""
    if config is None or config.base.ca_certificates or config.base.dockerfile:
        return ()
    given = config.defaults.image or all(each.image for each in config.workspaces.values())
    return () if given or engine.trouble or not engine.local else authorities.own()


def _reverse_path(config: Config | None) -> bool | None:
    some = config is not None and any(each.services for each in config.workspaces.values())
    return reverse_path.checked() if some else None


def _offset(data: Mapping[str, Any]) -> float | None:
    """Return how far the engine's clock is ahead (RFC 3339, with more digits than Python takes)."""
    text = re.sub(r"(\.\d{6})\d*", r"\1", str(data.get("SystemTime") or ""))
    with suppress(ValueError, TypeError):
        then = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (then - datetime.now(tz=UTC)).total_seconds()
    return None


def _places(config: Config | None) -> Iterator[MachinePlace]:
    for name, path in paths.kept().items():
        there = next(each for each in (path, *path.parents) if each.exists())
        yield _place(name, str(there))
    for name in names(config) if config else ():
        for path_ in config.workspaces[name].paths if config else ():
            yield _place(f"workspace {name}", path_)


def _exposed(session: Session) -> Iterator[ExposedFile]:
    for name, path in {**paths.kept(), "configuration": session.path}.items():
        if why := exposed(path.absolute()):
            yield ExposedFile(name=name, why=why, refused=name != "configuration")


def _place(name: str, path: str) -> MachinePlace:
    if not Path(path).is_dir():
        return MachinePlace(name=name, path=path, kind="", exists=False)
    free = entries = None
    with suppress(OSError):
        room = os.statvfs(path)
        free = room.f_bavail * room.f_frsize
        entries = room.f_favail if room.f_files else None
    return MachinePlace(
        name=name,
        path=path,
        kind=_kind(os.path.realpath(path)),
        folds=_folds(path),
        writable=os.access(path, os.W_OK),
        owner=Path(path).stat().st_uid,
        free=free,
        entries=entries,
    )


def _kind(path: str) -> str:
    best, kind = "", ""
    for line in _read("/proc/self/mountinfo").split("\n"):
        if found := _MOUNT.match(line):
            point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), found[1])
            if within(path, point) and len(point) >= len(best):
                best, kind = point, found[2]
    return kind


def _folds(path: str) -> bool:
    """Tell whether a directory has another case of its own name; nothing is made to find out."""
    place = Path(os.path.realpath(path))
    other = place.with_name(place.name.swapcase()) if place.name else place
    with suppress(OSError):
        return other.name != place.name and other.samefile(place)
    return False


def _resolvers() -> Iterator[str]:
    for line in _read("/etc/resolv.conf").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "nameserver" and rest.strip():
            yield rest.split()[0]


def _ports(config: Config, engine: EngineFacts) -> Iterator[PortUse]:
    mine: set[int] = set()
    if not engine.trouble:
        with suppress(docker.DockerError, Refused):
            ours = {project(name) for name in names(config)}
            mine = {
                binding.port
                for each in containers.containers()
                if each.project in ours and each.state == "running"
                for binding in each.published
            }
    for name in names(config):
        scope = config.workspaces[name]
        exposed = config.defaults.expose_port if scope.expose_port is None else scope.expose_port
        server = (port_of(config, name),) if exposed is not False else ()
        others = (port for each in scope.ports for port, _ in each.pairs)
        for port in () if engine.trouble else (*server, *others):
            taken = port not in mine and not host_ports.is_free(port)
            yield PortUse(workspace=name, port=port, taken=taken)


def _number(path: str) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdigit() else None


def _switch(path: str) -> bool | None:
    number = _number(path)
    return None if number is None else number != 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
