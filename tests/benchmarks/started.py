"""How long a workspace takes until it is healthy: by jailoc, and its compose file by hand.

Images and volumes are there before. By hand means the commands of somebody who needs no model and
no look at the machine, and who hands the password over as jailoc does: without it no agent becomes
healthy.
"""

import shlex
from pathlib import Path

from jailoc.bin.deploy.secrets import archive
from jailoc.model.sandbox import HAND_SECRETS, PASSWORD_FILE, WALL
from tests.benchmarks.pairs import Cost, Work, medians

Words = tuple[str, ...]


def measure(home: Path, jailoc: Words, compose: Words, rounds: int) -> dict[str, Cost]:
    """Return what it costs by `jailoc` and by `hand`; before each turn it is taken down.

    Args:
        home: The home directory of whoever started the workspace `bench` before.
        jailoc: How its command line begins.
        compose: How that of Docker Compose begins, for the file that was rendered.
        rounds: Turns that each gets.
    """
    password = (home / ".local/share/jailoc/bench/password").read_bytes().strip()
    (home / "secrets.tar").write_bytes(archive({PASSWORD_FILE: password}))
    up = shlex.join((*compose, "up", "--detach", "--wait"))
    fed = shlex.join((*compose, "exec", "--no-TTY", "--user", "0:0", WALL, *HAND_SECRETS))
    down = (*compose, "down", "--timeout", "5")
    return medians(
        {
            "hand": Work(("sh", "-c", f"{up} {WALL} && {fed} <secrets.tar && {up}"), home, down),
            "jailoc": Work((*jailoc, "up", "bench"), home, down),
        },
        rounds,
    )
