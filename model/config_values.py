"""The values of the configuration file: one type a kind, with its check and its JSON Schema.

Checks that depend on the machine (the home directory, symbolic links) read the `Host` record in the
validation context, so that one pass finds every problem of a file. The schema says as much of a
check as a pattern can, for editors.
"""

import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema

from jailoc.model import certificate, image_reference
from jailoc.model.agents import known
from jailoc.model.allow_entry import (
    TABLE_FORM,
    AskedTarget,
    HostEntry,
    NetworkEntry,
    parse_host,
    parse_network,
    parse_table,
    parse_target,
)
from jailoc.model.egress import Egress
from jailoc.model.environment import RESERVED, EnvEntry, EnvFile, parse_env, parse_env_file
from jailoc.model.field_error import problem
from jailoc.model.forbidden_paths import SOCKET_NAMES, SYSTEM, spellings, trespass
from jailoc.model.host import FileKind, Host
from jailoc.model.mount import MountSpec, parse_mount
from jailoc.model.path import CONTAINER_SYSTEM, clean, expand, first_within
from jailoc.model.plan_address import DRIFT_PATTERN, drift_pattern
from jailoc.model.sandbox import WORKSPACE, longest_workspace
from jailoc.model.schema_patterns import (
    CREDENTIAL_WORDS,
    HOST,
    HOST_NEVER,
    NETWORK,
    SIDE,
    entry,
    string,
    words,
)
from jailoc.model.size import memory
from jailoc.model.text import meant, without_mark

FORBIDDEN_PATHS = ("/home/agent", *CONTAINER_SYSTEM)
"""Directories that a workspace path would hide in the container, or that are the system's."""

MOST_CPUS = 9_000_000_000
"""The engine counts billionths of a CPU in 64 bits."""

_URL = (
    # RFC 3986, section 3.2: user information, then a host in brackets or not, then a port
    r"https?://([^\s/?#@]*@)?"
    r"(\[[0-9A-Fa-f:.]+\](:[0-9]*)?|[^\s/?#@:\[\]]+(:[0-9]*)?|:[0-9]+)([/?#]\S*)?"
)

LONGEST_NAME = longest_workspace(each.name for each in known.DEFAULT.volumes)
"""Characters; an agent whose volumes are called longer allows fewer."""
"""Characters of a workspace's name."""

MODES = ("", "remote", "exec")
PASSWORD_MODES = ("", "auto", "env", "keyring", "file")


def host_of(info: ValidationInfo) -> Host:
    """Return the host record of a validation; its absence is a programming error."""
    context: dict[str, Any] = info.context or {}
    host: Host = context["host"]
    return host


def describe(value: object) -> str:
    """Name a TOML value's type as the TOML specification does."""
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "a string",
             list: "an array", dict: "a table"}  # fmt: skip
    return names.get(type(value), "a date or time")


def text_of(value: object, table: str | None = None) -> str:
    """Return a TOML value that must be a string, unless `table` says what else may stand."""
    if not isinstance(value, str):
        wanted, allowed = "a string", "a string in quotes"
        if table is not None:
            wanted, allowed = "a string or a table", f"a string in quotes, or {table}"
        raise problem("type", f"expected {wanted}, found {describe(value)}", allowed)
    return value


def _array(value: object) -> object:
    """Let TOML's arrays fill tuples; anything else is reported as what it is."""
    if not isinstance(value, list):
        raise problem("type", f"expected an array, found {describe(value)}", "an array: [ ... ]")
    return tuple(value)


def absolute(value: str, host: Host, code: str, what: str) -> str:
    """Return a path of the host, expanded and clean.

    Raises:
        PydanticCustomError: it is empty, relative, or holds a NUL character.
    """
    allowed = "an absolute path, or one beginning with ~"
    if not value.strip():
        raise problem(code, f"empty {what} `{value}`", allowed)
    text = expand(value, host.home)
    if "\0" in text:
        raise problem(code, f"a {what} cannot hold a NUL character", "any other text")
    if not text.startswith("/"):
        raise problem(
            code,
            f"{what} `{value}` is relative, so it would mean another place in every shell",
            allowed,
        )
    return clean(text)


def _path(value: str, info: ValidationInfo) -> str:
    host = host_of(info)
    path = absolute(value, host, "path", "path")
    for place in spellings(path, host):
        spelt = "" if place == value else f" (which is `{place}`)"
        if inside := first_within(place, FORBIDDEN_PATHS):
            raise problem(
                "path-forbidden",
                f"path `{value}`{spelt} conflicts with the container's own directory `{inside}`: "
                "a path has the same place in the sandbox as on this machine",
                f"a directory in none of {', '.join(FORBIDDEN_PATHS)}",
                "keep the project below another directory, such as ~/src",
            )
    if reason := trespass(path, host):
        raise problem(
            "path-forbidden",
            f"path `{value}` is forbidden: {reason}",
            "a directory without credentials, engine sockets or jailoc's own files",
            "name the single directories below it that the agent needs",
        )
    return path


