"""What a sandbox that was started may do, as a review tells it first."""

from typing import Any

from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import observe
from jailoc.generators.artefacts.portable import bare
from jailoc.generators.config.resolve import resolve
from jailoc.generators.plan.plan import sides
from jailoc.generators.powers.difference import changes
from jailoc.generators.views.started import opened
from jailoc.model.status import GravePower


def told(origin: LoadedConfig, name: str, *, behind: bool) -> dict[str, Any]:
    """Return the fields of a status that say so, of what was applied last.

    Args:
        origin: The configuration.
        name: The workspace.
        behind: Whether what runs is not what the configuration says: then that is no source.
    """
    known = observe.last(name)
    if known is None or name not in origin.config.workspaces:
        return {}
    made = changes(bare(origin.host), sides(known), origin.host.home, origin.host.networks)
    grave = tuple(GravePower(rank=each.rank, text=each.text) for each in made if each.grave)
    line = None if behind else opened(resolve(origin.config, name, origin.host))
    return {"grave": grave, "open": line}
