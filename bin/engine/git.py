"""The door to Git: what a repository holds, without running anything of it."""

import os
from pathlib import Path

from jailoc.bin.engine import exchange
from jailoc.bin.host import programs
from jailoc.model.diagnostic import refuse

PATIENCE = 30.0
"""Seconds that it has."""
LIMIT = 1 << 20
"""Bytes of an answer."""


def ask(folder: Path, *arguments: str) -> bytes | None:
    """Ask Git; None where it has no answer.

    Raises:
        Refused: there is no Git, or it takes too long.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    kept = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CEILING_DIRECTORIES"}
    environment |= {key: os.environ[key] for key in kept if key in os.environ}
    environment |= {"GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0",
                    "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
                    "PATH": programs.search_path()}  # fmt: skip
    command = ("git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments)
    try:
        process = exchange.start(command, environment)
    except FileNotFoundError:
        raise refuse("diff", "there is no git here", hint="name two files instead") from None
    reply = exchange.whole(process, b"", PATIENCE, LIMIT)
    if reply.cut:
        raise refuse("diff", f"git {reply.cut}")
    return reply.stdout if reply.status == 0 else None
