"""Every command explains itself: what it does, an example, what each option means."""

import re
from pathlib import Path

import pytest

from jailoc import __version__
from jailoc.bin.cli import command_line
from jailoc.bin.cli import help as manual
from jailoc.model.diagnostic import Refused
from tests.engine.world import User

PAGES = Path(__file__).with_name("pages")


def paths(path: command_line.Path = ()) -> list[command_line.Path]:
    """Return every command, and every one below it."""
    below = [(*path, name) for name in command_line.commands(path)]
    return below + [each for one in below for each in paths(one)]


def joined(path: command_line.Path) -> str:
    return " ".join(path)


@pytest.mark.parametrize("path", paths(), ids=joined)
def test_a_command_shows_an_example_of_itself(path: command_line.Path) -> None:
    text = manual.page(path)
    assert re.search(rf"^Example: (.*\()?jailoc {joined(path[:1])}\b", text, re.MULTILINE), text
    assert text.startswith(f"Usage: jailoc {joined(path)} ")


@pytest.mark.parametrize("path", paths(), ids=joined)
def test_a_command_says_what_each_argument_means(path: command_line.Path) -> None:
    text = manual.page(path)
    for argument in command_line.arguments(path):
        assert argument.help, argument.name
        if argument.is_option:
            assert all(name in text for name in argument.shown)


@pytest.mark.parametrize("path", [(), *paths()], ids=joined)
def test_a_page_is_plain_and_fits(path: command_line.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = manual.page(path)
    assert "\x1b" not in text
    assert "----" not in text
    assert "Parameters" not in text
    assert [line for line in text.splitlines() if len(line) > 80 and not copied(line)] == []


def copied(line: str) -> bool:
    """Tell whether a line is a command, which no break may go through."""
    return line.startswith("Example: ")


@pytest.mark.parametrize("path", [(), *paths()], ids=joined)
def test_prose_fits_a_narrow_terminal_too(
    path: command_line.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    prose = manual.page(path).split("\n\n")[1]
    assert prose.split() == command_line.text(path).split("\n\n")[0].split()
    assert [line for line in prose.splitlines() if len(line) > 50 and not copied(line)] == []


def test_the_root_page_names_every_command_and_what_is_the_same_for_all(user: User) -> None:
    text = user.ok("--help")
    for name in command_line.commands(()):
        assert re.search(rf"^  {name} ", text, re.MULTILINE)
    for words in ("--no-color", "NO_COLOR", "Exit status", "--verbose", "--config", "-w, "):
        assert words in text


def test_each_command_is_in_one_group_of_the_root_page() -> None:
    grouped = [name for _, names in manual.GROUPS for name in names]
    assert sorted(grouped) == sorted(command_line.commands(()))
    text = manual.page(())
    places = [text.index(f"\n{title}:\n") for title, _ in manual.GROUPS]
    assert places == sorted(places)
    # What a first day needs stands before all else.
    assert {"init", "add", "doctor", "up", "status"} <= set(manual.GROUPS[0][1])


def test_help_is_the_same_in_each_of_its_forms(user: User) -> None:
    page = user.ok("up", "--help")
    assert page == user.ok("help", "up") == user.ok("up", "api", "-h", "--verbose")
    assert user.ok("help") == user.ok("-h")


def test_help_for_a_command_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="there is no command `upp`"):
        manual.named(("upp",))


def test_the_version_is_one_line_and_only_of_the_root(user: User) -> None:
    lines = {user.ok("--version"), user.ok("-v"), user.ok("-w", "api", "--version")}
    assert lines == {f"jailoc {__version__}\n"}
    result = user.run("up", "--version")
    assert (result.status, result.stdout) == (1, "")


def test_after_the_end_of_the_options_nothing_asks_for_help(user: User) -> None:
    result = user.run("help", "--", "--help")
    assert result.status == 1
    assert "there is no command `--help`" in result.stderr


def test_asking_for_help_leaves_no_trace(user: User) -> None:
    for arguments in (["--help"], ["--version"], ["help"], ["completion", "fish"], ["--work"]):
        user.run(*arguments)
    assert list(user.home.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--work", "x"], "unknown option `--work`, did you mean `--workspace`?", "jailoc --help"),
        (["up", "--verb"], "unknown option `--verb`, did you mean `--verbose`?", "up --help"),
        (["logs", "--foll"], "unknown option `--foll`, did you mean `--follow`?", "logs --help"),
        (["--foo"], "unknown option `--foo` [", "jailoc --help"),  # `--color` is not near
        (["up", "-x"], "unknown option `-x`", "jailoc up --help"),
        (["golden", "UP"], "there is no command `UP`", "jailoc golden --help"),
        (["golden", "chek"], "no command `chek`, did you mean `check`?", "jailoc golden --help"),
        (
            ["statsu", "api"],
            "there is no command `statsu`, did you mean `status`?",
            "jailoc --help",
        ),
        (["statsu", "--watch"], "no command `statsu`, did you mean `status`?", "jailoc --help"),
        (["-w", "api", "snapsho", "list"], "did you mean `snapshot`?", "jailoc --help"),
        (["snapshot", "lst", "api"], "no command `lst`, did you mean `list`?", "snapshot --help"),
        (["--versoin"], "unknown option `--versoin`, did you mean `--version`?", "jailoc --help"),
        (["up", "--hlep"], "unknown option `--hlep`, did you mean `--help`?", "jailoc up --help"),
        (["one", "two"], "too many arguments, from `two` on", "jailoc --help"),  # near no command
        (["secrets"], "--target is missing", "jailoc secrets --help"),
        (["up", "a", "b", "c"], "from `b` on: at most 1 accepted, 3 received", "up --help"),
        (["logs", "--tail", "x"], "`x` is no value for --tail", "jailoc logs --help"),
        (["logs", "--tail"], "--tail needs a value", "jailoc logs --help"),
        (["completion", "tcsh"], "`tcsh` is no value for SHELL", "completion --help"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_a_hint(
    user: User, arguments: list[str], message: str, hint: str
) -> None:
    result = user.run(*arguments)
    assert (result.status, result.stdout) == (1, "")
    first, *rest = result.stderr.splitlines()
    assert first.startswith("Error: ")
    assert message in first
    assert rest[-1].startswith("  hint: run `")
    assert hint in rest[-1]
    assert len(rest) == 1 + rest[0].startswith("  allowed: ")


@pytest.mark.parametrize("path", [(), *paths()], ids=joined)
def test_a_page_is_the_one_that_was_reviewed(
    path: command_line.Path, monkeypatch: pytest.MonkeyPatch, update_golden: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    place = PAGES / f"{'-'.join(path) or 'jailoc'}.txt"
    if update_golden:
        place.write_text(manual.page(path))
    assert manual.page(path) == place.read_text(), "renew it with --update-golden, and read it"


def test_no_page_is_left_behind() -> None:
    assert {each.stem for each in PAGES.iterdir()} == {"jailoc", *("-".join(p) for p in paths())}


@pytest.mark.parametrize("words", [("up",), ("task",), ("task", "new"), ("logs",)])
def test_a_page_names_the_options_of_every_command_in_one_line(words: tuple[str, ...]) -> None:
    last = manual.named(words).splitlines()[-1]
    assert last.startswith("Also: --workspace --config ")
    assert last.endswith("(`jailoc --help` explains them)")
    assert "--verbose  " in manual.page(())
    assert "--verbose  " not in manual.named(words)
