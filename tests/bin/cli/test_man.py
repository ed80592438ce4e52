"""The manual page says what help says, and roff reads it without a complaint."""

import shutil
import subprocess
import sys

import pytest

from jailoc import __version__
from jailoc.bin.cli import command_line, man
from tests.bin.cli.test_help import paths
from tests.engine.world import ROOT

TEXT = man.page()


def test_every_command_and_option_is_on_the_page() -> None:
    assert f"jailoc {__version__}".replace("-", r"\-") in TEXT
    for path in paths():
        title = " ".join(("jailoc", *path)).replace("-", r"\-")
        assert f".SS {title}" in TEXT
        for argument in command_line.arguments(path):
            for name in argument.shown if argument.is_option else ():
                assert name.replace("-", r"\-") in TEXT


def test_no_line_begins_as_a_request_that_is_none() -> None:
    known = (".TH ", ".SH ", ".SS ", ".TP", ".PP", ".B ", ".I ", ".RI ", ".br", '.\\" ')
    wrong = [each for each in TEXT.splitlines() if each[:1] in {".", "'"}]
    assert [each for each in wrong if not each.startswith(known)] == []


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff")
def test_roff_reads_it_without_a_complaint() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"],
        input=TEXT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_is_made_where_no_dependency_is_installed() -> None:
    code = "from jailoc.bin.cli import man; print(man.page(), end='')"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT / '.pkg')!r})"
         f"; {code}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == TEXT, done.stderr
