"""What the wall keeps of what the kernel tells: bounded, whole, and no byte of what was sent."""

import json
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.assets.evidence import (
    MOST,
    MOST_NAMES,
    Packet,
    Recorder,
    destination,
    events,
)
from jailoc.model.evidence import merged, read


def packet4(address: str, port: int, protocol: int = 6, offset: int = 0) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 64, 0, offset, 64, protocol, 0)
    return head + socket.inet_aton("10.0.0.2") + socket.inet_aton(address) + struct.pack(
        "!HH", 40000, port
    ) + b"secret"  # fmt: skip


def packet6(address: str, port: int, extensions: bytes = b"", following: int = 6) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, 64, following, 64)
    return head + bytes(16) + socket.inet_pton(socket.AF_INET6, address) + extensions + struct.pack(
        "!HH", 40000, port
    )  # fmt: skip


def message(packet: bytes, prefix: str = "r", sequence: int = 1, group: int = 1000) -> bytes:
    body = struct.pack("!BBH", 2, 0, 7)
    for kind, value in (
        (10, prefix.encode() + b"\0"), (9, packet), (12, struct.pack("!I", sequence)),
        (14, struct.pack("!I", group)),
    ):  # fmt: skip
        body += struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    return struct.pack("=IHHII", 16 + len(body), 0x400, 0, 0, 0) + body


@pytest.mark.parametrize(
    ("packet", "wanted"),
    [
        (packet4("11.22.33.44", 443), ("11.22.33.44", 6, 443)),
        (packet4("11.22.33.44", 53, 17), ("11.22.33.44", 17, 53)),
        (packet4("11.22.33.44", 443, 1), ("11.22.33.44", 1, 0)),
        (packet4("11.22.33.44", 443, 6, 5), ("11.22.33.44", 6, 0)),  # a later fragment
        (packet6("2a0f::1", 443), ("2a0f::1", 6, 443)),
        (packet6("2a0f::1", 443, bytes([6, 0, *bytes(6)]), 0), ("2a0f::1", 6, 443)),
        (packet6("2a0f::1", 443, bytes([17, 0, 0, 8, 0, 0, 0, 0]), 44), ("2a0f::1", 17, 0)),
        (b"", None),
        (b"\x20" * 40, None),
    ],
)
def test_a_destination_is_read_from_the_first_bytes(
    packet: bytes, wanted: tuple[str, int, int] | None
) -> None:
    assert destination(packet) == wanted


def test_a_message_of_the_kernel_is_read_with_prefix_group_and_number() -> None:
    data = message(packet4("11.22.33.44", 443), "d", 7, 65531) + message(packet6("2a0f::1", 1))
    first, second = events(data)
    assert first == Packet("d", "11.22.33.44", 6, 443, 65531, 7)
    assert (second.prefix, second.address) == ("r", "2a0f::1")


@given(st.binary(max_size=200), st.integers(0, 120))
def test_no_bytes_break_the_reader(noise: bytes, cut: int) -> None:
    whole = message(packet4("11.22.33.44", 443))
    for data in (noise, whole[:cut], whole[:cut] + noise, noise + whole):
        list(events(data))


def recorder(place: Path) -> Recorder:
    return Recorder(place / "evidence.json", None)


def told(prefix: str, address: str, port: int, sequence: int, group: int = 1000) -> Packet:
    return Packet(prefix, address, 6, port, group, sequence)


def test_what_is_kept_is_whole_and_readable_and_survives(tmp_path: Path) -> None:
    mine = recorder(tmp_path)
    mine.named("a.example", ["11.22.33.44"])
    mine.named("b.example", ["11.22.33.44"])
    for number, each in enumerate(
        (told("d", "11.22.33.44", 443, 1), told("d", "11.22.33.45", 80, 2),
         told("r", "10.0.0.1", 22, 3), told("a00000001", "11.22.33.46", 1, 4),
         told("n00000001", "11.22.33.44", 1, 5), told("h", "172.17.0.1", 8080, 6),
         told("r", "10.0.0.2", 22, 11, 65531))
    ):  # fmt: skip
        assert number < 7
        mine.take(each)
    mine.unresolved("gone.example")
    mine.write()
    found = read((tmp_path / "evidence.json").read_text())
    assert found is not None
    assert [each[:4] for each in found.named] == [("b.example", 6, 443, "d")]
    assert found.named[0][4].also == ("a.example",)
    assert [each[:3] for each in found.bare] == [("11.22.33.45", 6, 80)]
    assert [each[:3] for each in found.refused] == [("10.0.0.1", 6, 22)]
    assert [each[0] for each in found.used] == ["a00000001", "h8080"]
    assert [each[:3] for each in found.reached] == [("b.example", 6, 1)]
    assert [each[0] for each in found.unresolved] == ["gone.example"]
    assert [each[:3] for each in found.probed] == [("10.0.0.2", 6, 22)]  # of `verify`
    assert found.lost == 4
    again = recorder(tmp_path)
    again.take(told("r", "10.0.0.1", 22, 1))
    again.write()
    found = read((tmp_path / "evidence.json").read_text())
    assert found is not None
    assert found.refused[0][3].count == 2
    assert found.lost == 4  # a new socket counts anew
    assert len(found.spans) == 2


