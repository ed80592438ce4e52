"""`task`: sandboxes beside a workspace, each with a clone of its project on a branch of its own."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from jailoc.bin.commands import destroy, down, up
from jailoc.bin.config import clone_source, source, task_records
from jailoc.bin.config.session import Session
from jailoc.bin.config.source import LoadedConfig
from jailoc.bin.deploy import (
    existence,
    permissions,
    task_bounds,
    task_clone,
    task_fetch,
    task_look,
    task_reference,
)
from jailoc.bin.deploy.task_look import TaskClone
from jailoc.bin.engine import container_list, docker
from jailoc.bin.host import files, links
from jailoc.bin.host.paths import cache_directory
from jailoc.bin.terminal.step import step
from jailoc.generators.config.resolve import protected, resolve
from jailoc.generators.config.tasks import both_write, left_out, repository_of
from jailoc.generators.runtime.obeyed import Committed, chosen, named, obeyed, on_the_way
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import task_sandbox, typed
from jailoc.model.task import Task
from jailoc.model.text import cut, number_of, telling, visible

PATIENCE = 300.0
"""Seconds to wait for another jailoc that makes or removes a task."""
MOST_TOLD = 50
"""Files that are named one by one."""
LONGEST_SHOWN = 400
"""Characters of a path, or of a reason: Git knows no longest name."""
UNCOMMITTED = "--uncommitted"
"""What is not committed, too; no option of Git's."""
LOG, DIFF = "log", "diff"


@contextmanager
def _alone(session: Session) -> Iterator[None]:
    """Work on tasks with nobody else doing so; what a killed run has left goes first."""
    with files.locked(cache_directory() / "tasks.all.lock", PATIENCE):
        for each in task_clone.clear():
            session.terminal.say(f"{typed(each)}: what an interrupted run left is removed",
                                 Meaning.WARNS)  # fmt: skip
        yield


def new(session: Session, name: str, revision: str | None) -> int:
    """Make a task: clone the workspace's repository, and start a sandbox on the clone.

    Raises:
        Refused: the name is none, there are too many, or the repository cannot be cloned.
    """
    origin, terminal = session.source(), session.terminal
    workspace = session.chosen(origin)
    task_bounds.named(workspace, name)
    repository = repository_of(origin.config, workspace, source.current_directory())
    permissions.own()
    docker.check()
    if not docker.endpoint().local:
        raise refuse("task-repository", "the engine is on another machine, and sees no repository "
                     "of this one", hint="use an engine of this machine")  # fmt: skip
    sandbox = task_sandbox(workspace, name)
    with _alone(session):
        task_bounds.room(origin, workspace, name)
        existence.own(sandbox)
        port = task_bounds.port(origin, workspace)
        with step(terminal, f"cloning {repository} for {typed(sandbox)}"):
            made = task_clone.make(
                terminal,
                resolve(origin.config, workspace, origin.host),
                name, repository, revision or "HEAD", origin.host, origin.config.trust,
            )  # fmt: skip
        task = Task(
            workspace=workspace, name=name, repository=repository, base=made.base, port=port
        )
        task_records.write(task)
    terminal.say(f"{typed(sandbox)}: branch {task.branch} at {task.base[:12]}", Meaning.DONE)
    nameless = (
        "the agent's commits need a name: `git config --global user.email` and `user.name` on this "
        f"machine, then `jailoc up {typed(sandbox)}`"
    )
    gone = left_out(origin.config, task, origin.host)
    both = both_write(origin.config, task, origin.host)
    for note in (
        *made.notes,
        *((f"without {', '.join(gone)}",) if gone else ()),
        *((_joined(workspace, both),) if both else ()),
        *(() if origin.host.git_config else (nameless,)),
        "its data volume is new: nobody is logged in there",
    ):
        terminal.say(f"  {note}", Meaning.WARNS)
    session.reread()
    status = None
    try:
        status = up.run(session.of(sandbox))
        return status
    finally:
        if status != 0:
            terminal.steady().say(
                f"the task is made and does not run: `jailoc up {typed(sandbox)}` tries again, "
                f"`jailoc task rm {typed(name)} -w {typed(workspace)}` removes it",
                Meaning.WARNS,
            )


def _joined(workspace: str, both: Sequence[str]) -> str:
    """Say what joins a task to its workspace."""
    return (
        f"`{workspace}` can write {', '.join(both)}, too: each agent can change what the other "
        "finds there, and by a socket there the two can write what is covered in the project"
    )


