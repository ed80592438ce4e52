"""What people see cannot be steered by what is shown."""

import pytest

from jailoc.bin.terminal import Terminal, visible
from jailoc.model.diagnostic import Diagnostic, Position
from tests.engine.world import User


def test_a_control_character_is_shown_and_never_sent() -> None:
    shown = visible("a\x1b[2J\x07\x7f\x9b\u202eb\tc")
    assert shown == "a\u241b[2J\u2407\u2421\ufffd\ufffdb\tc"


def test_a_hostile_value_in_an_error_stays_on_its_line(user: User) -> None:
    user.write('[workspaces.a]\nenv = ["\\u001b[2J\\nError: all is well"]\n')
    message = user.run("validate").stderr
    assert "\x1b" not in message
    assert message.count("\nError: ") == 0


def test_the_marker_stands_under_the_character(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().diagnose(
        [
            Diagnostic(
                code="x",
                message="bad",
                file="f",
                position=Position(line=12, column=4),
                text="\täb!",
            )
        ]
    )
    error, source, marker = capsys.readouterr().err.splitlines()
    assert error == "Error: f:12:4: bad"
    assert source == "  12 | \täb!"
    assert marker == "     | \t  ^"
