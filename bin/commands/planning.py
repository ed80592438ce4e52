"""The commands `plan` and `apply`: what would change, what that opens, and then just that."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from jailoc.bin.cli.errors import DIFFERENT, report
from jailoc.bin.config.source import Source
from jailoc.bin.deploy import apply, execute, observe
from jailoc.bin.deploy.apply import Item
from jailoc.bin.engine import docker
from jailoc.bin.host import files
from jailoc.bin.terminal import prompt
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import names, unknown_workspace
from jailoc.generators.views.diagram import mermaid
from jailoc.generators.views.plan import lines, markdown, summary
from jailoc.model.base import Model
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.plan import Plan, SavedPlan

AT_ONCE = 4
"""Workspaces that are worked on at the same time."""


class Choice(Model):
    """Which workspaces a command is about."""

    wanted: tuple[str, ...]
    everything: bool
    prune: bool
    ignore: tuple[str, ...] = ()


def plan(
    terminal: Terminal,
    flag: str | None,
    choice: Choice,
    *,
    as_json: bool,
    as_markdown: bool,
    detailed: bool,
    out: str | None,
) -> int:
    """Show what an apply would do; nothing is changed.

    Returns:
        0; with `detailed` 2 if there is something to do.
    """
    ask = _engine_answers(terminal)
    origin, items = _items(terminal, flag, choice, ask=ask, complete=False)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        plans = tuple(
            pool.map(lambda each: apply.planned(each, ask=ask, prune=choice.prune), items)
        )
    saved = SavedPlan(config=origin.path, prune=choice.prune, plans=plans)
    if out is not None:
        if not ask:
            raise refuse("plan", "without an engine there is no plan that could be kept",
                         hint="start Docker, or leave out --out")  # fmt: skip
        files.write(Path(out).absolute(), saved.model_dump_json(indent=2) + "\n", 0o600)
        terminal.say(f"{out}: written; `jailoc apply {out}` does just that", "green")
    if as_json:
        terminal.data(saved.model_dump(mode="json"))
    elif as_markdown:
        graphs = {each.name: mermaid(each.bundle) for each in items if each.bundle is not None}
        terminal.result(markdown(saved, graphs))
    else:
        _show(terminal, saved)
    return DIFFERENT if detailed and not saved.empty else 0


def _show(terminal: Terminal, saved: SavedPlan) -> None:
    for each in saved.plans:
        for text, style in lines(each):
            terminal.colored(text, style)
        terminal.result("")
    terminal.result(summary(saved))


def _engine_answers(terminal: Terminal) -> bool:
    try:
        docker.check()
    except Refused as refused:
        if refused.diagnostics[0].code not in {"engine", "docker-missing"}:
            raise
        terminal.say(refused.diagnostics[0].message, "yellow")
        return False
    return True


def _items(
    terminal: Terminal, flag: str | None, choice: Choice, *, ask: bool, complete: bool
) -> tuple[Source, tuple[Item, ...]]:
    """Return the workspaces of a choice, those that are to be removed among them.

    Raises:
        Refused: a name is neither in the configuration nor on the engine.
    """

    def chosen(origin: Source) -> tuple[str, ...]:
        if choice.everything:
            return names(origin.config)
        return choice.wanted or (origin.chosen(None),)

    origin = apply.read(terminal, flag, chosen)
    known = names(origin.config)
    left = observe.leftovers(known, origin.path, ask=ask)
    wanted = (*chosen(origin), *(left if choice.everything else ()))
    items = []
    for name in dict.fromkeys(wanted):
        if name in known:
            items.append(
                apply.item(
                    terminal, flag, origin, name, complete=complete, ask=ask, ignore=choice.ignore
                )
            )
        elif name in left or (choice.prune and name in choice.wanted):
            items.append(apply.leftover(origin, name))
        else:
            raise unknown_workspace(name, known)
    if not choice.everything:
        for name in left:
            if name not in wanted:
                terminal.say(
                    f"workspace `{name}` is not in the configuration any more: "
                    f"`jailoc apply {name}` removes it",
                    "yellow",
                )
    return origin, tuple(items)


def run(terminal: Terminal, flag: str | None, choice: Choice, *, yes: bool, back: bool) -> int:
    """Show a plan, ask, and carry it out.

    Raises:
        Refused: nobody has agreed to it.
    """
    saved = _saved(choice)
    if saved is not None:
        choice = Choice(
            wanted=tuple(each.workspace for each in saved.plans), everything=False,
            prune=saved.prune,
        )  # fmt: skip
        flag = saved.config
    _, items = _items(terminal, flag, choice, ask=True, complete=True)
    for each in items:
        if each.bundle is not None:
            execute.build_unknown(terminal, each.bundle)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        plans = tuple(pool.map(lambda each: apply.planned(each, prune=choice.prune), items))
    approved = {each.workspace: each for each in (saved.plans if saved else plans)}
    now = saved or SavedPlan(config=flag or "", prune=choice.prune, plans=plans)
    _show(terminal, now)
    if all(each.empty for each in plans) and now.empty:
        return 0
    if saved is None and not yes and not _agreed(terminal):
        return 0
    return _carry_out(terminal, flag, items, approved, choice, back)


def _saved(choice: Choice) -> SavedPlan | None:
    """Return the plan in a file, if the one argument names a file.

    Raises:
        Refused: it is no plan, or one of another version.
    """
    if len(choice.wanted) != 1 or not Path(choice.wanted[0]).is_file():
        return None
    path = Path(choice.wanted[0])
    try:
        return SavedPlan.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise refuse(
            "plan-file",
            f"`{path}` is no plan that this jailoc can read",
            allowed="a file that `jailoc plan --out FILE` wrote",
            hint=str(error).splitlines()[0],
        ) from None


def _agreed(terminal: Terminal) -> bool:
    """Ask whether to go on.

    Raises:
        Refused: nobody is there to answer.
    """
    if not sys.stdin.isatty():
        raise refuse(
            "unconfirmed",
            "nobody has agreed to this plan, and standard input is no terminal",
            hint="give --yes, or apply a plan that was kept: `jailoc plan --out FILE`",
        )
    if prompt.ask(terminal, "apply this?"):
        return True
    terminal.say("nothing is changed", "yellow")
    return False


def _carry_out(
    terminal: Terminal,
    flag: str | None,
    items: tuple[Item, ...],
    approved: dict[str, Plan],
    choice: Choice,
    back: bool,
) -> int:
    """Carry the plans out, independent workspaces at the same time; report every failure."""

    def one(each: Item) -> int:
        mine = terminal.prefixed(f"{each.name}: ") if len(items) > 1 else terminal
        try:
            done = apply.carry_out(
                mine, flag, each, approved=approved[each.name], prune=choice.prune, back=back
            )
        except (docker.DockerError, Refused, OSError) as error:
            return report(error, mine)
        mine.say(f"{each.name} applied" if done else f"{each.name}: nothing to do", "green")
        return 0

    if len(items) == 1:
        return one(items[0])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return max(pool.map(one, items), default=0)
