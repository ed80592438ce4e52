"""`config`: show what is in effect after merging, each value with the entry it came from."""

import json
from collections.abc import Iterator
from itertools import groupby

from jailoc.bin.config.session import Session
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.images import BUILT_IN
from jailoc.generators.config.effective import Setting, of_workspace, shared
from jailoc.generators.config.resolve import names

MOST = 8
"""Values of one key that nobody wrote, and that are shown one by one."""


def run(session: Session, as_json: bool) -> int:
    """Show what is in effect after merging, each value with the entry it came from."""
    origin, terminal, wanted = session.source(), session.terminal, session.workspace
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
    terminal.told(f"# {origin.path}{what}")
    _table(terminal, common)
    for name, settings in found.items():
        terminal.result("")
        terminal.heading(f"[workspaces.{name}]")
        _table(terminal, settings)
    return 0


def _table(terminal: Terminal, settings: tuple[Setting, ...]) -> None:
    lines = list(_lines(settings))
    width = min(max((len(text) for text, _ in lines), default=0), 72)
    for text, origin in lines:
        terminal.told(f"{text:{width}}  # {origin}")


def _lines(settings: tuple[Setting, ...]) -> Iterator[tuple[str, str]]:
    """Yield values and where they come from; very many that nobody wrote are counted."""
    for (key, origin), group in groupby(settings, lambda each: (each.key, each.origin)):
        values = [f"{key} = {_toml(each.value)}" for each in group]
        if origin == BUILT_IN and len(values) > MOST:
            yield f"# {key} = [ {len(values)} values, which `--json` lists ]", origin
        else:
            yield from ((each, origin) for each in values)


def _toml(value: str | bool | int | float) -> str:
    # JSON escapes all that a TOML string must; whole numbers are shown without a fraction.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
