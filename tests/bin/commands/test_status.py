"""What runs is shown whatever the configuration says, and an engine that is missing is an error."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jailoc.bin.deploy import projects
from jailoc.bin.engine import containers as engine
from jailoc.schemas import schema
from tests.engine.world import ROOT, User

NOWHERE = "unix:///nonexistent/docker.sock"
TWO = '[workspaces.api]\npaths = ["/srv/jailoc-api"]\n[workspaces.web]\nexpose_port = false\n'


def container(project: str, service: str, **state: object) -> dict[str, Any]:
    """Return what `docker inspect` says of a container."""
    return {
        "Id": f"{project}-{service}", "Image": "sha256:1",
        "Config": {"Labels": {"com.docker.compose.project": project,
                              "com.docker.compose.service": service}, "Image": "old:1"},
        "State": {"Status": "exited", "ExitCode": 3, "StartedAt": "0001-01-01T00:00:00Z", **state},
        "NetworkSettings": {"Ports": {}},
        "HostConfig": {"NanoCpus": 1500000000, "Memory": 1 << 30, "PidsLimit": 99},
    }  # fmt: skip


def engine_with(folder: Path, containers: list[dict[str, Any]], stats: str = "exit 1") -> str:
    """Put a docker on PATH that has containers in states that no test can bring about in time."""
    place = folder / "fake"
    place.mkdir()
    (place / "inspect.json").write_text(json.dumps(containers))
    rows = []
    for each in containers:
        labels = each["Config"]["Labels"]
        project, service = (labels[f"com.docker.compose.{key}"] for key in ("project", "service"))
        rows.append([each["Id"], f"{project}-{service}-1", service, project, ""])
    (place / "list").write_text("".join(f"{json.dumps(each)}\n" for each in rows))
    script = place / "docker"
    script.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        f"  ps) cat {place}/list ;;\n"
        f"  inspect) cat {place}/inspect.json ;;\n"
        f"  stats) {stats} ;;\n"
        "  *) exit 64 ;;\n"
        "esac\n"
    )
    script.chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


def rows(user: User, *arguments: str, status: int = 0, **environment: str) -> dict[str, Any]:
    result = user.run("status", "--json", *arguments, **environment)
    assert result.status == status, result.stderr
    data = json.loads(result.stdout)
    jsonschema.validate(data, schema("status"))
    return {each["workspace"]: each for each in data["workspaces"]}


def test_stopped_workspaces_are_shown_with_the_port_they_would_have(
    user: User, tmp_path: Path
) -> None:
    user.write(TWO)
    found = rows(user, PATH=engine_with(tmp_path, []))
    assert {name: (each["state"], each["port"]) for name, each in found.items()} == {
        "api": ("not running", 4096), "web": ("not running", None),
    }  # fmt: skip
    result = user.run("status", "api", PATH=f"{tmp_path}/fake:{os.environ['PATH']}")
    assert (result.status, result.stdout) == (0, "api is not running\n")


def test_a_stopped_workspace_that_has_no_docker_says_so(user: User, tmp_path: Path) -> None:
    user.write("[workspaces.api]\nenable_docker = false\n[workspaces.web]\n")
    found = rows(user, PATH=engine_with(tmp_path, []))
    assert {name: each["docker"] for name, each in found.items()} == {
        "api": "off", "web": "not running",
    }  # fmt: skip


def test_a_workspace_that_left_the_configuration_is_shown_as_long_as_it_is_there(
    user: User, tmp_path: Path
) -> None:
    user.write(TWO)
    path = engine_with(tmp_path, [container("jailoc-old-name", "opencode")])
    found = rows(user, PATH=path)
    assert [*found] == ["api", "old-name", "web"]
    old = found["old-name"]
    assert (old["configured"], old["state"], old["drift"]) == (False, "exited (code 3)", True)
    assert old["limits"] == {"cpus": 1.5, "memory": 1 << 30, "pids": 99}
    result = user.run("status", "old-name", PATH=path)
    assert result.status == 0
    assert "Status:    exited (code 3)\n" in result.stdout
    assert "see: jailoc logs old-name" in result.stderr


def test_a_configuration_that_is_wrong_does_not_hide_what_runs(user: User, tmp_path: Path) -> None:
    user.write("[workspaces.api]\ncpu = 0\n")
    path = engine_with(tmp_path, [container("jailoc-api", "opencode", Status="paused")])
    found = rows(user, status=1, PATH=path)
    assert (found["api"]["configured"], found["api"]["state"]) == (None, "paused")
    result = user.run("status", PATH=path)
    assert "paused" in result.stdout
    assert f"{user.config}:2:7" in result.stderr


def test_a_workspace_that_does_not_compile_does_not_hide_the_others(
    user: User, tmp_path: Path
) -> None:
    user.write('[workspaces.api]\n[workspaces.web]\ndockerfile = "https://example.com/D"\n')
    each = [container(f"jailoc-{name}", "opencode") for name in ("api", "web")]
    found = rows(user, PATH=engine_with(tmp_path, each))
    assert "not been fetched" in found["web"]["problem"]
    assert (found["web"]["state"], found["web"]["drift"]) == ("exited (code 3)", None)
    assert (found["api"]["problem"], found["api"]["drift"]) == (None, None), (
        "this engine does not tell"
    )


def test_unhealthy_exited_and_odd_states_point_at_the_logs(user: User, tmp_path: Path) -> None:
    user.write(TWO)
    each = [
        container("jailoc-a", "opencode", Status="running", Health={"Status": "unhealthy"}),
        container("jailoc-b", "opencode", Status="running", Health={"Status": "starting"}),
        container("jailoc-c", "opencode", Status="running", Health={"Status": "healthy"}),
        container("jailoc-d", "opencode", Status="running"),
        container("jailoc-e", "opencode"),
        container("jailoc-f", "opencode", Status="created"),
    ]
    result = user.run("status", PATH=engine_with(tmp_path, each))
    hints = {line.split()[-1] for line in result.stderr.splitlines() if "jailoc logs" in line}
    assert hints == {"a", "e", "f"}
    shown = [line.split(" (not configured)")[1].strip().split("  ")[0]
             for line in result.stdout.splitlines() if "(not configured)" in line]  # fmt: skip
    assert shown == ["running (unhealthy)", "running (starting)", "running", "running",
                     "exited (code 3)", "created"]  # fmt: skip


def test_an_engine_that_does_not_measure_costs_the_figures_alone(
    user: User, tmp_path: Path
) -> None:
    user.write(TWO)
    there = container("jailoc-api", "opencode", Status="running", StartedAt="garbage")
    path = engine_with(tmp_path, [there], "echo no cgroups here >&2; exit 1")
    user.was_started("api")
    row = rows(user, PATH=path)["api"]
    assert (row["usage"], row["stats"], row["uptime"]) == (None, "no cgroups here", 0)
    shown = user.run("status", "api", PATH=path)
    assert (shown.status, "Stats:     unavailable (no cgroups here)" in shown.stdout) == (0, True)


@pytest.mark.parametrize("command", [("status",), ("status", "--json"), ("logs", "api")])
def test_a_missing_socket_is_an_error_of_docker_and_not_a_stopped_workspace(
    user: User, command: tuple[str, ...]
) -> None:
    user.write(TWO)
    user.was_started("api")
    result = user.run(*command, DOCKER_HOST=NOWHERE)
    assert (result.status, result.stdout) == (1, "")
    assert "Docker is not running or not accessible" in result.stderr
    assert "`api` is not running" not in result.stderr


def test_a_running_container_counts_more_than_one_that_is_not() -> None:
    def one(identity: str, state: str) -> engine.Container:
        return engine.Container(
            id=identity, service="opencode", project="jailoc-a", state=state, health="",
            exit_code=0, ports=(), started="", image="x",
        )  # fmt: skip

    for order in (("running", "exited"), ("exited", "running")):
        found = projects.by_workspace([one(state, state) for state in order])
        assert found["a"]["opencode"].state == "running"


def test_where_nothing_runs_nothing_is_compiled_or_checked_against_schemas(
    user: User, tmp_path: Path
) -> None:
    user.write(TWO)
    script = (
        "import sys; from jailoc.bin.cli.main import run; status = run(['status']);"
        "print(status, *sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": engine_with(tmp_path, []), "HOME": str(user.home),
             "PYTHONPATH": str(ROOT / ".pkg")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    status, *modules = done.stderr.split()
    assert status == "0"
    heavy = {"jsonschema", "deepdiff", "keyring", "yaml", "jailoc.generators.artefacts.compile"}
    assert heavy & set(modules) == set()


def test_workspaces_of_other_users_are_shown_when_they_are_asked_for(
    user: User, tmp_path: Path
) -> None:
    user.write(TWO)
    mine, theirs = container("jailoc-mine", "opencode"), container("jailoc-theirs", "opencode")
    label = "com.docker.compose.project.working_dir"
    mine["Config"]["Labels"][label] = f"{user.home}/.cache/jailoc/mine"
    theirs["Config"]["Labels"][label] = "/home/bob/.cache/jailoc/theirs"
    path = engine_with(tmp_path, [mine, theirs])
    assert [*rows(user, PATH=path)] == ["api", "mine", "web"]
    assert [*rows(user, "--all-users", PATH=path)] == ["api", "mine", "theirs", "web"]
    assert [*rows(user, "theirs", PATH=path)] == ["theirs"], "who is named is shown"


def test_what_only_says_that_it_is_part_of_a_workspace_is_told(user: User, tmp_path: Path) -> None:
    user.write(TWO)
    path = engine_with(tmp_path, [container("jailoc-api", "opencode")])
    with (tmp_path / "fake/list").open("a") as listing:
        listing.write(json.dumps(["f00", "app", "firewall", "jailoc-api", ""]) + "\n")
    row = rows(user, PATH=path)["api"]
    assert row["state"].startswith("exited"), "the true one's"
    assert "`app` says that it is one of its containers" in str(row["problem"])
    assert "`docker rm --force app`" in user.run("status", PATH=path).stderr


def test_the_table_is_no_wider_than_the_terminal(user: User, tmp_path: Path) -> None:
    user.write(TWO)
    path = engine_with(tmp_path, [container("jailoc-api", "opencode")])
    for columns in ("", "80", "72"):
        result = user.run("status", PATH=path, COLUMNS=columns)
        assert max(map(len, result.stdout.splitlines())) <= int(columns or 80), result.stdout
    wide = user.run("status", PATH=path, COLUMNS="200").stdout
    assert "old:1" in wide
