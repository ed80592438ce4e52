"""Every way to an image: built, started until it is healthy, and refused where it cannot be."""

import contextlib
import functools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from tests.engine import world
from tests.engine.world import Result, User

pytestmark = pytest.mark.engine

NAME = "cascade"
GIVEN = "jailoc-test/agent:given"
"""An image of this machine alone: no registry has it."""

GIVEN_DOCKERFILE = """\
FROM {embedded}
LABEL run={run}
RUN echo given >/home/agent/way
# What an image may say, and what does no harm.
USER nobody
ENTRYPOINT ["/bin/false"]
CMD ["/bin/false"]
HEALTHCHECK CMD /bin/false
VOLUME /home/agent/.cache /data
WORKDIR /nonexistent
STOPSIGNAL SIGUSR1
"""
OVERLAY = """\
# plain
FROM ${{BASE}}
USER root
COPY way-of-overlay /home/agent/
LABEL run={run}
USER nobody
"""
FLOATING = "127.0.0.1:1/jailoc-test/floating:1"
BASE = f"""\
FROM {FLOATING}
USER root
RUN echo base >/home/agent/way
LABEL run={{run}}
"""
BY_PATH = f'[base]\ndockerfile = "~/docker/base"\n[workspaces.{NAME}]\n'


@dataclass
class Place:
    """A user with Dockerfiles, and the image that all of theirs are built on."""

    user: User
    port: int
    embedded: str = ""
    run: str = field(default_factory=lambda: uuid4().hex)

    @property
    def docker(self) -> Path:
        return self.user.home / "docker"

    def up(self, text: str, *flags: str, **environment: str) -> Result:
        head = "[defaults]\nexpose_port = false\nenable_docker = false\n"
        self.user.write(text.replace("[defaults]\n", head) if "[defaults]" in text else head + text)
        return self.user.run("up", NAME, *flags, **environment)

    def started(self, text: str, *flags: str) -> str:
        """Start the workspace; return the image that the healthy agent runs."""
        result = self.up(text, *flags)
        assert result.status == 0, result.stderr[-4000:]
        health, image = world.call(
            "docker", "inspect", "--format", "{{.State.Health.Status}} {{.Config.Image}}",
            f"jailoc-{NAME}-opencode-1",
        ).split()  # fmt: skip
        assert health == "healthy"
        return image

    def inside(self, *command: str) -> str:
        return world.call("docker", "exec", "--user", "1000:1000", f"jailoc-{NAME}-opencode-1",
                          *command)  # fmt: skip


class Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
        pass


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as user:
        docker = user.home / "docker"
        docker.mkdir()
        server = ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Files, directory=str(docker))
        )
        with server as door:
            threading.Thread(target=door.serve_forever, daemon=True).start()
            found = Place(user, door.server_port)
            found.embedded = found.started(f"{world.certificates()}[workspaces.{NAME}]\n")
            words = {"embedded": found.embedded, "run": found.run}
            (docker / "given").write_text(GIVEN_DOCKERFILE.format(**words))
            (docker / "base").write_text(BASE.format(**words))
            context = docker / "context"
            context.mkdir()
            (context / "Dockerfile").write_text(OVERLAY.format(run=found.run))
            (context / "way-of-overlay").write_text("overlay")
            build(GIVEN, docker / "given")
            world.call("docker", "tag", found.embedded, FLOATING)
            try:
                yield found
            finally:
                door.shutdown()
                world.remove(f"jailoc-{NAME}")
                label = f"label=run={found.run}"
                mine = world.call("docker", "image", "ls", "--quiet", "--filter", label).split()
                world.call("docker", "image", "rm", "--force", FLOATING, *mine, check=False)


def build(tag: str, dockerfile: Path) -> None:
    world.call("docker", "build", "--quiet", "--tag", tag, "--file", str(dockerfile),
               str(dockerfile.parent))  # fmt: skip


def test_without_any_word_the_embedded_image_is_built(place: Place) -> None:
    assert place.embedded.startswith("jailoc-agent:")


def test_an_image_of_the_workspace_is_used_as_it_is_whatever_it_says(place: Place) -> None:
    text = f'[workspaces.{NAME}]\nimage = "{GIVEN}"\n[base]\ndockerfile = "~/docker/base"\n'
    assert place.started(text) == GIVEN
    assert place.inside("cat", "/home/agent/way") == "given\n"
    assert place.inside("id", "--user") == "1000\n"
    again = place.up(text)
    assert again.status == 0
    assert "looking into image" not in again.stderr, "one look is enough"


def test_an_image_of_the_defaults_is_used_as_it_is(place: Place) -> None:
    text = f'[defaults]\nimage = "{GIVEN}"\n[workspaces.{NAME}]\n'
    assert place.started('[base]\ndockerfile = "~/docker/base"\n' + text) == GIVEN


