"""`verify`: compare a running sandbox with its model, from inside."""

from collections.abc import Container, Iterator

from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import apply, check, committed, existence, uncovered
from jailoc.bin.terminal.exit_status import DIFFERENT
from jailoc.bin.terminal.terminal import Terminal, visible
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import resolve
from jailoc.generators.powers.asked import HeldPower, agreed, behind, data
from jailoc.generators.powers.entries import position
from jailoc.generators.runtime.uncovered import beyond, told
from jailoc.generators.runtime.verify import Check, fields
from jailoc.model.config import Expect
from jailoc.model.document import Document
from jailoc.model.firewall import Firewall
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import typed
from jailoc.model.text import MOST_SHOWN, number_of
from jailoc.model.workspace import Workspace


def run(session: Session, as_json: bool, everything: bool) -> int:
    """Look at a running workspace from inside, and compare all of it with what was compiled.

    Returns:
        0 if nothing differs, 2 if something does.
    """
    origin, terminal = session.source(expectations=False), session.terminal
    name = session.chosen(origin)
    bundle = compile_workspace(origin.config, name, origin.host)
    existence.running(session, name)
    expect = origin.config.workspaces[name].expect
    checks = check.whole(bundle, (*expect.reach, *expect.block), terminal.say)
    item = apply.item(session, origin, name, complete=False, ask=False, compiled=bundle)
    checks += fields(apply.planned(terminal, item))
    checks += _exposed(resolve(origin.config, name, origin.host), checks)
    checks += _committed(origin, name)
    wrong = [each for each in checks if not each.ok]
    document = origin.document
    powers = _Powers(bundle.firewall, document, name, expect, origin.host.own_addresses)
    if as_json:
        rows = [
            each.model_dump()
            | {
                "place": position(document, each.reason) if each.reason else None,
                "power": data(powers.power(each)),
                "agreed": data(powers.agreed(each)),
            }
            for each in checks
        ]
        terminal.data({"workspace": name, "ok": not wrong, "checks": rows})
        return DIFFERENT if wrong else 0
    _table(terminal, document, checks if everything else _short(checks), powers)
    if wrong:
        verb = "differs" if len(wrong) == 1 else "differ"
        of = number_of(len(checks), "check")
        terminal.say(f"{typed(name)}: {len(wrong)} of {of} {verb} from the model", Meaning.FAILS)
        return DIFFERENT
    terminal.say(f"{typed(name)}: all {len(checks)} checks are as the model says", Meaning.DONE)
    return 0


def _exposed(workspace: Workspace, checks: list[Check]) -> Iterator[Check]:
    """Yield what the agent can write and the host may execute, all the same."""
    gone = {each.subject for each in checks if each.kind == "mount" and each.found == "nothing"}
    covered = "the agent can write it (up covers it)"
    rows = [(line, covered) for line in uncovered.rows(workspace, gone.__contains__)]
    rows += [(line, "the agent can write it") for line in told(beyond(workspace, sockets=False))]
    for line, found in rows:
        yield Check(
            kind="executes", subject=visible(line), expected="covered", found=found, ok=False
        )


def _committed(origin: LoadedConfig, name: str) -> Iterator[Check]:
    """Yield what Git on the host would write over what is covered."""
    for line in committed.rows(origin, name):
        place, _, found = visible(line).rpartition(": ")  # a name may have that, and no words do
        yield Check(
            kind="committed", subject=place, expected="as in the working tree", found=found,
            ok=False,
        )  # fmt: skip


def _short(checks: list[Check]) -> list[Check]:
    """Sum up what is as it should be; what differs is always shown."""
    kept: list[Check] = []
    for kind in dict.fromkeys(each.kind for each in checks):
        mine = [each for each in checks if each.kind == kind]
        good = [each for each in mine if each.ok]
        if good:
            states = ", ".join(
                f"{sum(each.found == state for each in good)} {state}"
                for state in dict.fromkeys(each.found for each in good)
            )
            summary = states if kind in {"probe", "mount"} else "as compiled"
            kept.append(
                Check(kind=kind, subject=f"{len(good)} of {len(mine)}", expected=summary,
                      found=summary, ok=True)
            )  # fmt: skip
        wrong = [each for each in mine if not each.ok]
        kept += wrong[:MOST_SHOWN] if kind in _AGENTS else wrong
        if wrong[MOST_SHOWN:] and kind in _AGENTS:  # an agent can make any number of them
            more = f"and {len(wrong) - MOST_SHOWN} more"
            kept.append(wrong[0].model_copy(update={"subject": more}))
    return kept


_AGENTS = ("executes", "committed")
"""Kinds of checks of what an agent has made."""


class _Powers:
    """What the rows of a table have to do with powers."""

    def __init__(
        self, firewall: Firewall, document: Document, name: str, expect: Expect, own: Container[str]
    ) -> None:
        self._firewall = firewall
        self._own = own
        self._document = document
        self._agreed = {
            text: (agreed(target, closed=closed), f"workspaces.{name}.expect.{key}[{index}]")
            for key, closed, targets in (
                ("reach", False, expect.reach),
                ("block", True, expect.block),
            )
            for index, target in enumerate(targets)
            for text in (target.text, target.name)
            if text
        }

    def power(self, check: Check) -> HeldPower | None:
        """Return the power or the guard behind what was probed."""
        if check.kind != "probe" or check.reason is None:
            return None
        opened = check.expected == "open"
        return behind(self._firewall, check.reason, opened=opened, own=self._own)

    def agreed(self, check: Check) -> HeldPower | None:
        """Return what was agreed of it."""
        found = self._found(check)
        return None if found is None else found[0]

    def told(self, check: Check) -> Iterator[str]:
        """Yield the lines that say so."""
        if power := self.power(check):
            yield str(power)
        if found := self._found(check):
            place = position(self._document, found[1])
            yield f"agreed: {found[0]}" + (f" ({place})" if place else "")

    def _found(self, check: Check) -> tuple[HeldPower, str] | None:
        what = check.subject.partition(" (")[2].removesuffix(")")
        return self._agreed.get(what) if check.kind == "probe" else None


def _table(
    terminal: Terminal, document: Document, checks: list[Check], powers: _Powers | None = None
) -> None:
    for each in checks:
        mark = terminal.verdict("ok     ", good=True) if each.ok else terminal.verdict("DIFFERS")
        values = each.expected if each.ok else f"expected {each.expected}, found {each.found}"
        place = position(document, each.reason) if each.reason else None
        because = f"  because of {each.reason}" if each.reason else ""
        where = f" ({place})" if place else ""
        told = visible(f"{each.kind:9}  {each.subject}  {values}{because}{where}")
        terminal.result(f"{mark}  {told}")
        for line in powers.told(each) if powers else ():
            terminal.result(f"         {visible(line)}")
