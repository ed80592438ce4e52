"""Laws of plan and apply, on an engine in memory."""

import copy
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.container_fields import NOTHING_MORE
from jailoc.generators.artefacts.portable import bare
from jailoc.generators.config.resolve import names, resolve
from jailoc.generators.config.stated import stated
from jailoc.generators.plan.inputs import Given, keyed
from jailoc.generators.plan.plan import plan
from jailoc.generators.views.plan import first_screen, lines
from jailoc.model.deployed import DeployedFile, Rules
from jailoc.model.host import Host
from jailoc.model.plan import Action, Plan
from jailoc.model.plan_address import ServiceAddress
from jailoc.model.sandbox import AGENT, SIDECAR, WALL
from tests.memory import Machine, Memory, killed_after
from tests.strategies import HOST, Table, config_of, toml, workspaces

KEY = b"k" * 64


def memory(
    machine: Machine,
    text: str,
    value: str = "1",
    ignore: tuple[str, ...] = (),
    host: Host = HOST,
) -> Memory:
    """Return an apply of workspace `w` of a configuration."""
    config = config_of(text, host)
    workspace = resolve(config, "w", host)
    given_ = Given(
        config="/home/alice/.config/jailoc/config.toml",
        names=names(config),
        pinned=frozenset(each for each, mine in config.workspaces.items() if mine.port),
        secrets={each.name: keyed(KEY, value) for each in workspace.secrets},
        stated=stated(config, workspace, host),
        bare=bare(host),
        key=KEY,
        ignore=ignore,
        home=HOST.home,
    )
    return Memory(machine, compile_workspace(config, "w", host), given_)


def actions(plan: Plan) -> dict[str, Action]:
    return {str(each.address): each.action for each in plan.changes}


texts = st.builds(
    lambda mine, others: toml({"w": mine} | {name: {} for name in others}),
    workspaces,
    st.sets(st.sampled_from(("a", "b", "x")), max_size=2),
)


@given(texts, texts, st.sampled_from("12"))
def test_after_an_apply_there_is_nothing_to_do(first: str, second: str, value: str) -> None:
    machine = Machine()
    for text, secret in ((first, "1"), (second, value), (second, value)):
        place = memory(machine, text, secret)
        place.apply()
        place.prove()
        assert place.plan().empty
        assert not place.plan().drift


@given(texts, texts)
def test_a_plan_says_whether_the_agent_is_interrupted(first: str, second: str) -> None:
    machine = Machine()
    memory(machine, first).apply()
    before = machine.containers[AGENT].id, dict(machine.starts)
    made = memory(machine, second).apply()
    after = machine.containers[AGENT].id, machine.starts
    assert made.agent_restarts == (
        before[0] != after[0] or before[1][before[0]] != after[1].get(before[0])
    )


@given(texts, texts, st.data())
def test_a_kill_at_any_moment_leaves_what_the_next_apply_finishes(
    first: str, second: str, data: st.DataObject
) -> None:
    machine = Machine()
    memory(machine, first).apply()
    after = data.draw(st.integers(0, 40))
    with killed_after(machine, after):
        memory(machine, second, "2").apply()
    place = memory(machine, second, "2")
    place.apply()
    place.prove()
    assert place.plan().empty


BEFORE: Table = {"paths": ["/data/a"], "secrets.env.T.from_env": "T", "allowed_hosts": ["a.b"]}
AFTER: Table = {"paths": ["/data/b"], "secrets.env.T.from_env": "T", "memory": "1g"}


@pytest.mark.parametrize(
    "text", [toml({"w": AFTER}), toml({"w": {**AFTER, "enable_docker": False}})]
)
def test_every_single_kill_is_finished_by_the_next_apply(text: str) -> None:
    start = Machine()
    memory(start, toml({"w": BEFORE})).apply()
    things = 0
    while True:
        machine = copy.deepcopy(start)
        with killed_after(machine, things) as killed:
            memory(machine, text, "2").apply()
        place = memory(machine, text, "2")
        place.apply()
        place.prove()
        assert place.plan().empty
        if not killed():
            break
        things += 1
    assert things > 20


