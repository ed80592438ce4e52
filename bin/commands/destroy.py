"""`destroy`: list all that there is of workspaces, ask, and remove it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jailoc.bin.commands import every
from jailoc.bin.config import task_records
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import apply, built_images, elsewhere, existence, observe, remains, removal
from jailoc.bin.deploy.apply import Item
from jailoc.bin.engine import containers, docker
from jailoc.bin.terminal import prompt
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import names
from jailoc.generators.config.select import unknown_workspace
from jailoc.generators.plan.removal import DESTROYED
from jailoc.generators.views.removal import empty, left_images, lines, listing, total
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.plan import Extent, Plan
from jailoc.model.removal import Listing
from jailoc.model.sandbox import SANDBOX, project, task_of, typed


@dataclass(frozen=True)
class Doomed:
    """A workspace that is to be destroyed, and what of it was listed."""

    item: Item
    place: removal.Leftover
    plan: Plan


def run(
    session: Session,
    wanted: tuple[str, ...],
    *,
    everything: bool,
    keep_volumes: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """List all that there is of workspaces, ask, and remove it.

    With `as_json` the list is written for programs and nobody is asked; without `yes` nothing goes.

    Raises:
        Refused: a name is nobody's; or nobody has agreed.
    """
    if everything:
        every.alone(*wanted)
    if keep_volumes and any(map(task_of, wanted)):
        raise refuse("usage", "what a task has is on its volumes: they go with it",
                     hint="leave out --keep-volumes, or `jailoc down` it")  # fmt: skip
    origin, terminal = session.for_removal(), session.terminal
    chosen = _chosen(session, origin, wanted, everything, tasks=not keep_volumes)
    untold = remains.untold(chosen, origin.path, tasks=not keep_volumes) if everything else {}
    chosen = (*chosen, *(name for name, kept in untold.items() if not kept))
    doomed = _looked_at(session, origin, chosen, keep_volumes)
    unused = built_images.unused(chosen) if everything else {}
    found = listing((each.plan for each in doomed), unused)
    left = [one for one, going in zip(doomed, found.workspaces, strict=True) if not empty(going)]
    _show(terminal, found, as_json=as_json)
    _tell_untold(terminal, untold)
    if not (left or found.images) or (as_json and not yes):
        return 0
    if not yes and not prompt.agreed(terminal, "destroy this?", "this", "give --yes"):
        return 0
    by = {each.item.name: each for each in left}
    status = 0
    if by:
        status = every.workspace(
            session, by, lambda mine: _destroy(mine, by[mine.workspace or ""], asked=not yes)
        )
    if everything:
        built_images.remove(terminal, [each.name for each in found.images])
        built_images.tell_rest(terminal)
    elif not as_json:
        built_images.tell_unused(terminal, tools=not all(map(task_of, wanted or ("",))))
    return status


def _show(terminal: Terminal, found: Listing, *, as_json: bool) -> None:
    """Write the list of what goes, for people or for programs."""
    if as_json:
        terminal.data(found.model_dump(mode="json"))
        return
    for going in found.workspaces:
        for text, style in lines(going):
            terminal.colored(text, style)
    for text, style in left_images(found):
        terminal.colored(text, style)
    workspaces = not all(map(empty, found.workspaces))
    goes = workspaces or found.images
    terminal.result(f"goes for good: {total(found)}" if goes else "nothing to do")
    if workspaces:
        terminal.told("the files of your projects stay, and so does the configuration")


def _tell_untold(terminal: Terminal, untold: Mapping[str, str]) -> None:
    """Name the workspaces that somebody else, or another configuration, may want to keep."""
    for name, kept in untold.items():
        if kept:
            terminal.say(
                f"stays: {name}, which this configuration does not have, with {kept}; "
                f"`jailoc destroy {name}` lists and removes it",
                Meaning.WARNS,
            )


def _chosen(
    session: Session,
    origin: LoadedConfig,
    wanted: tuple[str, ...],
    everything: bool,
    *,
    tasks: bool,
) -> tuple[str, ...]:
    """Return the workspaces that are meant; what no engine knows is told without one.

    Raises:
        Refused: a name is nobody's, or no engine answers.
    """
    known = names(origin.config)
    if not everything:
        chosen = tuple(dict.fromkeys(wanted)) or (session.chosen(origin, strict=True),)
        for name in chosen:
            if name not in origin.config.workspaces:
                existence.answered(session, name, docker.check)
                if not _something(name):
                    raise unknown_workspace(name, known)
        if not all(existence.never(session, name) for name in chosen):
            docker.check()
        return chosen
    docker.check()
    # Tasks first: nothing is left without its workspace.
    every_task = (each.sandbox for each in task_records.every()) if tasks else ()
    return (*every_task, *known, *observe.leftovers(known, origin.path))


def _something(name: str) -> bool:
    """Tell whether something is there of a workspace that the configuration does not have."""
    if re.fullmatch(SANDBOX, name) is None:
        return False
    here = existence.started(name) or name in remains.every()
    here = here or containers.project_objects(project(name))
    return here or bool(containers.owned("volume", project(name)))


def _looked_at(
    session: Session, origin: LoadedConfig, chosen: tuple[str, ...], keep_volumes: bool
) -> tuple[Doomed, ...]:
    extent = Extent.BUT_VOLUMES if keep_volumes else Extent.ALL
    found = []
    for index, name in enumerate(chosen):
        existence.own(name)
        elsewhere.check(name)
        place = removal.Leftover(
            session.terminal, name, extent, tags=_tags(origin, name), after=chosen[:index]
        )
        item = apply.leftover(origin, name)
        found.append(Doomed(item, place, place.planned(item.given, DESTROYED)))
    return tuple(found)


def _tags(origin: LoadedConfig, name: str) -> tuple[str, ...]:
    """Return the images that the configuration builds for a workspace now, as far as it can."""
    if name not in origin.config.workspaces:
        return ()
    try:
        bundle = compile_workspace(origin.config, name, origin.host)
    except Refused:
        return ()
    return tuple(each.tag for each in bundle.builds)


def _destroy(session: Session, one: Doomed, *, asked: bool) -> int:
    listed = {each.address for each in one.plan.changes}

    def agreed(made: Plan) -> None:
        more = [str(each.address) for each in made.changes if each.address not in listed]
        if asked and more:
            raise refuse(
                "moved",
                f"there is more of `{made.workspace}` now than was listed: {', '.join(more)}",
                hint=f"run `jailoc destroy {typed(made.workspace)}` again",
            )

    try:
        one.place.carry_out(one.item.given, agreed)
    except KeyboardInterrupt:
        name = typed(one.item.name)
        again = f"part of {name} is gone: `jailoc destroy {name}` removes the rest"
        session.terminal.steady().say(again, Meaning.WARNS)
        raise
    session.terminal.say(f"{typed(one.item.name)} destroyed", Meaning.DONE)
    return 0
