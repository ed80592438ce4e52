"""The command line. Thin: it parses, calls one function a command, and maps errors to exit codes.

Exit codes: 0 fine, 1 any error (125 where a program is run), 2 differences where they are asked for
(`verify`). Nothing heavy is imported before a command needs it, not even the parser: help and
completion read a table.
"""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

from jailoc.bin.cli import command_line
from jailoc.bin.cli import help as manual
from jailoc.bin.cli.command_line import ASK
from jailoc.bin.cli.options import terminal
from jailoc.bin.terminal.exit_status import NOT_RUN

RUN_OTHERS = {("exec",), ("pause",), ("shell",)}
"""Commands whose exit status is that of a program that they run."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return the exit status; no error ever shows a traceback."""
    words = list(arguments)
    asked = words[:1] == [ASK]
    with nullcontext() if asked else _notice(words):
        try:
            if asked:
                from jailoc.bin.cli import completion

                terminal().result(completion.answer(words[1:]))
                return 0
            if (text := manual.answer(words)) is not None:
                terminal().result(text)
                return 0
            from jailoc.bin.cli import launch

            return launch.run(words)
        except KeyboardInterrupt:
            from jailoc.bin.host import log
            from jailoc.model.palette import Meaning

            log.info("interrupted")
            with suppress(OSError):  # the terminal may be what is gone
                terminal().say("interrupted", Meaning.WARNS)
            return NOT_RUN if command_line.read(words).path in RUN_OTHERS else 1
        except Exception as error:
            from jailoc.bin.cli.errors import report

            failed = report(error, terminal())
            return NOT_RUN if command_line.read(words).path in RUN_OTHERS else failed


def _notice(words: list[str]) -> AbstractContextManager[None]:
    """Look for a newer release where somebody could read of one."""
    if not sys.stderr.isatty():
        return nullcontext()
    from jailoc.bin.cli import update

    return update.notice(words)
