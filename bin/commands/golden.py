"""`golden`: compare the generated files that a team reviews with the configuration, or renew."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from jailoc.bin.config import portable
from jailoc.bin.config.session import Session
from jailoc.bin.host import atomic, folders, regular
from jailoc.bin.host.room import Room
from jailoc.bin.terminal.exit_status import DIFFERENT
from jailoc.bin.terminal.terminal import Terminal, visible
from jailoc.generators.artefacts.portable import HOME, Compiled, bare
from jailoc.generators.plan.golden_diff import compare, read, unified
from jailoc.generators.powers.entries import place
from jailoc.generators.powers.review import Review, review
from jailoc.generators.views.golden import files_line, pull_request
from jailoc.generators.views.review import screen
from jailoc.generators.views.review_data import data
from jailoc.model.bundle import File
from jailoc.model.diagnostic import refuse
from jailoc.model.golden import BUNDLE_FILE, Difference, FileState, State
from jailoc.model.palette import Meaning
from jailoc.model.power import PowerChange
from jailoc.model.text import number_of

MOST_MODELS = 16 << 20
"""Bytes of a `bundle.json` that is read; a larger one is none."""
MOST_BESIDE, TIMES = 64 << 20, 8
"""Bytes that are read beside what is wanted, and how many times that."""
OBEYED = (
    "compose.yaml", "compose.yml", ".env", "compose.override.yml", "compose.override.yaml",
    "docker-compose.override.yml", "docker-compose.override.yaml",
)  # fmt: skip
"""What `docker compose` obeys beside a `docker-compose.yml`, or in its place."""
SHOWN = 20
"""Values that are shown on a terminal; JSON has all of them."""


class Style(StrEnum):
    """How differences are told."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def style(*, json: bool, markdown: bool) -> Style:
    """Return how the flags of a command want it.

    Raises:
        Refused: both are given.
    """
    if json and markdown:
        raise refuse("usage", "--json and --markdown are two forms of one output", allowed="one")
    return Style.JSON if json else Style.MARKDOWN if markdown else Style.TEXT


def check(
    session: Session,
    directory: str,
    how: Style,
    diff: bool,
    files: bool = False,
) -> int:
    """Compare a directory with what the configuration becomes; nothing is written.

    Args:
        session: Whose configuration it is.
        directory: What is committed.
        how: The form.
        diff: Whether the texts are shown.
        files: Whether files and values are named.

    Returns:
        0 if it is the same, 2 if it is not.
    """
    root = Path(directory)
    folders.refuse_file(root, "`golden check`")
    if not root.is_dir():
        raise refuse(
            "golden",
            f"there is no directory `{directory}`",
            hint=f"write it first: jailoc golden update {directory}",
        )
    terminal, workspace = session.terminal, session.workspace
    origin = _read(session)
    made = tuple(origin.compiled(_wanted(workspace)))
    room = _room(root, made)
    found = _differences(root, made, workspace, room)
    reviewed = _review(root, made, found, origin, room)
    beside = [str(root / each.name / name) for each in found for name in OBEYED
              if os.path.lexists(root / each.name / name)]  # fmt: skip
    same = all(each.state is State.SAME for each in found)
    match how:
        case Style.JSON:
            terminal.data(
                {
                    "directory": directory,
                    "same": same,
                    "review": data(reviewed, directory, origin.path, _first(found)),
                    "workspaces": [_data(each, diff) for each in found],
                }
            )
        case Style.MARKDOWN:
            terminal.result(pull_request(found, reviewed, diff, beside))
        case Style.TEXT:
            _show(terminal, found, reviewed, files=files, diff=diff)
    for each in beside:
        terminal.say(
            f"`{visible(each)}` is not generated and not reviewed, and `docker compose` in that "
            "folder obeys it",
            Meaning.WARNS,
        )
    if same:
        terminal.say(f"{directory} is what {origin.path} becomes", Meaning.DONE)
        return 0
    terminal.say(f"{directory} is not what {origin.path} becomes", Meaning.FAILS)
    terminal.say(f"after a review: {_command(directory, session.config)}", Meaning.WARNS)
    return DIFFERENT


