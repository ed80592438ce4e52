"""`init`: write the commented starter configuration."""

from jailoc.bin.config.session import Session
from jailoc.bin.host import files
from jailoc.generators.assets import asset
from jailoc.model.diagnostic import refuse


def run(session: Session) -> int:
    """Write the commented starter configuration; an existing file is never touched."""
    path = session.path
    if path.exists() or path.is_symlink():
        raise refuse(
            "config-exists",
            f"`{path}` exists already",
            hint="edit it, or give another place with --config",
        )
    files.make(path.parent, 0o750)
    files.write(path, asset("starter.toml"), 0o600)
    session.terminal.result(f"{path}: written")
    return 0
