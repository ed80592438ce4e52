"""What Git's configuration names is covered wherever it is named, and however it is spelt."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.engine import world
from tests.engine.world import ROOT, User

RAN = "ran"


@pytest.fixture
def person() -> Iterator[User]:
    with world.home("elsewhere") as user:
        yield user


def git(place: Path, home: Path, *words: str, **more: str) -> None:
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
    }  # fmt: skip
    subprocess.run(["git", *words], cwd=place, env=environment | more, check=True,
                   capture_output=True)  # fmt: skip


def repository(user: User, place: str) -> Path:
    root = user.home / place
    root.mkdir(parents=True)
    git(root, user.home, "init", "-q")
    return root


def program(place: Path, ran: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    place.chmod(0o755)


def covered(user: User, entries: str, **environment: str) -> set[str]:
    """Return what is read-only in the agent's container."""
    user.write(f"[workspaces.a]\n{entries}\n")
    done = user.run("render", "--json", **environment)
    assert done.status == 0, done.stderr
    (found,) = json.loads(done.stdout)["workspaces"]
    (text,) = (each["text"] for each in found["files"] if each["path"] == "docker-compose.yml")
    volumes = yaml.safe_load(text)["services"]["opencode"]["volumes"]
    return {each["target"] for each in volumes if each.get("read_only")}


def added(root: Path, home: Path, ran: Path, **environment: str) -> bool:
    """Tell whether Git on the host runs the program: the control of each case."""
    (root / ".gitattributes").write_text("data filter=f\n")
    (root / "data").write_text("x\n")
    git(root, home, "add", "data", **environment)
    return ran.exists()


@pytest.mark.parametrize("spelt", ["tools/run", "TOP/tools/run", "$PWD/tools/run"])
def test_a_path_in_a_repository_has_what_that_names(person: User, spelt: str) -> None:
    root, ran = repository(person, "mono"), person.home / RAN
    program(root / "pkg/tools/run", ran)
    (root / "pkg/git.inc").touch()
    line = spelt.replace("TOP", str(root)).replace("tools", "pkg/tools")
    git(root, person.home, "config", "filter.f.clean", line)
    git(root, person.home, "config", "include.path", "../pkg/git.inc")
    git(root, person.home, "config", "core.hooksPath", "pkg/.githooks")
    (root / "pkg/.githooks").mkdir()
    assert added(root, person.home, ran)
    names = ("tools/run", "git.inc", ".githooks")
    paths = covered(person, 'paths = ["~/mono/pkg"]')
    assert paths >= {f"{root}/pkg/{each}" for each in names}
    mounts = covered(person, 'mounts = ["~/mono/pkg:/data/pkg:rw"]')
    assert mounts >= {f"/data/pkg/{each}" for each in names}


def test_a_link_on_the_way_hides_nothing(person: User) -> None:
    root, ran = repository(person, "src/lk"), person.home / RAN
    (person.home / "lnk").symlink_to(root)
    program(root / "t/run", ran)
    (root / "inc").touch()
    git(root, person.home, "config", "include.path", "~/lnk/inc")
    git(root, person.home, "config", "filter.f.clean", f"{person.home}/lnk/t/run")
    assert added(root, person.home, ran)
    assert covered(person, 'paths = ["~/src/lk"]') >= {f"{root}/t/run", f"{root}/inc"}


def test_a_path_that_is_a_link_has_what_is_named_without_it(person: User) -> None:
    root, ran = repository(person, "src/lk"), person.home / RAN
    (person.home / "lnk").symlink_to(root)
    program(root / "t/run", ran)
    git(root, person.home, "config", "filter.f.clean", str(root / "t/run"))
    assert added(root, person.home, ran)
    assert f"{person.home}/lnk/t/run" in covered(person, 'paths = ["~/lnk"]')


def test_a_link_that_an_agent_could_put_elsewhere_is_told(person: User) -> None:
    root = repository(person, "src/one")
    other = person.home / "src/two"
    (person.home / "kept").mkdir()
    (person.home / "kept/run").touch()
    other.mkdir()
    (other / "way").symlink_to("../../kept")
    git(root, person.home, "config", "core.fsmonitor", str(other / "way/run"))
    person.write('[workspaces.a]\npaths = ["~/src/two"]\n[workspaces.b]\npaths = ["~/src/one"]\n')
    # It is not named in the agent's own repositories; by the user's own configuration it is.
    git(root, person.home, "config", "--global", "core.fsmonitor", str(other / "way/run"))
    assert f"{other}/way" in person.run("validate").stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"GIT_CONFIG_GLOBAL": "HOME/mine.conf"},
        {"GIT_CONFIG_SYSTEM": "HOME/mine.conf"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "Filter.f.Clean",
         "GIT_CONFIG_VALUE_0": "HOME/p/tools/run"},
    ],
    ids=lambda each: next(iter(each)),
)  # fmt: skip
def test_what_the_environment_tells_git_counts(person: User, environment: dict[str, str]) -> None:
    root, ran = repository(person, "p"), person.home / RAN
    program(root / "tools/run", ran)
    (person.home / "mine.conf").write_text(f'[filter "f"]\nclean = {root}/tools/run\n')
    given = {key: value.replace("HOME", str(person.home)) for key, value in environment.items()}
    assert added(root, person.home, ran, **given)
    assert f"{root}/tools/run" in covered(person, 'paths = ["~/p"]', **given)
    assert f"{root}/tools/run" not in covered(person, 'paths = ["~/p"]')


