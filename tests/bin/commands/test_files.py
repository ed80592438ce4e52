"""`render`, `validate`, `schema` and `init` at the command line, without an engine."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from jailoc.schemas import NAMES, schema
from tests.engine import world
from tests.engine.world import ROOT, User
from tests.strategies import CERTIFICATE

NO_ENGINE = {"PATH": "/usr/bin:/bin", "DOCKER_HOST": "unix:///nonexistent/docker.sock"}


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode & 0o7777,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_render_writes_the_starter_twice_with_the_same_bytes(user: User) -> None:
    for name in ("one", "two"):
        assert user.run("render", "--out", str(user.home / name), **NO_ENGINE).status == 0
    first = tree(user.home / "one")
    assert first == tree(user.home / "two")
    assert {"docker-compose.yml", "wall/firewall.sh", "wall/rules.v4", "wall/rules.v6",
            "dind/dind.sh", "images/agent/Dockerfile"} <= {
        path.removeprefix("default/") for path in first
    }  # fmt: skip
    assert first["default/docker-compose.yml"][0] == 0o600
    assert not user.config.exists(), "rendering writes no configuration"


def test_render_keeps_what_else_is_in_the_directory(user: User) -> None:
    (user.home / "out/default").mkdir(parents=True)
    (user.home / "out/default/mine").write_text("mine")
    assert user.run("render", "--out", str(user.home / "out"), **NO_ENGINE).status == 0
    assert (user.home / "out/default/mine").read_text() == "mine"


@pytest.mark.parametrize("native", [(), ("--native",)])
@pytest.mark.parametrize(
    "place", ["out", "out/default", "out/default/wall", "out/default/images/agent"]
)
def test_render_follows_no_link_of_who_can_write_the_directory(
    user: User, place: str, native: tuple[str, ...]
) -> None:
    private = user.home / ".ssh"
    private.mkdir(mode=0o700)
    link = user.home / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(private)
    refused = user.run("render", "--out", str(user.home / "out"), *native, **NO_ENGINE)
    assert refused.status == 1
    assert "symbolic link" in refused.stderr
    assert [*private.iterdir()] == []
    assert private.stat().st_mode & 0o7777 == 0o700
    link.unlink()
    assert user.run("render", "--out", str(user.home / "out"), *native, **NO_ENGINE).status == 0
    assert [*link.iterdir()]


def test_a_place_where_nothing_can_be_made_is_named_whole(user: User) -> None:
    refused = user.run("render", "--out", "/proc/nobody/out", **NO_ENGINE)
    assert refused.status == 1
    assert "`/proc/nobody`: No such file or directory [system]" in refused.stderr


def test_render_gives_a_mode_to_what_it_makes_alone(user: User) -> None:
    there = user.home / "out/default/wall"
    there.mkdir(parents=True)
    there.chmod(0o700)
    assert user.run("render", "--out", str(user.home / "out"), **NO_ENGINE).status == 0
    assert there.stat().st_mode & 0o7777 == 0o700
    assert (user.home / "out/default/images").stat().st_mode & 0o7777 == 0o755


def test_render_replaces_a_link_in_the_place_of_a_file(user: User) -> None:
    place, other = user.home / "out/default/docker-compose.yml", user.home / "other"
    assert user.run("render", "--out", str(user.home / "out"), **NO_ENGINE).status == 0
    place.rename(other)
    place.symlink_to(other)
    assert user.run("render", "--out", str(user.home / "out"), **NO_ENGINE).status == 0
    assert not place.is_symlink()
    assert place.read_bytes() == other.read_bytes()


def test_render_to_standard_output_holds_the_same_texts_as_json(user: User) -> None:
    plain = user.ok("render")
    (workspace,) = json.loads(user.ok("render", "--json"))["workspaces"]
    assert workspace["name"] == "default"
    for file in workspace["files"]:
        assert f"# ==> default/{file['path']} (mode {file['mode']})\n{file['text']}" in plain


def test_flags_stand_before_or_after_the_command(user: User) -> None:
    user.write("[workspaces.a]\n[workspaces.b]\n")
    before = user.ok("-w", "b", "render", "--json")
    assert before == user.ok("render", "--json", "--workspace", "b")
    assert [each["name"] for each in json.loads(before)["workspaces"]] == ["b"]


def test_init_writes_a_private_file_that_validates(user: User) -> None:
    user.ok("init")
    assert user.config.stat().st_mode & 0o777 == 0o600
    assert user.ok("validate").endswith("valid, 1 workspace\n")


def test_the_first_line_of_a_new_file_leads_an_editor_to_the_schema(user: User) -> None:
    user.ok("init")
    first = user.config.read_text().splitlines()[0]
    place = user.config.parent / first.removeprefix("#:schema ")
    assert json.loads(place.read_text()) == schema("config")


@pytest.fixture
def outside() -> Iterator[User]:
    """Somebody whose home a sandbox can be given a part of, as it can of no temporary one."""
    with world.home("init") as user:
        yield user


def init_here(user: User, here: Path) -> "subprocess.CompletedProcess[str]":
    here.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-P", "-m", "jailoc.bin", "init", "--here"], cwd=here,
        env={"PATH": "/usr/bin:/bin", "HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg")},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_init_here_makes_a_workspace_of_the_directory(outside: User) -> None:
    user = outside
    here = user.home / 'src/My "Project"_2'
    done = init_here(user, here)
    (found,) = json.loads(user.ok("config", "--json"))["workspaces"]
    assert found["name"] == "my-project-2"
    paths = [each["value"] for each in found["settings"] if each["key"] == "paths"]
    assert paths == [str(here)]
    assert "jailoc up my-project-2" in done.stderr


def test_init_here_writes_nothing_where_no_sandbox_can_be(outside: User) -> None:
    user = outside
    before = user.files()
    result = user.run("init", "--here")  # in the home directory
    assert result.status == 1
    assert "is the home directory" in result.stderr
    assert "cannot be a workspace's, and nothing was written" in result.stderr
    assert user.files() == before
    user.write("[workspaces.a]\n")
    result = user.run("init", "--here")
    assert "cannot be a workspace's, and nothing was written" in result.stderr
    assert user.config.read_text() == "[workspaces.a]\n"


def test_init_here_adds_a_workspace_to_the_configuration_that_there_is(outside: User) -> None:
    user = outside
    first, second = user.home / "src/api", user.home / "work/api"
    init_here(user, first)
    text = user.config.read_text()
    done = init_here(user, second)
    assert "workspace api-2 is for" in done.stderr
    assert user.config.read_text() == text + '\n[workspaces.api-2]\npaths = ["~/work/api"]\n'
    assert user.ok("validate").endswith("valid, 2 workspaces\n")
    refused = user.run("add", str(second), "-w", "web")
    assert "`jailoc init --here` adds a workspace" in refused.stderr
    # A directory that has a workspace, or lies in one's path, changes nothing.
    part = first / "part"
    part.mkdir()
    for here, name in ((second, "api-2"), (part, "api")):
        before = user.files()
        again = init_here(user, here)
        assert again.returncode == 0
        assert f"workspace {name} is for" in again.stderr
        assert user.files() == before


@pytest.mark.parametrize("text", ["workspaces = {a = {}}\n", "[workspaces.a\n"])
def test_init_here_changes_no_file_that_it_cannot_add_to(outside: User, text: str) -> None:
    outside.write(text)
    result = init_here(outside, outside.home / "src/api")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert outside.config.read_text() == text


def test_the_only_workspace_needs_no_name(user: User) -> None:
    user.write("[workspaces.api]\n")
    assert "api" in user.ok("graph")
    user.write("[workspaces.api]\n[workspaces.web]\n")
    assert "no workspace is named, and `" in user.run("graph").stderr


def test_a_directory_that_is_not_there_is_named_with_its_option(user: User) -> None:
    assert "--dir `/none` does not exist" in user.run("--dir", "/none").stderr
    assert "Error: `/none` does not exist" in user.run("/none").stderr


def test_every_commented_key_of_the_starter_is_a_key(user: User) -> None:
    user.ok("init")
    for name in ("ca.crt", "agent.env"):
        (user.home / name).write_text(CERTIFICATE if "crt" in name else "A=1\n")
    lines = user.config.read_text().splitlines()
    bare = [re.sub(r"^# ?(?=\[|  \w+ = |\w+ = )", "", line) for line in lines]
    assert len([line for line in bare if line not in lines]) > 40
    user.write("\n".join(bare))
    result = user.run("validate", "--json")
    data = json.loads(result.stdout)
    # Both ways to an image are shown, and files that are not there.
    codes = {each["code"] for each in data["diagnostics"]}
    assert codes <= {"image-conflict", "dockerfile-missing"}, data


def test_the_starter_shows_secrets_as_the_users_of_the_reference_know_them(user: User) -> None:
    user.ok("init")
    text = user.config.read_text()
    for scope in ("defaults", "workspaces.default"):
        assert f"# [{scope}.secrets.env.MY_TOKEN]\n" in text
        assert f"# [{scope}.secrets.file.MY_FILE]\n" in text
    assert '#   from_env = "HOST_ENV_VAR"\n' in text
    assert '#   from_file = "/path/to/secret"\n' in text
    assert "expose_env" not in text


def test_validate_gives_its_diagnostics_as_data(user: User) -> None:
    user.write("[workspaces.a]\ncpu = -1\n")
    result = user.run("validate", "--json")
    data = json.loads(result.stdout)
    jsonschema.validate(data, schema("diagnostics"))
    (found,) = data["diagnostics"]
    assert result.status == 1
    assert (found["code"], found["where"], found["position"]) == (
        "cpu", "workspaces.a.cpu", {"line": 2, "column": 7},
    )  # fmt: skip


def test_the_schemas_are_printed_as_they_are_shipped(user: User) -> None:
    for name in NAMES:
        assert json.loads(user.ok("schema", name))["$id"].endswith(f"/{name}.schema.json")


def test_output_into_a_pipe_has_no_colours(user: User) -> None:
    user.write("[workspaces.a]\ncpu = -1\n")
    assert "\x1b" not in user.run("validate").stderr


def test_the_config_comes_from_flag_then_variable_then_xdg(user: User) -> None:
    places = {}
    for name in ("flag", "variable", "xdg/jailoc"):
        place = user.home / name / "config.toml"
        place.parent.mkdir(parents=True)
        place.write_text(f"[workspaces.{name.split('/')[0]}]\n")
        places[name] = str(place)
    environment = {"XDG_CONFIG_HOME": str(user.home / "xdg")}

    def chosen(*arguments: str) -> str:
        result = user.run("render", "--json", *arguments, **environment)
        return str(json.loads(result.stdout)["workspaces"][0]["name"])

    assert chosen() == "xdg"
    environment["JAILOC_CONFIG"] = places["variable"]
    assert chosen() == "variable"
    assert chosen("--config", places["flag"]) == "flag"


def test_the_starters_own_mount_works_and_without_its_source_nothing_is_made(user: User) -> None:
    user.ok("init")
    lines = user.config.read_text().splitlines()
    (example,) = (each[2:] for each in lines if re.match(r'# mounts = .*:ro"]$', each))
    user.write(f"[workspaces.api]\npaths = []\n{example}\n")
    missing = user.run("validate")
    assert "~/reference" in missing.stdout + missing.stderr
    assert not (user.home / "reference").exists()
    (user.home / "reference").mkdir()
    assert user.ok("validate")


def test_places_in_the_home_directory_are_one_warning_with_all_their_lines(outside: User) -> None:
    user = outside
    (user.home / "one").mkdir()
    user.write(f'[workspaces.api]\npaths = [\n  "{user.home}/one",\n  "{user.home}/two",\n]\n')
    found = user.run("render", "--out", "out")
    assert found.status == 0, "another machine may have what is not there"
    assert found.stderr.count("Warning:") == 1
    for line, name in ((3, "one"), (4, "two")):
        assert f"`{user.home}/{name}` (line {line})" in found.stderr
    assert "write ~/one, ~/two" in found.stderr
    updated = user.run("golden", "update", "expected")
    assert updated.status == 0, updated.stderr
    assert user.run("golden", "check", "expected").status == 0
    assert not (user.home / "two").exists()


def test_a_first_plan_begins_with_what_the_agent_may_do_and_counts_files(outside: User) -> None:
    user = outside
    for name in ("one", "two"):
        (user.home / name).mkdir(mode=0o777)
    user.write('[workspaces.api]\npaths = ["~/one", "~/two"]\nallowed_hosts = ["10.1.2.3"]\n')
    lines = user.run("plan", "api", DOCKER_HOST="unix:///nonexistent/docker.sock")
    first, *rest = lines.stdout.splitlines()
    assert "new is api" in first or "may do more" in first, lines.stdout
    assert len(rest) < 24
    (files,) = [line for line in rest if line.startswith("  files: ")]
    assert files.endswith("to create (--files names them)")
    assert "sha256" not in lines.stdout
