"""What is wrong, where, and what to do about it: the one error type of jailoc."""

import re
from collections.abc import Collection
from enum import StrEnum

from jailoc.model.base import Model


class Severity(StrEnum):
    """How much a diagnostic weighs: an error stops the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Position(Model):
    """A place in a text file. Lines and columns count from 1, columns in characters."""

    line: int
    column: int


class Diagnostic(Model):
    """One problem, as data: `bin` decides how it looks and which exit code follows."""

    code: str
    message: str
    severity: Severity = Severity.ERROR
    file: str | None = None
    position: Position | None = None
    where: str | None = None
    """Dotted path of the key, `workspaces.api.paths[0]`."""
    text: str | None = None
    """The source line at `position`."""
    allowed: str | None = None
    hint: str | None = None

    def about(self, names: Collection[str]) -> bool:
        """Tell whether it is about all workspaces, or about one of these; of a task, about its."""
        match = re.match(r'workspaces\."?([A-Za-z0-9._/-]+?)"?(?:\.|$)', self.where or "")
        every = {*names, *(each.partition("/")[0] for each in names)}
        # Where two are concerned, it stands at one of them and names the other.
        return match is None or any(
            each == match[1] or f"`{each}`" in self.message for each in every
        )

    @property
    def order(self) -> tuple[int, int, str]:
        """Return what sorts diagnostics of one file by their place in it."""
        place = self.position
        return (place.line, place.column, self.code) if place else (0, 0, "")


class Refused(Exception):  # noqa: N818 -- a verdict on the input, not a fault of the program
    """Input that cannot be used. Carries every problem found, never only the first."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("; ".join(diagnostic.message for diagnostic in diagnostics))
        self.diagnostics = diagnostics


def refuse(
    code: str, message: str, *, allowed: str | None = None, hint: str | None = None
) -> Refused:
    """Build the refusal for a single problem that has no place in a file."""
    return Refused((Diagnostic(code=code, message=message, allowed=allowed, hint=hint),))
