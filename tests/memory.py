"""An engine in memory, with the habits of the real one that a plan depends on.

It can be killed between any two things that it does. That it spells a container as the real one
does is an engine test.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jailoc.bin.deploy.apply import rounds
from jailoc.generators.artefacts.container_fields import expected
from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.plan import plan
from jailoc.generators.plan.record import applied
from jailoc.model.bundle import RELOADABLE, Bundle
from jailoc.model.deployed import Applied, Deployed, DeployedFile, Found, Rules, file_states
from jailoc.model.plan import (
    BuildImages,
    HandSecrets,
    Plan,
    Prove,
    Record,
    Reload,
    RemoveContainer,
    RemoveNetwork,
    RemoveProject,
    Restart,
    Start,
    Step,
    StopAgent,
    WriteFiles,
)
from jailoc.model.sandbox import AGENT, DIGEST_LABEL, SERVICE_LABEL, WALL


class Killed(BaseException):
    """The process has ended, in the middle of its work."""


@dataclass
class Machine:
    """Disk and engine of one machine, as far as one workspace is concerned."""

    files: dict[str, DeployedFile] = field(default_factory=dict)
    applied: Applied | None = None
    containers: dict[str, Found] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    """How often each container, by id, has been started."""
    images: dict[str, str] = field(default_factory=dict)
    network: str | None = None
    """The configuration that it was made with."""
    volumes: set[str] = field(default_factory=set)
    kernel: dict[str, DeployedFile] = field(default_factory=dict)
    """The files that the rules in the kernel come from."""
    held: dict[str, str] = field(default_factory=dict)
    """Secrets in the wall's memory, by name."""
    taken: dict[str, str] = field(default_factory=dict)
    """Secrets that the agent took when it was started."""
    count: int = 0
    alive: float = float("inf")
    """Things that may still happen before the process is killed."""

    def tick(self) -> None:
        if self.alive <= 0:
            raise Killed
        self.alive -= 1


