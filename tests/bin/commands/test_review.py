"""The hook and the action with which other repositories review changes, as they use them."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CONFIG = '[workspaces.api]\npaths = ["~/src/api"]\n'
WIDER = CONFIG + 'allowed_networks = ["10.1.0.0/16"]\n'

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")


def call(
    *command: str, cwd: Path, env: Mapping[str, str], status: int = 0, timeout: float = 300
) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return the environment of somebody with a home of their own."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\nname = A\nemail = a@example.com\n[init]\ndefaultBranch = main\n"
        "[safe]\ndirectory = *\n[uploadpack]\nallowAnySHA1InWant = true\n"
    )
    # pip's own variables say where it finds packages, and a bundle of certificates what to trust.
    kept = {
        key: value
        for key, value in os.environ.items()
        if key.startswith(("PIP_", "SSL_CERT_", "REQUESTS_", "PATH"))
        or key.lower().endswith("_proxy")
    }
    return kept | {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}


@pytest.fixture
def source(tmp_path: Path, env: dict[str, str]) -> Path:
    """Make a repository of this program, as it is now."""
    place = tmp_path / "jailoc"
    place.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in (".pkg", "model", "generators", "bin", "schemas"):
        shutil.copytree(ROOT / name, place / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "action.yml"):
        shutil.copy(ROOT / name, place / name)
    commit(place, env)
    return place


@pytest.fixture
def team(tmp_path: Path, env: dict[str, str]) -> Path:
    """Make the repository of a team, with a configuration and its generated files."""
    place = tmp_path / "team"
    (place / "sandboxes").mkdir(parents=True)
    (place / "sandboxes/config.toml").write_text(CONFIG)
    update(place, env)
    commit(place, env)
    return place


def commit(place: Path, env: Mapping[str, str]) -> str:
    if not (place / ".git").exists():
        call("git", "init", "--quiet", cwd=place, env=env)
    call("git", "add", "--all", cwd=place, env=env)
    call("git", "commit", "--quiet", "--message", "state", cwd=place, env=env)
    return call("git", "rev-parse", "HEAD", cwd=place, env=env).strip()


def update(place: Path, env: Mapping[str, str]) -> None:
    call(
        sys.executable, "-P", "-m", "jailoc.bin", "golden", "update", "sandboxes/generated",
        "--config", "sandboxes/config.toml",
        cwd=place, env={**env, "PYTHONPATH": str(ROOT / ".pkg")},
    )  # fmt: skip


def test_the_hook_refuses_a_commit_whose_generated_files_are_old(
    source: Path, team: Path, env: dict[str, str], tmp_path: Path
) -> None:
    revision = call("git", "rev-parse", "HEAD", cwd=source, env=env).strip()
    (team / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {source}\n  rev: {revision}\n  hooks:\n  - id: jailoc-golden\n"
        "    args: [sandboxes/generated, --config, sandboxes/config.toml]\n"
    )
    env["PRE_COMMIT_HOME"] = str(tmp_path / "cache")
    call("git", "add", ".pre-commit-config.yaml", cwd=team, env=env)

    def hook(status: int) -> str:
        return call(sys.executable, "-m", "pre_commit", "run", "--verbose",
                    cwd=team, env=env, status=status)  # fmt: skip

    assert "no files to check" in hook(0)
    (team / "sandboxes/config.toml").write_text(WIDER)
    call("git", "add", "--all", cwd=team, env=env)
    found = hook(1)
    assert "may reach 10.1.0.0/16 (65,536 addresses), every port" in found
    assert "- exit code: 2" in found
    update(team, env)
    call("git", "add", "--all", cwd=team, env=env)
    assert "Passed" in hook(0)


# The action


def action() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return data


def test_the_action_has_the_shape_of_one() -> None:
    call(
        sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions",
        str(ROOT / "action.yml"), cwd=ROOT, env=os.environ,
    )  # fmt: skip


def test_no_text_of_others_is_pasted_into_a_script_of_the_action() -> None:
    """An expression in a script is text of whoever names a branch (script injection)."""
    scripts = [each["run"] for each in action()["runs"]["steps"] if "run" in each]
    assert len(scripts) == 4
    for script in scripts:
        assert "${{" not in script
        assert script.startswith("set -euo pipefail\n")


GH = """#!/usr/bin/env python3
# A stand-in for GitHub's client: comments are files in a directory.
import os, pathlib, sys
place = pathlib.Path(os.environ["COMMENTS"])
words = sys.argv[1:]
method = words[words.index("--method") + 1] if "--method" in words else "GET"
with (place / "calls").open("a") as calls:
    calls.write(f"{method} {words}\\n")
