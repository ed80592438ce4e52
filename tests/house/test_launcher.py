"""The launcher of a checkout imports nothing from the directory it is called in."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = """
import sys
sys.path.insert(0, sys.argv[1])
import environment
environment.ROOT = environment.Path(sys.argv[2])
environment.VENV = environment.ROOT / ".venv"
environment.python()
"""


def test_making_the_environment_runs_nothing_of_the_current_directory(tmp_path: Path) -> None:
    hostile, checkout = tmp_path / "hostile", tmp_path / "checkout"
    hostile.mkdir()
    checkout.mkdir()
    # What cannot be built ends the second step soon after it has begun.
    (checkout / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "none"\n'
    )
    for name in ("venv", "ensurepip", "pip", "json", "subprocess", "pathlib", "typing"):
        (hostile / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name}')")
    done = subprocess.run(
        [sys.executable, "-P", "-c", START, str(ROOT / "bin"), str(checkout)],
        cwd=hostile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "pip install" in done.stderr, "both steps were taken"
    assert done.returncode == 1
    assert not (tmp_path / "ran").exists()


def program(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)


def test_the_environment_is_asked_for_only_where_it_is_not_the_one_of_this_checkout(
    tmp_path: Path,
) -> None:
    checkout, words = tmp_path / "a checkout", ["up", "two words", ""]
    program(checkout / ".venv/bin/python", 'printf "<%s>" "$@"')
    program(tmp_path / "path/python3", f'echo "$@" >&2; echo "{checkout}/.venv/bin/python"')
    (checkout / "bin").mkdir()
    shutil.copy(ROOT / "bin/jailoc", checkout / "bin")
    (checkout / "pyproject.toml").write_text("now")
    (tmp_path / "jailoc").symlink_to(checkout / "bin/jailoc")

    def asked(stamp: str) -> bool:
        (checkout / ".venv/stamp-dev").write_text(stamp)
        done = subprocess.run(
            [tmp_path / "jailoc", *words],
            env={"PATH": f"{tmp_path}/path:{os.defpath}"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.startswith("<-I><-c>"), "nothing of the current directory is imported"
        assert done.stdout.endswith("<up><two words><>")
        return f"-I -B {checkout}/bin/environment.py" in done.stderr

    assert not asked(f"{checkout}\nnow")
    assert asked(f"{checkout}\nbefore")
    assert asked(f"{tmp_path}\nnow")


@pytest.mark.parametrize("path", ["", ":/opt/lib", "/opt/lib:", ".", "HERE"])
def test_no_part_of_a_path_of_modules_is_where_one_is(tmp_path: Path, path: str) -> None:
    """Python imports `sitecustomize` before jailoc begins (site)."""
    (tmp_path / "sitecustomize.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    environment = os.environ | {"PYTHONPATH": path.replace("HERE", str(tmp_path))}
    command = [str(ROOT / "bin/jailoc"), "render", "--help"]
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert not (tmp_path / "ran").exists()
    if path:  # control
        subprocess.run([sys.executable, "-P", "-c", ""], cwd=tmp_path, env=environment, check=True)
        assert (tmp_path / "ran").exists()


def test_nothing_is_said_of_a_comparison_that_ends_early(tmp_path: Path) -> None:
    checkout, text = tmp_path / "checkout", "x" * (1 << 20)
    program(checkout / ".venv/bin/python", "echo started")
    (checkout / "bin").mkdir()
    shutil.copy(ROOT / "bin/jailoc", checkout / "bin")
    (checkout / "pyproject.toml").write_text(text)
    (checkout / ".venv/stamp-").write_text(f"{checkout}\n{text}")
    done = subprocess.run(
        [checkout / "bin/jailoc"],
        restore_signals=False,  # ours has ignored SIGPIPE, as many programs do
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("started\n", "")


def test_no_tool_of_a_project_is_run_to_start(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for name in ("readlink", "cat", "cmp"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >>{mark}\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [str(ROOT / "bin/jailoc"), "--version"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not mark.exists()
    # Control: by name they would be found first.
    subprocess.run(["/bin/sh", "-c", "cmp"], env=environment, check=False)
    assert mark.exists()


@pytest.mark.parametrize("way", ["path", "link", "relative", "activated", "before", "begun"])
def test_no_python_of_a_project_makes_the_environment_anew(tmp_path: Path, way: str) -> None:
    checkout, project, mark = tmp_path / "checkout", tmp_path / "project", tmp_path / "ran"
    program(checkout / ".venv/bin/python", "echo started")
    program(project / "bin/python3", f'echo ran >{mark}; echo "{checkout}/.venv/bin/python"')
    program(tmp_path / "own/python3", f'echo "{checkout}/.venv/bin/python"')
    (checkout / "bin").mkdir()
    shutil.copy(ROOT / "bin/jailoc", checkout / "bin")
    (checkout / "pyproject.toml").write_text("now")
    (tmp_path / "link").symlink_to(project / "bin")
    first = {"link": tmp_path / "link", "relative": "bin"}.get(way, project / "bin")
    environment = {"PATH": f"{first}:{tmp_path}/own:{os.defpath}", "HOME": str(tmp_path)}

    def start(**more: str) -> bool:
        mark.unlink(missing_ok=True)
        done = subprocess.run(
            [checkout / "bin/jailoc"], env=environment | more, cwd=project,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout == "started\n"
        return mark.exists()

    if way == "relative":
        assert not start()
        return
    assert start(), "control: nobody was started there"
    if way == "activated":
        assert not start(VIRTUAL_ENV=str(project))
        return
    place = tmp_path / (".cache" if way == "before" else ".local/share")
    record = place / f"jailoc/api.{'begun' if way == 'begun' else 'applied'}.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"mounts": [{"source": {"text": str(project)}}]}))
    assert not start()
    assert not start(XDG_DATA_HOME="elsewhere", XDG_CACHE_HOME="elsewhere"), "these are ignored"
    assert start(XDG_DATA_HOME=str(project), XDG_CACHE_HOME=str(project)), "control: these are not"


@pytest.mark.parametrize("case", ["link above", "link within", "quote", "letters"])
def test_a_record_names_a_place_and_not_a_text(tmp_path: Path, case: str) -> None:
    """A project that is named by a link, a link in one, and names that JSON writes otherwise."""
    checkout, mark = tmp_path / "checkout", tmp_path / "ran"
    odd = {"quote": 'a "name" of', "letters": "a \u00e4 of"}.get(case, "a")
    home = tmp_path / "home"
    project = home / odd / "project"
    program(checkout / ".venv/bin/python", "echo started")
    program(project / "bin/python3", f'echo ran >{mark}; echo "{checkout}/.venv/bin/python"')
    program(tmp_path / "own/python3", f'echo "{checkout}/.venv/bin/python"')
    (checkout / "bin").mkdir()
    shutil.copy(ROOT / "bin/jailoc", checkout / "bin")
    (checkout / "pyproject.toml").write_text("now")
    (home / "src").symlink_to(odd)
    named = project
    first = [project / "bin"]
    if case == "link above":
        named = home / "src/project"
        first = [home / "src/project/bin", project / "bin", tmp_path / "alias/bin"]
        (tmp_path / "alias").symlink_to(home / "src/project")
    if case == "link within":
        # Where it leads is no agent's, but where it leads next is what the agent says.
        program(tmp_path / "elsewhere/python3", f'echo ran >{mark}; echo "{checkout}"')
        (project / "tools").symlink_to(tmp_path / "elsewhere")
        first = [project / "tools"]

    def start(place: Path) -> bool:
        mark.unlink(missing_ok=True)
        done = subprocess.run(
            [checkout / "bin/jailoc"],
            env={"PATH": f"{place}:{tmp_path}/own:{os.defpath}", "HOME": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert mark.exists() or done.stdout == "started\n"
        return mark.exists()

    assert all(map(start, first)), "control: nobody was started there"
    record = tmp_path / ".local/share/jailoc/api.applied.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"mounts": [{"source": {"text": str(named)}}]}))
    assert not any(map(start, first))


def test_an_interrupt_is_one_line_and_the_next_call_begins_anew(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "bin").mkdir(parents=True)
    (checkout / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n")
    script = shutil.copy(ROOT / "bin/environment.py", checkout / "bin/environment.py")
    command = [sys.executable, "-B", str(script)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as running:  # fmt: skip
        assert running.stderr is not None
        assert "preparing the environment" in running.stderr.readline()
        os.killpg(running.pid, signal.SIGINT)
        said = running.stderr.read()
        assert running.wait(30) == 130
    assert said.splitlines()[-1] == "interrupted"
    assert "environment.py" not in said
    assert not list((checkout / ".venv").glob("stamp-*"))
