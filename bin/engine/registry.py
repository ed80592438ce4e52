"""What a package's registry says, asked by the client in an image, as a build asks it."""

import json

from jailoc.bin.engine.shell import shell
from jailoc.model.agents.agent import version_in

_SCRATCH = "/tmp"  # noqa: S108 -- in memory, in a container of its own
_ASK = 'exec npm view "$1" version --json'
LIMIT = 16 << 10
"""Bytes of an answer: one version."""


def newest(package: str, image: str, user: str) -> str | None:
    """Return the newest version of an npm package; None if the answer is none.

    The image's own npm asks, in a container that has nothing of the user's, with the network of a
    build: it is not behind a wall.

    Args:
        package: Its name.
        image: An image that jailoc builds, which has npm.
        user: As whom.

    Raises:
        DockerError: the engine refused, the registry did not answer, or it has no such package.
    """
    text = shell(
        image, user, _ASK, package,
        options=("--pids-limit", "64", "--memory", "512m", "--log-driver", "none", "--read-only",
                 "--tmpfs", _SCRATCH, "--env", f"HOME={_SCRATCH}", "--workdir", _SCRATCH),
        what=f"asking for versions of {package}",
        timeout=60,
        limit=LIMIT,
    )  # fmt: skip
    try:
        return version_in(str(json.loads(text)))
    except ValueError:
        return None
