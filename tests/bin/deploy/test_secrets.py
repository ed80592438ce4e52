"""Values of secrets are read once, checked before anything is written, and packed for a pipe."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from jailoc.bin.deploy import secrets
from jailoc.generators.config.resolve import resolve
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.secret import ARGUMENT_LIMIT, SECRETS_LIMIT
from tests.strategies import HOST, config_of, quote


def values(lines: str, *variables: str) -> secrets.Values:
    env = ", ".join(quote(f"{each}=1") for each in variables)
    text = f"[workspaces.a]\nenv = [{env}]\n[workspaces.a.secrets]\n{lines}"
    return secrets.values(resolve(config_of(text), "a", HOST))


def problems(lines: str, *variables: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(Refused) as caught:
        values(lines, *variables)
    return caught.value.diagnostics


def file_line(kind: str, path: Path) -> str:
    return f"{kind}.T.from_file = {quote(str(path))}\n"


def test_values_come_from_variables_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE", "välue\n")
    (tmp_path / "t").write_bytes(b"\xff\x00bytes")
    (tmp_path / "t").chmod(0o600)
    found = values('env.A.from_env = "SOURCE"\n' + file_line("file", tmp_path / "t"))
    assert found == {"A": "välue\n".encode(), "T": b"\xff\x00bytes"}


def test_an_unset_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE", raising=False)
    (found,) = problems('env.A.from_env = "SOURCE"\n')
    assert found.message == "secret `A`: variable `SOURCE` is not set"
    assert found.where == "workspaces.a.secrets.env.A"


def test_an_empty_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE", "")
    (found,) = problems('file.A.from_env = "SOURCE"\n')
    assert "secret `A`" in found.message
    assert "set but empty" in found.message


def test_a_missing_file(tmp_path: Path) -> None:
    (found,) = problems(file_line("env", tmp_path / "none"))
    assert "does not exist" in found.message


@pytest.mark.parametrize("kind", ["directory", "pipe"])
def test_what_is_no_regular_file(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "x"
    place.mkdir() if kind == "directory" else os.mkfifo(place)
    (found,) = problems(file_line("file", place))
    assert "is not a regular file" in found.message


def test_a_name_that_is_also_a_variable_of_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE", "x")
    (found,) = problems('env.A.from_env = "SOURCE"\n', "A")
    assert "collides" in found.message
    assert values('file.A.from_env = "SOURCE"\n', "A") == {"A": b"x"}


def test_what_a_variable_cannot_hold(tmp_path: Path) -> None:
    place = tmp_path / "x"
    fits = ARGUMENT_LIMIT - len("T=") - 1
    place.write_bytes(b"x" * fits + b"\n\n")
    assert len(values(file_line("env", place))["T"]) == fits + 2
    place.write_bytes(b"x" * (fits + 1))
    (found,) = problems(file_line("env", place))
    assert "128 KiB" in found.message
    assert "/run/secrets/T" in (found.hint or "")
    assert len(values(file_line("file", place))["T"]) == fits + 1
    place.write_bytes(b"a\0b")
    (found,) = problems(file_line("env", place))
    assert "NUL" in found.message


def test_more_than_memory_is_for(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * (SECRETS_LIMIT + 1))
    (found,) = problems(file_line("file", tmp_path / "x"))
    assert found.allowed == "16 MiB in all: they are held in memory"


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE", raising=False)
    found = problems('env.A.from_env = "SOURCE"\nfile.B.from_file = "/srv/none"\n')
    assert [each.where for each in found] == [
        "workspaces.a.secrets.env.A", "workspaces.a.secrets.file.B",
    ]  # fmt: skip


def test_the_archive_holds_each_value_under_its_name() -> None:
    with tarfile.open(fileobj=io.BytesIO(secrets.archive({"b": b"2", ".a": b""}))) as tar:
        members = tar.getmembers()
        assert [(each.name, each.size, each.mode) for each in members] == [
            (".a", 0, 0o600), ("b", 1, 0o600),
        ]  # fmt: skip
