"""`doctor` answers whatever is missing, writes nothing, and tells no secret."""

import json
from pathlib import Path

import jsonschema

from jailoc.schemas import schema
from tests.engine.world import User

NOWHERE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
SECRET = "http://user:s3cret@proxy.example:3128"  # noqa: S105 -- made up


def test_without_an_engine_every_other_check_is_made(user: User) -> None:
    user.write("[workspaces.api]\n")
    before = user.files()
    result = user.run("doctor", "--json", **NOWHERE)
    data = json.loads(result.stdout)
    jsonschema.validate(data, schema("doctor"))
    found = {each["check"]: each for each in data["checks"]}
    assert (result.status, data["ok"]) == (1, False)
    assert (found["engine"]["state"], found["configuration"]["state"]) == ("fail", "ok")
    assert found["engine"]["mend"]
    assert "has no row here" in found["engine"]["meaning"]
    assert {"user", "names (DNS)", "proxy", "keyring", "clock"} <= {*found}
    assert user.files() == before


def test_a_wrong_configuration_is_a_row_and_no_end(user: User) -> None:
    user.write("[workspaces.api]\ncpu = 0\n")
    result = user.run("doctor", **NOWHERE)
    assert result.status == 1
    (line,) = (
        each for each in result.stdout.splitlines() if each.split()[1:2] == ["configuration"]
    )
    assert line.startswith("fail")
    assert "line 2" in line


def test_what_another_user_can_change_is_a_row_and_a_warning(user: User) -> None:
    user.write("[workspaces.api]\n")
    folder = user.config.parent
    assert "owner of" not in user.run("doctor", **NOWHERE).stdout
    folder.chmod(0o777)
    result = user.run("doctor", **NOWHERE)
    (line,) = (each for each in result.stdout.splitlines() if "owner of configuration" in each)
    assert line.startswith("warn")
    assert str(folder) in result.stdout
    assert str(folder) not in user.run("doctor", "--report", **NOWHERE).stdout
    assert "exposed-config" in user.run("validate").stderr
    (user.home / ".cache").mkdir(exist_ok=True)
    (user.home / ".cache").chmod(0o777)
    (line,) = (each for each in user.run("doctor", **NOWHERE).stdout.splitlines()
               if "owner of generated files" in each)  # fmt: skip
    assert line.startswith("fail")


def test_no_docker_command_is_a_row(user: User) -> None:
    result = user.run("doctor", PATH="/nonexistent")
    assert result.status == 1
    assert "`docker` command is not installed" in result.stdout


def test_what_is_pasted_holds_no_value_and_no_path(user: User, tmp_path: Path) -> None:
    (user.home / "secret-project").mkdir()
    user.write('[workspaces.hidden]\npaths = ["~/secret-project"]\n')
    for words in (("doctor",), ("doctor", "--report"), ("doctor", "--json")):
        result = user.run(*words, HTTPS_PROXY=SECRET, **NOWHERE)
        assert "s3cret" not in result.stdout + result.stderr
    text = user.run("doctor", "--report", HTTPS_PROXY=SECRET, **NOWHERE).stdout
    assert "HTTPS_PROXY" in text
    for word in ("secret-project", "hidden", str(user.home), str(tmp_path)):
        assert word not in text
