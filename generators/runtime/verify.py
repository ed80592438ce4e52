"""Whether what was found in a running sandbox is what the model says. It is looked at elsewhere."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from jailoc.generators.runtime import witness
from jailoc.generators.runtime.probes import NO_PING, UNREADABLE, UNSENT, Place, Probe, verdict
from jailoc.generators.runtime.witness import POWERLESS, own, powerless, statuses
from jailoc.model.address import written
from jailoc.model.base import Model
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind, Network, Port, Service, Tmpfs, Volume
from jailoc.model.firewall import Firewall
from jailoc.model.mount import Mode
from jailoc.model.plan import Plan, shown
from jailoc.model.plan_address import FieldAddress, ImageAddress, ServiceAddress
from jailoc.model.sandbox import AGENT_USER

MOST_NAMED = 3
"""Containers of somebody else's that are named."""
LONGEST = 80
"""Characters of what cannot be read that are shown."""


class Check(Model):
    """One thing that was looked at."""

    kind: str
    """container, field, rules, files, process, mount, executes, committed, names, probe, proxy."""
    subject: str
    expected: str
    found: str
    ok: bool
    reason: str | None = None
    """For a probe the entry or the rule that decides, for a field the entry that it comes from."""


def fields(plan: Plan) -> Iterator[Check]:
    """Compare what the engine says of each container with the model, as a plan does.

    Args:
        plan: What an apply would do.
    """
    found = [
        Check(
            kind="field", subject=f"{change.address}.{each.name}", reason=each.origin,
            expected=shown(each.name, each.after), found=shown(each.name, each.before), ok=False,
        )
        for change in plan.changes
        if isinstance(change.address, ServiceAddress)
        for each in change.fields
    ]  # fmt: skip
    for each in plan.drift:
        if isinstance(each.address, (FieldAddress, ImageAddress)) and not each.ignored:
            subject, (before, after) = str(each.address), each.shown
            if all(one.subject != subject for one in found):
                found.append(
                    Check(kind="field", subject=subject, expected=before, found=after, ok=False)
                )
    told = "what the engine says of the containers"
    yield from found or [
        Check(kind="field", subject=told, expected="as compiled", found="as compiled", ok=True)
    ]


def judged(
    firewall: Firewall, place: Place, tried: Iterable[tuple[Probe, str, bool]]
) -> Iterator[Check]:
    """Compare what became of probes with what the model says.

    Args:
        firewall: The compiled rules.
        place: What is known at run time.
        tried: Each probe with the word of the program that sent it, and whether the wall has
            counted it among its refusals. Nothing is said of one that the namespace forbids.
    """
    for probe, word, counted in tried:
        if word == NO_PING:
            continue
        answer = verdict(firewall, place, probe)
        port = "" if probe.port is None else f" {probe.port}"
        expected = "open" if answer.open else "closed"
        # The machine itself may refuse where the wall does not: the wall's own count decides.
        refused = word == "prohibited" or (
            word == "refused"
            and (counted or written(probe.address) not in place.machine | place.own)
        )
        if word in {"no route", UNREADABLE}:
            found = word
        elif word == UNSENT:
            found = "could not be tried"
        else:
            found = "closed" if refused or counted else "open"
        yield Check(
            kind="probe",
            subject=f"{probe.protocol.value}{port} {written(probe.address)} ({probe.what})",
            expected=expected,
            found=found,
            ok=found in {expected, "no route"},
            reason=answer.reason,
        )


def routed(words: Collection[str]) -> Check:
    """Judge whether there is a network at all: without one nothing is reached, for no reason.

    Args:
        words: What became of every probe.
    """
    tried = {*words} - {NO_PING}
    dead = tried == {"no route"}
    return Check(
        kind="container",
        subject="network of the sandbox",
        expected="a route",
        found="no route to anywhere" if dead else "a route",
        ok=not dead,
    )


def joined(service: str, severed: str) -> Check:
    """Judge whether a container is in the wall's network namespace.

    Args:
        service: Its name.
        severed: Why it is not, if it is not.
    """
    return Check(
        kind="container",
        subject=f"network of {service}",
        expected="the firewall's",
        found=f"none: {severed}" if severed else "the firewall's",
        ok=not severed,
    )


def published(wanted: Iterable[Port], found: Iterable[tuple[str, int, int]]) -> Iterator[Check]:
    """Judge which ports of this machine lead inside, and from where.

    Args:
        wanted: What was compiled.
        found: Address and port of the machine, and the port inside, of all that do.
    """
    expected = {(each.published, each.target) for each in wanted}
    addresses: dict[tuple[int, int], set[str]] = {}
    for address, port, inside in found:
        addresses.setdefault((port, inside), set()).add(address or "every address")
    for port, inside in sorted(expected | addresses.keys()):
        there = ", ".join(sorted(addresses.get((port, inside), ()))) or "nowhere"
        right = "127.0.0.1" if (port, inside) in expected else "nowhere"
        yield Check(
            kind="container",
            subject=f"port {port} of this machine, to {inside} inside",
            expected=right,
            found=there,
            ok=there == right,
        )


