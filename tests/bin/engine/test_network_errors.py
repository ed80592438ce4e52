"""What an engine says of a network that it cannot make becomes a word that helps."""

import pytest

from jailoc.bin.engine.docker import DockerError
from jailoc.bin.engine.network_errors import translated

FULL = "network-pools"
OVERLAP = "network-overlap"


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("failed to create network jailoc-a_jailoc: Error response from daemon: could not find an "
         "available, non-overlapping IPv4 address pool among the defaults to assign to the network",
         FULL),
        ("Error response from daemon: all predefined address pools have been fully subnetted",
         FULL),
        ("Error response from daemon: Pool overlaps with other one on this address space", OVERLAP),
        ("Error response from daemon: invalid pool request: Pool overlaps with other one on this "
         "address space", OVERLAP),
        ("cannot create network 1 (br-1): conflicts with network 2 (br-2): networks have "
         "overlapping IPv4", OVERLAP),
        ("Error response from daemon: invalid MTU 70000", "network-mtu"),
        ("container jailoc-a-firewall-1 is unhealthy", None),
    ],
)  # fmt: skip
def test_the_errors_of_networks_are_translated(output: str, code: str | None) -> None:
    found = translated(DockerError("starting project jailoc-a", [], 1, output), "a")
    assert [each.code for each in found.diagnostics] == [code] if found else code is None
    if found:
        assert "[workspaces.a.network]" in (found.diagnostics[0].hint or "")
