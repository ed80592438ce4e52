"""Read a command line as far as it goes: which command it names, and what its last word may be.

Help and completion ask here. The parser itself is cyclopts; its own help and its own completion
scripts need rich, which is most of a start.
"""

import enum
import inspect
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce

from cyclopts import App
from cyclopts.argument import Argument

from jailoc.bin.cli.app import app as root

HELP = ("--help", "-h")
VERSION = ("--version", "-v")


Path = tuple[str, ...]
"""The words that lead to a command: `("up",)`, `("golden", "check")`; none is jailoc itself."""


def application(path: Path) -> App:
    """Return the application at a path."""
    return reduce(lambda app, name: app[name], path, root)


@cache
def arguments(path: Path) -> tuple[Argument, ...]:
    """Return what a command takes, less the options that all commands share."""
    app = application(path)
    return () if app.default_command is None else _shown(app)


@cache
def shared() -> tuple[Argument, ...]:
    """Return the options that every command understands."""
    return _shown(root.meta)


def _shown(app: App) -> tuple[Argument, ...]:
    found = app.assemble_argument_collection(parse_docstring=True)
    return tuple(each for each in found if each.parameter.show is not False)


@cache
def commands(path: Path) -> tuple[str, ...]:
    """Return the commands below a path."""
    app = application(path)
    return tuple(sorted(name for name in app if not name.startswith("-") and app[name].show))


def text(app: App) -> str:
    """Return what a docstring says before it comes to its parameters."""
    return inspect.cleandoc(app.help or "").partition("\n\nParameters\n---")[0]


def summary(app: App) -> str:
    """Return the first sentence of a command's docstring."""
    return text(app).partition("\n\n")[0].replace("\n", " ")


def is_option(argument: Argument) -> bool:
    """Tell whether an argument is given by name."""
    return argument.name.startswith("-")


def names(argument: Argument) -> tuple[str, ...]:
    """Return the names to show; what is on anyway is only ever switched off."""
    on = argument.field_info.default is True
    return tuple(each for each in argument.names if each.startswith("--no-") or not on)


def takes_value(argument: Argument) -> bool:
    """Tell whether an option is followed by a value."""
    return kind(argument) is not bool


def kind(argument: Argument) -> object:
    """Return the type of one value of an argument."""
    hint: object = argument.hint
    while typing.get_origin(hint) in {typing.Union, types.UnionType, tuple, list, typing.Annotated}:
        hint = next(each for each in typing.get_args(hint) if each is not type(None))
    return hint


def choices(argument: Argument) -> tuple[str, ...]:
    """Return the only values that an argument may have; none if any will do."""
    hint = kind(argument)
    if typing.get_origin(hint) is typing.Literal:
        return tuple(str(each) for each in typing.get_args(hint))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return tuple(str(each.value) for each in hint)
    return ()


@dataclass
class CommandLine:
    """What the words of a command line mean, as far as they go."""

    path: Path = ()
    positionals: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    """What was given for each option, by its long name."""
    flags: list[str] = field(default_factory=list)
    """Options without a value, in order."""
    waiting: Argument | None = None
    """The option whose value comes next."""
    ended: bool = False
    """`--` was there: no option comes any more."""

    def options(self) -> Iterator[Argument]:
        """Yield the options that may come here."""
        yield from (each for each in arguments(self.path) if is_option(each))
        yield from shared()

    def option(self, name: str) -> Argument | None:
        """Return the option of a name."""
        return next((each for each in self.options() if name in each.names), None)

    def next_positional(self) -> Argument | None:
        """Return the argument that the next word without a dash is."""
        every = [each for each in arguments(self.path) if not is_option(each)]
        many = [each for each in every if typing.get_origin(each.hint) is tuple]
        if len(self.positionals) < len(every):
            return every[len(self.positionals)]
        return many[-1] if many else None


def read(words: Sequence[str]) -> CommandLine:
    """Read words; nothing is refused, for they need not be complete yet."""
    line = CommandLine()
    for word in words:
        if line.waiting is not None:
            line.values[line.waiting.name], line.waiting = word, None
        elif line.ended or not word.startswith("-") or word == "-":
            if not line.positionals and not line.ended and word in commands(line.path):
                line.path = (*line.path, word)
            else:
                line.positionals.append(word)
        elif word == "--":
            line.ended = True
        else:
            _option(line, word)
    return line


def _option(line: CommandLine, word: str) -> None:
    name, equals, value = word.partition("=")
    found = line.option(name)
    if found is None and not word.startswith("--"):
        # The value of a short option may be joined to it: `-wapi`.
        found, equals, value = line.option(word[:2]), word[2:], word[2:]
    if found is None or not takes_value(found):
        line.flags.append(name)
    elif equals:
        line.values[found.name] = value
    else:
        line.waiting = found
