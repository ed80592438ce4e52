"""What an image lacks is told all at once, each with its way out."""

import subprocess
from pathlib import Path

import pytest

from jailoc.generators.runtime.image_check import END, script, unsuitable
from jailoc.model.agents.opencode1 import OPENCODE_1


def messages(*lines: str) -> list[str]:
    refusal = unsuitable("x:1", "workspaces.api.image", OPENCODE_1, lines)
    if refusal is None:
        return []
    assert all(each.hint and each.where == "workspaces.api.image" for each in refusal.diagnostics)
    return [each.message for each in refusal.diagnostics]


def test_an_image_that_lacks_nothing_is_taken() -> None:
    assert messages(END) == []


@pytest.mark.parametrize("lines", [(), ("tool curl",), ("", "sh: not found")])
def test_an_answer_without_its_end_is_a_missing_shell(lines: tuple[str, ...]) -> None:
    (message,) = messages(*lines)
    assert "no /bin/sh" in message


def test_everything_that_is_missing_is_named_at_once() -> None:
    found = messages("user", "folder /home/agent/.cache", "folder /home/agent/.config",
                     "tool cat", "tool curl", "opencode", END)  # fmt: skip
    assert found == [
        "image `x:1` has no user with UID 1000",
        "image `x:1` lacks directories that UID 1000 can write: "
        "/home/agent/.cache, /home/agent/.config",
        "image `x:1` lacks cat, curl",
        "image `x:1` has no `opencode` on its PATH",
    ]


def test_another_home_and_an_opencode_that_breaks_are_quoted() -> None:
    home, start = messages("home /home/node", "start not found: libstdc++.so.6", END)
    assert "whose home is `/home/node`" in home
    assert "does not start: not found: libstdc++.so.6" in start


def test_the_question_is_asked_without_any_program_but_the_shell(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", script(OPENCODE_1)], env={"PATH": str(tmp_path)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[-5:] == ["tool cat", "tool curl", "tool sed", "opencode", END]
