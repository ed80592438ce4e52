"""Which of the images that this user's jailoc has built nothing uses any more.

A start that failed, or one whose images have other tags since, leaves some that no workspace names.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress

from jailoc.bin.config import facts
from jailoc.bin.deploy import observe, provenance
from jailoc.bin.engine import disk
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.image import TOOLS_ARE, is_tools
from jailoc.model.palette import Meaning
from jailoc.model.quantity import size_text
from jailoc.model.sandbox import project
from jailoc.model.text import number_of

MOST_TOLD = 4
"""Images that are named one by one."""


def unused(going: Collection[str]) -> dict[str, int | None]:
    """Return those that are there and that nothing uses, with their bytes.

    Args:
        going: Workspaces that do not count: they are about to be destroyed.

    Raises:
        DockerError: the engine did not answer.
    """
    mine = provenance.known().keys()
    there = disk.images() if mine else {}
    if not mine & there.keys():
        return {}
    gone = {project(each) for each in going}
    used = {image for image, projects in disk.in_use().items() if projects - gone}
    for name in observe.recorded():
        if name not in going and (applied := observe.last(name)) is not None:
            used |= {*applied.former, *(each.tag for each in applied.builds)}
    return {each: there[each] for each in sorted(mine & there.keys() - used)}


def remove(terminal: Terminal, tags: Collection[str]) -> None:
    """Remove images, and what is written down of them; what the engine keeps is told."""
    gone: set[str] = set()
    for each in tags:
        with step(terminal, f"removing image {each}"):
            problem = disk.remove_image(each)
        if problem is None:
            gone.add(each)
        else:
            terminal.say(f"{each} stays: {problem}", Meaning.WARNS)
    provenance.forget(gone)


def tell_unused(terminal: Terminal, *, tools: bool) -> None:
    """Name images that no workspace uses, some of many, with what removes them and nothing else.

    Args:
        terminal: Where it is told.
        tools: Whether the tools image counts: no workspace names it, and each may need it.

    Raises:
        DockerError: the engine did not answer.
    """
    found = unused(())
    mine = [each for each in found if is_tools(each)]
    if tools and mine:
        terminal.say(f"stays: image {_sizes(found, mine)}, {TOOLS_ARE}; {_removes(mine)}, and it "
                     "is built again when it is needed")  # fmt: skip
    if rest := [each for each in found if each not in mine]:
        terminal.say(f"stays: {number_of(len(rest), 'image')} of earlier builds, which nothing "
                     f"uses: {_sizes(found, rest)}; {_removes(rest)}")  # fmt: skip


def _sizes(found: dict[str, int | None], names: Sequence[str]) -> str:
    told = [each if (size := found[each]) is None else f"{each} ({size_text(size)})"
            for each in names[:MOST_TOLD]]  # fmt: skip
    more = len(names) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def _removes(names: Sequence[str]) -> str:
    which = "it" if len(names) == 1 else "them" if len(names) <= MOST_TOLD else "those named"
    return f"`docker image rm {' '.join(names[:MOST_TOLD])}` removes {which}"


def tell_rest(terminal: Terminal) -> None:
    """Say what of the builds stays on the engine, because it is not jailoc's alone, and its end."""
    with suppress(DockerError):
        there = disk.images()
        for each in sorted(_bases() & there.keys()):
            terminal.say(f"stays: image {each}, on which others may be built, too; "
                         f"`docker image rm {each}` removes it")  # fmt: skip
        if (size := disk.build_cache()) != "":
            told = "not measured" if size is None else size
            terminal.say(f"stays: the engine's build cache of all builds ({told}); "
                         "`docker builder prune` removes what no image uses")  # fmt: skip


def _bases() -> set[str]:
    """Return the images of others that images were built on, by their names."""
    found: set[str] = set()
    for each in facts.recorded("").parent.glob("*"):
        with suppress(OSError, UnicodeDecodeError):
            found.add(each.read_text(encoding="utf-8").partition(" ")[0])
    return found
