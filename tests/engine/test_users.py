"""Whoever runs jailoc: the agent is the owner of the files that it works on, and never root."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.engine import world
from tests.engine.identity import Identity
from tests.engine.world import Result, User

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("hosts")]
NAME = "users"
AGENT, WALL = f"jailoc-{NAME}-opencode-1", f"jailoc-{NAME}-firewall-1"
OTHER = 1234
CONFIG = f"""
{world.certificates()}
[defaults]
expose_port = false
enable_docker = false
[defaults.secrets.file]
key.from_env = "KEY"
[workspaces.{NAME}]
paths = ["~/project"]
"""


@dataclass(frozen=True)
class Person(User):
    """Somebody with numbers of their own, whom the engine's socket lets in by its group."""

    identity: Identity = field(default_factory=Identity)

    def do(self, script: str) -> None:
        """Run a shell script as them."""
        words = self.identity.words()
        subprocess.run([*words, "/bin/sh", "-ec", script], cwd=self.home, check=True)

    def run(self, *arguments: str, **environment: str) -> Result:
        """Run jailoc as them."""
        words, path = self.identity.jailoc()
        kept = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST") if key in os.environ}
        kept |= {"HOME": str(self.home), "PYTHONPATH": path, "KEY": "k3y"}
        done = subprocess.run(
            [*words, *arguments], env=kept | environment, cwd=self.home, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)


@contextmanager
def person(uid: int, umask: str = "022", groups: tuple[int, ...] = ()) -> Iterator[Person]:
    """Give somebody a home with a project and a configuration."""
    world.remove(f"jailoc-{NAME}")
    with world.home(NAME) as user:
        found = Person(user.home, Identity(uid, umask, groups))
        os.chown(user.home, uid, uid)
        found.do("mkdir project; git -C project init --quiet; echo 1 >project/a")
        assert found.run("init").status == 0
        assert found.config.stat().st_uid == uid
        found.write(CONFIG)
        try:
            yield found
        finally:
            world.remove(f"jailoc-{NAME}")


def inside(script: str, container: str = AGENT, *, user: str | None = None) -> str:
    """Run a shell script in a container as its own user."""
    return world.call("docker", "exec", *(("--user", user) if user else ()), container,
                      "/bin/sh", "-ec", script)  # fmt: skip


def works(person: Person, uid: int) -> None:
    """Look at a sandbox that is up: who the agent is, and what it may do."""
    project = person.home / "project"
    assert inside("id -u; id -g; echo $HOME") == f"{uid}\n{uid}\n/home/agent\n"
    inside(f"""
        cd {project}
        echo 2 >b; mkdir c; cat a
        git status --porcelain >/dev/null
        git config --global user.name a; git config --global user.email a@b
        git add a; git commit --quiet -m one
        for place in . .cache .config .local/state .local/share/opencode; do
            echo >"$HOME/$place/written"
        done
    """)  # fmt: skip
    for each in ("b", "c", ".git/objects", ".git/refs/heads"):
        found = (project / each).stat()
        assert (found.st_uid, found.st_gid) == (uid, uid), each
    assert inside("cat /run/secrets/key") == "k3y"
    # Nobody else of the sandbox reads them: the control is the agent above.
    with pytest.raises(AssertionError, match="denied"):
        inside("cat /run/secrets/key", WALL, user="65533:65533")


def everything(person: Person, uid: int) -> None:
    """Go through the life of a sandbox."""
    assert person.run("validate").stderr == ""
    up = person.run("up", NAME)
    assert up.status == 0, up.stderr[-6000:]
    works(person, uid)
    plan = person.run("plan", NAME, "--detailed-exitcode")
    assert plan.status == 0, plan.stdout + plan.stderr
    verified = json.loads(person.run("verify", NAME, "--json").stdout)
    wrong = [each for each in verified["checks"] if not each["ok"]]
    assert wrong == []
    down = person.run("down", NAME)
    assert down.status == 0, down.stderr
    person.do("rm project/b && rmdir project/c && rm -rf project")


@pytest.mark.thorough
def test_a_user_of_any_number_who_shares_nothing_has_an_agent_of_that_number() -> None:
    with person(OTHER, "077") as found:
        everything(found, OTHER)
        modes = {
            each.relative_to(found.home): each.stat().st_mode & 0o077
            for each in (found.home / ".cache", found.home / ".local/share/jailoc")
        }
        assert not any(modes.values()), "nobody else may come near the generated files"


