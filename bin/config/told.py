"""What is told of a repository's hooks and settings: a few, cut short, and how many more there are.

The words are an agent's. Whoever makes a thousand of them hides none: Git's own hooks come first.
And what is cut is there as a digest: these words are compared with earlier ones.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from jailoc.bin.host.entries import children, readable, text
from jailoc.model.git_config import GitSetting, executes, included, typed
from jailoc.model.repository import HOOKS, digest, fold

MOST_TOLD, WIDTH = 4, 100
"""Hooks and settings that are told of one repository, and characters of each."""
MOST_HOOKS = 1_000
"""Entries of a directory of hooks that are looked at."""


def hooks(directory: str, most: int) -> tuple[str, ...]:
    """Return the names of some hooks that Git would execute, of a directory of `most` entries."""
    entries = [each for each in children(directory, most) if not each.name.endswith(".sample")]
    entries.sort(key=lambda each: fold(each.name) not in HOOKS)
    found: list[str] = []
    for entry in entries[:MOST_HOOKS]:
        with suppress(OSError):
            # Where a link leads may be another's to write, or another place for each program.
            if entry.is_symlink() or (entry.stat().st_mode & 0o111 and entry.is_file()):
                found.append(f"hook {readable(entry.name)}")
    return tuple(_some(found, len(entries[MOST_HOOKS:])))


def alternates(file: str) -> tuple[str, ...]:
    """Return some of the directories that a repository takes objects from."""
    lines = [each for each in (text(file) or "").split("\n") if each and each[:1] != "#"]
    return tuple(_some([f"objects of {each}" for each in lines[:MOST_HOOKS]], 0))


def remotes(directory: str) -> tuple[str, ...]:
    """Return some of the places that one of Git's older lists of remotes sends it to."""
    found = []
    for each in children(directory, MOST_HOOKS):
        lines = (text(each.path) or "").splitlines()
        first = next((line for line in lines if line.startswith("URL:")), (*lines, "")[0])
        found.append(f"{readable(each.name)} is {first.removeprefix('URL:').strip()}")
    return tuple(_some(found, 0))


def settings(found: Iterable[GitSetting]) -> tuple[str, ...]:
    """Return some settings that execute something, or include more, what Git runs first."""
    every = sorted((each for each in found if executes(each) or included(each)), key=typed)
    return tuple(_some([f"{each.key} = {each.value}" for each in every], 0))


def _some(lines: list[str], unseen: int) -> Iterator[str]:
    """Yield the first lines, and one about the rest and about what was not looked at."""
    if len(lines) + unseen <= MOST_TOLD:
        yield from map(_cut, lines)
        return
    told, rest = lines[: MOST_TOLD - 1], lines[MOST_TOLD - 1 :]
    yield from map(_cut, told)
    yield f"and {'up to ' if unseen else ''}{len(rest) + unseen} more ({digest(rest)})"


def _cut(line: str) -> str:
    return line if len(line) <= 2 * WIDTH else f"{line[: 2 * WIDTH]}... ({digest([line])})"
