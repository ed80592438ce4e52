"""Whether a container still has the network of its wall, from what the engine reports."""

import json
from typing import Any

import pytest

from jailoc.bin.engine import container_list, containers, disk, images, inspect_fields, named
from jailoc.bin.engine.containers import Container, severed
from jailoc.bin.engine.docker import DockerError
from jailoc.model.diagnostic import Refused

EARLY, LATE = "2026-11-26T15:00:00.5Z", "2026-11-26T15:00:00.500000001Z"


def container(service: str, **changes: object) -> Container:
    given: dict[str, object] = {
        "id": service, "service": service, "project": "jailoc-api", "state": "running",
        "health": "", "exit_code": 0, "ports": (), "started": LATE, "image": "x",
    }  # fmt: skip
    return Container.model_validate(given | changes)


@pytest.mark.parametrize(
    ("agent", "wall", "cause"),
    [
        ({}, {"started": EARLY}, ""),
        ({"started": EARLY}, {}, "the firewall restarted"),
        ({"started": "2026-11-26T15:00:01Z"}, {"started": "2026-11-26T15:00:00.999Z"}, ""),
        ({"started": LATE}, {"started": LATE}, ""),
        ({"joins": "before"}, {"started": EARLY}, "the firewall was replaced"),
        ({}, {"state": "exited", "started": EARLY}, "the firewall has ended"),
        ({}, {"state": "restarting", "started": EARLY}, "the firewall has ended"),
        ({}, {"state": "paused", "started": EARLY}, ""),
        ({"state": "exited", "started": EARLY}, {}, ""),
        ({"joins": None, "started": EARLY}, {}, ""),
    ],
)
def test_a_wall_that_started_later_has_another_network(
    agent: dict[str, object], wall: dict[str, object], cause: str
) -> None:
    there = container("opencode", **({"joins": "firewall"} | agent))
    assert severed(there, container("firewall", **wall)) == cause


def test_without_a_wall_there_is_no_network() -> None:
    assert severed(container("opencode", joins="firewall"), None) == "the firewall is gone"
    assert severed(None, container("firewall")) == ""


@pytest.mark.parametrize(
    ("told", "health"),
    [
        ({"Status": "unhealthy", "FailingStreak": 0}, "starting"),
        ({"Status": "unhealthy", "FailingStreak": 1}, "unhealthy"),
        ({"Status": "unhealthy"}, "unhealthy"),
        ({"Status": "healthy", "FailingStreak": 0}, "healthy"),
        ({}, ""),
    ],
)
def test_who_was_halted_is_unwell_only_once_a_check_has_failed(
    told: dict[str, object], health: str
) -> None:
    assert inspect_fields.health(told) == health


def row(*fields: str) -> str:
    """Return a row as `docker.table` asks for it."""
    return f"{json.dumps(fields, ensure_ascii=False)}\n"


MARKS = ("\u2028", "\x85", "\x0b", "\x1c", "\u3000", "\xa0", "\r")


@pytest.mark.parametrize("mark", MARKS)
def test_a_name_with_what_ends_lines_elsewhere_stays_one(
    mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(text: str) -> Any:
        return lambda *_, **__: text

    monkeypatch.setattr(
        container_list,
        "run",
        answers(row("i", "jailoc-a-s-1", "s", "jailoc-a", f"/u/pro{mark}ject")),
    )
    (one,) = container_list.listed()
    assert one == container_list.Listed("i", "jailoc-a-s-1", "s", "jailoc-a", f"/u/pro{mark}ject")
    monkeypatch.setattr(named, "run", answers(row(f"jailoc-a_net{mark}work", "jailoc-a")))
    assert containers.owned("network") == {f"jailoc-a_net{mark}work": "jailoc-a"}
    monkeypatch.setattr(named, "run", answers(row("shop-db", "jailoc-a")))
    assert containers.owned("network") == {}, "that is of somebody's own compose file"
    monkeypatch.setattr(named, "run", answers(""))
    assert containers.owned("network") == {}
    monkeypatch.setattr(disk, "run", answers(row("image", f"pro{mark}ject")))
    assert disk.in_use() == {"image": {f"pro{mark}ject"}}
    monkeypatch.setattr(images, "run", answers(f'sha256:a\t{{"Env": ["A=1"], "User": "{mark}"}}\n'))
    if mark >= "\x80":  # others are written as `\\u0085` and the like in JSON
        assert images.held(["x"])["x"].environment == {"A": "1"}


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("jailoc-a-proxy-1", True),
        ("0123456789ab_jailoc-a-proxy-1", True),  # about to replace another
        ("app", False),
        ("jailoc-a-proxy", False),
        ("jailoc-a-firewall-1", False),
        ("jailoc-a-proxy-1-1", False),
        ("x_jailoc-a-proxy-1", False),
    ],
)
def test_a_container_with_the_labels_of_a_workspaces_alone_is_none_of_it(
    name: str, ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A label may hold what looks like a row.
    lines = row("i", name, "proxy", "jailoc-a", "") + row(
        "j", "any", '"]\n["k","jailoc-a-proxy-1","proxy","jailoc-a",""]\n', "shop", "/shop"
    )
    monkeypatch.setattr(container_list, "run", lambda *_, **__: lines)
    found = {each.id for each in container_list.listed()}
    assert found == ({"i", "j"} if ours else {"j"})
    if ours:
        assert container_list.listed("jailoc-a")
        return
    with pytest.raises(Refused) as refused:
        container_list.listed("jailoc-a")
    (only,) = refused.value.diagnostics
    assert only.code == "feigned"
    assert f"`docker rm --force {name}`" in str(only.hint)


def test_one_with_labels_without_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Compose counts for the workspace counts here, and keeps nothing else from being seen."""
    big, small, other = (
        container_list.Listed(name, f"jailoc-a-{name}-1", name, "jailoc-a", place)
        for name, place in (("web", ""), ("opencode", ""), ("db", "/somebody's"))
    )

    def run(words: list[str], **_: object) -> str:
        if words[1:] != ["opencode"]:
            raise DockerError("inspecting", words, 141, "", cut=True)
        return '[{"Id": "1", "Config": {"Labels": {}}}]'

    monkeypatch.setattr(containers, "run", run)
    assert containers.inspected(there=(small, other)) == [{"Id": "1", "Config": {"Labels": {}}}]
    with pytest.raises(Refused, match="`jailoc-a-web-1` has more labels") as refused:
        containers.inspected("jailoc-a", (small, big))
    assert refused.value.diagnostics[0].hint == "`docker rm --force jailoc-a-web-1`"
