"""Name the configuration entry behind a change and behind a power."""

from collections.abc import Mapping

from jailoc.generators.powers.entries import entry, is_entry, position
from jailoc.model.document import Document
from jailoc.model.plan import FieldChange, Plan
from jailoc.model.power import Direction

_SETTINGS = {
    "cpus": "cpu",
    "memory": "memory",
    "memory.reservation": "memory",
    "memory.swap": "memory",
    "image": "image",
}


def tell(plan: Plan, document: Document, settings: Mapping[str, str]) -> Plan:
    """Return a plan with the entry behind each change and power, and where it stands.

    Args:
        plan: The plan.
        document: The configuration file.
        settings: The entry behind each single setting, such as `memory`.
    """
    changes = tuple(
        change.model_copy(
            update={"fields": tuple(_field(each, document, settings) for each in change.fields)}
        )
        for change in plan.changes
    )
    powers = []
    for each in plan.powers:
        origin = (
            entry(document, plan.workspace, each) if each.way is not Direction.NARROWS else None
        )
        place = position(document, origin) if origin else None
        powers.append(each.model_copy(update={"origin": origin, "place": place}))
    return plan.model_copy(update={"changes": changes, "powers": tuple(powers)})


def _field(field: FieldChange, document: Document, settings: Mapping[str, str]) -> FieldChange:
    origin = field.origin or settings.get(_SETTINGS.get(field.name, ""))
    if origin is None and field.name.startswith("ports."):
        origin = settings.get("port")
    if origin is None or not is_entry(origin):
        return field
    return field.model_copy(update={"origin": origin, "place": position(document, origin)})
