"""What an agent's container starts with, on this machine and on a cluster alike."""

from jailoc.model.sandbox import FIRST_PORT
from jailoc.model.secret import VARIABLE, Destination
from jailoc.model.workspace import Workspace


def command(workspace: Workspace) -> tuple[str, ...]:
    """Return the words that `agent.sh` becomes.

    The shell that hands over the secrets drops names of variables that are none of its own;
    env(1) does not.
    """
    odd = [f"{each.key}={each.value}" for each in workspace.env if not VARIABLE.fullmatch(each.key)]
    return (*(("env", *odd) if odd else ()), *workspace.agent.command(FIRST_PORT))


def secret_variables(workspace: Workspace) -> str:
    """Return the text of `secret-env`: the secrets that are variables, a line each."""
    return "".join(
        f"{each.name}\n"
        for each in workspace.secrets
        if each.destination is Destination.ENVIRONMENT
    )
