"""The core story on whatever engine `DOCKER_HOST` names: from nothing to a sandbox and back.

A program, not a module of tests: `tests/engine/engines run NAME python3 -m tests.engine.story` runs
it in the network of another engine, as its user, or as who `--uid` and `--umask` say. It prints one
JSON object: each step with its seconds and, where it went wrong, what was said.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect

from tests.engine import world
from tests.engine.identity import Identity

NAME = "story"
COLON = "other: place"
"""Below the home: Compose's short form of a mount would end at the colon."""
WRITE = 'mkdir -p "$(dirname "$1")" && cat >"$1"'
VERIFIED = 5
"""How often; health checks, which start every two seconds, must not make a difference."""
SIDECAR = os.environ.get("JAILOC_STORY_DOCKER", "1") == "1"
"""Whether the agent gets a Docker of its own."""
TARGETS: list[world.Target] = [
    ("public", world.PUBLIC, world.PORT),
    ("allowed", world.ALLOWED, world.PORT),
    ("closed", world.CLOSED["private-10"], world.PORT),
    ("closed-ipv6", world.CLOSED["unique-local"], world.PORT),
    ("metadata", world.CLOSED["metadata"], world.PORT),
]


class FailedError(Exception):
    """A step did not do what it should."""


def config(memory: str) -> str:
    return f"""{world.certificates()}
[workspaces.{NAME}]
paths = ["~/project", "~/{COLON}"]
memory = "{memory}"
enable_docker = {"true" if SIDECAR else "false"}
"""


