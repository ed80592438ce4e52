"""What an agent can write all the same: it came after the start, has lapsed, or is a link."""

from jailoc.bin.deploy import sharing
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime.uncovered import (
    GONE,
    SECRET,
    UNMOUNTED,
    Uncovered,
    beyond,
    executed,
    poisoned,
    told,
    told_open,
    uncovered,
)
from jailoc.model.deployed import Applied
from jailoc.model.host import FileKind, Host, Repository, Tree
from jailoc.model.repository import MADE
from tests.strategies import config_of, toml

TEXT = toml({"a": {"paths": ["/data/p"]}})


def host(*directories: str) -> Host:
    return Host(
        home="/home/a",
        trees={
            "/data/p": Tree(
                repositories=tuple(
                    Repository(
                        directory=each,
                        kinds={"config": FileKind.FILE, "hooks": FileKind.DIRECTORY},
                        hooks=("hook pre-commit",),
                        settings={"config": ("core.fsmonitor = evil",)},
                    )
                    for each in directories
                )
            )
        },
    )


def lines(before: Host | None, now: Host) -> tuple[str, ...]:
    config = config_of(TEXT, now)
    running = compile_workspace(config, "a", before).compose if before else None
    return told(uncovered(resolve(config, "a", now), running))


def test_a_new_repository_is_told_with_what_it_would_execute() -> None:
    before, now = host("/data/p/.git"), host("/data/p/.git", "/data/p/new/.git")
    assert lines(before, now) == (
        "/data/p/new/.git/config (core.fsmonitor = evil)",
        "/data/p/new/.git/hooks (hook pre-commit)",
        "/data/p/new/.git/branches",
        "/data/p/new/.git/commondir",
        "/data/p/new/.git/remotes",
    )


def test_what_was_covered_at_the_start_is_not_told() -> None:
    assert lines(host("/data/p/.git"), host("/data/p/.git")) == ()
    assert lines(None, host("/data/p/.git")) == ()


def test_what_is_read_only_further_out_covers_nothing_in_a_writable_mount_within() -> None:
    text = toml({"a": {"paths": ["/data/p"], "mounts": ["/data:/data:ro"]}})
    before, now = host("/data/p/.git"), host("/data/p/.git", "/data/p/new/.git")
    running = compile_workspace(config_of(text, before), "a", before).compose
    workspace = resolve(config_of(text, now), "a", now)
    names = ("branches", "commondir", "config", "hooks", "remotes")
    assert [each.path for each in uncovered(workspace, running)] == [
        f"/data/p/new/.git/{each}" for each in names
    ]
    applied_ = Applied(
        config="/c", names=("a",), bundle="", files={}, compose=running, builds=(), images={},
        firewall=compile_workspace(config_of(text, before), "a", before).firewall, secrets={},
        observed={}, executes={},
    )  # fmt: skip
    assert not sharing.shut(applied_, "/data/p/.git")
    assert sharing.shut(applied_, "/data/p/.git/hooks/x")
    assert sharing.shut(applied_, "/data/q/.git")
    assert not sharing.shut(applied_, "/else")
    assert not sharing.shut(None, "/data/q")


def test_none_of_many_is_left_out() -> None:
    assert len(lines(host(), host(*(f"/data/p/{index}/.git" for index in range(50))))) == 250


def test_a_cover_that_is_gone_is_told_with_what_the_host_would_execute() -> None:
    now = host("/data/p/.git")
    config = config_of(TEXT, now)
    running = compile_workspace(config, "a", now).compose
    (found,) = uncovered(resolve(config, "a", now), running, ["/data/p/.git/config"])
    assert told([found]) == (f"/data/p/.git/config (core.fsmonitor = evil): {GONE}",)


def test_of_very_much_that_lies_below_a_place_some_is_shown() -> None:
    found = Uncovered(path="/p/.idea", executes=tuple(f"w{each}" for each in range(20)))
    assert told([found]) == ("/p/.idea (w0; w1; w2; w3; w4; w5; w6; w7; and 12 more)",)


def test_a_key_to_the_users_server_that_came_later_or_shows_again_is_told() -> None:
    file = "/home/a/.config/opencode/service.json"
    before = Host(home="/home/a", kinds={"/home/a/.config/opencode": FileKind.DIRECTORY})
    now = before.model_copy(update={"private": (file,)})
    place = "/home/agent/.config/opencode/service.json"
    config = config_of(TEXT, now)
    first = compile_workspace(config, "a", before).compose
    second = compile_workspace(config, "a", now).compose
    workspace = resolve(config, "a", now)
    assert told(uncovered(workspace, first)) == (f"{place} ({SECRET})",)
    assert uncovered(workspace, second) == ()
    assert told(uncovered(workspace, second, [place])) == (f"{place} ({SECRET}): {GONE}",)


