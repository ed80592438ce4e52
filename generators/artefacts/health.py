"""How the engine asks whether the agent's server is well, in the agent's container."""

from jailoc.model.agents.agent import Agent
from jailoc.model.sandbox import FIRST_PORT, PASSWORD_FILE, SECRETS_PLACE, SYSTEM_PATH

ANSWER_LIMIT = 64 << 10
"""Bytes of a server's answer to the question how it is."""


def health_check(agent: Agent) -> str:
    """Return the shell's question to the server, which succeeds if it is well."""
    # The password travels through curl's standard input: arguments can be read by every process.
    user = f's/[\\\\"]/\\\\&/g; s/^/user = "{agent.user}:/; s/$/"/'
    answer = f"--max-filesize {ANSWER_LIMIT}" if agent.health.body else "--output /dev/null"
    asked = (
        # Before the mounts are proved nobody asks, and what the agent has put on its path is last.
        f"[ -f {SECRETS_PLACE}/{PASSWORD_FILE} ] || exit 1; PATH={SYSTEM_PATH}:$PATH; "
        # The server is on loopback, which answers in a network that the wall has left, too: there
        # is a route in the wall's alone (proc(5): one line of heads).
        "{ read -r _ && read -r _; } </proc/net/route || exit 1; "
        f"sed '{user}' {SECRETS_PLACE}/{PASSWORD_FILE} | "
        f"curl --silent --fail {answer} --max-time 5 --noproxy '*' --config - "
        f"http://127.0.0.1:{FIRST_PORT}{agent.health.path}"
    )
    if not agent.health.body:
        return asked
    return f"case $({asked}) in {agent.health.pattern}) ;; *) exit 1 ;; esac"