def list_(session: Session, as_json: bool) -> int:
    """Show the tasks of all workspaces, or of the one that was named."""
    origin, terminal = session.source(expectations=False), session.terminal
    wanted = session.chosen(origin) if session.workspace else None
    every = [each for each in task_records.every() if wanted in {None, each.workspace}]
    running = frozenset[str]()
    if every:
        docker.check_engine()
        running = container_list.working()
    rows = [
        {
            "workspace": each.workspace,
            "task": each.name,
            "state": "running" if each.sandbox in running else "not running",
            "port": each.port,
            "branch": each.branch,
            "repository": each.repository,
            "base": each.base,
            "fetched": each.fetched,
        }
        for each in every
    ]
    if as_json:
        terminal.data({"tasks": rows})
        return 0
    if not every:
        terminal.say("there are no tasks: `jailoc task new NAME` makes one", Meaning.WARNS)
    for each, row in zip(every, rows, strict=True):
        fetched = f"fetched {each.fetched[:12]}" if each.fetched else "nothing fetched"
        terminal.result(
            f"{typed(each.sandbox)}  {row['state']}  port {each.port}  base {each.base[:12]}  "
            f"{fetched}"
        )
    return 0


def remove(session: Session, name: str, *, force: bool) -> int:
    """Remove a task and all that there is of it, unless its work would be lost.

    Raises:
        Refused: there are commits that did not come home, or something is not committed.
    """
    task = _known(session, name)
    docker.check_engine()
    with _alone(session):
        if not force:
            _nothing_lost(session, task)
            if task.sandbox in container_list.working():
                # An agent may have gone on meanwhile; once it is stopped nobody does.
                down.stop(session.terminal, task.sandbox)
                _nothing_lost(session, task)
    status = destroy.run(
        session, (task.sandbox,), everything=False, keep_volumes=False, yes=True, as_json=False
    )
    _tell_kept(session, task)
    return status


def _tell_kept(session: Session, task: Task) -> None:
    """Say what came home of a task and stays, and how it goes."""
    try:
        kept = task_fetch.references(task, session.source(expectations=False).host)
    except Refused:
        return  # its repository has gone
    for each in kept:
        session.terminal.say(
            f"  {each} stays; `git -C {shlex.quote(task.repository)} update-ref -d {each}` "
            "removes it"
        )


def _nothing_lost(session: Session, task: Task) -> None:
    try:
        _, clone = _opened(session, task)
        found = task_look.look(clone)
    except Refused as refused:
        first = refused.diagnostics[0]
        raise refuse(
            "task-unfetched", f"nobody can tell what would be lost: {first.message}",
            hint="--force removes it unseen",
        ) from None  # fmt: skip
    lost = [f"{number_of(found.new, 'commit')} that did not come home"] if found.new else []
    dirty = found.dirty and not found.home
    lost += ["changes that are not committed"] if dirty else []
    lost += ["what repositories inside, or Git LFS, hold"] if found.inside else []
    lost += ["changes in a linked working tree"] if found.linked else []
    if lost:
        raise refuse(
            "task-unfetched",
            f"task `{typed(task.sandbox)}` has {' and '.join(lost)}",
            hint=_bringing(task, found, dirty=dirty),
        )


def _bringing(task: Task, found: task_look.CloneState, *, dirty: bool) -> str:
    """Say what brings home what a task has, and what does not."""
    name = typed(task.sandbox)
    fetched = found.tip in {task.base, task.fetched}
    bring = f"`jailoc task fetch {name}` brings commits of {task.branch} home"
    ways = [bring] if found.new and not fetched else []
    if found.elsewhere:
        ways.append(
            "what only another branch, a tag, a stash or a detached HEAD has comes with no fetch: "
            f"bring it there with `jailoc shell {name}`"
        )
    if found.inside or found.linked:
        ways.append(
            "what a repository inside, Git LFS or a linked working tree has comes with no fetch: "
            f"look with `jailoc shell {name}`"
        )
    if dirty and found.beside:
        ways.append(
            f"{task.pending} has what was in its files; what is staged and differs from them, or "
            f"lies in a repository inside, comes with no fetch: look with `jailoc shell {name}`"
        )
    elif dirty:
        ways.append(f"`jailoc task fetch {name} --uncommitted` brings what is not committed")
    ways += ["--force removes all the same" if dirty else "--force removes them"]
    return "; ".join(ways)


