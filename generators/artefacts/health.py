"""How the engine asks whether what runs in a container is well."""

import shlex

from jailoc.model.agents.agent import ANSWER_SHOWN, Agent
from jailoc.model.sandbox import FIRST_PORT, PASSWORD_FILE, SECRETS_PLACE, SYSTEM_PATH

ANSWER_LIMIT = 64 << 10
"""Bytes of a server's answer to the question how it is."""
WATCH, PAUSE, SETTLED = 25, 5, 60
"""Seconds that a check of what is well goes on for, those between its looks, and the age of a
container from which on it does: to start a program in a container costs much more than a look."""
WATCH_TIMEOUT = 60
"""Seconds that such a check may take."""


def watched(question: str) -> str:
    """Return a shell's check that goes on looking while all is well, and ends at once if not.

    Args:
        question: Commands that end the shell, or end badly, if something is not well.
    """
    return (
        f"ask() {{ {question}; }}; ask || exit 1; "
        # Field 22 of proc(5)'s stat is when the first process was started, in hundredths.
        "read -r stat </proc/1/stat; read -r up _ </proc/uptime; set -- ${stat##*)}; "
        f"[ $((${{up%.*}} - ${{20}} / 100)) -ge {SETTLED} ] || exit 0; "
        f"for _ in {' '.join(map(str, range(1, WATCH // PAUSE + 1)))}; do "
        f"/bin/sleep {PAUSE}; ask || exit 1; done"
    )


def lacks_session(agent: Agent, directory: str) -> str:
    """Return the shell's question whether the server has no session of a directory to go on with.

    It succeeds if the server says so. The directory is quoted as a part of a URL (RFC 3986).
    """
    route = agent.sessions.format(directory=directory)
    # A server that has not seen a directory yet takes its time.
    return f"PATH={SYSTEM_PATH}:$PATH; [ \"$({_asked(agent, route, '10')})\" = '[]' ]"


def _asked(agent: Agent, route: str, most: str) -> str:
    """Return the shell's words that print what the server answers, in at most so many seconds."""
    # The password travels through curl's standard input: arguments can be read by every process.
    user = f's/[\\\\"]/\\\\&/g; s/^/user = "{agent.user}:/; s/$/"/'
    return (
        f"sed '{user}' {SECRETS_PLACE}/{PASSWORD_FILE} | "
        f"curl --silent --fail --max-filesize {ANSWER_LIMIT} --max-time {most} --noproxy '*' "
        f"--config - {shlex.quote(f'http://127.0.0.1:{FIRST_PORT}{route}')}"
    )


def health_check(agent: Agent) -> str:
    """Return the shell's question to the agent's server, which succeeds if it is well."""
    asked = (
        # Before the mounts are proved nobody asks, and what the agent has put on its path is last.
        f"[ -f {SECRETS_PLACE}/{PASSWORD_FILE} ] || exit 1; PATH={SYSTEM_PATH}:$PATH; "
        # The server is on loopback, which answers in a network that the wall has left, too: there
        # is a route in the wall's alone (proc(5): one line of heads).
        "{ read -r _ && read -r _; } </proc/net/route || exit 1; "
        # A server that is just beginning may take a question and forget it: the next is answered.
        f"for most in 1 5; do {_asked(agent, agent.health.path, '$most')} && break; done"
    )
    # What is not the answer is shown to the engine, which keeps it: it says who is there instead.
    return (
        f"answer=$({asked}) || exit 1; case $answer in {agent.health.pattern}) ;; "
        f"*) printf '%.{ANSWER_SHOWN}s' \"$answer\"; exit 1 ;; esac"
    )
