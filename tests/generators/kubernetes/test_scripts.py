"""What runs in a pod beside the wall: the gate without one, and what clones."""

import subprocess
from pathlib import Path

import pytest

from jailoc.generators.assets import asset
from tests.generators.kubernetes.cluster import compiled
from tests.generators.test_second_agent import answering

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b.test")


def git(place: Path, *words: str) -> str:
    done = subprocess.run(
        [*GIT, "-C", str(place), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    place = tmp_path / "origin"
    place.mkdir()
    git(place, "init", "-q", "-b", "main")
    for number in ("one", "two"):
        (place / "file").write_text(number)
        git(place, "add", "file")
        git(place, "commit", "-qm", number)
    git(place, "tag", "v1", "HEAD~1")
    return place


def clone(origin: Path, ref: str, place: Path) -> "subprocess.CompletedProcess[str]":
    # A directory stands for the server: the script itself takes nothing but https.
    script = asset("clone_source.sh").replace("GIT_ALLOW_PROTOCOL=https", "GIT_ALLOW_PROTOCOL=file")
    return subprocess.run(
        ["/bin/sh", "-c", script, "clone.sh", f"file://{origin}", ref, str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ref", "text", "branch"), [("main", "two", "main"), ("HEAD", "two", "main"), ("v1", "one", "")]
)
def test_a_source_is_cloned_into_an_empty_volume(
    origin: Path, tmp_path: Path, ref: str, text: str, branch: str
) -> None:
    place = tmp_path / "volume"
    (place / "lost+found").mkdir(parents=True)
    done = clone(origin, ref, place)
    assert done.returncode == 0, done.stderr
    assert (place / "file").read_text() == text
    assert git(place, "branch", "--show-current") == branch
    assert git(place, "status", "--porcelain") == ""
    assert git(place, "remote", "get-url", "origin") == f"file://{origin}"
    assert {each.name for each in place.iterdir()} == {".git", "file", "lost+found"}


def test_a_volume_that_holds_anything_is_left_alone(origin: Path, tmp_path: Path) -> None:
    place = tmp_path / "volume"
    place.mkdir()
    (place / "mine").write_text("x")
    assert clone(origin, "main", place).returncode == 0
    assert [each.name for each in place.iterdir()] == ["mine"]


def test_what_was_interrupted_is_begun_again(origin: Path, tmp_path: Path) -> None:
    place = tmp_path / "volume"
    (place / ".jailoc-clone/tree/.git").mkdir(parents=True)
    (place / "file").write_text("half")
    assert clone(origin, "main", place).returncode == 0
    assert (place / "file").read_text() == "two"
    assert not (place / ".jailoc-clone").exists()


def test_a_source_that_cannot_be_had_ends_the_clone(origin: Path, tmp_path: Path) -> None:
    place = tmp_path / "volume"
    place.mkdir()
    assert clone(origin, "nothing", place).returncode != 0
    assert clone(origin / "nowhere", "main", place).returncode != 0
    assert not (place / ".git").exists()


def test_only_https_is_cloned_from(origin: Path, tmp_path: Path) -> None:
    place = tmp_path / "volume"
    place.mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", asset("clone_source.sh"), "clone.sh", f"file://{origin}", "main",
         str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "transport 'file' not allowed" in done.stderr


def test_without_a_wall_the_gate_starts_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    done = subprocess.run(
        ["/bin/sh", "-c", asset("gate.sh"), "gate.sh", "touch", str(mark)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the wall has not closed this network" in done.stderr
    assert not mark.exists()


@pytest.mark.parametrize("tool", ["curl: 7", "bash: 1"])
def test_without_rules_the_gate_starts_nothing_whichever_tool_an_image_has(
    tmp_path: Path, tool: str
) -> None:
    """The file that says which network is closed is right; that of the sidecar has no curl."""
    mark, gate = tmp_path / "ran", tmp_path / "gate"
    text = asset("gate.sh").replace("/run/wall/gate", str(gate))
    if tool.startswith("bash"):
        text = text.replace("/usr/bin/curl", "/none").replace("/bin/curl", "/none")
    with gate.open("w") as told:
        script = "readlink /proc/self/ns/net; cat /proc/sys/kernel/random/boot_id"
        subprocess.run(["/bin/sh", "-c", script], stdout=told, check=True)
    done = subprocess.run(
        ["/bin/sh", "-c", text, "gate.sh", "touch", str(mark)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"the wall's rules are not in force ({tool})" in done.stderr
    assert not mark.exists()


def test_a_probe_of_an_agent_that_has_run_for_long_is_over_within_its_time(tmp_path: Path) -> None:
    """Its first process is as old as this machine's here; the kubelet waits for one look alone."""
    bundle = compiled("[workspaces.api]")
    (agent,) = bundle.sandbox.spec.template.spec.containers
    assert agent.readiness_probe is not None
    (tmp_path / "password").write_text("x")
    with answering(200, b'{"healthy":true,"version":"1.2.3"}') as port:
        question = (
            bundle.maps[1].data["health.sh"]
            .replace("/run/secrets/.server-password", f"{tmp_path}/password")
            .replace(":4096/global/health", f":{port}/well")
        )  # fmt: skip
        done = subprocess.run(
            ["/bin/sh", "-c", question], check=False, timeout=agent.readiness_probe.timeout_seconds
        )
    assert done.returncode == 0