class Person:
    """Who uses the engine, and whether the agent is let in to what it works on."""

    def __init__(self, home: Path, identity: Identity, *, lets_in: bool = True) -> None:
        self.home, self.identity, self.lets_in = home, identity, lets_in
        self._jailoc, self._path = identity.jailoc()

    def _command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        kept = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST", "DOCKER_CONFIG")
                if key in os.environ}  # fmt: skip
        own = {"HOME": str(self.home), "PYTHONPATH": self._path, "TERM": "xterm-256color"}
        return [*self._jailoc, *words], kept | own

    def jailoc(self, *words: str) -> tuple[int, str]:
        command, environment = self._command(*words)
        done = subprocess.run(
            command, env=environment, cwd=self.home, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=1500, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def git(self, *words: str) -> str:
        """Run Git in the project, as this user."""
        name = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        return world.call(*self.identity.words(), "env", f"HOME={self.home}", "git", *name,
                          "-C", str(self.home / "project"), *words)  # fmt: skip

    def attach(self, *words: str) -> None:
        """Open OpenCode in a terminal of one's own, look until it is drawn, and leave."""
        (program, *rest), environment = self._command(*words)
        environment["PATH"] = f"{self.home}/bin:{environment['PATH']}"
        with pexpect.spawn(
            program, rest, env=environment, cwd=str(self.home), dimensions=(30, 100), timeout=180
        ) as terminal:
            try:
                for each in (b"attaching to ", b"Ask anything", b"commands"):
                    terminal.expect_exact(each)
                time.sleep(0.5)
                terminal.send("\x03")
                terminal.expect(pexpect.EOF, timeout=60)
            except pexpect.ExceptionPexpect as error:
                raise FailedError(f"{' '.join(words)}: {error}") from error
            terminal.close()
            if terminal.exitstatus:
                raise FailedError(f"{' '.join(words)}: status {terminal.exitstatus}")

    def write(self, place: str, text: str | None = None) -> None:
        """Write a file, or make a directory, as this user."""
        made = ("mkdir", "-p", place) if text is None else ("sh", "-c", WRITE, "sh", place)
        subprocess.run(
            [*self.identity.words(), *made], cwd=self.home, input=text or "", text=True, check=True
        )


class Story:
    """The steps, and what became of each."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.steps: list[dict[str, Any]] = []
        self.images: set[str] = set()

    def step(self, name: str, action: Callable[[], object]) -> None:
        begun, problem = time.monotonic(), ""
        try:
            said = action()
        except (FailedError, AssertionError, subprocess.TimeoutExpired) as error:
            said, problem = None, str(error)[-4000:]
        seconds = round(time.monotonic() - begun, 1)
        self.steps.append(
            {"step": name, "seconds": seconds, "ok": not problem}
            | ({"said": said} if said is not None else {})
            | ({"problem": problem} if problem else {})
        )
        sys.stderr.write(f"{name}: {'FAILED' if problem else 'ok'} ({seconds} s) {problem}\n")

    def jailoc(self, *words: str, status: int = 0) -> str:
        found, said = self.person.jailoc(*words)
        if found != status:
            raise FailedError(f"{' '.join(words)}: status {found}, not {status}\n{said}")
        return said

    def tell(self) -> None:
        self.step("init", lambda: self.jailoc("init") and None)
        self.person.write("project/README", "hello\n")
        self.person.write(f"{COLON}/README", "there\n")
        self.person.write(".config/jailoc/config.toml", config("2g"))
        self.person.write(
            ".gitconfig", "[user]\n\tname = a\n\temail = a@example.com\n[safe]\n\tdirectory = *\n"
        )
        self._let_in()
        self.step("validate", lambda: self.jailoc("validate") and None)
        self.step("up", lambda: self.jailoc("up", NAME) and None)
        if not self.steps[-1]["ok"]:
            return
        self.step("plan is empty", self._nothing_to_do)
        self.step("closed", lambda: self._reach({"public"}))
        self.step("allow", lambda: self.jailoc("allow", world.ALLOWED, "-w", NAME) and None)
        self.step("open", lambda: self._reach({"public", "allowed"}))
        self.step("plan is empty after allow", self._nothing_to_do)
        text = (self.person.home / ".config/jailoc/config.toml").read_text()
        self.person.write(".config/jailoc/config.toml", text.replace('"2g"', '"3g"'))
        self.step(
            "plan", lambda: self.jailoc("plan", NAME, "--detailed-exitcode", status=2) and None
        )
        self.step("apply", lambda: self.jailoc("apply", NAME, "--yes") and None)
        self.step("plan is empty after apply", self._nothing_to_do)
        self.step("still open", lambda: self._reach({"public", "allowed"}))
        self.step("verify", lambda: [self._verify() for _ in range(VERIFIED)][-1])
        self.step("status", lambda: self.jailoc("status", NAME, "--json") and None)
        self.step("the agent", self._agent)
        self.step("its files", self._files)
        if SIDECAR:
            self.step("its docker", self._docker)
        self.step("attach in the sandbox", lambda: self.person.attach("project", "--exec"))
        self.step("attach from the machine", self._attach)
        self.step("snapshot and undo", self._undone)
        self.step("a task", self._task)
        self.step("down", lambda: self.jailoc("down", NAME) and None)
        self.step("nothing runs", lambda: self._nothing_left("container", "network"))
        self.step("up again", lambda: self.jailoc("up", NAME) and None)
        self.images = self._used()
        self.step("destroy", lambda: self.jailoc("destroy", NAME, "--yes") and None)
        self.step("nothing is left", self._destroyed)

    def _let_in(self) -> None:
        """Give the agent the project: it is never root, nor its user where ids are shifted."""
        agent, mine = os.environ.get("JAILOC_ENGINE_AGENT"), self.person.identity.uid
        if not self.person.lets_in:
            return
        for place in (str(self.person.home / each) for each in ("project", COLON)):
            if agent:  # as `jailoc validate` advises
                rights = f"u:{agent}:rwX,d:u:{agent}:rwX,d:u:{mine}:rwX"
                world.call("setfacl", "-R", "-m", rights, place)
            elif not mine:
                world.call("chown", "-R", "1000:1000", place)

    def _nothing_to_do(self) -> None:
        self.jailoc("plan", NAME, "--detailed-exitcode")

    def _container(self, service: str) -> str:
        return f"jailoc-{NAME}-{service}-1"

    def _reach(self, wanted: set[str]) -> None:
        found = world.probe(self._container("firewall"), TARGETS)
        reached = {name for name, (word, _) in found.items() if word == "hello"}
        if reached != wanted:
            raise FailedError(f"reached {sorted(reached)}, not {sorted(wanted)}: {found}")

    def _verify(self) -> int:
        found, said = self.person.jailoc("verify", NAME, "--json")
        if "{" not in said:
            raise FailedError(said)
        report, _ = json.JSONDecoder().raw_decode(said[said.index("{") :])
        wrong = [
            f"{each['kind']} {each['subject']}: {each['expected']} / {each['found']}"
            for each in report["checks"]
            if not each["ok"]
        ]
        if found or wrong:
            raise FailedError(f"status {found}\n" + "\n".join(wrong))
        return len(report["checks"])

    def _agent(self) -> dict[str, str]:
        """Make sure that the agent has no power, and return who it is."""
        text = world.call(
            "docker", "exec", self._container("opencode"), "/bin/sh", "-c",
            "id -u; id -g; grep -E '^(Cap|NoNew|Seccomp:)' /proc/1/status",
        )  # fmt: skip
        uid, gid, *lines = text.split("\n")
        status = dict(line.split(":\t") for line in lines if line)
        powers = {status[key].strip("0") for key in ("CapEff", "CapPrm", "CapBnd", "CapInh")}
        if powers != {""} or status["NoNewPrivs"] != "1" or status["Seccomp"] != "2":
            raise FailedError(text)
        return {"uid": uid, "gid": gid}

    def _files(self) -> dict[str, str]:
        """Let the agent write in the project, and return whose that is; or see that it cannot."""
        place = self.person.home / "project"
        agent = ("docker", "exec", self._container("opencode"), "/bin/sh", "-c")
        world.call(
            *agent, f"grep -q there '{self.person.home}/{COLON}/README' && cat {place}/README"
        )
        if not self.person.lets_in:
            told = world.call(*agent, f"echo made >{place}/made", check=False)
            if "Permission denied" not in told or (place / "made").exists():
                raise FailedError(told)
            return {"owner": "none"}
        world.call(*agent, f"echo made >{place}/made")
        owner = (place / "made").stat()
        return {"owner": f"{owner.st_uid}:{owner.st_gid}"}

    def _undone(self) -> None:
        """Delete what the agent works on, and bring it back, whoever's it is."""
        place = self.person.home / "project"
        before = {each.name: (each.read_bytes(), each.stat().st_uid) for each in place.iterdir()}
        self.jailoc("snapshot", NAME)
        for each in place.iterdir():
            each.unlink()
        self.jailoc("undo", NAME, "--yes")
        after = {each.name: (each.read_bytes(), each.stat().st_uid) for each in place.iterdir()}
        if not before or after != before:
            raise FailedError(f"{before} is {after} now")
        world.call("docker", "exec", self._container("opencode"), "test", "-f", f"{place}/README")

    def _task(self) -> None:
        """Have a task commit, and bring that home."""
        place = self.person.home / "project"
        self.person.git("init", "--quiet", "--initial-branch", "main")
        self.person.git("add", "README")
        self.person.git("commit", "--quiet", "--message", "first")
        self.jailoc("task", "new", "work", "-w", NAME)
        made = f"cd {place} && echo made >by && git add by && git commit --quiet --message work"
        self.jailoc("exec", f"{NAME}/work", "--", "sh", "-c", made)
        self.jailoc("task", "rm", f"{NAME}/work", status=1)
        self.jailoc("task", "fetch", f"{NAME}/work")
        if self.person.git("show", f"refs/jailoc/{NAME}/work:by") != "made\n":
            raise FailedError(self.person.git("for-each-ref"))
        self.jailoc("verify", f"{NAME}/work")
        self.jailoc("task", "rm", f"{NAME}/work")

    def _docker(self) -> None:
        world.call(
            "docker", "exec", self._container("opencode"), "/bin/bash", "-c",
            "set -e; tar -chf - /bin/sh $(ldd /bin/sh | grep -o '/lib[^ ]*') 2>/dev/null |"
            " docker import - shell:1; docker run --rm shell:1 /bin/sh -c 'echo hello'",
        )  # fmt: skip

    def _attach(self) -> None:
        """Attach with the client that the image has, on this machine."""
        agent = self._container("opencode")
        real = world.call("docker", "exec", agent, "realpath", "/usr/local/bin/opencode").strip()
        self.person.write("bin")
        world.call("docker", "cp", f"{agent}:{real}", str(self.person.home / "bin/opencode"))
        (self.person.home / "bin/opencode").chmod(0o755)
        self.person.attach("project", "--remote")

    def _nothing_left(self, *kinds: str) -> None:
        for kind in kinds:
            every = ["--all"] if kind == "container" else []
            label = f"label=com.docker.compose.project=jailoc-{NAME}"
            if world.call("docker", kind, "ls", *every, "--quiet", "--filter", label).strip():
                raise FailedError(f"a {kind} is left")

    def _used(self) -> set[str]:
        services = ("firewall", "opencode", *(["dind"] if SIDECAR else []))
        names = (self._container(each) for each in services)
        told = world.call("docker", "inspect", "--format", "{{.Config.Image}}", *names)
        return {each.rpartition("/")[2] for each in told.split()}

    def _destroyed(self) -> None:
        """Nobody else uses this engine, so none of its images may be left either."""
        self._nothing_left("container", "network", "volume")
        listed = world.call("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
        # Where Podman loads an image, it gives it a name of its own as well.
        named = (each for each in listed.split() if not each.startswith("localhost/"))
        left = [each for each in named if each.rpartition("/")[2] in self.images]
        for folder in (".cache/jailoc", ".local/share/jailoc"):
            left += [str(each) for each in (self.person.home / folder).glob(f"{NAME}*")]
        if left:
            raise FailedError(f"left: {' '.join(left)}")


@contextmanager
def somebody(identity: Identity, *, lets_in: bool) -> Iterator[Person]:
    base = Path("/srv") / f"jailoc-tests-{world.CHECKOUT}"
    base.mkdir(exist_ok=True)
    home = base / f"story-{os.getpid()}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    os.chown(home, identity.uid, identity.uid)
    try:
        yield Person(home, identity, lets_in=lets_in)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uid", type=int, default=int(os.environ.get("JAILOC_ENGINE_USER", "0")))
    parser.add_argument("--umask", default="022")
    parser.add_argument(
        "--kept", action="store_true", help="the project stays its user's alone, though root's"
    )
    options = parser.parse_args()
    # Whoever ends it lets it take away what it has made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    world.NAMESPACE = f"jailoc-story-{os.getpid()}"
    identity = Identity(options.uid, options.umask)
    with somebody(identity, lets_in=not options.kept) as person, world.hosts():
        story = Story(person)
        try:
            story.tell()
        finally:
            world.remove(f"jailoc-{NAME}", f"jailoc-{NAME}_work")
    versions = {
        "client": world.call("docker", "version", "--format", "{{.Client.Version}}").strip(),
        "server": world.call("docker", "version", "--format", "{{.Server.Version}}").strip(),
        "compose": world.call("docker", "compose", "version", "--short").strip(),
    }
    sys.stdout.write(json.dumps({"versions": versions, "steps": story.steps}) + "\n")
    return 0 if all(each["ok"] for each in story.steps) else 1


if __name__ == "__main__":
    sys.exit(main())
