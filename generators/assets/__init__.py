"""Scripts and Dockerfiles that are emitted as they stand, or with the words of an agent."""

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # completion needs a text, and no model
    from jailoc.model.agents.agent import Agent
    from jailoc.model.user import AgentUser


@cache
def asset(name: str) -> str:
    """Return the text of a packaged asset."""
    return (files("jailoc.generators.assets") / name).read_text(encoding="utf-8")


@cache
def set_names() -> tuple[str, ...]:
    """Return the sets of hosts that are shipped; package registries are in none of them."""
    place = files("jailoc.generators.assets") / "sets"
    return tuple(sorted(each.name.removesuffix(".toml") for each in place.iterdir()))


def asset_as(user: "AgentUser", name: str) -> str:
    """Return the text of a packaged asset with the agent's user in place of `@UID@` and `@GID@`."""
    return asset(name).replace("@UID@", str(user.uid)).replace("@GID@", str(user.gid))


def asset_for(agent: "Agent", name: str, user: "AgentUser | None" = None) -> str:
    """Return the text of a packaged asset with the agent's own in place of each `@WORD@`.

    A line that has `@PASSWORD@` is there for each of the agent's variables.
    """
    words = {
        "AGENT": agent.name,
        "BINARY": agent.binary,
        "DATA": agent.data,
        "PACKAGE": agent.package,
        "VERSION": agent.version_argument,
    } | ({"UID": str(user.uid), "GID": str(user.gid)} if user else {})
    lines = [
        line.replace("@PASSWORD@", variable)
        for line in asset(name).splitlines(keepends=True)
        for variable in (agent.passwords if "@PASSWORD@" in line else ("",))
    ]
    return re.sub(r"@([A-Z]+)@", lambda match: words[match[1]], "".join(lines))
