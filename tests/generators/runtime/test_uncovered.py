"""What came after the start is found by comparing what is wanted with what was started."""

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import resolve
from jailoc.generators.runtime.uncovered import MOST, told, uncovered
from jailoc.model.host import FileKind, Host, Repository, Tree
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
                        settings=("core.fsmonitor = evil",),
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
        "/data/p/new/.git/commondir",
    )


def test_what_was_covered_at_the_start_is_not_told() -> None:
    assert lines(host("/data/p/.git"), host("/data/p/.git")) == ()
    assert lines(None, host("/data/p/.git")) == ()


def test_many_are_counted() -> None:
    found = lines(host(), host(*(f"/data/p/{index}/.git" for index in range(50))))
    assert len(found) == MOST + 1
    assert found[-1] == f"and {150 - MOST} more"
