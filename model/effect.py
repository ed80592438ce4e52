"""What a change lets in, lets out or takes away, in words and as data."""

from enum import StrEnum

from pydantic import JsonValue

from jailoc.model.address import Network
from jailoc.model.base import Model
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Compose
from jailoc.model.firewall import Firewall, Protocol


class Kind(StrEnum):
    """What an effect is about, in the order that effects are told in."""

    EGRESS = "egress"
    """What is open without being named."""
    REACHABLE = "reachable"
    WRITABLE = "writable"
    """A path of the host; what is writable is readable, too."""
    READABLE = "readable"
    MOUNT = "mount"
    """Where in the container a path of the host, or a volume, is."""
    SECRET = "secret"  # noqa: S105 -- a word
    INPUT = "input"
    """A file of the machine whose text goes in, such as an env file."""
    PRIVILEGES = "privileges"
    SERVICE = "service"
    PORT = "port"
    """Of the host's loopback address."""
    IMAGE = "image"
    ENVIRONMENT = "environment"
    """Variables of the agent, by name."""
    LIMITS = "limits"
    OTHER = "other"


class Sign(StrEnum):
    """Which way it goes."""

    MORE = "+"
    LESS = "-"
    CHANGED = "~"


class Door(Model):
    """A way to a destination."""

    protocol: Protocol
    """ICMP is that of the destination's family."""
    port: int | None
    """None for every port that no rule of either side names, and for ICMP."""


class Effect(Model):
    """One thing that a change does to a sandbox."""

    kind: Kind
    sign: Sign
    subject: str
    before: str | None = None
    """For what is changed: what it was, where that can be said."""
    after: str | None = None
    networks: tuple[Network, ...] = ()
    """All the destinations that a reachable effect is about; the subject may sum them up."""
    doors: tuple[Door, ...] = ()
    """The ways there that it is about."""
    paths: tuple[str, ...] = ()
    """All the paths of the host that it is about."""

    @property
    def text(self) -> str:
        """Return it as one line.

        >>> Effect(kind=Kind.PORT, sign=Sign.CHANGED, subject="", before="4096", after="4097").text
        'port 4096 -> 4097'
        """
        if self.sign is not Sign.CHANGED:
            return f"{self.kind} {self.sign} {self.subject}"
        what = f"{self.kind} {self.subject}".rstrip()
        if self.before is None:
            return f"{what}: changed"
        colon = ":" if self.subject else ""
        return f"{what}{colon} {self.before} -> {self.after}"

    @property
    def data(self) -> dict[str, JsonValue]:
        """Return it for programs, with what can be derived."""
        told: dict[str, JsonValue] = {"text": self.text, "opens": self.opens}
        return told | self.model_dump(mode="json")

    @property
    def opens(self) -> bool:
        """Tell whether the sandbox may do something that it could not do before."""
        if self.sign is not Sign.MORE:
            return False
        return self.kind in {
            Kind.REACHABLE,
            Kind.WRITABLE,
            Kind.READABLE,
            Kind.SECRET,
            Kind.PRIVILEGES,
        }


class Sides(Model):
    """One of the two states that are compared: all of a workspace that has an effect."""

    compose: Compose
    firewall: Firewall
    secrets: tuple[str, ...] = ()
    """What is handed over, such as `env TOKEN` and `file key`."""
    inputs: tuple[str, ...] = ()
    """Files whose text goes in, such as `env file /src/agent.env`."""

    @classmethod
    def of(cls, bundle: Bundle, secrets: tuple[str, ...] = ()) -> "Sides":
        """Return what of a bundle has effects; it does not know its secrets by itself."""
        return cls(compose=bundle.compose, firewall=bundle.firewall, secrets=secrets)
