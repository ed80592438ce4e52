"""Bare `jailoc`: make the workspace of a directory run, then attach a client to its server."""

import os
import signal
import sys
import time
from collections.abc import Collection
from contextlib import suppress

from jailoc.bin.attach import container_client, host_client, pty, readiness
from jailoc.bin.attach.fence import UNANSWERED
from jailoc.bin.attach.watchdog import Watch
from jailoc.bin.commands import offer, up
from jailoc.bin.config import append, facts, source
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import committed, existence, password, uncovered
from jailoc.bin.engine import docker, witness
from jailoc.bin.host import programs
from jailoc.bin.terminal import prompt
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.attach import client as attachment
from jailoc.generators.attach.client import AttachMode, Request
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime.uncovered import beyond, told
from jailoc.model.agents.agent import major_of, version_in
from jailoc.model.diagnostic import refuse
from jailoc.model.palette import Meaning
from jailoc.model.path import first_within, outermost
from jailoc.model.sandbox import FIRST_PORT, task_of, typed
from jailoc.model.text import some
from jailoc.model.workspace import Workspace

INTERRUPTED = (128 + signal.SIGINT, -signal.SIGINT)
"""How a client ends that the user has interrupted: by its own word, or by the signal."""
SETTLING = 1.5
"""Seconds that the engine has to report a container as stopped whose processes are gone."""


def run(session: Session, request: Request) -> int:
    """Attach to the workspace of a directory, after starting it where needed."""
    target = source.directory(request.path, request.option)
    origin, terminal = session.source(), session.terminal
    name = session.chosen(origin, target)
    workspace = resolve(origin.config, name, origin.host)
    configured = attachment.configured(origin.config, name)
    on_host = workspace.agent.on_host and attachment.wants_host(request.mode, configured)
    path = host_client.find(terminal, workspace.agent) if on_host else None
    if task_of(name) and _root(workspace, target) is None:
        target = workspace.paths[0].path
    there = _root(workspace, target) is not None
    # What cannot work is said before anything is changed or started: of the directory first, for
    # no other terminal helps with that.
    if not there:
        offer.addable(session, workspace, target)
    _possible(
        attachment.choose(
            request.mode, configured, name, workspace.agent, workspace.expose_port, path is not None
        ),
        request.mode,
    )
    if not there and not offer.taken(session, workspace, target):
        return 0
    docker.check()
    found = readiness.services(name)
    if there and found.running:
        _same(workspace, found)
        terminal.diagnose(each for each in origin.warnings if each.about({name}))
        _tell_uncovered(terminal, workspace, found)
        committed.tell(terminal, committed.rows(origin, name))
    else:
        with append.kept_if_done(session):
            if status := up.run(session.of(name), brief=True):
                return status
    running = readiness.wait(terminal, name, workspace.agent)
    return _Attachment(session.of(name), workspace, target, request).start(
        running, configured, path
    )


def _same(workspace: Workspace, found: readiness.Services) -> None:
    """Refuse to attach with the client of one agent to what was made for another."""
    made = version_in(found.agent.agent) if found.agent else None
    if made is not None and major_of(made) != workspace.agent.major:
        raise refuse(
            "outdated",
            f"workspace `{workspace.name}` runs {workspace.agent.name} {made}, the configuration "
            f"says {workspace.agent.major}",
            hint=f"`jailoc plan {workspace.name}` shows what changes; `jailoc up {workspace.name}` "
            "does it",
        )


def _tell_uncovered(terminal: Terminal, workspace: Workspace, found: readiness.Services) -> None:
    """Say what the host may execute and the agent can write, before anybody works beside it."""
    name = workspace.name
    there: Collection[str] | None = None
    if found.agent is not None and found.wall is not None:
        with suppress(docker.DockerError):  # it has ended meanwhile
            there = witness.mounted(found.agent.id, found.wall.image_id)
    for line in some(told(beyond(workspace, stopping=True))):
        terminal.say(f"the agent can write what cannot be covered: {line}", Meaning.FAILS)
    lapsed = uncovered.rows(workspace, lambda place: there is not None and place not in there)
    for line in some(lapsed):
        terminal.say(
            f"the host may execute what the agent can write: {line}; `jailoc up {name}` covers it",
            Meaning.FAILS,
        )


def _root(workspace: Workspace, target: str) -> str | None:
    return first_within(target, (each.path for each in workspace.paths))


