"""What the user writes reaches the container exactly, through YAML and through Compose."""

import json
import os
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema.validators import validator_for

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.compose_yaml import document
from jailoc.generators.artefacts.health import SETTLED
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Bind
from jailoc.model.diagnostic import Refused
from jailoc.model.host import FileKind, Host
from jailoc.model.mount import Mode
from tests.strategies import (
    HOST,
    NASTY,
    apart,
    bundle_of,
    config_of,
    env_entries,
    file_of,
    images,
    mount_entries,
    mount_paths,
    paths,
    toml,
)

Said = tuple[dict[str, str], list[tuple[str, str, bool]], str, str, list[str]]
"""Environment, binds with read-only, working directory and image of the agent."""


def text_of(bundle: Bundle) -> str:
    return file_of(bundle, "docker-compose.yml")


def parsed(text: str) -> Any:
    return yaml.safe_load(text)


def once(value: str) -> str:
    return value.replace("$$", "$")


def said(agent: Any, change: Any) -> Said:
    """Read the agent's service as plain data."""
    environment = {key: change(value) for key, value in agent["environment"].items()}
    binds = [
        (change(each["source"]), change(each["target"]), each.get("read_only", False))
        for each in agent["volumes"]
        if each["type"] == "bind"
    ]
    command = [change(word) for word in agent["command"]]
    return environment, binds, change(agent["working_dir"]), change(agent["image"]), command


def meant(bundle: Bundle) -> Said:
    """Read the same from the model, which no text has passed through."""
    agent = bundle.compose.services["opencode"]
    assert agent.working_dir is not None
    environment = {key: value.text for key, value in agent.environment.items()}
    binds = [
        (each.source.text, each.target.text, each.mode is Mode.READ_ONLY)
        for each in agent.mounts
        if isinstance(each, Bind)
    ]
    return environment, binds, agent.working_dir.text, agent.image.text, list(agent.command)


@st.composite
def packed(draw: st.DrawFn, size: int = 6) -> tuple[str, list[str]]:
    """Draw a workspace full of hostile text, and its environment entries as written."""
    env = draw(st.lists(env_entries, max_size=size))
    where = draw(st.lists(paths, min_size=1, max_size=size).filter(apart))
    mounts = draw(st.lists(mount_entries, max_size=size))
    table = {"env": env, "paths": where, "mounts": mounts, "image": draw(images)}
    return toml({"a": table}), env


EVERY_NASTY = toml(
    {
        "a": {
            "env": [
                *(f"PLAIN_{index}={text}" for index, text in enumerate(NASTY)),
                *(f"in_{index}=x{text}y" for index, text in enumerate(NASTY)),
                *(f"twice_{index}={text}{text}" for index, text in enumerate(NASTY)),
                *(f"{text}key=1" for text in NASTY if "=" not in text),
                *(f"{text}=only" for text in NASTY if "=" not in text and text != "\n"),
                "true=t", "false=f", "null=n", "____=u", "yes=y", "null1=x", "k" * 300 + "=long",
            ],
            "paths": [f"/data/{text}x" for text in NASTY],
            "mounts": [
                f"/data/{index}{text}:/mnt/{index}{text}"
                for index, text in enumerate(NASTY)
                if ":" not in text and "${" not in text and "/" not in text
            ],
            "image": "registry.example.com:5000/a_b/c-d:v1.2_3",
        }
    }
)  # fmt: skip


@given(packed())
def test_hostile_text_survives_yaml_exactly(both: tuple[str, list[str]]) -> None:
    text, env = both
    bundle = bundle_of(text, "a")
    data = parsed(text_of(bundle))
    assert said(data["services"]["opencode"], once) == meant(bundle)
    environment = said(data["services"]["opencode"], once)[0]
    assert dict(entry.split("=", 1) for entry in env).items() <= environment.items()


def test_every_nasty_text_survives_yaml_exactly() -> None:
    bundle = bundle_of(EVERY_NASTY, "a")
    assert said(parsed(text_of(bundle))["services"]["opencode"], once) == meant(bundle)


@given(packed())
def test_the_text_reads_as_the_document_that_was_checked(both: tuple[str, list[str]]) -> None:
    bundle = bundle_of(both[0], "a")
    assert parsed(text_of(bundle)) == document(bundle.compose)


