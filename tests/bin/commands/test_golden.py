"""`render --out`, `golden check` and `golden update`, by two people with one repository."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.bin.commands.test_files import NO_ENGINE, tree
from tests.engine.world import ROOT, Result, User
from tests.generators.kubernetes.cluster import lock, settings
from tests.strategies import CERTIFICATE

CONFIG = """
[base]
ca_certificates = ["~/ca.crt"]
[defaults]
allowed_hosts = ["git.example.com"]
[workspaces.api]
paths = ["~/src/api", "/srv/shared"]
env = ["LEVEL=1"]
env_file = ["~/agent.env"]
dockerfile = "~/images/Dockerfile"
ssh_auth_sock = true
[workspaces.api.secrets.env.TOKEN]
from_env = "TOKEN"
[workspaces.web]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "repository"
    place.mkdir()
    (place / "config.toml").write_text(CONFIG)
    return place


@pytest.fixture
def alice(tmp_path: Path) -> User:
    """Somebody with everything: files, Git configuration, an SSH agent, a project."""
    home = tmp_path / "alice"
    for folder in ("src/api/.git/hooks", "src/api/.vscode", ".ssh", "images"):
        (home / folder).mkdir(parents=True)
    (home / ".gitconfig").write_text("[user]\nname = Alice\n")
    (home / ".ssh/known_hosts").write_text("planted-key\n")
    (home / "agent.env").write_text("PLANTED_NAME=planted-value\n")
    (home / "images/Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN echo planted-step\n")
    (home / "ca.crt").write_text(f"planted-text\n{CERTIFICATE}")
    return User(home)


@pytest.fixture
def bob(tmp_path: Path) -> User:
    """Somebody with a fresh home, as a job in CI has one."""
    home = tmp_path / "bob"
    home.mkdir()
    return User(home)


def golden(user: User, what: str, repository: Path, *arguments: str, **environment: str) -> Result:
    return user.run(
        "golden", what, str(repository / "generated"), "--config", str(repository / "config.toml"),
        *arguments, **(NO_ENGINE | environment),
    )  # fmt: skip


def test_two_people_get_the_same_bytes_and_nothing_of_theirs_is_in_them(
    repository: Path, alice: User, bob: User, tmp_path: Path
) -> None:
    agent = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(agent))
        first = alice.run(
            "render", "--out", str(tmp_path / "one"), "--config", str(repository / "config.toml"),
            SSH_AUTH_SOCK=str(agent), TOKEN=os.urandom(4).hex() + "planted",
            XDG_CACHE_HOME=str(tmp_path / "c"), XDG_DATA_HOME="/var/x", PATH=os.environ["PATH"],
        )  # fmt: skip
    second = bob.run(
        "render", "--out", str(tmp_path / "two"), "--config", str(repository / "config.toml"),
        **NO_ENGINE,
    )  # fmt: skip
    assert (first.status, second.status) == (0, 0), first.stderr + second.stderr
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    text = "".join(path.read_text() for path in (tmp_path / "one").rglob("*") if path.is_file())
    for private in ("planted", "PLANTED", str(alice.home), str(tmp_path)):
        assert private not in text
    assert "/HOME/src/api" in text
    assert "TOKEN" in (tmp_path / "one/api/agent/secret-env").read_text()


def test_native_output_is_that_of_the_machine(repository: Path, alice: User) -> None:
    out = alice.home / "out"
    # The tests' own directory is one that no sandbox may have.
    (repository / "config.toml").write_text(CONFIG.replace('"~/src/api", ', ""))
    result = alice.run(
        "render", "--out", str(out), "--native", "--config", str(repository / "config.toml"),
        **NO_ENGINE,
    )  # fmt: skip
    assert result.status == 0, result.stderr
    compose = (out / "api/docker-compose.yml").read_text()
    assert f"{alice.home}/.gitconfig" in compose
    assert "PLANTED_NAME" in compose
    assert not (out / "api/bundle.json").exists()
    assert alice.run("render", "--native", **NO_ENGINE).status == 1


def test_what_one_has_written_is_right_for_the_other(
    repository: Path, alice: User, bob: User
) -> None:
    assert golden(alice, "check", repository).status == 1, "there is no directory yet"
    assert golden(alice, "update", repository).status == 0
    result = golden(bob, "check", repository, CI="1")
    assert (result.status, result.stdout) == (0, ""), result.stderr
    before = tree(repository / "generated")
    assert golden(bob, "update", repository).status == 0
    assert tree(repository / "generated") == before