def test_changed_rules_interrupt_nothing() -> None:
    machine = Machine()
    memory(machine, toml({"w": {"allowed_networks": ["10.1.0.0/16"]}})).apply()
    place = memory(machine, toml({"w": {"allowed_networks": ["10.2.0.0/16"]}}))
    made = place.apply()
    assert not made.agent_restarts
    assert actions(made) == {"file.wall/rules.v4": Action.UPDATE, "firewall.rules": Action.UPDATE}
    assert [each.text for each in made.powers] == [
        "may reach 10.2.0.0/16 (65,536 addresses), every port: in the range 10.0.0.0/8, private "
        "(RFC 1918)",
        "may no longer reach 10.1.0.0/16 (65,536 addresses), every port",
    ]


def test_a_value_that_only_moves_in_the_file_interrupts_nothing() -> None:
    machine = Machine()
    memory(machine, toml({"w": {"env": ["A=1", "B=2"], "memory": "1g"}})).apply()
    made = memory(machine, toml({"w": {"env": ["B=2"], "memory": "1g"}}, {"env": ["A=1"]})).apply()
    assert not made.agent_restarts
    assert actions(made) == {"file.docker-compose.yml": Action.UPDATE}
    assert not made.powers


def test_a_changed_secret_restarts_the_agent_alone() -> None:
    machine = Machine()
    text = toml({"w": {"secrets.env.T.from_env": "T"}})
    memory(machine, text, "one").apply()
    ids = {name: each.id for name, each in machine.containers.items()}
    made = memory(machine, text, "two").apply()
    assert actions(made) == {
        "secret.T": Action.UPDATE, f"service.{AGENT}": Action.RECREATE
    }  # fmt: skip
    again = {name: each.id for name, each in machine.containers.items()}
    assert {name for name in ids if again[name] != ids[name]} == {AGENT}
    assert machine.starts[ids[SIDECAR]] == machine.starts[ids[WALL]] == 1


def test_a_new_workspace_shifts_a_port_and_the_plan_says_which() -> None:
    machine = Machine()
    memory(machine, toml({"w": {}})).apply()
    made = memory(machine, toml({"w": {}, "alpha": {}})).apply()
    wall = next(each for each in made.changes if each.address == ServiceAddress(name=WALL))
    assert "the port moves because workspace `alpha` was added" in wall.causes
    assert [(each.name, each.before, each.after) for each in wall.fields] == [
        ("ports.4096/tcp", "127.0.0.1:4096", "127.0.0.1:4097")
    ]
    assert "port 4096 -> 4097" in [each.text for each in made.powers]
    pinned = memory(machine, toml({"w": {"port": 4097}}))
    assert f"service.{WALL}" not in actions(pinned.apply())


def edited(name: str, **facets: str) -> Callable[[Machine], None]:
    def edit(machine: Machine) -> None:
        found = machine.containers[name]
        machine.containers[name] = found.model_copy(update={"facets": found.facets | facets})

    return edit


def stopped(machine: Machine) -> None:
    found = machine.containers[AGENT]
    machine.containers[AGENT] = found.model_copy(update={"state": "exited", "health": ""})


def sick(machine: Machine) -> None:
    found = machine.containers[AGENT]
    machine.containers[AGENT] = found.model_copy(update={"health": "unhealthy"})


def flushed(machine: Machine) -> None:
    machine.kernel = {}


def touched(machine: Machine) -> None:
    machine.files["wall/rules.v6"] = DeployedFile(mode=0o644, digest="0" * 64)


def planted(machine: Machine) -> None:
    machine.files["wall/more"] = DeployedFile(mode=0o644, digest="0" * 64)


def retagged(machine: Machine) -> None:
    reference = next(each for each in machine.images if each.startswith("jailoc-agent:"))
    machine.images[reference] = "sha256:another"


def no_wall(machine: Machine) -> None:
    del machine.containers[WALL]


def forgotten(machine: Machine) -> None:
    machine.held = {}


def cut(machine: Machine) -> None:
    for name in (AGENT, SIDECAR):
        found = machine.containers[name]
        machine.containers[name] = found.model_copy(update={"severed": "the firewall restarted"})


def stranger(machine: Machine) -> None:
    machine.containers["miner"] = machine.containers[AGENT].model_copy(update={"id": "miner-1"})