def test_an_overlay_is_laid_over_the_image_of_the_defaults(place: Place) -> None:
    text = (
        f'[defaults]\nimage = "{GIVEN}"\n[workspaces.{NAME}]\n'
        'dockerfile = "~/docker/context/Dockerfile"\n'
    )
    image = place.started(text)
    assert image.startswith("jailoc-overlay:")
    assert place.inside("cat", "/home/agent/way", "/home/agent/way-of-overlay") == "given\noverlay"
    assert place.started(text) == image


def test_a_base_by_path_replaces_the_embedded_image(place: Place) -> None:
    image = place.started(BY_PATH)
    assert image.startswith("jailoc-base:")
    assert place.inside("cat", "/home/agent/way") == "base\n"


def test_a_floating_base_is_what_it_was_until_it_is_pulled(place: Place) -> None:
    """No registry has it, which is said; what the engine has under its name is what counts."""
    image = place.started(BY_PATH)
    moved = place.docker / "moved"
    moved.write_text(f"FROM {place.embedded}\nLABEL run={place.run} moved=1\n")
    build(FLOATING, moved)
    assert place.started(BY_PATH) == image
    result = place.up(BY_PATH, "--pull")
    assert result.status == 0, result.stderr[-4000:]
    assert f"cannot pull {FLOATING} (" in result.stderr
    assert "going on with the image that the engine has" in result.stderr
    assert f"{FLOATING} is another image now: " in result.stderr
    assert "building image jailoc-base:" in result.stderr
    assert "because the image below it has changed" in result.stderr
    assert place.started(BY_PATH) != image


def test_a_base_by_url_with_an_overlay_by_url_on_top(place: Place) -> None:
    url = f"http://127.0.0.1:{place.port}"
    (place.docker / "remote").write_text(f"FROM ${{BASE}}\nLABEL remote={place.run}\n")
    text = (
        f'trust = ["{url}/base", "{url}/remote"]\n[base]\ndockerfile = "{url}/base"\n'
        f'[workspaces.{NAME}]\ndockerfile = "{url}/remote"\n'
    )
    place.user.write(f"{text}expose_port = false\nenable_docker = false\n")
    result = place.user.run("up", NAME)
    assert result.status == 0, result.stderr[-4000:]
    assert place.inside("cat", "/home/agent/way") == "base\n"
    (place.docker / "remote").write_text("FROM ${BASE}\nLABEL remote=2\n")
    result = place.user.run("up", NAME)
    assert result.status == 0, result.stderr[-4000:]
    assert f"{url}/remote has changed: its digest was " in result.stderr
    assert "building image jailoc-overlay" in result.stderr
    assert ", because the Dockerfile has changed" in result.stderr


def test_an_overlay_is_laid_over_the_embedded_image_from_a_context_that_is_only_read(
    place: Place,
) -> None:
    """The context is mounted read-only; what `.dockerignore` names stays at home."""
    context, readable = place.docker / "large", place.user.home / "read-only"
    (context / "sub").mkdir(parents=True)
    readable.mkdir()
    (context / "Dockerfile").write_text(f"FROM ${{BASE}}\nLABEL run={place.run}\nCOPY . /context\n")
    (context / ".dockerignore").write_text("secret\nsub/*.log\n")
    for name in ("kept", "secret", "sub/a.log", "sub/b"):
        (context / name).write_text(name)
    before = tree(context)
    world.call("mount", "--bind", str(context), str(readable))
    try:
        world.call("mount", "-o", "remount,bind,ro", str(readable))
        with pytest.raises(OSError, match="Read-only"):
            (readable / "x").touch()
        text = (
            world.certificates() + f'[workspaces.{NAME}]\ndockerfile = "~/read-only/Dockerfile"\n'
        )
        result = place.up(text)
        assert result.status == 0, result.stderr[-4000:]
        assert f"sending the context {readable}" in result.stderr
        found = place.inside("find", "/context", "-type", "f").split()
        assert set(found) == {
            "/context/.dockerignore", "/context/Dockerfile", "/context/kept", "/context/sub/b",
        }  # fmt: skip
    finally:
        world.call("umount", str(readable))
    assert tree(context) == before


def tree(folder: Path) -> dict[str, int]:
    return {str(each.relative_to(folder)): each.stat().st_mtime_ns for each in folder.rglob("*")}