@given(packed())
def test_the_text_is_one_printable_document_without_anchors(both: tuple[str, list[str]]) -> None:
    text = text_of(bundle_of(both[0], "a"))
    assert text.endswith("\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]", text)
    events = list(yaml.parse(text, Loader=yaml.SafeLoader))
    assert not [each for each in events if isinstance(each, yaml.AliasEvent)]
    assert len([each for each in events if isinstance(each, yaml.DocumentStartEvent)]) == 1


def test_a_value_names_the_entry_it_comes_from_on_its_own_line() -> None:
    text = text_of(bundle_of(toml({"a": {"env": ["A=1 # no"], "paths": ["/data/x"]}}), "a"))
    assert 'A: "1 # no"  # workspaces.a.env[0]\n' in text.replace('"A":', "A:")
    assert '"/data/x"  # workspaces.a.paths[0]\n' in text


def through_compose(text: str) -> Any:
    """Load a document with the real loader, in an environment that would change its variables."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "OPENCODE_SERVER_PASSWORD": "from outside",
        "x": "WRONG",
        "X": "WRONG",
    }
    if "DOCKER_CONFIG" in os.environ:
        environment["DOCKER_CONFIG"] = os.environ["DOCKER_CONFIG"]
    done = subprocess.run(
        ["docker", "compose", "-f", "-", "config", "--format", "json"],
        input=text.encode(),
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def check_through_compose(bundle: Bundle) -> None:
    data = through_compose(text_of(bundle))
    agent = data["services"]["opencode"]
    # The loader prints a document that can be loaded again, so it doubles `$`, even in keys.
    environment, *rest = said(agent, once)
    assert ({once(key): value for key, value in environment.items()}, *rest) == meant(bundle)
    assert "OPENCODE_SERVER_PASSWORD" not in agent["environment"]
    assert data["name"] == bundle.compose.name


@pytest.mark.compose
@settings(
    max_examples=12,
    phases=(Phase.explicit, Phase.generate),  # each example asks another process
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)
@given(packed(size=25))
def test_hostile_text_survives_compose_exactly(both: tuple[str, list[str]]) -> None:
    check_through_compose(bundle_of(both[0], "a"))


@pytest.mark.compose
def test_every_nasty_text_survives_compose_exactly() -> None:
    check_through_compose(bundle_of(EVERY_NASTY, "a"))


@pytest.mark.compose
def test_everything_of_the_host_survives_compose_exactly() -> None:
    """Sockets, Git configuration, protected paths and env files may be called anything, too."""
    names = [f"p{text}" for text in NASTY if "/" not in text]
    env_file = "".join(f"K{index}={text}\n" for index, text in enumerate(NASTY))
    host = Host(
        home="/home/al$ice: #x",
        kinds={
            "/data/x": FileKind.DIRECTORY,
            "/home/al$ice: #x/.gitconfig": FileKind.FILE,
            "/home/al$ice: #x/.ssh/known_hosts": FileKind.FILE,
        }
        | {f"/data/x/{name}": FileKind.FILE for name in names},
        files={"/srv/e.env": env_file},
        agent_socket="/tmp/${ssh}: #.sock",  # noqa: S108 -- a name
    )
    text = toml(
        {"a": {"paths": ["/data/x"], "protect": names, "env_file": ["/srv/e.env"],
               "ssh_auth_sock": True, "secrets.env.T.from_env": "X", "image": "x"}}
    )  # fmt: skip
    bundle = bundle_of(text, "a", host)
    assert len([each for each in meant(bundle)[1] if each[2]]) > len(names)
    check_through_compose(bundle)


@pytest.mark.compose
@pytest.mark.parametrize(
    "text",
    [
        toml({"a": {}}),
        toml({"a": {"enable_docker": False, "expose_port": False}}),
        toml({"a": {"cpu": 0.1, "memory": "6m"}}),
        toml({"a": {"cpu": 1e6, "memory": "8191g"}}),
        toml({"a": {"cpu": 1e-5}}),
        toml({"-": {}}),
        toml({"0" * 60: {}}),
    ],
    ids=["bare", "without-docker", "small", "large", "tiny-cpu", "hyphen", "long"],
)
def test_compose_accepts_what_loads(text: str) -> None:
    config = config_of(text)
    (name,) = config.workspaces
    data = through_compose(text_of(compile_workspace(config, name, HOST)))
    assert set(data["services"]) >= {"firewall", "opencode"}


@pytest.mark.compose
@pytest.mark.parametrize(
    "text",
    [
        toml({"a": {"cpu": 1e300}}),
        toml({"a": {"cpu": 1e-300}}),
        toml({"a": {"memory": "8589934592g"}}),
        toml({"a": {"env": ["\n=1"]}}),
        toml({"a": {"image": "$"}}),
        toml({"0" * 300: {}}),
    ],
    ids=["huge-cpu", "tiny-cpu", "huge-memory", "line-break-variable", "dollar-image", "long-name"],
)
def test_what_compose_would_refuse_is_refused_at_loading(text: str) -> None:
    try:
        config = config_of(text)
    except Refused:
        return
    through_compose(text_of(compile_workspace(config, next(iter(config.workspaces)), HOST)))


# The official schema


def official() -> Any:
    place = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    return json.loads(place.read_text(encoding="utf-8"))


@given(packed(), st.booleans(), st.booleans(), st.floats(0.01, 100))
def test_documents_follow_the_official_compose_specification(
    both: tuple[str, list[str]], ipv6: bool, docker: bool, cpu: float
) -> None:
    text = both[0] + f"cpu = {cpu!r}\nenable_docker = {str(docker).lower()}\n"
    bundle = bundle_of(text, "a", Host(home="/home/alice", ipv6=ipv6))
    schema = official()
    validator_for(schema)(schema).validate(parsed(text_of(bundle)))


@given(mount_paths)
def test_a_mount_beats_a_path_at_the_same_place_and_a_volume_too(path: str) -> None:
    text = toml(
        {
            "a": {
                "paths": [path],
                "mounts": [f"/other:{path}:ro", "/cache:/home/agent/.cache"],
            }
        }
    )
    agent = bundle_of(text, "a").compose.services["opencode"]
    targets = [
        each.target if isinstance(each.target, str) else each.target.text for each in agent.mounts
    ]
    assert len(set(targets)) == len(targets)
    assert ("/other", path, True) in meant(bundle_of(text, "a"))[1]
    assert "opencode-cache-a" not in bundle_of(text, "a").compose.volumes


def test_a_path_in_another_one_is_only_held_in_its_place_and_is_where_the_agent_begins() -> None:
    agent = bundle_of(toml({"a": {"paths": ["/data/x/z", "/data/x"]}}), "a").compose.services[
        "opencode"
    ]
    places = {each.target.text: each.source.origin for each in agent.mounts
              if isinstance(each, Bind)}  # fmt: skip
    assert places["/data/x"] == "workspaces.a.paths[1]"
    assert (places["/data/x/z"] or "").startswith("protect: "), "nobody renames it"
    assert agent.working_dir is not None
    assert agent.working_dir.text == "/data/x/z"


def test_the_health_check_runs_nothing_of_the_agents_and_nothing_before_the_password(
    tmp_path: Path,
) -> None:
    health = bundle_of("[workspaces.a]\n", "a").compose.services["opencode"].health
    assert health is not None
    secret = tmp_path / ".server-password"
    planted = tmp_path / "bin"
    planted.mkdir()
    for name in ("sed", "curl"):
        (planted / name).write_text(f"#!/bin/sh\necho ran >>{tmp_path}/ran\n")
        (planted / name).chmod(0o755)
    question = health.test[1].replace("/run/secrets/.server-password", str(secret))
    question = question.replace(f"-ge {SETTLED} ]", f"-ge {1 << 40} ]")

    def ask(question: str) -> int:
        environment = {"PATH": f"{planted}:/usr/bin:/bin"}
        return subprocess.run(["/bin/sh", "-c", question], env=environment, check=False).returncode

    assert ask(question) == 1
    secret.write_text("secret")
    ask(question)
    assert not (tmp_path / "ran").exists()
    # Without the path of its own it would run what was planted.
    ask(re.sub(r"PATH=\S+; ", "", question))
    assert (tmp_path / "ran").exists()