@pytest.mark.thorough
@pytest.mark.parametrize("umask", ["022", "077"])
def test_user_1000_has_an_agent_of_that_number(umask: str) -> None:
    with person(1000, umask) as found:
        everything(found, 1000)


@pytest.mark.thorough
def test_the_agent_of_root_is_not_root_and_that_is_said_before_it_starts() -> None:
    with person(0) as found:
        told = found.run("validate").stderr
        assert ":10: workspaces.users.paths[0]: the agent cannot write" in told
        up = found.run("up", NAME)
        assert up.status == 0, up.stderr
        assert up.stderr.index("cannot write") < up.stderr.index("starting")
        project = found.home / "project"
        assert inside(f"id -u; cat {project}/a") == "1000\n1\n"
        with pytest.raises(AssertionError, match="denied"):
            inside(f"echo >{project}/b")
        os.chown(project, OTHER, OTHER)
        (project / ".git").rename(found.home / "git")
        up = found.run("up", NAME)
        assert up.status == 0, up.stderr
        assert "works as 1234:1234 now, not as 1000:1000" in up.stderr
        assert inside(f"id -u; echo >{project}/b") == f"{OTHER}\n"
        assert (project / "b").stat().st_uid == OTHER


@pytest.mark.thorough
def test_the_agent_of_who_calls_sudo_is_theirs() -> None:
    with person(0) as found:
        up = found.run("up", NAME, SUDO_UID=str(OTHER), SUDO_GID=str(OTHER))
        assert "cannot write" in up.stderr, "the project is root's all the same"
        assert up.status == 0, up.stderr
        assert inside("id -u") == f"{OTHER}\n"


@pytest.mark.thorough
def test_what_an_agent_kept_goes_with_it_when_it_becomes_another_user() -> None:
    with person(0) as root:
        project = root.home / "project"
        project.chmod(0o777)
        assert root.run("up", NAME).status == 0
        inside("""cd ~/.local/share/opencode
            mkdir -p deep/private; echo kept >deep/private/file; chmod 400 deep/private/file
            chmod 500 deep/private; chmod 700 deep; ln -s /etc/passwd link""")
        world.call("chown", "-R", f"{OTHER}:{OTHER}", str(root.home))
        other = Person(root.home, Identity(OTHER, "077"))
        plan = other.run("plan", NAME)
        assert "the agent works as 1234:1234 now, not as 1000:1000" in plan.stdout
        up = other.run("up", NAME)
        assert up.status == 0, up.stderr
        found = inside("""cd ~/.local/share/opencode
            cat deep/private/file; stat -c '%u:%g %a' . deep deep/private deep/private/file
            stat -c %u:%g link""")
        assert found == "kept\n1234:1234 755\n1234:1234 700\n1234:1234 500\n1234:1234 400\n" \
                        "1234:1234\n"  # fmt: skip
        assert "giving opencode-data-users of user 1000:1000 to user 1234:1234" in world.logs(WALL)


@pytest.mark.thorough
def test_a_project_of_a_group_is_written_by_the_agent_of_a_member_and_by_nobody_elses() -> None:
    with person(OTHER, groups=(2000,)) as found:
        project = found.home / "project"
        world.call("chown", "-R", "0:2000", str(project))
        project.chmod(0o2775)
        up = found.run("up", NAME)
        assert up.status == 0, up.stderr
        assert inside(f"cd {project}; id -u; id -g; echo >b; mkdir c") == f"{OTHER}\n2000\n"
        assert (project / "b").stat().st_gid == (project / "c").stat().st_gid == 2000
        # Git refuses what is another user's unless it is told that it may.
        git = f"cd {project}; git status --porcelain; git -c safe.directory= status"
        with pytest.raises(AssertionError, match=r"(?s)b\n.*dubious ownership"):
            inside(git)
        assert found.run("down", NAME).status == 0
        stranger = Person(found.home, Identity(OTHER))
        refused = stranger.run("up", NAME)
        assert refused.status == 1
        assert "cannot write" in refused.stderr
        assert world.call("docker", "ps", "--all", "--quiet", "--filter", f"name={AGENT}") == ""


