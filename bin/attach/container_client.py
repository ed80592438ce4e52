"""The client in the container: run as the agent, never as root.

It is the user's own program in the agent's hands, as all is that it shows. Nothing that is found
out here decides whether a sandbox is as it should be.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from jailoc.bin.attach import pty
from jailoc.bin.attach.watchdog import Watch
from jailoc.bin.engine import docker
from jailoc.generators.artefacts import health
from jailoc.generators.attach.client import inner_environment
from jailoc.model.agents.agent import Agent
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import (
    AGENT_HOME,
    AGENT_USER,
    GENERATED,
    PASSWORD_FILE,
    SECRETS_PLACE,
    SYSTEM_PATH,
)

DETACH = ",".join(["ctrl-^", "ctrl-@"] * 8)
"""A sequence that nobody types, in place of one that begins with a key of the client's."""
LONGEST = 4095
"""Bytes of a path (PATH_MAX)."""
TOKEN = "JAILOC_CLIENT"  # noqa: S105 -- the name of a variable

# Where only root can write comes first: the agent may have put one of its own on its path.
_FIND = """
client=
for folder in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
    [ -n "$client" ] || [ ! -x "$folder/$1" ] || client=$folder/$1
done
[ -n "$client" ] || client=$(command -v "$1") || client=
[ -z "$2" ] || [ ! -f "$2" ] || printf tui
printf '\\n%s' "$client"
"""
_RUN = """
NO_PROXY=${NO_PROXY-${no_proxy-}}
NO_PROXY=${NO_PROXY:+$NO_PROXY,}127.0.0.1
no_proxy=$NO_PROXY
export NO_PROXY no_proxy
exec "$@"
"""
_END = f"""
PATH={SYSTEM_PATH}
marked() {{
    for process in /proc/[0-9]*; do
        number=${{process#/proc/}}
        tr '\\0' '\\n' <"$process/environ" | grep -qx "{TOKEN}=$1" &&
            printf '%s ' "$number"
    done 2>/dev/null
}}
signal=TERM
for round in 1 2 3 4 5 6 7 8 9 10 11 12; do
    found=$(marked "$1")
    [ -n "$found" ] || exit 0
    kill -$signal $found 2>/dev/null
    sleep 0.2 || sleep 1
    [ "$round" != 10 ] || signal=KILL
done
"""


Begin = Callable[[list[str], dict[str, str]], pty.Ended]
"""Runs docker's command in its environment until its end."""


class Inner(NamedTuple):
    """The client of a container."""

    path: str
    tui: str | None


class Program(NamedTuple):
    """What is to run in a container."""

    container: str
    user: str
    token: str
    """Marks it, so that it can be found and ended."""
    arguments: list[str]
    """Docker's."""
    terminal: bool
    """Whether it gets one."""


def find(name: str, container: str, agent: Agent, user: str = AGENT_USER) -> Inner:
    """Return the client of a container.

    Raises:
        Refused: it has none.
    """
    tui_config = f"{GENERATED}/{agent.plugin.configuration}" if agent.plugin else ""
    text = docker.run(
        ["exec", "--user", user, container,
         "/bin/sh", "-c", _FIND, "jailoc", agent.binary, tui_config],
        what="looking for the client in the container",
        timeout=30,
    )  # fmt: skip
    tui, _, path = text.partition("\n")
    if not re.fullmatch(rf"/[^\x00-\x1f\x7f]{{1,{LONGEST}}}", path):
        raise refuse(
            "client-missing",
            f"the image of workspace `{name}` has no `{agent.binary}` on its PATH",
            hint="install it in the image, or attach with --remote",
        )
    return Inner(path, tui_config if tui else None)


def command(
    container: str,
    inner: Inner,
    agent: Agent,
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    user: str = AGENT_USER,
) -> Program:
    """Return a client in a container."""
    given = inner_environment(environment, agent, inner.tui)
    script = ("/bin/sh", "-c", _passwords(agent) + _RUN, "jailoc")
    return _program(container, user, given, (*script, inner.path, *arguments), terminal=True)


