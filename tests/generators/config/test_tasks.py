"""A task has what its workspace has, with a clone in the place of the host's directories."""

import pytest

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import names, port_of, resolve
from jailoc.generators.config.select import select
from jailoc.generators.config.tasks import (
    both_write,
    bounds,
    left_out,
    repository_of,
    taken,
    too_much,
    with_tasks,
)
from jailoc.model.compose import Bind, Volume
from jailoc.model.config import Config
from jailoc.model.diagnostic import Refused
from jailoc.model.mount import Mode
from jailoc.model.sandbox import AGENT, task_of, typed, untyped
from jailoc.model.task import Task
from tests.strategies import HOST, Table, config_of, toml

PLACE = "/data/api"
MINE: Table = {
    "paths": [PLACE, "/data/other"],
    "mounts": ["/work/notes:/data/api/notes:ro", "/work/cache:/cache", "/data:/all:ro"],
    "ports": ["3000"],
    "allowed_hosts": ["git.example.com"],
    "env": ["A=1"],
    "memory": "2g",
}


def task(name: str = "fix", port: int = 4600) -> Task:
    return Task(workspace="b", name=name, repository=PLACE, base="1" * 40, port=port)


def configured(mine: Table = MINE, *tasks: Task, more: str = "") -> Config:
    text = toml({"a": {}, "b": mine, "c": {}}) + more
    return with_tasks(config_of(text), tasks or (task(),), HOST)


def test_a_task_moves_no_port_and_is_no_workspace() -> None:
    plain, beside = config_of(toml({"a": {}, "b": MINE, "c": {}})), configured()
    assert names(plain) == names(beside) == ("a", "b", "c")
    assert [port_of(beside, each) for each in "abc"] == [port_of(plain, each) for each in "abc"]
    assert beside.tasks == ("b_fix",)
    assert port_of(beside, "b_fix") == 4600
    assert select(beside, f"{PLACE}/src") == "b"


def test_nothing_of_the_project_is_mounted_from_the_host() -> None:
    compose = compile_workspace(configured(), "b_fix", HOST).compose
    agent = compose.services[AGENT]
    binds = [each for each in agent.mounts if isinstance(each, Bind)]
    seen = {each.target.text for each in binds if "/jailoc/" not in each.source.text}
    assert {each for each in seen if not each.startswith("/home/agent/")} == {"/cache"}
    (clone,) = (each for each in agent.mounts
                if isinstance(each, Volume) and each.target == PLACE)  # fmt: skip
    assert compose.name == "jailoc-b_fix"
    assert clone.name in compose.volumes
    assert agent.working_dir
    assert agent.working_dir.text == PLACE


def test_all_else_is_the_workspaces() -> None:
    config = configured()
    mine, its = resolve(config, "b", HOST), resolve(config, "b_fix", HOST)
    for key in ("env", "egress", "allowed_names", "secrets", "image", "memory", "agent", "user"):
        assert getattr(its, key) == getattr(mine, key), key
    # An entry is named as the file has it.
    assert its.env[0].origin == "workspaces.b.env[0]"
    assert compile_workspace(config, "b", HOST) == compile_workspace(
        config_of(toml({"a": {}, "b": MINE, "c": {}})), "b", HOST
    )


def test_what_is_left_out_is_said() -> None:
    network = '[workspaces.b.network]\nsubnet = "10.200.0.0/24"\nmtu = 1400\n'
    config = configured(more=network)
    assert left_out(config, task(), HOST) == (
        "the path /data/other", "the mount of /home/alice/.claude/transcripts",
        "the mount of /work/notes", "the mount of /data",
        "the published port 3000", "the subnet 10.200.0.0/24",
    )  # fmt: skip
    its = resolve(config, "b_fix", HOST)
    assert (its.ports, its.subnet, its.mtu) == ((), None, 1400)


def test_what_joins_a_task_to_its_workspace_is_asked_for_and_said() -> None:
    """Over a socket there the one could hand the other what is covered in its own namespace."""
    volumes = ["shared:packages:/packages", "own:/own"]
    plain = configured({**MINE, "volumes": volumes})

    def written(config: Config, name: str) -> set[str]:
        agent = compile_workspace(config, name, HOST).compose.services[AGENT]
        binds = (each for each in agent.mounts if isinstance(each, Bind))
        return {each.source.text for each in binds if each.mode is Mode.READ_WRITE}

    built_in = "/home/alice/.claude/transcripts"
    assert built_in in written(plain, "b")
    assert written(plain, "b_fix") & written(plain, "b") == {"/work/cache"}
    assert both_write(plain, task(), HOST) == ("/work/cache", "the shared volume `packages`")
    asked = configured({**MINE, "mounts": ["~/.claude/transcripts:~/.claude/transcripts"]})
    assert built_in in written(asked, "b_fix")
    assert both_write(asked, task(), HOST) == (built_in,)


def test_tasks_of_a_workspace_that_is_gone_are_passed_over() -> None:
    gone = task().model_copy(update={"workspace": "gone"})
    assert configured(MINE, gone).tasks == ()


def test_bounds_are_the_workspaces_else_the_defaults_else_built_in() -> None:
    tables = "[defaults.tasks]\nlimit = 9\nports = [5, 7]\n[workspaces.b.tasks]\nlimit = 2\n"
    config = config_of(toml({"a": {}, "b": {}}) + tables)
    assert bounds(config, "a").model_dump() == {"limit": 9, "memory": "16g", "ports": (5, 7)}
    assert bounds(config, "b").limit == 2
    assert bounds(config_of(toml({"a": {}})), "a").ports == (4600, 4699)


def test_memory_counts_those_that_run() -> None:
    config = configured(more='[workspaces.b.tasks]\nmemory = "4g"\n')
    assert too_much(config, "b", "2g", ["b_one"]) is None
    reason = too_much(config, "b", "2g", ["b_one", "b_two"])
    assert reason == "with 2g beside b/one, b/two its tasks could use more than 4g"
    assert too_much(config, "b", "5g", []) is not None


def test_ports_that_are_given_away_are_not_free() -> None:
    assert taken(configured(), [task("x", 4601)]) == {4096, 4097, 4098, 3000, 4601}


def test_the_repository_is_the_path_that_holds_the_directory() -> None:
    config = config_of(toml({"a": {}, "b": {"paths": ["/data", "/data/api"]}}))
    assert repository_of(config, "b", "/data/api/src") == "/data/api"
    assert repository_of(config, "b", "/data/x") == "/data"
    assert repository_of(config, "b", "/elsewhere") == "/data"
    with pytest.raises(Refused):
        repository_of(config, "a", "/data")


@pytest.mark.parametrize(
    ("text", "name"),
    [("api/fix", "api_fix"), ("api", "api"), ("/api/fix", "/api/fix"), ("api/Fix", "api/Fix"),
     ("api/fix/x", "api/fix/x"), ("api/", "api/"), ("api_fix", "api_fix")],
)  # fmt: skip
def test_a_task_is_typed_with_a_slash(text: str, name: str) -> None:
    assert untyped(text) == name
    assert typed(untyped("api/fix")) == "api/fix"
    assert task_of("api_fix") == ("api", "fix")
    assert task_of("api") is None
