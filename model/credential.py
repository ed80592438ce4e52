"""Credentials that the agent uses and never holds: where, how and with what they are put in."""

import ipaddress
import re
import shlex
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from jailoc.model import config_values
from jailoc.model.base import Model
from jailoc.model.field_error import problem
from jailoc.model.sandbox import DNS_PORT, FIRST_PORT, MACHINE
from jailoc.model.secret import NOT_FOR_SECRETS, VARIABLE, Source

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
TLS_PORT, PLAIN_PORT = 443, 80
VALUE_LIMIT = 8 << 10
"""Bytes of a value; headers of some 16 KiB are what most servers take."""
VALUES_LIMIT = 4 << 20
"""Bytes of the memory that values, certificates and the authority are held in."""
COMMAND_LIMIT = 1000
"""Characters of a command: a reviewer reads all of it."""
PATIENCE = 30
"""Seconds that a command may take to print a value."""

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST = re.compile(rf"({_LABEL}\.)+{_LABEL}")
METHOD = re.compile(r"[A-Z]{1,20}")
HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
PATH = re.compile(r"/(?!/)([A-Za-z0-9._~!$&()*+,=:@-]|%2[fF]|/(?!/))*")
_DOTS = re.compile(r"(/|%2[fF])\.\.?(/|%2[fF]|$)")
KEYRING_ENTRY = re.compile(r"[^\x00-\x1f/]{1,200}/[^\x00-\x1f]{1,200}")
"""The service up to the first `/`, and the user."""
PLACEHOLDER = re.compile(r"[A-Za-z0-9._~+/=:-]{1,200}")
VISIBLE = re.compile(r"[!#$%&()*+,./0-9:;<=>?@A-Z^_`a-z{|}~\[\]-]+( [!-~]+)*")
FORBIDDEN_HEADERS = frozenset(
    (
        "host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade",
        "expect", "cookie", "range", "if-range", "accept-encoding", "http2-settings",
    )
)  # fmt: skip
"""Headers that a message is held together with, and what is no credential of one request."""
FORBIDDEN_PREFIXES = (
    "content-",
    "proxy-",
    "x-http-method",
    "x-method-",
    "x-original-",
    "x-rewrite-",
)
FORBIDDEN_METHODS = ("TRACE", "CONNECT", "TRACK", "DEBUG")

TRUST = (
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE", "PIP_CERT",
    "CARGO_HTTP_CAINFO", "DENO_CERT", "AWS_CA_BUNDLE",
)  # fmt: skip
"""Variables that name all the authorities a program trusts."""
TRUST_MORE = "NODE_EXTRA_CA_CERTS"
"""The variable that names authorities beyond a program's own."""


class Scheme(StrEnum):
    """How a value is put into a request."""

    BEARER = "bearer"
    """RFC 6750, section 2.1."""
    BASIC = "basic"
    """RFC 7617."""
    HEADER = "header"
    """A header of the user's choice."""


class CredentialHost(Model):
    """A server that a credential is for."""

    name: str
    port: int

    @property
    def text(self) -> str:
        """Return it as a configuration has it."""
        return self.name if self.port == TLS_PORT else f"{self.name}:{self.port}"


def parse_host(text: str) -> CredentialHost:
    """Read `NAME` or `NAME:PORT`.

    Raises:
        PydanticCustomError: it is no exact name of a host, or a port that cannot be served.
    """
    allowed = "an exact host name such as api.example.com, or NAME:PORT; port 443 by default"
    name, colon, digits = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    name = name.lower()
    if "*" in text:
        raise problem("credential-host", f"`{text}` is a wildcard", allowed, "name each host")
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        pass
    else:
        raise problem(
            "credential-host", f"`{text}` is an address", allowed,
            "certificates are checked against the name",
        )  # fmt: skip
    if not HOST.fullmatch(name) or len(name) > 253 or name == MACHINE:
        raise problem("credential-host", f"`{text}` is no name of a host", allowed)
    port = int(digits) if re.fullmatch(r"[0-9]{1,5}", digits) else 0 if colon else TLS_PORT
    if not DNS_PORT < port <= 65535 or port in {PLAIN_PORT, FIRST_PORT}:
        raise problem(
            "credential-host", f"`{text}` has a port that cannot be served",
            f"{DNS_PORT + 1} to 65535, but {PLAIN_PORT} and {FIRST_PORT}; TLS is spoken there",
        )  # fmt: skip
    return CredentialHost(name=name, port=port)


def _host(text: str) -> str:
    return parse_host(text).text


