"""`plan`: what an apply would change, what that opens, and what has drifted."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from jailoc.bin.commands import every
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import apply, existence, observe
from jailoc.bin.deploy.apply import Item
from jailoc.bin.engine import container_list, containers, docker
from jailoc.bin.host import files as store
from jailoc.bin.host import programs
from jailoc.bin.terminal.exit_status import DIFFERENT
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import names
from jailoc.generators.config.select import unknown_workspace
from jailoc.generators.views.diagram import mermaid
from jailoc.generators.views.plan import first_screen, lines, markdown, summary
from jailoc.model.base import Model
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.plan import SavedPlan
from jailoc.model.sandbox import project

AT_ONCE = 4
"""Workspaces that are worked on at the same time."""


class Selection(Model):
    """Which workspaces a command is about."""

    wanted: tuple[str, ...]
    everything: bool
    prune: bool
    ignore: tuple[str, ...] = ()


def run(
    session: Session,
    choice: Selection,
    *,
    as_json: bool,
    as_markdown: bool,
    detailed: bool,
    out: str | None,
    files: bool = False,
) -> int:
    """Show what an apply would do; nothing is changed.

    Returns:
        0; with `detailed` 2 if there is something to do, 1 if nobody can tell.
    """
    terminal = session.terminal
    refuse_prune(session, choice)
    there, silence = _containers()
    ask = silence is None
    ours = None if there is None else container_list.own(there)
    origin, items = chosen(session, choice, ask=ask, complete=False, there=ours)
    for each in items:
        # As an apply would, so that it is known before.
        container_list.own(there or (), project(each.name))
    if silence is not None:
        terminal.say(silence, Meaning.WARNS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        plans = tuple(
            pool.map(lambda each: apply.planned(terminal, each, ask=ask, prune=choice.prune), items)
        )
    saved = SavedPlan(config=origin.path, prune=choice.prune, plans=plans)
    if out is not None:
        if not ask:
            raise refuse("plan", "without an engine there is no plan that could be kept",
                         hint="start Docker, or leave out --out")  # fmt: skip
        place = Path(out).absolute()
        if programs.changeable(str(place)):
            raise refuse(
                "plan-file",
                f"an agent can write `{out}`, so the plan could be another one when it is applied",
                allowed="a file outside of every writable path and mount",
                hint="keep it elsewhere: `jailoc plan --out ../plan.json`",
            )
        store.write(place, saved.model_dump_json(indent=2) + "\n", 0o600)
        terminal.say(f"{out}: written; `jailoc apply {out}` does just that", Meaning.DONE)
    if as_json:
        terminal.data(saved.model_dump(mode="json"))
    elif as_markdown:
        graphs = {each.name: mermaid(each.bundle) for each in items if each.bundle is not None}
        terminal.result(markdown(saved, graphs))
    else:
        show(terminal, saved, files=files)
    if not detailed:
        return 0
    if saved.empty and saved.unseen:
        raise refuse(
            "unseen",
            "nobody can tell whether there is something to do: "
            f"{' and '.join(saved.unseen)} was not looked at",
            hint=None if ask else "start Docker, or set DOCKER_HOST to the engine to use",
        )
    return 0 if saved.empty else DIFFERENT


def show(terminal: Terminal, saved: SavedPlan, *, files: bool = False) -> None:
    """Show plans as people read them: first what the sandboxes may do that they could not."""
    for text, style in first_screen(saved.plans):
        terminal.colored(text, style)
    said = len(saved.plans) == 1 and saved.empty  # by the workspace's own line
    for each in saved.plans:
        for text, style in lines(each, files=files):
            terminal.colored(text, style)
        if not said:
            terminal.result("")
    if not said:
        terminal.colored(summary(saved), None)


def _containers() -> tuple[tuple[container_list.Listed, ...] | None, str | None]:
    """Return the containers of all projects; or why no engine answers."""
    try:
        return docker.reached(lambda: container_list.told(every=True)), None
    except Refused as refused:
        if refused.diagnostics[0].code not in {"engine", "docker-missing"}:
            raise
        return None, refused.diagnostics[0].message


def refuse_prune(session: Session, choice: Selection) -> None:
    """Refuse to prune what the configuration has, before anything is asked or done.

    Raises:
        Refused: with the command that removes such a workspace.
    """
    if not choice.prune or choice.everything:
        return
    origin = session.source()
    for name in choice.wanted or (session.chosen(origin),):
        if name in origin.config.workspaces:
            raise refuse(
                "prune",
                f"workspace `{name}` is in the configuration: --prune removes what has left it",
                hint=f"`jailoc destroy {name}` removes all that there is of it",
            )


def chosen(
    session: Session,
    choice: Selection,
    *,
    ask: bool,
    complete: bool,
    there: tuple[container_list.Listed, ...] | None = None,
) -> tuple[LoadedConfig, tuple[Item, ...]]:
    """Return the workspaces of a choice, those that are to be removed among them.

    Args:
        session: The configuration.
        choice: Which.
        ask: Whether there is an engine to be asked.
        complete: Whether everything must be there, as for an apply.
        there: The containers of all projects, if the engine has just been asked.

    Raises:
        Refused: a name is neither in the configuration nor on the engine.
    """
    # Asked once, and after the configuration has been read.
    running = every.running_tasks(session.source().config) if choice.everything and ask else ()

    def wanted_of(origin: LoadedConfig) -> tuple[str, ...]:
        if choice.everything:
            return (*names(origin.config), *running)
        return choice.wanted or (session.chosen(origin),)

    origin = apply.read(session, wanted_of, complete=complete)
    known = names(origin.config)
    try:
        left = observe.leftovers(known, origin.path, ask=ask, there=there)
    except docker.DockerError:
        here = {*origin.config.workspaces, *observe.leftovers(known, origin.path, ask=False)}
        for name in choice.wanted:
            if name not in here:
                raise unknown_workspace(name, known) from None
        raise
    wanted = (*wanted_of(origin), *(left if choice.everything else ()))
    items = []
    for name in dict.fromkeys(wanted):
        if name in origin.config.workspaces:
            made = apply.item(
                session, origin, name, complete=complete, ask=ask, ignore=choice.ignore
            )
            items.append(replace(made, told=made.told._replace(listed=there)))
        elif name in left or (choice.prune and ask and _something(name)):
            items.append(apply.leftover(origin, name))
        else:
            raise unknown_workspace(name, known)
    if choice.everything and not ask:
        session.terminal.say(
            "workspaces that left the configuration were looked for on this machine alone",
            Meaning.WARNS,
        )
    if not choice.everything:
        for name in left:
            if name not in wanted:
                session.terminal.say(
                    f"workspace `{name}` is not in the configuration any more: "
                    f"`jailoc apply {name}` removes it",
                    Meaning.WARNS,
                )
    return origin, tuple(items)


def _something(name: str) -> bool:
    """Tell whether something is left of a workspace whose note of the last apply is gone."""
    return existence.started(name) or bool(containers.owned("volume", project(name)))
