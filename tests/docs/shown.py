"""What the pages show that a command says, and how that is compared with what it says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.docs.commands import PAGES, ROOT

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SHELL = {"sh", "console", "bash"}
_TYPED = re.compile(r"(?:\$ )?(?:bin/)?(.*?)(?:\s+# .*)?$")


class Shown(NamedTuple):
    """One command of a page with the lines that the page has below it."""

    page: str
    line: str
    output: tuple[str, ...]
    """Without the indentation of the block."""


class Block(NamedTuple):
    """The text between two fences."""

    kind: str
    lines: tuple[str, ...]
    adjoins: bool
    """Whether only blank lines are between it and the block before it."""


def blocks(path: Path) -> Iterator[Block]:
    """Yield the blocks of a page."""
    text, end = path.read_text(encoding="utf-8"), 0
    for each in _BLOCK.finditer(text):
        lines = tuple(line.removeprefix(each[1]) for line in each[3].splitlines())
        yield Block(each[2], lines, not text[end : each.start()].strip())
        end = each.end()


def typed(line: str) -> str:
    """Return what is typed in a line of a page, without prompt and comment."""
    found = _TYPED.match(line.strip())
    assert found
    return found[1]


def lines(block: Block) -> list[str]:
    """Return the lines of a block that are typed: behind a prompt, if there is one in it."""
    prompts = [each for each in block.lines if each.lstrip().startswith("$ ")]
    plain = [each for each in block.lines if each.strip() and not each.lstrip().startswith("#")]
    return [typed(each) for each in prompts or plain]


def shown() -> list[Shown]:
    """Return every output that a page shows below a command, in order."""
    found = []
    for path in PAGES:
        page, last = str(path.relative_to(ROOT)), ""
        for block in blocks(path):
            if block.kind in _SHELL:
                last = lines(block)[-1]
                if any(each.startswith("$ ") for each in block.lines):
                    parts = re.split(r"^\$ (.*)\n?", "\n".join(block.lines), flags=re.MULTILINE)
                    for line, output in zip(parts[1::2], parts[2::2], strict=True):
                        if output.strip():
                            found.append(
                                Shown(page, typed(line), tuple(output.strip("\n").split("\n")))
                            )
            elif not block.kind and block.adjoins and last:
                found.append(Shown(page, last, block.lines))
            else:
                last = ""
    return found


def others() -> list[tuple[str, str]]:
    """Return page and line of all that is typed and does not begin with `jailoc`."""
    return [
        (str(path.relative_to(ROOT)), line)
        for path in PAGES
        for block in blocks(path)
        if block.kind in _SHELL
        for line in lines(block)
        if not re.match(r"jailoc( |$)", line)
    ]


def shape(line: str, home: str) -> str:
    """Return a line without what differs from run to run: numbers, IDs, times, places, widths."""
    for pattern, word in (
        (r"\x1b\[[0-9;]*[mK]", ""),
        (r" \([0-9.]+ s\)$", ""),  # on a terminal, what is waited for counts its seconds
        (rf"{re.escape(home)}|/home/(alice|me)", "~"),
        (r"[^\s\[(]*config\.toml:\d+:\d+", "config.toml"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "DATE"),
        (r"\b[0-9a-f]{8,}\b|\b[0-9a-f]{4,}…", "ID"),
        (r"\b(\d+[dhms] ?)*\d+(ms|[dhms])\b", "SPAN"),
        (r"\d[\d,.]*", "N"),
        (r"N [KMGT]?i?B", "SIZE"),
        # A machine has IPv6 or not.
        (r", N no route\b", ""),
        (r"jailoc-(agent|overlay):", "IMAGE:"),
    ):
        line = re.sub(pattern, word, line)
    return " ".join(line.split())


def missing(each: Shown, said: str, home: str) -> list[str]:
    """Return the shown lines that were not said, in their order; `...` stands for anything."""
    there = [shape(line, home) for line in said.splitlines()]
    found = []
    for line in each.output:
        if line.strip() in {"", "..."}:
            continue
        wanted = re.escape(shape(line, home)).replace(r"\.\.\.", ".*").replace("…", ".*")
        at = next((place for place, one in enumerate(there) if re.fullmatch(wanted, one)), None)
        if at is None:
            found.append(line)
        else:
            there = there[at + 1 :]
    return found
