"""A workspace that was started on one engine, looked at from another one."""

import json
from types import SimpleNamespace

import pytest

from jailoc.bin.deploy import elsewhere, observe
from jailoc.bin.engine import containers, door
from jailoc.model.diagnostic import Refused

FORMER, NOW = "unix:///run/former.sock", "unix:///run/now.sock"


@pytest.mark.parametrize(
    ("recorded", "there", "here", "found"),
    [
        ({"DOCKER_HOST": FORMER}, "1\n", (), FORMER),
        ({"DOCKER_HOST": FORMER}, "1\n", ("2",), FORMER),
        ({"DOCKER_HOST": FORMER}, "1\n", ("1", "2"), None),  # the same by another name
        ({"DOCKER_HOST": FORMER}, "", (), None),
        ({"DOCKER_HOST": FORMER}, None, (), None),  # it does not answer
        ({"DOCKER_HOST": NOW}, "1\n", (), None),
        ({"DOCKER_HOST": "ssh://build.example.com"}, "1\n", (), None),  # other files
        ({"DOCKER_CONTEXT": "secured"}, "1\n", (), None),
        ({}, "1\n", (), None),  # the record of an earlier version
        (None, "1\n", (), None),
    ],
)
@pytest.mark.parametrize("service", ["opencode", "dind"])
def test_an_agent_on_another_engine_is_not_overlooked(
    monkeypatch: pytest.MonkeyPatch,
    recorded: dict[str, str] | None,
    there: str | None,
    here: tuple[str, ...],
    found: str | None,
    service: str,
) -> None:
    asked: list[str] = []

    def answer(call: door.Call) -> door.Reply:
        assert call.arguments[0] == "ps"
        assert "label=com.docker.compose.project=jailoc-api" in call.arguments
        assert "DOCKER_CONTEXT" not in call.environment
        asked.append(call.environment["DOCKER_HOST"])
        # What only says that it is one of the workspace's is none.
        rows = [["7", "app", service, "jailoc-api", ""]]
        for each in (there or "").split():
            rows.append([each, f"jailoc-api-{service}-1", service, "jailoc-api", "/c"])
        told = "\n".join(map(json.dumps, rows))
        return door.Reply(0 if there is not None else 1, told.encode(), b"")

    applied = None if recorded is None else SimpleNamespace(engine=recorded)
    monkeypatch.setattr(observe, "last", lambda _: applied)
    monkeypatch.setattr(
        containers, "containers", lambda _: tuple(SimpleNamespace(id=each) for each in here)
    )
    monkeypatch.setenv("DOCKER_HOST", NOW)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    with door.answered(answer):
        assert elsewhere.running("api") == found
        told = elsewhere.told("api")
        if found is None:
            assert told is None
            elsewhere.check("api")
        else:
            assert told == f"its agent runs on another engine, at {FORMER}"
            with pytest.raises(Refused) as refused:
                elsewhere.check("api")
            (only,) = refused.value.diagnostics
            assert only.code == "engine-other"
            assert only.hint == f"`DOCKER_HOST={FORMER} jailoc down api` stops it there"
    assert {*asked} <= {FORMER}
