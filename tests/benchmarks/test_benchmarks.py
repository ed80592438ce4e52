"""The benchmarks run. What they measure is no test."""

import pytest

from tests.benchmarks import firewall, observation, repositories

pytestmark = pytest.mark.engine


def test_the_firewall_is_measured() -> None:
    found = firewall.measure(200, processes=3, rounds=1, connections=20)
    assert all(ratio > 0 for ratio in found.values())


def test_observing_is_measured() -> None:
    found = observation.measure(rounds=1, connections=20)
    assert all(each > 0 for each in found.values())


def test_a_look_through_repositories_is_measured() -> None:
    assert all(ratio > 0 for ratio in repositories.measure(4, 5).values())


def test_ten_thousand_networks_load_in_one_transaction_and_let_through_what_they_name() -> None:
    rules = firewall.tree(10_000)
    with firewall.namespaces():
        firewall.load(rules)
        saved = firewall.inside("iptables-save", "-t", "filter")
        assert saved.count("-j ACCEPT") >= 10_000
        firewall.inside(
            "python3", "-c",
            f"import socket; socket.create_connection(('{firewall.PEER}', {firewall.PORT}), 5)",
        )  # fmt: skip
