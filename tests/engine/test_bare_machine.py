"""A Debian with nothing but Python and the docker client: install, render, the first tutorial."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jailoc import __version__
from tests.engine import world
from tests.engine.world import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.thorough]

SYSTEM, PYTHON = "debian:trixie-slim", "3.13"
"""A release, and the Python that it has."""
TUTORIAL = ROOT / "docs/tutorials/first-sandbox.md"
USER = ("setpriv", "--reuid=1000", "--regid=1000", "--groups=0", "--")
"""Somebody whose group may ask the engine."""


@dataclass(frozen=True)
class Machine:
    """A container with the network and the engine of this machine, and a home at the same place."""

    name: str
    home: Path

    def root(self, line: str) -> str:
        return world.call("docker", "exec", self.name, "bash", "-ec", line)

    def user(self, line: str) -> str:
        """Type a line as the user, and agree to what is asked."""
        done = subprocess.run(
            ["docker", "exec", "--interactive", "--workdir", str(self.home), self.name, *USER,
             "env", f"HOME={self.home}", f"PATH={self.home}/.local/bin:/usr/bin:/bin",
             "bash", "-c", line],
            capture_output=True, text=True, check=False, timeout=1800, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}:\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
        return done.stdout + done.stderr


@pytest.fixture
def machine() -> Iterator[Machine]:
    """Prepare it as somebody would: Python, pipx and the docker client of the distribution."""
    world.remove("jailoc-default")
    endpoint = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    with world.home("bare") as user:
        house = user.home / "wheelhouse"
        house.mkdir()
        gathered(house)
        name = "jailoc-test-bare"
        world.call("docker", "rm", "--force", name, check=False)
        try:
            world.call(
                "docker", "run", "--detach", "--init", "--name", name, "--network", "host",
                "--log-opt", "max-size=1m", "--volume", f"{user.home}:{user.home}",
                "--volume", f"{endpoint}:/var/run/docker.sock", SYSTEM, "sleep", "3000",
            )  # fmt: skip
            found = Machine(name, user.home)
            found.root("apt-get -q update && apt-get -q install -y --no-install-recommends "
                       "python3 python3-venv pipx curl less docker-cli docker-compose "
                       "docker-buildx >/dev/null")  # fmt: skip
            found.root(f"chown 1000:1000 {user.home}; chgrp 0 /var/run/docker.sock")
            yield found
        finally:
            world.call("docker", "rm", "--force", name, check=False)
            world.remove("jailoc-default")


def gathered(house: Path) -> None:
    """Put a release, and all that it and pipx need there, where no index is asked."""
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    # The environment of the tests may have no pip of its own.
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode != 0:
        pip = (shutil.which("python3") or "python3", *pip[1:])
    world.call(*pip, "wheel", "--no-deps", "--wheel-dir", str(house), str(ROOT))
    (wheel,) = house.glob("jailoc-*.whl")
    world.call(*pip, "download", "--python-version", PYTHON, "--only-binary", ":all:",
               "--dest", str(house), "pip", str(wheel))  # fmt: skip


def authorities(home: Path) -> str:
    """Return what names this machine's authorities, where there have to be any: there, too."""
    base = world.certificates()
    for place in re.findall('"(/.*?)"', base):
        copy = home / Path(place).name
        shutil.copyfile(place, copy)
        base = base.replace(place, str(copy))
    return base


def readme() -> list[str]:
    """Return the two lines with which README begins: what installs it, and what it shows first."""
    text = (ROOT / "README.md").read_text().partition("## Install")[2].partition("\n## ")[0]
    typed = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    (install,) = re.findall(r"pipx install jailoc", typed)
    (render,) = re.findall(r"^jailoc render [^#]*", typed, re.MULTILINE)
    return [install, render.strip()]


def steps() -> list[str]:
    """Return the tutorial's lines, with the installed command in place of a checkout's."""
    found = []
    for block in re.findall(
        r"^ *```sh\n(.*?)^ *```", TUTORIAL.read_text(), re.DOTALL | re.MULTILINE
    ):
        found += [line.strip().partition("   #")[0] for line in block.splitlines()]
    return [each.removeprefix("bin/") for each in found]


def test_one_command_installs_the_next_renders_and_the_tutorial_runs(machine: Machine) -> None:
    offline = f"export PIP_NO_INDEX=1 PIP_FIND_LINKS={machine.home}/wheelhouse; "
    install, render = readme()
    machine.user(offline + install)
    assert machine.user("jailoc --version").strip() == f"jailoc {__version__}"
    machine.user(render)
    assert (machine.home / "build/default/docker-compose.yml").is_file()
    shutil.rmtree(machine.home / "build")
    machine.user("mkdir -p src/hello")
    password = ""
    for line in steps():
        if "169.254" in line or line == "jailoc ~/src/hello":
            continue  # a real address, and a client on a terminal: other tests have both
        if line.startswith("password="):
            password = line + "; "
            continue
        said = machine.user(password + line.replace("destroy", "destroy --yes"))
        if line == "jailoc init":
            config = machine.home / ".config/jailoc/config.toml"
            mine = '[workspaces.default]\npaths = ["~/src/hello"]\n'
            config.write_text(authorities(machine.home) + mine)
            os.chown(config, 1000, 1000)
        elif "global/health" in line:
            assert ("healthy" if "-u" in line else "401") in said
        elif line == "jailoc status":
            assert "default" in said
    left = world.call("docker", "ps", "--all", "--quiet", "--filter",
                      "label=com.docker.compose.project=jailoc-default")  # fmt: skip
    assert left == ""
