"""How to attach: which client, with what arguments and in which environment."""

from collections.abc import Mapping
from enum import StrEnum

from jailoc.model.agents.agent import Agent
from jailoc.model.base import Model
from jailoc.model.config import Config
from jailoc.model.diagnostic import refuse
from jailoc.model.path import NO_PROJECT
from jailoc.model.sandbox import AGENT_HOME

TERMINAL = ("TERM", "COLORTERM", "CLICOLOR_FORCE", "TERM_PROGRAM", "COLORFGBG", "LANG")
"""Variables that say what a terminal can show; a container knows none of them."""
TERMINAL_DEFAULTS = {
    "CLICOLOR_FORCE": "1",
    "COLORFGBG": "15;0",
    "COLORTERM": "truecolor",
    "LANG": "C.UTF-8",
}


class AttachMode(StrEnum):
    """Where the client runs."""

    REMOTE = "remote"
    EXEC = "exec"


class Request(Model):
    """What the user asked for."""

    path: str | None = None
    option: str = ""
    """What the path was given by, if not by its place."""
    session: str | None = None
    resume: bool = False
    mode: AttachMode | None = None


def configured(config: Config, workspace: str) -> str:
    """Return the mode that the configuration names, the workspace's first; empty if none."""
    mine = config.workspaces[workspace].mode
    return config.mode if mine is None else mine


def wants_host(asked: AttachMode | None, wanted: str) -> bool:
    """Tell whether somebody wants the client of this machine, which obeys the agent's server."""
    return (asked or wanted) == AttachMode.REMOTE


def choose(
    asked: AttachMode | None, wanted: str, workspace: str, agent: Agent, exposed: bool, client: bool
) -> AttachMode:
    """Decide where the client runs.

    Args:
        asked: The flag, if one was given.
        wanted: What the configuration says, or nothing.
        workspace: The workspace's name, for messages.
        agent: Its agent, which may forbid a client on the host.
        exposed: Whether the server's port is published.
        client: Whether the host has a client.

    Raises:
        Refused: remote attach is wanted and cannot be had.
    """
    if not agent.on_host and asked is AttachMode.REMOTE:
        raise refuse(
            "client-host-forbidden",
            f"workspace `{workspace}` has {agent.label}, whose client runs what the server names: "
            "on this machine that would be the agent's code",
            hint="leave --remote out: the sandbox has a client of its own",
        )
    if not agent.on_host or not wants_host(asked, wanted):
        return AttachMode.EXEC
    if not exposed:
        if asked is AttachMode.REMOTE:
            raise refuse(
                "port-closed",
                f"workspace `{workspace}` cannot be attached to in remote mode: "
                "its port is not exposed",
                hint="leave --remote out, or set expose_port = true",
            )
        return AttachMode.EXEC
    if not client:
        raise refuse(
            "client-missing",
            f"remote mode needs {' or '.join(f'`{each}`' for each in agent.client.names)} on PATH",
            hint=f"install {agent.name}, or use --exec: the sandbox has a client of its own",
        )
    return AttachMode.REMOTE


def arguments(agent: Agent, url: str, directory: str, request: Request) -> tuple[str, ...]:
    """Return the client's arguments; the password is never one of them."""
    return tuple(agent.client.arguments(url, directory, request.session, request.resume))


def remote_environment(
    environment: Mapping[str, str], workspace: str, agent: Agent, password: str
) -> dict[str, str]:
    """Return the environment of a client on the host.

    Args:
        environment: jailoc's own, its PATH without what an agent can write to.
        workspace: The workspace's name.
        agent: Its agent.
        password: The server's.
    """
    kept = dict(environment) | {"JAILOC": "1", "JAILOC_WORKSPACE": workspace, "PWD": NO_PROJECT}
    for each in ("OLDPWD", *agent.client.withheld):
        kept.pop(each, None)
    kept |= dict.fromkeys(agent.passwords, password) | agent.client.environment
    # A proxy would be told the password.
    for name, other in (("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")):
        named = environment.get(name) or environment.get(other)
        kept[name] = f"{named},127.0.0.1" if named else "127.0.0.1"
    return kept


def inner_environment(
    environment: Mapping[str, str], agent: Agent | None, tui: str | None
) -> dict[str, str]:
    """Return what a client in the container gets on top of the container's environment.

    Args:
        environment: jailoc's own, for what it says about the terminal.
        agent: Whose client it is, if it is one's.
        tui: The client's configuration in the container, if it is there.
    """
    shown = {name: environment.get(name) or TERMINAL_DEFAULTS.get(name) for name in TERMINAL}
    extra = {name: value for name, value in shown.items() if value}
    if agent and agent.plugin and tui:
        extra[agent.plugin.variable] = tui
    return {"HOME": AGENT_HOME} | extra
