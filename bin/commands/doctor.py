"""`doctor`: look at everything that a sandbox needs of the machine."""

from jailoc.bin.config import facts
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import doctor
from jailoc.bin.terminal.exit_status import ERROR
from jailoc.generators.runtime.doctor import failed, judge, report
from jailoc.model.doctor import CheckState, Machine
from jailoc.model.palette import Meaning

MEANINGS = {
    CheckState.OK: Meaning.DONE,
    CheckState.WARN: Meaning.WARNS,
    CheckState.FAIL: Meaning.FAILS,
}


def run(session: Session, as_json: bool, for_others: bool) -> int:
    """Show a row a check, with what it means and what mends it.

    Returns:
        1 if something keeps sandboxes from working, else 0.
    """
    machine, terminal = doctor.gather(session), session.terminal
    rows = judge(machine)
    status = ERROR if failed(rows) else 0
    if for_others:
        terminal.result(report(machine, rows, facts.home()).rstrip("\n"))
        return status
    if as_json:
        terminal.data({"ok": not status, "checks": [each.model_dump(mode="json") for each in rows]})
        return status
    width = max(len(each.check) for each in rows)
    for each in rows:
        terminal.marked(f"{each.state:4}", f"  {each.check:{width}}  {each.found}",
                        MEANINGS[each.state])  # fmt: skip
        if each.meaning:
            terminal.colored(f"      {'':{width}}  {each.meaning}", None)
        if each.mend:
            terminal.colored(f"      {'':{width}}  mend: {each.mend}", None)
    wrong = sum(each.state is CheckState.FAIL for each in rows)
    doubtful = sum(each.state is CheckState.WARN for each in rows)
    told = f"{wrong} of {len(rows)} checks failed, {doubtful} with a warning"
    terminal.say(told, Meaning.FAILS if wrong else Meaning.WARNS if doubtful else Meaning.DONE)
    if not wrong:
        terminal.say(f"next: {_next(session, machine, doubtful > 0)}")
    return status


def _next(session: Session, machine: Machine, doubtful: bool) -> str:
    """Return how to go on on a machine where nothing is in the way of all sandboxes."""
    mend = "mend what is warned about"
    if not any(each.name.startswith("workspace ") for each in machine.places):
        if not session.path.exists():  # what is to be written there comes after it
            return f"`jailoc init --here`{f', then {mend}' if doubtful else ''}"
        first = "`jailoc add DIRECTORY`"
    else:
        first = "`jailoc up`"
    return f"{mend}, then {first}" if doubtful else first
