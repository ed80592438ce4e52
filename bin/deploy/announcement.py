"""Tell somebody who has not seen the plan what it interrupts, and what of weight it opens."""

from jailoc.bin.engine import docker
from jailoc.bin.host import reverse_path
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts import git
from jailoc.generators.views.plan import inheritance
from jailoc.generators.views.review import RANKS
from jailoc.model.bundle import Bundle
from jailoc.model.palette import Meaning
from jailoc.model.plan import Action, Plan
from jailoc.model.plan_address import ServiceAddress
from jailoc.model.sandbox import AGENT


def tell(terminal: Terminal, made: Plan) -> None:
    """Say what is interrupted, and why, to somebody who has not seen the plan."""
    for change in made.changes:
        if isinstance(change.address, ServiceAddress) and change.action is not Action.CREATE:
            causes = change.causes or tuple(f"{each.name} changes" for each in change.fields)
            what = f"{change.action} {change.address.name}"
            terminal.say(f"{what}: {'; '.join(causes)}", Meaning.WARNS)
    for power in made.powers:
        if power.grave:
            terminal.say(f"{power.rank.upper()}: {power.text}", RANKS[power.rank])
    if left := inheritance(made):
        terminal.say(left, Meaning.WARNS)


def tell_password(terminal: Terminal, variable: str) -> None:
    """Say once a run that the agents get a password that opens more than their own server."""
    if variable and terminal.first(("password", variable)):
        terminal.say(
            f"`{variable}` of your environment becomes the server's password, which the agent "
            "reads: each server with the same one is open to it and to its pages; leave the "
            'variable out, or write `password_mode = "env"` if that is meant',
            Meaning.WARNS,
        )


def tell_limits(terminal: Terminal, bundle: Bundle) -> None:
    """Say what will not work, or not hold, on this machine."""
    if git.unsigned(bundle.compose.services[AGENT]):
        terminal.say(
            "Git signs nothing in the sandbox: no signing key can be reached there "
            "(with `gpg.format = ssh` and `ssh_auth_sock = true` it does)",
            Meaning.WARNS,
        )
    beside = any(each.namespace == "services" for each in bundle.compose.services.values())
    if beside and docker.endpoint().local and reverse_path.checked() is False:
        terminal.say(
            "a service can send datagrams (UDP) to programs of this machine; "
            "`sudo sysctl -w net.ipv4.conf.all.rp_filter=2` prevents it",
            Meaning.WARNS,
        )
