"""A plan as people read it: lines for a terminal, and Markdown for a pull request."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from jailoc.generators.powers.entries import nearby
from jailoc.generators.powers.review import Fate, Review, Reviewed, gathered
from jailoc.generators.views.markdown import code
from jailoc.generators.views.review import quiet, screen
from jailoc.generators.views.review_data import markdown as review_markdown
from jailoc.model.palette import Meaning
from jailoc.model.plan import Action, Change, Drift, FieldChange, Plan, SavedPlan, shown
from jailoc.model.plan_address import FileAddress, RulesAddress
from jailoc.model.power import Direction
from jailoc.model.sandbox import typed
from jailoc.model.text import cut, number_of

SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.RESTART: "^",
    Action.RECREATE: "-/+",
    Action.REBUILD: "-/+",
    Action.REMOVE: "-",
}
_MEANINGS = {
    "+": Meaning.DONE,
    "-": Meaning.FAILS,
    "~": Meaning.WARNS,
    "^": Meaning.WARNS,
    "-/+": Meaning.WARNS,
}
RULE = 72
"""Characters of a rule that has changed, in a list for people."""
POWER = "(a power is what a sandbox may reach, read, change or run)"
Line = tuple[str, Meaning | None]
"""A text, and what its colour means."""


def reviewed(plans: Sequence[Plan]) -> Review:
    """Return what plans change of what the sandboxes may do."""
    return gathered(
        [
            Reviewed(
                name=each.workspace,
                fate=Fate.REMOVED
                if each.bundle is None
                else Fate.ADDED
                if each.new
                else Fate.CHANGED
                if each.powers
                else Fate.SAME,
                egress=each.egress,
                changes=() if each.bundle is None else each.powers,
            )
            for each in plans
        ],
        sum(each.bundle is not None for each in plans),
    )


def first_screen(plans: Sequence[Plan]) -> Iterator[Line]:
    """Yield what plans change of what the sandboxes may do; nothing where nothing is to be done."""
    if any(not each.empty for each in plans):
        review = reviewed(plans)
        yield from screen(review, first=tuple(_astray(plans)))
        if quiet(review):
            yield POWER, Meaning.MUTED


def _astray(plans: Iterable[Plan]) -> Iterator[str]:
    """Yield what runs otherwise than it was left, which no difference of configurations tells."""
    for plan in plans:
        found = [each for each in plan.drift if not each.ignored]
        wall = next((each for each in found if isinstance(each.address, RulesAddress)), None)
        if wall is not None:
            yield (
                f"{typed(plan.workspace)}: its running wall has other rules than it was given, and "
                f"what they closed may be open now: {_rules(wall.after or '')}"
            )
        if more := len(found) - (wall is not None):
            what = f"{number_of(more, 'thing')} drifted from what the last apply left, see below"
            yield f"{typed(plan.workspace)}: {what}"


def lines(plan: Plan, *, files: bool = False) -> Iterator[Line]:
    """Yield the changes of a plan as lines with their colours.

    Args:
        plan: The plan.
        files: Whether each file is named, with its digest.
    """
    yield typed(plan.workspace), Meaning.TITLE
    if plan.empty:
        yield f"  {_idle(plan)}", None
    for change in plan.changes:
        if isinstance(change.address, FileAddress) and not files:
            continue
        sign = SIGNS[change.action]
        causes = f": {'; '.join(change.causes)}" if change.causes else ""
        yield f"  {sign:3} {change.address}  {change.action}{causes}", _MEANINGS[sign]
        for field in change.fields:
            if files or change.action is not Action.CREATE:
                yield f"        {_field(field)}{_origin(field)}", None
    if not files and (folded := _files(plan)):
        yield f"  {folded} (--files names them)", None
    if plan.drift:
        yield "  drift: not as the last apply left it", Meaning.TITLE
        for each in plan.drift:
            ignored = "  (ignored)" if each.ignored else ""
            yield (
                f"    {_drift(each)}{ignored}",
                (None if each.ignored else Meaning.WARNS),
            )
    if not plan.empty:
        yield f"  agent restarts: {'yes' if plan.agent_restarts else 'no'}", None
    for note in notes(plan):
        yield f"  note: {note}", Meaning.WARNS


def inheritance(plan: Plan) -> str:
    """Say what the agent of a new workspace finds of an earlier one; nothing if that is nothing."""
    if not plan.inherited:
        return ""
    which = ", ".join(plan.inherited)
    return (
        f"the agent begins with what an earlier workspace of this name has left in its volumes "
        f"({which}), its containers, programs and logins too: `jailoc destroy {plan.workspace}` "
        "removes them first"
    )


def notes(plan: Plan) -> tuple[str, ...]:
    """Return what people should know although nothing is done about it."""
    left = inheritance(plan)
    return (*([left] if left else []), *plan.notes)


def _files(plan: Plan) -> str:
    """Say how many files change."""
    found = [each.action for each in plan.changes if isinstance(each.address, FileAddress)]
    told = ", ".join(f"{found.count(action)} to {action}" for action in Action if action in found)
    return f"files: {told}" if told else ""


def _idle(plan: Plan) -> str:
    """Say that there is no change; that nothing is to be done only where everything was seen."""
    if not plan.unseen:
        return "nothing to do: what runs is what the configuration says"
    what = "the files are as compiled" if plan.bundle else "no files are left"
    return f"{what}; {_not_seen(plan.unseen)}"


def _not_seen(what: Iterable[str]) -> str:
    return f"{' and '.join(what)} was not looked at"


def summary(saved: SavedPlan) -> str:
    """Return how many changes of each kind there are, in one line."""
    changes = [change for plan in saved.plans for change in plan.changes]
    if not changes:
        return (
            f"no difference found; {_not_seen(saved.unseen)}" if saved.unseen else "nothing to do"
        )
    counts = {action: sum(change.action is action for change in changes) for action in Action}
    told = ", ".join(f"{count} to {action}" for action, count in counts.items() if count)
    drift = sum(not each.ignored for plan in saved.plans for each in plan.drift)
    powers = [
        each for plan in saved.plans for each in plan.powers if each.way is not Direction.SAME
    ]
    opens = sum(each.widens for each in powers)
    more = f"; {drift} found drifted" if drift else ""
    gained = number_of(opens, "thing") if opens else "nothing"
    less = f" and {number_of(len(powers) - opens, 'thing')} less" if len(powers) > opens else ""
    return f"plan: {told}{more}; sandboxes may do {gained} more{less}"


def markdown(saved: SavedPlan, graphs: Mapping[str, str]) -> str:
    """Return plans as Markdown (CommonMark, with the tables of GitHub's dialect).

    Args:
        saved: The plans.
        graphs: What each workspace will reach and mount, by name, as Mermaid.
    """
    parts = [f"## jailoc plan\n\n{_escape(summary(saved))}\n"]
    if not saved.empty:
        parts.append(f"\n{review_markdown(reviewed(saved.plans))}")
    for plan in saved.plans:
        parts.append(f"\n### {code(plan.workspace)}\n")
        if plan.empty and not plan.drift:
            idle = f"{_escape(_idle(plan)).capitalize()}." if plan.unseen else "Nothing to do."
            parts.append(f"\n{idle}\n")
        if plan.changes:
            restarts = "**restarts**" if plan.agent_restarts else "is not interrupted"
            parts.append(f"\nThe agent {restarts}.\n")
            parts.append("\n<details><summary>Changes</summary>\n\n")
            parts.append("| action | address | why |\n| --- | --- | --- |\n")
            parts += (
                _row(change)
                for change in plan.changes
                if not isinstance(change.address, FileAddress)
            )
            if folded := _files(plan):
                parts.append(f"| | {folded} | |\n")
            parts.append("\n</details>\n")
        if plan.drift:
            parts.append("\n**Drift**: not as the last apply left it\n\n")
            parts += (
                f"- {code(_drift(each))}{' (ignored)' if each.ignored else ''}\n"
                for each in plan.drift
            )
        parts += (f"\n> {_escape(note)}\n" for note in notes(plan))
        if (graph := graphs.get(plan.workspace)) and not plan.empty:
            parts.append(
                "\n<details><summary>Who may reach what</summary>\n\n```mermaid\n"
                f"{graph.rstrip()}\n```\n\n</details>\n"
            )
    return "".join(parts)


def _row(change: Change) -> str:
    why = [_escape(each) for each in change.causes]
    why += [_cell(_field(each)) + _escape(_origin(each)) for each in change.fields]
    return f"| {change.action} | {_cell(str(change.address))} | {'<br>'.join(why)} |\n"


def _cell(text: str) -> str:
    """Write code into a table, where a bar would end the cell even within code."""
    return code(text.replace("|", "\N{BROKEN BAR}"))


def _field(field: FieldChange) -> str:
    before, after = (shown(field.name, each) for each in (field.before, field.after))
    return f"{field.name}: {before} -> {after}"


def _drift(each: Drift) -> str:
    if isinstance(each.address, RulesAddress) and each.after:
        return f"{each.address}: {_rules(each.after)}"
    before, after = each.shown
    return f"{each.address}: {before} -> {after}"


def _rules(told: str) -> str:
    """Count the lines that differ, and show the first of each kind: one is long, and many may be.

    >>> _rules("--A OUTPUT -j DROP; --A INPUT -j DROP; +-A OUTPUT -j ACCEPT")
    '2 rules are missing (-A OUTPUT -j DROP, ...), 1 rule is too many (-A OUTPUT -j ACCEPT)'
    """
    lines = told.split("; ")
    words = [
        f"{number_of(len(found), 'rule')} {'is' if len(found) == 1 else 'are'} {kind} "
        f"({cut(found[0], RULE)}{', ...' if len(found) > 1 else ''})"
        for sign, kind in (("-", "missing"), ("+", "too many"))
        if (found := [each[1:] for each in lines if each.startswith(sign)])
    ]
    return ", ".join(words) or told


def _origin(told: FieldChange) -> str:
    if not told.origin:
        return ""
    return f"  # {told.origin}" + (f" ({nearby(told.place)})" if told.place else "")


def _escape(text: str) -> str:
    """Keep Markdown and HTML from seeing anything in a text."""
    for char in "\\`*_[]<>|#&":
        text = text.replace(char, f"\\{char}" if char not in "<>&|" else f"&#{ord(char)};")
    return " ".join(text.split())
