"""What becomes of each container: nothing, a restart, or a new one; always with its cause."""

from collections.abc import Iterable, Iterator, Mapping

from jailoc.generators.artefacts.container_fields import Facet, expected
from jailoc.generators.artefacts.image_recipes import FOREIGN
from jailoc.generators.plan.inputs import Given
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Service
from jailoc.model.deployed import Deployed, Found
from jailoc.model.plan import Action, Change, Drift, FieldChange
from jailoc.model.plan_address import FieldAddress, ServiceAddress
from jailoc.model.sandbox import (
    AGENT,
    DIGEST_LABEL,
    FIRST_PORT,
    PROXY,
    SERVICE_LABEL,
    SIDECAR,
    WALL,
)

_GONE = {SIDECAR: "`enable_docker` is false", PROXY: "there is no credential"}
"""Why a service of ours is not wanted any more."""


def services(
    bundle: Bundle, deployed: Deployed, given: Given, drift: Iterable[Drift]
) -> list[Change]:
    """Judge every service; what joins the wall's namespace goes with it."""
    edited = {
        each.address.service
        for each in drift
        if isinstance(each.address, FieldAddress) and not each.ignored
    }
    found: dict[str, Change] = {}
    renumbered = network_changed(bundle, deployed)
    for name in (WALL, *(each for each in bundle.compose.services if each != WALL)):
        service = bundle.compose.services[name]
        there = deployed.containers.get(name)
        wall = found.get(WALL)
        change = _verdict(name, service, there, bundle, deployed, given)
        causes: list[str] = []
        if there is not None:
            if renumbered:
                causes.append("the network is replaced")
            if name in edited:
                causes.append("it is not as it was left")
            replaced = {Action.CREATE, Action.RECREATE}
            if service.namespace == "firewall" and wall and wall.action in replaced:
                causes.append("the wall, whose network namespace it shares, is replaced")
            if there.lapsed:
                causes.append(
                    f"the protection of {', '.join(there.lapsed)} has lapsed, because the host "
                    "has replaced it"
                )
        if causes:
            known = change.causes if change and change.action is Action.RECREATE else ()
            change = Change(
                address=ServiceAddress(name=name), action=Action.RECREATE, causes=(*known, *causes),
                fields=change.fields if change else (),
            )  # fmt: skip
        elif there is not None and there.severed:
            # A restart joins it to the namespace that its wall has now, if there still is one.
            mine = change.causes if change else ()
            walls = {each.id for each in deployed.containers.values()}
            change = Change(
                address=ServiceAddress(name=name),
                action=again(name) if there.wall in walls else Action.RECREATE,
                causes=(*mine, f"it has no network any more: {there.severed}"),
                fields=change.fields if change else (),
            )
        if change is not None:
            found[name] = change
    extra = [
        Change(
            address=ServiceAddress(name=name),
            action=Action.REMOVE,
            causes=(_GONE.get(name, "it is no service"),),
        )
        for name in sorted(deployed.containers)
        if name not in bundle.compose.services
    ]
    return [*found.values(), *extra]


def _verdict(
    name: str,
    service: Service,
    there: Found | None,
    bundle: Bundle,
    deployed: Deployed,
    given: Given,
) -> Change | None:
    address = ServiceAddress(name=name)
    if there is None:
        return Change(address=address, action=Action.CREATE, causes=("it is not there",))
    fields = _fields(name, service, there, bundle, deployed, given)
    if there.service != service.labels[SERVICE_LABEL]:
        return Change(
            address=address,
            action=Action.RECREATE,
            fields=fields,
            causes=(*_another(name, fields), *_shift(name, deployed, given, fields)),
        )
    if there.files != service.labels[DIGEST_LABEL]:
        return Change(
            address=address,
            action=Action.RECREATE,
            causes=("generated files that it mounts have changed",),
        )
    if service.image.text in deployed.foreign:
        return Change(address=address, action=Action.RECREATE, causes=(FOREIGN,))
    if deployed.images.get(service.image.text, there.image) != there.image:
        return Change(address=address, action=Action.RECREATE,
                      causes=("its image is not the one that the tag names now",))  # fmt: skip
    if there.state == "running" and there.health != "unhealthy":
        return None
    # A wall that has ended has taken its network namespace with it; what is halted starts nowhere.
    anew = name == WALL or there.state == "paused"
    return Change(
        address=address,
        action=Action.RECREATE if anew else again(name),
        causes=(f"it is {there.health if there.state == 'running' else there.state}",),
    )


def again(name: str) -> Action:
    """Return how a service is started again.

    What an agent has left in its container's own files would lead the mounts of a second start.
    """
    return Action.RECREATE if name == AGENT else Action.RESTART


def _fields(
    name: str,
    service: Service,
    there: Found,
    bundle: Bundle,
    deployed: Deployed,
    given: Given,
) -> tuple[FieldChange, ...]:
    """Compare a service with what the container was made from, else with what it is."""
    project = bundle.compose.name
    new = expected(service, project)
    before = deployed.applied.compose.services.get(name) if deployed.applied else None
    old = expected(before, project) if before is not None else _as_facets(there, new)
    return tuple(
        FieldChange(
            name=facet,
            before=given.shown(facet, old[facet].value) if facet in old else None,
            after=given.shown(facet, new[facet].value) if facet in new else None,
            origin=(new.get(facet) or old[facet]).origin,
        )
        for facet in sorted({*old, *new})
        if (old[facet].value if facet in old else None)
        != (new[facet].value if facet in new else None)
    )


def _as_facets(there: Found, wanted: Mapping[str, Facet]) -> dict[str, Facet]:
    """Return a container's facets without what its image brings."""
    return {
        facet: Facet(value=value)
        for facet, value in there.facets.items()
        if facet in wanted or not from_image(there, facet, value)
    }


def from_image(there: Found, facet: str, value: str) -> bool:
    """Tell whether a facet that no service asks for comes with the image."""
    if facet in {"working_dir", "entrypoint", "command"}:
        return True
    key = facet.removeprefix("environment.")
    return key != facet and there.inherited.get(key) == value


def _another(name: str, fields: Iterable[FieldChange]) -> Iterator[str]:
    """Say that the agent becomes another user."""
    for each in fields:
        if name == AGENT and each.name == "user" and each.before and each.after:
            yield (
                f"the agent works as {each.after} now, not as {each.before}; its volumes are given "
                "to that user"
            )


def earlier(names: Iterable[str], workspace: str) -> set[str]:
    """Return the workspaces on which the ports of one depend: they follow the order of names."""
    return {each for each in names if each < workspace}


def _shift(
    name: str, deployed: Deployed, given: Given, fields: Iterable[FieldChange]
) -> Iterator[str]:
    """Say which workspace has moved a port, for ports follow the order of the names."""
    if name != WALL or not any(
        each.name == f"ports.{FIRST_PORT}/tcp" and each.before and each.after for each in fields
    ):
        return
    if deployed.applied is None or deployed.workspace in given.pinned:
        return
    old = earlier(deployed.applied.names, deployed.workspace)
    new = earlier(given.names, deployed.workspace)
    for word, which in (("added", new - old), ("removed", old - new)):
        for each in sorted(which):
            yield f"the port moves because workspace `{each}` was {word}"


def network_changed(bundle: Bundle, deployed: Deployed) -> bool:
    """Tell whether the project's network has to be made anew."""
    applied = deployed.applied
    return (
        deployed.network
        and applied is not None
        and applied.compose.network != bundle.compose.network
    )
