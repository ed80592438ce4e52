"""Make a directory what it was in a snapshot, leaving alone what no snapshot could take."""

from collections.abc import Collection, Iterable

from jailoc.bin.deploy.restic import READ, WRITE, Restic
from jailoc.bin.engine.tools import ToolMount
from jailoc.generators.runtime.snapshots import (
    Lines,
    as_told,
    escaped,
    line,
    literal,
    message,
    passed_over,
)
from jailoc.model.path import upwards, within
from jailoc.model.snapshots import StoredSnapshot

MOST_LEFT_OUT = 1 << 20
"""Bytes of the names of what an undo has to leave alone, beside `exclude`."""
_KEPT = "/tmp/kept"  # noqa: S108 -- in the container
_FIND = r"""
find "$1" -regextype posix-extended -regex '.{4096,}' -prune -o %s \
    -type f -size +"$2"c -printf 'L%%p\0' \
    -o -type f ! -readable -printf 'U%%p\0' \
    -o -type d \( ! -readable -o ! -executable \) -printf 'U%%p\0' 2>/dev/null
"""
# A link on the way to the place would lead elsewhere. restic needs to write in each directory; the
# modes are those of the snapshot in the end. A pipe in the place of a file would keep it waiting.
# By a path of PATH_MAX or more (limits.h) it removes nothing, and no snapshot holds one. Of a
# directory that stays for a file in it, nothing but that file and the way to it stays. The names
# are an agent's: restic gets them as patterns that mean them alone, the shell as what they are.
_RESTORE = r"""
kept=$1 target=$2 kind=$3 size=$4 patterns=$5 places=$6; shift 6
head -c "$patterns" >"$kept" && head -c "$places" >"$kept.places" && cat >"$kept.turned" || exit 1
if [ "$(realpath -m -- "${target%%/*}")" != "${target%%/*}" ]; then
    echo "a symbolic link is on the way to it" >&2
    exit 1
fi
if [ ! -L "$target" ] && [ -d "$target" ]; then
    # First of all: patterns (fnmatch(3)) and arguments (execve(2)) have bounds, too.
    find "$target" -regextype posix-extended %(over)s \
        -regex '.{4096,}' \( ! -type d -o -execdir chmod -R u+rwx -- {} \; -o -true \) \
            -prune -execdir rm -rf -- {} \; 2>/dev/null
    IFS=
    while read -r line; do
        place=$(printf '%%bx' "$line")
        place=${target%%/*}${place%%x}
        [ ! -L "$place" ] && [ -d "$place" ] || continue
        find "$place" %(over)s -type d \( ! -readable -o ! -executable \) -prune \
            -o -type d ! -writable -exec chmod u+w {} \; \
            -o ! -type d ! \( -type f \( -size +"$size"c -o ! -readable \) \) \
                -exec rm -f -- {} + || exit 1
        find "$place" %(over)s -type d \( ! -readable -o ! -executable \) -prune \
            -o -type d -print0 | sort -rz |
            xargs -0r rmdir --ignore-fail-on-non-empty -- || exit 1
    done <"$kept.places"
    # restic puts a file in the place of a directory with something in it, and nothing else.
    while read -r line; do
        place=$(printf '%%bx' "$line")
        place=${place%%x}
        [ ! -L "$place" ] && [ -d "$place" ] || continue
        chmod -R u+rwx -- "$place" 2>/dev/null
        rm -rf -- "$place" || exit 1
    done <"$kept.turned"
    find "$target" -regextype posix-extended %(over)s \
        -regex '.{4096,}' \( ! -type d -o -execdir chmod -R u+rwx -- {} \; -o -true \) \
            -prune -execdir rm -rf -- {} \; \
        -o -type d \( ! -readable -o ! -writable -o ! -executable \) -exec chmod u+rwx {} \; \
        -o \( -type p -o -type s -o -type b -o -type c \) -exec rm -f {} \; 2>/dev/null
    [ "$kind" = dir ] || rm -rf -- "$target" || exit 1
elif [ ! -f "$target" ] || [ -L "$target" ] || [ "$kind" != file ]; then
    rm -f -- "$target" || exit 1
fi
[ "$kind" != none ] || exit 0
exec "$@"
"""


def turned(restic: Restic, to: StoredSnapshot, before: str) -> tuple[str, ...]:
    """Return the places that are directories now and were none in a snapshot.

    Args:
        restic: The store.
        to: The snapshot.
        before: The id of the one of what is there now.

    Raises:
        DockerError: the engine failed, or it took too long.
    """
    found: list[str] = []

    def look(row: bytes) -> None:
        told = message(row)
        path = str(told.get("path", ""))
        # A sign that stands for bytes that are no text names no place.
        if "T" in str(told.get("modifier", "")) and path.endswith("/") and "\ufffd" not in path:
            found.append(path.rstrip("/"))

    words = ["diff", "--json", "--no-lock", to.id, before]
    restic.run(words, what="comparing snapshots", take=look, changes=False)
    return tuple(found)


