"""The log of a real start: every call of docker, and no value of anything."""

import re

import pytest

from tests.engine.conftest import HOSTILE_ENV, Sandbox

pytestmark = pytest.mark.engine


def test_the_log_of_a_start_names_the_docker_calls_and_no_value(sandbox: Sandbox) -> None:
    sandbox.user.ok("status", "walled")
    text = (sandbox.user.home / ".cache/jailoc/jailoc.log").read_text()
    calls = re.findall(
        r'level=DEBUG msg=docker argv="docker ([^"]*)" status=0 seconds=[\d.]+', text
    )
    for words in ("compose --project-name jailoc-walled", "version", "inspect", "exec"):
        assert any(each.startswith(words) for each in calls), words
    values = [value for value in HOSTILE_ENV.values() if len(value) > 6]
    for value in (sandbox.user.password("walled"), *values):
        assert value not in text
