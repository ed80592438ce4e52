"""Whether agents may use what they are given, as this engine has it; before anything starts."""

import os
from collections.abc import Iterable

from jailoc.bin.config import facts, user
from jailoc.bin.config.source import LoadedConfig
from jailoc.generators.config.ownership import inaccessible
from jailoc.model.diagnostic import Diagnostic, Refused, Severity, refuse
from jailoc.model.user import Reason, agent_user


def own() -> None:
    """Make sure that jailoc can write where it keeps what it generates and remembers.

    Raises:
        Refused: it cannot, with the variable that names another place.
    """
    for variable, place in (
        ("XDG_CACHE_HOME", facts.cache_directory()),
        ("XDG_DATA_HOME", facts.state_directory()),
    ):
        there = next(each for each in (place, *place.parents) if os.path.lexists(each))
        if not os.access(there, os.W_OK | os.X_OK):
            raise refuse(
                "home",
                f"`{place}` cannot be made or written: `{there}` does not allow it",
                hint=f"set {variable} to a directory that you can write",
            )


def check(origin: LoadedConfig, names: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Return every warning of a configuration, with what the engine adds to them.

    Raises:
        Refused: an agent may write none of the paths that it is to work on. Where root has chosen
            what is root's, with sudo(8) or without, that is a warning: it can be read, and no
            agent is root.
    """
    host = user.asked(origin.host)
    names = sorted(names)
    # Before the engine was asked, its users were a guess.
    guessed = ("defaults.", *(f"workspaces.{name}." for name in names))
    found = [
        each for each in origin.warnings
        if each.code != "permission" or not f"{each.where}.".startswith(guessed)
    ]  # fmt: skip
    for name in names:
        told, able = inaccessible(origin.document, origin.config, name, host)
        reason = agent_user(host, origin.config.workspaces[name].paths).reason
        if not able and reason not in {Reason.NOBODY, Reason.SUDO}:
            raise Refused(told)
        found += [each.model_copy(update={"severity": Severity.WARNING}) for each in told]
    return tuple(dict.fromkeys(found))
