"""One run: what was asked for, the configuration (parsed once), the terminal and the clock."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from jailoc.bin.config import task_records
from jailoc.bin.config.source import LoadedConfig, current_directory, gathered, text_of
from jailoc.bin.host import paths
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import names
from jailoc.generators.config.select import nameless_workspace, unknown_workspace
from jailoc.generators.config.tasks import with_tasks
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document
from jailoc.model.sandbox import typed


@dataclass
class _File:
    """The configuration file as it was read last; every view of a session shares it."""

    text: str | None = None
    document: Document | None = None
    starter: bool = False
    checked: dict[bool, LoadedConfig] = field(default_factory=dict)
    change: tuple[str | None, str] | None = None


def _unreported(error: Exception, terminal: Terminal) -> int:
    raise error


@dataclass(frozen=True)
class Session:
    """What every command is given; made once, by the command line."""

    terminal: Terminal
    config: str | None = None
    """The value of `--config`, if it was given."""
    workspace: str | None = None
    """The workspace that was named, if one was."""
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""
    report: Callable[[Exception, Terminal], int] = _unreported
    """Shows an error, records it and returns the exit status: for commands that go on after one."""
    command: str = ""
    """The name of the command that runs, for hints."""
    _file: _File = field(default_factory=_File)

    @property
    def path(self) -> Path:
        """Return where the configuration file is, or would be."""
        return paths.config_file(self.config)

    @property
    def starter(self) -> bool:
        """Tell whether there is no file, so that the starter configuration is in effect."""
        self.document()
        return self._file.starter

    @property
    def change(self) -> tuple[str | None, str] | None:
        """Return the text that the file had before this run changed it, and the one since.

        The first is None where there was no file; all is None where this run has changed nothing.
        """
        return self._file.change

    def changed(self, before: str | None, now: str) -> None:
        """Keep what this run has made of the file."""
        self._file.change = before, now

    def text(self) -> str:
        """Return the text of the file, as it was read last."""
        self.document()
        return self._file.text or ""

    def document(self) -> Document:
        """Return the parsed file; it is read once a run.

        Raises:
            Refused: it cannot be read, or is no TOML.
        """
        return self._file.document or self._read()

    def source(self, *, expectations: bool = True) -> LoadedConfig:
        """Return the checked configuration, and the machine as it was when it was first asked for.

        Args:
            expectations: Whether those that the rules do not meet count as problems.

        Raises:
            Refused: the file cannot be read, or something in it is wrong.
        """
        known = self._file.checked.get(expectations)
        if known is None:
            known = self._gathered(expectations=expectations)
            self._file.checked[expectations] = known
        return known

    def for_removal(self) -> LoadedConfig:
        """Return the configuration for a run that only removes, although an agent may write it.

        To remove what was started is the way out where a place is an agent's no more.

        Raises:
            Refused: the file cannot be read, or something else in it is wrong.
        """
        try:
            known = self._gathered(expectations=False)
        except Refused:  # what it trusts counts for nothing then
            known = self._gathered(expectations=False, removes=True)
        self._file.checked |= {True: known, False: known}
        return known

    def _gathered(self, *, expectations: bool, removes: bool = False) -> LoadedConfig:
        document = self.document()
        known = gathered(
            document, starter=self._file.starter, expectations=expectations, removes=removes
        )
        beside = with_tasks(known.config, task_records.every(), known.host)
        return replace(known, config=beside)

    def chosen(
        self,
        origin: LoadedConfig,
        at: str | None = None,
        *,
        strict: bool = False,
        other: str | None = None,
    ) -> str:
        """Return the workspace that was named, that of a directory, `default`, or the only one.

        Args:
            origin: The configuration.
            at: The directory; the current one by default.
            strict: Whether the only one there is will not do, for what cannot be taken back.
            other: What to do, said where the name is none, and near to none.

        Raises:
            Refused: there is none of that name; the hint has the command with one that there is.
        """
        name, every = origin.chosen(self.workspace, at), names(origin.config)
        if name in origin.config.workspaces:
            return name
        if self.workspace is not None:
            raise unknown_workspace(name, every, other)
        if len(every) == 1 and not strict:
            told = f"this directory is in no workspace: {typed(every[0])} is meant, the only one"
            if sys.stderr.isatty() and self.terminal.first(told):
                self.terminal.say(told)
            return every[0]
        raise nameless_workspace(at or current_directory(), every, self.command)

    def reread(self, *, expectations: bool = True) -> LoadedConfig:
        """Return the configuration as it is now, for the machine as it is now.

        The file is read, and parsed only if it is another one than before.

        Raises:
            Refused: the file cannot be read, or something in it is wrong.
        """
        self._read()
        self._file.checked.clear()
        return self.source(expectations=expectations)

    def _read(self) -> Document:
        text, starter = text_of(self.path, paths.config_is_named(self.config))
        known = self._file.document
        if known is None or text != self._file.text:
            document = Document(text, str(self.path), paths.config_label(self.config))
        else:
            document = known
        self._file.text, self._file.document, self._file.starter = text, document, starter
        return document

    def prefixed(self, prefix: str) -> "Session":
        """Return the same session, with a prefix before every line of talk."""
        return replace(self, terminal=self.terminal.prefixed(prefix))

    def of(self, workspace: str) -> "Session":
        """Return the same session, about another workspace."""
        return replace(self, workspace=workspace)

    def on(self, config: str) -> "Session":
        """Return a session on another configuration file."""
        return replace(self, config=config, _file=_File())