def fetch(session: Session, name: str, *, unrelated: bool, uncommitted: bool) -> int:
    """Bring a task's commits home, and say what of them the host would execute or obey.

    Raises:
        Refused: there is no such task, or what came is not to be taken in.
    """
    terminal, task = session.terminal, _known(session, name)
    origin, clone = _opened(session, task)
    with step(terminal, f"fetching from {typed(task.sandbox)}"):
        found = task_fetch.fetch(clone, unrelated=unrelated, uncommitted=uncommitted)
    tops = dict.fromkeys((task.repository, links.real(task.repository)))
    protect = (
        *(entry for entry, _ in protected(origin.config, task.workspace)),
        *named(origin.host, tops),
    )
    there = Committed(found.tree, found.targets, found.links)
    last = obeyed(found.changed, there, protect)
    told = (*last, *on_the_way(found.passing or (), there, found.before, protect, {*last}))
    what = f"{number_of(found.new, 'commit')}, {number_of(len(found.changed), 'file')} changed"
    reference = task.pending if uncommitted else task.reference
    if found.tip == task.base and task.fetched is None:
        terminal.say(f"{typed(task.sandbox)}: nothing to fetch: it has no commit of its own yet")
        return 0
    terminal.say(f"{typed(task.sandbox)}: {what}, as {reference}", Meaning.DONE)
    shown, rest = chosen(told, MOST_TOLD)
    for each in shown:
        terminal.say(f"  look before you check it out: {_shown(each.path)}: {_shown(each.why)}",
                     Meaning.WARNS)  # fmt: skip
    for why, count in rest:
        terminal.say(f"  and {number_of(count, 'more place')}: {_shown(why)}", Meaning.WARNS)
    if found.passing is None:
        terminal.say("  look at each commit, too: they are more than are looked at one by one",
                     Meaning.WARNS)  # fmt: skip
    if rest:
        terminal.say(f"  all files: git diff --name-only {task.base[:12]} {found.tip}")
    look = f"git diff {task.base[:12]} {found.tip}" if uncommitted else \
        f"jailoc task diff {typed(task.sandbox)}"  # fmt: skip
    if found.new or found.changed:
        terminal.say(f"  look:  {look}")
        # Another agent may write there, and let a reference name something else.
        terminal.say(f"  merge: git merge {found.tip}")
    return 0


def _tell_moved(session: Session, task: Task, fetched: str) -> None:
    """Warn where the reference to what was fetched names something else."""
    place = clone_source.git_directory(task.repository, session.source(expectations=False).host)
    if (now := task_reference.names(place, task.reference)) != fetched:
        session.terminal.say(
            f"{task.reference} names {now[:12] or 'nothing'}, not {fetched[:12]} that was fetched: "
            "something else has changed it; `jailoc task fetch` writes it again",
            Meaning.WARNS,
        )


def _shown(text: str) -> str:
    """Return words of an agent's as they may stand in a line: nothing hides, and it ends."""
    return cut(telling(text), LONGEST_SHOWN)


def show(session: Session, name: str, what: str, options: tuple[str, ...] = ()) -> int:
    """Show the commits of a task, or what they change: those that were fetched, once some were.

    Before, and of what is not committed, it is what a fetch would bring: received, checked, not
    kept. Nothing of the clone but its objects counts.

    Raises:
        Refused: there is no such task, or what it has is not to be looked at.
    """
    task = _known(session, name)
    words = (what, *_PLAIN, *(each for each in options if each != UNCOMMITTED))
    fetched = task.fetched if task.fetched != task.base else None
    if fetched and UNCOMMITTED not in options:
        host = session.source(expectations=False).host
        shown = task_fetch.brought(task, fetched, words, host)
        told = "fetched; what came since comes with `jailoc task fetch`"
        _tell_moved(session, task, fetched)
    else:
        _, clone = _opened(session, task)
        shown = task_fetch.preview(clone, words, uncommitted=UNCOMMITTED in options)
        told = "not fetched yet, so its agent may still change it"
    if shown.tip == task.base:
        told = f"where the task began: it has no commit of its own ({told})"
    session.terminal.say(f"{typed(task.sandbox)}: {shown.tip[:12]}, {told}")
    for line in shown.lines:
        session.terminal.result(visible(line))
    return 0


_PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv")
"""Nothing but text, and no program but Git."""


def _known(session: Session, name: str) -> Task:
    """Return a task by its name, of the workspace that was named or of the current directory.

    Raises:
        Refused: there is none.
    """
    workspace, _, task = name.rpartition("/")
    origin = session.source(expectations=False)
    return task_records.known(workspace or session.chosen(origin), task)


def _opened(session: Session, task: Task) -> tuple[LoadedConfig, TaskClone]:
    """Return the configuration and a task's clone, to be looked at by an engine that answers.

    Raises:
        Refused: its workspace has left the configuration, or no engine answers.
    """
    origin = session.source(expectations=False)
    docker.check_engine()
    workspace = resolve(origin.config, task.sandbox, origin.host)
    return origin, TaskClone(session.terminal, workspace, task, origin.host)
