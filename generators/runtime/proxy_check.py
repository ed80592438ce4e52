"""What `verify` says of the proxy: how it answers the sandbox, and what it is."""

import re
from collections.abc import Iterator

from jailoc.generators.runtime.verify import Check
from jailoc.model.sandbox import PROXY_ID

_PROBES = {
    "host": ("a request for a host without a credential", "421"),
    "name": ("a handshake for a host without a credential", "refused"),
    "door": ("the resolver that answers the proxy alone", "closed"),
}
"""What is tried, by its word: what it is called, and how it has to end."""
_NATURE = {
    "user": (rf"^Uid:(\t{PROXY_ID}){{4}}$", f"UID {PROXY_ID}"),
    "capabilities": (r"^CapPrm:\t0+$", "none"),
    "capabilities that it could get": (r"^CapBnd:\t0+$", "none"),
    "new privileges": (r"^NoNewPrivs:\t1$", "never"),
}
"""What stands in proc_pid_status(5)."""


def proxy_checks(probes: str, nature: str) -> Iterator[Check]:
    """Yield what was tried and seen, as checks.

    Args:
        probes: The lines of `proxy_probe.py`.
        nature: `/proc/1/status` of the proxy, and the names in its memory.
    """
    said = dict(line.split(" ", 1) for line in probes.splitlines() if " " in line)
    for word, (subject, expected) in _PROBES.items():
        seen = said.get(word, "nothing")[:40]
        yield Check(
            kind="proxy", subject=subject, expected=expected, found=seen, ok=seen == expected
        )
    for subject, (pattern, expected) in _NATURE.items():
        good = re.search(pattern, nature, re.MULTILINE) is not None
        yield Check(
            kind="proxy", subject=subject, expected=expected,
            found=expected if good else "something else", ok=good,
        )  # fmt: skip
    gone = "values.map" in nature.split() and "ca.key" not in nature.split()
    yield Check(
        kind="proxy", subject="the key of its authority", expected="deleted",
        found="deleted" if gone else "there, or not to be seen", ok=gone,
    )  # fmt: skip
