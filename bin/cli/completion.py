"""Shell completion: what fits at the end of a command line.

The scripts (`generators/assets/completion.*`) know nothing themselves: at each TAB they hand over
the words so far. The answer is a line that says what fits (`words`, `files` or `directories`), then
one candidate a line, with a tab and its description.
"""

import re
from collections.abc import Iterable, Sequence

from jailoc.bin.cli import command_line
from jailoc.bin.cli.command_line import Argument
from jailoc.bin.cli.options import TAKE_TASKS
from jailoc.bin.host import regular
from jailoc.bin.host.paths import config_file, state_directory
from jailoc.model.sandbox import AGENT, PROXY, SIDECAR, TASK, WALL, WORKSPACE
from jailoc.model.text import without_mark

SERVICES = (WALL, AGENT, SIDECAR, PROXY)

Candidates = Iterable[tuple[str, str]]

_WORKSPACES = {"workspace", "workspaces"}
_DIRECTORIES = {"directory", "out", "path", "dir"}
_FILES = {"file", "config", "plan.out"}
_TASKS = {"task.rm.name", "task.fetch.name", "task.log.name", "task.diff.name"}
RUN = {("exec",), ("pause",)}
_LIMIT = 1 << 20
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names that no shell and no terminal takes for anything else."""


def answer(words: Sequence[str]) -> str:
    """Return what fits in place of the last word."""
    fits, candidates = _fitting(*_joined(words))
    lines = [fits, *(f"{word}\t{text}" if text else word for word, text in candidates)]
    return "\n".join(lines)


def _joined(words: Sequence[str]) -> tuple[list[str], str, str]:
    """Return the words before the last, the last, and what each candidate must begin with.

    Bash takes `--name=value` apart at the `=` and wants the value alone; other shells do neither.
    """
    *before, last = words or [""]
    if last == "=" and before:
        return before, "", ""
    if len(before) > 1 and before[-1] == "=":
        return before[:-1], last, ""
    name, equals, value = last.partition("=")
    if equals and name.startswith("--"):
        return [*before, name], value, f"{name}="
    return before, last, ""


def _fitting(before: list[str], last: str, prefix: str) -> tuple[str, Candidates]:
    line = command_line.read(before)
    if line.waiting is not None:
        return _values(line, line.waiting, last, prefix)
    if line.path in RUN and line.ended:
        return "files", ()  # the words of a command; its project is often this directory
    if last.startswith("-") and not line.ended:
        return "words", _begun(_options(line), last)
    if not line.positionals and not line.ended and (below := command_line.commands(line.path)):
        # A word that can be no command is the directory of the command without a name.
        if not line.path and last[:1] in {".", "/", "~"}:
            return "directories", ()
        known = ((name, command_line.summary((*line.path, name))) for name in below)
        return "words", _begun(known, last)
    asked = line.next_positional()
    return ("words", ()) if asked is None else _values(line, asked, last, prefix)


def _begun(candidates: Candidates, last: str) -> Candidates:
    return [(word, text) for word, text in candidates if word.startswith(last)]


def _options(line: command_line.CommandLine) -> Candidates:
    for each in line.options():
        text = " ".join(each.help.split())
        yield from ((name, text) for name in each.shown)
    yield from ((name, "Show help.") for name in command_line.HELP)
    if not line.path:
        yield from ((name, "Show the version.") for name in command_line.VERSION)


def _values(
    line: command_line.CommandLine, argument: Argument, last: str, prefix: str
) -> tuple[str, Candidates]:
    name = argument.field
    place = ".".join((*line.path, name))
    if {name, place} & _FILES:
        return "files", ()
    if name in _DIRECTORIES:
        return "directories", ()
    known: Iterable[str] = argument.choices
    if place == "schema.name":
        from jailoc.schemas import NAMES

        known = NAMES
    elif place == "logs.service":
        known = SERVICES
    elif name in _WORKSPACES:
        takes = (line.path or ("attach",))[0] in TAKE_TASKS
        known = [*workspaces(line.values.get("--config")), *(tasks() if takes else ())]
    elif place in _TASKS:
        known = tasks()
    elif place == "allow.target" and last.startswith("@"):
        known = sets(line.values.get("--config"))
    elif place == "help.command":
        known = command_line.commands(())
    elif place == "exec.command":
        known = ("--",)
    return "words", [(f"{prefix}{word}", "") for word in known if word.startswith(last)]


def tasks() -> list[str]:
    """Return the tasks that are written down, as WORKSPACE/TASK; none if nobody can tell."""
    try:
        places = [*state_directory().glob("*/tasks/*.json")]
    except Exception:
        return []
    found = (f"{each.parent.parent.name}/{each.stem}" for each in places)
    return sorted(each for each in found if re.fullmatch(f"{WORKSPACE}/{TASK}", each))


def workspaces(config: str | None) -> list[str]:
    """Return the names of the configured workspaces; none if the file cannot be read."""
    names = _tables(config, "workspaces")
    return ["default"] if names is None else names  # the starter configuration is in effect


def sets(config: str | None) -> list[str]:
    """Return what `allow` may name: the sets that are shipped, and those of the file."""
    from jailoc.generators.assets import set_names

    return sorted(f"@{name}" for name in {*set_names(), *(_tables(config, "sets") or ())})


def _tables(config: str | None, key: str) -> list[str] | None:
    """Return the names of tables of the file; None without one, and none if it cannot be read."""
    import tomllib

    try:
        text = regular.read(str(config_file(config)), _LIMIT, cut=True).decode()
        found = tomllib.loads(without_mark(text)).get(key, {})
    except FileNotFoundError:
        return None
    except Exception:
        return []
    names = found if isinstance(found, dict) else {}
    return sorted(name for name in names if _PLAIN.fullmatch(name))
