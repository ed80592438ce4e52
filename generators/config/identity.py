"""What hands the user's own identity to an agent: secrets that are keys, and the SSH agent."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.doubts import scoped
from jailoc.generators.config.resolve import names
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.forbidden_paths import precious
from jailoc.model.host import Host


def identity(document: Document, config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each entry that lets an agent act as the user."""
    for at, scope in scoped(config):
        for destination, secrets in (("env", scope.secrets.env), ("file", scope.secrets.file)):
            for name, source in secrets.items():
                reason = precious(source.from_file, host) if source.from_file else None
                if reason is not None:
                    yield found(
                        document,
                        (*at, "secrets", destination, name, "from_file"),
                        "secret-identity",
                        f"the agent gets a secret that is more than one: {reason}",
                        hint="make a key or token for the agent alone, which can be withdrawn",
                    )
    told: set[Path] = set()
    for name in names(config):
        mine = config.workspaces[name].ssh_auth_sock
        at = ("defaults",) if mine is None else ("workspaces", name)
        wanted = config.defaults.ssh_auth_sock if mine is None else mine
        if wanted and at not in told:
            told.add(at)
            yield _agent(document, (*at, "ssh_auth_sock"), host)


def _agent(document: Document, where: Path, host: Host) -> Diagnostic:
    if host.ssh_agent is None:
        return found(
            document,
            where,
            "ssh-agent",
            "there is no SSH agent to hand in: SSH_AUTH_SOCK names none",
            hint="start one (ssh-agent(1)) and run jailoc where it is known",
        )
    return found(
        document,
        where,
        "ssh-agent",
        "the agent can sign and log in with every key that the SSH agent holds",
        hint="an SSH agent of its own with one key limits that: `ssh-agent -P ''` loads no "
        "library, `ssh-add -c` asks each time",
    )
