"""What is looked at of a repository before it is cloned for a task."""

import pytest

from jailoc.bin.deploy.task_clone import hides
from jailoc.generators.config.resolve import resolve
from tests.strategies import HOST, Value, config_of, toml


@pytest.mark.parametrize(
    ("table", "hidden"),
    [
        ({"paths": ["/p"]}, False),
        ({"paths": ["/p"], "mounts": ["/a:/p/secret:ro"]}, True),
        ({"paths": ["/p"], "mounts": ["/a:/p/api/secret:ro"]}, True),
        ({"paths": ["/p"], "mounts": ["/a:/p/other/secret:ro"]}, False),
        ({"mounts": ["/p:/work:rw", "/a:/work/api/secret:ro"]}, True),
        ({"mounts": ["/p:/work:rw", "/a:/work/other:ro"]}, False),
    ],
)
def test_what_something_hides_of_a_repository_no_filter_is_shown(
    table: dict[str, Value], hidden: bool
) -> None:
    """An agent's filter runs where Git looks for what is not committed; a pipe leads out."""
    workspace = resolve(config_of(toml({"a": table})), "a", HOST)
    place = "/p" if "/p/secret" in str(table) else "/p/api"
    assert hides(workspace, place) == hidden
