"""Services beside the agent: what may be said of one, and what it is then."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from jailoc.model import config_values
from jailoc.model.base import Model
from jailoc.model.compose import Capability
from jailoc.model.environment import Variable
from jailoc.model.field_error import problem
from jailoc.model.path import clean, within
from jailoc.model.sandbox import AGENT, SIDECAR, WALL
from jailoc.model.schema_patterns import string

NAME = r"[a-z][a-z0-9]{0,31}(-[a-z0-9]{1,31}){0,3}"
LONGEST = 32
RESERVED = (
    WALL, AGENT, SIDECAR, "agent", "localhost", "proxy", "wall",
    "ip6-allnodes", "ip6-allrouters", "ip6-localhost", "ip6-localnet", "ip6-loopback",
    "ip6-mcastprefix",
)  # fmt: skip
"""Names of the sandbox's own containers, and those that mean something else to everybody: a
container's hosts(5) has the latter."""
NEEDED = (
    Capability.CHOWN,
    Capability.DAC_OVERRIDE,
    Capability.FOWNER,
    Capability.SETGID,
    Capability.SETUID,
)
"""What a program that starts as root needs to take its files over and become somebody else."""
_PLACE = r"(/[A-Za-z0-9._@+-]+)+"
_VOLUME = r"[a-z0-9][a-z0-9-]{0,39}"
_KERNEL = ("/proc", "/sys", "/dev")


def _name(value: str) -> str:
    allowed = f"words of a-z and digits with hyphens between, at most {LONGEST} characters"
    if not re.fullmatch(NAME, value) or len(value) > LONGEST:
        raise problem("service-name", f"`{value}` is no name of a service", allowed)
    if value in RESERVED:
        raise problem("service-name", f"`{value}` is a name of the sandbox's own", allowed)
    return value


def _image(value: str) -> str:
    if not value:
        raise problem("service", "a service needs an image", "such as postgres:17")
    return value


def _user(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,8}:[1-9][0-9]{0,8}", value):
        raise problem(
            "service-user",
            f"`{value}` is not as whom a service runs",
            "two numbers above 0, as 999:999",
            "a program that has to start as root gets `capabilities` instead",
        )
    return value


def _capability(value: str) -> str:
    if value not in NEEDED:
        raise problem(
            "service-capability",
            f"a service cannot have the capability `{value}`",
            ", ".join(NEEDED),
        )
    return value


def _place(value: str) -> str:
    path = clean(value) if value.startswith("/") else value
    if not re.fullmatch(_PLACE, path) or any(within(path, each) for each in _KERNEL):
        raise problem(
            "service-place",
            f"`{value}` is no place for files of a service",
            "an absolute path of letters, digits and . _ @ + -, outside of /proc, /sys and /dev",
        )
    return path


def _volume(value: str) -> str:
    name, colon, place = value.partition(":")
    if not colon or not re.fullmatch(_VOLUME, name):
        raise problem(
            "service-volume",
            f"`{value}` is no volume of a service",
            "NAME:PLACE, as data:/var/lib/postgresql/data; names have a-z, 0-9 and -",
            "nothing of this machine is mounted in a service"
            if value.startswith(("/", "~", "."))
            else None,
        )
    return f"{name}:{_place(place)}"


def _word(value: str) -> str:
    if not value or "\0" in value:
        raise problem("service", "an empty word, or one with NUL", "words of a command")
    return value


def _some(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise problem(
            "service", "an empty list says nothing", "ports that it listens on; words of a command"
        )
    return value


_ONE_USER: dict[str, Any] = {"oneOf": [{"required": ["user"]}, {"required": ["capabilities"]}]}


class ServiceConfig(Model):
    """A container beside the agent, which the agent alone reaches."""

    model_config = ConfigDict(json_schema_extra=_ONE_USER)

    image: Annotated[config_values.Image, AfterValidator(_image)] = Field(
        description="Image of the service; it is used as it is."
    )
    ports: Annotated[tuple[config_values.Port, ...], config_values.Array, AfterValidator(_some)] = (
        Field(description="Ports that the agent reaches, at the service's name.")
    )
    user: (
        Annotated[str, AfterValidator(_user), string("^[1-9][0-9]{0,8}:[1-9][0-9]{0,8}$")] | None
    ) = Field(default=None, description="As whom it runs, UID:GID; it has no capability then.")
    capabilities: Annotated[
        tuple[
            Annotated[str, AfterValidator(_capability), string(enum=list(NEEDED))],
            ...,
        ],
        config_values.Array,
    ] = Field(
        default=(),
        description="Instead of `user`: what it needs to start as root and become another user.",
    )
    tmpfs: Annotated[
        tuple[Annotated[str, AfterValidator(_place), string(rf"^{_PLACE}/*$")], ...],
        config_values.Array,
    ] = Field(default=(), description="Directories in memory; all else of the image is read-only.")
    volumes: Annotated[
        tuple[Annotated[str, AfterValidator(_volume), string(rf"^{_VOLUME}:{_PLACE}/*$")], ...],
        config_values.Array,
    ] = Field(default=(), description="Volumes NAME:PLACE of its own, which outlast the container.")
    healthcheck: Annotated[
        tuple[Annotated[str, AfterValidator(_word), string("^.")], ...],
        config_values.Array,
        AfterValidator(_some),
    ] = Field(description="Command in the container that succeeds when it is ready; no shell.")
    env: Annotated[tuple[config_values.Env, ...], config_values.Array] = Field(
        default=(), description="Its environment as KEY=VALUE, taken literally."
    )

    @model_validator(mode="after")
    def _one_user(self) -> "ServiceConfig":
        if (self.user is None) == (not self.capabilities):
            raise problem(
                "service-user",
                "a service has either a `user` or `capabilities`",
                'user = "999:999", or what it needs as root',
            )
        places = [*self.tmpfs, *(each.partition(":")[2] for each in self.volumes)]
        if twice := next((each for each in places if places.count(each) > 1), None):
            raise problem("service-place", f"two things are at `{twice}`", "a place each")
        return self


ServiceName = Annotated[str, AfterValidator(_name)]


class Beside(Model):
    """A service of a workspace, with where each part of it is said."""

    name: str
    image: str
    ports: tuple[int, ...]
    user: str
    capabilities: tuple[Capability, ...]
    tmpfs: tuple[str, ...]
    volumes: tuple[tuple[str, str], ...]
    """Name and place."""
    healthcheck: tuple[str, ...]
    env: tuple[Variable, ...]
    origin: str


def beside(name: str, config: ServiceConfig, origin: str) -> Beside:
    """Return a service as its table in the configuration, at `origin`, says."""
    return Beside(
        name=name,
        image=config.image,
        ports=tuple(dict.fromkeys(config.ports)),
        user=config.user or "0:0",
        capabilities=tuple(each for each in NEEDED if each in config.capabilities),
        tmpfs=config.tmpfs,
        volumes=tuple((each.partition(":")[0], each.partition(":")[2]) for each in config.volumes),
        healthcheck=config.healthcheck,
        env=tuple(
            Variable(key=each.key, value=each.value, origin=f"{origin}.env[{index}]")
            for index, each in enumerate(config.env)
        ),
        origin=origin,
    )
