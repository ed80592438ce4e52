"""Before a build of minutes it is told that it could trust nobody."""

from types import SimpleNamespace

import pytest

from jailoc.bin.deploy import images
from jailoc.bin.engine import images as builder
from jailoc.bin.host import authorities
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.runtime.build_log import Failure
from jailoc.model.bundle import Bundle
from jailoc.model.diagnostic import Refused
from jailoc.model.doctor import ShownCertificate, Signed
from jailoc.model.image import FETCHED_FROM
from tests.strategies import HOST, config_of

MINE = "/usr/local/share/ca-certificates/company.crt"
asked: list[tuple[str, int]] = []


def bundle(text: str = "") -> Bundle:
    return compile_workspace(config_of(f"[workspaces.api]\n{text}"), "api", HOST)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Put a machine in the place of this one: its engine, what that has, and what a host shows."""
    machine = SimpleNamespace(local=True, held=None, signed=Signed.OWN)
    asked.clear()

    def signer(host: str, port: int, files: tuple[str, ...]) -> ShownCertificate:
        asked.append((host, port))
        return ShownCertificate(
            host=host, signed=machine.signed, authority=files[0], reason="self-signed"
        )

    monkeypatch.setattr(authorities, "own", lambda: (MINE,))
    monkeypatch.setattr(authorities, "signer", signer)
    monkeypatch.setattr(images, "endpoint", lambda: machine)
    monkeypatch.setattr(builder, "identity", lambda _: machine.held)
    return machine


def test_a_build_that_could_trust_nobody_is_not_begun(shown: SimpleNamespace) -> None:
    with pytest.raises(Refused) as caught:
        images._check_certificates(Terminal(), bundle())
    (problem,) = caught.value.diagnostics
    assert problem.code == "image-certificate"
    assert MINE in problem.message
    assert problem.hint == f'write ca_certificates = ["{MINE}"] below [base] in config.toml'
    assert asked == [(FETCHED_FROM, 443)], "the host that the build asks anyway, and no other"


def test_what_is_not_known_for_sure_is_told_and_goes_on(
    shown: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    shown.signed = Signed.UNKNOWN
    images._check_certificates(Terminal(), bundle())
    assert "does not trust (self-signed)" in capsys.readouterr().err
    for each in (Signed.PUBLIC, Signed.UNSEEN):
        shown.signed = each
        images._check_certificates(Terminal(), bundle())
        assert capsys.readouterr().err == ""


def test_nobody_is_asked_where_nothing_is_fetched_from_here(shown: SimpleNamespace) -> None:
    images._check_certificates(Terminal(), bundle('image = "registry.example/agent:1"\n'))
    shown.held = "sha256:1"
    images._check_certificates(Terminal(), bundle())
    shown.held, shown.local = None, False
    images._check_certificates(Terminal(), bundle())
    assert asked == []


def test_a_build_that_fails_for_a_certificate_shows_the_whole_line(shown: SimpleNamespace) -> None:
    build = next(each for each in bundle().builds if each.name == "agent")
    said = Failure(step="[npm 1/1] RUN npm install", reason="exit code 1",
                   tail=("npm ERR! code SELF_SIGNED_CERT_IN_CHAIN",
                         "npm ERR! self-signed certificate in certificate chain"),
                   line=None)  # fmt: skip
    found = images._failed(build, said)
    assert found.hint is not None
    assert found.hint.endswith(f'write ca_certificates = ["{MINE}"] below [base] in config.toml')
    other = said.model_copy(update={"tail": ("no space left on device",)})
    assert images._failed(build, other).hint is None
