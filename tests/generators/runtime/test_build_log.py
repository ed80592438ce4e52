"""What builders said, recorded from real ones, and what people are told of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.runtime.build_log import BuildLog, Event, Failure, What, located

LOGS = Path(__file__).parent / "logs"


def read(name: str) -> tuple[list[Event], Failure]:
    log = BuildLog()
    lines = (LOGS / f"{name}.log").read_bytes().decode().split("\n")
    events = [event for line in lines if (event := log.read(line)) is not None]
    return events, log.failure((LOGS / f"{name}.Dockerfile").read_text())


def test_each_step_begins_once_and_ends() -> None:
    events, _ = read("multi")
    begun = [each.step for each in events if each.what is What.BEGUN]
    assert [each for each in begun if "internal" not in each] == [
        "[tools 1/2] FROM docker.io/library/example.com/agent:1",
        "[stage-1 2/4] COPY note /note",
        "[tools 2/2] RUN echo one; sleep 0.3; echo two >&2; printf 'a\\rb\\rc\\n'",
        "[stage-1 3/4] COPY --from=tools /etc/hostname /h",
        "[stage-1 4/4] RUN echo three 1 &&     echo four",
        "exporting to image",
    ]
    assert begun == [each.step for each in events if each.what is What.DONE]


def test_what_a_step_says_is_its_own_and_what_it_overwrites_is_gone() -> None:
    events, _ = read("multi")
    said = [each.text for each in events if each.what is What.SAID and "[tools 2/2]" in each.step]
    assert said == ["one", "two", "c"]


@pytest.mark.parametrize(
    ("name", "reason", "line"),
    [
        ("fail", "exit code 3", 5),
        ("old", "exit code 3", 5),
        ("syntax", "unknown instruction: RUNN", 2),
        ("copy", '"/missing" not found: not found', 2),
    ],
)
def test_a_failure_has_a_reason_and_a_line(name: str, reason: str, line: int) -> None:
    _, failure = read(name)
    assert (failure.reason, failure.line) == (reason, line)


def test_a_failing_step_keeps_the_tail_of_its_log() -> None:
    _, failure = read("fail")
    assert failure.step.startswith("[3/3] RUN for i in")
    assert failure.tail[-1] == "line 30"
    assert len(failure.tail) == 20
    assert "cannot find the thing" in "\n".join(read("old")[1].tail)


def test_a_base_that_cannot_be_had_is_at_its_line() -> None:
    _, failure = read("nobase")
    assert failure.line == 1
    assert failure.reason.startswith("failed to do request")


def test_a_place_that_the_builder_names_itself_is_taken() -> None:
    """Newer builders quote the Dockerfile below the log."""
    log = BuildLog()
    for line in ("#5 [2/2] RUN x $Y", "#5 ERROR: process \"/bin/sh -c x\" did not complete "
                 "successfully: exit code: 9", "------", " > [2/2] RUN x $Y:", "------",
                 "Dockerfile:7", "--------------------"):  # fmt: skip
        log.read(line)
    failure = log.failure("FROM a\n")
    assert (failure.line, failure.reason) == (7, "exit code 9")


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("[build 2/3] RUN make all", 2),
        ("[build 3/3] COPY x-1.2 /x", 3),
        ("[stage-1 2/3] WORKDIR /srv", 5),
        ("[stage-1 3/3] RUN make all", 2),
        ("[stage-1 9/9] RUN gone", None),
        ("exporting to image", None),
        ("[internal] load metadata for docker.io/library/b:1", 4),
        ("", None),
    ],
)
def test_a_step_is_found_by_its_text_and_else_by_its_number(step: str, line: int | None) -> None:
    text = "FROM a AS build\nRUN make   all\nCOPY x-$V /x\nFROM b:1\nWORKDIR /srv\nRUN other\n"
    assert located(step, text) == line


@given(st.lists(st.text() | st.sampled_from(
    ["#1 [2/3] RUN x", "#1 0.1 y", "#1 DONE 0.1s", "#1 ERROR: x", "#2 CACHED", "ERROR: z",
     "Step 1/2 : FROM x", "------", "#0 building"])))  # fmt: skip
def test_any_lines_can_be_read(lines: list[str]) -> None:
    log = BuildLog()
    for line in lines:
        log.read(line)
    assert log.failure("FROM x\n").reason
