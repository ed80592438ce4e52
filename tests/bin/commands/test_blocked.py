"""`blocked` where an agent has tried very many places."""

import json
import re
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jailoc.bin.commands import blocked
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import existence
from jailoc.bin.engine import containers, task_limit
from jailoc.bin.engine.containers import Container
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.runtime.resolver_state import RefusedName, ResolverState
from jailoc.model.rule_match import MOST_PLACES
from jailoc.model.sandbox import AGENT, WALL, project
from jailoc.schemas import schema
from tests.generators.runtime.test_blocked import line

MANY = MOST_PLACES - 1
NAMES = blocked.MOST_SHOWN + 7


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Return that of a running workspace with a full table, whose last line is its last attempt."""
    file = tmp_path / "config.toml"
    file.write_text('[workspaces.a]\negress = "allowlist"\n')
    text = "".join(
        line(
            f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}",
            443,
            1,
            MANY - number,
        )
        for number in range(MANY)
    )
    now = int(time.time())
    state = ResolverState(
        refused={f"n{each}.test": RefusedName(count=1, last=now - each) for each in range(NAMES)}
    )
    there = [
        Container(id=each, service=each, project=project("a"), state="running", health="healthy",
                  exit_code=0, ports=(), started="", image="")
        for each in (WALL, AGENT)
    ]  # fmt: skip
    monkeypatch.setattr(existence, "running", lambda *_: None)
    monkeypatch.setattr(containers, "containers", lambda *_: there)
    monkeypatch.setattr(containers, "refusals", lambda _: {"ipt_hashlimit/jailoc-tcp": text})
    monkeypatch.setattr(containers, "names", lambda _: state)
    monkeypatch.setattr(task_limit, "refused", lambda *_: None)
    return Session(Terminal(color=False), str(file), "a", clock=lambda: float(now))


def shown(session: Session, capsys: pytest.CaptureFixture[str], *, follow: bool) -> list[str]:
    capsys.readouterr()
    blocked.run(session, follow=follow, as_json=False)
    out, err = capsys.readouterr()
    assert f"{MANY - blocked.MOST_SHOWN + 7} earlier places not shown" in err
    return [each for each in out.splitlines() if "because of" in each]


def test_of_very_many_places_the_last_ones_are_shown(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = time.process_time()
    lines = shown(session, capsys, follow=False)
    bounded = time.process_time() - begin
    assert len(lines) == 2 * blocked.MOST_SHOWN
    last = f"198.18.{(MANY - 1) // 256}.{(MANY - 1) % 256}"
    assert sum(last in each for each in lines) == 1
    assert "198.18.0.0 " not in "".join(lines)
    assert sum("n0.test" in each for each in lines) == 1
    begin = time.process_time()
    blocked.run(session, follow=False, as_json=True)
    assert len(json.loads(capsys.readouterr().out)["blocked"]) == MANY + NAMES, "JSON has all"
    assert bounded < (time.process_time() - begin) / 2


def test_who_follows_gets_no_more_at_once(
    session: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    assert len(shown(session, capsys, follow=True)) == 2 * blocked.MOST_SHOWN
    assert len(looks) == 2


def test_the_columns_have_heads_and_what_nobody_should_open_says_why(
    session: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {"ipt_hashlimit/jailoc-tcp": line("169.254.169.254", 80, 2, 60)}
    monkeypatch.setattr(containers, "refusals", lambda _: tables)
    monkeypatch.setattr(containers, "names", lambda _: ResolverState())
    blocked.run(session, follow=False, as_json=False)
    head, told, why = capsys.readouterr().out.splitlines()
    assert head.split() == ["last", "times", "to,", "by", "protocol", "and", "port"]
    assert told[head.index("to,") :].startswith("169.254.169.254  tcp 80  because of ")
    assert told[: head.index("to,")].rstrip().endswith("2")
    assert why.strip().startswith("no entry is offered: 169.254.169.254 is the meta")


def test_where_nothing_was_refused_there_are_no_heads(
    session: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "refusals", lambda _: {})
    monkeypatch.setattr(containers, "names", lambda _: ResolverState())
    blocked.run(session, follow=False, as_json=False)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "a: nothing has been refused\n")


def kept_by(refused: list[Any], *, others: int = 0, lost: int = 0) -> dict[str, str]:
    now = int(time.time())
    seen = {"count": 1, "first": now, "last": now}
    return {
        "now": str(now),
        "evidence": json.dumps(
            {
                "version": 1, "lost": lost, "others": {"refused": others},
                "refused": [[*each, seen] for each in refused],
            }
        ),
    }  # fmt: skip


def test_a_protocol_without_a_name_is_told_by_its_number(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = kept_by([["10.1.2.3", 132, 0], ["10.1.2.3", 200, 0], ["10.1.2.3", 6, 5432]])
    monkeypatch.setattr(containers, "refusals", lambda _: tables)
    monkeypatch.setattr(containers, "names", lambda _: ResolverState())
    blocked.run(session, follow=False, as_json=True)
    data = json.loads(capsys.readouterr().out)
    jsonschema.validate(data, schema("blocked"))
    assert {each["protocol"] for each in data["blocked"]} == {"sctp", "200", "tcp"}
    blocked.run(session, follow=False, as_json=False)
    out = capsys.readouterr().out
    assert "10.1.2.3  protocol 200  because of" in out
    assert "10.1.2.3  tcp 5432  because of" in out


@pytest.mark.parametrize("word", ["tcp\n", "132\n", "-1", "0x84", "1000", "", "st"])
def test_the_schema_takes_no_other_protocol(word: str) -> None:
    shape = schema("blocked")["properties"]["blocked"]["items"]["properties"]["protocol"]
    jsonschema.validate("136", shape)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(word, shape)


def test_who_follows_hears_of_what_is_left_out_between_two_looks(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """More at once than is shown, or than is kept: the number of the others is told, once."""
    crowd = [["10.2.0.1", 17, 1 + each] for each in range(blocked.MOST_SHOWN + 9)]
    looks = [
        kept_by([["10.1.2.3", 6, 5432]]),
        kept_by([["10.1.2.3", 6, 5432], *crowd], others=12, lost=3),
        kept_by([["10.1.2.3", 6, 5432], *crowd], others=12, lost=3),
    ]
    shown = iter(looks)
    monkeypatch.setattr(containers, "refusals", lambda _: next(shown))
    monkeypatch.setattr(containers, "names", lambda _: ResolverState())
    naps = iter((None, None))

    def sleep(_: float) -> None:
        try:
            next(naps)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(time, "sleep", sleep)
    blocked.run(session, follow=True, as_json=False)
    out, err = capsys.readouterr()
    lines = [each for each in out.splitlines() if "because of" in each]
    left = re.findall(r"(\d+) earlier places? not shown", err)
    assert len(left) == 1, err
    assert len(lines) + int(left[0]) == 1 + len(crowd)
    assert err.count("12 refusals at further places were not kept") == 1
    assert err.count("3 connections were not seen") == 1
