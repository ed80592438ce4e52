"""Say what removes a workspace: one that left the configuration, or one that is destroyed."""

from collections.abc import Iterator

from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.plan import sides, world
from jailoc.generators.powers.difference import changes as power_changes
from jailoc.model.deployed import Belongings, Deployed
from jailoc.model.plan import (
    UNSEEN,
    Action,
    Change,
    Extent,
    FieldChange,
    Plan,
    RemoveProject,
)
from jailoc.model.plan_address import (
    ChangeAddress,
    FilesAddress,
    ImageAddress,
    NetworkAddress,
    PasswordAddress,
    RecordAddress,
    ServiceAddress,
    VolumeAddress,
)
from jailoc.model.sandbox import AGENT, whole_shared

LEFT = "the configuration has no such workspace"
DESTROYED = "it is destroyed"
SIZE, PLACE = "bytes", "place"
"""Names of the fields of what goes: how much it is, and where it is kept."""


def plan_removal(
    deployed: Deployed, given: Given, extent: Extent, has: Belongings, why: str = LEFT
) -> Plan:
    """Say what removes a workspace, as far as `extent` goes.

    Args:
        deployed: What is there.
        given: What a plan needs besides.
        extent: How much of it goes.
        has: What it has beside that, as far as it goes.
        why: The cause, in words.
    """
    changes = tuple(
        Change(address=address, action=Action.REMOVE, causes=(why,), fields=fields)
        for address, fields in _gone(deployed, extent, has)
    )
    agent = deployed.containers.get(AGENT)
    before = sides(deployed.applied)
    return Plan(
        workspace=deployed.workspace,
        changes=changes,
        drift=(),
        powers=power_changes(before, None, given.home, given.networks)
        if before and changes
        else (),
        notes=tuple(_notes(deployed, extent)),
        agent_restarts=agent is not None and agent.state in {"running", "paused"},
        engine=deployed.engine,
        unseen=() if deployed.engine else (UNSEEN,),
        steps=(RemoveProject(extent=extent, images=tuple(has.images)),)
        if changes and deployed.engine
        else (),
        bundle=None,
        world=world(deployed, given.key),
    )


def _gone(
    deployed: Deployed, extent: Extent, has: Belongings
) -> Iterator[tuple[ChangeAddress, tuple[FieldChange, ...]]]:
    for name in sorted(deployed.containers):
        yield ServiceAddress(name=name), ()
    if deployed.network:
        yield NetworkAddress(), ()
    if deployed.files or has.places:
        yield FilesAddress(), tuple(_field(PLACE, each) for each in has.places)
    if deployed.applied is not None or has.record:
        yield RecordAddress(), ()
    if extent is Extent.ALL:
        for name in deployed.volumes:
            yield VolumeAddress(name=name), _size(has.volumes.get(name))
    if extent is not Extent.PROJECT:
        for name, size in has.images.items():
            yield ImageAddress(name=name), _size(size)
        if has.password:
            yield PasswordAddress(), (_field(PLACE, has.password),)


def _field(name: str, value: str) -> FieldChange:
    return FieldChange(name=name, before=value, after=None)


def _size(size: int | None) -> tuple[FieldChange, ...]:
    return () if size is None else (_field(SIZE, str(size)),)


def _notes(deployed: Deployed, extent: Extent) -> Iterator[str]:
    if not deployed.engine:
        yield "no engine answers, so only the generated files are known"
    if deployed.volumes and extent is not Extent.ALL:
        kept = ", ".join(deployed.volumes)
        more = ", --prune removes them" if extent is Extent.PROJECT else ""
        yield f"its volumes stay{more}: {kept}"
    if deployed.applied and (shared := deployed.applied.compose.shared):
        names = ", ".join(map(whole_shared, shared))
        yield f"volumes that workspaces share stay, `docker volume rm` removes them: {names}"
