"""Every agent that jailoc knows, and what holds for all of them, whichever a workspace has."""

from jailoc.model.agents.opencode1 import OPENCODE_1

AGENTS = (OPENCODE_1,)
DEFAULT = OPENCODE_1
"""The agent of a workspace that names none."""

PASSWORDS = tuple(dict.fromkeys(name for each in AGENTS for name in each.passwords))
"""Variables that may hold a password of a server."""
RESERVED = tuple(dict.fromkeys(name for each in AGENTS for name in each.reserved))
"""Variables that jailoc sets itself; a name must not become free by a change of agents."""
PROTECTED = tuple(dict.fromkeys(path for each in AGENTS for path in each.protected))
"""What agents on the host execute inside a project: which of them is there, no sandbox knows."""
PRIVATE = tuple(dict.fromkeys(path for each in AGENTS for path in each.private))
"""Files at home that let one into a server of the user's own, as patterns."""
LOGINS = tuple(dict.fromkeys(path for each in AGENTS for path in each.logins))
"""Files at home with what the user is logged in with, as patterns."""
