"""A plan for a cluster as people read it: the signs and the words of the other plan."""

from collections.abc import Iterable, Iterator

from jailoc.generators.views.plan import SIGNS, Line
from jailoc.model.kubernetes.plan import ClusterPlan
from jailoc.model.palette import Meaning
from jailoc.model.plan import Action

_MEANINGS = {Action.CREATE: Meaning.DONE, Action.UPDATE: Meaning.WARNS}
_MOST = 20
"""Fields of an object that are told."""


def lines(plans: Iterable[ClusterPlan]) -> Iterator[Line]:
    """Yield the lines of plans."""
    for each in plans:
        yield f"{each.workspace} (namespace {each.namespace}, context {each.context})", None
        for change in each.changes:
            yield (
                f"  {SIGNS[change.action]} {change.address}: {change.action.value}",
                _MEANINGS.get(change.action),
            )
            for field in change.fields[:_MOST]:
                yield f"      {field.name}: {field.before} -> {field.after}", None
            if len(change.fields) > _MOST:
                yield f"      and {len(change.fields) - _MOST} more", None
        for address in each.leftovers:
            yield f"  {SIGNS[Action.REMOVE]} {address}: remove", Meaning.FAILS
        for address in each.kept:
            yield f"    {address}: stays, as every claim does", None
        if each.empty:
            yield "  nothing to do", Meaning.DONE
            continue
        for effect in each.effects:
            yield f"  {effect}", Meaning.WARNS