def has_directory(container: str, user: str, place: str) -> bool:
    """Tell whether there is a directory in a container, as its agent sees it."""
    what = "looking for a directory in the container"
    return _succeeds(container, user, what, '[ -d "$1" ]', "jailoc", place)


def lacks_session(container: str, user: str, agent: Agent, directory: str) -> bool:
    """Tell whether the server says that it has no session of a directory to go on with."""
    if not agent.sessions:
        return False
    script = health.lacks_session(agent, quote(os.fsencode(directory), safe=""))
    return _succeeds(container, user, "asking the server for its sessions", script)


def _succeeds(container: str, user: str, what: str, *script: str) -> bool:
    """Tell whether a shell's question in a container is answered, and with yes."""
    try:
        docker.run(["exec", "--user", user, container, "/bin/sh", "-c", *script],
                   what=what, timeout=30)  # fmt: skip
    except docker.DockerError:
        return False
    return True


def execution(
    container: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    terminal: bool,
    directory: str | None,
    user: str,
) -> Program:
    """Return a program in the agent's container.

    It begins as the agent itself does: with its secrets, and only once the mounts are proved.

    Args:
        container: The agent's.
        command: What to run, with its arguments.
        environment: jailoc's own, for what it says about the terminal.
        terminal: Whether it gets one.
        directory: Where it begins; where the container does by default.
        user: The agent's UID, and its GID.
    """
    given = inner_environment(environment, None, None) if terminal else {"HOME": AGENT_HOME}
    words = ("/bin/sh", f"{GENERATED}/agent.sh", *command)
    return _program(container, user, given, words, terminal=terminal, directory=directory)


def _program(
    container: str,
    user: str,
    given: Mapping[str, str],
    words: Sequence[str],
    *,
    terminal: bool,
    directory: str | None = None,
) -> Program:
    token = secrets.token_hex(16)
    options = ["--interactive", "--user", user]
    options += ["--tty", "--detach-keys", DETACH] if terminal else []
    options += ["--workdir", directory] if directory else []
    for key, value in {**given, TOKEN: token}.items():
        options += ["--env", f"{key}={value}"]
    return Program(container, user, token, ["exec", *options, container, *words], terminal)


def run(program: Program, watch: Watch, hint: str = "", *, begins: str = "") -> pty.Ended:
    """Run a program in a container until it ends or must be ended; nothing of it stays behind.

    Args:
        program: The program.
        watch: Looks whether it must be ended.
        hint: What it says before a session's name when it ends, if it does.
        begins: What is said while it has taken the whole screen and drawn nothing, if it does.

    Raises:
        Refused: there is no `docker` command.
        OSError: it cannot be started, or what it writes cannot be shown.
    """

    def begin(command: list[str], environment: dict[str, str]) -> pty.Ended:
        if program.terminal and pty.has_terminals():
            return pty.run(command, environment, watch, hint, foreign=True, begins=begins)
        return pty.run_directly(command, environment, watch)

    return attended(program, begin)


def attended(program: Program, begin: Begin) -> pty.Ended:
    """Let the caller run a program in a container; nothing of it stays behind.

    Raises:
        Refused: there is no `docker` command.
    """
    try:
        return docker.attend(program.arguments, begin)
    finally:
        # Docker leaves alone what has lost its client.
        end(program.container, program.token, program.user)


def _passwords(agent: Agent) -> str:
    """Return the shell's words that put the password into the client's variables."""
    read = f"$(/bin/cat {SECRETS_PLACE}/{PASSWORD_FILE}) || exit 1"
    return "".join(f"\n{name}={read}\nexport {name}" for name in agent.passwords)


def end(container: str, token: str, user: str = AGENT_USER) -> None:
    """End a client that its engine would leave running (a closed connection ends nothing)."""
    try:
        docker.run(
            ["exec", "--user", user, container, "/bin/sh", "-c", _END, "jailoc", token],
            what="ending the client in the container",
            timeout=10,
        )
    except docker.DockerError:
        # The container is gone, and the client with it.
        return
