"""Read a command line as far as it goes: which command it names, and what its last word may be.

Help and completion ask here. What they know of the commands stands in a table beside this file,
which is made from the commands' own declarations: to ask cyclopts would be most of a start.
"""

from collections.abc import Iterator, Sequence

from jailoc.bin.cli.grammar import COMMANDS, SHARED

ASK = "__complete"
"""The first word of a command line that a completion script asks with."""
HELP = ("--help", "-h")
VERSION = ("--version", "-v")


Path = tuple[str, ...]
"""The words that lead to a command: `("up",)`, `("golden", "check")`; none is jailoc itself."""


class Argument:
    """What a command takes: an option, or a word by its place."""

    def __init__(
        self,
        field: str,
        names: tuple[str, ...],
        kind: str,
        help: str,  # noqa: A002 -- what it is called everywhere
        *,
        choices: tuple[str, ...] = (),
        many: bool = False,
        required: bool = False,
        on: bool = False,
    ) -> None:
        self.field, self.names, self.kind, self.help = field, names, kind, help
        self.choices, self.many, self.required = choices, many, required
        self._on = on

    @property
    def name(self) -> str:
        """Return the name that stands for all."""
        return self.names[0]

    @property
    def is_option(self) -> bool:
        """Tell whether it is given by name."""
        return self.name.startswith("-")

    @property
    def takes_value(self) -> bool:
        """Tell whether an option is followed by a value."""
        return self.kind != "bool"

    @property
    def shown(self) -> tuple[str, ...]:
        """Return the names to show; what is on anyway is only ever switched off."""
        return tuple(each for each in self.names if each.startswith("--no-") or not self._on)


def arguments(path: Path) -> tuple[Argument, ...]:
    """Return what a command takes, less the options that all commands share."""
    return tuple(Argument(**each) for each in COMMANDS[path]["arguments"])


def shared() -> tuple[Argument, ...]:
    """Return the options that every command understands."""
    return tuple(Argument(**each) for each in SHARED)


def commands(path: Path) -> tuple[str, ...]:
    """Return the commands below a path."""
    below: tuple[str, ...] = COMMANDS[path]["below"]
    return below


def does_something(path: Path) -> bool:
    """Tell whether what a path leads to is a command, and no mere group of them."""
    return bool(COMMANDS[path]["runs"])


def text(path: Path) -> str:
    """Return what a command's docstring says before it comes to its parameters."""
    return str(COMMANDS[path]["text"])


def summary(path: Path) -> str:
    """Return the first sentence of a command's docstring."""
    return text(path).partition("\n\n")[0].replace("\n", " ")


def example(path: Path) -> str:
    """Return a command line that shows how it is used; empty if it tells none."""
    told = (each for each in text(path).split("\n\n") if each.startswith("Example: "))
    return next(told, "").removeprefix("Example: ").replace("\n", " ")


class CommandLine:
    """What the words of a command line mean, as far as they go."""

    def __init__(self, path: Path = ()) -> None:
        self.path = path
        self.positionals: list[str] = []
        self.values: dict[str, str] = {}
        """What was given for each option, by its long name."""
        self.flags: list[str] = []
        """Options without a value, in order."""
        self.waiting: Argument | None = None
        """The option whose value comes next."""
        self.ended = False
        """`--` was there: no option comes any more."""

    def options(self) -> Iterator[Argument]:
        """Yield the options that may come here."""
        yield from (each for each in arguments(self.path) if each.is_option)
        yield from shared()

    def option(self, name: str) -> Argument | None:
        """Return the option of a name."""
        return next((each for each in self.options() if name in each.names), None)

    def next_positional(self) -> Argument | None:
        """Return the argument that the next word without a dash is."""
        every = [each for each in arguments(self.path) if not each.is_option]
        many = [each for each in every if each.many]
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
    if found is None or not found.takes_value:
        line.flags.append(name)
    elif equals:
        line.values[found.name] = value
    else:
        line.waiting = found