def networked(wanted: Network, mtu: str | None, subnets: Collection[str]) -> Iterator[Check]:
    """Judge what the engine has made of the network, where the configuration says something of it.

    Args:
        wanted: What was compiled.
        mtu: Bytes of a packet, as the network was made; None for the engine's own.
        subnets: All that the network has.
    """
    if wanted.mtu is not None:
        found = mtu or "the engine's own"
        yield Check(
            kind="container", subject="bytes of a packet in the network", expected=str(wanted.mtu),
            found=found, ok=found == str(wanted.mtu),
        )  # fmt: skip
    if wanted.ipv4_subnet is not None:
        there = ", ".join(subnets) or "nothing"
        yield Check(
            kind="container", subject="subnet of the network", expected=wanted.ipv4_subnet,
            found=there, ok=wanted.ipv4_subnet in subnets,
        )  # fmt: skip


def alone(others: Iterable[tuple[str, Iterable[str]]]) -> Check:
    """Judge who else is in the networks, namespaces and volumes of a sandbox.

    Args:
        others: Containers by name, each with what it has of the sandbox's.
    """
    told = [f"{name} ({', '.join(has)})" for name, has in others]
    more = f" and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    return Check(
        kind="container", subject="others in its networks, namespaces and volumes",
        expected="nobody", found=", ".join(told[:MOST_NAMED]) + more or "nobody", ok=not told,
    )  # fmt: skip


def processes(text: str, user: str = AGENT_USER) -> Iterator[Check]:
    """Judge the processes of the agent's container, from lines of /proc/PID/status (proc(5)).

    Args:
        text: The lines.
        user: As whom they run.
    """
    seen: dict[str, set[str]] = {key: set() for key in POWERLESS}
    for process in own(statuses(text)):
        for key, values in seen.items():
            values.add(process.get(key) or "unreadable")
    for key, expected in powerless(user).items():
        found = ", ".join(sorted(seen[key])) or "nothing"
        yield Check(
            kind="process", subject=key, expected=expected, found=found, ok=found == expected
        )


def mounted(service: Service, text: str, without: Collection[str]) -> Iterator[Check]:
    """Judge the mounts of a container, from its /proc/PID/mountinfo (proc(5)).

    Args:
        service: What was compiled.
        text: The lines.
        without: Where something is mounted that is the container's own.
    """
    found, bad = witness.mounts(text)
    there = [each for each in found if each.place not in without]
    yield from mounts(
        service,
        {each.place: Mode.READ_ONLY if each.read_only else Mode.READ_WRITE for each in there},
        {each.place: each.kind for each in there},
    )
    for line in bad:
        yield Check(
            kind="mount",
            subject="a line of mountinfo",
            expected="a mount",
            found=repr(line[:LONGEST]),
            ok=False,
        )


def mounts(
    service: Service, present: Mapping[str, Mode], kinds: Mapping[str, str]
) -> Iterator[Check]:
    """Judge the mounts of a container.

    Args:
        service: What was compiled.
        present: Where something is mounted in the container, and how.
        kinds: The file system there, such as proc or tmpfs.
    """
    wanted: dict[str, Mode] = {}
    for mount in service.mounts:
        match mount:
            case Bind(target=target, mode=mode):
                wanted[target.text] = mode
            case Volume(target=place, mode=mode):
                wanted[place] = mode
            case Tmpfs(target=place):
                wanted[place] = Mode.READ_WRITE
    for place, mode in wanted.items():
        found = present.get(place)
        yield Check(
            kind="mount",
            subject=place,
            expected=mode.value,
            found=found.value if found else "nothing",
            ok=found is mode,
        )
    for place in sorted(present.keys() - wanted.keys()):
        if not _of_the_engine(place, kinds.get(place, "")):
            yield Check(
                kind="mount",
                subject=place,
                expected="nothing",
                found=present[place].value,
                ok=False,
            )


def _of_the_engine(place: str, kind: str) -> bool:
    """Tell whether every container has a mount: the root, kernel file systems, a few files."""
    named = {"/", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
             "/sbin/docker-init", "/usr/sbin/docker-init",
             "/run/.containerenv", "/run/podman-init"}  # fmt: skip
    kernel = {"proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "devtmpfs"}
    below = place.startswith(("/proc/", "/sys/", "/dev/")) or place in {"/dev", "/proc", "/sys"}
    return place in named or kind in kernel or (below and kind in {"tmpfs", *kernel})


def bundle_names(bundle: Bundle) -> tuple[str, ...]:
    """Return the allowed names that have to have an address: wildcards need none."""
    return tuple(
        dict.fromkeys(each.key for each in bundle.firewall.names if not each.key.startswith("*."))
    )
