"""Look at a running sandbox and compare it with what was compiled: with packets, or without."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from jailoc.bin.deploy import existence, preflight, premade
from jailoc.bin.engine import containers, credentials, docker, inspection, network, witness
from jailoc.bin.engine.neighbours import neighbours
from jailoc.bin.host import files as store
from jailoc.generators.assets import asset
from jailoc.generators.runtime import own_probes
from jailoc.generators.runtime.blocked import attempts, closed, machine
from jailoc.generators.runtime.probes import NO_PING, Place, Probe, probes, words
from jailoc.generators.runtime.proxy_check import proxy_checks
from jailoc.generators.runtime.resolver_state import ResolverState
from jailoc.generators.runtime.verify import (
    Check,
    alone,
    bundle_names,
    joined,
    judged,
    mounted,
    networked,
    processes,
    published,
    routed,
)
from jailoc.model.address import written
from jailoc.model.allow_entry import AskedTarget
from jailoc.model.bundle import Bundle
from jailoc.model.evidence import PROBER
from jailoc.model.sandbox import (
    AGENT,
    ASK_RESOLVER,
    FIREWALL,
    PROBES_NOTE,
    PROXY,
    SIDECAR,
    WALL,
)
from jailoc.model.text import number_of

Say = Callable[[str], None]
LOOKS = 3
"""Times that all is tried at most, while what allowed names lead to changes."""
SETTLED = 3.0
"""Seconds after which the resolver has written down what it opened or closed, and what was refused
before counts no more."""


def whole(bundle: Bundle, expected: tuple[AskedTarget, ...], say: Say) -> list[Check]:
    """Compare all of what runs with its model, with packets that the agent's user sends.

    Args:
        bundle: What was compiled.
        expected: What the configuration expects to be reached or not.
        say: Called with what is being done.

    Raises:
        Refused: it does not run.
        DockerError: the engine did not answer.
    """
    found = {each.service: each for each in containers.containers(bundle.compose.name)}
    wall, agent = found.get(WALL), found.get(AGENT)
    if wall is None or agent is None or {wall.state, agent.state} != {"running"}:
        raise existence.not_running(bundle.workspace, agent)
    return [
        *_containers(bundle, found),
        *networked(bundle.compose.network, *network.settings(bundle.compose.name)),
        alone(neighbours({each.id for each in found.values()}, *premade.own_names(bundle))),
        *_rules(bundle, wall),
        *_inside(bundle, wall, agent),
        *_letters(bundle),
        *_proxy(bundle, wall, found.get(PROXY)),
        *probed(bundle, wall, expected, say),
    ]


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
        *_inside(bundle, wall, agent),
    ]


def _inside(
    bundle: Bundle, wall: containers.Container, agent: containers.Container
) -> Iterator[Check]:
    """Compare processes and mounts of the agent's, of which nothing is run to look."""
    places, statuses = witness.look(agent.id, wall.image_id)
    yield from processes(statuses, bundle.user)
    own = inspection.own_volumes(agent.id)
    yield from mounted(bundle.compose.services[AGENT], places, own)


def _letters(bundle: Bundle) -> Iterator[Check]:
    """Yield what a cover does not hold for, because it is opened by other letters of its name."""
    for each in preflight.uncovered_by_letters(bundle):
        yield Check(
            kind="mount", subject=each, expected="read-only, whatever its letters",
            found="writable by others: the file system ignores case", ok=False,
        )  # fmt: skip


def _containers(bundle: Bundle, found: dict[str, containers.Container]) -> Iterator[Check]:
    for service in (WALL, PROXY, AGENT, SIDECAR, *bundle.compose.beside):
        if service in bundle.compose.services:
            there = found.get(service)
            state = "nothing" if there is None else there.health or there.state
            yield Check(
                kind="container", subject=service, expected="healthy", found=state,
                ok=state == "healthy",
            )  # fmt: skip
            if service == WALL and there is not None and there.state == "running":
                bindings = [(each.address, each.port, each.inside) for each in there.published]
                yield from published(bundle.compose.services[WALL].ports, bindings)
            if service in {AGENT, SIDECAR}:
                yield joined(service, containers.severed(there, found.get(WALL)))


_UNASKED = "nothing known: the engine could not look"


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
        subject="in the kernel, against the generated ones",
        expected="as compiled",
        found=_UNASKED if live is None else "as compiled" if live else "different",
        ok=bool(live),
    )
    own = containers.succeeds(wall.id, [*ASK_RESOLVER])
    yield Check(
        kind="names",
        subject="the port for names",
        expected="the wall's resolver",
        found=_UNASKED
        if own is None
        else "the wall's resolver"
        if own
        else "silent, or somebody else",
        ok=bool(own),
    )