def _mount(value: object, info: ValidationInfo) -> MountSpec:
    return parse_mount(text_of(value), host_of(info))


def _env(value: object) -> EnvEntry:
    return parse_env(text_of(value))


def _env_file(value: object, info: ValidationInfo) -> EnvFile:
    host = host_of(info)
    path = absolute(text_of(value), host, "env-file", "env file")
    text = host.files.get(path)
    if text is not None:
        return parse_env_file(path, text)
    kind = host.kinds.get(path)
    cause = {
        None: "does not exist",
        FileKind.DIRECTORY: "is a directory",
        FileKind.FILE: "cannot be read: it must be UTF-8 text of at most 1 MiB that you may read",
    }.get(kind, "is not a regular file")
    raise problem("env-file", f"env file `{path}` {cause}", "an existing text file")


def _host(value: object) -> HostEntry:
    return (
        parse_table(value, parse_host)
        if isinstance(value, dict)
        else parse_host(text_of(value, TABLE_FORM))
    )


def _network(value: object) -> NetworkEntry:
    if isinstance(value, dict):
        return parse_table(value, parse_network)
    return parse_network(text_of(value, TABLE_FORM))


def _target(value: object) -> AskedTarget:
    return parse_target(text_of(value))


def _blocked(value: object) -> AskedTarget:
    target = parse_target(text_of(value))
    if target.network is None:
        raise problem(
            "expect-name",
            f"`{target.text}` is a name, whose addresses are known only at run time",
            "an address or a network",
        )
    return target


def _cpu(value: float) -> float:
    if not (math.isfinite(value) and 0 < value <= MOST_CPUS):
        raise problem("cpu", f"cpu `{value}` is out of range", "a finite number greater than 0")
    return value


def _port(value: int) -> int:
    if not 1 <= value <= 65535:
        raise problem("port", f"`{value}` is not a port", "1 to 65535")
    return value


def _image(value: str) -> str:
    text = value.strip()
    allowed = "an image reference such as registry.example.com/agent:1.2"
    if value and (not text or re.search(r"[\s\0]", text)):
        raise problem("image", f"image `{value}` must not be blank or hold blanks", allowed)
    if text and (reason := image_reference.wrong(text)):
        raise problem("image", f"image `{text}` {reason}: no engine takes it", allowed)
    return text


def _dockerfile(value: str, info: ValidationInfo) -> str:
    if not value:
        return ""
    if value.startswith(("http://", "https://")):
        return _url(value)
    if not value.startswith(("/", "~")):
        raise problem(
            "dockerfile",
            f"`{value}` is no source of a Dockerfile",
            "an absolute path, one beginning with ~, or an http:// or https:// URL",
        )
    return absolute(value, host_of(info), "dockerfile", "Dockerfile")


def _url(value: str) -> str:
    if not re.fullmatch(_URL, value):
        raise problem(
            "dockerfile",
            f"`{value}` is an invalid URL: it names no host",
            "a URL whose scheme is http or https, with a host",
        )
    return value


def _build_context(value: str, info: ValidationInfo) -> str:
    return absolute(value, host_of(info), "build-context", "build context") if value else ""


def _certificate(value: str, info: ValidationInfo) -> str:
    host = host_of(info)
    path = absolute(value, host, "certificate", "certificate path")
    text = host.files.get(path)
    if text is None:
        there = host.kinds.get(path) is FileKind.FILE
        raise problem(
            "certificate",
            f"certificate file `{path}` cannot be read",
            "an existing PEM file",
            "it is no text; of a DER file, `openssl x509 -inform der` makes one" if there else None,
        )
    if host.portable:
        return path
    try:
        certificate.check(without_mark(text))
    except certificate.NoCertificateError as error:
        raise problem(
            "certificate", f"`{path}` {error}", "a PEM file of whole certificates and no key"
        ) from None
    return path


def _protected(value: str) -> str:
    parts = value.split("/")
    if "\0" in value or "" in parts or {".", ".."} & set(parts):
        raise problem(
            "protect",
            f"`{value}` is not a path inside a workspace",
            "a relative path without `.` and `..`, such as .git/hooks",
        )
    return value


def _trusted(value: str, info: ValidationInfo) -> str:
    if value.startswith(("http://", "https://")):
        return _url(value)
    return absolute(value, host_of(info), "trust", "trusted path")


