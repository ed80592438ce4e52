"""Which tables of the kernel's name this machine's addresses, and can be mounted."""

import subprocess
import sys
from pathlib import Path

import pytest

from jailoc.bin.config import facts
from jailoc.bin.engine import endpoint
from jailoc.model.host import TABLES
from tests.engine.world import ROOT


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the tables be files of a test; yield their directory."""
    monkeypatch.setattr(
        facts, "TABLES", tuple(each.replace("/proc", str(tmp_path)) for each in TABLES)
    )
    monkeypatch.setattr(endpoint, "desktop", lambda: False)
    monkeypatch.setattr(facts, "_kernel", lambda path: "")
    (tmp_path / "1/net").mkdir(parents=True)
    return tmp_path / "1/net"


def test_those_that_are_there_are_mounted(kernel: Path) -> None:
    assert facts.tables() == ()
    for name in ("fib_trie", "if_inet6"):
        (kernel / name).write_text("")
    assert [each.rpartition("/")[2] for each in facts.tables()] == ["fib_trie", "if_inet6"]


def test_an_engine_that_mounts_only_what_is_shared_gets_none(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kernel / "fib_trie").write_text("")
    assert facts.tables()
    monkeypatch.setattr(facts, "_kernel", lambda path: "Linux version 5.15-microsoft-standard-WSL2")
    assert facts.tables() == ()
    monkeypatch.setattr(facts, "_kernel", lambda path: "")
    monkeypatch.setattr(endpoint, "desktop", lambda: True)
    assert facts.tables() == ()


def test_the_network_that_jailoc_runs_in_decides_nothing() -> None:
    """Else a run in another one would make every wall anew."""
    words = [sys.executable, "-c", "from jailoc.bin.config.facts import tables; print(tables())"]
    environment = {"PYTHONPATH": str(ROOT / ".pkg"), "HOME": "/nonexistent", "PATH": "/usr/bin"}
    asked = [[*words], ["unshare", "--net", *words], ["unshare", "--user", "--net", *words]]
    found = [
        subprocess.run(each, env=environment, capture_output=True, text=True, check=False)
        for each in asked
    ]
    if found[1].returncode and found[2].returncode:
        pytest.skip("this kernel gives nobody a network of their own")
    said = {each.stdout for each in found if each.returncode == 0}
    assert said == {f"{facts.tables()}\n"}
