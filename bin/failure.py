"""The one table from errors to what people see and to exit codes."""

import os
import sys

from cyclopts import CycloptsError

from jailoc.bin.docker import DockerError
from jailoc.bin.terminal import Terminal
from jailoc.generators.validate import InvalidOutputError
from jailoc.model.diagnostic import Diagnostic, Refused


def report(error: Exception, terminal: Terminal) -> int:
    """Show an error and return the exit status, which is 1."""
    match error:
        case Refused():
            terminal.diagnose(error.diagnostics)
        case CycloptsError():
            _show(terminal, "usage", " ".join(str(error).split()), "run `jailoc --help`")
        case DockerError():
            for line in error.tail.splitlines():
                terminal.say(line, "dim")
            _show(terminal, "docker", f"{error.what} failed (status {error.status})")
        case BrokenPipeError():
            # Nobody reads any more; the interpreter must not try to flush either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        case OSError():
            place = f"`{error.filename}`: " if error.filename else ""
            _show(terminal, "system", f"{place}{error.strerror or error}")
        case InvalidOutputError():
            _show(terminal, "defect", f"jailoc made an invalid document: {error}",
                  "this is a defect of jailoc; nothing was written")  # fmt: skip
        case _:
            _show(terminal, "defect", f"unexpected {type(error).__name__}: {error}",
                  "this is a defect of jailoc; JAILOC_TRACEBACK=1 shows where")  # fmt: skip
            if os.environ.get("JAILOC_TRACEBACK"):
                raise error
    return 1


def _show(terminal: Terminal, code: str, message: str, hint: str | None = None) -> None:
    terminal.diagnose([Diagnostic(code=code, message=message, hint=hint)])