def _name(value: str) -> str:
    if not re.fullmatch(WORKSPACE, value):
        raise problem(
            "workspace-name",
            f"workspace name `{value}` is invalid",
            "lower-case letters a-z, digits and hyphens",
        )
    if len(value) > LONGEST_NAME:
        raise problem(
            "workspace-name",
            f"workspace name `{value}` has {len(value)} characters: its volumes, whose names hold "
            "it twice, could not be made",
            f"at most {LONGEST_NAME} characters",
        )
    return value


def _mode(value: str) -> str:
    if value not in MODES:
        raise problem(
            "mode",
            f"invalid mode `{value}`",
            'exec, as "" is, or remote',
            meant(value, MODES[1:]),
        )
    return value


def _password_mode(value: str) -> str:
    if value not in PASSWORD_MODES:
        raise problem(
            "password-mode",
            f"invalid password_mode `{value}`",
            "auto, env, keyring or file",
            meant(value, PASSWORD_MODES[1:]),
        )
    return value or "auto"


def _egress(value: object) -> Egress:
    try:
        return Egress(text_of(value))
    except ValueError:
        raise problem(
            "egress",
            f"invalid egress `{value}`",
            "public, allowlist or none",
            meant(str(value), [each.value for each in Egress]),
        ) from None


Array = BeforeValidator(_array)

Path = Annotated[
    str,
    AfterValidator(_path),
    string(
        "^[/~]",
        rf"^/+({words(*FORBIDDEN_PATHS)})(/|$)",
        rf"^~/({CREDENTIAL_WORDS})(/|$)",
        rf"(^|/)({words(*SOCKET_NAMES)})$",
        "^(/|~|/home)/*$",
    ),
]
Mount = Annotated[
    MountSpec,
    BeforeValidator(_mount),
    string(
        rf"^([/~]{SIDE})?:[/~]{SIDE}(:(ro|rw))?$",
        rf"^[^:]*:/+(({words(*CONTAINER_SYSTEM)})(/[^:]*)?)?(:(ro|rw))?$",
        rf"^[^:]*/({words(*SOCKET_NAMES)}):",
        rf"^(/|~|~/({CREDENTIAL_WORDS})(/[^:]*)?|/({words(*SYSTEM)})(/[^:]*)?)/?:",
    ),
]
Env = Annotated[EnvEntry, BeforeValidator(_env), string("^[^=]+=", rf"^({'|'.join(RESERVED)})=")]
EnvFilePath = Annotated[EnvFile, BeforeValidator(_env_file), string("^[/~]")]
AllowedHost = Annotated[
    HostEntry,
    BeforeValidator(_host),
    entry(HOST, *HOST_NEVER),
]
AllowedNetwork = Annotated[
    NetworkEntry, BeforeValidator(_network), entry(NETWORK, "/0+(:[0-9]+)?$")
]
Reached = Annotated[AskedTarget, BeforeValidator(_target), string(r"^[^\s]+$")]
Blocked = Annotated[AskedTarget, BeforeValidator(_blocked), string(r"^[0-9A-Fa-f.:\[\]/]+$")]
Cpu = Annotated[
    float,
    AfterValidator(_cpu),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": MOST_CPUS}),
]
Port = Annotated[
    int,
    AfterValidator(_port),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535}),
]
DriftPattern = Annotated[str, AfterValidator(drift_pattern), string(DRIFT_PATTERN)]
Memory = Annotated[str, AfterValidator(memory), string("^[1-9][0-9]*[kmgKMG]?$")]
Image = Annotated[str, AfterValidator(_image), string(rf"^$|^\s*{image_reference.PATTERN}\s*$")]
Dockerfile = Annotated[str, AfterValidator(_dockerfile), string(rf"^$|^[/~]|^{_URL}$")]
BuildContext = Annotated[str, AfterValidator(_build_context), string("^$|^[/~]")]
Certificate = Annotated[str, AfterValidator(_certificate), string("^[/~]")]
Protected = Annotated[
    str, AfterValidator(_protected), string("^[^/]+(/[^/]+)*$", r"(^|/)\.{1,2}(/|$)")
]
Trusted = Annotated[str, AfterValidator(_trusted), string(rf"^[/~]|^{_URL}$")]
WorkspaceName = Annotated[
    str, AfterValidator(_name), string(f"^{WORKSPACE}$", maxLength=LONGEST_NAME)
]
EgressMode = Annotated[
    Egress, BeforeValidator(_egress), string(enum=[each.value for each in Egress])
]
AttachMode = Annotated[str, AfterValidator(_mode), string(enum=list(MODES))]
PasswordMode = Annotated[str, AfterValidator(_password_mode), string(enum=list(PASSWORD_MODES))]