def _possible(mode: AttachMode, asked: AttachMode | None) -> None:
    """Refuse what this machine cannot do at all."""
    if asked is AttachMode.REMOTE and not pty.has_terminals():
        raise refuse(
            "pty",
            "remote mode needs a pseudo-terminal (PTY), and the system has none to give",
            hint="use --exec",
        )
    if mode is AttachMode.EXEC and not sys.stdin.isatty():
        raise refuse(
            "terminal",
            "an attach needs a terminal, and standard input is none",
            hint="run it in a terminal; a program uses `jailoc exec` or `jailoc acp`",
        )


class _Attachment:
    """One client on one workspace."""

    def __init__(
        self, session: Session, workspace: Workspace, target: str, request: Request
    ) -> None:
        self.session, self.terminal = session, session.terminal
        self.name, self.agent = workspace.name, workspace.agent
        self.target, self.request = target, request
        self.user = workspace.user.text

    def start(self, running: readiness.RunningSandbox, configured: str, path: str | None) -> int:
        """Attach in the mode that what truly runs allows."""
        running = self._with_directory(running)
        mode = attachment.choose(
            self.request.mode,
            configured,
            self.name,
            self.agent,
            running.port is not None,
            path is not None,
        )
        if mode is AttachMode.REMOTE and not pty.has_terminals():
            self.terminal.say("no pseudo-terminal (PTY) to be had: exec mode it is", Meaning.WARNS)
            mode = AttachMode.EXEC
        _possible(mode, self.request.mode)
        if mode is AttachMode.EXEC or path is None or running.port is None:
            return self._inside(running)
        return self._remote(running, running.port, path)

    def _up(self) -> readiness.RunningSandbox:
        """Bring the workspace up to date."""
        up.run(self.session, brief=True)
        return readiness.wait(self.terminal, self.name, self.agent)

    def _with_directory(self, running: readiness.RunningSandbox) -> readiness.RunningSandbox:
        """Make sure that the directory is there inside, too.

        Raises:
            Refused: it is not, and the user does not want it to be.
        """
        origin = self.session.source()
        workspace = resolve(origin.config, self.name, origin.host)
        roots = outermost(each.path for each in workspace.paths)
        root = first_within(self.target, roots)
        if root is None or root in witness.mounted(running.agent.id, running.wall.image_id):
            return running
        return self._mended(
            f"the running sandbox of `{self.name}` does not have `{root}` yet",
            "Bring it up to date? That restarts its agent.",
        )

    def _password(
        self, running: readiness.RunningSandbox, port: int
    ) -> tuple[str, readiness.RunningSandbox]:
        """Return the password, after making sure that the server has the same.

        Raises:
            Refused: it has another one, and the user does not want a restart.
        """
        mode = self.session.source().config.password_mode
        secret = password.password(mode, facts.state_directory(), self.name, self.agent)
        if readiness.accepts(port, self.agent, secret) is not False:
            return secret, running
        problem = f"the server of `{self.name}` has another password than the one that is kept"
        running = self._mended(problem, "Restart its agent with the kept one?")
        secret = password.password(mode, facts.state_directory(), self.name, self.agent)
        if readiness.accepts(port, self.agent, secret) is False:
            raise refuse("password", f"{problem}, after its restart, too")
        return secret, running

    def _mended(self, problem: str, question: str) -> readiness.RunningSandbox:
        if sys.stdin.isatty():
            self.terminal.say(problem, Meaning.WARNS)
            if prompt.ask(self.terminal, question):
                return self._up()
        raise refuse("outdated", problem, hint=f"`jailoc up {self.name}` mends that")

    def _words(self, running: readiness.RunningSandbox, url: str) -> tuple[str, ...]:
        """Return the client's arguments, without the last session where there is none."""
        request, agent = self.request, running.agent
        if request.resume and container_client.lacks_session(
            agent.id, self.user, self.agent, self.target
        ):
            self.terminal.say(
                f"no session of {self.target} to go on with: a new one begins", Meaning.WARNS
            )
            request = request.model_copy(update={"resume": False})
        return attachment.arguments(self.agent, url, self.target, request)

    @property
    def _begins(self) -> str:
        return f"{self.agent.name} begins; Ctrl-C leaves"

    def _remote(self, running: readiness.RunningSandbox, port: int, path: str) -> int:
        secret, running = self._password(running, port)
        url = f"http://127.0.0.1:{port}"
        self.terminal.say(f"attaching to {typed(self.name)} (remote mode, {path}, {url})")
        self.terminal.say(
            "this client is a program of this machine, and it obeys the agent's server; `jailoc "
            "--exec` has the one in the sandbox",
            Meaning.WARNS,
        )
        own = os.environ | {"PATH": programs.search_path()}
        environment = attachment.remote_environment(own, self.name, self.agent, secret)
        command = [path, *self._words(running, url)]
        watch = self._watch(running)
        hint = self.agent.client.hint
        ended = pty.run(command, environment, watch, hint, foreign=True, begins=self._begins)
        return self._verdict(ended, watch)

    def _inside(self, running: readiness.RunningSandbox) -> int:
        if running.agent.user != self.user:
            running = self._mended(
                f"the agent of `{self.name}` does not work as {self.user} yet",
                "Make its container anew?",
            )
        container = running.agent.id
        inner = container_client.find(self.name, container, self.agent, self.user)
        where = f"exec mode, {inner.path} in the sandbox"
        self.terminal.say(f"attaching to {typed(self.name)} ({where})")
        url = f"http://127.0.0.1:{FIRST_PORT}"
        program = container_client.command(
            container,
            inner,
            self.agent,
            self._words(running, url),
            os.environ,
            self.user,
        )
        watch = self._watch(running)
        hint = self.agent.client.hint
        return self._verdict(container_client.run(program, watch, hint, begins=self._begins), watch)

    def _watch(self, running: readiness.RunningSandbox) -> Watch:
        def look() -> str | None:
            try:
                return lost(running, readiness.services(self.name))
            except docker.DockerError as error:
                last = error.tail.rpartition("\n")[2]
                return f"watching its container failed: {error.what}: {last}"

        return Watch(look)

    def _verdict(self, ended: pty.Ended, watch: Watch) -> int:
        """Say why it ended, if it did not end well; the watch knows best.

        Raises:
            Refused: the container went away, or the client failed.
        """
        if ended.unanswered:
            self.terminal.say(UNANSWERED, Meaning.WARNS)
        reason = ended.reason
        if reason is None and ended.code != 0 and not ended.stopped:
            reason = _settled(watch)
        if reason is not None:
            raise refuse(
                "detached",
                f"attach to `{typed(self.name)}` ended: {reason}",
                hint="the session is kept; run `jailoc` again, or see `jailoc logs "
                f"{typed(self.name)}`"
                if existence.started(self.name)
                else f"`{typed(self.name)}` was destroyed, and its session with it",
            )
        if ended.stopped or ended.code in INTERRUPTED:
            name = typed(self.name)
            says = f"interrupted; {name} goes on until `jailoc down {name}`"
            self.terminal.say(says, Meaning.WARNS)
            return 1
        if ended.code != 0:
            how = (
                f"was ended by signal {-ended.code}"
                if ended.code < 0
                else f"ended with exit code {ended.code}"
            )
            raise refuse(
                "client",
                f"attach to `{typed(self.name)}`: the client {how}",
                hint="what it says of that stands above; leave --session out for a new one"
                if self.request.session
                else "what it says of that stands above",
            )
        name = typed(self.name)
        self.terminal.say(f"{name} goes on; `jailoc down {name}` stops it")
        return 0


def _settled(watch: Watch) -> str | None:
    """Look until the engine has noticed what the client may have died of."""
    end = time.monotonic() + SETTLING
    while (reason := watch.look()) is None and time.monotonic() < end:
        time.sleep(0.1)
    return reason


def lost(before: readiness.RunningSandbox, now: readiness.Services) -> str | None:
    """Say why a client can go on no longer; None if it can."""
    agent, wall = now.agent, now.wall
    if agent is None:
        return "the container was stopped and removed"
    if agent.state not in {"running", "paused"}:  # who is halted goes on, and the client with it
        ended = f" (exit code {agent.exit_code})" if agent.state in readiness.OVER else ""
        how = "is being removed" if agent.state == "removing" else f"is {agent.state}"
        return f"the container was stopped: it {how}{ended}"
    if agent.id != before.agent.id:
        return "the container was replaced by a new one (restarted)"
    if agent.started != before.agent.started:
        return "the container was restarted"
    if agent.health == "unhealthy":
        return "the container is unhealthy: its server does not answer"
    if wall is None or wall.state != "running":
        return "the firewall was stopped, so the sandbox has no network"
    if wall.id != before.wall.id or wall.started != before.wall.started:
        return "the firewall was restarted, so the sandbox has lost its network"
    return None