def test_a_change_is_told_by_its_powers_and_accepted_by_an_update(
    repository: Path, alice: User, bob: User
) -> None:
    golden(alice, "update", repository)
    (repository / "config.toml").write_text(
        CONFIG.replace("[workspaces.web]", "[workspaces.zoo]").replace(
            'env = ["LEVEL=1"]', 'env = ["LEVEL=2"]\nallowed_networks = ["10.1.0.0/16"]'
        )
    )
    result = golden(bob, "check", repository)
    assert result.status == 2
    lines = result.stdout.splitlines()
    assert lines[0] == "1 of 2 workspaces may do more: 1 high"
    assert lines[1] == "  api: 1 high"
    assert lines[2:4] == ["  zoo: was web", "HIGH"]
    assert lines[4].startswith("  api: may reach 10.1.0.0/16 (65,536 addresses), every port")
    assert "config.toml:9:21]" in lines[4]
    assert any(each.startswith("files: ") for each in lines)
    named = golden(bob, "check", repository, "--files").stdout.splitlines()
    assert {"web: removed", "zoo: added", "  changed: wall/rules.v4"} <= set(named)
    assert "golden update" in result.stderr
    assert "--- a/api/wall/rules.v4\n" in golden(bob, "check", repository, "--diff").stdout
    assert golden(bob, "check", repository, "--workspace", "web").status == 1, "not configured"

    data = json.loads(golden(bob, "check", repository, "--json", "--diff").stdout)
    jsonschema.validate(data, schema("golden"))
    assert not data["same"]
    assert {each["name"]: each["state"] for each in data["workspaces"]} == {
        "api": "changed", "web": "removed", "zoo": "added",
    }  # fmt: skip
    plain = json.loads(golden(bob, "check", repository, "--json").stdout)
    jsonschema.validate(plain, schema("golden"))
    assert "diff" not in plain["workspaces"][0]["files"][0]

    markdown = golden(bob, "check", repository, "--markdown")
    assert (markdown.status, markdown.stdout[:12]) == (2, "### jailoc: ")

    assert golden(bob, "update", repository).status == 0
    assert golden(alice, "check", repository).status == 0
    assert sorted(each.name for each in (repository / "generated").iterdir()) == ["api", "zoo"]


def test_another_digest_in_the_lock_of_images_is_told(repository: Path, bob: User) -> None:
    text = settings() + "[workspaces.web]\n"
    (repository / "config.toml").write_text(text)
    (repository / "images.lock").write_text(lock(text).text)
    assert golden(bob, "update", repository).status == 0
    assert golden(bob, "check", repository).status == 0
    (repository / "images.lock").write_text(lock(text).text.replace("5" * 64, "d" * 64))
    found = golden(bob, "check", repository)
    assert found.status == 2
    assert found.stdout.startswith("1 of 1 workspace may do more: 2 high; 2 things less\n")
    assert "another image as jailoc-wall:" in found.stdout


def test_one_workspace_is_checked_and_renewed_alone(repository: Path, alice: User) -> None:
    golden(alice, "update", repository)
    (repository / "config.toml").write_text(CONFIG.replace("git.example.com", "x.example.com"))
    assert golden(alice, "update", repository, "--workspace", "web").status == 0
    assert golden(alice, "check", repository, "--workspace", "web").status == 0
    assert golden(alice, "check", repository, "--workspace", "api").status == 2


def test_an_update_is_for_people_unless_it_is_forced(repository: Path, alice: User) -> None:
    refused = golden(alice, "update", repository, CI="true")
    assert refused.status == 1
    assert "CI is set" in refused.stderr
    assert not (repository / "generated").exists()
    assert golden(alice, "update", repository, "--force", CI="true").status == 0


