"""What destroying a workspace takes, and that a kill at any moment is finished by the next run."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest

from jailoc.bin.cli import main
from jailoc.bin.deploy import existence, provenance, remains, removal
from jailoc.bin.engine import door
from jailoc.bin.engine.door import Call, Reply
from jailoc.bin.host import keyring, log
from jailoc.model.sandbox import ORIGIN_LABEL
from jailoc.schemas import schema
from tests.engine import world

CONFIG = "[workspaces.api]\n[workspaces.web]\n"
VOLUMES = ("dind-data", "opencode-data-api")


class Killed(BaseException):
    """The process has ended, in the middle of its work."""


@dataclass
class Engine:
    """As much of an engine as a removal asks."""

    home: Path
    containers: dict[str, str] = field(default_factory=dict)
    """The image of each container, by project and service."""
    networks: set[str] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)
    cache: str = "0B"
    """How much the cache of builds takes."""
    place: str = ""
    """Where the containers were made from, if not where jailoc makes them from."""
    made: dict[str, str] = field(default_factory=dict)
    """What volumes say that they were made from."""
    left: float = float("inf")
    """Changes that may still happen before the process is killed."""

    def tick(self) -> None:
        if self.left <= 0:
            raise Killed
        self.left -= 1

    def __call__(self, call: Call) -> Reply:
        words = list(call.arguments)
        match words:
            case ["version", *_] | ["compose", "version", *_]:
                return Reply(0, b"2.40")
            case ["ps", *_]:
                return Reply(0, "\n".join(map(json.dumps, self.rows(words))).encode())
            case ["inspect", *names]:
                return Reply(0, json.dumps([self.shown(each) for each in names]).encode())
            case ["network" | "volume" as kind, "ls", *_]:
                return Reply(0, self.listed(kind, words).encode())
            case ["image", "inspect", *_]:
                names = words[words.index("--") + 1 :]
                return Reply(0, "".join(f"sha256:{each}\t[]\n" for each in names).encode())
            case ["image", "ls", *_]:
                return Reply(0, "\n".join(f"{each}\t1GB" for each in sorted(self.images)).encode())
            case ["system", "df", "--format", _]:
                assert (call.timeout or 99) <= 10, "a last remark is worth no longer wait"
                told = f"Images\t9GB\nBuild Cache\t{self.cache}\n"
                return Reply(124 if self.cache == "slow" else 0, told.encode())
            case ["system", "df", *_]:
                assert (call.timeout or 99) <= 30
                return Reply(0, "".join(f"{each}\t2kB\n" for each in self.volumes).encode())
            case ["compose", "--project-name", project, *_]:
                return self.down(project)
            case ["network" | "volume" as kind, "rm", *_, name]:
                self.tick()
                (self.networks if kind == "network" else self.volumes).discard(name)
                return Reply(0)
            case ["rm", *_, name]:
                self.tick()
                self.containers.pop(name, None)
                return Reply(0)
            case ["image", "rm", "--", name]:
                self.tick()
                busy = name in self.containers.values()
                self.images -= set() if busy else {name}
                return Reply(int(busy), b"", b"conflict: it is in use" if busy else b"")
        raise AssertionError(words)

    def rows(self, words: list[str]) -> list[tuple[str, ...]]:
        if "json .Image" in words[-1]:
            return [(image, each.split("/")[0]) for each, image in self.containers.items()]
        project = words[-1].rpartition("=")[2] if words[-1].count("=") > 1 else ""
        return [(each, f"{each.replace('/', '-')}-1", *reversed(each.split("/")), self.where(each))
                for each in self.mine(project) if "--quiet" not in words]  # fmt: skip

    def mine(self, project: str) -> list[str]:
        return [each for each in self.containers if each.startswith(f"{project}/") or not project]

    def listed(self, kind: str, words: list[str]) -> str:
        project = words[words.index("--filter") + 1].rpartition("=")[2]
        every = self.networks if kind == "network" else self.volumes
        mine = sorted(each for each in every if each.startswith(f"{project}_"))
        if "--quiet" in words:
            return "\n".join(mine)
        origin = ORIGIN_LABEL in words[-1]
        rows = [(each, self.made.get(each, "") if origin else project) for each in mine]
        return "\n".join(map(json.dumps, rows))

    def where(self, name: str) -> str:
        workspace = name.partition("/")[0].removeprefix("jailoc-")
        return self.place or str(self.home / ".cache/jailoc" / workspace)

    def shown(self, name: str) -> dict[str, object]:
        project, _, service = name.partition("/")
        return {
            "Id": name, "Name": f"/{service}", "Image": self.containers[name], "Mounts": [],
            "Config": {"Image": self.containers[name], "Labels": {
                "com.docker.compose.project": project, "com.docker.compose.service": service,
                "com.docker.compose.project.working_dir": self.where(name)}},
            "State": {"Status": "exited", "ExitCode": 0, "StartedAt": ""},
            "NetworkSettings": {"Ports": {}, "Networks": {}}, "HostConfig": {},
        }  # fmt: skip

    def down(self, project: str) -> Reply:
        for each in self.mine(project):
            self.tick()
            del self.containers[each]
        for each in sorted(self.networks):
            if each.startswith(f"{project}_"):
                self.tick()
                self.networks.discard(each)
        return Reply(0)

    def add(self, name: str, image: str) -> None:
        """Make what an `up` leaves: on the engine, and on the disk."""
        wall = "jailoc-wall:" + "0" * 16
        self.containers |= {f"jailoc-{name}/firewall": wall, f"jailoc-{name}/opencode": image}
        self.networks.add(f"jailoc-{name}_jailoc")
        self.volumes |= {f"jailoc-{name}_{each}" for each in VOLUMES}
        self.images |= {wall, image, "somebody/else:1"}
        recipes: list[dict[str, object]] = [
            {"name": tag.split("-")[1].split(":")[0], "step": "embedded", "origin": "built-in",
             "tag": tag, "dockerfile": "", "bases": {}, "certificates": "", "context": None}
            for tag in (wall, image)
        ]  # fmt: skip
        folder = self.home / ".cache/jailoc" / name
        (folder / "images").mkdir(parents=True)
        (folder / "images/recipes.json").write_text(json.dumps({"builds": recipes}))
        state = self.home / ".local/share/jailoc" / name
        state.mkdir(parents=True)
        state.with_name(f"{name}.applied.json").write_text("{}")
        (state / "password").write_text("0" * 64)


AGENT = "jailoc-agent:" + "a" * 16
OTHER = "jailoc-agent:" + "b" * 16


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with world.home("removal") as user:
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DOCKER_CONTEXT",
                     "JAILOC_CONFIG"):  # fmt: skip
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(user.home))
        monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
        monkeypatch.setattr(keyring, "has", lambda _: False)  # the machine's is not ours to ask
        monkeypatch.setenv("CI", "1")
        monkeypatch.chdir(user.home)
        user.write(CONFIG)
        found = Engine(user.home)
        with door.answered(found):
            yield found
        if log.Journal.log is not None:
            log.Journal.log.close()
            log.Journal.log = None


def left(engine: Engine, name: str) -> set[str]:
    """Return everything that there still is of a workspace."""
    found = {*engine.containers, *engine.networks, *engine.volumes}
    mine = {each for each in found if each.startswith((f"jailoc-{name}/", f"jailoc-{name}_"))}
    cache, state = engine.home / ".cache/jailoc", engine.home / ".local/share/jailoc"
    return mine | {str(each) for each in (*cache.glob(f"{name}*"), *state.glob(f"{name}*"))}


def test_everything_goes_but_what_others_use(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.add("api", AGENT)
    engine.add("web", OTHER)
    assert main.run(["destroy", "api", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    jsonschema.validate(data, schema("destroy"))
    (row,) = data["workspaces"]
    assert row["containers"] == ["firewall", "opencode"]
    assert row["volumes"] == [{"name": each, "bytes": 2000} for each in VOLUMES]
    assert row["images"] == [{"name": AGENT, "bytes": 10**9}], "the wall is another's, too"
    assert (row["password"], row["network"]) == ("file", True)
    assert left(engine, "api"), "a list removes nothing"
    kept = left(engine, "web")
    assert main.run(["destroy", "api", "--yes"]) == 0
    assert left(engine, "api") == set()
    assert left(engine, "web") == kept
    assert engine.images == {"jailoc-wall:" + "0" * 16, OTHER, "somebody/else:1"}


def test_all_takes_what_left_the_configuration_and_the_images_that_they_shared(
    engine: Engine,
) -> None:
    for name in ("api", "web", "gone"):
        engine.add(name, AGENT)
    # The engine's labels tell of it.
    (engine.home / ".local/share/jailoc/gone.applied.json").unlink()
    assert main.run(["destroy", "--all", "--yes"]) == 0
    assert not any(left(engine, each) for each in ("api", "web", "gone"))
    assert engine.images == {"somebody/else:1"}
    assert not {*engine.containers, *engine.networks, *engine.volumes}


def test_an_engine_that_does_not_measure_its_cache_is_not_waited_for(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.add("api", AGENT)
    engine.cache = "slow"
    assert main.run(["destroy", "--all", "--yes"]) == 0
    assert "build cache of all builds (not measured); `docker" in capsys.readouterr().err


def test_all_takes_what_a_failed_start_has_left_and_names_what_stays(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    orphan, lost = "jailoc-wall:" + "e" * 16, "jailoc-wall:" + "f" * 16
    cache = engine.home / ".cache/jailoc"
    (cache / "images.bases").mkdir(parents=True)
    (cache / "images.bases/1").write_text("debian:trixie-slim sha256:1\n")
    for each in (orphan, lost, OTHER):
        provenance.note(each, "sha256:0")
    engine.add("api", AGENT)
    engine.containers["other/opencode"] = OTHER  # somebody runs it by hand
    engine.images |= {orphan, OTHER, "debian:trixie-slim", "jailoc-wall:" + "d" * 16}
    engine.cache = "1.2GB"
    assert main.run(["destroy", "--all", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    jsonschema.validate(data, schema("destroy"))
    assert data["images"] == [{"name": orphan, "bytes": 10**9}]
    assert main.run(["destroy", "--all", "--yes"]) == 0
    out, err = capsys.readouterr()
    assert "left by earlier builds, and used by nothing" in out
    assert orphan not in engine.images
    assert {OTHER, "debian:trixie-slim", "jailoc-wall:" + "d" * 16} <= engine.images, "not its own"
    assert "`docker image rm debian:trixie-slim` removes it" in err
    assert "build cache of all builds (1.2GB); `docker builder prune` removes" in err
    # What is left alone is known still; where only such is, there is nothing to do.
    assert provenance.known().keys() == {lost, OTHER}
    assert main.run(["destroy", "--all", "--yes"]) == 0
    assert capsys.readouterr().out.endswith("nothing to do\n")


def test_an_image_that_stays_is_named_with_what_removes_it_and_no_more(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    tools, old = "jailoc-tools:" + "0" * 16, [f"jailoc-wall:{each:016x}" for each in range(1, 7)]
    engine.add("web", OTHER)
    engine.add("api", AGENT)
    for each in (tools, old[0]):
        provenance.note(each, "sha256:0")
    engine.images |= {tools, *old}
    assert main.run(["destroy", "api", "--yes"]) == 0
    err = capsys.readouterr().err
    assert f"stays: image {tools} (953.7 MiB), with which snapshots, `undo` and tasks of every " \
        f"workspace work; `docker image rm {tools}` removes it, and" in err  # fmt: skip
    assert f"stays: 1 image of earlier builds, which nothing uses: {old[0]} (953.7 MiB); " \
        f"`docker image rm {old[0]}` removes it" in err  # fmt: skip
    assert "--all" not in err, "one image's end is not that of every sandbox"
    for each in old:
        provenance.note(each, "sha256:0")
    engine.add("api", AGENT)
    assert main.run(["destroy", "api", "--yes"]) == 0
    err = capsys.readouterr().err
    assert "stays: 6 images of earlier builds, which nothing uses: " in err
    assert f"{old[3]} (953.7 MiB) and 2 more; `docker image rm {' '.join(old[:4])}` removes " \
        "those named" in err  # fmt: skip
    assert main.run(["destroy", "--all", "--json"]) == 0
    capsys.readouterr()
    assert main.run(["destroy", "--all", "--yes"]) == 0
    out = capsys.readouterr().out
    assert f"{tools} (953.7 MiB), with which snapshots, `undo` and tasks" in out
    assert engine.images == {"somebody/else:1"}


def test_images_of_a_failed_start_go_where_no_workspace_was_ever_started(engine: Engine) -> None:
    orphan = "jailoc-wall:" + "e" * 16
    provenance.note(orphan, "sha256:0")
    engine.images.add(orphan)
    assert main.run(["destroy", "api", "--yes"]) == 0
    assert engine.images == {orphan}, "one workspace's end is not that of the others' images"
    assert main.run(["destroy", "--all", "--yes"]) == 0
    assert engine.images == set()
    assert not (engine.home / ".local/share/jailoc/images.built").exists()


def begun(engine: Engine, name: str) -> None:
    """Make what a first start leaves that was cut off while it built."""
    state, cache = engine.home / ".local/share/jailoc", engine.home / ".cache/jailoc"
    (state / name).mkdir(parents=True)
    (state / name / "password").write_text("0" * 64)
    (state / name / "lock").touch()
    (cache / f"{name}.build").mkdir(parents=True)
    (cache / f"{name}.lock").touch()


def test_what_a_start_left_that_was_cut_off_in_its_first_build_goes(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("api", "gone", "default"):
        begun(engine, name)
    (engine.home / ".cache/jailoc/left.build").mkdir()
    (engine.home / ".cache/jailoc/tools.build").mkdir()  # of no workspace
    assert main.run(["destroy", "default", "--yes"]) == 0
    assert left(engine, "default") == set()
    assert main.run(["destroy", "--all", "--yes"]) == 0
    out = capsys.readouterr().out
    for name in ("api", "gone"):
        assert f"~/.local/share/jailoc/{name}\n" in out
        assert left(engine, name) == set()
    assert "~/.cache/jailoc/left.build\n" in out
    assert left(engine, "left") == set()
    assert (engine.home / ".cache/jailoc/tools.build").exists()
    assert main.run(["destroy", "--all", "--yes"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main.run(["destroy", "gone", "--yes"]) == 1


def test_what_may_be_wanted_or_anothers_is_named_and_stays(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = engine.home / ".local/share/jailoc"
    for name in ("snaps", "volumes", "foreign", "another", "mine"):
        begun(engine, name)
    (state / "snaps/snapshots/snapshots").mkdir(parents=True)
    (state / "snaps/snapshots/snapshots/1").touch()
    engine.volumes.add("jailoc-volumes_dind-data")
    engine.place = "/home/bob/.cache/jailoc/foreign"
    engine.containers["jailoc-foreign/opencode"] = OTHER
    # What was begun by another configuration.
    (state / "another.begun.json").write_text('{"config": "/elsewhere.toml"}')
    precious = engine.home / "precious"
    precious.mkdir()
    for name in ("link", "No Name", "dot.ted"):
        (state / name).symlink_to(precious) if name == "link" else (state / name).mkdir()
    before = {each: left(engine, each) for each in ("snaps", "volumes", "foreign", "another")}
    assert main.run(["destroy", "--all", "--yes"]) == 0
    out, err = capsys.readouterr()
    for name, what in (("snaps", "1 snapshot"), ("volumes", "1 volume"),
                       ("foreign", "1 container that was made elsewhere")):  # fmt: skip
        assert f"stays: {name}, which this configuration does not have, with {what}; " \
            f"`jailoc destroy {name}` lists and removes it" in err  # fmt: skip
    assert {each: left(engine, each) for each in before} == before
    assert (state / "link").is_symlink()
    assert precious.is_dir()
    assert left(engine, "mine") == set(), "the control"
    assert "link" not in out
    assert "No Name" not in out
    assert "snaps" in remains.every()
    monkeypatch.setattr("os.geteuid", lambda: 4711)  # nothing there is that user's
    assert remains.every() == frozenset()


def test_volumes_that_another_user_has_made_meanwhile_are_nobody_elses(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.add("api", AGENT)
    engine.containers.clear()
    origin, mine = "/home/bob/.cache/jailoc/api", engine.home / ".cache/jailoc/api"
    engine.made = dict.fromkeys(engine.volumes, origin)
    for command in (["destroy", "api"], ["down", "api", "--volumes"]):
        assert main.run([*command, "--yes"] if command[0] == "destroy" else command) == 1
        err = capsys.readouterr().err
        assert "[foreign]" in err
        assert origin in err
    assert engine.volumes == {f"jailoc-api_{each}" for each in VOLUMES}
    # One's own, which lay elsewhere before.
    (mark,) = re.findall(r"`mkdir -p (.*)`", err)
    Path(mark).mkdir(parents=True)
    assert main.run(["destroy", "api", "--keep-volumes", "--yes"]) == 0
    assert engine.volumes
    assert main.run(["destroy", "api", "--yes"]) == 0
    assert engine.volumes == set()
    engine.add("api", AGENT)
    engine.made = dict.fromkeys(engine.volumes, str(mine))
    assert main.run(["destroy", "api", "--yes"]) == 0, "the control"


def test_volumes_can_be_kept_and_destroyed_later_by_name(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.add("api", AGENT)
    assert main.run(["destroy", "api", "--keep-volumes", "--yes"]) == 0
    assert left(engine, "api") == {f"jailoc-api_{each}" for each in VOLUMES}
    assert "its volumes stay" in capsys.readouterr().out
    (engine.home / ".config/jailoc/config.toml").write_text("[workspaces.web]\n")
    assert main.run(["destroy", "api", "--yes"]) == 0
    assert left(engine, "api") == set()
    assert main.run(["destroy", "api", "--yes"]) == 1
    assert "workspace `api` not found" in capsys.readouterr().err


def test_nobody_is_asked_in_a_pipe_and_nothing_goes(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.add("api", AGENT)
    before = left(engine, "api")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main.run(["destroy", "api"]) == 1
    assert "nobody has agreed" in capsys.readouterr().err
    assert left(engine, "api") == before


def test_down_with_volumes_takes_those_that_are_left_too(engine: Engine) -> None:
    engine.add("api", AGENT)
    assert main.run(["down", "api"]) == 0
    assert f"jailoc-api_{VOLUMES[0]}" in engine.volumes
    assert main.run(["down", "api", "--volumes"]) == 0
    assert engine.volumes == set()
    assert (engine.home / ".local/share/jailoc/api/password").exists()


@pytest.mark.parametrize(
    "words",
    [["destroy", "api", "--yes"], ["down", "api"], ["down", "api", "--volumes"], ["logs", "api"]],
    ids=" ".join,
)
def test_what_another_user_made_under_the_name_is_left_alone(
    engine: Engine, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    engine.add("api", AGENT)
    engine.place = "/home/bob/.cache/jailoc/api"
    before = left(engine, "api")
    assert main.run(words) == 1
    assert "are not yours: they were made from `/home/bob" in capsys.readouterr().err
    assert left(engine, "api") == before
    engine.place = ""
    if words[0] != "logs":
        assert main.run(words) == 0
        assert left(engine, "api") != before


def test_volumes_of_a_workspace_that_was_never_started_here_are_somebody_elses(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.volumes |= {f"jailoc-api_{each}" for each in VOLUMES}
    for words in (["destroy", "api", "--yes"], ["down", "api", "--volumes"]):
        assert main.run(words) == 1
        told = capsys.readouterr().err
        assert "this engine has volumes of a workspace `api`" in told
        assert len(left(engine, "api")) == len(VOLUMES)
    (own,) = re.findall(r"`mkdir -p (\S+)`", told)
    Path(own).mkdir(parents=True)
    assert main.run(["destroy", "api", "--yes"]) == 0
    assert left(engine, "api") == set()
    assert not Path(own).parent.exists()


def test_a_link_in_the_place_of_a_directory_goes_and_what_it_leads_to_stays(
    engine: Engine,
) -> None:
    precious = engine.home / "precious"
    precious.mkdir()
    (engine.home / ".cache/jailoc").mkdir(parents=True)
    (engine.home / ".cache/jailoc/api").symlink_to(precious)
    assert main.run(["destroy", "api", "--yes"]) == 0
    assert left(engine, "api") == set()
    assert precious.is_dir()


def test_a_kill_between_any_two_things_is_finished_by_the_next_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear = removal._clear

    def ticking(place: Path) -> None:
        engine.tick()
        clear(place)
        engine.tick()

    monkeypatch.setattr(removal, "_clear", ticking)
    (engine.home / ".config/jailoc/config.toml").write_text("[workspaces.web]\n")
    kills = 0
    while True:
        for each in ("containers", "networks", "volumes", "images"):
            getattr(engine, each).clear()
        engine.add("api", AGENT)
        engine.left = kills
        try:
            main.run(["destroy", "api", "--yes"])
        except Killed:
            killed = True
        else:
            killed = False
        engine.left = float("inf")
        if killed:
            assert existence.started("api") or left(engine, "api")
            assert main.run(["destroy", "api", "--yes"]) == 0
        assert left(engine, "api") == set()
        assert engine.images == {"somebody/else:1"}
        if not killed:
            break
        kills += 1
    assert kills > 10
