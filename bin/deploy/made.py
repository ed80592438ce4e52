"""What starts make in repositories to be mounted over: kept, and taken away with a sandbox."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from jailoc.bin.config import facts
from jailoc.bin.deploy import observe
from jailoc.bin.host import files, placeholders
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.palette import Meaning
from jailoc.model.path import within
from jailoc.model.repository import Made, Placeholder, moved
from jailoc.model.sandbox import typed
from jailoc.model.text import number_of

_NAME = "made.json"
_LIST = TypeAdapter(tuple[Made, ...])


def place(name: str) -> Path:
    """Return where it is written down what was made for a workspace."""
    return facts.state_directory() / name / _NAME


def known(name: str) -> tuple[Made, ...]:
    """Return what was made for a workspace and has not been taken away."""
    try:
        return _LIST.validate_json(place(name).read_bytes())
    except (OSError, ValidationError):
        return ()


def make(name: str, placeholder: Placeholder) -> bool:
    """Make a placeholder for a workspace, unless something is there; tell whether it was made.

    It is written down before and after: whoever is killed in between leaves nothing that the next
    removal does not find.

    Raises:
        OSError: a directory on the way is missing or a link, or may not be written.
    """
    if not placeholders.missing((placeholder,)):
        return False
    begun = Made(placeholder=placeholder, device=0, inode=0)
    if begun in known(name):
        placeholders.clear(placeholder)
    keep(name, (begun,))
    new: Made | None = None
    try:
        new = placeholders.make(placeholder)
    finally:
        if new is None:
            _write(name, (each for each in known(name) if each != begun))
    if new is not None:
        keep(name, (new,))
    return new is not None


def keep(name: str, made: Iterable[Made]) -> None:
    """Write down more of what was made for a workspace."""
    every = {each.placeholder.place: each for each in (*known(name), *made)}
    _write(name, every.values())


def below(roots: Iterable[str]) -> tuple[str, ...]:
    """Return what starts of any workspace have made below some directories, and is as it was.

    Each is spelt by way of the directory that it lies in.
    """
    real = {root: os.path.realpath(root) for root in roots}
    found: list[str] = []
    for note in sorted(facts.state_directory().glob(f"*/{_NAME}")):
        for each in known(note.parent.name):
            parent, _, name = each.placeholder.place.rpartition("/")
            at = f"{os.path.realpath(parent)}/{name}"
            found += (moved(at, place, root) for root, place in real.items()
                      if within(at, place) and placeholders.untouched(each))  # fmt: skip
    return tuple(dict.fromkeys(found))


def take_away(terminal: Terminal, name: str, stays: Collection[Made] = ()) -> None:
    """Remove what was made for a workspace that does not run, and is as it was made.

    What other workspaces mount, too, is theirs from now on: a mount goes with what is below it.

    Args:
        terminal: Where it is told.
        name: The workspace.
        stays: What it runs with all the same: that is neither removed nor forgotten.
    """
    gone = 0
    found = tuple(each for each in known(name) if each not in stays)
    theirs = {
        other: {mount.source.text for mount in mounts}
        for other, mounts in (observe.mounted() if found else {}).items()
        if other != name
    }
    for each in found:
        at = each.placeholder.place
        heir = next(
            (
                other
                for other, mounts in theirs.items()
                if any(_is(at, one, each) for one in mounts)
            ),
            None,
        )
        if heir is not None:
            keep(heir, (each,))
        else:
            gone += placeholders.take_away(each)
    if found and stays:
        _write(name, stays)
    elif found:
        place(name).unlink(missing_ok=True)
    if gone:
        what = number_of(gone, "empty name")
        terminal.say(
            f"{typed(name)}: removed {what} that a start had put into repositories "
            "(`.git/commondir` and the like)",
            Meaning.DONE,
        )


def _is(at: str, source: str, one: Made) -> bool:
    """Tell whether what is mounted is what was made, by whichever way somebody has named it."""
    if source == at:
        return True
    if source.rpartition("/")[2] != at.rpartition("/")[2]:
        return False
    try:
        found = os.lstat(source)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (one.device, one.inode)


def _write(name: str, made: Iterable[Made]) -> None:
    files.make_private(place(name).parent)
    files.write(place(name), _LIST.dump_json(tuple(made)).decode() + "\n", 0o600)
