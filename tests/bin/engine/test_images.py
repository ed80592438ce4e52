"""What docker is told to build, and what is left when it has."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jailoc.bin.deploy import images, preflight, provenance
from jailoc.bin.engine import disk, door, stats
from jailoc.bin.engine import docker as engine
from jailoc.bin.engine import images as builder
from jailoc.bin.engine.docker import DockerError, Product
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.diagnostic import Refused
from jailoc.model.image import Build, ContextFile, Step
from tests.strategies import HOST, bundle_of, config_of

IMAGE = Build(
    name="overlay",
    step=Step.OVERLAY,
    origin="workspaces.a.dockerfile",
    source="/docker/Dockerfile",
    inserted=1,
    context=(ContextFile(path="Dockerfile", text="ARG BASE\nFROM ${BASE}\nRUN make\n"),),
    base="base:1",
    directory="/docker",
)

ASIDE = "jailoc-building:me-1"


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record what docker is called with; a faithful engine is in tests/engine."""
    for name in builder.PROXIES:
        for variable in (name, name.lower()):
            monkeypatch.delenv(variable, raising=False)
    calls: list[list[str]] = []
    monkeypatch.setattr(builder, "run", lambda arguments, **more: "sha256:1\tnull\n")
    monkeypatch.setattr(builder, "stream", lambda arguments, **more: calls.append(arguments))
    monkeypatch.setattr(disk, "remove_image", lambda _: None)
    monkeypatch.setattr(engine, "product", lambda: Product.DOCKER)
    return calls