def update(session: Session, directory: str, force: bool) -> int:
    """Make a directory what the configuration becomes.

    Everything is compiled and lies on the same disk before the first file is replaced, each in one
    step; `bundle.json` comes last, so an interrupted update is one that `check` still sees.
    """
    if os.environ.get("CI") and not force:
        raise refuse(
            "golden",
            "CI is set: where nobody reviews the difference, accepting it proves nothing",
            hint="run it on a desk and commit the result; --force does it here",
        )
    root = Path(directory)
    folders.refuse_file(root, "`golden update`")
    done = "renewed" if root.is_dir() else "written"
    terminal, workspace = session.terminal, session.workspace
    origin = _read(session)
    made = tuple(origin.compiled(_wanted(workspace)))
    room = _room(root, made)
    found = _differences(root, made, workspace, room)
    _show(terminal, found, _review(root, made, found, origin, room), files=False, diff=False)
    _replace(root, {each.bundle.workspace: each.files for each in made}, found)
    changed = sum(each.state is not State.SAME for each in found)
    terminal.say(
        f"{directory}: {changed} of {number_of(len(found), 'workspace')} {done}"
        if changed
        else f"{directory} is what {origin.path} becomes already",
        Meaning.DONE,
    )
    return 0


def _read(session: Session) -> portable.Shared:
    origin = portable.read(session)
    if origin.starter:
        raise refuse(
            "golden",
            f"there is no configuration at {origin.path}",
            hint="name it: --config FILE",
        )
    session.terminal.diagnose(origin.warnings)
    return origin


def _wanted(workspace: str | None) -> tuple[str, ...]:
    return (workspace,) if workspace else ()


def _command(directory: str, config: str | None) -> str:
    return f"jailoc golden update {directory}" + (f" --config {config}" if config else "")


def _room(root: Path, made: tuple[Compiled, ...]) -> Room:
    """Return how much may be read: what is wanted some times over, and what was once."""
    wanted = sum(len(file.text) for each in made for file in each.files)
    return Room(root, MOST_BESIDE + TIMES * wanted)


def _differences(
    root: Path, made: tuple[Compiled, ...], workspace: str | None, room: Room
) -> tuple[Difference, ...]:
    """Compare every workspace that is wanted, or stands there and is not wanted any more."""
    wanted = {each.bundle.workspace: each for each in made}
    there = () if workspace else _ours(root, room)
    found = []
    for name in sorted({*wanted, *there}):
        compiled = wanted.get(name)
        files = compiled.files if compiled else ()
        folder = _folder(root / name, files, room)
        found.append(compare(name, folder, files, compiled.snapshot if compiled else None))
    return tuple(found)


def _review(
    root: Path,
    made: tuple[Compiled, ...],
    found: tuple[Difference, ...],
    origin: portable.Shared,
    room: Room,
) -> Review:
    """Compare what all of the workspaces may do."""

    def stands(name: str, change: PowerChange) -> str | None:
        return place(None, origin.document, name, change)

    before = {}
    for each in found:
        snapshot = read(_text(root / each.name, BUNDLE_FILE, room))
        if snapshot is not None:
            before[each.name] = snapshot.sides
    after = {each.bundle.workspace: each.snapshot.sides for each in made}
    return review(before, after, bare(), HOME, stands)


def _first(found: tuple[Difference, ...]) -> list[str]:
    return [each.first for each in found if each.first]


def _ours(root: Path, room: Room) -> tuple[str, ...]:
    """Return the folders that hold a workspace: those whose models can be read."""
    if not root.is_dir():
        return ()
    return tuple(
        each.name
        for each in root.iterdir()
        if (snapshot := read(_text(each, BUNDLE_FILE, room))) and snapshot.workspace == each.name
    )


def _folder(folder: Path, wanted: tuple[File, ...], room: Room) -> dict[str, str]:
    """Return the texts of a workspace's folder: what is wanted, and what was once generated."""
    old = read(_text(folder, BUNDLE_FILE, room))
    paths = {each.path for each in wanted} | {each.path for each in (old.files if old else ())}
    sizes = {each.path: 2 * len(each.text.encode()) for each in wanted}
    texts = {path: _text(folder, path, room, sizes.get(path, 0)) for path in (*paths, BUNDLE_FILE)}
    return {path: text for path, text in texts.items() if text is not None}


def _text(folder: Path, path: str, room: Room, size: int = 0) -> str | None:
    """Read a file; a symbolic link on the way could lead anywhere, so nothing is there.

    Of one that is too large to be a generated one, only that is told.

    Args:
        folder: A workspace's.
        path: The file in it.
        room: How much may be read of all together.
        size: Bytes that it may have in any case.
    """
    place = folder / path
    if _link(folder, path) or not place.is_file():
        return None
    limit = max(MOST_MODELS if path == BUNDLE_FILE else regular.LIMIT, size)
    try:
        return room.read(place, limit).decode(errors="surrogateescape")
    except regular.NotRegular as error:
        return f"({path} {error})\n"


def _link(folder: Path, path: str) -> Path | None:
    """Return the first symbolic link on the way from the folder to a file in it."""
    places = [folder, *(folder / each for each in reversed(Path(path).parents)), folder / path]
    return next((each for each in places if each.is_symlink()), None)