@pytest.mark.parametrize(
    "words",
    ["'Filter.f.clean=RUN'", "'x.y=1' 'filter.f.Clean'='RUN'", "'a.b' 'filter.f.clean'='RUN'"],
)
def test_what_git_hands_to_what_it_runs_counts(person: User, words: str) -> None:
    root, ran = repository(person, "p"), person.home / RAN
    tool = root / "tools/it's run"
    program(tool, ran)
    given = words.replace("RUN", f'"{tool}"'.replace("'", "'\\''"))
    assert added(root, person.home, ran, GIT_CONFIG_PARAMETERS=given)
    assert str(tool) in covered(person, 'paths = ["~/p"]', GIT_CONFIG_PARAMETERS=given)
    assert str(tool) not in covered(person, 'paths = ["~/p"]')


def test_where_git_finds_its_own_programs_is_covered(person: User) -> None:
    root, ran = repository(person, "p"), person.home / RAN
    program(root / "core/git-mine", ran)
    folder = str(root / "core")
    git(root, person.home, "mine", GIT_EXEC_PATH=folder)
    assert ran.exists(), "control: Git runs it"
    assert folder in covered(person, 'paths = ["~/p"]', GIT_EXEC_PATH=folder)
    assert folder not in covered(person, 'paths = ["~/p"]')


def test_a_program_of_the_environment_counts(person: User) -> None:
    root = repository(person, "p")
    program(root / "tools/edit", person.home / RAN)
    tool = f"{root}/tools/edit"
    assert tool in covered(person, 'paths = ["~/p"]', GIT_EDITOR=f"{tool} --wait")
    assert tool not in covered(person, 'paths = ["~/p"]')


@pytest.mark.parametrize("where", [".git/hooks", ".githooks"])
def test_a_link_in_what_is_covered_leads_to_nothing_that_is_open(person: User, where: str) -> None:
    root, ran = repository(person, "p"), person.home / RAN
    git(root, person.home, "commit", "-q", "--allow-empty", "-m", "x")
    if where != ".git/hooks":
        git(root, person.home, "config", "core.hooksPath", where)
    program(root / "src/hook", ran)
    (root / where).mkdir(exist_ok=True)
    (root / where / "post-commit").symlink_to(os.path.relpath(root / "src/hook", root / where))
    git(root, person.home, "commit", "-q", "--allow-empty", "-m", "y")
    assert ran.exists(), "control: Git runs it"
    assert f"{root}/src/hook" in covered(person, 'paths = ["~/p"]')
    (root / "src/hook").unlink()
    told = person.run("validate").stderr
    assert f"{where}/post-commit` names it, and it does not exist yet" in " ".join(told.split())


@pytest.mark.parametrize("name", [".vscode/tasks.json", ".husky/pre-commit", ".idea/x.xml"])
def test_a_link_in_a_directory_of_an_editor_leads_to_nothing_that_is_open(
    person: User, name: str
) -> None:
    root = repository(person, "p")
    (root / name).parent.mkdir()
    (root / "mine").touch()
    (root / "more").mkdir()
    (root / name).symlink_to("../mine")
    (root / name).with_name("more").symlink_to("../more")
    assert f"{root}/mine" in covered(person, 'paths = ["~/p"]')
    told = " ".join(person.run("validate").stderr.split())
    assert "/more` leads to it" in told
    assert "put a copy in the place of what leads there" in told


def test_a_way_back_by_a_link_is_told(person: User) -> None:
    root, ran = repository(person, "p"), person.home / RAN
    program(root / "evil/H/run", ran)
    (root / "evil/sub").mkdir()
    (root / "H").mkdir()
    git(root, person.home, "config", "filter.f.clean", f"{root}/x/../H/run")
    (root / "x").symlink_to("evil/sub")
    assert added(root, person.home, ran)
    assert f"{root}/evil/H/run" in covered(person, 'paths = ["~/p"]')
    # Before there is a link, the place for one is told.
    (root / "x").unlink()
    (root / "x").mkdir()
    (root / "H/run").touch()
    told = " ".join(person.run("validate").stderr.split())
    assert f"{root}/x" in told
    assert "a symbolic link can be put there" in told


