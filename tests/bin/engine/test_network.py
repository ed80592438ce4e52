"""The end of a network on an engine that is busy."""

import pytest

from jailoc.bin.engine import network
from jailoc.bin.engine.docker import DockerError

BUSY = "Error response from daemon: network x id 1 has active endpoints"


@pytest.mark.parametrize(
    ("told", "tries", "gone"),
    [
        ([], 1, True),
        ([BUSY, BUSY], 3, True),
        ([BUSY] * network.TRIES, network.TRIES, False),
        (["Error response from daemon: permission denied"], 1, False),
    ],
)
def test_a_network_that_is_busy_for_a_moment_is_removed(
    told: list[str], tries: int, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def run(arguments: list[str], **_: object) -> str:
        asked.append(arguments)
        if len(asked) <= len(told):
            raise DockerError("remove network", arguments, 1, told[len(asked) - 1])
        return ""

    monkeypatch.setattr(network, "run", run)
    monkeypatch.setattr("jailoc.bin.engine.network.BETWEEN", 0.0)
    if gone:
        network.remove("x")
    else:
        with pytest.raises(DockerError):
            network.remove("x")
    assert len(asked) == tries