def restore(
    restic: Restic, to: StoredSnapshot, root: str, target: str, directories: Collection[str] = ()
) -> tuple[str, ...]:
    """Make a directory what it was; what was left out then, or is now, is left alone.

    It may be interrupted at any moment, and done again.

    Args:
        restic: The store.
        to: The snapshot.
        root: A workspace path, which is there.
        target: The same, or a place below it.
        directories: Places that `turned` has found.

    Returns:
        What is in the way of something that the snapshot has, and stays: too large, or closed.

    Raises:
        DockerError: the engine failed, or it took too long.
        Refused: something could not be restored.
    """
    kind = "dir" if target == root else _kind(restic, to, target)
    folder, _, name = target.rpartition("/")
    left_out = _left_out(restic, to, root)
    kept, in_the_way = _kept(restic, to, root, target) if kind == "dir" else ((), ())
    patterns, places = _bytes(map(line, kept)), _bytes(map(escaped, kept))
    stays = {folder + each for each in kept}
    gone = [each for each in directories
            if within(each, target) and stays.isdisjoint(upwards(each))]  # fmt: skip
    # Told from the directory above: of one that is to be empty, restic deletes nothing from inside.
    options = (
        [*(f"--exclude={each}" for each in ("/*", f"!/{literal(name)}", *left_out)),
         f"--exclude-file={_KEPT}", "--delete"]
        if kind == "dir"
        else [f"--include=/{literal(name)}"]
    )  # fmt: skip
    reply = restic.run(
        ["restore", "--json", "--no-lock", "--sparse", "--exclude-xattr=security.*",
         "--exclude-xattr=trusted.*", *options, f"--target={folder or '/'}",
         f"{to.id}:{folder or '/'}"],
        ToolMount(root, root, writable=True),
        what=f"restoring {target}", script=_RESTORE % {"over": passed_over(left_out)},
        arguments=(_KEPT, target, kind, str(restic.workspace.snapshots.larger_than),
                   str(len(patterns)), str(len(places))),
        stdin=patterns + places + _bytes(map(escaped, gone)),
        take=lambda _: None, changes=False, capabilities=WRITE,
    )  # fmt: skip
    if reply.status:
        raise restic.unfinished(reply)
    return in_the_way


def _kind(restic: Restic, to: StoredSnapshot, target: str) -> str:
    """Return what a snapshot has at a place: `dir`, `file` for anything else, or `none`."""
    found = ["none"]

    def look(row: bytes) -> None:
        told = message(row)
        if told.get("path") == target:
            found[0] = "dir" if told.get("type") == "dir" else "file"

    words = ["ls", "--json", "--no-lock", to.id, target]
    reply = restic.run(words, what="reading a snapshot", take=look, changes=False)
    if reply.status:
        raise restic.failed(reply)
    return found[0]


def _left_out(restic: Restic, to: StoredSnapshot, root: str) -> tuple[str, ...]:
    """Return the names that were left out then, and those that are now."""
    prefix = f"{literal(root)}/**/"
    then = {each.removeprefix(prefix) for each in to.excludes if each.startswith(prefix)}
    return tuple(sorted(then | {*restic.workspace.snapshots.exclude}))


def _bytes(lines: Iterable[str]) -> bytes:
    return "".join(f"{each}\n" for each in lines).encode(errors="surrogateescape")


def _kept(
    restic: Restic, to: StoredSnapshot, root: str, target: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what no snapshot could take, so that restic does not remove it.

    Each is seen from the directory that the target is in. Files that are too large stay as they
    are. What cannot be read stays if the snapshot has nothing in its place.

    Returns:
        Those, then whole the paths of those in whose place, or on the way to it, the snapshot has
        something else.
    """
    large, closed = set[str](), set[str]()

    def found(entry: bytes) -> None:
        kind, path = entry[:1], entry[1:].decode("utf-8", "surrogateescape")
        if path != target:
            (large if kind == b"L" else closed).add(path)

    restic.tool(
        ("/bin/sh", "-c", _FIND % passed_over(_left_out(restic, to, root)), "jailoc", target,
         str(restic.workspace.snapshots.larger_than)),
        ToolMount(root, root), what="looking for what snapshots leave out",
        take=Lines(found, b"\0").feed, limit=MOST_LEFT_OUT, capabilities=READ,
    )  # fmt: skip
    if not large | closed:
        return (), ()
    asked = {
        as_told(place)
        for each in large | closed
        for place in upwards(each)
        if within(place, target)
    }
    held, folders = set[str](), set[str]()

    def known(row: bytes) -> None:
        told = message(row)
        path = str(told.get("path", ""))
        if path in asked:
            held.add(path)
            if told.get("type") == "dir":
                folders.add(path)

    reply = restic.run(["ls", "--json", "--no-lock", to.id], what="reading a snapshot",
                       take=known, changes=False)  # fmt: skip
    if reply.status:
        raise restic.failed(reply)
    start = len(target.rpartition("/")[0])
    every = {*large, *(each for each in closed if as_told(each) not in held)}
    stays = {_outermost_new(each, target, folders) for each in every}
    in_the_way = (
        each for each in every
        if as_told(each) in held
        or any(as_told(above) in held - folders for above in upwards(each) if above != each)
    )  # fmt: skip
    return tuple(each[start:] for each in sorted(stays)), tuple(sorted(in_the_way))


def _outermost_new(path: str, top: str, folders: Collection[str]) -> str:
    """Return a path, or the outermost directory on the way to it that the snapshot does not have.

    One that it does not have goes as a whole, or stays as a whole.
    """
    way = [each for each in upwards(path) if within(each, top) and each != top]
    return next((each for each in reversed(way) if as_told(each) not in folders), path)
