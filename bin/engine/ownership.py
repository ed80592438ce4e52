"""Whose a workspace on the engine is: users of one engine can give theirs the same name."""

import os
from collections.abc import Iterable

from jailoc.bin.host.paths import cache_directory
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import COMPOSE_PROJECT, workspace_of


def mine(project: str, directory: str) -> bool:
    """Tell whether a container of a project is one's own, or nobody knows whose."""
    try:
        check(project, (directory,))
    except Refused:
        return False
    return True


def made_here(name: str, directory: str) -> bool:
    """Tell whether something of a workspace was made from this user's generated files.

    Where links lead from what is written there says nothing: an agent can put one into a project,
    and have its user start something from there.

    Args:
        name: The workspace.
        directory: What it was made from; empty where nobody knows.
    """
    mine = cache_directory() / name
    return directory in {str(mine), os.path.realpath(mine)}


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
    for each in directories:
        if each and not made_here(name, each):
            raise refuse(
                "foreign",
                f"the containers of workspace `{name}` on this engine are not yours: they were "
                f"made from `{each}`",
                hint=f"`docker ps --all --filter label={COMPOSE_PROJECT}={project}` names them; "
                "give yours another name, which one user of an engine can have, or whoever made "
                "them removes them (`docker rm --force`): a compose file that you have started may "
                "have that name; if they are yours, HOME and XDG_CACHE_HOME say another place now",
            )
