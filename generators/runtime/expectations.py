"""Check what a workspace is expected to reach and not to reach, before anything runs."""

from collections.abc import Iterator

from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.config.conflicts import found
from jailoc.generators.config.resolve import names, resolve
from jailoc.generators.runtime.explain import opened, shut
from jailoc.model.allow_entry import AskedTarget
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.document import Document
from jailoc.model.firewall import Firewall
from jailoc.model.host import Host


def meet(document: Document, config: Config, host: Host) -> None:
    """Make sure that the rules do what each workspace expects of them.

    Raises:
        Refused: with a diagnostic at the line of every expectation that they do not meet.
    """
    if problems := unmet(document, config, host):
        raise Refused(tuple(sorted(problems, key=lambda each: each.order)))


def unmet(document: Document, config: Config, host: Host) -> tuple[Diagnostic, ...]:
    """Return a diagnostic at the line of every expectation that the rules do not meet."""
    problems: list[Diagnostic] = []
    for name in names(config):
        expect = config.workspaces[name].expect
        if not expect.reach and not expect.block:
            continue
        rules = walls.lower(walls.policy(resolve(config, name, host), host))
        rules = rules.facing(host.own_addresses)
        problems += unmet_by(document, name, rules, config)
    return tuple(problems)


def unmet_by(
    document: Document, name: str, rules: Firewall, config: Config
) -> Iterator[Diagnostic]:
    """Yield a diagnostic at the line of every expectation of a workspace that rules do not meet."""
    expect = config.workspaces[name].expect
    for index, target in enumerate(expect.reach):
        if not _reached(rules, target):
            yield found(
                document,
                ("workspaces", name, "expect", "reach", index),
                "expect",
                f"workspace `{name}` is expected to reach `{target.text}`, and its rules close it",
                "what the rules open",
                f"jailoc explain {name} {target.text}",
            )
    for index, target in enumerate(expect.block):
        if target.network is not None and not shut(rules, target.network, target.port):
            yield found(
                document,
                ("workspaces", name, "expect", "block", index),
                "expect",
                f"workspace `{name}` is expected not to reach `{target.text}`, and its rules open "
                "it or a part of it",
                "what the rules close",
                f"jailoc explain {name} {target.text}",
            )


def _reached(rules: Firewall, target: AskedTarget) -> bool:
    if target.network is not None:
        return opened(rules, target.network, target.port)
    return not rules.denial(target.name) and any(
        (each.covers(target.name) or each.key == target.name.lower())
        and each.port in {None, target.port}
        for each in rules.names
    )
