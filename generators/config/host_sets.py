"""Sets of hosts: those that are shipped, one's own, and what `allow` names of them."""

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice

from jailoc.generators.assets import asset, set_names
from jailoc.generators.config import conflicts
from jailoc.generators.config.conflicts import scopes, table, texts
from jailoc.model.allow_entry import HostEntry, parse_host, parse_table
from jailoc.model.config import Config, Scope
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document
from jailoc.model.host_set import HostSet, origin_of
from jailoc.model.text import meant

MOST_NAMED, MOST_GUESSES, MOST_COMPARED = 50, 20, 1000
"""Sets that are named as those that there are, names of none for which another one is looked for,
and those among which it is."""


@cache
def shipped(name: str) -> HostSet:
    """Return a set that is shipped."""
    data = tomllib.loads(asset(f"sets/{name}.toml"))
    hosts = tuple(
        parse_table({"to": each["to"], "why": each["why"]}, parse_host) for each in data["host"]
    )
    return HostSet.model_construct(about=data["about"], as_of=data["as_of"], hosts=hosts)


def sources(name: str) -> dict[str, str]:
    """Return where each host of a shipped set is publicly named."""
    data = tomllib.loads(asset(f"sets/{name}.toml"))
    return {each["to"]: each["source"] for each in data["host"]}


def known(config: Config) -> dict[str, HostSet]:
    """Return every set that a configuration can name."""
    return {**{name: shipped(name) for name in set_names()}, **config.sets}


def expanded(config: Config, layers: Iterable[tuple[str, Scope]]) -> dict[HostEntry, str]:
    """Return every host that layers allow by the name of a set, with where it comes from."""
    found: dict[HostEntry, str] = {}
    for at, scope in layers:
        for index, name in enumerate(scope.allow):
            chosen = config.sets[name] if name in config.sets else shipped(name)
            for entry in chosen.hosts:
                found.setdefault(entry, origin_of(f"{at}.allow[{index}]", name, chosen.as_of))
    return found


def set_conflicts(document: Document) -> Iterator[Diagnostic]:
    """Yield each name of a set that is nobody's, or that two have."""
    own = table(document.data, "sets")
    for name in own:
        if name in set_names():
            yield conflicts.found(
                document,
                ("sets", name),
                "set-shipped",
                f"jailoc ships a set `{name}`: it cannot be another one",
                "a name that none of these has: " + ", ".join(set_names()),
                f"call it `{name}-own`, and name both",
                at_key=True,
            )
    every = dict.fromkeys(sorted({*set_names(), *own}))
    allowed = ", ".join(f"@{each}" for each in [*every][:MOST_NAMED])
    allowed += f" and {len(every) - MOST_NAMED} more" if len(every) > MOST_NAMED else ""
    guesses = MOST_GUESSES
    for at, scope in scopes(document.data):
        for index, text in texts(scope.get("allow")):
            name = text.removeprefix("@")
            if text == name or name in every:
                continue
            # To look for what is near takes long where there are many, of many.
            near = meant(name, islice(every, MOST_COMPARED), mark="@") if guesses > 0 else None
            guesses -= 1
            yield conflicts.found(
                document,
                (*at, "allow", index),
                "set-unknown",
                f"there is no set `{text}`",
                allowed,
                near or f"write one: `[sets.{name}]`",
            )
