"""`diff`: what one configuration lets a sandbox do that another one does not; no engine."""

from enum import StrEnum

from jailoc.bin.config import policies, revisions
from jailoc.bin.config.revisions import SourceText, Version
from jailoc.bin.config.session import Session
from jailoc.bin.terminal.exit_status import DIFFERENT, ERROR
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts import portable
from jailoc.generators.powers.entries import place
from jailoc.generators.powers.policy import PolicyFile, read
from jailoc.generators.powers.review import Review, review
from jailoc.generators.views.review import screen
from jailoc.generators.views.review_data import data, markdown
from jailoc.generators.views.sarif import sarif
from jailoc.model.diagnostic import Diagnostic, Refused, refuse
from jailoc.model.power import PowerChange, Rank


class Form(StrEnum):
    """How it is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"


def form(*, json: bool, markdown: bool, sarif: bool) -> Form:
    """Return how the flags want it.

    Raises:
        Refused: more than one is given.
    """
    given = [name for name, flag in ((Form.JSON, json), (Form.MARKDOWN, markdown),
                                     (Form.SARIF, sarif)) if flag]  # fmt: skip
    if len(given) > 1:
        raise refuse("usage", "--json, --markdown and --sarif are forms of one output",
                     allowed="one")  # fmt: skip
    return given[0] if given else Form.TEXT


def run(
    session: Session,
    base: str,
    head: str | None,
    form: Form,
    fail_on: str | None,
    policy: str | None = None,
) -> int:
    """Compare two configurations.

    Args:
        session: Whose configuration file is meant where none is named.
        base: What is compared with.
        head: What is looked at; None for the configuration file.
        form: How it is written.
        fail_on: The rank from which on the status says so, or `any`.
        policy: A policy that holds beside those of this machine.

    Returns:
        0; 2 if something of the rank or a graver one is newly possible; 1 if the second
        configuration is refused.
    """
    hold = policies.files()
    if policy is not None:
        named = revisions.text_of(session, policy)
        if named.absent:
            raise refuse(
                "policy",
                f"`{policy}`: the revision has no such file, so nothing would be forbidden",
                hint="name the one that holds, or leave --policy out",
            )  # fmt: skip
        hold = (*hold, read(named.text, named.file))
    before, after = revisions.text_of(session, base), revisions.text_of(session, head)
    if before.absent and after.absent:
        raise refuse(
            "diff",
            f"neither `{base}` nor `{head}` has such a file, so nothing would be compared",
            hint="say which file it is, as it is called there: REVISION:FILE",
        )
    old, new = _loaded(before, "BASE", hold), _loaded(after, "HEAD", hold)
    found = compare(old, new)
    _write(session.terminal, old, new, found, form)
    if new.refused:
        return ERROR
    worst = found.worst
    least = Rank.LOW if fail_on == "any" else Rank(fail_on or Rank.NOTE)
    if fail_on is not None and worst is not None and worst.order <= least.order:
        return DIFFERENT
    return 0


def _loaded(of: SourceText, role: str, hold: tuple[PolicyFile, ...]) -> Version:
    try:
        return revisions.version(of.label, of.text, of.file, hold, of.read, of.locked)
    except Refused as refused:
        raise Refused(
            tuple(
                each.model_copy(
                    update={
                        "message": f"{role} ({of.label}) is refused: {portable.told(each.message)}"
                    }
                )
                for each in refused.diagnostics
            )
        ) from None


def compare(old: Version, new: Version) -> Review:
    """Compare two configurations."""

    def stands(name: str, change: PowerChange) -> str | None:
        return place(old.document, new.document, name, change)

    both = (old.inherited, new.inherited)
    found = review(old.sides, new.sides, portable.bare(), portable.HOME, stands, both)
    known = {each.message for each in old.warnings}
    fresh = tuple(
        dict.fromkeys(
            portable.told(each.message) for each in new.warnings if each.message not in known
        )
    )
    reason = None
    if old.document.data == new.document.data:
        same = old.document.lines == new.document.lines
        reason = "the files are the same" if same else "only comments, order or spelling differ"
    return found.model_copy(update={"warnings": fresh, "reason": reason})


def _write(
    terminal: Terminal,
    old: Version,
    new: Version,
    found: Review,
    form: Form,
) -> None:
    first = [f"refused: {portable.told(each.message)}{_stands(each)}" for each in new.refused]
    # What a person has agreed to already is not asked again.
    agreed = {each.message for each in old.asks}
    asks = [f"{each.message}{_stands(each)}" for each in new.asks if each.message not in agreed]
    told = [*first, *(f"asks: {each}" for each in asks)]
    match form:
        case Form.JSON:
            terminal.data(data(found, old.label, new.label, first, asks))
        case Form.MARKDOWN:
            terminal.result(markdown(found, told))
        case Form.SARIF:
            terminal.data(sarif(found, new.document))
        case Form.TEXT:
            for text, meaning in screen(found, first=told):
                terminal.colored(text, meaning)


def _stands(each: Diagnostic) -> str:
    return f"  [{each.file}:{each.position.line}]" if each.file and each.position else ""
