"""Carry out the steps of a plan, on the disk and on the engine."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from jailoc.bin.config import facts
from jailoc.bin.deploy import (
    at_work,
    begin,
    check,
    images,
    machine,
    made,
    premade,
    proof,
    provenance,
)
from jailoc.bin.deploy import credentials as credential
from jailoc.bin.deploy import observe as deployment
from jailoc.bin.deploy import secrets as secret
from jailoc.bin.engine import (
    containers,
    docker,
    endpoint,
    network,
    network_errors,
    startup,
    tools,
    volumes,
)
from jailoc.bin.host import files, links, records
from jailoc.bin.terminal import step as shown
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.record import applied
from jailoc.generators.plan.steps import words
from jailoc.generators.runtime.verify import Check
from jailoc.model.agents.agent import Agent
from jailoc.model.bundle import Bundle
from jailoc.model.deployed import Deployed
from jailoc.model.diagnostic import Diagnostic, Refused, refuse
from jailoc.model.host import Host
from jailoc.model.palette import Meaning
from jailoc.model.plan import (
    BuildImages,
    FeedProxy,
    HandSecrets,
    Prove,
    Record,
    Reload,
    RemoveContainer,
    RemoveNetwork,
    Restart,
    Start,
    Step,
    StopAgent,
    WriteFiles,
)
from jailoc.model.sandbox import (
    AGENT,
    COMPOSE_FILE,
    FIREWALL,
    HAND_SECRETS,
    PASSWORD_FILE,
    SHARED_PREFIX,
    WALL,
    workspace_of,
)

START_LIMIT = 180
"""Seconds that a workspace may take to become healthy; a first start fills its volumes."""


class World(Protocol):
    """Where a workspace is: it can be looked at, and a step can be taken."""

    def observe(self) -> Deployed:
        """Gather all that there is."""
        ...

    def perform(self, step: Step) -> None:
        """Take one step. A step that was taken before does no harm."""
        ...


class Engine:
    """The world as it is: this machine's files, and its engine."""

    def __init__(
        self,
        terminal: Terminal,
        bundle: Bundle,
        given: Given,
        secrets: secret.Values,
        credentials: credential.Lines,
        unchanged: Callable[[], None],
        host: Host,
    ) -> None:
        """Prepare to bring about what a bundle says.

        Args:
            terminal: Where progress is shown.
            bundle: What is wanted.
            given: What a plan was made with.
            secrets: Every value that is handed over.
            credentials: What the proxy is fed.
            unchanged: Raises if the configuration, or what it names, is not what was compiled.
            host: The machine as it was checked.
        """
        self._terminal, self._bundle, self._given = terminal, bundle, given
        self._secrets, self._unchanged, self._host = secrets, unchanged, host
        self._credentials = credentials
        self._directory = Path(bundle.directory)
        self.touched = False
        """Whether anything that runs, or its files, may be other than before."""
        self._unproven = frozenset[str]()

    def observe(self) -> Deployed:
        """Gather all that there is."""
        return deployment.observe(self._bundle.workspace, self._bundle)

    def perform(self, step: Step) -> None:
        """Take one step."""
        if not (self.touched or isinstance(step, BuildImages)):
            self._unproven = premade.renew(self._bundle, self._given.key)
            self.touched = True
        if isinstance(step, BuildImages):
            build(self._terminal, self._bundle)  # which shows steps of its own
            return
        said = words(step, self._bundle.workspace, self._secrets)
        with shown.step(self._terminal, said):
            self._perform(step)

    def _perform(self, step: Step) -> None:
        match step:
            case StopAgent():
                self._stop(step.container)
            case WriteFiles():
                files.make_private(facts.state_directory() / self._bundle.workspace)
                files.write_bundle(self._bundle, self._directory)
            case RemoveContainer():
                containers.remove(step.container)
            case RemoveNetwork():
                for name in containers.owned("network", self._bundle.compose.name):
                    network.remove(name)
            case Start():
                self._start(step.services)
            case HandSecrets():
                self._hand_secrets()
            case FeedProxy():
                credential.feed(self._bundle.compose.name, self._credentials)
            case Reload():
                machine.hand(self._directory)
                containers.feed(self._wall(), [*FIREWALL, "reload"], b"")
            case Restart():
                machine.hand(self._directory)
                containers.restart(step.container)
            case Prove():
                self._prove()
            case Record():
                self._record()

    def wait(self) -> None:
        """Wait for what is starting, as after a restart by hand, to be well or sick."""
        project, limit = self._bundle.compose.name, time.monotonic() + START_LIMIT
        while time.monotonic() < limit and any(
            each.state == "running" and each.health == "starting"
            for each in containers.containers(project)
        ):
            time.sleep(0.5)

    def _stop(self, container: str) -> None:
        """Stop the agent, and look once more.

        Between our look at a path and the engine's, a running agent could put a symbolic link
        there.
        """
        containers.stop(container)
        self._unchanged()

    def _prepare(self) -> None:
        """Make what only its own absence would let the agent make, in the checked places alone."""
        for each in self._bundle.placeholders:
            try:
                if made.make(self._bundle.workspace, each):
                    self._terminal.say(
                        f"made {each.place}, which the agent cannot exchange: with one of its own "
                        "it could steer this machine; it goes with the sandbox, if it is empty",
                        Meaning.WARNS,
                    )
            except OSError as error:
                raise refuse(
                    "repository",
                    f"`{each.place}` cannot be made: {error.strerror}",
                    hint="the agent could, and Git on this machine would follow it; look at what "
                    "lies on the way, and to whom it belongs",
                ) from None
        for seed in self._bundle.seeds:
            folder, _, name = seed.path.rpartition("/")
            try:
                links.create(proof.checked(folder, self._host), name, seed.text)
            except FileExistsError:
                continue
            except OSError as error:
                self._terminal.say(f"cannot write {seed.path}: {error.strerror}", Meaning.WARNS)

    def _start(self, services: tuple[str, ...]) -> None:
        self._prepare()
        for each in self._bundle.compose.shared:
            volumes.share(each.removeprefix(SHARED_PREFIX), os.getuid(), self._given.key)
        compose = self._bundle.compose
        volumes.own(compose.name, compose.volumes, str(self._directory), self._given.key)
        try:
            start(
                self._terminal, self._bundle.compose.name, self._directory, services,
                Held(
                    self._secrets,
                    self._proved,
                    self._bundle.agent,
                ),
            )  # fmt: skip
        except docker.DockerError as error:
            meaning = network_errors.translated(error, self._bundle.workspace)
            if meaning is None:
                raise
            raise meaning from error

    def _proved(self, agent: str) -> None:
        """Prove an agent's mounts, and write down what it gets: it may write from here on."""
        proof.prove(self._terminal, self._bundle, self._host, agent)
        begun = {
            "config": self._given.config,
            "compose": self._bundle.compose.model_dump(mode="json"),
            "unproven": sorted(self._unproven),
        }
        records.begin(self._bundle.workspace, json.dumps(begun).encode())

    def _wall(self) -> str:
        return wall_of(self._bundle.compose.name)

    def _hand_secrets(self) -> None:
        # An agent that is to start gets the password once its mounts are proved.
        running = startup.running(self._bundle.compose.name, AGENT)
        hand_secrets(self._wall(), self._secrets if running else withheld(self._secrets))

    def _prove(self) -> None:
        """Compare what runs with its model.

        Raises:
            Refused: something differs.
        """
        self.wait()
        wrong = [each for each in check.quick(self._bundle) if not each.ok]
        if wrong:
            raise Refused(tuple(map(_problem, wrong)))

    def _record(self) -> None:
        made = applied(self._bundle, self._given, self.observe())
        here = {"engine": endpoint.recorded(), "unproven": tuple(sorted(self._unproven))}
        made = made.model_copy(update=here)
        records.write(self._bundle.workspace, f"{made.model_dump_json()}\n".encode())
        records.forget(self._bundle.workspace)


