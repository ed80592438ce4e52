"""What the pages show below a command is what it says on an engine, but for numbers and places."""

import os
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.docs.shown import Shown, missing, others, shown
from tests.docs.test_commands import furnished
from tests.docs.test_shown import STORY
from tests.engine import world
from tests.engine.clones import repository
from tests.engine.world import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.thorough]

API = """
[workspaces.api]
port = 4218
paths = ["~/src/api"]
dockerfile = "~/images/api.Dockerfile"
"""
DEFAULT = """
[workspaces.default]
port = 4219
enable_docker = false
paths = ["~/src/hello"]
"""
REACH = 'allowed_networks = ["10.1.0.0/16"]\n'
PROJECTS = ("jailoc-api_fix-login", "jailoc-api", "jailoc-default")


class Typist:
    """Somebody at a terminal, with the pages beside them."""

    def __init__(self, home: Path) -> None:
        self.home, self.compared = home, list[Shown]()
        self.config = home / ".config/jailoc/config.toml"

    def types(self, line: str, status: int = 0) -> str:
        """Type a line, agree to what is asked, and return all that was on the screen."""
        environment = {
            "HOME": str(self.home), "PYTHONPATH": str(ROOT / ".pkg"), "TERM": "xterm",
            "PATH": f"{self.home / 'tools'}:{os.environ['PATH']}", "COLUMNS": "400",
            "DOCKER_HOST": os.environ["DOCKER_HOST"],
        }  # fmt: skip
        child = pexpect.spawn(
            "bash", ["-c", line], cwd=str(self.home), env=environment, encoding="utf-8",
            timeout=900, dimensions=(60, 400),
        )  # fmt: skip
        said = ""
        while child.expect([r"\[y/N\]", pexpect.EOF]) == 0:
            said += f"{child.before}{child.after}\n"
            child.sendline("y")
        said += child.before or ""
        child.close()
        assert child.exitstatus == status, f"{line}: {said[-3000:]}"
        return said.replace("\r", "\n")

    def reads(self, page: str, line: str, number: int = 0, status: int = 0) -> None:
        """Type a line of a page, and compare what it shows below it."""
        each = [one for one in shown() if one[:2] == (page, line)][number]
        said = self.types(line, status)
        assert missing(each, said, str(self.home)) == [], said
        self.compared.append(each)


@pytest.fixture
def typist() -> Iterator[Typist]:
    for each in PROJECTS:
        world.remove(each)
    with world.home("shown") as user:
        home = furnished(user.home)
        for each in ("api", "hello"):
            (home / "src" / each).chmod(0o777)
        (home / ".gitconfig").write_text("[user]\n\tname = a\n\temail = a@example.com\n")
        repository(home / "src/api")
        (home / "images").mkdir()
        (home / "images/api.Dockerfile").write_text("FROM ${BASE}\nUSER root\nRUN true\n")
        (home / "tools/pass").write_text("#!/bin/sh\necho made-token\n")
        (home / "tools/pass").chmod(0o755)
        found = Typist(home)
        try:
            yield found
        finally:
            found.types("jailoc destroy --all --yes --force || true")
            for each in PROJECTS:
                world.remove(each)


PLAN, UNDO = "docs/tutorials/plan-and-apply.md", "docs/how-to/undo.md"


def of(*pages: str) -> list[Shown]:
    return sorted(each for each in shown() if each.page in pages)


def test_the_tutorial_of_plans(typist: Typist) -> None:
    base = world.certificates()
    typist.config.write_text('[workspaces.default]\npaths = ["~/src/hello"]\n')
    typist.reads(PLAN, "jailoc plan")
    typist.config.write_text(base + DEFAULT)
    typist.types("jailoc apply")
    typist.config.write_text(base + DEFAULT + REACH)
    typist.reads(PLAN, "jailoc plan", 1)
    typist.types("jailoc apply --yes")
    for page, line in others():
        if page == PLAN:
            typist.types(line)
    typist.reads(PLAN, "jailoc plan", 2)
    assert sorted(typist.compared) == of(PLAN)


