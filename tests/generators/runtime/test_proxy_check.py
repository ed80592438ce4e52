"""What is seen of a proxy becomes checks; what is not seen is no good sign."""

import pytest

from jailoc.generators.runtime.proxy_check import proxy_checks

PROBES = "host 421\nname refused\ndoor closed\n"
NATURE = (
    "Name:\tinit\nUid:\t65531\t65531\t65531\t65531\nCapPrm:\t0000000000000000\n"
    "CapBnd:\t0000000000000000\nNoNewPrivs:\t1\nadmin\nmade\nvalues.map\n"
)


def test_a_proxy_as_it_should_be_has_no_difference() -> None:
    assert all(each.ok for each in proxy_checks(PROBES, NATURE))


@pytest.mark.parametrize(("probes", "nature"), [
    (PROBES.replace("421", "200"), NATURE),
    (PROBES.replace("refused", "accepted"), NATURE),
    (PROBES.replace("closed", "open"), NATURE),
    ("", NATURE),
    (PROBES, ""),
    (PROBES, NATURE.replace("65531\nCap", "0\nCap")),
    (PROBES, NATURE.replace("CapBnd:\t0000000000000000", "CapBnd:\t0000000000001000")),
    (PROBES, NATURE.replace("NoNewPrivs:\t1", "NoNewPrivs:\t0")),
    (PROBES, NATURE + "ca.key\n"),
])  # fmt: skip
def test_each_difference_is_told(probes: str, nature: str) -> None:
    assert not all(each.ok for each in proxy_checks(probes, nature))
