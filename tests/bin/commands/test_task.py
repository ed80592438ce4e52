"""What is said of tasks before any engine is asked, and what takes one."""

import json
from types import SimpleNamespace

import pytest

from jailoc.bin.cli import completion
from jailoc.bin.cli.options import TAKE_TASKS, session
from jailoc.bin.commands import destroy, down, every
from jailoc.bin.commands import task as task_command
from jailoc.bin.config import task_records
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import task_bounds, task_clone, task_fetch, task_look
from jailoc.bin.deploy.task_look import CloneState
from jailoc.bin.engine import container_list, containers, docker
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused
from jailoc.model.task import Task
from tests.bin.commands.test_without_engine import WORDS, Person
from tests.bin.commands.test_without_engine import person as _person

person = _person
OTHERS = sorted(each for each in WORDS if each and each.partition(" ")[0] not in TAKE_TASKS)


def task(name: str = "fix", port: int = 4600) -> Task:
    return Task(workspace="api", name=name, repository="/srv/api", base="1" * 40, port=port)


@pytest.fixture
def working(person: Person) -> Person:
    """Give somebody a workspace with a task."""
    person.write('[workspaces.api]\npaths = ["/srv/api"]\n[workspaces.web]\n')
    task_records.write(task())
    return person


@pytest.mark.parametrize("name", ["Fix", "a/b", "..", "a.lock", "", "x" * 41, "_", "a b", "-x"])
def test_what_git_refuses_or_nobody_can_type_is_no_name(working: Person, name: str) -> None:
    result = working.run("task", "new", "-w", "api", "--", name)
    assert result.status == 1
    assert "[task-name]" in result.stderr
    assert working.asked == ""


@pytest.mark.parametrize("command", OTHERS)
def test_what_is_about_a_workspace_takes_no_task(working: Person, command: str) -> None:
    # What is no workspace is a path to `undo`.
    words = ("-w", "api/fix")
    if command == "pause":
        result = working.run(command, "api/fix", "--", "true")
    else:
        result = (
            working.run(command, *words) if command == "undo" else working.ask(command, "api/fix")
        )
    assert result.status == (125 if command == "pause" else 1)
    assert "[task-command]" in result.stderr
    assert working.asked == ""


@pytest.mark.parametrize("command", sorted(TAKE_TASKS - {"destroy"}))
def test_a_task_that_is_none_is_told(working: Person, command: str) -> None:
    words = {"acp": ("acp", "-w", "api/nosuch"), "attach": ("-w", "api/nosuch")}.get(command)
    result = working.run(*words) if words else working.ask(command, "api/nosuch")
    assert result.status in {1, 125}
    assert "workspace `api` has no task `nosuch`" in result.stderr


@pytest.mark.parametrize("command", ["fetch", "log", "diff", "rm"])
def test_so_is_it_by_its_own_commands(working: Person, command: str) -> None:
    for words in (("nosuch", "-w", "api"), ("api/nosuch",)):
        result = working.run("task", command, *words)
        assert result.status == 1
        assert "workspace `api` has no task `nosuch`" in result.stderr
        assert "allowed: fix" in result.stderr
        assert "hint: `jailoc task list` shows those that there are" in result.stderr
    assert "hint: did you mean `fix`?" in working.run("task", command, "fxi", "-w", "api").stderr
    assert working.asked == ""


def test_a_task_is_asked_about_as_a_workspace_is(working: Person) -> None:
    assert "open" in working.run("explain", "api/fix", "1.2.3.4").stdout
    assert "volume project" in working.run("graph", "api/fix").stdout
    assert "api_fix" in working.run("graph", "api_fix").stdout


def test_what_holds_its_clone_does_not_go_by_the_way(working: Person) -> None:
    for words in (("down", "api/fix", "--volumes"), ("destroy", "api/fix", "--keep-volumes")):
        result = working.run(*words)
        assert (result.status, "[usage]" in result.stderr) == (1, True), result.stderr
    assert task_records.of("api") == (task(),)


