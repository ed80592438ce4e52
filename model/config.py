"""The configuration file as types: what may be written, with every value checked.

Checks that depend on the machine (the home directory, symbolic links) read the `Host` record in
the validation context, so that one pass finds every problem of a file.
"""

import ipaddress
import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from jailoc.model.address import Network
from jailoc.model.base import Model
from jailoc.model.document import Path
from jailoc.model.environment import EnvEntry, parse_env
from jailoc.model.host import Host
from jailoc.model.mount import MountSpec, parse_mount
from jailoc.model.path import clean, expand, first_within, is_engine_socket
from jailoc.model.problem import problem
from jailoc.model.size import ENGINE_MAXIMUM, ENGINE_MINIMUM, size

FORBIDDEN_PATHS = (
    "/home/agent", "/usr", "/etc", "/var", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/root",
    "/proc", "/sys", "/dev", "/run", "/tmp", "/certs",
)  # fmt: skip
"""Directories that a workspace path would hide in the container, or that are the system's."""

MOST_CPUS = 9_000_000_000
"""The engine counts billionths of a CPU in 64 bits."""

NOT_BUILT: dict[Path, set[str]] = {
    (): {"mode", "password_mode"},
    ("base",): {"dockerfile"},
    ("defaults",): {"env_file", "secrets", "ssh_auth_sock", "git_config"},
    ("workspaces", "*"): {
        "env_file", "secrets", "ssh_auth_sock", "git_config", "build_context", "dockerfile",
    },
}  # fmt: skip
"""Keys of the language that this version cannot honour yet, so it refuses them by name."""


def host_of(info: ValidationInfo) -> Host:
    """Return the host record of a validation; its absence is a programming error."""
    context: dict[str, Any] = info.context or {}
    host: Host = context["host"]
    return host


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise problem("type", f"expected a string, found {describe(value)}", "a string in quotes")
    return value


def describe(value: object) -> str:
    """Name a TOML value's type as the TOML specification does."""
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "a string",
             list: "an array", dict: "a table"}  # fmt: skip
    return names.get(type(value), "a date or time")


def _mount(value: object, info: ValidationInfo) -> MountSpec:
    return parse_mount(_text(value), host_of(info))


def _env(value: object) -> EnvEntry:
    return parse_env(_text(value))


def _path(value: str, info: ValidationInfo) -> str:
    host = host_of(info)
    if not value.strip():
        raise problem("path-empty", f"empty path `{value}`", "an absolute path, or ~/...")
    text = expand(value, host.home)
    if "\0" in text:
        raise problem("path-text", "a path cannot hold a NUL character", "any other text")
    if not text.startswith("/"):
        raise problem(
            "path-relative",
            f"path `{value}` is relative, so it would mean another directory in every shell",
            "an absolute path, or one beginning with ~",
        )
    for path in dict.fromkeys((clean(text), host.real(clean(text)))):
        _check_path(path, value, host)
    return clean(text)


def _check_path(path: str, value: str, host: Host) -> None:
    inside = "/" if path == "/" else first_within(path, FORBIDDEN_PATHS)
    spelt = "" if path == value else f" (which is `{path}`)"
    if inside:
        raise problem(
            "path-forbidden",
            f"path `{value}`{spelt} conflicts with the container's own directory `{inside}`",
            "a directory outside the container's system directories",
        )
    secret = first_within(path, (host.config, host.cache, f"{host.home}/.ssh",
                                 f"{host.home}/.gnupg", f"{host.home}/.aws"))  # fmt: skip
    if secret:
        raise problem(
            "path-forbidden",
            f"path `{value}`{spelt} lies in `{secret}`, which the agent must not reach",
            "a directory without credentials or jailoc's own files",
        )
    if is_engine_socket(path):
        raise problem(
            "path-forbidden",
            f"path `{value}`{spelt} is an engine's socket, which is the whole machine",
            "a directory to work in",
        )
    held = next(
        (each for each in (host.home, host.config, host.cache) if first_within(each, (path,))), None
    )
    if held:
        raise problem(
            "path-forbidden",
            f"path `{value}`{spelt} holds `{held}`, with credentials or jailoc's own files",
            "single directories below the home directory",
        )


def _hostname(value: str) -> str:
    """Keep a host name or literal address; blanks and a `# comment` never counted."""
    name = value.split("#", 1)[0].replace(" ", "")
    if not name:
        return ""
    try:
        if "%" in name:  # a zone is part of one machine, not of a rule
            raise ValueError
        ipaddress.ip_address(name)
    except ValueError:
        if re.fullmatch(r"[0-9.]+", name) or not re.fullmatch(
            r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?",
            name,
        ):
            raise problem(
                "host-name",
                f"`{value}` is not a host name",
                "a name such as registry.example.com, or an IP address",
                "write names with other letters in their xn-- form; networks go into "
                "allowed_networks",
            ) from None
    return name


def _network(value: object) -> Network:
    text = _text(value)
    address, slash, length = text.partition("/")
    allowed = "ADDRESS/PREFIXLENGTH, such as 10.1.0.0/16 or fd00:1::/32"
    try:
        if not slash or not re.fullmatch(r"[0-9]+", length) or "%" in address:
            raise ValueError
        network = ipaddress.ip_network(f"{address}/{int(length)}", strict=False)
    except ValueError:
        raise problem("network", f"`{text}` is not a network", allowed) from None
    if network.prefixlen == 0:
        raise problem(
            "network-everything",
            f"`{text}` is every address there is: it would switch the firewall off",
            allowed,
            "name the networks that are needed; public addresses are open without it",
        )
    return network


