"""A task: a sandbox of its own beside a workspace's, whose project is a clone; and its record."""

from typing import Annotated, Literal

from pydantic import Field

from jailoc.model.base import Model
from jailoc.model.sandbox import TASK, WORKSPACE, task_sandbox

OBJECT = r"[0-9a-f]{40}([0-9a-f]{24})?"
"""How the name of an object looks, with SHA-1 or SHA-256 (gitformat-hash)."""

ObjectName = Annotated[str, Field(pattern=rf"^{OBJECT}$")]


class Task(Model):
    """What is written down of a task, once its clone is whole."""

    format: Literal[1] = 1
    workspace: str = Field(pattern=f"^{WORKSPACE}$")
    name: str = Field(pattern=f"^{TASK}$")
    repository: str
    """The working tree on the host that it was cloned from, absolute; where it is inside, too."""
    base: ObjectName
    """The commit that it began at."""
    port: int = Field(ge=1, le=65535)
    """Of its server, on the host's loopback address."""
    fetched: ObjectName | None = None
    """The last commit of it that came home."""

    @property
    def sandbox(self) -> str:
        """Return the name of its sandbox."""
        return task_sandbox(self.workspace, self.name)

    @property
    def branch(self) -> str:
        """Return the branch that its agent works on."""
        return branch(self.name)

    @property
    def reference(self) -> str:
        """Return what its commits are called in the repository on the host."""
        return f"refs/jailoc/{self.workspace}/{self.name}"

    @property
    def pending(self) -> str:
        """Return what is called so together with what was not committed."""
        return f"{self.reference}.wip"


def branch(name: str) -> str:
    """Return the branch of a task."""
    return f"task/{name}"