@pytest.mark.parametrize(
    ("config", "variables"),
    [('{"Env": ["A=1", "B=x=y"]}', {"A": "1", "B": "x=y"}), ("{}", {}), ("null", {}), ("", {})],
)
def test_an_image_that_sets_no_variable_is_there_all_the_same(
    config: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def answer(words: list[str], **more: object) -> str:
        asked.append(words)
        return f"sha256:1\t{config}\n"

    monkeypatch.setattr(builder, "run", answer)
    assert builder.held(["a:1"]) == {"a:1": builder.HeldImage("sha256:1", variables)}
    # Clients from 28 on fail at a key that an image lacks, so none below `.Config` is named.
    assert [word for word in asked[0] if ".Config." in word] == []


def test_what_takes_the_tag_meanwhile_is_not_what_was_built(tmp_path: Path) -> None:
    tags: dict[str, str] = {}
    asked: list[tuple[str, ...]] = []
    from_: list[str] = []

    def answer(call: door.Call) -> door.Reply:
        *_, last = words = call.arguments
        if words[0] == "build":
            asked.append(words)
            from_.append(tags[f"{ASIDE}-below"])
            tags.update({words[words.index("--tag") + 1]: "sha256:2", IMAGE.tag: "sha256:666"})
        elif words[0] == "tag":
            tags[last] = words[-2]
        elif words[:2] == ("image", "rm"):
            del tags[last]
        elif words[:2] == ("image", "inspect"):
            return door.Reply(0, f"{tags[last]}\tnull\n".encode(), b"")
        return door.Reply(0, b"", b"")

    with door.answered(answer):
        made = builder.build(IMAGE, tmp_path / "a.build", lambda line: None, ASIDE, "sha256:1")
    assert made == "sha256:2"
    assert tags == {IMAGE.tag: "sha256:2"}
    # What it is built on, too, is called what nobody else knows.
    words = asked[-1]
    assert words[words.index(f"BASE={ASIDE}-below") - 1] == "--build-arg"
    assert from_[-1] == "sha256:1"


def test_what_a_killed_build_has_left_goes_and_what_another_user_builds_stays(
    docker: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ["me-0", "me-0-below", "other-0", "other-0-below"]
    listing = "".join(f'["jailoc-building","{each}"]\n' for each in there)
    removed: list[str] = []
    monkeypatch.setattr(
        builder, "run", lambda words, **_: listing if "ls" in words else "sha256:1\tnull\n"
    )
    monkeypatch.setattr(disk, "remove_image", removed.append)
    builder.build(IMAGE, tmp_path / "a.build", lambda line: None, ASIDE)
    assert removed == ["jailoc-building:me-0", "jailoc-building:me-0-below", ASIDE]
    assert docker


def test_what_the_engine_does_not_have_after_all_is_no_image(
    docker: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A builder may keep it to itself; what lies under the tag is somebody else's then."""
    monkeypatch.setattr(builder, "run", lambda arguments, **more: "")
    with pytest.raises(Refused, match="was built, and the engine does not have it"):
        builder.build(IMAGE, tmp_path / "a.build", lambda line: None, ASIDE)
    assert docker


@pytest.mark.parametrize(
    ("components", "wanted"), [("Engine\ncontainerd\n", "1"), ("Podman Engine\nConmon\n", "0")]
)
def test_podman_is_not_asked_for_a_buildkit_that_it_does_not_have(
    components: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    made: list[door.Call] = []

    def answer(call: door.Call) -> door.Reply:
        made.append(call)
        said = components if "version" in call.arguments else "sha256:1\tnull\n"
        return door.Reply(0, said.encode(), b"")

    with door.answered(answer):
        builder.build(IMAGE, tmp_path / "a.build", lambda line: None, ASIDE)
    (building,) = (each for each in made if each.arguments[0] == "build")
    assert building.environment["DOCKER_BUILDKIT"] == wanted


def test_proxy_variables_are_handed_on_by_name_each_by_itself(
    docker: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://alice:s3cret@proxy.example.com:3128")
    monkeypatch.setenv("no_proxy", "")
    builder.build(IMAGE, tmp_path / "a.build", lambda line: None, ASIDE)
    words = docker[0]
    given = [words[place + 1] for place, word in enumerate(words) if word == "--build-arg"]
    assert given == ["HTTPS_PROXY", "no_proxy", "BASE=base:1"]
    assert not [word for word in words if "s3cret" in word]


def test_the_dockerfile_stays_out_of_the_users_directory_and_is_removed(
    docker: list[list[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "a.build"
    folder.mkdir()
    (folder / "left by a kill").touch()
    builder.build(IMAGE, folder, lambda line: None, ASIDE)
    words = docker[0]
    assert words[-2:] == ["--", "/docker"]
    assert words[words.index("--file") + 1] == str(folder / "Dockerfile")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        (["#5 [2/2] RUN make", "#5 0.1 no rule", "#5 ERROR: exit code: 2"],
         "/docker/Dockerfile:2:1: ", "`RUN make` failed: exit code 2"),
        (["#1 [internal] load metadata for docker.io/library/base:1", "#1 ERROR: denied"],
         "/docker/Dockerfile:1:1: ", "denied"),
        (["ERROR: failed to solve: dockerfile parse error line 3: unknown instruction: MAKE"],
         "/docker/Dockerfile:2:1: ", "cannot be built: unknown instruction: MAKE"),
        (["ERROR: failed to solve: the engine has gone"],
         "/docker/Dockerfile: ", "cannot be built: the engine has gone"),
        (["#5 [2/2] RUN make", "#5 0.1 SSL certificate problem", "#5 ERROR: exit code: 1"],
         "/docker/Dockerfile:2:1: ", "write `ca_certificates = ["),
    ],
)  # fmt: skip
def test_a_failure_is_shown_where_its_author_finds_it(
    docker: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lines: list[str],
    place: str,
    words: str,
) -> None:
    """Lines count as in the user's file, without the one that jailoc has put in."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def fail(arguments: list[str], *, line: Callable[[str], None], **more: object) -> None:
        for each in lines:
            line(each)
        raise DockerError("building", arguments, 1, "\n".join(lines))

    monkeypatch.setattr(builder, "stream", fail)
    with pytest.raises(Refused) as caught:
        images.ensure_one(Terminal(color=False), IMAGE, tmp_path / "a.build", None)
    Terminal(color=False).diagnose(caught.value.diagnostics)
    said = capsys.readouterr().err
    assert f"Error: {place}workspaces.a.dockerfile: image jailoc-overlay:" in said
    assert words in said
    assert not (tmp_path / "a.build").exists()


@pytest.mark.parametrize(
    ("product", "security", "refused"),
    [
        (Product.DOCKER, ("name=seccomp,profile=builtin",), False),
        (Product.DOCKER, ("name=seccomp,profile=builtin", "name=rootless"), True),
        (Product.PODMAN, (), True),
    ],
)
def test_a_sidecar_that_the_engine_cannot_run_is_refused_before_anything_is_made(
    product: Product, security: tuple[str, ...], refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = stats.About("Debian", "6.1", "box", "/var/lib/docker", security)
    monkeypatch.setattr(preflight, "product", lambda: product)
    monkeypatch.setattr(stats, "about", lambda: about)
    preflight.engine(bundle_of("[workspaces.a]\nenable_docker = false", "a"))
    bundle = bundle_of("[workspaces.a]\nenable_docker = true", "a")
    if not refused:
        preflight.engine(bundle)
        return
    with pytest.raises(Refused) as raised:
        preflight.engine(bundle)
    (told,) = raised.value.diagnostics
    assert "enable_docker = false" in (told.hint or "")


@pytest.mark.parametrize(
    ("found", "words"),
    [(None, ""), (16 << 30, ""), ((16 << 30) - 1, "more than the 16.0 GiB"), (1 << 30, "1.0 GiB")],
)
def test_a_limit_that_limits_nothing_is_told(
    found: int | None,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    about = stats.About("Debian", "6.1", "box", "/var/lib/docker", (), found)
    monkeypatch.setattr(stats, "about", lambda: about)
    preflight.limits(
        Terminal(), bundle_of('[workspaces.a]\nenable_docker = false\nmemory = "16g"', "a")
    )
    told = capsys.readouterr().err
    assert ("`16g` of memory for opencode" in told) is bool(words)
    assert words in told


@pytest.mark.parametrize(
    ("profiles", "status", "told"), [(True, 0, False), (False, 0, True), (False, 1, False)]
)
def test_an_agent_that_can_make_namespaces_is_told_of(
    profiles: bool,
    status: int,
    told: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calls: list[list[str]] = []

    def run(arguments: list[str], **more: object) -> str:
        calls.append(arguments)
        if status:
            raise DockerError("trying", arguments, status, "unshare: Operation not permitted")
        return ""

    monkeypatch.setattr(builder, "run", run)
    monkeypatch.setattr(provenance, "exact", lambda image: image)
    host = HOST.model_copy(update={"profiles": profiles})
    bundle = compile_workspace(config_of("[workspaces.a]\nenable_docker = false"), "a", host)
    preflight.namespaces(Terminal(), bundle)
    said = capsys.readouterr().err
    assert bool(calls) is not profiles
    assert ("lets the agent make a mount namespace" in said) is told
    assert (f"{bundle.directory}/seccomp.json /etc/containers/seccomp.json" in said) is told


def test_nothing_is_believed_where_nobody_could_try_to_make_namespaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(arguments: list[str], **more: object) -> str:
        raise DockerError("trying", arguments, 125, "no such image")

    monkeypatch.setattr(builder, "run", run)
    with pytest.raises(DockerError):
        builder.makes_namespaces("wall:1", "1000:1000")


def test_an_engine_that_remaps_users_is_refused_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    about = stats.About("Debian", "6.1", "box", "/var/lib/docker/1.1", ("name=userns,x=y",))
    monkeypatch.setattr(stats, "about", lambda: about)
    with pytest.raises(Refused, match="userns-remap"):
        preflight.engine(bundle_of("[workspaces.a]\nenable_docker = false", "a"))
