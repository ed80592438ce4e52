"""Tell somebody who has not seen the plan what it interrupts, and what becomes critical."""

from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.palette import Meaning
from jailoc.model.plan import Action, Plan
from jailoc.model.plan_address import ServiceAddress
from jailoc.model.power import Rank


def tell(terminal: Terminal, made: Plan) -> None:
    """Say what is interrupted, and why, to somebody who has not seen the plan."""
    for change in made.changes:
        if isinstance(change.address, ServiceAddress) and change.action is not Action.CREATE:
            causes = change.causes or tuple(f"{each.name} changes" for each in change.fields)
            what = f"{change.action} {change.address.name}"
            terminal.say(f"{what}: {'; '.join(causes)}", Meaning.WARNS)
    for power in () if made.new else made.powers:
        if power.widens and power.rank is Rank.CRITICAL:
            terminal.say(f"critical: {power.text}", Meaning.FAILS)
