"""The command that compares a running sandbox with its model: `verify`."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from jailoc.bin.cli.errors import DIFFERENT
from jailoc.bin.commands.blocked import closed, machine
from jailoc.bin.config import facts, source
from jailoc.bin.engine import containers, docker
from jailoc.bin.host import files as store
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.assets import asset
from jailoc.generators.plan.origins import position
from jailoc.generators.runtime.blocked import attempts
from jailoc.generators.runtime.probes import Place, Probe, probes
from jailoc.generators.runtime.verify import Check, bundle_names, judged, mounts, processes
from jailoc.model.allow_entry import Target
from jailoc.model.bundle import Bundle
from jailoc.model.diagnostic import refuse
from jailoc.model.document import Document
from jailoc.model.sandbox import AGENT, AGENT_USER, ASK_RESOLVER, FIREWALL, SIDECAR, WALL


def run(
    terminal: Terminal, config: str | None, wanted: str | None, as_json: bool, everything: bool
) -> int:
    """Look at a running workspace from inside, and compare all of it with what was compiled.

    Returns:
        0 if nothing differs, 2 if something does.
    """
    origin = source.read(config, expectations=False)
    name = origin.chosen(wanted)
    bundle = compile_workspace(origin.config, name, origin.host)
    found = {each.service: each for each in containers.containers(bundle.compose.name)}
    wall, agent = found.get(WALL), found.get(AGENT)
    if wall is None or agent is None or {wall.state, agent.state} != {"running"}:
        raise refuse(
            "not-running", f"workspace `{name}` is not running", hint=f"run `jailoc up {name}`"
        )
    expect = origin.config.workspaces[name].expect
    checks = [
        *_containers(bundle, found),
        *_rules(bundle, wall),
        *processes(containers.processes(agent.id)),
        *mounts(bundle.compose.services[AGENT], *containers.mounts(agent.id)),
        *_probes(terminal, bundle, wall, agent, (*expect.reach, *expect.block)),
    ]
    wrong = [each for each in checks if not each.ok]
    text, _ = source.text_of(facts.config_file(config), named=False)
    document = Document(text, origin.path)
    if as_json:
        rows = [
            each.model_dump() | {"place": position(document, each.reason) if each.reason else None}
            for each in checks
        ]
        terminal.data({"workspace": name, "ok": not wrong, "checks": rows})
        return DIFFERENT if wrong else 0
    _table(terminal, document, checks if everything else _short(checks))
    if wrong:
        terminal.say(f"{name}: {len(wrong)} of {len(checks)} checks differ from the model", "red")
        return DIFFERENT
    terminal.say(f"{name}: all {len(checks)} checks are as the model says", "green")
    return 0


def quick(bundle: Bundle) -> list[Check]:
    """Compare what runs with its model, without any packet: what every start is followed by."""
    found = {each.service: each for each in containers.containers(bundle.compose.name)}
    checks = [*_containers(bundle, found)]
    wall, agent = found.get(WALL), found.get(AGENT)
    if wall is None or agent is None or not all(each.ok for each in checks):
        return checks
    return [
        *checks,
        *_rules(bundle, wall),
        *processes(containers.processes(agent.id)),
        *mounts(bundle.compose.services[AGENT], *containers.mounts(agent.id)),
    ]


def _short(checks: list[Check]) -> list[Check]:
    """Sum up what is as it should be; what differs is always shown."""
    kept: list[Check] = []
    for kind in dict.fromkeys(each.kind for each in checks):
        mine = [each for each in checks if each.kind == kind]
        good = [each for each in mine if each.ok]
        if good:
            states = ", ".join(
                f"{sum(each.found == state for each in good)} {state}"
                for state in dict.fromkeys(each.found for each in good)
            )
            summary = states if kind in {"probe", "mount"} else "as compiled"
            kept.append(
                Check(kind=kind, subject=f"{len(good)} of {len(mine)}", expected=summary,
                      found=summary, ok=True)
            )  # fmt: skip
        kept += [each for each in mine if not each.ok]
    return kept


def _table(terminal: Terminal, document: Document, checks: list[Check]) -> None:
    for each in checks:
        mark = terminal.verdict("ok    ", good=True) if each.ok else terminal.verdict("DIFFERS")
        values = each.expected if each.ok else f"expected {each.expected}, found {each.found}"
        place = position(document, each.reason) if each.reason else None
        because = f"  because of {each.reason}" if each.reason else ""
        where = f" ({place})" if place else ""
        terminal.result(f"{mark}  {each.kind:9}  {each.subject}  {values}{because}{where}")


def _containers(bundle: Bundle, found: dict[str, containers.Container]) -> Iterator[Check]:
    for service in (WALL, AGENT, SIDECAR):
        if service in bundle.compose.services:
            there = found.get(service)
            state = "nothing" if there is None else there.health or there.state
            yield Check(
                kind="container", subject=service, expected="healthy", found=state,
                ok=state == "healthy",
            )  # fmt: skip


def _rules(bundle: Bundle, wall: containers.Container) -> Iterator[Check]:
    directory = Path(bundle.directory)
    for kind, files, hint in (
        ("rules", bundle.rules, "refresh"),
        ("files", bundle.fixed, "up"),
    ):
        differing = [each.path for each in files if store.differs([each], directory)]
        yield Check(
            kind=kind,
            subject=f"generated files against the configuration ({hint} renews them)",
            expected="as compiled",
            found=f"different: {', '.join(differing)}" if differing else "as compiled",
            ok=not differing,
        )
    live = containers.succeeds(wall.id, [*FIREWALL, "verify"])
    yield Check(
        kind="rules",
        subject="rules in the kernel against the generated ones",
        expected="as compiled",
        found="as compiled" if live else "different",
        ok=live,
    )
    own = containers.succeeds(wall.id, [*ASK_RESOLVER])
    yield Check(
        kind="names",
        subject="the port for names",
        expected="the wall's resolver",
        found="the wall's resolver" if own else "silent, or somebody else",
        ok=own,
    )


def _probes(
    terminal: Terminal,
    bundle: Bundle,
    wall: containers.Container,
    agent: containers.Container,
    expected: tuple[Target, ...],
) -> Iterator[Check]:
    state = containers.names(wall.id)
    before = containers.refusals(wall.id)
    place = Place(
        own=containers.addresses(wall.id),
        machine=machine(before),
        names={name: tuple(found) for name, found in state["names"].items()},
    )
    for name in bundle_names(bundle):
        known = place.names.get(name, ())
        yield Check(
            kind="names", subject=name, expected="an address", reason=None,
            found="an address" if known else "no address yet", ok=True,
        )  # fmt: skip
        if not known:
            terminal.say(f"{name} has no address yet, so it cannot be tried", "yellow")
    ipv6 = any(":" in each for each in place.own)
    rules = bundle.firewall.facing(closed(before))
    wanted = probes(rules, place, expected, ipv6)
    terminal.say(f"trying {len(wanted)} places")
    started = time.monotonic()
    words = _send(agent, wall, wanted)
    refused = {
        (each.address, each.protocol, each.port): each
        for each in attempts(containers.refusals(wall.id))
    }
    elapsed = time.monotonic() - started + 1
    tried = []
    for probe, word in zip(wanted, words, strict=True):
        attempt = refused.get((probe.address, probe.protocol, probe.port))
        tried.append((probe, word, attempt is not None and attempt.ago <= elapsed))
    yield from judged(rules, place, tried)


def _send(
    agent: containers.Container, wall: containers.Container, wanted: tuple[Probe, ...]
) -> list[str]:
    """Send the probes as the agent's user.

    They go out from its container or, where that has no Python, from the wall's: the network
    namespace is the same.
    """
    data = json.dumps(
        [(each.protocol.value, str(each.address), each.port or 0) for each in wanted]
    ).encode()
    program = asset("probe.py")
    for container in (agent, wall):
        try:
            text = docker.run(
                ["exec", "--interactive", "--user", AGENT_USER, container.id,
                 "python3", "-I", "-c", program],
                what="sending probes",
                stdin=data,
                timeout=60,
            )  # fmt: skip
        except docker.DockerError:
            if container is wall:
                raise
            continue
        found: list[str] = json.loads(text)
        return found
    raise AssertionError
