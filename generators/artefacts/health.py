"""How the engine asks whether the agent's server is well, in the agent's container."""

from jailoc.model.agents.agent import ANSWER_SHOWN, Agent
from jailoc.model.sandbox import FIRST_PORT, PASSWORD_FILE, SECRETS_PLACE, SYSTEM_PATH

ANSWER_LIMIT = 64 << 10
"""Bytes of a server's answer to the question how it is."""


def health_check(agent: Agent) -> str:
    """Return the shell's question to the server, which succeeds if it is well."""
    # The password travels through curl's standard input: arguments can be read by every process.
    user = f's/[\\\\"]/\\\\&/g; s/^/user = "{agent.user}:/; s/$/"/'
    asked = (
        # Before the mounts are proved nobody asks, and what the agent has put on its path is last.
        f"[ -f {SECRETS_PLACE}/{PASSWORD_FILE} ] || exit 1; PATH={SYSTEM_PATH}:$PATH; "
        # The server is on loopback, which answers in a network that the wall has left, too: there
        # is a route in the wall's alone (proc(5): one line of heads).
        "{ read -r _ && read -r _; } </proc/net/route || exit 1; "
        f"sed '{user}' {SECRETS_PLACE}/{PASSWORD_FILE} | "
        f"curl --silent --fail --max-filesize {ANSWER_LIMIT} --max-time 5 --noproxy '*' --config - "
        f"http://127.0.0.1:{FIRST_PORT}{agent.health.path}"
    )
    # What is not the answer is shown to the engine, which keeps it: it says who is there instead.
    return (
        f"answer=$({asked}) || exit 1; case $answer in {agent.health.pattern}) ;; "
        f"*) printf '%.{ANSWER_SHOWN}s' \"$answer\"; exit 1 ;; esac"
    )
