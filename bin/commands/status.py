"""`status`: show what runs."""

import sys
import time
from typing import Any, NoReturn

from jailoc.bin.config.session import Session
from jailoc.bin.deploy import survey
from jailoc.bin.deploy.survey import Survey
from jailoc.bin.terminal.terminal import Terminal, visible
from jailoc.generators.runtime.committed import WORDS
from jailoc.generators.views.status import Cell, detail, table
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import typed
from jailoc.model.status import NOT_RUNNING, Status
from jailoc.model.text import number_of, some

PAUSE = 2.0
"""Seconds from one look to the next while watching."""


def run(session: Session, as_json: bool, watch: bool, all_users: bool) -> int:
    """Show the state of one workspace, or of all; while watching, again and again.

    Returns:
        1 if the configuration cannot be used; what runs is shown all the same.
    """
    terminal, wanted = session.terminal, session.workspace
    if watch:
        try:
            _watch(session, as_json, all_users)
        except KeyboardInterrupt:
            terminal.end_line()
            return 0
    seen = survey.look(session, wanted, all_users=all_users)
    if as_json:
        terminal.data(_data(seen))
    else:
        _show(terminal, seen, single=wanted is not None)
        if not seen.problems and session.starter:
            terminal.say(
                "there is no configuration: this is the starter's; `jailoc init --here` in a "
                "project writes one"
            )
    terminal.diagnose(seen.problems)
    return 1 if seen.problems else 0


def _watch(session: Session, as_json: bool, all_users: bool) -> NoReturn:
    terminal, wanted = session.terminal, session.workspace
    first = True
    while True:
        begun = time.monotonic()
        seen = survey.look(session, wanted, all_users=all_users)
        if as_json:
            terminal.line(_data(seen))
        else:
            if not terminal.redraw() and not first:
                terminal.result("")
            _show(terminal, seen, single=wanted is not None)
        terminal.diagnose(seen.problems)
        first = False
        time.sleep(max(0.0, PAUSE - (time.monotonic() - begun)))


def _data(seen: Survey) -> dict[str, Any]:
    return {"workspaces": [each.model_dump(mode="json") for each in seen.rows]}


def _show(terminal: Terminal, seen: Survey, *, single: bool) -> None:
    if single:
        _one(terminal, seen.rows[0])
    else:
        # Where the configuration cannot be used and nothing runs there is nothing to tell.
        rows = table(seen.rows, terminal.width) if seen.rows or not seen.problems else ()
        for index, line in enumerate(rows):
            text = "  ".join(_paint(terminal, cell) for cell in line).rstrip()
            if index:
                terminal.result(text)
            else:
                terminal.heading(text)
        for row in seen.rows:
            if row.unresolved:
                terminal.say(
                    f"{typed(row.workspace)}: no address yet for {', '.join(row.unresolved)}; "
                    "asked again every few seconds",
                    Meaning.WARNS,
                )
        _tasks(terminal, seen)
    for row in () if single else seen.rows:
        _uncovered(terminal, row)
    for row in seen.rows:
        if row.problem:
            terminal.say(f"{typed(row.workspace)}: {row.problem}", Meaning.FAILS)
        if not single and row.drift and row.configured:
            name = typed(row.workspace)
            terminal.say(
                f"{name}: what runs is not what the configuration says: `jailoc plan {name}` shows "
                f"how, `jailoc up {name}` brings it up to date",
                Meaning.WARNS,
            )
        if not row.well:
            terminal.say(f"see: jailoc logs {typed(row.workspace)}", Meaning.WARNS)


def _uncovered(terminal: Terminal, row: Status) -> None:
    """Say what the host may execute and the agent can write."""
    what = f"{typed(row.workspace)}: the host may execute what the agent can write"
    if row.uncovered:
        lines = ", ".join(some(row.uncovered))
        terminal.say(
            f"{what}: {lines}; `jailoc up {typed(row.workspace)}` covers it", Meaning.FAILS
        )
    if row.uncoverable:
        lines = ", ".join(some(row.uncoverable))
        terminal.say(f"{what}, and nothing covers it: {lines}", Meaning.FAILS)
    if row.committed:
        lines = ", ".join(some(row.committed))
        terminal.say(f"{typed(row.workspace)}: {WORDS}: {lines}", Meaning.FAILS)


def _tasks(terminal: Terminal, seen: Survey) -> None:
    for row in seen.rows:
        if row.pids_refused:
            terminal.say(
                f"{row.workspace}: the agent has had as many processes and threads as it may "
                f"({row.limits.pids}), and was refused more {number_of(row.pids_refused, 'time')}; "
                "`pids` raises the limit",
                Meaning.WARNS,
            )


def _one(terminal: Terminal, row: Status) -> None:
    if not row.here and row.wall == NOT_RUNNING:
        terminal.result(
            terminal.paint(f"{typed(row.workspace)} is not running", Meaning.WARNS, sys.stdout)
        )
        return
    for label, cell in detail(row):
        terminal.result(terminal.paint(label, Meaning.NOTES, sys.stdout) + _paint(terminal, cell))


def _paint(terminal: Terminal, cell: Cell) -> str:
    text = visible(cell.text)
    return terminal.paint(text, cell.style, sys.stdout) if cell.style else text
