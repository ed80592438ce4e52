"""What of this machine the agents of a configuration can change, by any path or mount of theirs."""

import json
import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from jailoc.bin.host.links import Links
from jailoc.bin.host.paths import cache_directory
from jailoc.generators.config.resolve import names, roots
from jailoc.model.config import Config
from jailoc.model.forbidden_paths import folded
from jailoc.model.host import Host
from jailoc.model.mount import Mode
from jailoc.model.path import clean, first_within
from jailoc.model.sandbox import AGENT


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


class Recorded:
    """Tells it of the agents that were started, where no configuration has been read."""

    def __init__(self) -> None:
        """Look at nothing before somebody asks."""
        self._links = Links()

    @cached_property
    def _areas(self) -> list[str]:
        return [folded(os.path.realpath(each)) for each in dict.fromkeys(_given())]

    def __call__(self, place: str) -> bool:
        """Tell it of an absolute path: of the place, of what leads there, and of where it leads."""
        real, hops = self._links.trace(place)
        return any(first_within(folded(each), self._areas) for each in (clean(place), *hops, real))


def _given() -> Iterator[str]:
    """Yield what agents were last started with and can write, as it is written down."""
    for record in cache_directory().glob("*.applied.json"):
        try:
            found: Any = json.loads(record.read_bytes())
            mounts = found["compose"]["services"][AGENT]["mounts"]
            given = [(each["source"]["text"], each["mode"]) for each in mounts if "source" in each]
        except (OSError, ValueError, LookupError, TypeError):
            continue  # of another version, or none
        yield from (str(place) for place, mode in given if mode == Mode.READ_WRITE)
