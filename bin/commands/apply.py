"""`apply`: show the plan, ask, and do just that."""

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from jailoc.bin.commands.plan import AT_ONCE, Selection, chosen, refuse_prune, show
from jailoc.bin.config.changeable import Recorded
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import apply, execute
from jailoc.bin.deploy.apply import Item
from jailoc.bin.engine import docker
from jailoc.bin.host import programs, regular
from jailoc.bin.terminal import prompt
from jailoc.generators.config.conflicts import table
from jailoc.model.diagnostic import Diagnostic, Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.plan import Plan, SavedPlan
from jailoc.model.sandbox import TASK, WORKSPACE, typed
from jailoc.model.text import meant, visible

KEEP = "give --yes, or apply a plan that was kept: `jailoc plan --out FILE`"


def run(session: Session, choice: Selection, *, yes: bool, back: bool) -> int:
    """Show a plan, ask, and carry it out.

    Raises:
        Refused: nobody has agreed to it.
    """
    saved = _saved(session, choice)
    if saved is not None:
        choice = Selection(
            wanted=tuple(each.workspace for each in saved.plans), everything=False,
            prune=saved.prune,
        )  # fmt: skip
        session = session.on(saved.config)
    terminal = session.terminal
    if saved is None:
        refuse_prune(session, choice)
    _, items = chosen(session, choice, ask=True, complete=True)
    for each in items:
        if each.bundle is not None:
            execute.build_unknown(terminal, each.bundle)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        plans = tuple(
            pool.map(lambda each: apply.planned(terminal, each, prune=choice.prune), items)
        )
    approved = {each.workspace: each for each in (saved.plans if saved else plans)}
    now = saved or SavedPlan(config=session.config or "", prune=choice.prune, plans=plans)
    if saved is not None:
        _held(approved, plans)
    show(terminal, now)
    if all(each.empty for each in plans) and now.empty:
        return 0
    for each in items:
        apply.tell_uncovered(session, each)
    if saved is None and not yes and not prompt.agreed(terminal, "apply this?", "this plan", KEEP):
        return 0
    return _carry_out(session, items, approved, choice, back, again=yes and saved is None)


def _held(approved: Mapping[str, Plan], plans: Iterable[Plan]) -> None:
    """Make sure that what was kept is still what would be done.

    Raises:
        Refused: with all that has moved, of every workspace.
    """
    problems: list[Diagnostic] = []
    for each in plans:
        try:
            apply.same(approved[each.workspace], each)
        except Refused as refused:
            problems += refused.diagnostics
    if problems:
        raise Refused(tuple(problems))


MOST = 64 << 20
"""Bytes of the file of a plan."""
MOST_BESIDE = 1000
"""Names in a directory among which a mistyped one is looked for."""


def _saved(session: Session, choice: Selection) -> SavedPlan | None:
    """Return the plan in a file, if the one argument names a file and no workspace.

    Raises:
        Refused: it is no plan, or one of another version, or an agent could have written it.
    """
    if len(choice.wanted) != 1 or not Path(choice.wanted[0]).is_file():
        for each in choice.wanted:
            if not re.fullmatch(f"{WORKSPACE}(?:[/_]{TASK})?", each):
                raise _no_file(Path(each))
        return None
    path = Path(choice.wanted[0])
    with suppress(Refused):  # without a configuration of ours, the plan has its own
        if choice.wanted[0] in table(session.document().data, "workspaces"):
            return None
        session.source(expectations=False)
    here = str(path.absolute())
    if programs.changeable(here) or Recorded()(here):
        raise refuse(
            "plan-file",
            f"an agent can write `{path}`, so nobody has agreed to what it says",
            allowed="a file outside of every writable path and mount",
            hint="make a new one elsewhere: `jailoc plan --out ../plan.json`",
        )
    text = b""
    try:
        text = regular.read(str(path), MOST)
        return SavedPlan.model_validate_json(text)
    except OSError as error:
        why = f"it cannot be read: {error.strerror}"
    except regular.NotRegular as error:
        why = f"it {error}"
    except ValidationError:
        why = _why_no_plan(text)
    raise refuse(
        "plan-file",
        f"`{path}` is no plan that this jailoc can read",
        allowed="a file that `jailoc plan --out FILE` wrote",
        hint=f"{why}; `jailoc plan --out FILE` makes a new one",
    )


def _why_no_plan(text: bytes) -> str:
    known = SavedPlan.model_fields["format"].default
    try:
        written = json.loads(text)
    except (ValueError, RecursionError):
        return "it is no JSON"
    if not isinstance(written, dict) or not {"format", "plans"} <= {*written}:
        return "it is JSON of something else"
    if written["format"] != known:
        return f"its format is {visible(str(written['format'])[:20])}, this jailoc's is {known}"
    return "something in it is not as it was written"


def _no_file(path: Path) -> Refused:
    """Return the refusal of what can be no workspace's name, and is not the one file either."""
    if path.is_file():
        return refuse("plan-file", f"`{path}` is the file of a plan, and such a one stands alone",
                      hint="apply one kept plan at a time, or name workspaces only")  # fmt: skip
    beside: list[str] = []
    with suppress(OSError):
        beside = [each.name for each in islice(path.parent.iterdir(), MOST_BESIDE)]
    return refuse(
        "plan-file",
        f"there is no file `{path}`, nor can a workspace be called so",
        allowed="workspaces, or the one file that `jailoc plan --out FILE` wrote",
        hint=meant(path.name, sorted(beside)),
    )


def _carry_out(
    session: Session,
    items: tuple[Item, ...],
    approved: dict[str, Plan],
    choice: Selection,
    back: bool,
    again: bool,
) -> int:
    """Carry the plans out, independent workspaces at the same time; report every failure.

    Args:
        session: Where it is told.
        items: The workspaces.
        approved: Their plans.
        choice: What was asked for.
        back: Whether a failure returns to the previous state.
        again: Whether a plan that nobody has looked at may be made anew: containers come to rest
            by themselves between a look and the next one.
    """

    def carried_out(mine: Session, each: Item) -> Plan | None:
        try:
            return apply.carry_out(
                mine, each, approved=approved[each.name], prune=choice.prune, back=back
            )
        except Refused as refused:
            moved = all(
                (one.code, one.where) == ("moved", each.name) for one in refused.diagnostics
            )
            if not (again and moved):
                raise
        mine.terminal.say(f"{typed(each.name)} has moved meanwhile: looking again", Meaning.WARNS)
        return apply.carry_out(mine, each, prune=choice.prune, back=back)

    def one(each: Item) -> int:
        alone = f"{typed(each.name)}: " if len(items) == 1 else ""
        mine = session.prefixed(f"{typed(each.name)}: ") if len(items) > 1 else session
        try:
            done = carried_out(mine, each)
        except (docker.DockerError, Refused, OSError) as error:
            return session.report(error, mine.terminal)
        mine.terminal.say(f"{alone}{'applied' if done else 'nothing to do'}", Meaning.DONE)
        return 0

    if len(items) == 1:
        return one(items[0])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return max(pool.map(one, items), default=0)