def test_when_there_is_no_room_the_old_stay_and_the_rest_is_counted(tmp_path: Path) -> None:
    mine = recorder(tmp_path)
    mine.take(told("r", "10.9.9.9", 22, 1))
    for number in range(6000):
        mine.take(told("r", f"10.0.{number >> 8}.{number & 255}", 1, 2 + number))
        mine.take(told("d", f"11.0.{number >> 8}.{number & 255}", 1, 2 + number))
    state = mine.state()
    assert len(state["refused"]) == MOST["refused"]
    assert len(state["bare"]) == MOST["bare"]
    assert state["others"]["refused"] == 6001 - MOST["refused"]
    assert state["others"]["bare"] == 6000 - MOST["bare"]
    mine.take(told("r", "10.9.9.9", 22, 6002))
    assert mine.kinds["refused"].entries["10.9.9.9", 6, 22]["count"] == 2
    mine.write()
    assert (tmp_path / "evidence.json").stat().st_size < 2 << 20


def test_a_refusal_of_another_day_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = recorder(tmp_path)
    mine.kinds["refused"].most = 2
    clock = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: clock)
    for number in range(3):
        mine.take(told("r", "10.0.0.1", number + 1, number))
    assert mine.kinds["refused"].others == 1
    clock += 2 * 86_400
    mine.take(told("r", "10.0.0.9", 1, 3))
    assert set(mine.kinds["refused"].entries) == {("10.0.0.9", 6, 1)}


def test_what_nobody_heard_is_counted_as_missed(tmp_path: Path) -> None:
    place = tmp_path / "evidence.json"
    first = Recorder(place, None)
    first.write()
    assert json.loads(place.read_text())["lost"] == 0
    again = Recorder(place, None)
    again.missed()
    again.write()
    assert json.loads(place.read_text())["lost"] == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 9}', '{"version":1,"spans":[[1]]}'])
def test_a_file_that_cannot_be_read_is_said_to_be_lost(tmp_path: Path, text: str) -> None:
    (tmp_path / "evidence.json").write_text(text)
    mine = recorder(tmp_path)
    mine.write()
    found = read((tmp_path / "evidence.json").read_text())
    assert found is not None
    assert found.torn


def test_marks_are_watched_since_their_rule_is_there(tmp_path: Path) -> None:
    rule = "-A OUTPUT -j NFLOG --nflog-prefix {} --nflog-group 7\n"
    (tmp_path / "rules.v4").write_text(rule.format("d") + rule.format("a00000001"))
    (tmp_path / "rules.v6").write_text(rule.format("d"))
    (tmp_path / "host-ports").write_text("8080 h\n9090\n")
    mine = recorder(tmp_path)
    mine.watch(tmp_path)
    assert set(mine.watched) == {"d", "a00000001", "h8080"}
    mine.watched["d"] = 5
    (tmp_path / "rules.v4").write_text(rule.format("d"))
    mine.watch(tmp_path)
    assert mine.watched["d"] == 5
    assert "a00000001" not in mine.watched


def test_evidence_of_two_machines_is_added() -> None:
    one = {"version": 1, "workspace": "a", "lost": 1, "spans": [[1, 5]], "watched": {"d": 1},
           "named": [["x.example", 6, 443, "d", {"count": 2, "first": 3, "last": 4}]]}  # fmt: skip
    two = {**one, "spans": [[3, 9]], "watched": {"d": 3, "r": 1},
           "named": [["x.example", 6, 443, "d", {"count": 1, "first": 1, "last": 9}]]}  # fmt: skip
    pair = tuple(each for each in map(read, map(json.dumps, (one, two))) if each)
    found = merged(pair)
    assert (found.named[0][4].count, found.named[0][4].first, found.named[0][4].last) == (3, 1, 9)
    assert (found.lost, found.watched, found.spans) == (2, {"d": 3}, ((1, 5), (3, 9)))
    assert merged(pair[::-1]).named[0][4].count == 3


def test_names_that_make_room_are_counted_also_over_a_restart(tmp_path: Path) -> None:
    """Who asks for thousands of names has connections lose theirs; it is told that this was."""
    recorder = Recorder(tmp_path / "evidence.json", None)
    recorder.named("honest.test", ["11.22.33.44"])
    for number in range(MOST_NAMES + 6):
        recorder.named("crowd.test", [f"44.{number // 65536}.{number // 256 % 256}.{number % 256}"])
    recorder.write()
    found = read((tmp_path / "evidence.json").read_text())
    assert found is not None
    assert found.others["forgotten"] == 7
    assert Recorder(tmp_path / "evidence.json", None).state()["others"]["forgotten"] == 7


SEEN = {"count": 1, "first": 1, "last": 2}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("lost_last", 1 << 60), ("names_since", 1 << 60), ("spans", [[0, 1 << 60]]),
        ("lost", 1 << 60), ("others", {"named": 1 << 60}), ("others", {"x" * 17: 1}),
        ("named", [["a.test", 6, 443, "d", {**SEEN, "last": 1 << 60}]]),
        ("named", [["a.test", 6, 443, "d", {**SEEN, "count": 1 << 60}]]),
        ("named", [["x" * 254, 6, 443, "d", SEEN]]),
    ],
)  # fmt: skip
def test_numbers_that_no_clock_and_no_counter_has_are_no_evidence(kind: str, change: Any) -> None:
    """A date that cannot be written would be an error of ours, a long number a flood."""
    good = {"version": 1, "named": [["a.test", 6, 443, "d", SEEN]]}
    assert read(json.dumps(good)) is not None
    assert read(json.dumps({**good, kind: change})) is None


def test_what_is_added_up_stays_readable() -> None:
    most = {**SEEN, "count": (1 << 53) - 1}
    one = read(json.dumps({
        "version": 1, "lost": (1 << 53) - 1, "others": {"bare": (1 << 53) - 1},
        "named": [["a.test", 6, 443, "d", most]],
    }))  # fmt: skip
    assert one is not None
    both = merged((one, one))
    assert read(both.model_dump_json()) == both
