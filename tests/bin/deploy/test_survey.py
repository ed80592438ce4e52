"""What `status` says of a workspace follows from what was looked at, and from nothing else."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from jailoc.bin.deploy import apply, observe, survey
from jailoc.bin.engine import images, stats

NOTHING: Any = None


@pytest.mark.parametrize(
    ("empty", "unseen", "drift"),
    [(True, (), False), (False, (), True), (False, ("what the firewall holds",), True),
     (True, ("what the firewall holds",), None)],
)  # fmt: skip
def test_where_the_engine_answered_only_in_part_no_drift_is_unknown(
    monkeypatch: pytest.MonkeyPatch, empty: bool, unseen: tuple[str, ...], drift: bool | None
) -> None:
    def given(found: object) -> Any:
        return lambda *_, **__: found

    monkeypatch.setattr(apply, "item", given(SimpleNamespace(bundle=None)))
    monkeypatch.setattr(observe, "observe", given(SimpleNamespace(containers={})))
    monkeypatch.setattr(
        apply,
        "planned",
        given(
            SimpleNamespace(
                empty=empty,
                unseen=unseen,
                drift=(),
                changes=() if empty else (SimpleNamespace(address=None),),
            )
        ),
    )
    session: Any = SimpleNamespace(terminal=None)
    bundle: Any = SimpleNamespace(workspace="api")
    found = survey.drifted(session, NOTHING, bundle, NOTHING)
    assert found.any is drift


def test_several_workspaces_are_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=20)
    monkeypatch.setattr(images, "held", lambda _: {})
    monkeypatch.setattr(stats, "usage", lambda _: {})

    def look(asked: survey.AskedWorkspace, *_: object) -> str:
        both.wait()
        return asked.name

    monkeypatch.setattr(survey, "_row", look)
    rows: Any = survey._rows(NOTHING, None, {"a": {}, "b": {}}, {}, ())
    assert rows == ("a", "b")
