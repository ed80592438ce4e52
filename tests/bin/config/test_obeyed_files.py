"""What jailoc, docker and the user obey, and where an agent could change it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from jailoc.bin.config import obeyed_files, source
from jailoc.bin.config.changeable import Changeable
from jailoc.bin.deploy import elsewhere, preflight
from jailoc.bin.engine import containers
from jailoc.bin.host import folders, programs
from jailoc.bin.host.links import Links
from jailoc.generators.config.load import load
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document
from jailoc.model.host import Host
from jailoc.model.path import within
from jailoc.model.plan import Plan, SavedPlan
from tests.engine import world
from tests.engine.world import User


@pytest.fixture
def person() -> Iterator[User]:
    with world.home("obeyed") as user:
        (user.home / "dot/plugins").mkdir(parents=True)
        user.write('[workspaces.a]\npaths = ["~/dot"]\n')
        yield user


def said(person: User, **environment: str) -> str:
    result = person.run("validate", **environment)
    told = "what the `docker` command obeys" in result.stderr
    assert (result.status == 1) == told, result.stderr
    return result.stderr


@pytest.mark.parametrize(
    "way", ["config", "config.json", "plugins", "a plugin", "more plugins", "a link there"]
)
def test_no_agent_can_change_what_docker_obeys(person: User, way: str) -> None:
    dot, docker = person.home / "dot", person.home / ".docker"
    docker.mkdir()
    environment = {}
    (dot / "config.json").write_text("{}")
    (person.home / "outside").mkdir()
    match way:
        case "config":
            environment["DOCKER_CONFIG"] = str(dot)
        case "config.json":
            (docker / "config.json").symlink_to(dot / "config.json")
        case "plugins":
            (docker / "cli-plugins").symlink_to(dot / "plugins")
        case "a plugin":
            (docker / "cli-plugins").mkdir()
            (docker / "cli-plugins/docker-compose").symlink_to(dot / "plugins/docker-compose")
        case "more plugins":
            text = json.dumps({"cliPluginsExtraDirs": [str(dot / "plugins")]})
            (docker / "config.json").write_text(text)
        case _:
            (person.home / "outside/docker-compose").symlink_to(dot / "plugins/docker-compose")
            text = json.dumps({"cliPluginsExtraDirs": [str(person.home / "outside")]})
            (docker / "config.json").write_text(text)
    assert "the host would run what it wants" in said(person, **environment)
    # Control: the same of what no agent can write.
    person.write('[workspaces.a]\npaths = ["~/other"]\n')
    assert "obeys" not in said(person, **environment)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"cliPluginsExtraDirs": ["/a\\u0000b", 1, {}]}', "{", "\0", "pipe"]
)
def test_whatever_dockers_settings_hold_is_no_defect(person: User, text: str) -> None:
    (person.home / ".docker").mkdir()
    place = person.home / ".docker/config.json"
    if text == "pipe":
        os.mkfifo(place)
    else:
        place.write_text(text)
    result = person.run("validate")
    assert result.status == 0, result.stderr


def test_no_agent_can_change_what_kubectl_obeys(person: User) -> None:
    place, outside = person.home / "dot/kubeconfig", person.home / "kubeconfig"
    for each in (place, outside):
        each.write_text("{}")
    for each, status in ((place, 1), (outside, 0)):
        result = person.run("validate", KUBECONFIG=f"{outside}:{each}")
        assert result.status == status, result.stderr
        assert ("what the `kubectl` command obeys" in result.stderr) == (status == 1)
    there = replace(person, at=person.home / "dot")
    for word, status in (("on", 1), ("off", 0)):  # of a file, and a word of kubectl's
        assert there.run("validate", KUBERC=word).status == status
    (person.home / ".kube").mkdir()
    (person.home / ".kube/config").symlink_to(place)
    assert person.run("validate").status == 1


def test_no_agent_can_change_jailoc_itself(tmp_path: Path) -> None:
    host = Host(home="/home/alice")

    def check(place: str) -> None:
        document = Document(f'[workspaces.a]\npaths = ["{place}"]\n', "/etc/c.toml")
        obeyed_files.check("/etc/c.toml", Changeable(load(document, host), host))

    check("/data/elsewhere")
    program = "/data/jailoc"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(obeyed_files, "ROOT", Path(program))
        with pytest.raises(Refused, match="jailoc itself"):
            check("/data")
        check("/data/jailoc/docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, "/data/project/.venv/lib/site-packages"])
        with pytest.raises(Refused, match="jailoc itself"):
            check("/data/project")
    assert tmp_path.exists()


def test_a_directory_of_modules_is_told_by_its_variable(person: User) -> None:
    # Where jailoc itself is comes first, so that the control starts, too.
    for place, status in ((person.home / "dot", 1), (person.home / "lib", 0)):
        result = person.run("validate", PYTHONPATH=f"{world.ROOT / '.pkg'}:{place}")
        assert result.status == status, result.stderr
        assert ("(PYTHONPATH)" in result.stderr) == (status == 1)


def test_a_link_of_the_home_that_leads_to_an_agent_is_told(person: User) -> None:
    for name in (".bashrc", ".config/opencode/plugin", ".ssh/config"):
        place = person.home / name
        place.parent.mkdir(parents=True, exist_ok=True)
        target = person.home / "dot" / place.name.lstrip(".")
        target.touch()
        place.symlink_to(target)
    (person.home / ".profile").symlink_to(person.home / ".bash_profile")  # leads to no agent
    told = person.run("validate").stderr
    assert "[home-link]" in told
    assert f"`{person.home}/.bashrc`" in told
    assert ".profile" not in told
    person.write(
        'trust = ["~/.bashrc", "~/.config/opencode", "~/.ssh/config"]\n'
        '[workspaces.a]\npaths = ["~/dot"]\n'
    )
    assert "[home-link]" not in person.run("validate").stderr


NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


def planted(person: User, name: str) -> Path:
    """Have an agent leave a plan in its project, with a configuration that runs a program."""
    mark = person.home / "executed"
    evil = person.home / "proj/.c.toml"
    evil.parent.mkdir()
    evil.write_text(
        '[workspaces.api]\n[workspaces.api.credentials.c]\nhosts = ["api.example.com"]\n'
        f'scheme = "bearer"\nfrom_command = ["/usr/bin/touch", "{mark}"]\n'
    )
    plan = Plan(workspace="api", changes=(), drift=(), powers=(), notes=(), agent_restarts=False,
                engine=True, steps=(), bundle="x", world={})  # fmt: skip
    text = SavedPlan(config=str(evil), plans=(plan,)).model_dump_json()
    (person.home / "proj" / name).write_text(text)
    return mark


def test_a_file_with_the_name_of_a_workspace_is_no_plan(person: User) -> None:
    person.write('[workspaces.api]\npaths = ["~/proj"]\n')
    mark = planted(person, "api")
    result = replace(person, at=person.home / "proj").run("apply", "api", **NOWHERE)
    assert result.status == 1
    assert "Docker is not running" in result.stderr  # the workspace was meant
    assert not mark.exists()


def started(person: User, name: str, path: Path) -> None:
    """Write what is kept of a sandbox that was started."""
    record = person.home / f".local/share/jailoc/{name}.applied.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    mount = {"source": {"text": str(path)}, "mode": "rw"}
    record.write_text(json.dumps({"compose": {"services": {"opencode": {"mounts": [mount]}}}}))


def test_a_plan_that_an_agent_could_write_is_not_carried_out(person: User) -> None:
    person.write('[workspaces.api]\npaths = ["~/proj"]\n')
    mark = planted(person, "plan.json")
    place = person.home / "proj/plan.json"
    result = person.run("apply", str(place), **NOWHERE)
    assert result.status == 1
    assert f"an agent can write `{place}`" in result.stderr
    assert not mark.exists()
    # Nor is one elsewhere, if it leads to a configuration that an agent can write.
    other = person.home / "plan.json"
    other.write_bytes(place.read_bytes())
    started(person, "api", person.home / "proj")
    result = person.run("apply", str(other), **NOWHERE)
    assert result.status == 1
    assert "can be changed by an agent (of `api`, as it was last started)" in result.stderr
    assert not mark.exists()


LEASE = """
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
door = os.open(sys.argv[1], os.O_RDONLY)
fcntl.fcntl(door, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def held(place: Path) -> Iterator[None]:
    """Have a program hold a file by a lease: whoever opens it would wait."""
    words = [sys.executable, "-c", LEASE, str(place)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield
        finally:
            holder.kill()


@pytest.mark.parametrize("which", [".gitconfig", "included", "repo/.git/config"])
def test_what_a_lease_keeps_from_being_read_is_not_taken_for_absent(
    person: User, which: str
) -> None:
    hooks = person.home / "dot/hooks"
    hooks.mkdir()
    setting = f"[core]\n\thooksPath = {hooks}\n"
    (person.home / "included").write_text(setting)
    (person.home / ".gitconfig").write_text(
        "[include]\n\tpath = included\n" if which == "included" else setting
    )
    git = ["git", "-C", str(person.home / "repo")]
    (person.home / "repo").mkdir()
    for words in (
        ("init", "--quiet"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty",
         "-m", "one"),
        ("worktree", "add", "--quiet", str(person.home / "tree")),
    ):  # fmt: skip
        subprocess.run([*git, *words], check=True, capture_output=True,
                       env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]})  # fmt: skip
    person.write('[workspaces.a]\npaths = ["~/dot", "~/tree"]\n')
    assert person.run("validate").status == 0
    with held(person.home / which):
        result = person.run("validate")
    assert result.status == 1
    assert f"`{person.home / which}` cannot be read: a program holds it by a lease" in result.stderr
    # What the agent works on is told there, and stops a start.
    (person.home / "dot/.git").mkdir()
    for name in ("objects", "refs", "hooks"):
        (person.home / "dot/.git" / name).mkdir()
    (person.home / "dot/.git/config").write_text(setting)
    with held(person.home / "dot/.git/config"):
        result = person.run("up", "a", **NOWHERE)
    assert result.status == 1
    assert "a program holds it by a lease" in result.stderr


