"""Whether what was found in a running sandbox is what the model says. It is looked at elsewhere."""

from collections.abc import Iterable, Iterator, Mapping

from jailoc.generators.runtime.probes import Place, Probe, verdict
from jailoc.model.base import Model
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind, Service, Tmpfs, Volume
from jailoc.model.firewall import Firewall
from jailoc.model.mount import Mode


class Check(Model):
    """One thing that was looked at."""

    kind: str
    """container, rules, files, process, mount, executes, names or probe."""
    subject: str
    expected: str
    found: str
    ok: bool
    reason: str | None = None
    """For a probe the entry or the rule that decides."""


def judged(
    firewall: Firewall, place: Place, tried: Iterable[tuple[Probe, str, bool]]
) -> Iterator[Check]:
    """Compare what became of probes with what the model says.

    Args:
        firewall: The compiled rules.
        place: What is known at run time.
        tried: Each probe with the word of the program that sent it, and whether the wall has
            counted it among its refusals.
    """
    for probe, word, counted in tried:
        answer = verdict(firewall, place, probe)
        port = "" if probe.port is None else f" {probe.port}"
        expected = "open" if answer.open else "closed"
        # The machine itself may refuse where the wall does not: the wall's own count decides.
        refused = word == "prohibited" or (
            word == "refused" and (counted or str(probe.address) not in place.machine | place.own)
        )
        found = "no route" if word == "no route" else "closed" if refused or counted else "open"
        yield Check(
            kind="probe",
            subject=f"{probe.protocol.value}{port} {probe.address} ({probe.what})",
            expected=expected,
            found=found,
            ok=found in {expected, "no route"},
            reason=answer.reason,
        )


def processes(text: str) -> Iterator[Check]:
    """Judge every process of the agent's container, from /proc/PID/status (proc(5))."""
    wanted = {
        "Uid": "1000 1000 1000 1000",
        "Gid": "1000 1000 1000 1000",
        "CapInh": "0",
        "CapPrm": "0",
        "CapEff": "0",
        "CapBnd": "0",
        "CapAmb": "0",
        "NoNewPrivs": "1",
        "Seccomp": "2",
    }
    seen: dict[str, set[str]] = {key: set() for key in wanted}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key in wanted:
            number = value.strip().lstrip("0") or "0" if key.startswith("Cap") else value
            seen[key].add(" ".join(number.split()))
    for key, expected in wanted.items():
        found = ", ".join(sorted(seen[key])) or "nothing"
        yield Check(
            kind="process", subject=key, expected=expected, found=found, ok=found == expected
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
    """Tell whether every container has a mount: the root, kernel file systems, three files."""
    named = {"/", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
             "/sbin/docker-init", "/usr/sbin/docker-init"}  # fmt: skip
    kernel = {"proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "devtmpfs"}
    below = place.startswith(("/proc/", "/sys/", "/dev/")) or place in {"/dev", "/proc", "/sys"}
    return place in named or kind in kernel or (below and kind in {"tmpfs", *kernel})


def bundle_names(bundle: Bundle) -> tuple[str, ...]:
    """Return the allowed names that have to have an address: wildcards need none."""
    return tuple(
        dict.fromkeys(each.key for each in bundle.firewall.names if not each.key.startswith("*."))
    )
