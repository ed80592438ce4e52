"""The manual page jailoc(1), in the man(7) language, from the table that help reads.

Imports nothing but that table: the wheel is built where no dependency is installed.
"""

import re
from collections.abc import Iterator

from jailoc import __version__
from jailoc.bin.cli import command_line
from jailoc.bin.cli.command_line import Argument, Path

_TYPES = {"int": "N", "float": "N", "date": "DATE"}
_HEAD = r""".\" Made from the commands' own declarations.
.TH JAILOC 1 "" "jailoc {version}" "User Commands"
.SH NAME
jailoc \- {summary}
.SH SYNOPSIS
.B jailoc
.RI [ PATH ]
.RI [ OPTION .\|.\|.]
.br
.B jailoc
.I COMMAND
.RI [ OPTION .\|.\|.]
.RI [ ARGUMENT .\|.\|.]
.SH DESCRIPTION
A first word that is no command is a directory: the agent in its sandbox is opened there.
"""
_TAIL = r""".SH EXIT STATUS
.TP
.B 0
fine, or nothing to do
.TP
.B 1
an error, or interrupted
.TP
.B 2
differences, where a command looks for them
.TP
.B 125
an error of jailoc itself in \fBexec\fR, \fBpause\fR or \fBshell\fR, whose other statuses
are the command's
.SH ENVIRONMENT
.TP
.B JAILOC_CONFIG
the configuration file
.TP
.B DOCKER_HOST
the engine, as for docker
.TP
.B NO_COLOR
no colours
.TP
.B JAILOC_NO_UPDATE_NOTIFIER
no question for a newer release
.SH FILES
.TP
.I ~/.config/jailoc/config.toml
the configuration
.TP
.I ~/.cache/jailoc/WORKSPACE/
generated files
.TP
.I ~/.local/share/jailoc/WORKSPACE/password
the server's password, where no keyring holds it
.TP
.I ~/.local/share/jailoc/WORKSPACE.applied.json
what was applied last
"""


def page() -> str:
    """Return the page; it ends with a newline."""
    lines = [
        _HEAD.format(version=_plain(__version__), summary=_plain(command_line.summary(()))).rstrip()
    ]
    lines += _arguments(command_line.arguments(()))
    lines += [".SH OPTIONS OF EVERY COMMAND", *_arguments(command_line.shared())]
    lines += _entry(r"\-h, \-\-help", "Show help.")
    lines += _entry(r"\-v, \-\-version", "Show the version; before a command only.")
    lines.append(".SH COMMANDS")
    for path in _commands(()):
        lines += _command(path)
    return "\n".join([*lines, _TAIL])


def _commands(path: Path) -> Iterator[Path]:
    for name in command_line.commands(path):
        yield (*path, name)
        yield from _commands((*path, name))


def _command(path: Path) -> Iterator[str]:
    usage = [_name(each) for each in command_line.arguments(path) if not each.is_option]
    yield f".SS {_plain(' '.join(('jailoc', *path, *usage)))}"
    for paragraph in command_line.text(path).split("\n\n"):
        yield ".PP"
        yield _plain(" ".join(paragraph.split()))
    yield from _arguments(command_line.arguments(path))


def _name(argument: Argument) -> str:
    word = argument.name.lstrip("-").upper().rstrip("S" if argument.many else "")
    word += "..." if argument.many else ""
    return word if argument.required else f"[{word}]"


def _arguments(every: tuple[Argument, ...]) -> Iterator[str]:
    for each in every:
        title = _name(each).strip("[]")
        if each.is_option:
            title = ", ".join(sorted(each.shown, key=len))
            if each.takes_value:
                title += " " + ("|".join(each.choices) or _TYPES.get(each.kind, "TEXT"))
        yield from _entry(_plain(title), each.help)


def _entry(title: str, text: str) -> tuple[str, str, str]:
    return ".TP", rf"\fB{title}\fR", _plain(" ".join(text.split()))


def _plain(text: str) -> str:
    r"""Return text that roff shows as it is: a dash that can be typed, no `.` or `'` in front."""
    marked = text.replace("\\", r"\e").replace("-", r"\-").replace("`", r"\`")
    return re.sub(r"^(?=[.'])", r"\\&", marked, flags=re.MULTILINE).replace("'", r"\(aq")
