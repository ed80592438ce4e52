"""What an apply would do: typed changes, the drift that was found, the powers, and the steps.

The words are those of Terraform's plans: create, update in place, replace (here: recreate) and so
on. A plan is a value; carrying it out is another room's work.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.egress import Egress
from jailoc.model.plan_address import ChangeAddress, DriftAddress, FieldAddress, FoundAddress
from jailoc.model.power import PowerChange


class Action(StrEnum):
    """What is done to one address, the least disruptive that serves."""

    CREATE = "create"
    UPDATE = "update in place"
    RESTART = "restart"
    RECREATE = "recreate"
    REBUILD = "rebuild"
    REMOVE = "remove"


class FieldChange(Model):
    """One value within a change. Values that are nobody's business are keyed digests."""

    name: str
    before: str | None
    after: str | None
    origin: str | None = None
    """The configuration entry behind it, such as `workspaces.api.memory`."""
    place: str | None = None
    """Where that entry stands, as `FILE:LINE:COLUMN`."""


class Change(Model):
    """What happens to one thing."""

    address: ChangeAddress
    action: Action
    causes: tuple[str, ...] = ()
    """In words; an empty list says that the fields tell it all."""
    fields: tuple[FieldChange, ...] = ()


class Drift(Model):
    """What is not as it was left by the last apply."""

    address: DriftAddress
    before: str | None
    """As it was left."""
    after: str | None
    """As it was found."""
    ignored: bool = False
    """Whether the configuration names it as noise; then nothing is done about it."""

    @property
    def shown(self) -> tuple[str, str]:
        """Return before and after as people read them."""
        name = self.address.field if isinstance(self.address, FieldAddress) else ""
        return shown(name, self.before), shown(name, self.after)


class BuildImages(Model):
    """Build, or fetch, what the engine lacks, and make sure that all of it can be run."""

    kind: Literal["build images"] = "build images"
    references: tuple[str, ...]


class StopAgent(Model):
    """Stop the agent, so that nothing moves while its mounts are made anew."""

    kind: Literal["stop agent"] = "stop agent"
    container: str


class WriteFiles(Model):
    """Write the generated files; the compose file last."""

    kind: Literal["write files"] = "write files"
    paths: tuple[str, ...]
    """What differs; the rest is as it should be."""


class RemoveContainer(Model):
    """Remove a container, running or not."""

    kind: Literal["remove container"] = "remove container"
    service: str
    container: str


class RemoveNetwork(Model):
    """Remove the project's network, which no container uses any more."""

    kind: Literal["remove network"] = "remove network"


class Start(Model):
    """Make and start services that are missing or stopped, and wait until they are healthy."""

    kind: Literal["start"] = "start"
    services: tuple[str, ...]


class HandSecrets(Model):
    """Hand the secrets over to the wall's memory."""

    kind: Literal["hand secrets over"] = "hand secrets over"


class FeedProxy(Model):
    """Feed the values of credentials to the proxy's memory; no connection ends."""

    kind: Literal["feed the proxy"] = "feed the proxy"


class Reload(Model):
    """Load the rules in one transaction; nothing is restarted."""

    kind: Literal["reload rules"] = "reload rules"


class Restart(Model):
    """Restart a service, and wait until it is healthy."""

    kind: Literal["restart"] = "restart"
    service: str
    container: str


class Prove(Model):
    """Compare what runs with its model: containers, rules, processes, mounts."""

    kind: Literal["prove"] = "prove"


class Record(Model):
    """Write down what has been applied."""

    kind: Literal["record"] = "record"


class Extent(StrEnum):
    """How much of a workspace a removal takes."""

    PROJECT = "project"
    """Containers, network and generated files."""
    BUT_VOLUMES = "all but volumes"
    ALL = "all"
    """Volumes, images that only it used, and the password, too."""


class RemoveProject(Model):
    """Remove a workspace, as far as it goes; what is gone already does no harm."""

    kind: Literal["remove project"] = "remove project"
    extent: Extent
    images: tuple[str, ...] = ()
    """Those that go, by reference."""


Step = Annotated[
    BuildImages
    | StopAgent
    | WriteFiles
    | RemoveContainer
    | RemoveNetwork
    | Start
    | HandSecrets
    | FeedProxy
    | Reload
    | Restart
    | Prove
    | Record
    | RemoveProject,
    Field(discriminator="kind"),
]


class Plan(Model):
    """Everything about one workspace that an apply would do, and why."""

    workspace: str
    changes: tuple[Change, ...]
    drift: tuple[Drift, ...]
    powers: tuple[PowerChange, ...]
    """What the sandbox may do that it could not, and the other way; the gravest first."""
    new: bool = False
    """Whether it was never applied: its powers are what it has more than one that says nothing."""
    egress: Egress | None = None
    """What it may reach of the internet; None unless it is new."""
    inherited: tuple[str, ...] = ()
    """Volumes that were there before it was ever applied; empty unless it is new."""
    notes: tuple[str, ...]
    """What people should know although nothing is done about it."""
    agent_restarts: bool
    """Whether a running agent is interrupted."""
    engine: bool
    """Whether an engine was asked; without one only the files are compared."""
    unseen: tuple[str, ...] = ()
    """What was not looked at, in words: of that no change can be known."""
    steps: tuple[Step, ...]
    bundle: str | None
    """Digest of what is wanted; None where the workspace is to be removed."""
    world: dict[FoundAddress, str]
    """Digest of each thing that was found, by address: what a saved plan holds on to."""

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return not self.changes


UNSEEN = "what runs"
"""What no plan without an engine has looked at."""


class SavedPlan(Model):
    """Plans of several workspaces, as `plan --out` keeps them and `--json` prints them."""

    format: Literal[1] = 1
    config: str
    """Path of the configuration file."""
    prune: bool = False
    plans: tuple[Plan, ...]

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return all(each.empty for each in self.plans)

    @property
    def unseen(self) -> tuple[str, ...]:
        """Return what was not looked at; an empty plan says nothing about it."""
        return tuple(dict.fromkeys(each for plan in self.plans for each in plan.unseen))


def shown(name: str, value: str | None) -> str:
    """Write a value as people read it: memory and processors as the configuration has them.

    Args:
        name: Of the field.
        value: Memory in bytes, processors with nine decimals.

    >>> [shown(*each) for each in (("memory", "4294967296"), ("cpus", "1.500000000"))]
    ['4g', '1.5']
    >>> shown("user", "4294967296"), shown("image", None)
    ('4294967296', '(none)')
    """
    if value is None:
        return "(none)"
    if name.startswith("memory") and value.isdigit():
        number = int(value)
        for letter, unit in (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)):
            if number and number % unit == 0:
                return f"{number // unit}{letter}"
    if name == "cpus" and "." in value:
        return value.rstrip("0").rstrip(".")
    return value or '""'
