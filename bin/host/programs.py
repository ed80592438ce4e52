"""Where programs of this machine are looked for: nowhere that an agent can write to."""

import os
import shutil
from collections.abc import Callable


def _nothing(_: str) -> bool:
    return False


class _Known:
    """What is known of agents: nothing, until somebody has said it."""

    changeable: Callable[[str], bool] = staticmethod(_nothing)


def pass_over(changeable: Callable[[str], bool]) -> None:
    """Look for no program any more where agents decide what is there.

    Args:
        changeable: Tells of an absolute path whether an agent can change it.
    """
    _Known.changeable = staticmethod(changeable)


def changeable(place: str) -> bool:
    """Tell whether an agent can change what is at an absolute path."""
    return _Known.changeable(place)


def folders() -> list[str]:
    """Return the directories of PATH.

    A relative one is another directory wherever one goes, a project too.
    """
    return [each for each in os.get_exec_path() if each.startswith("/")]


def search_path() -> str:
    """Return PATH without directories that an agent can write to."""
    # An empty PATH is the working directory, which is a project.
    return os.pathsep.join(each for each in folders() if not changeable(each)) or os.defpath


def passed_over(name: str) -> str | None:
    """Return what a program would be that an agent can change; None if it is none of those."""
    every = os.pathsep.join(folders())
    found = name if "/" in name else shutil.which(name, path=search_path())
    if found is None:
        found = shutil.which(name, path=every)
    return found if found is not None and changeable(found) else None
