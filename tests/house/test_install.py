"""What the page on installing says works, on each Python that there is here: line by line."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from jailoc import __version__
from tests.docs.shown import others
from tests.house.test_imports import ROOT

PAGE = "docs/how-to/install.md"
PLACES = (".pyenv/versions/*/bin", ".local/share/uv/python/*/bin")
"""Where those who have several Pythons keep them, below the home."""
KEPT = ("PATH", "PIP_CERT", "PIP_FIND_LINKS", "SSL_CERT_FILE", "UV_PYTHON")


def version(python: Path | str) -> tuple[int, int] | None:
    """Return the version of a Python that can make environments; None if it is none."""
    wanted = "import venv, ensurepip, sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", wanted], capture_output=True, text=True, check=False)
    except OSError:
        return None
    major, _, minor = done.stdout.strip().partition(" ")
    return (int(major), int(minor)) if done.returncode == 0 else None


def pythons() -> dict[str, str]:
    """Return one Python of each version from 3.11 on."""
    names = [f"python3.{minor}" for minor in range(11, 20)]
    found = {sys.version_info[:2]: sys.executable}
    every = [shutil.which(name) for name in names]
    every += [str(each) for place in PLACES for name in names
              for each in sorted(Path.home().glob(f"{place}/{name}"))]  # fmt: skip
    for each in filter(None, every):
        known = version(each)
        if known is not None and known >= (3, 11):
            found.setdefault(known, each)
    return {".".join(map(str, each)): found[each] for each in sorted(found)}


class Person:
    """Somebody with a checkout, a home and one Python."""

    def __init__(self, place: Path, python: str) -> None:
        self.home, self.checkout, tools = place / "home", place / "jailoc", place / "tools"
        self.home.mkdir()
        tools.mkdir()
        (tools / "python3").write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
        (tools / "python3").chmod(0o755)
        skipped = shutil.ignore_patterns(".venv*", ".git", "build", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, self.checkout, symlinks=True, ignore=skipped)
        self.environment = {each: os.environ[each] for each in KEPT if each in os.environ}
        self.environment |= {"HOME": str(self.home), "PATH": f"{tools}:{os.environ['PATH']}"}

    def types(self, line: str, **more: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.checkout, env=self.environment | more,
            capture_output=True, text=True, check=False, timeout=1200,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def works(self, jailoc: str) -> None:
        """Do what needs no engine."""
        assert self.types(f"{jailoc} --version") == f"jailoc {__version__}\n"
        out = self.home / "out"
        shutil.rmtree(self.home / ".config", ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)
        for line in ("init", "validate", f"render --out {out}", "config default", "schema config",
                     "graph default --format svg"):  # fmt: skip
            self.types(f"{jailoc} {line}", DOCKER_HOST="unix:///nowhere")
        assert (out / "default/docker-compose.yml").is_file()
        assert "why:" in self.types(f"{jailoc} explain mount-host")


@pytest.fixture(params=pythons().items(), ids=lambda each: each[0])
def person(request: pytest.FixtureRequest, tmp_path: Path) -> Person:
    return Person(tmp_path, request.param[1])


def block(first: str) -> list[str]:
    """Return the lines of the page from one on that begins so, up to the next environment."""
    every = [line for page, line in others() if page == PAGE]
    start = [number for number, line in enumerate(every) if line.startswith(first)]
    return every[start[0] :]


@pytest.mark.thorough
def test_the_page_installs_what_works(person: Person) -> None:
    # from a checkout
    make, install, ask, *_ = block("python3 -m venv")
    person.types(make)
    person.types(install)
    assert person.types(ask) == f"jailoc {__version__}\n"
    person.works("~/.local/jailoc/bin/jailoc")
    (manual,) = (line.removeprefix("man ") for _, line in others() if line.startswith("man "))
    assert Path(manual.replace("~", str(person.home))).is_file()
    for name in ("bash-completion/completions/jailoc", "zsh/site-functions/_jailoc",
                 "fish/vendor_completions.d/jailoc.fish"):  # fmt: skip
        assert (person.home / ".local/jailoc/share" / name).is_file()

    # without a network
    gather, make, install, *_ = block("python3 -m pip wheel")
    person.types(gather)
    shutil.rmtree(person.home / ".local/jailoc")
    person.types(make)
    nothing = {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": "", "PIP_NO_INDEX": "1"}
    person.types(install, **nothing)
    person.works("~/.local/jailoc/bin/jailoc")

    # from the source archive
    person.types(f"{sys.executable} -m build --sdist --outdir made .")
    person.types(f"python3 -m venv ~/source && ~/source/bin/pip install made/jailoc-{__version__}*")
    person.works("~/source/bin/jailoc")


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("uv") is None, reason="no uv")
def test_uv_installs_it_as_a_tool_and_upgrades_it(tmp_path: Path) -> None:
    person = Person(tmp_path, sys.executable)
    # A checkout is built where it is installed from.
    made_by = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    person.types(f"python3 -m pip wheel --quiet --wheel-dir wheelhouse . {shlex.join(made_by)}")
    house = str(person.checkout / "wheelhouse")
    offline = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": house, "UV_PYTHON": sys.executable}
    lines = dict.fromkeys(line for _, line in others() if re.match("uv tool ", line))
    wanted = {"uv tool install jailoc", "uv tool install .", "uv tool upgrade jailoc"}
    assert {*lines} == wanted
    for line in lines:
        person.types(line, **offline)
        person.works("~/.local/bin/jailoc")
    person.types("uv tool uninstall jailoc")
    assert not (person.home / ".local/bin/jailoc").exists()
