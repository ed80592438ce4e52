"""From the changes of a plan to the steps that carry them out, in the order of what needs what.

A run may be killed after any of them. What is then there is such that the next plan names the
rest: the record is written last, and nothing else is taken for proof that something was done.
"""

from collections.abc import Iterable

from jailoc.model.bundle import Bundle
from jailoc.model.deployed import Deployed
from jailoc.model.plan import (
    Action,
    BuildImages,
    Change,
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
from jailoc.model.sandbox import AGENT, WALL


def steps(bundle: Bundle, deployed: Deployed, changes: Iterable[Change]) -> tuple[Step, ...]:
    """Return the steps of a workspace that stays."""
    by = {each.address: each for each in changes}
    if not by:
        return ()
    services = {
        name: by[f"service.{name}"].action
        for name in (*bundle.compose.services, *deployed.containers)
        if f"service.{name}" in by
    }
    found: list[Step] = []
    images = tuple(bundle_tag(bundle, address) for address in by if address.startswith("image."))
    if images or {Action.CREATE, Action.RECREATE} & {*services.values()}:
        found.append(BuildImages(references=images))
    agent = deployed.containers.get(AGENT)
    # Its mounts are made anew with every start, also of a container that stays.
    renewed = {Action.RECREATE, Action.RESTART}
    if agent and agent.state == "running" and services.get(AGENT) in renewed:
        found.append(StopAgent(container=agent.id))
    if files := tuple(
        address.removeprefix("file.") for address in by if address.startswith("file.")
    ):
        found.append(WriteFiles(paths=files))
    gone = {Action.RECREATE, Action.REMOVE}
    # The wall goes last: what it holds shut must not outlive it.
    for name in sorted(services, key=lambda each: (each == WALL, each)):
        if services[name] in gone and name in deployed.containers:
            found.append(RemoveContainer(service=name, container=deployed.containers[name].id))
    network = by.get("network")
    if network is not None and network.action is Action.RECREATE:
        found.append(RemoveNetwork())
    return (*found, *_start(bundle, deployed, by, services))


def _start(
    bundle: Bundle, deployed: Deployed, by: dict[str, Change], services: dict[str, Action]
) -> Iterable[Step]:
    renewed = {Action.CREATE, Action.RECREATE, Action.RESTART}
    if services.get(WALL) in renewed:
        yield Start(services=(WALL,))
    changed = any(address.startswith(("secret", "password")) for address in by)
    if changed or services.get(AGENT) in renewed or services.get(WALL) in renewed:
        yield HandSecrets()
    if "firewall.rules" in by:
        yield Reload()
    for name, action in services.items():
        there = deployed.containers.get(name)
        # A stopped one is started below, and so is the agent, which takes its secrets then.
        if name not in {WALL, AGENT} and action is Action.RESTART and there:
            if there.state != "running":
                continue
            yield Restart(service=name, container=there.id)
    if any(action in renewed for action in services.values()):
        yield Start(services=tuple(bundle.compose.services))
    if services or "firewall.rules" in by or changed:
        yield Prove()
    yield Record()


def bundle_tag(bundle: Bundle, address: str) -> str:
    """Return the reference of the image that an address names."""
    name = address.removeprefix("image.")
    tags = {f"jailoc-{each.name}": each.tag for each in bundle.builds}
    return tags.get(name, name)


def removal(prune: bool) -> tuple[Step, ...]:
    """Return the steps that remove a workspace."""
    return (RemoveProject(prune=prune),)