def _proxy(
    bundle: Bundle, wall: containers.Container, proxy: containers.Container | None
) -> Iterator[Check]:
    """Try the proxy as the agent would, and look at what it is."""
    if PROXY not in bundle.compose.services or proxy is None:
        return
    text = docker.run(
        ["exec", "--user", bundle.user, wall.id, "/usr/bin/python3", "-I", "-c",
         asset("proxy_probe.py")],
        what="trying the proxy",
        timeout=60,
    )  # fmt: skip
    yield from proxy_checks(text, credentials.nature(proxy.id))


def probed(
    bundle: Bundle, wall: containers.Container, expected: tuple[AskedTarget, ...], say: Say
) -> list[Check]:
    """Send every probe; once more where an allowed name lost or got an address meanwhile.

    Args:
        bundle: What was compiled.
        wall: The container to send from.
        expected: What the configuration expects to be reached or not.
        say: Called with what is being done.

    Raises:
        DockerError: the engine did not answer.
    """
    left = LOOKS
    while True:
        left -= 1
        state = containers.names(wall.id)
        checks = [*_tried(bundle, wall, state, expected, say)]
        if not left or all(each.ok for each in checks):
            return checks
        time.sleep(SETTLED)
        if containers.names(wall.id).names == state.names:
            return checks
        say("allowed names have other addresses by now, so all is tried once more")


def _tried(
    bundle: Bundle,
    wall: containers.Container,
    state: ResolverState,
    expected: tuple[AskedTarget, ...],
    say: Say,
) -> Iterator[Check]:
    """Send every probe once, and judge it by what the resolver knew before."""
    before = containers.refusals(wall.id)
    place = Place(
        own=inspection.addresses(wall.id),
        machine=machine(before),
        names=state.names,
    )
    yield Check(
        kind="names", subject="what the resolver knows", expected="readable", reason=None,
        found="readable" if state.readable else "not as a resolver writes it", ok=state.readable,
    )  # fmt: skip
    for name in bundle_names(bundle):
        known = place.names.get(name, ())
        yield Check(
            kind="names", subject=name, expected="an address", reason=None,
            found="an address" if known else "no address yet", ok=True,
        )  # fmt: skip
        if not known:
            say(f"{name} has no address yet, so it cannot be tried")
    ipv6 = any(":" in each for each in place.own)
    rules = bundle.firewall.facing(closed(before))
    wanted = probes(rules, place, expected, ipv6)
    say(f"trying {number_of(len(wanted), 'place')}")
    started = time.monotonic()
    found = _send(wall, wanted, f"{bundle.user.partition(':')[0]}:{PROBER}")
    after = containers.refusals(wall.id)
    elapsed = time.monotonic() - started + 1
    _note(wall, wanted, before, after)
    refused = {own_probes.key(each): each for each in attempts(after)}
    tried = []
    for probe, word in zip(wanted, found, strict=True):
        attempt = refused.get((probe.address, probe.protocol, probe.port))
        tried.append((probe, word, attempt is not None and attempt.ago <= elapsed))
    if NO_PING in found:
        say("ICMP could not be tried: the sandbox's network lets nobody ping")
    yield routed(found)
    yield from judged(rules, place, tried)


def _send(wall: containers.Container, wanted: tuple[Probe, ...], user: str) -> tuple[str, ...]:
    """Send the probes as the agent's user, from the wall's container, in a group of their own.

    The group tells what is refused then from what the agent was. The network namespace is the
    agent's, and the rules know users, not containers; the program is none that the agent could have
    replaced.
    """
    data = json.dumps(
        [(each.protocol.value, written(each.address), each.port or 0) for each in wanted]
    ).encode()
    text = docker.run(
        ["exec", "--interactive", "--user", user, wall.id,
         "/usr/bin/python3", "-I", "-c", asset("probe.py")],
        what="sending probes",
        stdin=data,
        timeout=60,
    )  # fmt: skip
    return words(text, len(wanted))


def _note(
    wall: containers.Container,
    wanted: tuple[Probe, ...],
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    """Leave word of what was tried, so that `blocked` shows nothing of it."""
    known = own_probes.note(
        [(each.address, each.protocol, each.port) for each in wanted],
        attempts(before),
        attempts(after),
        own_probes.parse(before.get("probes", "")),
        (own_probes.uptime(before.get("uptime", "")), own_probes.uptime(after.get("uptime", ""))),
    )
    containers.feed(
        wall.id, ["/bin/sh", "-c", f"/bin/cat >{PROBES_NOTE}"], own_probes.text(known).encode()
    )
