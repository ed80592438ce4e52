"""Name the configuration entry behind a change and behind an effect."""

import re
from collections.abc import Mapping

from jailoc.generators.runtime.explain import explain
from jailoc.model.document import Document, Path
from jailoc.model.effect import Effect, Kind, Sign
from jailoc.model.firewall import Firewall
from jailoc.model.plan import FieldChange, Plan, Told
from jailoc.model.sandbox import WALL

_SETTINGS = {
    "cpus": "cpu",
    "memory": "memory",
    "memory.reservation": "memory",
    "memory.swap": "memory",
    "image": "image",
}
_ENTRY = re.compile(r"(protect: )?(defaults|workspaces|base)\.")
"""What a place in the configuration begins with; other reasons are words."""
_BY_KIND = {Kind.PORT: "port", Kind.EGRESS: "egress"}


def tell(
    plan: Plan,
    document: Document,
    settings: Mapping[str, str],
    before: Firewall | None,
    after: Firewall | None,
) -> Plan:
    """Return a plan with the entry behind each change and effect, and where it stands.

    Args:
        plan: The plan.
        document: The configuration file.
        settings: The entry behind each single setting, such as `memory`.
        before: The rules that are left.
        after: The rules that are reached.
    """
    changes = tuple(
        change.model_copy(
            update={"fields": tuple(_field(each, document, settings) for each in change.fields)}
        )
        for change in plan.changes
    )
    effects = []
    for each in plan.effects:
        origin = _origin(each.effect, settings, before if _leaves(each.effect) else after)
        place = position(document, origin) if origin and not _leaves(each.effect) else None
        effects.append(Told(effect=each.effect, origin=origin, place=place))
    return plan.model_copy(update={"changes": changes, "effects": tuple(effects)})


def _leaves(effect: Effect) -> bool:
    return effect.sign is Sign.LESS


def _field(field: FieldChange, document: Document, settings: Mapping[str, str]) -> FieldChange:
    origin = field.origin or settings.get(_SETTINGS.get(field.name, ""))
    if origin is None and field.name.startswith("ports."):
        origin = settings.get("port")
    if origin is None or not _ENTRY.match(origin):
        return field
    return field.model_copy(update={"origin": origin, "place": position(document, origin)})


def _origin(effect: Effect, settings: Mapping[str, str], firewall: Firewall | None) -> str | None:
    origin = settings.get(_BY_KIND.get(effect.kind, ""))
    if effect.kind is Kind.LIMITS and not effect.subject.startswith(WALL):
        origin = settings.get("memory" if "memory" in effect.subject else "cpu")
    if effect.kind is Kind.REACHABLE and firewall is not None:
        if effect.networks:
            door = next((each.port for each in effect.doors if each.port), None)
            answers = explain(firewall, effect.networks[0], door)
            origin = next((each.reason for each in answers if each.open), None)
        else:
            origin = next(
                (name.origin for name in firewall.names if effect.subject.startswith(name.name)),
                None,
            )
    return origin if origin is not None and _ENTRY.match(origin) else None


def position(document: Document, origin: str) -> str | None:
    """Return where an entry stands, as `FILE:LINE:COLUMN`."""
    if not _ENTRY.match(origin):
        return None
    parts: Path = tuple(
        int(number) if number else word
        for word, number in re.findall(
            r"([A-Za-z0-9_-]+)|\[(\d+)\]", origin.removeprefix("protect: ")
        )
    )
    found = document.value(parts)
    return f"{document.file}:{found.line}:{found.column}" if found else None
