"""A slip in the configuration keeps nobody out of what runs."""

import json
from dataclasses import replace

import pytest

from jailoc.model.sandbox import AGENT
from tests.bin.deploy.test_mounted import composed
from tests.engine.world import User

NOWHERE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
NO_ENGINE = "Docker is not running or not accessible"
SLIP = '[workspaces.api]\npahts = []\n[workspaces.web]\npaths = ["~/web"]\n'


def started(user: User, name: str, place: str) -> None:
    """Write down what a start has given an agent."""
    (user.home / place).mkdir(parents=True, exist_ok=True)
    state = user.home / ".local/share/jailoc"
    state.mkdir(parents=True, exist_ok=True)
    (state / f"{name}.begun.json").write_bytes(composed(str(user.home / place)))


@pytest.mark.parametrize(
    ("words", "at", "name"),
    [
        (("exec", "api", "--", "true"), "other", "api"),
        (("exec", "--", "true"), "one/deep", "api"),
        (("exec", "--", "true"), "one/two", "web"),
        (("shell",), "one", "api"),
        (("logs",), "one", "api"),
    ],
)
def test_what_was_started_is_found_without_the_configuration(
    user: User, words: tuple[str, ...], at: str, name: str
) -> None:
    user.write(SLIP)
    started(user, "api", "one")
    started(user, "web", "one/two")
    (user.home / at).mkdir(parents=True, exist_ok=True)
    told = replace(user, at=user.home / at).run(*words, **NOWHERE).stderr
    warned = "the configuration cannot be used (unknown key `pahts`; `jailoc validate` says where)"
    assert told.count(f"{warned}: {name} is taken as it was started") == 1, told
    assert NO_ENGINE in told
    assert "[unknown-key]" not in told


def test_who_may_only_read_a_directory_is_not_meant_there(user: User) -> None:
    user.write(SLIP)
    started(user, "api", "one")
    (user.home / "one/deep").mkdir()
    mount = {"text": str(user.home / "one/deep")}
    place = user.home / ".local/share/jailoc/web.begun.json"
    for mode, name in (("ro", "api"), ("rw", "web")):  # the second is the control
        started(user, "web", "two")
        found = json.loads(place.read_bytes())
        found["compose"]["services"][AGENT]["mounts"].append(
            {"source": mount, "target": mount, "mode": mode}
        )
        place.write_text(json.dumps(found))
        at = replace(user, at=user.home / "one/deep")
        told = at.run("exec", "--", "true", **NOWHERE).stderr
        assert f": {name} is taken as it was started" in told, told


@pytest.mark.parametrize(
    "words", [("exec", "--", "true"), ("exec", "gone", "--", "true"), ("logs",)]
)
def test_what_was_never_started_is_refused_as_the_configuration_is(
    user: User, words: tuple[str, ...]
) -> None:
    user.write(SLIP)
    started(user, "api", "one")
    started(user, "web", "two")
    told = user.run(*words, **NOWHERE).stderr
    assert "[unknown-key]" in told
    assert NO_ENGINE not in told
