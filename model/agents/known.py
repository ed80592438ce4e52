"""Every agent that jailoc knows, and what holds for all of them, whichever a workspace has."""

import re

from jailoc.model.agents.agent import Agent
from jailoc.model.agents.opencode1 import OPENCODE_1
from jailoc.model.agents.opencode2 import OPENCODE_2

AGENTS = (OPENCODE_1, OPENCODE_2)
DEFAULT = OPENCODE_1
"""The agent of a workspace that names none."""

PASSWORDS = tuple(dict.fromkeys(name for each in AGENTS for name in each.passwords))
"""Variables that may hold a password of a server."""
RESERVED = tuple(dict.fromkeys(
    [name for each in AGENTS for name in each.reserved]
    + ["OPENCODE_SERVER_USERNAME", "OPENCODE_TUI_CONFIG", "OPENCODE_BIN_PATH"]
))  # fmt: skip
"""Variables that jailoc sets itself, or that lead server and client elsewhere; a name must not
become free by a change of agents."""
PROTECTED = tuple(dict.fromkeys(path for each in AGENTS for path in each.protected))
"""What agents on the host execute inside a project: which of them is there, no sandbox knows."""
IDENTITIES = tuple(dict.fromkeys(each.identity for each in AGENTS if each.identity))
"""Files in a Git directory by which agents on the host know a project."""
PRIVATE = tuple(dict.fromkeys(path for each in AGENTS for path in each.private))
"""Files at home that let one into a server of the user's own, as patterns."""
LOGINS = tuple(dict.fromkeys(path for each in AGENTS for path in each.logins))
"""Files at home with what the user is logged in with, as patterns."""
CONFIGURED = tuple(dict.fromkeys(path for each in AGENTS for path in each.configured))
"""Files of configuration at home in which a key may stand, as patterns."""

_VERSION = re.compile(r'"version":\s?"(\d{1,9}(?:\.\d{1,9}){2})')


def stranger(agent: Agent, answer: str) -> str | None:
    """Say who answers in an agent's place, from what is answered; None if that does not tell."""
    if answer.startswith("<"):
        return f"the server answers with a page, as {agent.label} does for a route it has not"
    version = _VERSION.search(answer)
    if version is None:
        return None
    return f"the server is {agent.name} {version[1]}, the configuration says {agent.major}"