DRIFTS: dict[str, tuple[Callable[[Machine], None], str | None]] = {
    "memory": (edited(AGENT, memory="1"), f"service.{AGENT}.memory"),
    "privileged": (edited(SIDECAR, privileged="true"), f"service.{SIDECAR}.privileged"),
    "a network more": (edited(WALL, network="bridge, jailoc-w_jailoc"), f"service.{WALL}.network"),
    "a variable": (edited(AGENT, **{"environment.X": "y"}), f"service.{AGENT}.environment.X"),
    "a mount": (edited(AGENT, **{"mounts./host": "/ rw"}), f"service.{AGENT}.mounts./host"),
    **{
        f"the {name}": (edited(AGENT, **{name: "edited"}), f"service.{AGENT}.{name}")
        for name in NOTHING_MORE
    },
    "rules flushed": (flushed, "firewall.rules"),
    "a file touched": (touched, "file.wall/rules.v6"),
    "a file planted": (planted, "file.wall/more"),
    "an image retagged": (retagged, None),
    "the agent stopped": (stopped, None),
    "the agent sick": (sick, None),
    "the wall gone": (no_wall, None),
    "the network gone": (cut, None),
    "secrets forgotten": (forgotten, None),
    "a container more": (stranger, None),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_drift_is_found_named_and_repaired(name: str) -> None:
    edit, address = DRIFTS[name]
    machine = Machine()
    place = memory(machine, toml({"w": BEFORE}))
    place.apply()
    edit(machine)
    found = place.plan()
    assert not found.empty
    if address:
        assert address in [str(each.address) for each in found.drift]
    assert not found.powers or name in {"the wall gone"}
    place.apply()
    if name == "an image retagged":
        return  # only a build brings the right one back
    place.prove()
    assert place.plan().empty
    assert not place.plan().drift


def test_who_lost_the_network_is_started_again_and_the_wall_is_not() -> None:
    machine = Machine()
    place = memory(machine, toml({"w": BEFORE}))
    place.apply()
    wall = machine.starts[machine.containers[WALL].id]
    cut(machine)
    made = place.apply()
    assert actions(made) == {
        f"service.{AGENT}": Action.RECREATE, f"service.{SIDECAR}": Action.RESTART
    }  # fmt: skip
    assert {each.causes for each in made.changes} == {
        ("it has no network any more: the firewall restarted",)
    }
    assert made.agent_restarts
    assert machine.starts[machine.containers[WALL].id] == wall
    place.prove()


def test_a_volume_that_is_renamed_is_said_to_begin_empty() -> None:
    machine = Machine()
    memory(machine, toml({"w": {"volumes": ["npm:~/.npm"]}})).apply()
    assert not memory(machine, toml({"w": {"volumes": ["npm:~/.npm"]}})).plan().notes
    notes = memory(machine, toml({"w": {"volumes": ["npm2:~/.npm"]}})).plan().notes
    assert "volumes that nothing uses any more stay: volume-npm" in notes
    assert "a volume that is renamed begins empty: npm2 will hold nothing of npm" in notes


def test_another_mtu_or_subnet_replaces_the_network_and_then_rests() -> None:
    machine = Machine()
    memory(machine, toml({"w": {}})).apply()
    text = toml({"w": {"network.mtu": 1400, "network.subnet": "10.200.0.0/24"}})
    made = memory(machine, text).plan()
    (change,) = [each for each in made.changes if str(each.address) == "network"]
    assert change.action is Action.RECREATE
    assert {each.name: each.after for each in change.fields} == {
        "ipv4_subnet": "10.200.0.0/24", "mtu": "1400",
    }  # fmt: skip
    memory(machine, text).apply()
    assert memory(machine, text).plan().empty


def test_denials_and_ports_are_applied_and_then_rest() -> None:
    machine = Machine()
    memory(machine, toml({"w": {}})).apply()
    denied = toml({"w": {"denied_networks": ["10.0.0.0/8"], "denied_hosts": ["a.test"]}})
    assert "service.firewall" not in actions(memory(machine, denied).plan())
    assert actions(memory(machine, denied).plan())["firewall.rules"] is Action.UPDATE
    memory(machine, denied).apply()
    assert memory(machine, denied).plan().empty
    published = toml({"w": {"ports": ["3000", "8080:80"]}})
    assert actions(memory(machine, published).plan())["service.firewall"] is Action.RECREATE
    memory(machine, published).apply()
    assert memory(machine, published).plan().empty


def test_known_noise_is_shown_and_left() -> None:
    machine = Machine()
    text = toml({"w": {}})
    memory(machine, text).apply()
    edited(AGENT, memory="1")(machine)
    place = memory(machine, text, ignore=("service.opencode.mem*",))
    assert [(str(each.address), each.ignored) for each in place.plan().drift] == [
        ("service.opencode.memory", True)
    ]
    assert place.plan().empty


def test_what_an_engine_spells_its_own_way_is_no_drift() -> None:
    machine = Machine()
    place = memory(machine, toml({"w": {}}))
    place.apply()
    edited(AGENT, ipc="shareable")(machine)
    assert machine.applied
    seen = machine.applied.observed | {AGENT: machine.containers[AGENT].facets}
    machine.applied = machine.applied.model_copy(update={"observed": seen})
    assert place.plan().empty


def test_what_an_engine_never_told_is_no_drift_and_what_it_tells_no_more_is() -> None:
    machine = Machine()
    place = memory(machine, toml({"w": {}}))
    place.apply()
    assert machine.applied
    there = machine.containers[WALL]
    less = {key: text for key, text in there.facets.items() if key != "mounts./run/jailoc"}
    machine.containers[WALL] = there.model_copy(update={"facets": less})
    assert [str(each.address) for each in place.plan().drift] == [
        "service.firewall.mounts./run/jailoc"
    ]
    seen = machine.applied.observed | {WALL: less}
    machine.applied = machine.applied.model_copy(update={"observed": seen})
    assert place.plan().empty


def test_values_of_variables_and_secrets_are_in_no_plan() -> None:
    machine = Machine()
    memory(machine, toml({"w": {"env": ["T=planted-one"]}})).apply()
    made = memory(machine, toml({"w": {"env": ["T=planted-two"]}})).plan()
    assert any(field.name == "environment.T" for each in made.changes for field in each.fields)
    assert "planted" not in made.model_dump_json()


def test_an_image_that_another_is_built_on_is_wanted_only_for_a_build() -> None:
    machine = Machine()
    host = HOST.model_copy(update={"files": {"/srv/Dockerfile": "FROM ${BASE}\n"}})
    text = toml({"w": {"dockerfile": "/srv/Dockerfile"}})
    place = memory(machine, text, host=host)
    base, overlay = (each.tag for each in place.bundle.builds if each.name in {"agent", "overlay"})
    assert {f"image.jailoc-{name}" for name in ("agent", "overlay")} <= actions(place.plan()).keys()
    place.apply()
    assert {base, overlay} <= machine.images.keys()
    del machine.images[base]
    assert place.plan().empty


def test_what_was_built_for_an_earlier_configuration_is_remembered() -> None:
    machine, text = Machine(), toml({"w": {"dockerfile": "/srv/Dockerfile"}})
    tags = []
    for more in ("", "ENV A=1\n", "ENV A=2\n", ""):
        host = HOST.model_copy(update={"files": {"/srv/Dockerfile": f"FROM ${{BASE}}\n{more}"}})
        place = memory(machine, text, host=host)
        place.apply()
        tags += [each.tag for each in place.bundle.builds if each.name == "overlay"]
    first, second, third, last = tags
    assert first == last
    assert machine.applied
    assert machine.applied.former == (second, third)


def test_a_file_in_a_build_context_that_has_changed_is_on_the_first_screen() -> None:
    machine, text = Machine(), toml({"w": {"dockerfile": "/srv/Dockerfile"}})
    seen = []
    for content in ("c", "d"):
        host = HOST.model_copy(update={
            "files": {"/srv/Dockerfile": "FROM ${BASE}\nCOPY tool /usr/bin/\n"},
            "contexts": {"/srv": 64 * content},
        })  # fmt: skip
        place = memory(machine, text, host=host)
        seen.append([line for line, _ in first_screen([place.plan()])])
        place.apply()
        assert place.plan().empty
    assert seen[1][0].startswith("1 of 1 workspace may do more: 1 high")
    assert any("what lies in /srv (build context) has changed" in line for line in seen[1])


def test_a_wall_that_does_not_answer_is_neither_well_nor_empty() -> None:
    place = memory(Machine(), toml({"w": {**BEFORE}}))
    place.apply()
    silent = {"rules": Rules.UNKNOWN, "held": (), "unseen": ("what the firewall holds",)}
    made = plan(place.bundle, place.observe().model_copy(update=silent), place.given)
    assert made.empty
    assert made.unseen == silent["unseen"]
    text = "\n".join(line for line, _ in lines(made))
    assert "nothing to do" not in text
    assert "what the firewall holds was not looked at" in text
