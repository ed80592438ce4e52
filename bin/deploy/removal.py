"""Look at what there is of a workspace that is to be removed, and remove it.

What says that something is left goes last: a run that is killed is finished by the next one.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from jailoc.bin.config import facts, task_records
from jailoc.bin.deploy import existence, halt, made, observe, password, restic
from jailoc.bin.engine import containers, disk, network, tools
from jailoc.bin.host import files, records
from jailoc.bin.terminal.step import step
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.image_recipes import RECIPES, previous
from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.removal import LEFT, plan_removal
from jailoc.model.deployed import Applied, Belongings, Deployed
from jailoc.model.diagnostic import refuse
from jailoc.model.image import BUILT
from jailoc.model.palette import Meaning
from jailoc.model.path import tilde
from jailoc.model.plan import Extent, Plan, RemoveProject
from jailoc.model.sandbox import project, task_of, typed
from jailoc.model.text import number_of


class Leftover:
    """A workspace that is to be removed, whether the configuration has it or not."""

    def __init__(
        self,
        terminal: Terminal,
        name: str,
        extent: Extent = Extent.PROJECT,
        *,
        tags: Iterable[str] = (),
        after: Iterable[str] = (),
    ) -> None:
        """Prepare to remove it.

        Args:
            terminal: Where progress is shown.
            name: The workspace.
            extent: How much of it goes.
            tags: Images that the configuration would have built for it now.
            after: Workspaces that are removed before it.
        """
        self._terminal, self._name, self._extent = terminal, name, extent
        self._tags, self._before = frozenset(tags), frozenset(after)

    def _has(self, found: Deployed) -> Belongings:
        """Gather what it has beside what was found, as far as it goes."""
        record = records.known(self._name)
        if self._extent is Extent.PROJECT:
            return Belongings(record=record)
        self._refuse_tasks()
        home, ask = facts.home(), found.engine
        return Belongings(
            volumes=self._volumes(found) if self._extent is Extent.ALL and ask else {},
            images=self._images(found.applied) if ask else {},
            password=password.kept(facts.state_directory(), self._name),
            places=tuple(
                tilde(str(each), home) + _count(self._name, each)
                for each in places(self._name, self._extent)
            ),
            record=record,
        )

    def planned(self, given: Given, why: str = LEFT, *, ask: bool = True) -> Plan:
        """Say what goes.

        Args:
            given: What a plan needs besides.
            why: The cause, in words.
            ask: Whether to ask the engine.

        Raises:
            DockerError: the engine did not answer.
        """
        found = observe.observe(self._name, None, ask=ask)
        return plan_removal(found, given, self._extent, self._has(found), why)

    def carry_out(self, given: Given, agreed: Callable[[Plan], None]) -> Plan | None:
        """Remove it; return what was removed, None if there was nothing.

        Args:
            given: What a plan needs besides.
            agreed: Raises if a plan is not what somebody has agreed to.

        Raises:
            DockerError: the engine did not answer, or could not remove something.
        """
        lock = facts.cache_directory() / f"{self._name}.lock"
        with (
            files.locked(lock, discard=True),
            files.locked(halt.lock(self._name), discard=True),
        ):
            made = self.planned(given)
            agreed(made)
            for each in made.steps:
                if isinstance(each, RemoveProject):
                    remove(self._terminal, self._name, each)
        return None if made.empty else made

    def _volumes(self, found: Deployed) -> dict[str, int | None]:
        if not found.volumes:
            return {}
        sizes, prefix = disk.volume_sizes(), f"{project(self._name)}_"
        return {each: sizes.get(prefix + each) for each in found.volumes}

    def _refuse_tasks(self) -> None:
        """Refuse to leave tasks without their workspace.

        Raises:
            Refused: it has some.
        """
        left = [each for each in task_records.of(self._name) if each.sandbox not in self._before]
        if left:
            names = " ".join(typed(each.sandbox) for each in left)
            raise refuse(
                "task-exists",
                f"workspace `{self._name}` has {number_of(len(left), 'task')}: "
                f"{', '.join(each.name for each in left)}",
                hint=f"all that they hold goes with `jailoc destroy {names} {self._name}`",
            )

    def _images(self, applied: Applied | None) -> dict[str, int | None]:
        """Return the images that were built for it and that nothing else uses."""
        there = disk.images()
        if task_of(self._name):
            return {}  # they are its workspace's
        mine = {*_built(self._name, applied), *self._tags} & there.keys()
        if not mine:
            return {}
        going = {project(each) for each in (self._name, *self._before)}
        used = {image for image, projects in disk.in_use().items() if projects - going}
        # `in_use` tells of those of other users, too; what is written down, of those that rest.
        for name in observe.recorded():
            if name != self._name and name not in self._before:
                used |= _built(name, observe.last(name))
        return {each: there[each] for each in sorted(mine - used, key=_inner_last)}


def _built(name: str, applied: Applied | None) -> set[str]:
    """Return the images that were built for a workspace, as far as it is written down."""
    found: set[str] = set()
    with suppress(OSError, UnicodeDecodeError):
        text = (facts.cache_directory() / name / RECIPES).read_text(encoding="utf-8")
        found |= {each.tag for each in previous(text).values()}
    if applied is not None:
        found |= {*applied.former, *(each.tag for each in applied.builds)}
    return {each for each in found if re.fullmatch(BUILT, each)}


def _inner_last(reference: str) -> tuple[bool, str]:
    """Sort what may be built on another before that."""
    return not reference.startswith("jailoc-overlay:"), reference


def places(name: str, extent: Extent) -> tuple[Path, ...]:
    """Return what jailoc has on this machine for a workspace, in the order in which it goes."""
    cache = facts.cache_directory()
    every = [restic.place(name), facts.state_directory() / name]
    every += [cache / f"{name}.build", cache / name]
    if extent is Extent.ALL:
        every.append(existence.kept(name))
        if task := task_of(name):
            every.append(task_records.place(*task))
    return tuple(each for each in every if os.path.lexists(each))


def _count(name: str, place: Path) -> str:
    """Say how many snapshots go with a place."""
    found = len(restic.times(name)) if place == restic.place(name) else 0
    return f" ({number_of(found, 'snapshot')})" if found else ""


def remove(terminal: Terminal, name: str, going: RemoveProject) -> None:
    """Remove a workspace, as far as it goes; the note of what was applied goes last.

    Raises:
        DockerError: the engine could not remove something.
        OSError: neither could this machine.
    """
    whole = going.extent is not Extent.PROJECT
    volumes = going.extent is Extent.ALL
    if whole:
        # What a killed run has left of them uses volumes, or the store of snapshots.
        tools.remove_left(name)
    with step(terminal, f"removing the containers{' and volumes' * volumes} of {typed(name)}"):
        containers.down(project(name), terminal.detail, volumes=volumes)
        # Compose knows what belongs together by a container; these may be all that is left.
        for each in containers.owned("network", project(name)):
            network.remove(each)
        for each in containers.owned("volume", project(name)) if volumes else ():
            disk.remove_volume(each)
    made.take_away(terminal, name)
    if whole:
        for image in going.images:
            with step(terminal, f"removing image {image}"):
                problem = disk.remove_image(image)
            if problem is not None:
                terminal.say(f"{image} stays: {problem}", Meaning.WARNS)
        if problem := password.forget(facts.state_directory(), name):
            terminal.say(f"the password of {name} stays in the keyring: {problem}", Meaning.WARNS)
    if whole and not volumes and containers.owned("volume", project(name)):
        files.make_private(existence.kept(name))
    for place in places(name, going.extent):
        if whole or place.parent == facts.cache_directory():
            _clear(place)
    records.forget(name)
    observe.record(name).unlink(missing_ok=True)
    with suppress(OSError):  # there is nothing, or more
        existence.kept(name).parent.rmdir()


def _clear(place: Path) -> None:
    """Remove a directory of jailoc's own; a link in its place goes, and what it leads to stays."""
    with suppress(FileNotFoundError):
        if place.is_symlink() or not place.is_dir():
            place.unlink()
        else:
            shutil.rmtree(place)
