"""From the changes of a plan to the steps that carry them out, in the order of what needs what.

A run may be killed after any of them. What is then there is such that the next plan names the
rest: the record is written last, and nothing else is taken for proof that something was done.
"""

from collections.abc import Collection, Iterable

from jailoc.model.bundle import Bundle
from jailoc.model.deployed import Deployed
from jailoc.model.image import Build
from jailoc.model.plan import (
    Action,
    BuildImages,
    Change,
    FeedProxy,
    HandSecrets,
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
from jailoc.model.plan_address import (
    ChangeAddress,
    CredentialAddress,
    CredentialsAddress,
    FileAddress,
    ImageAddress,
    NetworkAddress,
    PasswordAddress,
    RulesAddress,
    SecretAddress,
    SecretsAddress,
    ServiceAddress,
)
from jailoc.model.sandbox import AGENT, PASSWORD_FILE, PROXY, WALL, typed
from jailoc.model.text import number_of


def steps(bundle: Bundle, deployed: Deployed, changes: Iterable[Change]) -> tuple[Step, ...]:
    """Return the steps of a workspace that stays."""
    by = {each.address: each for each in changes}
    if not by:
        return ()
    services = {
        name: by[ServiceAddress(name=name)].action
        for name in (*bundle.compose.services, *deployed.containers)
        if ServiceAddress(name=name) in by
    }
    found: list[Step] = []
    images = tuple(
        _reference(bundle, address) for address in by if isinstance(address, ImageAddress)
    )
    if images or {Action.CREATE, Action.RECREATE} & {*services.values()}:
        found.append(BuildImages(references=images))
    agent = deployed.containers.get(AGENT)
    # Its mounts are made anew with every start, also of a container that stays.
    renewed = {Action.RECREATE, Action.RESTART}
    if agent and agent.state == "running" and services.get(AGENT) in renewed:
        found.append(StopAgent(container=agent.id))
    if files := tuple(address.path for address in by if isinstance(address, FileAddress)):
        found.append(WriteFiles(paths=files))
    gone = {Action.RECREATE, Action.REMOVE}
    # The wall goes last: what it holds shut must not outlive it.
    for name in sorted(services, key=lambda each: (each == WALL, each)):
        if services[name] in gone and name in deployed.containers:
            found.append(RemoveContainer(service=name, container=deployed.containers[name].id))
    network = by.get(NetworkAddress())
    if network is not None and network.action is Action.RECREATE:
        found.append(RemoveNetwork())
    return (*found, *_start(bundle, deployed, by, services))


def _start(
    bundle: Bundle,
    deployed: Deployed,
    by: dict[ChangeAddress, Change],
    services: dict[str, Action],
) -> Iterable[Step]:
    renewed = {Action.CREATE, Action.RECREATE, Action.RESTART}
    if services.get(WALL) in renewed:
        yield Start(services=(WALL,))
    changed = any(
        isinstance(address, SecretAddress | SecretsAddress | PasswordAddress) for address in by
    )
    if changed or services.get(AGENT) in renewed or services.get(WALL) in renewed:
        yield HandSecrets()
    if RulesAddress() in by:
        yield Reload()
    fed = any(isinstance(address, CredentialAddress | CredentialsAddress) for address in by)
    if PROXY in bundle.compose.services:
        there = deployed.containers.get(PROXY)
        stopped = services.get(PROXY) is Action.RESTART and there and there.state != "running"
        new = services.get(PROXY) in {Action.CREATE, Action.RECREATE}
        if stopped or new or services.get(WALL) in renewed:
            yield Start(services=(PROXY,))
            fed = True
    if fed and PROXY in bundle.compose.services:
        # Before the agent: its first request has the credential.
        yield FeedProxy()
    for name, action in services.items():
        there = deployed.containers.get(name)
        # A stopped one is started below, and so is the agent, which takes its secrets then.
        if name not in {WALL, AGENT} and action is Action.RESTART and there:
            if there.state != "running":
                continue
            yield Restart(service=name, container=there.id)
    if any(action in renewed for action in services.values()):
        yield Start(services=tuple(bundle.compose.services))
    if services or RulesAddress() in by or changed or fed:
        yield Prove()
    yield Record()


def image_address(build: Build) -> ImageAddress:
    """Return the address of an image that is built here."""
    return ImageAddress(name=f"jailoc-{build.name}")


def _reference(bundle: Bundle, address: ImageAddress) -> str:
    """Return the reference of the image that an address names."""
    tags = {image_address(each): each.tag for each in bundle.builds}
    return tags.get(address, address.name)


def words(step: Step, workspace: str, secrets: Collection[str] = ()) -> str:
    """Say what a step does, while it is done.

    Args:
        step: The step.
        workspace: Whose it is.
        secrets: The names of what is handed over.
    """
    match step:
        case BuildImages():
            return "building images"
        case StopAgent():
            return "stopping the agent"
        case WriteFiles():
            return f"writing {number_of(len(step.paths), 'file')}"
        case RemoveContainer():
            return f"removing {step.service}"
        case RemoveNetwork():
            return "removing the network"
        case Start():
            alone: dict[tuple[str, ...], str] = {(WALL,): "the firewall", (PROXY,): "the proxy"}
            return f"starting {alone.get(step.services, typed(workspace))}"
        case HandSecrets() | FeedProxy():
            alike = "password" if {*secrets} == {PASSWORD_FILE} else "secrets"
            what = alike if isinstance(step, HandSecrets) else "credentials"
            return f"handing the {what} over"
        case Reload():
            return "reloading the rules"
        case Restart():
            return f"restarting {step.service}"
        case Prove():
            return "comparing what runs with its model"
        case Record():
            return "writing down what was applied"
        case RemoveProject():
            return f"removing {workspace}"