if method == "GET":
    print("\\n".join(sorted(each.name for each in place.iterdir() if each.name.isdigit())))
    sys.exit()
if (place / "read-only").exists():
    sys.exit("HTTP 403: Resource not accessible by integration")
body = pathlib.Path(words[words.index("--field") + 1].removeprefix("body=@")).read_text()
url = next(each for each in words if each.startswith("repos/"))
name = url.rpartition("/")[2] if method == "PATCH" else "7"
(place / name).write_text(body)
"""


class Runner:
    """What runs the action's scripts in order, as GitHub's runner does."""

    def __init__(self, place: Path, env: Mapping[str, str]) -> None:
        self.place, self.env = place, dict(env)
        self.comments = place / "comments"
        self.comments.mkdir()
        (place / "tools").mkdir()
        (place / "tools/gh").write_text(GH)
        (place / "tools/gh").chmod(0o755)
        self.env |= {
            "RUNNER_TEMP": str(place), "GITHUB_STEP_SUMMARY": str(place / "summary.md"),
            "GITHUB_OUTPUT": str(place / "output"), "CI": "true", "COMMENTS": str(self.comments),
            "PATH": f"{place / 'tools'}:{env['PATH']}",
        }  # fmt: skip
        self.installed = False

    def run(self, team: Path, status: int, **inputs: str) -> str:
        """Run every step; the last ends with a status. Return what was said."""
        known = {
            "github.action_path": str(ROOT), "github.repository": "team/sandboxes",
            "github.event.pull_request.number": "3", "inputs.token": "t",
            "inputs.config": "sandboxes/config.toml", "inputs.directory": "", "inputs.fail-on": "",
            "inputs.policy": "",
        }  # fmt: skip
        known |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        for name in ("summary.md", "output"):
            (self.place / name).write_text("")
        said = ""
        scripts = [each for each in action()["runs"]["steps"] if "run" in each]
        for step in scripts[self.installed :]:
            for line in (self.place / "output").read_text().splitlines():
                key, _, value = line.partition("=")
                known[f"steps.report.outputs.{key}"] = value
            variables = {
                name: re.sub(r"\$\{\{ *(.*?) *\}\}", lambda match: known[match[1]], value)
                for name, value in step["env"].items()
            }
            said += call(
                "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"],
                cwd=team, env={**self.env, **variables},
                status=status if step is scripts[-1] else 0,
            )  # fmt: skip
        self.installed = True
        return said

    @property
    def summary(self) -> str:
        return (self.place / "summary.md").read_text()


def test_nothing_of_the_pull_request_is_executed(
    team: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """The checkout is where scripts run: a module there would come before the one that is meant."""
    mark = tmp_path / "executed"
    (team / "pip").mkdir()
    for name in ("venv.py", "pip/__init__.py", "pip/__main__.py", "argparse.py", "json.py"):
        (team / name).write_text(f"open({str(mark)!r}, 'a').write({name!r})\n")
    base = call("git", "rev-parse", "HEAD", cwd=team, env=env).strip()
    runner = Runner(tmp_path, env)
    runner.run(team, 0, base=base, directory="sandboxes/generated")
    assert "### jailoc: no power changes" in runner.summary
    assert not mark.exists()
    # The control: without `-I` it is.
    call("python3", "-m", "venv", str(tmp_path / "other"), cwd=team, env=runner.env)
    assert mark.exists()


def test_the_action_tells_what_a_pull_request_makes_possible(
    team: Path, env: dict[str, str], tmp_path: Path
) -> None:
    base = call("git", "rev-parse", "HEAD", cwd=team, env=env).strip()
    runner = Runner(tmp_path, env)
    golden = {"directory": "./sandboxes/generated"}
    runner.run(team, 0, base=base, **golden)
    quiet = "<!-- jailoc review -->\n### jailoc: no power changes: the files are the same\n"
    assert runner.summary == quiet
    assert not list(runner.comments.glob("[0-9]*")), "what is quiet needs no comment"

    # The change comes with its generated files: they are fresh, and the comment says what is new.
    (team / "sandboxes/config.toml").write_text(WIDER)
    update(team, env)
    commit(team, env)
    runner.run(team, 0, base=base, **golden)
    text = runner.summary
    assert "### jailoc: 1 of 1 workspace may do more: 1 high\n" in text
    assert "- `api`: `may reach 10.1.0.0/16 (65,536 addresses), every port" in text
    assert "(`sandboxes/config.toml:3:21`)" in text
    assert (runner.comments / "7").read_text() == text
    results = json.loads((tmp_path / "jailoc-review.sarif").read_text())["runs"][0]["results"]
    assert [each["ruleId"] for each in results] == ["reach.network"]

    # The next push changes that comment, and makes no other; quiet, too.
    (team / "sandboxes/config.toml").write_text(CONFIG)
    runner.run(team, 0, base=base)
    assert (runner.comments / "7").read_text() == quiet
    assert [each.name for each in runner.comments.glob("[0-9]*")] == ["7"]

    # A fork's token may only read: the summary says it all, and the job goes on.
    (team / "sandboxes/config.toml").write_text(WIDER)
    (runner.comments / "read-only").touch()
    said = runner.run(team, 2, base=base, fail_on="high")
    assert "::notice::the token may not comment" in said
    assert "1 of 1 workspace may do more" in runner.summary
    assert (runner.comments / "7").read_text() == quiet

    # The checkout of a job may be shallow: the base is fetched.
    shallow = tmp_path / "shallow"
    call("git", "clone", "--quiet", "--depth=1", f"file://{team}", str(shallow),
         cwd=tmp_path, env=env)  # fmt: skip
    runner.run(shallow, 0, base=base)
    assert runner.summary == text

    # Without its generated files it fails; a new branch has nothing that it is compared with.
    (team / "sandboxes/config.toml").write_text(WIDER + 'memory = "8g"\n')
    said = runner.run(team, 2, base="0" * 40, **golden)
    assert "limits: memory of opencode 8g (it was 4g)" in said
    assert "new is api" in runner.summary or "may do more" in runner.summary


def test_the_policy_of_a_pull_request_is_that_of_its_base(
    team: Path, env: dict[str, str], tmp_path: Path
) -> None:
    (team / "policy.toml").write_text('[[forbid]]\npower = "reach.network"\nto = ["10.1.2.0/24"]\n')
    base = commit(team, env)
    (team / "policy.toml").write_text("")
    (team / "sandboxes/config.toml").write_text(WIDER)
    commit(team, env)
    runner = Runner(tmp_path, env)
    runner.run(team, 1, base=base, policy="policy.toml")
    assert "refused: workspace `api`: forbidden by policy.toml:1" in runner.summary


def test_no_word_of_a_pull_request_is_a_command_to_the_runner(
    team: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """It obeys such a line of a step's output, unless it was told to stop until it reads a word."""
    base = call("git", "rev-parse", "HEAD", cwd=team, env=env).strip()
    order = "##[add-mask]x"
    (team / "sandboxes/config.toml").write_text(f'{CONFIG}"{order}" = 1\n')
    runner = Runner(tmp_path, env)
    said = runner.run(team, 1, base=base, directory="sandboxes/generated")
    assert order in said
    obeyed = re.sub(r"::stop-commands::(\S+)\n.*?::\1::\n", "", said, flags=re.DOTALL)
    assert order not in obeyed


def test_a_refused_configuration_is_told_by_the_action(
    team: Path, env: dict[str, str], tmp_path: Path
) -> None:
    base = call("git", "rev-parse", "HEAD", cwd=team, env=env).strip()
    (team / "sandboxes/config.toml").write_text(CONFIG + "no_such_key = 1\n")
    runner = Runner(tmp_path, env)
    runner.run(team, 1, base=base)
    assert "### jailoc: refused" in runner.summary
    assert "unknown key" in runner.summary
