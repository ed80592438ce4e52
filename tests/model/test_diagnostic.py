"""Which workspaces a problem is about."""

import pytest

from jailoc.model.diagnostic import Diagnostic


@pytest.mark.parametrize(
    ("where", "message", "names", "about"),
    [
        ("workspaces.api.paths[0]", "x", {"api"}, True),
        ("workspaces.api.paths[0]", "x", {"web"}, False),
        ("workspaces.api", "x", {"ap"}, False),
        ('workspaces."a-b".port', "x", {"a-b"}, True),
        ("workspaces.api.memory", "x", {"api/task"}, True),
        ("workspaces.web.memory", "x", {"api/task"}, False),
        ("workspaces.web.paths[0]", "path `/a` is in workspace `api` and in `web`", {"api"}, True),
        ("workspaces.web.paths[0]", "path `/a` is in workspace `api` and in `web`", {"ap"}, False),
        ("defaults.memory", "x", {"api"}, True),
        (None, "x", {"api"}, True),
    ],
)
def test_a_problem_is_about_the_workspaces_that_it_stands_at_or_names(
    where: str | None, message: str, names: set[str], about: bool
) -> None:
    assert Diagnostic(code="c", message=message, where=where).about(names) is about
