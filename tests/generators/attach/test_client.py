"""How a client is run: where, with which words, and with which variables."""

import itertools

import pytest

from jailoc.generators.attach import client as attachment
from jailoc.generators.attach.client import TERMINAL, TERMINAL_DEFAULTS, AttachMode, Request
from jailoc.model.agents.opencode1 import OPENCODE_1
from jailoc.model.diagnostic import Refused
from tests.strategies import config_of

PASSWORD = "s3cret $x"  # noqa: S105 -- a test's own
OUTER = {
    "PATH": "/bin",
    "JAILOC": "0",
    "JAILOC_WORKSPACE": "other",
    "OPENCODE_SERVER_USERNAME": "x",
}


@pytest.mark.parametrize(
    ("asked", "wanted", "exposed", "client", "found"),
    [
        (None, "", True, True, AttachMode.EXEC),
        (None, "", True, False, AttachMode.EXEC),
        (None, "", False, True, AttachMode.EXEC),
        (None, "exec", True, True, AttachMode.EXEC),
        (None, "remote", True, True, AttachMode.REMOTE),
        (None, "remote", False, True, AttachMode.EXEC),
        (AttachMode.EXEC, "remote", True, True, AttachMode.EXEC),
        (AttachMode.REMOTE, "exec", True, True, AttachMode.REMOTE),
    ],
)
def test_the_flag_beats_the_configuration_and_nobody_gets_the_hosts_client_unasked(
    asked: AttachMode | None, wanted: str, exposed: bool, client: bool, found: AttachMode
) -> None:
    assert attachment.choose(asked, wanted, "api", OPENCODE_1, exposed, client) is found


@pytest.mark.parametrize(
    ("asked", "wanted", "exposed", "client", "words"),
    [
        (
            AttachMode.REMOTE,
            "",
            False,
            True,
            "`api` cannot be attached to in remote mode: its port",
        ),
        (AttachMode.REMOTE, "", True, False, "`opencode` or `opencode-cli` on PATH"),
        (None, "remote", True, False, "`opencode` or `opencode-cli` on PATH"),
    ],
)
def test_remote_mode_that_cannot_be_had_is_refused(
    asked: AttachMode | None, wanted: str, exposed: bool, client: bool, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        attachment.choose(asked, wanted, "api", OPENCODE_1, exposed, client)


@pytest.mark.parametrize(
    ("top", "mine", "found"),
    [("", None, ""), ("exec", None, "exec"), ("exec", "remote", "remote"), ("remote", "", "")],
)
def test_a_workspace_beats_the_top_level(top: str, mine: str | None, found: str) -> None:
    own = "" if mine is None else f'mode = "{mine}"\n'
    config = config_of(f'mode = "{top}"\n[workspaces.a]\n{own}')
    assert attachment.configured(config, "a") == found


def test_the_clients_words_come_in_order_and_the_directory_always() -> None:
    request = Request(session="ses_1", resume=False)
    assert attachment.arguments(OPENCODE_1, "http://u", "/p q", request) == (
        "attach", "http://u", "--dir", "/p q", "--session", "ses_1",
    )  # fmt: skip
    assert attachment.arguments(OPENCODE_1, "http://u", "/p", Request(resume=True)) == (
        "attach", "http://u", "--dir", "/p", "--continue",
    )  # fmt: skip


def test_a_client_on_the_host_gets_the_password_and_its_name_by_environment() -> None:
    found = attachment.remote_environment(OUTER, "api", OPENCODE_1, PASSWORD)
    assert found["OPENCODE_SERVER_PASSWORD"] == PASSWORD
    assert (found["JAILOC"], found["JAILOC_WORKSPACE"]) == ("1", "api")
    assert found["OPENCODE_SERVER_USERNAME"] == "opencode"
    assert found["PATH"] == "/bin"


def test_a_client_on_the_host_loads_nothing_from_the_project() -> None:
    found = attachment.remote_environment(
        {"OPENCODE_DISABLE_PROJECT_CONFIG": "0"}, "api", OPENCODE_1, PASSWORD
    )
    assert found["OPENCODE_DISABLE_PROJECT_CONFIG"] == "1"


def test_a_client_on_the_host_has_no_variable_by_which_its_server_uses_the_host() -> None:
    given = dict.fromkeys(OPENCODE_1.client.withheld, "x") | {"OPENCODE_TUI_CONFIG": "/own"}
    found = attachment.remote_environment(OUTER | given, "api", OPENCODE_1, PASSWORD)
    assert not {*found} & {"EDITOR", "VISUAL", "DISPLAY", "WAYLAND_DISPLAY"}
    assert not {*found} & {*OPENCODE_1.client.withheld}
    assert found["OPENCODE_TUI_CONFIG"] == "/own", "the user's own choice stays"


@pytest.mark.parametrize(
    ("outer", "found"),
    [
        ({}, "127.0.0.1"),
        ({"NO_PROXY": "a,b"}, "a,b,127.0.0.1"),
        ({"no_proxy": "c"}, "c,127.0.0.1"),
        ({"NO_PROXY": ""}, "127.0.0.1"),
    ],
)
def test_no_proxy_is_told_the_password(outer: dict[str, str], found: str) -> None:
    made = attachment.remote_environment(
        outer | {"HTTP_PROXY": "http://p"}, "api", OPENCODE_1, PASSWORD
    )
    assert (made["NO_PROXY"], made["no_proxy"]) == (found, found)
    assert made["HTTP_PROXY"] == "http://p"


def test_each_terminal_variable_is_the_hosts_or_its_default() -> None:
    for name, value in itertools.product(TERMINAL, (None, "", "x")):
        found = attachment.inner_environment(
            {} if value is None else {name: value}, OPENCODE_1, None
        )
        assert found.get(name) == (value or TERMINAL_DEFAULTS.get(name))
        assert found["HOME"] == "/home/agent"


def test_a_client_inside_gets_its_tui_configuration_only_if_it_is_there() -> None:
    outer = {"OPENCODE_TUI_CONFIG": "/host", "OPENCODE_SERVER_PASSWORD": PASSWORD}
    assert "OPENCODE_TUI_CONFIG" not in attachment.inner_environment(outer, OPENCODE_1, None)
    found = attachment.inner_environment(outer, OPENCODE_1, "/etc/jailoc/tui.json")
    assert found["OPENCODE_TUI_CONFIG"] == "/etc/jailoc/tui.json"
    assert PASSWORD not in found.values()
