"""Before a build of minutes it is told that images know none of this machine's authorities."""

from types import SimpleNamespace

import pytest

from jailoc.bin.deploy import images, preflight
from jailoc.bin.engine import images as builder
from jailoc.bin.host import authorities
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.runtime.build_log import Failure
from jailoc.model.bundle import Bundle
from tests.strategies import HOST, config_of

MINE = ("/usr/local/share/ca-certificates/a.crt", "/usr/local/share/ca-certificates/b.crt")
"""Nobody says which of them a proxy signs with."""
LINE = f'write `ca_certificates = ["{MINE[0]}", "{MINE[1]}"]` below [base] in config.toml'


def bundle(text: str = "") -> Bundle:
    return compile_workspace(config_of(f"[workspaces.api]\n{text}"), "api", HOST)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Put a machine in the place of this one: its engine, what that has, and whom it trusts."""
    found = SimpleNamespace(local=True, held=None, own=MINE)
    monkeypatch.setattr(authorities, "own", lambda: found.own)
    monkeypatch.setattr(preflight, "endpoint", lambda: found)
    monkeypatch.setattr(builder, "identity", lambda _: found.held)
    return found


def test_authorities_that_no_image_knows_are_told_before_a_build(
    machine: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    assert preflight.certificates(terminal, bundle())
    assert capsys.readouterr().err.rstrip("\n").endswith(LINE)
    assert preflight.certificates(terminal, bundle()), "still, and told once a run"
    assert capsys.readouterr().err == ""
    machine.own = ()
    assert not preflight.certificates(Terminal(), bundle())
    assert capsys.readouterr().err == ""


def test_nothing_is_told_where_nothing_is_built_here(
    machine: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    preflight.certificates(Terminal(), bundle('image = "registry.example/agent:1"\n'))
    machine.held = "sha256:1"
    preflight.certificates(Terminal(), bundle())
    machine.held, machine.local = None, False
    preflight.certificates(Terminal(), bundle())
    assert capsys.readouterr().err == ""


def test_a_build_that_fails_for_a_certificate_shows_the_whole_line(
    machine: SimpleNamespace,
) -> None:
    build = next(each for each in bundle().builds if each.name == "agent")
    said = Failure(step="[npm 1/1] RUN npm install", reason="exit code 1",
                   tail=("npm ERR! code SELF_SIGNED_CERT_IN_CHAIN",
                         "npm ERR! self-signed certificate in certificate chain"),
                   line=None)  # fmt: skip
    hint = images._failed(build, said).hint
    assert hint is not None
    assert hint.endswith(LINE)
    machine.own = ()
    assert "/PATH/TO/ITS" in (images._failed(build, said).hint or "")
    other = said.model_copy(update={"tail": ("no space left on device",)})
    assert images._failed(build, other).hint is None