@pytest.mark.thorough
def test_an_image_that_is_not_made_for_the_user_is_refused_with_what_to_do() -> None:
    with person(1000) as found:
        assert found.run("up", NAME).status == 0
        image = world.call("docker", "inspect", "--format", "{{.Config.Image}}", AGENT).strip()
        assert found.run("down", NAME).status == 0
        world.call("chown", "-R", f"{OTHER}:{OTHER}", str(found.home))
        other = Person(found.home, Identity(OTHER))
        other.write(f'{CONFIG}image = "{image}"\n')
        refused = other.run("up", NAME)
        assert refused.status == 1
        assert f"image `{image}` has no user with UID 1234" in refused.stderr
        assert "ARG AGENT_UID" in refused.stderr
        (found.home / "image").mkdir()
        (found.home / "image/Dockerfile").write_text("""FROM ${BASE}
ARG AGENT_UID
ARG AGENT_GID
USER root
RUN groupadd --gid ${AGENT_GID} other \\
 && useradd --uid ${AGENT_UID} --gid ${AGENT_GID} --home-dir /home/agent other \\
 && chown -R ${AGENT_UID}:${AGENT_GID} /home/agent
""")
        laid = CONFIG.replace("[defaults]", f'[defaults]\nimage = "{image}"')
        other.write(f'{laid}dockerfile = "~/image/Dockerfile"\n')
        up = other.run("up", NAME)
        assert up.status == 0, up.stderr
        works(other, OTHER)


@pytest.mark.thorough
def test_the_agents_own_docker_and_volumes_work_for_a_user_of_any_number() -> None:
    with person(OTHER, "077") as found:
        text = CONFIG.replace("enable_docker = false", "enable_docker = true")
        found.write(text + 'volumes = ["pip:~/.cache/pip/wheels", "npm:~/.npm"]\n')
        up = found.run("up", NAME)
        assert up.status == 0, up.stderr
        assert "Server" in inside("docker info")
        inside("cd; for place in .cache .cache/pip .cache/pip/wheels .npm; do echo >$place/x; done")
        checks = json.loads(found.run("verify", NAME, "--json").stdout)["checks"]
        assert [each for each in checks if not each["ok"]] == []


def ids() -> str:
    label = f"label=com.docker.compose.project=jailoc-{NAME}"
    return world.call("docker", "ps", "--no-trunc", "--quiet", "--filter", label)


@pytest.mark.thorough
def test_a_workspace_of_another_user_is_never_taken_over() -> None:
    with person(1000) as first, world.home(f"{NAME}-second") as home:
        second = Person(home.home, Identity(OTHER))
        os.chown(home.home, OTHER, OTHER)
        second.do("mkdir project; mkdir -p .config/jailoc")
        second.write(CONFIG + "port = 4193\n")
        assert first.run("up", NAME).status == 0
        inside("echo mine >~/.local/share/opencode/mine")
        running = ids()
        for words in (
            ["up"], ["apply", "--yes"], ["plan"], ["restart"], ["down", "--volumes"],
            ["destroy", "--yes"],
        ):  # fmt: skip
            refused = second.run(words[0], NAME, *words[1:])
            assert refused.status == 1, words
            assert f"made from `{first.home}/.cache/jailoc/{NAME}`" in refused.stderr, words
            assert ids() == running, words
        for word in ("down", "verify", "logs", "blocked", "refresh"):
            refused = second.run(word, NAME)
            assert f"{NAME}` is not running" in refused.stderr.replace(f"{NAME} is", f"{NAME}` is")
            assert (refused.stdout, ids()) == ("", running), word
        for words in (["status"], ["status", "--all-users"]):
            shown = second.run(*words)
            assert f"another user's, who has started it from {first.home}" in shown.stderr, words
            states = {line.split()[1] for line in shown.stdout.splitlines()[1:]}
            assert ("running" in states) is (len(words) == 2), words
        assert "mine" in inside("cat ~/.local/share/opencode/mine")
        assert first.run("down", NAME).status == 0
        for words in (["up"], ["plan"], ["down", "--volumes"], ["destroy", "--yes"]):
            refused = second.run(words[0], NAME, *words[1:])
            assert refused.status == 1, words
            told = f"the volumes of workspace `{NAME}` on this engine are not yours: they were made"
            assert f"{told} from `{first.home}/.cache/jailoc/{NAME}`" in refused.stderr, words
        assert first.run("up", NAME).status == 0
        assert inside("cat ~/.local/share/opencode/mine") == "mine\n"
        assert first.run("down", NAME, "--volumes").status == 0
        up = second.run("up", NAME)
        assert up.status == 0, up.stderr
        assert inside("id -u") == f"{OTHER}\n"
