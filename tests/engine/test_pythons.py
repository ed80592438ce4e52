"""The newest Python of a distribution: the wheel and the source archive, in a fresh environment."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jailoc import __version__
from tests.engine import world
from tests.engine.world import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.thorough]

SYSTEM, SUITE, PYTHON = "debian:trixie-slim", "sid", "3.14"
"""An image, and the suite of that distribution that has the newest Python with wheels."""
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
NAME = "jailoc-test-python"
PREPARE = f"""
place=$(grep -rhoE 'https?://[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1)
rm -f /etc/apt/sources.list.d/*
echo "deb $place {SUITE} main" > /etc/apt/sources.list
export DEBIAN_FRONTEND=noninteractive
apt-get -q -o Acquire::Check-Valid-Until=false update
apt-get -q install -y --no-install-recommends ca-certificates python{PYTHON} python{PYTHON}-venv
"""  # noqa: E501
EXERCISE = f"""
rm -rf $HOME/.config out
test "$($1 --version)" = "jailoc {__version__}"
$1 init
$1 validate
$1 render --out out
test -s out/default/docker-compose.yml
$1 config default >/dev/null
$1 schema config >/dev/null
$1 graph default --format svg >/dev/null
$1 explain mount-host | grep -q why:
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    made = tmp_path_factory.mktemp("made")
    world.call(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), str(ROOT))
    (made / "exercise").write_text(f"set -ex{EXERCISE}")
    trusted = ["--volume", f"{AUTHORITIES}:/ca.pem:ro", "--env", "PIP_CERT=/ca.pem"]
    world.call("docker", "rm", "--force", NAME, check=False)
    try:
        world.call(
            "docker", "run", "--detach", "--init", "--name", NAME, "--network", "host",
            "--log-opt", "max-size=1m", "--volume", f"{made}:/made:ro",
            *(trusted if AUTHORITIES.exists() else ()), SYSTEM, "sleep", "3000",
        )  # fmt: skip
        inside(PREPARE)
        yield
    finally:
        world.call("docker", "rm", "--force", NAME, check=False)


def inside(line: str) -> str:
    done = subprocess.run(
        ["docker", "exec", "--workdir", "/root", NAME, "bash", "-ec", line],
        capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("made", ["*.whl", "*.tar.gz"])
def test_the_newest_python_installs_it_and_what_is_installed_works(
    machine: None, made: str
) -> None:
    inside(f"rm -rf v && python{PYTHON} -m venv v && v/bin/pip install --quiet /made/{made}")
    assert inside("v/bin/python --version").startswith(f"Python {PYTHON}.")
    # A warning of what a later Python drops is an error here.
    inside(
        "export PYTHONWARNINGS=error::DeprecationWarning DOCKER_HOST=unix:///nowhere; "
        "bash /made/exercise v/bin/jailoc"
    )