def _method(text: str) -> str:
    if not METHOD.fullmatch(text) or text in FORBIDDEN_METHODS:
        raise problem(
            "credential-method", f"`{text}` is no method that a credential can be for",
            "methods in capital letters, such as GET or POST; never TRACE, CONNECT, TRACK or DEBUG",
        )  # fmt: skip
    return text


def _path(text: str) -> str:
    if not PATH.fullmatch(text) or _DOTS.search(text) or len(text) > 500:
        raise problem(
            "credential-path", f"`{text}` is no canonical path",
            "a path from / on, without //, /../, ?, ; or %.. but %2f",
            "one that ends in / is for all below it, any other for itself alone",
        )  # fmt: skip
    return text


def _variable(text: str) -> str:
    if not VARIABLE.fullmatch(text):
        raise problem(
            "credential-env", f"`{text}` is not the name of a variable",
            "letters, digits and _, not beginning with a digit",
        )  # fmt: skip
    if text in NOT_FOR_SECRETS or text in {*TRUST, TRUST_MORE}:
        raise problem(
            "credential-env", f"variable `{text}` is reserved: jailoc sets it", "any other name"
        )
    return text


def check_name(name: str) -> str:
    """Return a credential's name if it may be one.

    Raises:
        PydanticCustomError: it may not.
    """
    if not NAME.fullmatch(name):
        raise problem(
            "credential-name", f"`{name}` is an invalid name of a credential",
            "up to 40 of a-z, digits and -, not at either end",
        )  # fmt: skip
    return name


def _scheme(value: object) -> Scheme:
    try:
        return Scheme(str(value))
    except ValueError:
        raise problem(
            "credential-scheme", f"`{value}` is no scheme",
            ", ".join(f'"{each}"' for each in Scheme),
        ) from None  # fmt: skip


Way = Annotated[
    Scheme, BeforeValidator(_scheme), WithJsonSchema({"enum": [each.value for each in Scheme]})
]
Host = Annotated[str, AfterValidator(_host), config_values.string("^[^*\\s]+$")]
Method = Annotated[str, AfterValidator(_method), config_values.string("^[A-Z]{1,20}$")]
Path = Annotated[str, AfterValidator(_path), config_values.string("^/")]
Variable = Annotated[str, AfterValidator(_variable), config_values.string(f"^{VARIABLE.pattern}$")]
Name = Annotated[str, AfterValidator(check_name)]


