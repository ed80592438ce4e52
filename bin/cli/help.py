"""The pages that `--help` prints, made from the commands' own signatures and docstrings."""

from jailoc import __version__
from jailoc.bin.cli import command_line
from jailoc.bin.cli.command_line import Argument
from jailoc.bin.cli.options import Options, terminal

WIDTH = 100
_TYPES = {"int": "N", "float": "N", "date": "DATE"}
GROUPS = (
    ("Every day", ("init", "add", "doctor", "up", "status", "logs", "exec", "shell", "pause",
                   "down", "restart", "destroy")),
    ("What a sandbox may touch", ("validate", "allow", "config", "explain", "blocked", "verify",
                                  "graph", "learn", "presets", "secrets", "refresh")),
    ("Take a change, or take it back", ("plan", "apply", "diff", "golden", "render", "snapshot",
                                        "undo")),
    ("Several agents, and editors", ("task", "acp")),
    ("More", ("outdated", "images", "import-sessions", "schema", "completion", "help")),
)  # fmt: skip
"""The commands below jailoc itself, as its help groups them: what is wanted first comes first."""
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
    if idle and not command_line.does_something(line.path):
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
        from jailoc.model.text import meant

        known = command_line.commands(line.path)
        word = line.positionals[0] if line.positionals else ""
        raise refuse(
            "usage",
            f"there is no command `{' '.join(command)}`",
            allowed=", ".join(known) or "none below it",
            hint=meant(word, known),
        )
    return page(line.path)


def page(path: command_line.Path) -> str:
    """Return the help of a command, or of a group of commands."""
    import shutil

    title_of = terminal().title
    width = min(shutil.get_terminal_size((80, 24)).columns, WIDTH)
    own, below = command_line.arguments(path), command_line.commands(path)
    positionals = [each for each in own if not each.is_option]
    options = [each for each in own if each.is_option]
    shared = [
        *map(_option, command_line.shared()),
        ("-h, --help", "Show this help."),
        ("-v, --version", "Show the version."),
    ]
    # A group that does something by itself, as jailoc does, has options of its own.
    title = "Options without a command" if below else "Options"
    groups = (("Commands", below),) if path else GROUPS
    longest = max(map(len, below), default=0)  # the groups are one table in parts
    sections = (
        *((each, [(name.ljust(longest), command_line.summary((*path, name))) for name in names])
          for each, names in groups if below),
        ("Arguments", [(_name(each), each.help) for each in positionals]),
        (title, [_option(each) for each in options]),
        ("Options of every command", [] if path else shared),
    )  # fmt: skip
    words = ["jailoc", *path]
    usage = " ".join([*words, *(["COMMAND"] if below else []), "[OPTIONS]"])
    if below and own:
        usage += f"\n       {' '.join([*words, '[OPTIONS]'])}"
    usage = " ".join([usage, *map(_usage, positionals)])
    parts = [f"{title_of('Usage:')} {usage}", _filled(command_line.text(path), width)]
    parts += [
        "\n".join([title_of(f"{title}:"), *_table(rows, width)]) for title, rows in sections if rows
    ]
    every = " ".join(_longest(each) for each in command_line.shared())
    parts.append(
        _filled(f"{title_of('Also:')} {every} (`jailoc --help` explains them)", width)
        if path
        else _filled(_END.strip("\n"), width)
    )
    return "\n\n".join(parts) + "\n"


def _filled(text: str, width: int) -> str:
    """Break paragraphs anew that are too wide; what is to be copied stays as it is."""
    import textwrap

    parts = []
    for each in text.split("\n\n"):
        wide = max(map(len, each.splitlines()), default=0) > width
        if wide and not each.startswith("Example:") and "\n " not in each:
            each = textwrap.fill(  # noqa: PLW2901 -- the same paragraph
                " ".join(each.split()), width, break_long_words=False, break_on_hyphens=False
            )
        parts.append(each)
    return "\n\n".join(parts)


def _name(argument: Argument) -> str:
    return argument.name.lstrip("-").upper().rstrip("S" if argument.many else "")


def _usage(argument: Argument) -> str:
    name = _name(argument) + ("..." if argument.many else "")
    return name if argument.required else f"[{name}]"


def _longest(argument: Argument) -> str:
    return max(argument.shown, key=len)


def _option(argument: Argument) -> tuple[str, str]:
    label = ", ".join(sorted(argument.shown, key=len))
    if argument.takes_value:
        known = "|".join(argument.choices)
        label += " " + (known or _TYPES.get(argument.kind, "TEXT"))
    return label, argument.help


def _table(rows: list[tuple[str, str]], width: int) -> list[str]:
    import textwrap

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
