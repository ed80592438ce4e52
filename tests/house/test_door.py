"""No module but the door starts docker, and few start anything."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STARTS = {
    "bin/engine/exchange.py": "starts what the door says",
    "bin/attach/pty.py": "runs on a terminal what it is given; docker's command is the door's",
    "bin/attach/pipes.py": "runs between pipes what it is given; docker's command is the door's",
    "bin/deploy/halt.py": "starts what lets go of the halted; docker's command is the door's",
    "bin/host/foreground.py": "runs what the user asked for, as a shell would",
    "bin/host/processes.py": "copies its own process, and starts no other program",
    "bin/environment.py": "makes the environment of a checkout, before anything is there",
    "bin/documentation.py": "builds the site, in a checkout; its picture is a run of jailoc",
}
"""Where programs are started."""
DOOR = "bin/engine/door.py"
GIT = "bin/engine/git.py"
CREDENTIALS = "bin/deploy/credentials.py"
KUBECTL = "bin/engine/kubectl.py"
"""The first starts git alone, and nothing that a repository names; the second a program of the
user's that prints a value, which nobody logs; the third kubectl, in a context that was named."""
MODULES = {"subprocess", "pty", "multiprocessing", "asyncio", "pexpect", "_posixsubprocess"}
CALLS = ("exec", "spawn", "posix_spawn", "fork", "system", "popen", "startfile")


def sources() -> dict[str, ast.Module]:
    """Return every module of ours; programs that run in a container are none."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for room in ("model", "schemas", "generators", "bin")
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.parent.name != "assets" or path.name == "__init__.py"
    }


def starts(tree: ast.AST) -> list[str]:
    """Return what could start a program."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names if each.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [each.name for each in node.names]
            found += [node.module] if node.module.split(".")[0] in MODULES else []
            found += [f"os.{each}" for each in names
                      if node.module == "os" and each.startswith(CALLS)]  # fmt: skip
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"os", "posix"}:
            found += [f"os.{node.attr}"] if node.attr.startswith(CALLS) else []
    return found


def commands(tree: ast.AST) -> list[str]:
    """Return what could be a command line of docker's, or a search for the program."""
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if (isinstance(node, ast.List | ast.Tuple) and node.elts and _docker(node.elts[0]))
        or (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).rpartition(".")[2] in {"which", "run", "Popen"}
            and node.args
            and _docker(node.args[0])
        )
    ]


def _docker(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.split(" ")[0].rpartition("/")[2] in {"docker", "docker-compose"}
    )


def test_programs_are_started_in_these_modules_only() -> None:
    assert {name for name, tree in sources().items() if starts(tree)} == set(STARTS)


def test_no_module_but_the_door_has_a_command_line_of_dockers() -> None:
    assert {name: found for name, tree in sources().items() if (found := commands(tree))} == {}


def test_only_the_door_uses_what_starts_programs_for_it() -> None:
    users = {
        name
        for name, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module in {"jailoc.bin.engine", "jailoc.bin.engine.exchange"}
        and ("exchange" in {each.name for each in node.names} or node.module.endswith("exchange"))
    }
    assert users == {DOOR, GIT, CREDENTIALS, KUBECTL}


@pytest.mark.parametrize(
    "text",
    ["import subprocess", "def f():\n    from subprocess import run", "import os\nos.execvp(a, b)",
     "import os\nos.posix_spawn(a, b, c)", "from os import system", "import asyncio.subprocess",
     "import pty"],
)  # fmt: skip
def test_another_start_would_be_found(text: str) -> None:
    assert starts(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    ['run(["docker", "ps"])', 'x = ("/usr/bin/docker", *words)', 'which("docker")',
     'run("docker ps", shell=True)', 'a = ["docker-compose", "up"]'],
)  # fmt: skip
def test_another_command_line_would_be_found(text: str) -> None:
    assert commands(ast.parse(text))
