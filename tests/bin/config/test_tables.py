"""Which tables of the kernel's are this machine's, and can be mounted."""

from pathlib import Path

import pytest

from jailoc.bin.config import facts
from jailoc.bin.engine import endpoint
from jailoc.model.host import TABLES


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Let the tables of process 1, and of this one, be files of a test."""
    found = {name: tmp_path / name for name in ("1", "self")}
    for place in found.values():
        (place / "net").mkdir(parents=True)
    monkeypatch.setattr(
        facts, "TABLES", tuple(each.replace("/proc", str(tmp_path)) for each in TABLES)
    )
    monkeypatch.setattr(endpoint, "desktop", lambda: False)
    monkeypatch.setattr(facts, "_kernel", lambda path: "")
    return found


def test_those_of_the_network_that_jailoc_is_in_are_mounted(kernel: dict[str, Path]) -> None:
    for name in ("fib_trie", "if_inet6"):
        (kernel["1"] / "net" / name).write_text("")
        (kernel["self"] / "net" / name).hardlink_to(kernel["1"] / "net" / name)
    assert [each.rpartition("/")[2] for each in facts.tables()] == ["fib_trie", "if_inet6"]


def test_those_of_another_network_are_not(kernel: dict[str, Path]) -> None:
    for place in kernel.values():
        (place / "net/fib_trie").write_text("the same text")
    assert facts.tables() == ()


def test_an_engine_that_mounts_only_what_is_shared_gets_none(
    kernel: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (kernel["1"] / "net/fib_trie").write_text("")
    (kernel["self"] / "net/fib_trie").hardlink_to(kernel["1"] / "net/fib_trie")
    assert facts.tables()
    monkeypatch.setattr(facts, "_kernel", lambda path: "Linux version 5.15-microsoft-standard-WSL2")
    assert facts.tables() == ()
    monkeypatch.setattr(facts, "_kernel", lambda path: "")
    monkeypatch.setattr(endpoint, "desktop", lambda: True)
    assert facts.tables() == ()