def _data(difference: Difference, diff: bool) -> dict[str, Any]:
    return {
        "name": difference.name,
        "state": difference.state.value,
        "powers": [each.data for each in difference.powers],
        "changes": [each.model_dump(mode="json") for each in difference.changes],
        "files": [
            {"path": each.path, "state": each.state.value}
            | ({"diff": unified(difference.name, each)} if diff else {})
            for each in difference.files
        ],
    }


def _show(
    terminal: Terminal, found: tuple[Difference, ...], told: Review, *, files: bool, diff: bool
) -> None:
    """Show the first screen; nothing where all is as committed."""
    if all(each.state is State.SAME for each in found):
        return
    folded = files_line(found)
    for text, meaning in screen(told, [folded] if folded and not files else [], _first(found)):
        terminal.colored(text, meaning)
    for each in found:
        if each.state is not State.SAME and (files or diff):
            _details(terminal, each, diff)


def _details(terminal: Terminal, each: Difference, diff: bool) -> None:
    terminal.heading(f"{each.name}: {each.state}")
    for change in each.changes[:SHOWN]:
        terminal.result("  " + terminal.paint(visible(change.text), Meaning.MUTED, sys.stdout))
    if len(each.changes) > SHOWN:
        terminal.result(
            f"  and {number_of(len(each.changes) - SHOWN, 'more value')} (--json has them)"
        )
    if len(each.listed) < len(each.files):
        terminal.result(f"  {number_of(len(each.files), 'file')}")
    for file in each.files:
        if file in each.listed:
            terminal.result(f"  {file.state}: {visible(file.path)}")
        if diff and file.path != BUNDLE_FILE:
            terminal.result(
                "".join(f"{visible(line)}\n" for line in unified(each.name, file).split("\n"))
            )


def _replace(
    root: Path, wanted: dict[str, tuple[File, ...]], found: tuple[Difference, ...]
) -> None:
    """Write what differs, and remove what was generated once and is not any more.

    Others may write there: each folder is opened from the one above, and no path is followed twice.

    Raises:
        Refused: a symbolic link leads out of the directory; nothing was written.
        OSError: the disk is full, or may not be written; nothing was replaced.
    """
    if root.is_symlink():
        raise refuse("golden", f"`{root}` is a symbolic link", hint="name where it leads to")
    top = folders.settled(root)
    differing = [(each.name, file) for each in found for file in each.files]
    for name, file in differing:
        # The last part itself would only be replaced.
        link = _link(root / name, str(Path(file.path).parent))
        if link:
            raise refuse("golden", f"`{link}` is a symbolic link", hint="remove it")
    texts = {(name, file.path): file for name, files in wanted.items() for file in files}
    with ExitStack() as stack:
        here = folders.walked(top, makes=True)
        stack.callback(os.close, here)
        stage, number = stack.enter_context(_stage(here)), 0
        ready: list[tuple[str, Path]] = []
        for name, file in differing:
            if file.state is not FileState.STALE:
                wanted_file, number = texts[name, file.path], number + 1
                data = wanted_file.text.encode()
                atomic.write_in(stage, str(number), data, wanted_file.mode)
                ready.append((str(number), Path(name, file.path)))
        for new, place in sorted(ready, key=lambda each: each[1].name == BUNDLE_FILE):
            with folders.opened(top, place.parent, shared=True, at=here) as folder:
                os.rename(new, place.name, src_dir_fd=stage, dst_dir_fd=folder)
        stale = [Path(name, file.path) for name, file in differing
                 if file.state is FileState.STALE]  # fmt: skip
        for place in sorted(stale, key=lambda each: each.name == BUNDLE_FILE):
            _remove(top, here, place)


@contextmanager
def _stage(folder: int) -> Iterator[int]:
    """Make a directory for what is not in its place yet, on the same disk; it goes in the end."""
    name = f".jailoc-{secrets.token_hex(8)}"
    os.mkdir(name, 0o700, dir_fd=folder)
    stage = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC,
                    dir_fd=folder)  # fmt: skip
    try:
        yield stage
    finally:
        with os.scandir(stage) as left:
            names = [each.name for each in left]
        with suppress(OSError):  # somebody else has put something there, or taken it away
            for each in names:
                os.unlink(each, dir_fd=stage)
            os.rmdir(name, dir_fd=folder)
        os.close(stage)


def _remove(top: Path, here: int, place: Path) -> None:
    """Remove a file, and the folders that it leaves empty."""
    with folders.opened(top, place.parent, shared=True, at=here, makes=False) as folder:
        os.unlink(place.name, dir_fd=folder)
    for each in list(place.parents)[:-1]:
        with folders.opened(top, each.parent, shared=True, at=here, makes=False) as folder:
            try:
                os.rmdir(each.name, dir_fd=folder)
            except OSError:  # there is something in it
                return