def test_what_runs_beside_a_task_counts_if_it_is_one(
    working: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_records.write(task("rests", 4601))
    rows = [
        json.dumps([f"id{number}", f"{project}-{service}-1", service, project, "/nowhere"])
        for number, (service, project) in enumerate([
            ("opencode", "jailoc-api"), ("opencode", "jailoc-web"), ("opencode", "elsewhere"),
            ("opencode", "jailoc-api_fix"), ("firewall", "jailoc-api_rests"),
            ("opencode", "jailoc-other_fix"),
        ])
    ]  # fmt: skip
    monkeypatch.setattr(container_list, "run", lambda *words, **more: "\n".join(rows) + "\n")
    assert container_list.working() == {"api", "web", "api_fix", "other_fix"}
    assert every.running_tasks(session().source().config) == ("api_fix",)
    task_bounds.may_run(session().source(), "api_rests")
    task_bounds.may_run(session().source(), "api")
    working.write(working.config.read_text() + '[workspaces.api.tasks]\nmemory = "7g"\n')
    task_bounds.may_run(session().source(), "api_fix")
    with pytest.raises(Refused, match="with 4g beside api/fix its tasks could use more than 7g"):
        task_bounds.may_run(session().source(), "api_rests")


def test_what_an_agent_does_after_the_first_look_is_not_lost(
    working: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = [CloneState("1" * 40, 0, False), CloneState("2" * 40, 1, False)]
    gone: list[str] = []

    def destroyed(*words: object, **more: object) -> int:
        gone.append("all")
        return 0

    monkeypatch.setattr(docker, "check_engine", lambda: None)
    monkeypatch.setattr(task_clone, "clear", tuple)
    monkeypatch.setattr(task_look, "look", lambda clone: looks.pop(0))
    monkeypatch.setattr(container_list, "working", lambda: {"api_fix"})
    monkeypatch.setattr(down, "stop", lambda terminal, name: gone.append(name))
    monkeypatch.setattr(destroy, "run", destroyed)
    result = working.run("task", "rm", "api/fix")
    assert (result.status, "1 commit that did not come home" in result.stderr) == (1, True)
    assert (gone, looks) == (["api_fix"], [])
    looks += [CloneState("2" * 40, 0, False)] * 2
    assert working.run("task", "rm", "api/fix").status == 0
    assert gone == ["api_fix", "api_fix", "all"]


def test_a_list_without_tasks_asks_nobody(person: Person) -> None:
    assert json.loads(person.run("task", "list", "--json").stdout) == {"tasks": []}
    assert person.asked == ""


def test_a_record_that_cannot_be_read_is_none(working: Person) -> None:
    place = task_records.place("api", "fix")
    for text in ("", "{", "[]", '{"workspace": "api"}', place.read_text().replace("fix", "other")):
        place.write_text(text)
        assert task_records.every() == ()
    place.unlink()
    place.mkdir()
    assert task_records.every() == ()


def test_a_task_is_completed_where_it_may_stand(working: Person) -> None:
    place = task_records.place("api", "fix")
    (place.parent / "$(touch pwned).json").touch()
    for words, expected in (
        (("up", "a"), ["api", "api/fix"]),
        (("task", "fetch", "a"), ["api/fix"]),
        (("-w", "api/"), ["api/fix"]),
        (("learn", "a"), ["api"]),
    ):
        assert [
            line.split("\t")[0] for line in completion.answer(words).split("\n")[1:]
        ] == expected


@pytest.mark.parametrize(
    ("new", "dirty", "hint"),
    [
        (1, False, "`jailoc task fetch api/fix` brings commits of task/fix home; --force removes "
         "them"),
        (0, True, "`jailoc task fetch api/fix --uncommitted` brings what is not committed; --force "
         "removes all the same"),
        (1, True, "`jailoc task fetch api/fix` brings commits of task/fix home; `jailoc task fetch "
         "api/fix --uncommitted` brings what is not committed; --force removes all the same"),
    ],
)  # fmt: skip
def test_what_would_be_lost_is_told_with_what_brings_it_home(
    new: int, dirty: bool, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_command, "_opened", lambda *_: (None, None))
    monkeypatch.setattr(task_look, "look", lambda _: task_look.CloneState("a" * 40, new, dirty))
    with pytest.raises(Refused) as refused:
        task_command._nothing_lost(Session(Terminal()), task())
    assert refused.value.diagnostics[0].hint == hint


def test_what_is_home_already_does_not_keep_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_command, "_opened", lambda *_: (None, None))
    state = CloneState("a" * 40, 0, True, True)
    monkeypatch.setattr(task_look, "look", lambda _: state)
    task_command._nothing_lost(Session(Terminal()), task())
    state = CloneState("a" * 40, 0, True, False, True)
    with pytest.raises(Refused) as refused:
        task_command._nothing_lost(Session(Terminal()), task())
    hint = refused.value.diagnostics[0].hint or ""
    assert hint.startswith("refs/jailoc/api/fix.wip has what was in its files;")
    assert hint.endswith("; --force removes all the same")
    assert "task fetch" not in hint
    state = CloneState("a" * 40, 1, False, elsewhere=True)
    with pytest.raises(Refused) as refused:
        task_command._nothing_lost(Session(Terminal()), task())
    assert "a stash or a detached HEAD has comes with no fetch" in str(
        refused.value.diagnostics[0].hint
    )


def test_what_was_fetched_of_nothing_does_not_hide_what_came_since(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = task().model_copy(update={"fetched": task().base})
    monkeypatch.setattr(task_command, "_opened", lambda *_: (None, None))
    monkeypatch.setattr(task_command, "_known", lambda *_: nothing)
    shown = task_fetch.TaskText("b" * 40, ["commit"])
    monkeypatch.setattr(task_fetch, "preview", lambda *_, **__: shown)
    assert task_command.show(Session(Terminal()), "api/fix", "log") == 0
    told = capsys.readouterr()
    assert ("not fetched yet, so its agent may still" in told.err, told.out) == (True, "commit\n")


def test_what_stays_of_a_removed_task_is_told_with_what_removes_it(
    working: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def references(*_: object) -> list[str]:
        asked.append("")
        return [task().reference, task().pending]

    monkeypatch.setattr(docker, "check_engine", lambda: None)
    monkeypatch.setattr(task_clone, "clear", tuple)
    monkeypatch.setattr(destroy, "run", lambda *_, **__: 0)
    monkeypatch.setattr(task_fetch, "references", references)
    result = working.run("task", "rm", "api/fix", "--force")
    for each in ("refs/jailoc/api/fix", "refs/jailoc/api/fix.wip"):
        assert f"{each} stays; `git -C /srv/api update-ref -d {each}` removes it" in result.stderr
    assert asked == [""]


@pytest.mark.parametrize("there", [True, False])
def test_a_task_that_goes_on_is_told_when_its_workspace_is_stopped(
    working: Person, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    task_records.write(task("rests", 4601))
    monkeypatch.setattr(docker, "check", lambda: None)
    monkeypatch.setattr(containers, "project_objects", lambda _: there)
    monkeypatch.setattr(containers, "down", lambda *_, **__: None)
    running = {"api_fix"}
    monkeypatch.setattr(container_list, "working", lambda: frozenset(running))
    told = "1 task of api goes on: `jailoc down api/fix` stops it"
    assert told in working.run("down", "api").stderr
    running.add("api_rests")
    told = "2 tasks of api go on: `jailoc down api/fix`, `jailoc down api/rests` stop them"
    assert told in working.run("down", "api").stderr
    result = working.run("down", "api/fix")
    assert "go on" not in result.stderr
    assert "api_fix" not in result.stderr
    assert ("stopping api/fix" in result.stderr) is there
    running.clear()
    assert "on: " not in working.run("down", "api").stderr


def test_a_task_without_commits_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for tip, begun in ((task().base, True), ("b" * 40, False)):
        shown = task_fetch.TaskText(tip, [])
        monkeypatch.setattr(task_command, "_opened", lambda *_: (None, None))
        monkeypatch.setattr(task_command, "_known", lambda *_: task())
        monkeypatch.setattr(task_fetch, "preview", lambda *_, shown=shown, **__: shown)
        assert task_command.show(Session(Terminal()), "api/fix", "log") == 0
        told = capsys.readouterr().err
        assert ("where the task began: it has no commit of its own" in told) == begun


@pytest.mark.parametrize(("new", "offered"), [(0, False), (1, True)])
def test_nothing_that_came_is_no_merge(
    new: int, offered: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        task_command,
        "_opened",
        lambda *_: (
            SimpleNamespace(config=None, host=SimpleNamespace(named=(), trees={})),
            None,
        ),
    )
    monkeypatch.setattr(task_command, "_known", lambda *_: task())
    monkeypatch.setattr(task_command, "protected", lambda *_: ())
    came = SimpleNamespace(
        tip="b" * 40, new=new, changed=(), targets={}, links=(), tree=(), passing=(), before=()
    )
    monkeypatch.setattr(task_fetch, "fetch", lambda *_, **__: came)
    monkeypatch.setattr(task_command, "obeyed", lambda *_: [])
    assert (
        task_command.fetch(Session(Terminal()), "api/fix", unrelated=False, uncommitted=False) == 0
    )
    assert ("git merge" in capsys.readouterr().err) == offered
    came.tip = task().base
    task_command.fetch(Session(Terminal()), "api/fix", unrelated=False, uncommitted=False)
    told = capsys.readouterr().err
    assert told.endswith("api/fix: nothing to fetch: it has no commit of its own yet\n")
    assert "refs/jailoc" not in told