class Memory:
    """One apply's view of a machine."""

    def __init__(self, machine: Machine, bundle: Bundle, given: Given) -> None:
        self.machine, self.bundle, self.given = machine, bundle, given

    def observe(self) -> Deployed:
        machine = self.machine
        wall = machine.containers.get(WALL)
        running = wall is not None and wall.state == "running"
        rules = Rules.UNKNOWN
        if running:
            same = machine.kernel == self._reloadable()
            rules = Rules.SAME if same else Rules.DIFFERENT
        wanted = self.bundle.references
        return Deployed(
            workspace=self.bundle.workspace,
            applied=machine.applied,
            files=dict(machine.files),
            containers={name: self._seen(each, wall) for name, each in machine.containers.items()},
            images={each: machine.images[each] for each in wanted & machine.images.keys()},
            network=machine.network is not None,
            volumes=tuple(sorted(machine.volumes)),
            rules=rules,
            held=tuple(sorted(machine.held)) if running else (),
        )

    def _seen(self, each: Found, wall: Found | None) -> Found:
        """Show a namespace that is gone as the container that it was."""
        if each.wall is None or (wall is not None and wall.id == each.wall):
            return each
        return each.model_copy(
            update={"facets": each.facets | {"network": f"container:{each.wall}"}}
        )

    def _reloadable(self) -> dict[str, DeployedFile]:
        return {path: each for path, each in self.machine.files.items() if path in RELOADABLE}

    def perform(self, step: Step) -> None:
        self.machine.tick()
        match step:
            case BuildImages():
                for reference in step.references:
                    self._image(reference)
                    self.machine.tick()
            case StopAgent():
                self._state(AGENT, step.container, "exited")
            case WriteFiles():
                self._write()
            case RemoveContainer():
                self._remove(step.service, step.container)
            case RemoveNetwork():
                assert not self.machine.containers, "the engine keeps a network that is in use"
                self.machine.network = None
            case Start():
                self._start(step.services)
            case HandSecrets():
                assert self._running(WALL)
                self.machine.held = dict(self.given.secrets)
            case Reload():
                assert self._running(WALL)
                self.machine.kernel = self._reloadable()
            case Restart():
                self._state(step.service, step.container, "exited")
                self.machine.tick()
                self._start((step.service,))
            case Prove() | Record() | RemoveProject():
                assert not isinstance(step, RemoveProject)
                self.prove() if isinstance(step, Prove) else self._record()
        self.machine.tick()

    def _image(self, reference: str) -> None:
        self.machine.images.setdefault(reference, f"sha256:{reference}")

    def _write(self) -> None:
        wanted = file_states(self.bundle)
        for path in sorted(wanted, key=lambda each: each == "docker-compose.yml"):
            if self.machine.files.get(path) != wanted[path]:
                self.machine.files[path] = wanted[path]
                self.machine.tick()
        for path in sorted(self.machine.files.keys() - wanted.keys()):
            del self.machine.files[path]
            self.machine.tick()

    def _state(self, service: str, container: str, state: str) -> None:
        found = self.machine.containers[service]
        assert found.id == container
        self.machine.containers[service] = found.model_copy(update={"state": state, "health": ""})

    def _remove(self, service: str, container: str) -> None:
        assert self.machine.containers.pop(service).id == container
        if not self.machine.containers:
            # What is in memory lasts as long as a container uses it.
            self.machine.held = {}

    def _running(self, service: str) -> bool:
        found = self.machine.containers.get(service)
        return found is not None and found.state == "running"

    def _start(self, services: tuple[str, ...]) -> None:
        """Make what is missing, start what is not running; nothing else is touched."""
        compose = self.bundle.compose
        assert self.machine.files == file_states(self.bundle)
        wanted = (*(each.name for each in compose.memory), *compose.volumes)
        self.machine.volumes |= {*wanted}
        if self.machine.network is None:
            self.machine.network = compose.network.model_dump_json()
        for name in sorted(services, key=lambda each: each != WALL):
            service = compose.services[name]
            found = self.machine.containers.get(name)
            wall = self.machine.containers.get(WALL)
            if found is None:
                self.machine.count += 1
                self._image(service.image.text)
                assert name == WALL or self._running(WALL)
                facets = expected(service, compose.name)
                found = Found(
                    id=f"{name}-{self.machine.count}",
                    state="created",
                    image=self.machine.images[service.image.text],
                    files=service.labels[DIGEST_LABEL],
                    service=service.labels[SERVICE_LABEL],
                    wall=wall.id if wall and name != WALL else None,
                    facets={each: facet.value for each, facet in facets.items()},
                )
                self.machine.containers[name] = found
                self.machine.tick()
            if found.state != "running":
                assert found.wall in {None, wall.id if wall else None}, "its namespace is gone"
                if name == WALL:
                    self.machine.kernel = self._reloadable()
                if name == AGENT:
                    self.machine.taken = dict(self.machine.held)
                self.machine.starts[found.id] = self.machine.starts.get(found.id, 0) + 1
                self.machine.containers[name] = found.model_copy(
                    update={"state": "running", "health": "healthy", "severed": ""}
                )
                self.machine.tick()

    def prove(self) -> None:
        """Everything is as the bundle says, looked at without any plan."""
        machine, compose = self.machine, self.bundle.compose
        assert machine.files == file_states(self.bundle)
        assert machine.kernel == self._reloadable()
        assert machine.held == machine.taken == self.given.secrets
        assert machine.network == compose.network.model_dump_json()
        assert machine.containers.keys() == compose.services.keys()
        wall = machine.containers[WALL]
        for name, service in compose.services.items():
            found = machine.containers[name]
            assert (found.state, found.health) == ("running", "healthy")
            assert found.wall == (None if name == WALL else wall.id)
            assert found.image == machine.images[service.image.text]
            assert found.files == service.labels[DIGEST_LABEL]
            assert found.facets == {
                each: facet.value for each, facet in expected(service, compose.name).items()
            }

    def _record(self) -> None:
        self.machine.applied = applied(self.bundle, self.given, self.observe())

    # What a test does with it

    def plan(self) -> Plan:
        return plan(self.bundle, self.observe(), self.given)

    def apply(self) -> Plan:
        made = self.plan()
        rounds(self, self.bundle, self.given, made)
        return made


@contextmanager
def killed_after(machine: Machine, things: int) -> Iterator[Callable[[], bool]]:
    """Let so many things happen, then kill; yield what tells whether it came to that."""
    state = {"killed": False}
    machine.alive = things
    try:
        yield lambda: state["killed"]
    except Killed:
        state["killed"] = True
    finally:
        machine.alive = float("inf")