class CredentialConfig(Source):
    """One credential, as it is written. It has one source, as a secret."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["from_env"], "properties": {"from_env": {"minLength": 1}}},
                {"required": ["from_file"], "properties": {"from_file": {"minLength": 1}}},
                {"required": ["from_keyring"], "properties": {"from_keyring": {"minLength": 1}}},
                {"required": ["from_command"], "properties": {"from_command": {"minItems": 1}}},
            ],
            "required": ["hosts"],
        }
    )

    hosts: Annotated[tuple[Host, ...], config_values.Array] = Field(
        default=(),
        description="Exact names of the hosts that get it, as NAME or NAME:PORT; port 443 by "
        "default. TLS is spoken with each, and its certificate checked.",
        json_schema_extra={"minItems": 1},
    )
    from_keyring: str = Field(
        default="",
        description="Entry of the system's keyring, as SERVICE/USER, read by commands that start "
        "or renew a sandbox.",
        json_schema_extra={"pattern": f"^({KEYRING_ENTRY.pattern})?$"},
    )
    from_command: Annotated[tuple[str, ...], config_values.Array] = Field(
        default=(),
        description="Program and arguments that print the value, run without a shell by commands "
        "that start or renew a sandbox.",
    )
    scheme: Way = Field(
        default=Scheme.BEARER,
        description="How it is put in: bearer (default), basic (with username), or header.",
    )
    username: str = Field(default="", description="The user of scheme basic.")
    header: str = Field(default="", description="The header of scheme header.")
    prefix: str = Field(
        default="", description="What stands before the value in the header of scheme header."
    )
    methods: Annotated[tuple[Method, ...], config_values.Array] = Field(
        default=(),
        description="Methods of requests that get it; by default all but TRACE, CONNECT, TRACK "
        "and DEBUG.",
    )
    paths: Annotated[tuple[Path, ...], config_values.Array] = Field(
        default=(),
        description="Paths of requests that get it, by default all: one that ends in / with all "
        "below it, any other exactly.",
    )
    env: Annotated[tuple[Variable, ...], config_values.Array] = Field(
        default=(),
        description="Variables of the agent that hold the placeholder, for tools that ask for one.",
    )
    placeholder: str = Field(
        default="",
        description="What stands in the place of the value; jailoc-NAME by default.",
        json_schema_extra={"pattern": f"^({PLACEHOLDER.pattern})?$"},
    )
    scrub: bool = Field(
        default=True, description="Star the value out of answers that hold it (default true)."
    )

    @model_validator(mode="after")
    def _whole(self, _: ValidationInfo) -> "CredentialConfig":
        if not self.hosts:
            raise problem("credential-host", "the credential is for no host", "hosts = [NAME]")
        sources = [
            bool(each)
            for each in (self.from_env, self.from_file, self.from_keyring, self.from_command)
        ]
        if sum(sources) != 1:
            raise problem(
                "credential-source",
                "the credential has " + ("several sources" if any(sources) else "no source"),
                "exactly one of from_env, from_file, from_keyring and from_command",
            )
        if self.from_keyring and not KEYRING_ENTRY.fullmatch(self.from_keyring):
            raise problem(
                "credential-source", f"`{self.from_keyring}` names no entry of a keyring",
                "SERVICE/USER, as it was stored",
            )  # fmt: skip
        if any("\0" in each for each in self.from_command) or self.from_command[:1] == ("",):
            raise problem("credential-source", "the command cannot be run", "a program first")
        if len(shlex.join(self.from_command)) > COMMAND_LIMIT:
            raise problem(
                "credential-source", f"the command has more than {COMMAND_LIMIT} characters",
                "a short one, which a reviewer can read", "put what is long into a program",
            )  # fmt: skip
        program = self.from_command[0] if self.from_command else ""
        if "/" in program and not program.startswith("/"):
            raise problem(
                "credential-source", f"`{program}` is another program in every directory",
                "a name that is looked for on PATH, or a path from / on",
            )  # fmt: skip
        self._scheme()
        if self.placeholder and not PLACEHOLDER.fullmatch(self.placeholder):
            raise problem(
                "credential-env", f"`{self.placeholder}` is no placeholder",
                "up to 200 letters, digits and ._~+/=:-",
            )  # fmt: skip
        return self

    def _scheme(self) -> None:
        for key, scheme in (
            ("username", Scheme.BASIC), ("header", Scheme.HEADER), ("prefix", Scheme.HEADER),
        ):  # fmt: skip
            if getattr(self, key) and self.scheme is not scheme:
                raise problem(
                    "credential-scheme", f"{key} is of scheme {scheme}, not of {self.scheme}",
                    f'scheme = "{scheme}"',
                )  # fmt: skip
        if self.scheme is Scheme.BASIC and (
            not VISIBLE.fullmatch(self.username) or ":" in self.username
        ):
            raise problem(
                "credential-scheme", "scheme basic needs a user", "username = NAME, without a colon"
            )
        if self.scheme is Scheme.HEADER:
            lower = self.header.lower()
            if (
                not HEADER.fullmatch(self.header)
                or lower in FORBIDDEN_HEADERS
                or lower.startswith(FORBIDDEN_PREFIXES)
            ):
                raise problem(
                    "credential-header", f"`{self.header}` is no header for a credential",
                    "a name such as X-Api-Key; none that a message is held together with",
                )  # fmt: skip
            if self.prefix and not VISIBLE.fullmatch(self.prefix.removesuffix(" ")):
                raise problem(
                    "credential-header", f"`{self.prefix}` cannot stand in a header",
                    "visible characters, and single spaces between or after them",
                )  # fmt: skip


class Credential(Model):
    """One credential of a workspace, resolved."""

    name: str
    hosts: tuple[CredentialHost, ...]
    from_env: str = ""
    from_file: str = ""
    from_keyring: str = ""
    from_command: tuple[str, ...] = ()
    scheme: Scheme
    username: str = ""
    header: str = ""
    prefix: str = ""
    methods: tuple[str, ...]
    paths: tuple[str, ...]
    env: tuple[str, ...]
    placeholder: str
    scrub: bool
    origin: str

    @property
    def source(self) -> str:
        """Return where the value comes from, in a word or two."""
        if self.from_env:
            return f"${self.from_env}"
        if self.from_keyring:
            return f"keyring entry {self.from_keyring}"
        return self.from_file or f"the output of `{shlex.join(self.from_command)}`"


def limits(credential: Credential) -> str:
    """Return where, how and with which requests a credential is used, in words."""
    words = [", ".join(each.text for each in credential.hosts)]
    words += [" ".join(credential.methods)] if credential.methods else []
    words += [" ".join(credential.paths)] if credential.paths else []
    return "; ".join(words)
