"""What goes when a workspace is destroyed: from its plan to a list, and that as lines."""

from collections.abc import Iterable, Iterator, Mapping

from jailoc.generators.plan.removal import PLACE, SIZE
from jailoc.model.image import TOOLS_ARE, is_tools
from jailoc.model.palette import Meaning
from jailoc.model.plan import Change, Plan
from jailoc.model.plan_address import (
    FilesAddress,
    ImageAddress,
    NetworkAddress,
    PasswordAddress,
    RecordAddress,
    ServiceAddress,
    VolumeAddress,
)
from jailoc.model.quantity import size_text
from jailoc.model.removal import Going, Listing, Sized
from jailoc.model.sandbox import typed
from jailoc.model.text import number_of

LABEL = 12
"""Columns of a label."""
Line = tuple[str, Meaning | None]


def listing(plans: Iterable[Plan], unused: Mapping[str, int | None] | None = None) -> Listing:
    """Return what goes by some plans.

    Args:
        plans: Of the workspaces.
        unused: Images that nothing uses, with their bytes; those of the plans are left out.
    """
    every = tuple(map(_going, plans))
    named = {each.name for going in every for each in going.images}
    rest = {name: size for name, size in (unused or {}).items() if name not in named}
    return Listing(
        workspaces=every,
        images=tuple(Sized(name=name, bytes=size) for name, size in rest.items()),
    )


def left_images(found: Listing) -> Iterator[Line]:
    """Yield lines of what earlier builds have left."""
    if found.images:
        yield "left by earlier builds, and used by nothing", Meaning.TITLE
    for each, (label, text) in zip(found.images, _sized("image", found.images), strict=True):
        yield f"  {label:{LABEL}}{text}{f', {TOOLS_ARE}' if is_tools(each.name) else ''}", None


def _going(plan: Plan) -> Going:
    by = [each.address for each in plan.changes]
    return Going(
        workspace=plan.workspace,
        containers=tuple(each.name for each in by if isinstance(each, ServiceAddress)),
        network=NetworkAddress() in by,
        volumes=tuple(
            Sized(name=each.address.name, bytes=_bytes(each))
            for each in plan.changes
            if isinstance(each.address, VolumeAddress)
        ),
        images=tuple(
            Sized(name=each.address.name, bytes=_bytes(each))
            for each in plan.changes
            if isinstance(each.address, ImageAddress)
        ),
        password=next(iter(_places(plan, PasswordAddress())), None),
        files=_places(plan, FilesAddress()),
        record=RecordAddress() in by,
        stays=plan.notes,
    )


def _bytes(change: Change) -> int | None:
    found = [each.before for each in change.fields if each.name == SIZE and each.before]
    return int(found[0]) if found else None


def _places(plan: Plan, address: object) -> tuple[str, ...]:
    return tuple(
        field.before
        for change in plan.changes
        if change.address == address
        for field in change.fields
        if field.name == PLACE and field.before
    )


def lines(going: Going) -> Iterator[Line]:
    """Yield the list of one workspace as lines with their meaning."""
    yield typed(going.workspace), Meaning.TITLE
    rows = list(_rows(going))
    for label, text in rows:
        yield f"  {label:{LABEL}}{text}", None
    if not rows:
        yield "  nothing is there", None
    for note in going.stays:
        yield f"  note: {note}", Meaning.WARNS


def _rows(going: Going) -> Iterator[tuple[str, str]]:
    if going.containers:
        yield "containers", ", ".join(going.containers)
    if going.network:
        yield "network", "its own"
    yield from _sized("volume", going.volumes)
    yield from _sized("image", going.images)
    if going.password:
        where = {"file": "a file"}.get(going.password, f"the {going.password}")
        yield "password", f"in {where}"
    for index, each in enumerate(going.files):
        yield "" if index else "files", each
    if going.record:
        yield "record", "of what was applied last"


def _sized(what: str, found: tuple[Sized, ...]) -> Iterator[tuple[str, str]]:
    for each in found:
        size = "not measured" if each.bytes is None else size_text(each.bytes)
        yield what, f"{each.name} ({size})"


def empty(going: Going) -> bool:
    """Tell whether nothing goes."""
    return not any(_rows(going))


def total(found: Listing) -> str:
    """Say in one line how much goes."""
    there = [each for each in found.workspaces if not empty(each)]
    volumes = [each for going in there for each in going.volumes]
    # Workspaces may share one, which goes with the last of them.
    images = list(
        {
            each.name: each
            for each in (*(each for going in there for each in going.images), *found.images)
        }.values()
    )
    parts = [number_of(len(there), "workspace")] if there else []
    for what, items in (("volume", volumes), ("image", images)):
        if items:
            size = sum(each.bytes or 0 for each in items)
            parts.append(f"{number_of(len(items), what)} ({size_text(size)})")
    return ", ".join(parts)