def _cpu(value: float) -> float:
    if not (math.isfinite(value) and 0 < value <= MOST_CPUS):
        raise problem("cpu", f"cpu `{value}` is out of range", "a finite number greater than 0")
    return value


def _memory(value: str) -> str:
    allowed = "digits with an optional k, m or g, such as 512m or 4g"
    amount = size(value)
    if amount is None:
        raise problem("memory", f"memory `{value}` has an invalid format", allowed)
    if amount > ENGINE_MAXIMUM:
        raise problem("memory", f"memory `{value}` is more than the engine can count", allowed)
    if amount < ENGINE_MINIMUM:
        raise problem(
            "memory", f"memory `{value}` is less than the engine's minimum of 6m", allowed
        )
    return value


def _image(value: str) -> str:
    if not value.strip() or re.search(r"[\s\0]", value.strip()):
        raise problem(
            "image",
            f"image `{value}` must not be empty or hold blanks",
            "an image reference such as registry.example.com/agent:1.2",
        )
    return value.strip()


def _certificate(value: str, info: ValidationInfo) -> str:
    host = host_of(info)
    path = clean(expand(value, host.home))
    if not expand(value, host.home).startswith("/"):
        raise problem("certificate", f"certificate path `{value}` is relative", "an absolute path")
    text = host.files.get(path)
    if text is None:
        raise problem(
            "certificate", f"certificate file `{path}` cannot be read", "an existing PEM file"
        )
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise problem("certificate", f"`{path}` holds no certificate", "a PEM file")
    if "PRIVATE KEY-----" in text:
        raise problem("certificate", f"`{path}` holds a private key", "certificates alone")
    return path


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", value):
        raise problem(
            "workspace-name",
            f"workspace name `{value}` is invalid",
            "lower-case letters a-z, digits and hyphens",
        )
    return value


def _array(value: object) -> object:
    """Let TOML's arrays fill tuples; anything else is reported as what it is."""
    if not isinstance(value, list):
        raise problem("type", f"expected an array, found {describe(value)}", "an array: [ ... ]")
    return tuple(value)


def _strings(check: Any) -> Any:
    return BeforeValidator(check, json_schema_input_type=str)


Paths = Annotated[tuple[Annotated[str, AfterValidator(_path)], ...], BeforeValidator(_array)]
Mounts = Annotated[tuple[Annotated[MountSpec, _strings(_mount)], ...], BeforeValidator(_array)]
Env = Annotated[tuple[Annotated[EnvEntry, _strings(_env)], ...], BeforeValidator(_array)]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_hostname)], ...], BeforeValidator(_array)]
Networks = Annotated[tuple[Annotated[Network, _strings(_network)], ...], BeforeValidator(_array)]
Certificates = Annotated[
    tuple[Annotated[str, AfterValidator(_certificate)], ...], BeforeValidator(_array)
]
Cpu = Annotated[float, AfterValidator(_cpu)]
Memory = Annotated[str, AfterValidator(_memory)]
Image = Annotated[str, AfterValidator(_image)]
WorkspaceName = Annotated[str, AfterValidator(_name)]


class Base(Model):
    """What every image is built with."""

    ca_certificates: Certificates = Field(
        default=(),
        description="PEM files added to the trust store of every image that jailoc builds, for "
        "networks whose proxy inspects TLS.",
    )


class Scope(Model):
    """What may stand both in `[defaults]` and in a workspace."""

    mounts: Mounts = Field(
        default=(),
        description="Bind mounts HOST:CONTAINER[:ro|rw], laid over the built-in ones by container "
        "path; :CONTAINER removes one.",
    )
    env: Env = Field(
        default=(), description="Environment of the agent as KEY=VALUE, taken literally."
    )
    allowed_hosts: Hosts = Field(
        default=(),
        description="Host names or addresses the sandbox may reach, in private networks too.",
    )
    allowed_networks: Networks = Field(
        default=(), description="Networks the sandbox may reach, as ADDRESS/PREFIXLENGTH."
    )
    image: Image | None = Field(
        default=None, description="Image of the agent, instead of the one jailoc builds."
    )
    expose_port: bool | None = Field(
        default=None,
        description="Publish the server's port on 127.0.0.1 of the host (default true).",
    )
    enable_docker: bool | None = Field(
        default=None, description="Give the agent a rootless Docker of its own (default true)."
    )
    cpu: Cpu | None = Field(default=None, description="Number of CPUs, a float (default 2.0).")
    memory: Memory | None = Field(
        default=None, description="Limit of memory: digits with k, m or g (default 4g)."
    )


class Defaults(Scope):
    """What holds for every workspace that does not say otherwise."""


class WorkspaceConfig(Scope):
    """One sandbox."""

    paths: Paths = Field(
        default=(),
        description="Directories of the host that the agent works in, at the same path inside.",
    )


class Config(Model):
    """The whole file."""

    base: Base = Field(default=Base(), description="What every image is built with.")
    defaults: Defaults = Field(default=Defaults(), description="What holds for every workspace.")
    workspaces: dict[WorkspaceName, WorkspaceConfig] = Field(
        default_factory=dict, description="The sandboxes, by name."
    )