def test_files_of_others_stay_and_files_of_ours_go(repository: Path, alice: User) -> None:
    golden(alice, "update", repository)
    generated = repository / "generated"
    (generated / "README.md").write_text("ours")
    (generated / "api/NOTES.md").write_text("ours")
    (generated / "other").mkdir()
    (generated / "other/bundle.json").write_text("{}")
    (repository / "config.toml").write_text("[workspaces.web]\nenable_docker = false\n")
    assert golden(alice, "update", repository).status == 0
    assert golden(alice, "check", repository).status == 0
    left = {str(each.relative_to(generated)) for each in generated.rglob("*") if each.is_file()}
    assert {"README.md", "api/NOTES.md", "other/bundle.json"} <= left
    assert not [each for each in left if each.startswith("api/") and "NOTES" not in each]
    assert not (generated / "web/dind").exists()


def test_a_link_out_of_the_directory_is_neither_read_nor_written(
    repository: Path, alice: User, tmp_path: Path
) -> None:
    golden(alice, "update", repository)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "rules.v4").write_text("planted\n")
    rules = repository / "generated/web/wall/rules.v4"
    rules.unlink()
    rules.symlink_to(outside / "rules.v4")
    result = golden(alice, "check", repository, "--diff")
    assert result.status == 2
    assert "planted" not in result.stdout + result.stderr
    assert golden(alice, "update", repository).status == 0, "the link itself is replaced"
    assert not rules.is_symlink()
    assert (outside / "rules.v4").read_text() == "planted\n"
    wall = rules.parent
    wall.rename(outside / "wall")
    wall.symlink_to(outside / "wall")
    (outside / "wall/rules.v4").write_text("planted\n")
    assert "planted" not in golden(alice, "check", repository, "--diff").stdout
    refused = golden(alice, "update", repository)
    assert refused.status == 1
    assert "symbolic link" in refused.stderr
    assert (outside / "wall/rules.v4").read_text() == "planted\n"


def test_an_update_does_not_write_where_a_link_leads(
    repository: Path, alice: User, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository / "generated").symlink_to(outside)
    refused = golden(alice, "update", repository)
    assert refused.status == 1
    assert "symbolic link" in refused.stderr
    assert [*outside.iterdir()] == []
    (repository / "generated").unlink()
    assert golden(alice, "update", repository).status == 0


@pytest.mark.parametrize(
    "name", ["docker-compose.override.yml", "compose.override.yaml", "compose.yaml", ".env"]
)
def test_what_compose_obeys_beside_what_is_generated_is_said(
    repository: Path, alice: User, name: str
) -> None:
    assert golden(alice, "update", repository).status == 0
    assert "is not generated" not in golden(alice, "check", repository).stderr
    place = repository / "generated/web" / name
    place.write_text("services: {}\n")
    for more in ((), ("--json",), ("--markdown",)):
        checked = golden(alice, "check", repository, *more)
        assert f"`{place}` is not generated and not reviewed" in checked.stderr
        assert checked.status == 0
    assert f"`{place}` is not generated and not reviewed" in checked.stdout
    with (repository / "config.toml").open("a") as file:
        file.write("[workspaces.more]\n")
    changed = golden(alice, "check", repository, "--markdown")
    assert f"`{place}` is not generated and not reviewed" in changed.stdout


def test_a_folder_that_is_swapped_meanwhile_leads_no_update_to_other_files(
    repository: Path, alice: User, tmp_path: Path
) -> None:
    """What is not generated any more goes; which files these are says who writes there."""
    outside, web = tmp_path / "outside", repository / "generated/web"
    outside.mkdir()
    assert golden(alice, "update", repository).status == 0
    text = json.loads((web / "bundle.json").read_text())
    names = ("first", "key")
    text["files"] += [{"path": name, "sha256": "0" * 64} for name in names]
    (web / "bundle.json").write_text(json.dumps(text))
    for place in (*(web / name for name in names), outside / "key"):
        place.write_text("content")
    # While the directory is listed there is time.
    for number in range(20_000):
        (web / f"more{number}").touch()
    (repository / "link").symlink_to(outside)

    def swap() -> None:
        while (web / "first").exists():
            pass
        web.rename(repository / "away")
        (repository / "link").rename(web)

    swapping = threading.Thread(target=swap)
    swapping.start()
    golden(alice, "update", repository)
    swapping.join()
    assert (outside / "key").exists()


