"""The entries of a workspace's environment, of all layers, with the place each comes from."""

from collections.abc import Iterator

from jailoc.model.config import Config
from jailoc.model.environment import EnvEntry


def entries(config: Config, name: str) -> Iterator[tuple[str, EnvEntry]]:
    """Yield the entries of all layers, weakest first; a file counts at its first mention."""
    mine, defaults = config.workspaces[name], config.defaults
    scope = config.scope(name)
    for index, entry in enumerate(defaults.env):
        yield f"defaults.env[{index}]", entry
    seen: set[str] = set()
    for at, files in (("defaults", defaults.env_file), (scope, mine.env_file)):
        for index, file in enumerate(files):
            if file.path not in seen:
                seen.add(file.path)
                yield from ((f"{at}.env_file[{index}]", entry) for entry in file.entries)
    for index, entry in enumerate(mine.env):
        yield f"{scope}.env[{index}]", entry