UNSUITABLE = {
    "nobody": (
        "FROM {embedded}\nUSER root\nRUN userdel agent && rm /usr/bin/curl /bin/sed && "
        "rm -f $(command -v opencode) && chown root:root /home/agent/.cache && rmdir "
        "/home/agent/.local/state\n",
        ["has no user with UID 1000",
         "lacks directories that UID 1000 can write: /home/agent/.local/state, /home/agent/.cache",
         "lacks curl, sed", "has no `opencode` on its PATH"],
    ),
    "elsewhere": (
        "FROM {embedded}\nUSER root\nRUN sed -i s,/home/agent:,/home/other:, /etc/passwd && "
        "ln -sf /bin/false $(command -v opencode)\n",
        ["whose home is `/home/other`", "has an `opencode` that does not start"],
    ),
    "no-shell": (
        "FROM scratch\nCOPY --from={embedded} /etc/hostname /etc/hostname\n",
        ["has no /bin/sh that UID 1000 can start"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSUITABLE)
def test_an_image_that_cannot_run_the_agent_is_refused_with_all_that_it_lacks(
    place: Place, name: str
) -> None:
    dockerfile, wanted = UNSUITABLE[name]
    (place.docker / name).write_text(dockerfile.format(embedded=place.embedded))
    tag = f"jailoc-test/agent:{name}"
    build(tag, place.docker / name)
    result = place.up(f'[workspaces.{NAME}]\nimage = "{tag}"\n')
    assert result.status == 1
    for words in wanted:
        assert words in result.stderr
    assert result.stderr.count("Error: ") == len(wanted)
    assert f"workspaces.{NAME}.image" in result.stderr
    assert "starting" not in result.stderr


def test_an_image_that_nobody_has_is_refused_by_name(place: Place) -> None:
    result = place.up(f'[workspaces.{NAME}]\nimage = "127.0.0.1:1/none:1"\n')
    assert result.status == 1
    assert "image `127.0.0.1:1/none:1` cannot be pulled" in result.stderr
    assert "connection refused" in result.stderr
    (place.docker / "unknown").write_text("# comment\nFROM 127.0.0.1:1/none:2\n")
    result = place.up(f'[base]\ndockerfile = "~/docker/unknown"\n[workspaces.{NAME}]\n')
    assert result.status == 1
    assert f"{place.docker}/unknown:2:1: " in result.stderr
    assert "image `127.0.0.1:1/none:2`, on which `base` is built, cannot be pulled" in result.stderr


def test_a_broken_edit_names_its_line_once_and_starts_nothing(place: Place) -> None:
    """Also not the image that ran before."""
    dockerfile = place.docker / "context/Dockerfile"
    text = f'[defaults]\nimage = "{GIVEN}"\n[workspaces.{NAME}]\ndockerfile = "{dockerfile}"\n'
    good = dockerfile.read_text()
    place.started(text)
    place.user.ok("down", NAME)
    try:
        dockerfile.write_text(good + "RUN echo before; \\\n    echo cannot-be-found >&2; exit 7\n")
        result = place.up(text)
        assert result.status == 1
        assert (
            f"{dockerfile}:7:1: workspaces.{NAME}.dockerfile: image jailoc-overlay:"
            in result.stderr
        )
        assert "failed: exit code 7" in result.stderr
        assert result.stderr.count("\n  cannot-be-found\n") == 1
        assert result.stderr.count("Error: ") == 1
        assert "starting" not in result.stderr
        dockerfile.write_text("# first\nFROM ${BASE}\nRUNN x\n")
        result = place.up(text)
        assert f"{dockerfile}:3:1: " in result.stderr
        assert "3 | RUNN x" in result.stderr
        label = f"label=com.docker.compose.project=jailoc-{NAME}"
        assert world.call("docker", "ps", "--all", "--quiet", "--filter", label) == ""
    finally:
        dockerfile.write_text(good)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_an_interrupted_build_leaves_nothing_behind(
    place: Place, number: signal.Signals, tmp_path: Path
) -> None:
    """After a kill: nothing once jailoc has built again."""
    context = place.docker / "slow"
    context.mkdir(exist_ok=True)
    dockerfile = context / "Dockerfile"
    step = f"sleep 300.{uuid4().int % 10**9:09}"
    dockerfile.write_text(f"FROM ${{BASE}}\nRUN {step}\n")
    text = (
        f'[defaults]\nimage = "{GIVEN}"\nexpose_port = false\nenable_docker = false\n'
        f'[workspaces.{NAME}]\ndockerfile = "~/docker/slow/Dockerfile"\n'
    )
    place.user.write(text)
    before = tree(context)
    with place.user.start("up", NAME, prefix=("env", f"TMPDIR={tmp_path}")) as running:
        wait(lambda: step in world.call("ps", "-eo", "args"))
        below = descendants(running.pid)
        running.send_signal(number)
        assert running.wait(30) != 0
    if number is signal.SIGKILL:
        for each in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)
    wait(lambda: step not in world.call("ps", "-eo", "args"))
    if number is signal.SIGKILL:
        dockerfile.write_text("FROM ${BASE}\nRUN exit 1\n")
        before = tree(context)
        assert "exit code 1" in place.user.run("up", NAME, TMPDIR=str(tmp_path)).stderr
    assert tree(context) == before
    assert list(tmp_path.iterdir()) == []
    assert not [each for each in place.user.files() if each.endswith(f"{NAME}.build")]


def descendants(process: int) -> list[int]:
    """Return what a process has started, and what that has."""
    children = [
        int(each)
        for path in Path(f"/proc/{process}/task").glob("*/children")
        for each in path.read_text().split()
    ]
    return [*children, *(each for child in children for each in descendants(child))]


def wait(condition: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(300):
        if condition():
            return
        done.wait(0.1)
    raise AssertionError("it did not happen")
