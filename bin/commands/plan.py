"""`plan`: what an apply would change, what that opens, and what has drifted."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import apply, observe
from jailoc.bin.deploy.apply import Item
from jailoc.bin.engine import docker
from jailoc.bin.host import files as store
from jailoc.bin.terminal.exit_status import DIFFERENT
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import names, unknown_workspace
from jailoc.generators.views.diagram import mermaid
from jailoc.generators.views.plan import first_screen, lines, markdown, summary
from jailoc.model.base import Model
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.plan import SavedPlan

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
        0; with `detailed` 2 if there is something to do.
    """
    terminal = session.terminal
    ask = _engine_answers(terminal)
    origin, items = chosen(session, choice, ask=ask, complete=False)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        plans = tuple(
            pool.map(lambda each: apply.planned(each, ask=ask, prune=choice.prune), items)
        )
    saved = SavedPlan(config=origin.path, prune=choice.prune, plans=plans)
    if out is not None:
        if not ask:
            raise refuse("plan", "without an engine there is no plan that could be kept",
                         hint="start Docker, or leave out --out")  # fmt: skip
        store.write(Path(out).absolute(), saved.model_dump_json(indent=2) + "\n", 0o600)
        terminal.say(f"{out}: written; `jailoc apply {out}` does just that", Meaning.DONE)
    if as_json:
        terminal.data(saved.model_dump(mode="json"))
    elif as_markdown:
        graphs = {each.name: mermaid(each.bundle) for each in items if each.bundle is not None}
        terminal.result(markdown(saved, graphs))
    else:
        show(terminal, saved, files=files)
    return DIFFERENT if detailed and not saved.empty else 0


def show(terminal: Terminal, saved: SavedPlan, *, files: bool = False) -> None:
    """Show plans as people read them: first what the sandboxes may do that they could not."""
    for text, style in first_screen(saved.plans):
        terminal.colored(text, style)
    for each in saved.plans:
        for text, style in lines(each, files=files):
            terminal.colored(text, style)
        terminal.result("")
    terminal.result(summary(saved))


def _engine_answers(terminal: Terminal) -> bool:
    try:
        docker.check()
    except Refused as refused:
        if refused.diagnostics[0].code not in {"engine", "docker-missing"}:
            raise
        terminal.say(refused.diagnostics[0].message, Meaning.WARNS)
        return False
    return True


def chosen(
    session: Session, choice: Selection, *, ask: bool, complete: bool
) -> tuple[LoadedConfig, tuple[Item, ...]]:
    """Return the workspaces of a choice, those that are to be removed among them.

    Raises:
        Refused: a name is neither in the configuration nor on the engine.
    """

    def wanted_of(origin: LoadedConfig) -> tuple[str, ...]:
        if choice.everything:
            return names(origin.config)
        return choice.wanted or (origin.chosen(None),)

    origin = apply.read(session, wanted_of, complete=complete)
    known = names(origin.config)
    left = observe.leftovers(known, origin.path, ask=ask)
    wanted = (*wanted_of(origin), *(left if choice.everything else ()))
    items = []
    for name in dict.fromkeys(wanted):
        if name in known:
            items.append(
                apply.item(session, origin, name, complete=complete, ask=ask, ignore=choice.ignore)
            )
        elif name in left or (choice.prune and name in choice.wanted):
            items.append(apply.leftover(origin, name))
        else:
            raise unknown_workspace(name, known)
    if not choice.everything:
        for name in left:
            if name not in wanted:
                session.terminal.say(
                    f"workspace `{name}` is not in the configuration any more: "
                    f"`jailoc apply {name}` removes it",
                    Meaning.WARNS,
                )
    return origin, tuple(items)