def _problem(check: Check) -> Diagnostic:
    return Diagnostic(
        code="proof",
        message=f"{check.kind} {check.subject}: expected {check.expected}, found {check.found}",
        hint="look at the logs; `jailoc verify` looks closer",
    )


def build(terminal: Terminal, bundle: Bundle) -> None:
    """Build what a workspace needs and the engine lacks; nobody builds the same image twice."""
    with images.building():
        images.ensure(terminal, bundle)


def build_unknown(terminal: Terminal, bundle: Bundle) -> None:
    """Have the engine compare the build contexts that are too large for a digest."""
    if not all(each.known for each in bundle.builds):
        build(terminal, bundle)


class Held(NamedTuple):
    """What an agent that has started waits for."""

    secrets: secret.Values
    prove: Callable[[str], None]
    """Raises if what is mounted in a container, named by its id, is not what it should be, or if it
    cannot be written down."""
    server: Agent | None = None
    """Whose server is waited for, if that is known."""


def start(
    terminal: Terminal, project: str, directory: Path, services: tuple[str, ...], held: Held
) -> None:
    """Make and start what is missing or stopped of a project, and wait until it is healthy.

    The agent's program begins only when its mounts are proved.
    """
    machine.hand(directory)
    compose = directory / COMPOSE_FILE
    if AGENT not in services:
        containers.up(project, compose, list(services), terminal.detail, START_LIMIT)
        provenance.check(containers.containers(project))
        return
    if startup.running(project, AGENT):
        # Should it end in this moment, then Compose would start it as it was, unproved.
        if beside := [each for each in services if each != AGENT]:
            containers.up(project, compose, beside, terminal.detail, START_LIMIT)
            provenance.check(containers.containers(project))
    else:
        if (wall := startup.running(project, WALL)) is not None:
            # One that has ended by itself a moment ago had been let go: the password is there.
            hand_secrets(wall, withheld(held.secrets))
        begin.agent(project, compose, services, terminal.detail, START_LIMIT)
        agent = startup.running(project, AGENT)
        if agent is not None:
            try:
                _alone(terminal, project)
                held.prove(agent)
            except (docker.DockerError, Refused, OSError):
                # Whatever comes next: nothing in it may go on.
                containers.remove(agent)
                raise
            hand_secrets(wall_of(project), held.secrets)
    startup.wait(project, services, START_LIMIT, held.server)


def _alone(terminal: Terminal, project: str) -> None:
    """See that nothing of jailoc's reads or restores where an agent is going to write."""
    if (workspace := workspace_of(project)) is not None and tools.at_work():
        agents = (each for each in containers.containers(project) if each.service == AGENT)
        at_work.gone(terminal, workspace, [place for each in agents for place in each.writable])


def withheld(secrets: secret.Values) -> secret.Values:
    """Return what is handed over before the agent may begin."""
    return {name: value for name, value in secrets.items() if name != PASSWORD_FILE}


def wall_of(project: str) -> str:
    """Return the id of a project's wall.

    Raises:
        DockerError: there is none.
    """
    for each in containers.containers(project):
        if each.service == WALL:
            return each.id
    raise docker.DockerError("looking for the wall", [], 1, "its container is not there")


def hand_secrets(wall: str, secrets: secret.Values) -> None:
    """Hand values over to a wall's memory, on a pipe."""
    containers.feed(wall, [*HAND_SECRETS], secret.archive(secrets))
