"""Whose a workspace on the engine is: users of one engine can give theirs the same name."""

import os
from collections.abc import Iterable

from jailoc.bin.host.paths import cache_directory
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import workspace_of


def mine(project: str, directory: str) -> bool:
    """Tell whether a container of a project is one's own, or nobody knows whose."""
    try:
        check(project, (directory,))
    except Refused:
        return False
    return True


def check(project: str, directories: Iterable[str]) -> None:
    """Refuse to touch, or to show as one's own, what somebody else has made under the same name.

    Args:
        project: A Compose project.
        directories: Of the generated files that its containers were made from; empty where nobody
            knows.

    Raises:
        Refused: naming where it was made.
    """
    name = workspace_of(project)
    if name is None:
        return
    mine = cache_directory() / name
    for each in directories:
        if each and each != str(mine) and os.path.realpath(each) != os.path.realpath(mine):
            raise refuse(
                "foreign",
                f"the containers of workspace `{name}` on this engine are not yours: they were "
                f"made from `{each}`",
                hint="give yours another name, which one user of an engine can have; or whoever "
                "made them removes them",
            )
