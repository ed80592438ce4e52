"""What is looked at of a repository before it is cloned for a task."""

import pytest

from jailoc.bin.deploy.task_clone import sees_whole
from jailoc.generators.config.resolve import resolve
from tests.strategies import HOST, Value, config_of, toml


@pytest.mark.parametrize(
    ("table", "whole"),
    [
        ({"paths": ["/p"]}, True),
        ({"paths": ["/p"], "mounts": ["/a:/p/secret:ro"]}, False),
        ({"paths": ["/p"], "mounts": ["/a:/p/api/secret:ro"]}, False),
        ({"paths": ["/p"], "mounts": ["/a:/p/other/secret:ro"]}, True),
        ({"mounts": ["/p:/work:rw", "/a:/work/api/secret:ro"]}, False),
        ({"mounts": ["/p:/work:rw", "/a:/work/other:ro"]}, True),
        ({"paths": ["/p"], "mounts": ["/p:/work:rw", "/a:/work/api/secret:ro"]}, True),
    ],
)
def test_what_something_hides_of_a_repository_no_filter_is_shown(
    table: dict[str, Value], whole: bool
) -> None:
    """An agent's filter runs where Git looks for what is not committed; a pipe leads out."""
    workspace = resolve(config_of(toml({"a": table})), "a", HOST)
    place = "/p" if "/p/secret" in str(table) else "/p/api"
    assert sees_whole(workspace, place) == whole