def test_nothing_is_written_by_way_of_an_agents_link(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person.home / "keys").mkdir()
    (person.home / "dot/link").symlink_to(person.home / "keys")
    area = str(person.home / "dot")

    def changeable(at: str) -> bool:
        return within(at, area) or within(os.path.realpath(at), area)

    monkeypatch.setattr(programs._Known, "changeable", staticmethod(changeable))
    with pytest.raises(Refused, match="where a link on the way leads"):
        folders.settled(person.home / "dot/link/seen")
    (person.home / "own").symlink_to("dot")
    for place in (person.home / "dot/seen", person.home / "keys/seen", person.home / "own/seen"):
        folders.write(place, "seen", 0o600)
        assert place.read_text() == "seen"


def test_nothing_is_written_by_a_link_that_comes_meanwhile(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person.home / "keys").mkdir()
    (person.home / "dot/sub").mkdir()
    look = Links.trace

    def trace(self: Links, path: str) -> tuple[str, tuple[str, ...]]:
        found = look(self, path)
        (person.home / "dot/sub").rename(person.home / "dot/away")
        (person.home / "dot/sub").symlink_to(person.home / "keys")
        return found

    monkeypatch.setattr(Links, "trace", trace)
    with pytest.raises(Refused, match="is a symbolic link"):
        folders.write(person.home / "dot/sub/seen", "seen", 0o600)
    assert [*(person.home / "keys").iterdir()] == []


