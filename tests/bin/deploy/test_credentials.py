"""Values of credentials come from one source each, are checked, and cannot break a header."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from jailoc.bin.config.changeable import Changeable
from jailoc.bin.deploy import credentials, observe
from jailoc.bin.engine import containers, door, git
from jailoc.bin.host import keyring, programs
from jailoc.generators.artefacts import container_fields
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import resolve
from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.record import applied
from jailoc.model.deployed import Deployed
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.workspace import Workspace
from tests.strategies import HOST, config_of, quote


def workspace(source: str, more: str = "") -> Workspace:
    return resolve(
        config_of(
            '[workspaces.a]\negress = "allowlist"\n[workspaces.a.credentials.c]\n'
            f'hosts = ["api.example.com"]\n{source}\n{more}\n'
        ),
        "a",
        HOST,
    )


def line(source: str, more: str = "") -> bytes:
    """Return what the proxy is fed, without the digest of what it is for."""
    name, _, rest = credentials.lines(workspace(source, more))["c"].partition(b"/")
    return name + b" " + rest.partition(b" ")[2]


def problem(source: str) -> Diagnostic:
    with pytest.raises(Refused) as caught:
        line(source)
    (found,) = caught.value.diagnostics
    return found


def command(script: str) -> str:
    return f'from_command = ["/bin/sh", "-c", {quote(script)}]'


def test_a_value_comes_without_the_line_break_that_files_and_programs_end_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("made\r\n")
    monkeypatch.setenv("SOURCE", "made")
    monkeypatch.setattr(
        keyring, "get", lambda user, service: {("me/x", "forge"): "made"}[user, service]
    )
    for source in (
        'from_env = "SOURCE"',
        f"from_file = {quote(str(tmp_path / 'key'))}",
        'from_keyring = "forge/me/x"',
        command("echo made"),
    ):
        assert line(source) == b"c bWFkZQ==|Bearer made"
    basic = 'scheme = "basic"\nusername = "me"'
    assert line('from_env = "SOURCE"', basic) == b"c bWFkZQ==|Basic bWU6bWFkZQ=="
    header = 'scheme = "header"\nheader = "X-Key"\nprefix = "Key "'
    assert line('from_env = "SOURCE"', header) == b"c bWFkZQ==|Key made"


def test_a_program_starts_where_no_project_is_and_its_complaints_are_not_repeated() -> None:
    assert line(command("pwd")).endswith(b"|Bearer /")
    found = problem(command("echo secret; echo secret >&2; exit 3"))
    assert found.message == "credential `c`: `/bin/sh` ended with status 3"
    assert found.where == "workspaces.a.credentials.c"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("true", "is empty"),
        ("printf 'a\\nb'", "cannot stand in a header"),
        ("printf 'a\\000b'", "cannot stand in a header"),
        ("printf ' a'", "cannot stand in a header"),
        ("head -c 9000 /dev/zero | tr '\\0' x", "longer than 8 KiB"),
        ("yes", "more than"),
    ],
)
def test_what_is_no_value_is_refused_without_being_shown(script: str, told: str) -> None:
    found = problem(command(script))
    assert told in found.message
    assert "xxx" not in found.message


def test_a_program_that_is_not_there() -> None:
    assert "cannot be run" in problem('from_command = ["/nonexistent/program"]').message


def test_a_program_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "PATIENCE", 0.3)
    assert "no answer within" in problem(command("sleep 60")).message


def agents_of(place: str) -> Changeable:
    """Return what an agent can change that has a directory, at any place of its own."""
    return Changeable(config_of(f'[workspaces.a]\nmounts = ["{place}:/work"]\n'), HOST)


@pytest.mark.parametrize(
    "words",
    [
        ["token"],
        ["{}/venv/bin/token"],
        ["{}/link"],
        ["/bin/sh", "{}/venv/bin/token"],
        ["/bin/sh", "-c", ". $0", "--file={}/venv/bin/token"],
    ],
)
def test_what_an_agent_can_change_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """An activated environment of a project stands first on PATH; the agent writes to it."""
    mark, program = tmp_path / "ran", tmp_path / "venv/bin/token"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ntouch {mark}; echo made\n")
    program.chmod(0o755)
    (tmp_path / "link").symlink_to(program)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    command = tuple(each.format(tmp_path) for each in words)
    source = f"from_command = {json.dumps(command)}"
    monkeypatch.setattr(programs, "changeable", agents_of(f"{tmp_path}/venv"))
    assert "is not run: an agent can change it" in problem(source).message
    assert not mark.exists()
    monkeypatch.setattr(programs, "changeable", lambda place: False)
    if words[-1].startswith("--"):
        return
    # The control: nobody knows of an agent there, and it runs.
    assert line(source).endswith(b"|Bearer made")
    assert mark.exists()


def test_neither_docker_nor_git_is_looked_for_where_an_agent_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "ran"
    for name in ("docker", "git"):
        program = tmp_path / "project/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\ntouch {mark}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"bin:{tmp_path}/project/bin:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path / "project")
    asks = (
        lambda: git.ask(tmp_path, "--version"),
        lambda: door.ask(door.Call(("--version",), dict(os.environ))),
    )
    for ask in asks:
        monkeypatch.setattr(programs, "changeable", agents_of(f"{tmp_path}/project"))
        with suppress(Refused):
            ask()
        assert not mark.exists()
        monkeypatch.setattr(programs, "changeable", lambda place: False)
        ask()
        assert mark.exists(), "the control"
        mark.unlink()


def test_a_keyring_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(user: str, service: str) -> str:
        raise keyring.Unavailable("it is locked")

    monkeypatch.setattr(keyring, "get", locked)
    found = problem('from_keyring = "forge/me"')
    assert found.message == "credential `c`: the keyring cannot be read: it is locked"


def test_an_entry_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get", lambda user, service: "")
    assert problem('from_keyring = "forge/me"').message.endswith("keyring entry forge/me is empty")


def test_who_only_looks_runs_no_program_and_asks_no_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def kept(user: str, service: str) -> str:
        asked.append(f"{service}/{user}")
        return "x"

    monkeypatch.setattr(keyring, "get", kept)
    mark = tmp_path / "ran"
    for source in (command(f"touch {mark}; echo x"), 'from_keyring = "forge/me"'):
        found, unread = credentials.known(workspace(source))
        assert (found, unread) == ({}, ("c",))
    assert not mark.exists()
    assert asked == []
    # The control: a command that starts does both.
    line(command(f"touch {mark}; echo x"))
    line('from_keyring = "forge/me"')
    assert mark.exists()
    assert asked == ["forge/me"]


KEYS = """[workspaces.api.credentials.own]
hosts = ["api.example.com"]
from_env = "MADE_TOKEN"
"""


@pytest.mark.parametrize(
    ("image", "more", "ignore", "made"),
    [
        ("sha256:1", {}, (), True),
        ("sha256:2", {}, (), False),
        ("sha256:1", {"Entrypoint": ["/evil"]}, (), False),
        ("sha256:1", {"Env": ["LD_PRELOAD=/x"]}, (), False),
        ("sha256:1", {"Env": ["A=1"]}, ("service.proxy.environment.A",), True),
    ],
)
def test_a_proxy_that_somebody_has_made_anew_is_not_the_one_that_was_made(
    monkeypatch: pytest.MonkeyPatch,
    image: str,
    more: dict[str, object],
    ignore: tuple[str, ...],
    made: bool,
) -> None:
    bundle = compile_workspace(config_of(KEYS), "api", HOST)

    def told(identity: str, **config: object) -> dict[str, object]:
        labels = {"com.docker.compose.service": "proxy"}
        return {
            "Id": "1", "Name": "/jailoc-api-proxy-1", "Image": identity,
            "Config": {"Image": "any", "Labels": labels, **config}, "HostConfig": {},
            "NetworkSettings": {"Networks": {}},
        }  # fmt: skip

    facets = container_fields.found(told("sha256:1"), None)
    record = applied(bundle, Given(config="/c", names=("api",)), Deployed(workspace="api"))
    tag = bundle.compose.services["proxy"].image.text
    record = record.model_copy(update={"observed": {"proxy": facets}, "images": {tag: "sha256:1"}})
    monkeypatch.setattr(observe, "last", lambda _: record)
    monkeypatch.setattr(containers, "inspected", lambda _: [told(image, **more)])
    assert credentials.as_made("api", ignore) is made
    monkeypatch.setattr(containers, "inspected", lambda _: [])
    assert not credentials.as_made("api", ignore)
    monkeypatch.setattr(observe, "last", lambda _: None)
    assert not credentials.as_made("api", ignore)
