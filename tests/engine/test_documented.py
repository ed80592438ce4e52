"""Every command of the documentation that needs an engine, typed as it stands there."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.docs.commands import commands
from tests.docs.test_commands import furnished, of_cluster, runs_here
from tests.engine import world
from tests.engine.clones import repository
from tests.engine.world import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.thorough]

CONFIG = f"""{world.certificates()}
[defaults]
enable_docker = false
[workspaces.api]
paths = ["~/src/api"]
port = 4208
[workspaces.default]
paths = ["~/src/hello"]
port = 4209
"""
ELSEWHERE = ("jailoc", "jailoc ~/src/api", "jailoc ~/src/web", "jailoc ~/src/hello", "jailoc -c",
             "jailoc -s ses_1a2b3c")  # fmt: skip
"""They open a client on a terminal, which `tests/engine/test_attach.py` does."""
REFUSED = {
    "jailoc apply default --prune": "has left it",
    "jailoc undo api --to 1f0c9a3e": "has no snapshot `1f0c9a3e`",
    "jailoc undo api --continue": "no undo of `api` has begun",
}
"""Where the page says that the workspace has left the configuration, or that there is such a
snapshot or an undo that was cut, which is not so here."""
REFUSAL = re.compile(r"^(\x1b\[[0-9;]*m)*Error:", re.MULTILINE)
"""How a message of jailoc begins; a program inside may say the word, too."""
ENDLESS = ("--follow", "--watch")
FIRST, LAST = ("jailoc up", "jailoc up api"), ("jailoc down", "jailoc destroy")


def lines() -> list[str]:
    """Return them, what starts a sandbox first and what removes one last."""
    every = dict.fromkeys(
        each.line for each in commands() if not runs_here(each) and not of_cluster(each)
    )
    middle = [each for each in every if each not in (*FIRST, *ELSEWHERE)]
    middle.sort(key=lambda each: each.startswith(LAST))
    return [*FIRST, *middle]


@pytest.fixture
def place() -> Iterator[Path]:
    for each in ("jailoc-api", "jailoc-default"):
        world.remove(each)
    with world.home("documented-engine") as user:
        home = furnished(user.home)
        user.write(CONFIG)
        for each in ("api", "hello"):
            (home / "src" / each).chmod(0o777)
            (home / "src" / each / "package.json").write_text('{"scripts": {"test": "true"}}')
        (home / "src/api/main.py").write_text("print()\n")
        (home / ".gitconfig").write_text("[user]\n\tname = a\n\temail = a@example.com\n")
        for each in ("api", "hello"):
            repository(home / "src" / each)
        try:
            yield home
        finally:
            for each in ("jailoc-api", "jailoc-default"):
                world.remove(each)


def typed(place: Path, line: str) -> tuple[int, str]:
    """Type a line in a terminal, agree to what is asked, end what goes on; return how it ends."""
    environment = {
        "HOME": str(place), "PYTHONPATH": str(ROOT / ".pkg"), "TERM": "xterm", "CI": "1",
        "PATH": f"{place / 'tools'}:{os.environ['PATH']}", "DOCKER_HOST": os.environ["DOCKER_HOST"],
    }  # fmt: skip
    child = pexpect.spawn(
        "bash", ["-c", line], cwd=str(place), env=environment, encoding="utf-8", timeout=900
    )
    said = ""
    if any(each in line for each in ENDLESS):
        child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=6)
        said = child.before or ""
        child.sendintr()
    elif line.endswith(" -- bash"):
        child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=6)
        child.sendline("exit")
    while child.expect([r"\[y/N\]", pexpect.EOF]) == 0:
        said += child.before or ""
        child.sendline("y")
    said += child.before or ""
    child.close()
    whole = re.sub(r"\r\n {2,}", " ", said)  # of lines that were too long
    return int(child.exitstatus if child.exitstatus is not None else 1), whole


def test_what_the_pages_say_can_be_typed(place: Path) -> None:
    assert len(lines()) > 15
    for line in lines():
        status, said = typed(place, line)
        if line in REFUSED:
            assert REFUSED[line] in said, said
        elif any(each in line for each in ENDLESS):
            assert not REFUSAL.search(said), f"{line}: {said}"
        else:
            assert status == 0, f"{line}: {said[-3000:]}"
