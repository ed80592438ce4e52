"""The policies of an organisation on this machine: they hold beside each other, and none is left.

That of the machine lies where only root can write; `JAILOC_POLICY` adds another one to it.
"""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jailoc.bin.config import facts
from jailoc.bin.config.changeable import Recorded
from jailoc.bin.host import programs, regular
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic, Severity, refuse
from jailoc.model.document import Document
from jailoc.model.host import Host

if TYPE_CHECKING:  # it brings the compiler, and few machines have a policy
    from jailoc.generators.powers.policy import PolicyFile

MACHINE = "/etc/jailoc/policy.toml"
VARIABLE = "JAILOC_POLICY"


def files() -> "tuple[PolicyFile, ...]":
    """Return the policies that hold here.

    Raises:
        Refused: one cannot be read, or is wrong; then nothing may go on.
    """
    found = [MACHINE] if Path(MACHINE).exists() else []
    if named := os.environ.get(VARIABLE):
        place = str(Path(named).absolute())
        if programs.changeable(place) or Recorded()(place):
            raise refuse(
                "policy",
                f"policy `{named}` can be changed by an agent, which would be bound by nothing",
                hint="keep it outside of every writable path and mount",
            )
        found.append(named)
    if not found:
        return ()
    from jailoc.generators.powers.policy import read

    return tuple(read(_text(place), place) for place in dict.fromkeys(found))


def _text(place: str) -> str:
    try:
        return regular.read(place).decode("utf-8")
    except OSError as error:
        why = error.strerror or "unknown error"
    except UnicodeDecodeError as error:
        why = f"it is not UTF-8 (byte {error.start})"
    except regular.NotRegular as error:
        why = str(error)
    raise refuse(
        "policy",
        f"policy `{place}` cannot be read: {why}",
        hint="without its policy nothing of jailoc's goes on",
    )


def today() -> date:
    """Return the day in UTC."""
    return datetime.now(tz=UTC).date()


def judge(
    document: Document,
    config: Config,
    host: Host,
    policies: "tuple[PolicyFile, ...] | None" = None,
) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    """Return what the policies refuse, and what they want a person to agree to.

    Args:
        document: The configuration.
        config: What was loaded from it.
        host: The machine that it is for.
        policies: Those that hold; None for those of this machine.
    """
    hold = files() if policies is None else policies
    if not hold:
        return (), ()
    from jailoc.generators.artefacts import portable
    from jailoc.generators.powers.policy import asked, verdict

    # What is refused depends on no shell: a socket of the SSH agent may be there tomorrow.
    judged = host.model_copy(update={"agent_socket": host.agent_socket or portable.AGENT_SOCKET})
    sides = {name: portable.sides(config, name, judged) for name in config.workspaces}
    if not host.portable:
        host = facts.following(host, asked(hold, sides.values(), host.home))
    said = verdict(hold, document, config, host, sides, today())
    errors = tuple(each for each in said if each.severity is Severity.ERROR)
    return errors, tuple(each for each in said if each not in errors)
