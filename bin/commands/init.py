"""`init`: write the commented starter configuration."""

import json

from jailoc.bin.config import facts, source
from jailoc.bin.config.session import Session
from jailoc.bin.host import files
from jailoc.generators.config.resolve import names
from jailoc.generators.config.starter import SCHEMA_FILE, starter
from jailoc.model.diagnostic import Refused, refuse
from jailoc.schemas import schema


def run(session: Session, here: bool) -> int:
    """Write the commented starter configuration, and the schema that its first line names.

    An existing file is never touched.

    Args:
        session: The place to write to.
        here: Whether its workspace is for the current directory.

    Raises:
        Refused: there is a configuration, or the directory can be none of a workspace.
    """
    path = session.path
    if path.is_symlink() and not path.exists():
        source.text_of(path, named=True)  # says where the link leads
    if path.exists() or path.is_symlink():
        raise refuse(
            "config-exists",
            f"`{path}` exists already",
            hint="`jailoc add` adds this directory to a workspace of it" if here
            else "edit it, or give another place with --config",
        )  # fmt: skip
    directory = source.current_directory() if here else None
    text = starter(directory, facts.home())
    try:
        checked = source.check(text, path)
    except Refused as error:
        if directory is None:
            raise
        first = error.diagnostics[0]
        raise refuse(
            first.code,
            f"`{directory}` cannot be a workspace's, and nothing was written: {first.message}",
            allowed=first.allowed,
            hint=first.hint,
        ) from None
    files.make(path.parent, 0o750)
    files.write(path, text, 0o600)
    session.terminal.told(f"{path}: written")
    beside = path.with_name(SCHEMA_FILE)
    if not (beside.exists() or beside.is_symlink()):
        files.write(beside, json.dumps(schema("config"), indent=2) + "\n", 0o644)
        session.terminal.told(f"{beside}: written, for editors")
    session.terminal.diagnose(checked.warnings)
    if not here:
        session.terminal.say("next: `jailoc add DIRECTORY`, with what an agent is to work on")
    else:
        (name,) = names(checked.config)
        session.terminal.say(f"workspace {name} is for {directory}; next: `jailoc up {name}`")
    return 0
