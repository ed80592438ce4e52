"""The commands about the configuration itself: `config`, `add`, `allow` and `init`."""

import json
import os
from datetime import date
from pathlib import Path

from pydantic_core import PydanticCustomError

from jailoc.bin.commands import lifecycle
from jailoc.bin.config import facts, source
from jailoc.bin.engine import containers, docker
from jailoc.bin.host import files
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.assets import asset
from jailoc.generators.config.edit import Value, append
from jailoc.generators.config.effective import Setting, of_workspace, shared
from jailoc.generators.config.resolve import names, unknown_workspace
from jailoc.generators.config.select import select
from jailoc.model import sandbox
from jailoc.model.allow_entry import parse_host, parse_network
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.path import clean, expand

PATIENCE = 60
"""Seconds to wait for another jailoc that is changing the configuration."""


def config(terminal: Terminal, flag: str | None, wanted: str | None, as_json: bool) -> int:
    """Show what is in effect after merging, each value with the entry it came from."""
    origin = source.read(flag)
    chosen = (wanted,) if wanted else names(origin.config)
    common = shared(origin.config)
    found = {name: of_workspace(origin.config, name, origin.host) for name in chosen}
    if as_json:
        terminal.data(
            {
                "file": None if origin.starter else origin.path,
                "shared": [each.model_dump() for each in common],
                "workspaces": [
                    {"name": name, "settings": [each.model_dump() for each in settings]}
                    for name, settings in found.items()
                ],
            }
        )
        return 0
    terminal.diagnose(origin.warnings)
    what = " (there is no such file: the starter is in effect)" if origin.starter else ""
    terminal.result(f"# {origin.path}{what}")
    _table(terminal, common)
    for name, settings in found.items():
        terminal.result("")
        terminal.heading(f"[workspaces.{name}]")
        _table(terminal, settings)
    return 0


def _table(terminal: Terminal, settings: tuple[Setting, ...]) -> None:
    lines = [(f"{each.key} = {_toml(each.value)}", each.origin) for each in settings]
    width = min(max((len(text) for text, _ in lines), default=0), 72)
    for text, origin in lines:
        terminal.result(f"{text:{width}}  # {origin}")


def _toml(value: str | bool | int | float) -> str:
    # JSON escapes all that a TOML string must; whole numbers are shown without a fraction.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def add(terminal: Terminal, flag: str | None, wanted: str | None, directory: str | None) -> int:
    """Append a directory to the paths of a workspace; a running one is brought up to date."""
    target = place(directory)
    origin = source.read(flag)
    name = wanted or select(origin.config, target) or source.DEFAULT
    if add_path(terminal, flag, name, target) and _running(name):
        return lifecycle.up(terminal, flag, name)
    return 0


def add_path(terminal: Terminal, flag: str | None, name: str, target: str) -> bool:
    """Append a directory to the paths of a workspace in the file; False if it is there.

    Raises:
        Refused: the file with it would not be valid; nothing has been written.
    """
    added = _change(terminal, flag, name, "paths", target)
    if added:
        terminal.result(f"added {target} to workspace {name}")
    return added


def check_path(flag: str | None, name: str, target: str) -> None:
    """Make sure that a directory could be added to a workspace; nothing is written.

    Raises:
        Refused: the file with it would not be valid.
    """
    path = facts.config_file(flag)
    text, _ = source.text_of(path, named=bool(flag or os.environ.get("JAILOC_CONFIG")))
    source.check(append(text, name, "paths", target), path)


def allow(
    terminal: Terminal,
    flag: str | None,
    wanted: str | None,
    target: str,
    why: str | None = None,
    until: date | None = None,
) -> int:
    """Append a host or a network to what a workspace may reach; a running one can at once."""
    key = "allowed_networks" if "/" in target else "allowed_hosts"
    notes = {name: note for name, note in (("why", why), ("until", until)) if note is not None}
    value: Value = {"to": target, **notes} if notes else target
    try:
        entry = parse_network(target) if key == "allowed_networks" else parse_host(target)
    except PydanticCustomError as error:
        context = error.context or {}
        raise refuse(
            context["code"], context["message"], allowed=context["allowed"], hint=context["hint"]
        ) from None
    if not getattr(entry, "name", True):
        raise refuse("host-name", f"`{target}` names no host", allowed="a host or a network")
    name = source.read(flag).chosen(wanted)
    if not _change(terminal, flag, name, key, value):
        return 0
    terminal.result(f"added {target} to {key} of workspace {name}")
    if _running(name):
        return lifecycle.refresh(terminal, flag, name)
    return 0


def _change(terminal: Terminal, flag: str | None, name: str, key: str, value: Value) -> bool:
    """Append to a list of a workspace, under the lock of all configurations; False if it is there.

    Raises:
        Refused: the file with the value in it would not be valid; nothing has been written.
    """
    path = facts.config_file(flag)
    with files.locked(facts.cache_directory() / "config.lock", PATIENCE):
        # Read again: somebody else may have changed it before the lock was ours.
        text, starter = source.text_of(path, named=bool(flag or os.environ.get("JAILOC_CONFIG")))
        before = source.check(text, path)
        if name not in before.config.workspaces:
            raise unknown_workspace(name, names(before.config))
        changed = append(text, name, key, value)
        after = source.check(changed, path)
        mine, now = before.config.workspaces[name], after.config.workspaces[name]
        if getattr(now, key)[-1] in getattr(mine, key):
            shown = value if isinstance(value, str) else value["to"]
            terminal.say(f"{shown} is already in {key} of workspace {name}", "yellow")
            return False
        if starter:
            files.make(path.parent, 0o750)
        # The file may be a link into somebody's dotfiles: it stays one.
        place = Path(os.path.realpath(path))
        mode = 0o600 if starter else place.stat().st_mode & 0o7777
        files.write(place, changed, mode)
    return True


def place(text: str | None) -> str:
    """Return the directory that an argument means, as the user spells it.

    Raises:
        Refused: there is none.
    """
    if text is None:
        return source.current_directory()
    path = expand(text, facts.home())
    path = clean(path if path.startswith("/") else f"{source.current_directory()}/{path}")
    if not Path(path).exists():
        raise refuse("directory", f"`{path}` does not exist")
    if not Path(path).is_dir():
        raise refuse("directory", f"`{path}` is not a directory")
    return path


def _running(name: str) -> bool:
    """Tell whether a workspace runs; where no engine answers, nothing does."""
    try:
        return any(each.state == "running" for each in containers.containers(sandbox.project(name)))
    except (docker.DockerError, Refused):
        return False


def init(terminal: Terminal, config: str | None) -> int:
    """Write the commented starter configuration; an existing file is never touched."""
    path = facts.config_file(config)
    if path.exists() or path.is_symlink():
        raise refuse(
            "config-exists",
            f"`{path}` exists already",
            hint="edit it, or give another place with --config",
        )
    files.make(path.parent, 0o750)
    files.write(path, asset("starter.toml"), 0o600)
    terminal.result(f"{path}: written")
    return 0
