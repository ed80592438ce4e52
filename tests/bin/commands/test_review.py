"""The hook and the action with which other repositories use `golden check`, as they use them."""

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
        sys.executable, "-m", "jailoc.bin", "golden", "update", "sandboxes/generated",
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
    assert len(scripts) == 3
    for script in scripts:
        assert "${{" not in script
        assert script.startswith("set -euo pipefail\n")


def steps(env: Mapping[str, str], team: Path, known: Mapping[str, str], status: int) -> str:
    """Run the action's scripts in order, as the runner does; the last may end with a status."""
    found = ""
    scripts = [each for each in action()["runs"]["steps"] if "run" in each]
    for step in scripts[bool(known.get("installed")) :]:
        variables = {
            name: re.sub(r"\$\{\{ *(.*?) *\}\}", lambda match: known[match[1]], value)
            for name, value in step["env"].items()
        }
        found += call(
            "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"],
            cwd=team, env={**env, **variables}, status=status if step is scripts[-1] else 0,
        )  # fmt: skip
    return found


def test_the_action_tells_what_a_pull_request_opens_and_fails_on_old_files(
    team: Path, env: dict[str, str], tmp_path: Path
) -> None:
    base = call("git", "rev-parse", "HEAD", cwd=team, env=env).strip()
    summary, output = tmp_path / "summary.md", tmp_path / "output"
    env |= {
        "RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(output), "CI": "true",
    }  # fmt: skip
    known = {
        "github.action_path": str(ROOT),
        "inputs.config": "sandboxes/config.toml",
        "inputs.directory": "./sandboxes/generated",
        "inputs.base": base,
        "installed": "",
    }
    steps(env, team, known, 0)
    assert summary.read_text() == "### jailoc: the generated files are up to date\n"
    known["installed"] = "yes"

    # The change comes with its generated files: they are fresh, and the summary says what is new.
    (team / "sandboxes/config.toml").write_text(WIDER)
    update(team, {key: value for key, value in env.items() if key != "CI"})
    commit(team, env)
    summary.unlink()
    steps(env, team, known, 0)
    text = summary.read_text()
    assert text.startswith("### jailoc: 1 workspace changed, 1 effect opens something\n")
    assert "- `reachable + 10.1.0.0/16 (65,536 addresses), all ports`" in text
    report = output.read_text().splitlines()[-1].removeprefix("report=")
    assert Path(report).read_text() == text

    # The checkout of a job may be shallow: the base is fetched.
    shallow = tmp_path / "shallow"
    call("git", "clone", "--quiet", "--depth=1", f"file://{team}", str(shallow),
         cwd=tmp_path, env=env)  # fmt: skip
    summary.unlink()
    steps(env, shallow, known, 0)
    assert summary.read_text() == text

    # Without its generated files it fails; a new branch has nothing that it is compared with.
    (team / "sandboxes/config.toml").write_text(WIDER + 'memory = "8g"\n')
    found = steps(env, team, known | {"inputs.base": "0" * 40}, 2)
    assert "limits opencode, memory: 4g -> 8g" in found
    assert "#### `api` (added)" in summary.read_text()
