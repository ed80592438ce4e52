"""The one table from errors to what people see, what the log keeps, and to exit codes."""

import errno
import os
import re
import shlex
import sys
import traceback
from contextlib import suppress
from typing import TextIO

from cyclopts import CycloptsError

from jailoc.bin.cli import usage_errors
from jailoc.bin.engine import docker
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.host import log
from jailoc.bin.terminal.exit_status import ERROR
from jailoc.bin.terminal.terminal import RESULTS, Terminal
from jailoc.generators.artefacts.validate import InvalidOutputError
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.palette import Meaning

_LOGIN = re.compile(r"://[^/@\s]+@")
"""Who logs in with what, in a URL."""

_HINTS = {
    "OCI runtime.*(errno|seccomp|resource)": "the engine could not run it, which may pass: try "
    "again; `jailoc doctor` looks at what it needs of this machine",
    "too many open files": "to remove what a container has written, the engine opens a file for "
    "each level of directories, and an agent may have made very many in each other: let the engine "
    "have more open files, or remove them below its data root, which `docker info` names",
}
"""What to do about what the engine says, by a pattern."""


def report(error: Exception, terminal: Terminal) -> int:
    """Show an error, record it, and return the exit status, which is 1."""
    _record(error)
    try:
        _tell(error, terminal)
    except OSError:
        _hang_up()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _hang_up(stream)  # it was told; the interpreter would tell it again
    return ERROR


def _tell(error: Exception, terminal: Terminal) -> None:
    match error:
        case Refused():
            terminal.diagnose(error.diagnostics)
        case CycloptsError():
            terminal.diagnose([usage_errors.diagnose(error)])
        case DockerError() if (refused := _silent_engine()) is not None:
            terminal.diagnose(refused.diagnostics)
        case DockerError():
            for line in error.tail.splitlines():
                terminal.say(line, Meaning.MUTED)
            _show(
                terminal,
                "docker",
                f"{error.what} failed (status {error.status})",
                next((hint for said, hint in _HINTS.items() if re.search(said, error.tail)), None),
            )
        case BrokenPipeError():
            _hang_up()
        case OSError():
            place = f"`{error.filename}`: " if error.filename else ""
            why = _WORDS.get(type(error)) or error.strerror or str(error)
            if error.filename == RESULTS:
                place, why = "", f"{RESULTS} takes nothing: {error.strerror}"
            _show(terminal, "system", f"{place}{why}", _MEANWHILE.get(error.errno or 0))
        case InvalidOutputError():
            _show(terminal, "defect", f"jailoc made an invalid document: {error}",
                  "this is a defect of jailoc; nothing was written")  # fmt: skip
        case _:
            _show(terminal, "defect", f"unexpected {type(error).__name__}: {error}",
                  "this is a defect of jailoc; JAILOC_TRACEBACK=1 shows where")  # fmt: skip
            if os.environ.get("JAILOC_TRACEBACK"):
                raise error


def _silent_engine() -> Refused | None:
    """Return the refusal of an engine that does not answer at all: then no answer was its fault."""
    try:
        docker.check_engine()
    except Refused as refused:
        return refused
    return None


_WORDS: dict[type[OSError], str] = {
    FileExistsError: "something is there already",
    IsADirectoryError: "is a directory, and a file is meant",
    NotADirectoryError: "something on the way to it is no directory",
}
"""What the system says in words of its own."""
_MEANWHILE = {
    errno.EINVAL: "it was another thing when it was looked at first: stop who changes it (of an "
    "agent: `jailoc down`), and try again"
}
"""What helps where a link became something else between two looks (readlink(2))."""


def _hang_up(*streams: TextIO) -> None:
    """Nobody reads any more; the interpreter must not try to flush either."""
    for stream in streams or (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _show(terminal: Terminal, code: str, message: str, hint: str | None = None) -> None:
    terminal.diagnose([Diagnostic(code=code, message=message, hint=hint)])


def _record(error: Exception) -> None:
    """Put an error into the log: what and where, and no text that could hold a value."""
    match error:
        case Refused():
            for each in error.diagnostics:
                place = each.position
                # What is said about the configuration quotes it, values of variables too.
                quoted = each.file or each.where
                log.error(
                    "refused",
                    code=each.code,
                    reason=None if quoted else _LOGIN.sub("://", each.message),
                    where=each.where,
                    file=each.file,
                    line=place.line if place else None,
                )
        case DockerError():
            argv = shlex.join(error.arguments)
            log.error("docker failed", what=error.what, status=error.status, argv=argv)
        case BrokenPipeError():
            log.info("nobody reads the output any more")
        case OSError():
            log.error("system", reason=error.strerror, file=str(error.filename or ""))
        case _:
            frame = traceback.extract_tb(error.__traceback__)[-1:]
            at = f"{frame[0].filename}:{frame[0].lineno}" if frame else None
            log.error("failed", type=type(error).__name__, at=at)