def test_what_cannot_be_covered_is_told_with_the_reason_unless_it_is_trusted() -> None:
    link = "/data/p/.git/index"
    now = Host(home="/home/a", trees={"/data/p": Tree(followed={link: "/home/a/.bashrc"})})
    (line,) = told(beyond(resolve(config_of(TEXT, now), "a", now)))
    assert line.startswith(f"{link}: it is a symbolic link")
    trusting = config_of(f'trust = ["{link}"]\n{TEXT}', now)
    assert beyond(resolve(trusting, "a", now)) == ()


def applied(there: Host, **more: object) -> Applied:
    config = config_of(TEXT, there)
    bundle = compile_workspace(config, "a", there)
    executes = executed(resolve(config, "a", there))
    record = Applied(
        config="", names=("a",), bundle="", files={}, compose=bundle.compose, executes=executes,
        firewall=bundle.firewall, builds=(), images={}, secrets={}, observed={},
    )  # fmt: skip
    return record.model_copy(update=more)


def poisonous(record: Applied | None, now: Host, lapsed: tuple[str, ...] = ()) -> list[str]:
    workspace = resolve(config_of(TEXT, now), "a", now)
    return sorted(
        each.path.removeprefix("/data/p/") for each in poisoned(workspace, record, lapsed)
    )


def test_what_an_agent_could_write_before_it_is_covered_is_told() -> None:
    before, now = host("/data/p/.git"), host("/data/p/.git", "/data/p/new/.git")
    new = sorted(f"new/.git/{name}" for name in MADE)
    assert poisonous(applied(before), now) == new
    assert poisonous(applied(now), now) == []
    assert poisonous(applied(now), now, ("/data/p/.git/config",)) == [".git/config"]
    # Nobody could have written anything.
    assert poisonous(None, now) == []


def test_what_was_not_writable_for_the_agent_is_not_told() -> None:
    other = host("/data/p/.git")
    elsewhere = config_of(toml({"a": {"paths": ["/data/q"]}}), other)
    record = applied(other, compose=compile_workspace(elsewhere, "a", other).compose)
    assert poisonous(record, other) == []


def test_what_executes_more_than_when_it_was_covered_is_told() -> None:
    now = host("/data/p/.git")
    calm = {"/data/p/.git/hooks": ("hook pre-commit",)}
    assert poisonous(applied(now, executes=calm), now) == [".git/config"]
    assert poisonous(applied(now, executes=None), now) == []


def test_a_git_directory_is_told_when_it_is_covered_as_a_whole_and_not_when_a_part_is_left() -> (
    None
):
    now = host("/data/p/.git")
    whole = config_of(f"{TEXT}git_write = false\n", now)
    assert [each.path for each in poisoned(resolve(whole, "a", now), applied(now), ())] == [
        "/data/p/.git"
    ]
    closed = applied(
        now,
        compose=compile_workspace(whole, "a", now).compose,
        executes=executed(resolve(whole, "a", now)),
    )
    assert poisonous(closed, now) == []
    assert uncovered(resolve(config_of(TEXT, now), "a", now), closed.compose) == ()


def test_a_mount_of_the_users_that_is_gone_is_told() -> None:
    now = host("/data/p/.git")
    config = config_of(f"{TEXT}mounts = ['/data/public:/data/p/secret:ro']\n", now)
    running = compile_workspace(config, "a", now).compose
    workspace = resolve(config, "a", now)
    assert told_open(workspace, running, ()) == ()
    (line,) = told_open(workspace, running, ("/data/p/secret",))
    assert line == f"/data/p/secret: {UNMOUNTED}"


def test_no_crowd_of_one_kind_hides_another() -> None:
    crowd = [Uncovered(path=f"/p/+{each:02}/.git/{name}", executes=("core.pager = cat",))
             for each in range(40) for name in ("config", "hooks")]  # fmt: skip
    quiet = [Uncovered(path=f"/p/{name}") for name in (".envrc", ".vscode", "z/mise.toml")]
    crowd.append(Uncovered(path="/p/zz/.git/config", executes=("core.fsmonitor = x",)))
    first = told([*crowd, *quiet])[:10]
    assert {each.path for each in quiet} <= {*first}
    assert any("config (core.pager" in each for each in first)
    assert "/p/zz/.git/config (core.fsmonitor = x)" in first
