"""What a sandbox may do, one value a power, and what a change does to it: the words of a review."""

from enum import StrEnum

from pydantic import JsonValue

from jailoc.model.address import Network
from jailoc.model.base import Model
from jailoc.model.compose import Compose
from jailoc.model.firewall import Firewall, Protocol


class PowerKind(StrEnum):
    """What a power is about."""

    REACH = "reach"
    WRITE = "write"
    READ = "read"
    RUN = "run"
    """What the sandbox, or the engine that builds it, executes."""
    HOLD = "hold"
    """What is handed over: secrets by name and source, identities, never a value."""
    BE = "be"
    """Privileges in the kernel of this machine."""
    BE_REACHED = "be reached"
    TRUST = "trust"
    """What is believed although somebody else can change it, and exceptions of checks."""
    GUARD = "guard"
    """What holds the others back: losing one is more power."""
    NOTE = "note"
    """What changes without being a power."""


class Rank(StrEnum):
    """What a widening puts at stake, the worst first."""

    CRITICAL = "critical"
    """Root or execution on the host, credentials of the user, a private network as a whole."""
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NOTE = "note"
    """Nothing."""

    @property
    def order(self) -> int:
        """Return its place, from the worst on."""
        return list(Rank).index(self)


class Direction(StrEnum):
    """Which way a change goes."""

    WIDENS = "widens"
    NARROWS = "narrows"
    SAME = "same"

    @property
    def back(self) -> "Direction":
        """Return the way of the change that undoes it."""
        return {Direction.WIDENS: Direction.NARROWS, Direction.NARROWS: Direction.WIDENS}.get(
            self, self
        )


class Power(Model):
    """One thing that a sandbox may do, or that holds it back."""

    rule: str
    """Of `jailoc.model.power_rules`: `KIND.WHAT`."""
    subject: str
    """What it is about; with the rule it says which power it is."""
    value: str = ""
    """What else there is to say; whether it counts is the rule's."""
    origin: str | None = None
    """The configuration entry behind it."""

    @property
    def key(self) -> tuple[str, str]:
        """Return which power it is."""
        return self.rule, self.subject


class Door(Model):
    """A way to a destination."""

    protocol: Protocol
    """ICMP is that of the destination's family."""
    port: int | None
    """None for every port that no rule of either side names, and for ICMP."""


class PowerChange(Model):
    """One thing that a change does to what a sandbox may do."""

    rule: str
    way: Direction
    rank: Rank
    """Of what is gained or lost; `note` where nothing is at stake."""
    subject: str
    text: str
    """The whole in plain words, without the workspace."""
    before: str | None = None
    after: str | None = None
    origin: str | None = None
    """The configuration entry behind it: of the side that has it."""
    place: str | None = None
    """Where that entry stands, as `FILE:LINE:COLUMN`."""
    networks: tuple[Network, ...] = ()
    """All the destinations that it is about; the text may sum them up."""
    doors: tuple[Door, ...] = ()
    """The ways there that it is about."""
    paths: tuple[str, ...] = ()
    """All the paths of the host that it is about."""

    @property
    def kind(self) -> PowerKind:
        """Return what it is about."""
        return PowerKind(self.rule.partition(".")[0].replace("-", " "))

    @property
    def widens(self) -> bool:
        """Tell whether the sandbox may do something that it could not do before."""
        return self.way is Direction.WIDENS

    @property
    def grave(self) -> bool:
        """Tell whether it widens what a reviewer has to know of: what is critical or high."""
        return self.widens and self.rank in {Rank.CRITICAL, Rank.HIGH}

    @property
    def data(self) -> dict[str, JsonValue]:
        """Return it for programs, with what can be derived."""
        told: dict[str, JsonValue] = {"kind": self.kind.value}
        return told | self.model_dump(mode="json")


class Sides(Model):
    """One of the two states that are compared: all of a workspace that decides what it may do."""

    compose: Compose
    firewall: Firewall
    stated: tuple[Power, ...] = ()
    """What neither of them says: where secrets come from, what an image is made of, guards."""
