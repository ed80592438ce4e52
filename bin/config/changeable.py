"""What of this machine the agents of a configuration can change, by any path or mount of theirs."""

import os
from functools import cached_property

from jailoc.bin.host.links import Links
from jailoc.generators.config.resolve import names, roots
from jailoc.model.config import Config
from jailoc.model.forbidden_paths import folded
from jailoc.model.host import Host
from jailoc.model.path import clean, first_within


class Changeable:
    """Tells whether any agent decides what is at a place."""

    def __init__(self, config: Config, host: Host) -> None:
        """Look at nothing before somebody asks.

        Args:
            config: The configuration, with all its workspaces.
            host: The machine that it is for.
        """
        self._config, self._host = config, host
        self._links = Links()

    @cached_property
    def _areas(self) -> list[str]:
        writable = dict.fromkeys(
            each.path
            for name in names(self._config)
            for each in roots(self._config, name, self._host)
            if each.writable
        )
        return [folded(os.path.realpath(each)) for each in writable]

    def __call__(self, place: str) -> bool:
        """Tell it of an absolute path: of the place, of what leads there, and of where it leads."""
        real, hops = self._links.trace(place)
        if any(first_within(each, self._config.trust) for each in (place, real)):
            return False
        return any(first_within(folded(each), self._areas) for each in (clean(place), *hops, real))