def test_a_sandbox_from_its_start_to_its_end(typist: Typist) -> None:
    """One with a Docker of its own, beside a workspace that does not run."""
    base = world.certificates()
    needs = '[workspaces.api.secrets.env.NPM_TOKEN]\nfrom_env = "NPM_TOKEN"\n'
    web = '[workspaces.web]\npaths = ["~/src/web"]\n'
    typist.config.write_text(base + API + needs + web)
    (line,) = {line for _, line in others() if line.startswith("NPM_TOKEN=")}
    typist.types(line)
    assert "made-token" in typist.types('jailoc exec api -- sh -c "echo \\$NPM_TOKEN"')
    typist.config.write_text(base + API + web)
    typist.types("jailoc up api")
    typist.reads("docs/how-to/watch-what-runs.md", "jailoc status")
    typist.reads("docs/how-to/prove-what-a-sandbox-can-reach.md", "jailoc verify api")
    typist.config.write_text(base + API + REACH + web)
    typist.reads("README.md", "jailoc plan api")
    typist.types("jailoc apply api --yes")

    # what an agent did, taken back
    project = typist.home / "src/api"
    (project / ".env").write_text("A=b\n")
    (project / "docs").mkdir()
    (project / "main.py").write_text("print()\n")
    typist.reads(UNDO, "jailoc snapshot api")
    typist.reads(UNDO, "jailoc snapshot list api")
    (project / ".env").unlink()
    (project / "docs").rmdir()
    (project / "main.py").write_text("broken\n")
    typist.reads(UNDO, "jailoc undo api")
    assert (project / "main.py").read_text() == "print()\n"

    # beside it, and away
    tasks = "docs/how-to/run-agents-side-by-side.md"
    typist.reads(tasks, "jailoc task new fix-login -w api")
    typist.types("jailoc task rm fix-login -w api")
    typist.reads("docs/how-to/remove-a-workspace.md", "jailoc destroy api")
    typist.types("jailoc destroy --all")
    for page, line in others():
        if page == "docs/how-to/remove-a-workspace.md":
            # Whoever runs the tests may have shared volumes: theirs are not touched.
            typist.types(line.replace("dev.jailoc.shared", "dev.jailoc.shared=a-test"))
    left = {".cache/jailoc", ".local/share/jailoc", ".config/jailoc"}
    assert [each for each in left if (typist.home / each).exists()] == []

    assert sorted(typist.compared) == of(*STORY - {PLAN})


def test_jailoc_as_a_container_reviews_a_configuration(tmp_path: Path) -> None:
    """The image of the repository, built and used as the page says."""
    build, *uses = (line for _, line in others() if line.startswith(("docker build", "docker run")))
    authorities = Path("/etc/ssl/certs/ca-certificates.crt")
    secret = f" --secret id=ca,src={authorities}" if authorities.exists() else ""
    if not (ROOT / ".git").exists():
        pytest.skip("no clone")
    source = tmp_path / "source"
    world.call("git", "clone", "--quiet", str(ROOT), str(source))
    place = tmp_path / "work"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    (place / "config.toml").write_text("[workspaces.api]\n")
    # Where a test runs, the engine's own network may lead nowhere.
    network = " --network host"
    image = "jailoc-test-own-image"
    try:
        world.call(
            "bash", "-c",
            f"cd {source} && {build.replace('--tag jailoc', f'--tag {image}{network}{secret}')}",
        )  # fmt: skip
        update = "golden update generated"
        for line in (uses[-1].replace("golden check generated", update), *uses):
            world.call("bash", "-c", f"cd {place} && {line.replace(' jailoc ', f' {image} ', 1)}")
    finally:
        world.call("docker", "image", "rm", "--force", image, check=False)
