"""Which authorities somebody has added to a machine."""

import shutil
import subprocess
from pathlib import Path

import pytest

from jailoc.bin.host import authorities

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")


def authority(place: Path, name: str) -> Path:
    words = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
             "-out", f"{name}.crt", "-days", "2", "-subj", f"/CN={name}")  # fmt: skip
    subprocess.run(words, cwd=place, check=True, capture_output=True)
    return place / f"{name}.crt"


def test_files_that_hold_no_certificate_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = authority(tmp_path, "one"), authority(tmp_path, "other")
    folder = tmp_path / "anchors/company"
    folder.mkdir(parents=True)
    (folder / "text.crt").write_text("no certificate")
    (folder / "readme.txt").write_text(other.read_text())
    shutil.copy(one, folder / "it.crt")
    monkeypatch.delenv(authorities.VARIABLE, raising=False)
    assert authorities.own([str(tmp_path / "anchors"), "/none"]) == (str(folder / "it.crt"),)
    monkeypatch.setenv(authorities.VARIABLE, str(other))
    assert authorities.own([]) == (str(other),)
