"""The compiler asks the operating system nothing: it works with all doors shut."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = '''
import os
import sys

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.load import load, warnings
from jailoc.generators.config.mentioned import mentioned
from jailoc.generators.config.resolve import names
from jailoc.model.document import Document
from jailoc.model.host import Host

HOST = Host(home="/home/alice", ipv6=True)


def run(count):
    text = "".join(
        f"""[workspaces.w{index:03}]
paths = ["/data/{index}", "~/src/{index}"]
env = ["A{index}=$x", "B=2"]
mounts = ["/m/{index}:/mnt:ro"]
allowed_hosts = ["h{index}.example.com", "10.0.0.{index}"]
allowed_networks = ["10.{index}.0.0/16", "fd00:{index}::/32"]
secrets.env.TOKEN{index}.from_env = "TOKEN"
protect = [".git/hooks", "x{index}"]
enable_docker = {str(index % 2 == 0).lower()}
"""
        for index in range(count)
    )
    document = Document(text, "config.toml")
    mentioned(document, HOST.home)
    config = load(document, HOST)
    warnings(document, config, HOST)
    return [compile_workspace(config, name, HOST).digest for name in names(config)]


DOORS = (
    "open", "import", "socket.", "subprocess.", "os.", "shutil.", "tempfile.", "glob.", "pathlib.",
    "pwd.", "time.", "urllib.", "fcntl.", "ctypes.", "signal.", "syslog.",
)
seen = []
shut = False


def refuse(event, arguments):
    if shut and (event in DOORS or event.startswith(tuple(d for d in DOORS if d.endswith(".")))):
        seen.append((event, repr(arguments)[:200]))
        raise RuntimeError(f"{event}: {arguments!r}")


class Nothing(dict):
    def refuse(self, *arguments, **more):
        seen.append(("environment", repr(arguments)))
        raise RuntimeError("the environment was asked")

    __getitem__ = get = __contains__ = __iter__ = keys = items = values = copy = refuse


run(2)  # imports, packaged assets and schemas are read once
sys.addaudithook(refuse)
os.environ, shut = Nothing(), True
TROUBLE
try:
    digests = run(200)
finally:
    shut = False
    print(seen)
assert len(set(digests)) == 200
'''


def run(trouble: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("TROUBLE", trouble)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / ".pkg")},
    )


def test_loading_and_compiling_two_hundred_workspaces_touches_nothing() -> None:
    done = run()
    assert done.stdout == "[]\n", done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "trouble",
    ["open('/dev/null')", "os.listdir('/')", "os.getenv('HOME')", "os.environ['HOME']",
     "import socket; socket.socket()", "import subprocess; subprocess.run(['true'])"],
)  # fmt: skip
def test_the_shut_doors_are_shut(trouble: str) -> None:
    assert run(trouble).returncode != 0