@pytest.mark.parametrize("words", [("render", "--out"), ("golden", "update")])
def test_no_directory_is_made_by_way_of_an_agents_link(
    person: User, words: tuple[str, ...]
) -> None:
    """It is one of a sandbox that was started; the user's own link is followed as ever."""
    (person.home / "keys").mkdir()
    for link in (person.home / "dot/theirs", person.home / "mine"):
        link.symlink_to(person.home / "keys")
    started(person, "a", person.home / "dot")
    refused = person.run(*words, str(person.home / "dot/theirs/out"), **NOWHERE)
    assert refused.status == 1
    assert "an agent decides where a link on the way leads" in refused.stderr
    assert [*(person.home / "keys").iterdir()] == []
    assert person.run(*words, str(person.home / "mine/out"), **NOWHERE).status == 0
    assert (person.home / "keys/out/a/docker-compose.yml").exists()


@pytest.mark.parametrize(
    "words",
    ['env_file = ["~/proj/x/file"]', 'mounts = ["~/proj/x:/x:ro"]', 'dockerfile = "~/proj/x/file"',
     'paths = ["~/proj/x"]', 'secrets.env.K.from_file = "~/proj/x/file"',
     'credentials.k = { hosts = ["api.example.com"], from_file = "~/proj/x/file" }'],
)  # fmt: skip
def test_no_agent_of_another_configuration_leads_what_is_read_or_mounted(
    person: User, words: str
) -> None:
    (person.home / "proj/x").mkdir(parents=True)
    (person.home / "proj/x/file").write_text("A=1\n")
    person.write(f"[workspaces.z]\n{words}\n")
    person.ok("validate")
    started(person, "api", person.home / "proj")
    refused = person.run("validate")
    assert refused.status == 1
    assert "of workspace `api`, as another configuration has started it, can write" in (
        refused.stderr
    )
    # What is itself the other's path leads nowhere else; what was started as the same is renewed.
    person.write('[workspaces.z]\npaths = ["~/proj"]\n')
    person.ok("validate")
    person.write(f"[workspaces.api]\n{words}\n")
    person.ok("validate")
    person.write(f'trust = ["~/proj/x"]\n[workspaces.z]\n{words}\n')
    person.ok("validate")


