"""Volumes of the wall's own: what it has seen of connections, and what of that the agent reads."""

from jailoc.model.compose import Volume
from jailoc.model.mount import Mode
from jailoc.model.sandbox import EVIDENCE, EVIDENCE_PLACE, REFUSED, REFUSED_PLACE
from jailoc.model.workspace import Workspace


def kept(workspace: Workspace) -> tuple[Volume, ...]:
    """Return what the wall writes into."""
    shown = (Volume(name=REFUSED, target=REFUSED_PLACE),) if workspace.show_refused else ()
    return (Volume(name=EVIDENCE, target=EVIDENCE_PLACE), *shown)


def shown(workspace: Workspace) -> tuple[Volume, ...]:
    """Return what the agent reads of it."""
    if not workspace.show_refused:
        return ()
    return (Volume(name=REFUSED, target=REFUSED_PLACE, mode=Mode.READ_ONLY),)