def test_what_grew_without_bounds_is_not_read(repository: Path, alice: User) -> None:
    generated = repository / "generated"
    assert golden(alice, "update", repository).status == 0
    for path in ("web/bundle.json", "web/wall/rules.v4", "other/bundle.json"):
        (generated / path).parent.mkdir(exist_ok=True)
        with (generated / path).open("r+b" if (generated / path).exists() else "wb") as file:
            file.truncate(HUGE)
    os.mkfifo(generated / "api/extra")
    (generated / "api/wall/rules.v4").unlink()
    os.mkfifo(generated / "api/wall/rules.v4")
    found = bounded(alice, repository, "check", str(generated))
    assert found.returncode == 2, found.stderr
    assert "MemoryError" not in found.stderr
    renewed = bounded(alice, repository, "update", str(generated))
    assert renewed.returncode == 0, renewed.stderr
    assert (generated / "web/wall/rules.v4").stat().st_size < HUGE
    assert bounded(alice, repository, "check", str(generated)).returncode == 0


def test_what_is_too_much_together_is_not_read(repository: Path, alice: User) -> None:
    generated = repository / "generated"
    assert golden(alice, "update", repository).status == 0
    models = generated / "web/bundle.json"
    data = json.loads(models.read_text())
    one = generated / "web/one"
    one.write_bytes(b"x" * (1 << 20))
    for number in range(2500):
        os.link(one, generated / f"web/one-{number}")
        data["files"].append({**data["files"][0], "path": f"one-{number}"})
    models.write_text(json.dumps(data))
    for what in ("check", "update"):
        found = bounded(alice, repository, what, str(generated))
        assert (found.returncode, found.stdout) == (1, "")
        assert "of what would be read" in found.stderr
        assert "MemoryError" not in found.stderr
    for each in generated.glob("web/one*"):
        each.unlink()
    assert bounded(alice, repository, "update", str(generated)).returncode == 0
    assert bounded(alice, repository, "check", str(generated)).returncode == 0


HUGE = 3 << 30


def bounded(
    user: User, repository: Path, what: str, directory: str
) -> "subprocess.CompletedProcess[str]":
    """Run `golden` with room for what is generated, and not for a file without bounds."""
    return subprocess.run(
        ["sh", "-c", 'ulimit -v 2000000; exec "$0" "$@"', sys.executable, "-P", "-m", "jailoc.bin",
         "golden", what, directory, "--config", str(repository / "config.toml")],
        env={"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg"), **NO_ENGINE},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_an_update_that_fails_has_changed_nothing(repository: Path, alice: User) -> None:
    golden(alice, "update", repository)
    before = tree(repository / "generated")
    (repository / "config.toml").write_text(CONFIG + 'memory = "8g"\nno_such_key = 1\n')
    result = golden(alice, "update", repository)
    assert result.status == 1
    assert "unknown key" in result.stderr
    # Small files are written, large ones are not: the disk is full in the middle.
    (repository / "config.toml").write_text(CONFIG + 'egress = "allowlist"\nmemory = "8g"\n')
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 4; exec "$@"', "bash", sys.executable, "-P", "-m", "jailoc.bin",
         "golden", "update", "generated", "--config", "config.toml"],
        cwd=repository, capture_output=True, text=True, check=False,
        env={"HOME": str(alice.home), "PYTHONPATH": str(ROOT / ".pkg"), "PATH": os.environ["PATH"],
             "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "File too large" in done.stderr
    assert tree(repository / "generated") == before


def test_a_configuration_has_to_be_there(alice: User, repository: Path) -> None:
    result = alice.run("golden", "check", str(repository), **NO_ENGINE)
    assert result.status == 1
    assert "--config" in result.stderr


def test_the_two_forms_of_one_output_exclude_each_other(repository: Path, alice: User) -> None:
    golden(alice, "update", repository)
    assert golden(alice, "check", repository, "--json", "--markdown").status == 1


def test_text_of_others_cannot_steer_the_terminal(repository: Path, alice: User) -> None:
    golden(alice, "update", repository)
    place = repository / "generated/web/bundle.json"
    data = json.loads(place.read_text())
    data["stated"].append({"rule": "hold.secret", "subject": "variable \x1b[31mRED"})
    place.write_text(json.dumps(data))
    (repository / "generated/web/wall/names").write_text("\x1b[2J\n")
    for arguments in ((), ("--diff",), ("--markdown", "--diff")):
        result = golden(alice, "check", repository, *arguments)
        assert result.status == 2
        assert "\x1b" not in result.stdout, arguments