NARROWER = (
    'env_file = ["~/proj/x/file"]', 'mounts = ["~/proj/x/sub:/x:ro"]',
    'dockerfile = "~/proj/x/file"', 'paths = ["~/proj/x"]', 'paths = ["~/proj/x/sub"]',
    'secrets.env.K.from_file = "~/proj/x/file"',
    'credentials.k = { hosts = ["api.example.com"], from_file = "~/proj/x/file" }',
)  # fmt: skip


@pytest.mark.parametrize("words", NARROWER)
@pytest.mark.parametrize("name", ["z", "api"])
def test_no_link_that_an_agent_has_left_leads_what_is_read_or_mounted(
    person: User, words: str, name: str
) -> None:
    """The place was its own when it was last started, as the same workspace or by the same file."""
    (person.home / "private/sub").mkdir(parents=True)
    (person.home / "private/file").write_text("A=1\n")
    (person.home / "proj").mkdir()
    person.write(f"[workspaces.{name}]\n{words}\n")
    started(person, "api", person.home / "proj")
    record = person.home / ".local/share/jailoc/api.applied.json"
    written = json.loads(record.read_text())
    record.write_text(json.dumps(written | {"config": str(person.config)}))
    # Control: a directory there holds what the agent itself wrote.
    shutil.copytree(person.home / "private", person.home / "proj/x")
    person.ok("validate")
    shutil.rmtree(person.home / "proj/x")
    (person.home / "proj/x").symlink_to(person.home / "private")
    refused = person.run("validate")
    assert (refused.status, "[steering]" in refused.stderr) == (1, True)
    assert f"leads to `{person.home}/private" in refused.stderr
    assert "it may have put it there" in refused.stderr
    person.write(f'trust = ["~/proj/x"]\n[workspaces.{name}]\n{words}\n')
    person.ok("validate")
    person.write(f"[workspaces.{name}]\n{words.replace('proj/x', 'private')}\n")
    person.ok("validate")


def test_the_users_own_link_to_what_an_agent_was_given_is_followed_as_ever(person: User) -> None:
    (person.home / "data/sub").mkdir(parents=True)
    (person.home / "proj").symlink_to(person.home / "data")
    started(person, "api", person.home / "proj")
    person.write('[workspaces.api]\npaths = ["~/proj"]\n')
    person.ok("validate")
    person.write('[workspaces.api]\npaths = ["~/proj/sub"]\n')
    person.ok("validate")


@pytest.mark.parametrize("words", NARROWER)
def test_nothing_is_read_from_where_an_agent_that_runs_could_lead_it(
    person: User, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """It has what it was started with until it is stopped; what is mounted is compared then."""
    (person.home / "proj/x/sub").mkdir(parents=True)
    (person.home / "proj/x/file").write_text("A=1\n")
    text = f"[workspaces.api]\n{words}\n[workspaces.b]\n"
    started(person, "api", person.home / "proj")
    monkeypatch.setenv("HOME", str(person.home))
    running = {"api"}
    monkeypatch.setattr(containers, "running", lambda name, _: name in running)

    def refused(name: str) -> bool:
        try:
            preflight.halted(source.gathered(Document(text, str(person.config))), name)
        except Refused as error:
            (told,) = error.diagnostics
            assert told.code == code
            assert "jailoc down api`" in (told.hint or "")
            return True
        return False

    code = "steering"
    assert refused("api") is not words.startswith(("paths", "mounts"))
    assert not refused("b"), "it is not read for that one"
    running.clear()
    assert not refused("api"), "control: nobody is there who could"
    # Nor where its agent runs on the engine that was used before.
    monkeypatch.setattr(elsewhere, "running", lambda name: "unix:///run/former.sock")
    code = "engine-other"
    assert refused("api")
