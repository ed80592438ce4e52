"""What docker's client does of its own accord, and how its own settings are kept from containers.

It puts the proxies of its `config.json`, passwords included, into every container that it or
Compose makes (docs: configure the Docker CLI to use a proxy server), and its variables choose
platforms and projects. What runs is what the configuration says, on every machine.
"""

import atexit
import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

from jailoc.bin.engine.endpoint import settings, settings_folder
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.model.agents.known import PASSWORDS

REACH = frozenset({
    "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH", "DOCKER_API_VERSION", "DOCKER_CUSTOM_HEADERS",
})  # fmt: skip
"""Variables that say which engine is asked, and how (docker(1), environment variables)."""
NEVER = frozenset({"DOCKER_DEFAULT_PLATFORM", *PASSWORDS})
"""Of no use to any call: the platform of a sandbox is its engine's."""
KEPT_BACK = frozenset({"proxies", "auths"})
"""Of `config.json`: what ends up in containers, and secrets that only a registry is to see."""


_MAKING = Lock()


def variables(inherited: Mapping[str, str], *, credentials: bool) -> dict[str, str]:
    """Return the variables of ours that docker may have.

    Args:
        inherited: Those of this process.
        credentials: Whether it is asked to fetch or to build: then it has the user's own settings,
            with the credentials of registries and the proxies of builds. No container is kept.
    """
    kept = {
        key: value
        for key, value in inherited.items()
        if not key.startswith("COMPOSE_")
        and key not in NEVER
        and (credentials or key in REACH or not key.startswith("DOCKER_"))
    }
    if not credentials and (folder := own_folder()) is not None:
        kept["DOCKER_CONFIG"] = folder
    return kept


def own_folder() -> str | None:
    """Return a directory to use in place of the user's `~/.docker`; None where that adds nothing.

    It leads to the same contexts, certificates and plugins, and goes when jailoc ends.
    """
    folder = settings_folder()
    if folder is None or not settings(folder).get("proxies"):
        return None
    # Two threads must not each make one: the loser's would be gone while it is in use.
    with _MAKING:
        return _made(folder)


@cache
def _made(folder: Path) -> str:
    files.make_private(cache_directory())
    made = mkdtemp(prefix="docker.", dir=cache_directory())
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    for each in folder.iterdir():
        if each.name != "config.json":
            # As it is spelt: what it leads to is docker's to say.
            Path(made, each.name).symlink_to(Path.cwd() / each)
    kept = {key: value for key, value in settings(folder).items() if key not in KEPT_BACK}
    files.write(Path(made, "config.json"), json.dumps(kept), 0o600)
    return made