def test_a_directory_of_hooks_that_is_named_by_way_of_a_link_is_looked_through(
    person: User,
) -> None:
    root, ran = repository(person, "src/lk"), person.home / RAN
    (person.home / "lnk").symlink_to(root)
    program(root / "src/hook", ran)
    (root / "hooks").mkdir()
    (root / "hooks/post-commit").symlink_to("../src/hook")
    git(root, person.home, "config", "core.hooksPath", "~/lnk/hooks")
    git(root, person.home, "commit", "-q", "--allow-empty", "-m", "x")
    assert ran.exists(), "control: Git runs it"
    assert covered(person, 'paths = ["~/src/lk"]') >= {f"{root}/hooks", f"{root}/src/hook"}


def test_a_directory_elsewhere_that_a_link_leads_to_is_told(person: User) -> None:
    root, other = repository(person, "p"), person.home / "q/skill"
    other.mkdir(parents=True)
    (root / ".claude/skills").mkdir(parents=True)
    (root / ".claude/skills/one").symlink_to("../../../q/skill")
    (person.home / "kept").mkdir()
    (root / "way").symlink_to("../kept")
    (root / ".claude/skills/two").symlink_to("../../way")
    person.write('[workspaces.a]\npaths = ["~/p", "~/q"]\n')
    told = " ".join(person.run("validate").stderr.split())
    assert ".claude/skills/one` leads to it" in told
    assert f"`{root}/way` cannot be protected" in told


def test_what_git_reads_beside_the_repository_is_no_alarm(person: User) -> None:
    root = repository(person, "p")
    (root / ".gitconfig").touch()
    git(root, person.home, "config", "include.path", "../.gitconfig")
    assert f"{root}/.gitconfig" in covered(person, 'paths = ["~/p"]')
    assert "cannot be protected" not in person.run("validate").stderr


def test_a_name_without_end_takes_no_memory(person: User) -> None:
    root = repository(person, "p")
    git(root, person.home, "config", "core.fsmonitor", "a/" * 30_000 + "x")
    git(root, person.home, "config", "core.hooksPath", "b/" * 2_000 + "x")
    person.write('[workspaces.a]\npaths = ["~/p"]\n')
    code = (
        "import resource, runpy, sys; most = 1 << 30; sys.argv = ['jailoc', 'validate']; "
        "resource.setrlimit(resource.RLIMIT_AS, (most, most)); "
        "runpy.run_module('jailoc.bin', run_name='__main__')"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(person.home)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=False,
        env=environment | {"PYTHONPATH": str(ROOT / ".pkg")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_links_are_followed_where_nothing_else_of_git_is_protected(person: User) -> None:
    root = repository(person, "p")
    (root / ".vscode").mkdir()
    (root / "mine").touch()
    (root / ".vscode/tasks.json").symlink_to("../mine")
    entries = 'paths = ["~/p"]\nprotect = ["**/.vscode"]'
    assert f"{root}/mine" in covered(person, entries)


def test_a_home_directory_that_is_a_repository_is_one_around_a_path(person: User) -> None:
    git(person.home, person.home, "init", "-q")
    ran, hooks = person.home / RAN, person.home / "w/a/h"
    program(hooks / "post-commit", ran)
    git(person.home, person.home, "config", "core.hooksPath", "w/a/h")
    git(person.home, person.home, "commit", "-q", "--allow-empty", "-m", "x")
    assert ran.exists(), "control: Git runs it"
    assert str(hooks) in covered(person, 'paths = ["~/w/a"]')


@pytest.mark.parametrize(
    ("alias", "shut"),
    [
        ("!./tools/fmt", True), ("-c core.pager=./tools/fmt log", True),
        ("rebase -x ./tools/fmt main", True), ("!sh tools/fmt", True),
        ("!f() { git log -- README.md; }; f", False), ("log main", False),
    ],
)  # fmt: skip
def test_an_alias_has_what_it_runs_covered_and_not_what_it_reads(
    person: User, alias: str, shut: bool
) -> None:
    root = repository(person, "p")
    program(root / "tools/fmt", person.home / RAN)
    for name in ("README.md", "main", "log"):
        (root / name).touch()
    git(root, person.home, "config", "alias.x", alias)
    found = covered(person, 'paths = ["~/p"]')
    assert (f"{root}/tools/fmt" in found) is shut
    assert found.isdisjoint({f"{root}/README.md", f"{root}/main", f"{root}/log"})
