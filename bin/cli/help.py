"""The pages that `--help` prints, made from the commands' own signatures and docstrings."""

import shutil
import textwrap
import typing
from datetime import date

from cyclopts.argument import Argument

from jailoc import __version__
from jailoc.bin.cli import command_line
from jailoc.bin.cli.app import Options
from jailoc.bin.terminal.terminal import Terminal

WIDTH = 100
_TYPES: dict[object, str] = {int: "N", float: "N", date: "DATE"}
_END = """
Exit status: 0 fine, or nothing to do; 1 an error, or interrupted;
2 differences, where a command looks for them.

Variables: JAILOC_CONFIG names the configuration file, NO_COLOR switches colours
off, JAILOC_NO_UPDATE_NOTIFIER the question for a newer release.

Example: jailoc up api
"""


def version() -> str:
    """Return the line that `--version` prints."""
    return f"jailoc {__version__}"


def answer(words: list[str]) -> str | None:
    """Return the text that a command line asks for, or None if it asks for something else."""
    line = command_line.read(words)
    flags = line.flags
    if "--no-color" in flags:
        Options.color = False
    if any(each in command_line.HELP for each in flags):
        return page(line.path)
    if not line.path and any(each in command_line.VERSION for each in flags):
        return version()
    # A group of commands does nothing by itself.
    idle = not (line.positionals or flags or line.waiting)
    if idle and command_line.application(line.path).default_command is None:
        return page(line.path)
    return None


def named(command: tuple[str, ...]) -> str:
    """Return the help of a command.

    Raises:
        Refused: there is no such command.
    """
    line = command_line.read(command)
    if line.positionals or line.flags:
        from jailoc.model.diagnostic import refuse

        raise refuse(
            "usage",
            f"there is no command `{' '.join(command)}`",
            allowed=", ".join(command_line.commands(line.path)),
        )
    return page(line.path)


def page(path: command_line.Path) -> str:
    """Return the help of a command, or of a group of commands."""
    terminal = Terminal(color=Options.color)
    width = min(shutil.get_terminal_size((80, 24)).columns, WIDTH)
    app = command_line.application(path)
    own, below = command_line.arguments(path), command_line.commands(path)
    positionals = [each for each in own if not command_line.is_option(each)]
    options = [each for each in own if command_line.is_option(each)]
    shared = [*map(_option, command_line.shared()), ("-h, --help", "Show this help.")]
    if not path:
        shared.append(("-v, --version", "Show the version."))
    # A group that does something by itself, as jailoc does, has options of its own.
    title = "Options without a command" if below else "Options"
    sections = (
        ("Commands", [(name, command_line.summary(app[name])) for name in below]),
        ("Arguments", [(_name(each), each.parameter.help or "") for each in positionals]),
        (title, [_option(each) for each in options]),
        ("Options of every command" if path or own else "Options", shared),
    )
    words = ["jailoc", *path]
    usage = " ".join([*words, *(["COMMAND"] if below else []), "[OPTIONS]"])
    if below and own:
        usage += f"\n       {' '.join([*words, '[OPTIONS]'])}"
    usage = " ".join([usage, *map(_usage, positionals)])
    parts = [f"{terminal.title('Usage:')} {usage}", command_line.text(app)]
    parts += [
        "\n".join([terminal.title(f"{title}:"), *_table(rows, width)])
        for title, rows in sections
        if rows
    ]
    if not path:
        parts.append(_END.strip("\n"))
    return "\n\n".join(parts) + "\n"


def _name(argument: Argument) -> str:
    return argument.name.lstrip("-").upper().rstrip("S" if _many(argument) else "")


def _many(argument: Argument) -> bool:
    return typing.get_origin(argument.hint) is tuple


def _usage(argument: Argument) -> str:
    name = _name(argument) + ("..." if _many(argument) else "")
    return name if argument.required else f"[{name}]"


def _option(argument: Argument) -> tuple[str, str]:
    label = ", ".join(sorted(command_line.names(argument), key=len))
    if command_line.takes_value(argument):
        known = "|".join(command_line.choices(argument))
        label += " " + (known or _TYPES.get(command_line.kind(argument), "TEXT"))
    return label, argument.parameter.help or ""


def _table(rows: list[tuple[str, str]], width: int) -> list[str]:
    column = min(max(len(name) for name, _ in rows), 28) + 4
    lines: list[str] = []
    for name, text in rows:
        wrapped = textwrap.wrap(" ".join(text.split()), max(width - column, 20)) or [""]
        head = f"  {name}"
        if len(head) > column - 2:
            lines.append(head)
            head = ""
        lines.append(f"{head:{column}}{wrapped[0]}".rstrip())
        lines += [" " * column + each for each in wrapped[1:]]
    return lines
