"""What agents of the user's own keep at home is found wherever it is, and nothing else."""

from pathlib import Path

import pytest

from jailoc.bin.config import agent_files
from jailoc.model.agents.known import CONFIGURED, LOGINS, PRIVATE


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in agent_files.PLACES.values():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def put(home: Path, *names: str) -> None:
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("s3cret")


def found(home: Path, patterns: tuple[str, ...]) -> set[str]:
    return {str(Path(each).relative_to(home)) for each in agent_files.find(patterns)}


def test_the_passwords_of_the_hosts_own_server_are_found(home: Path) -> None:
    mine = {
        ".config/opencode/service.json", ".config/opencode/service-next.json",
        ".config/opencode/service-next.json.tmp", ".local/state/opencode/service.json",
    }  # fmt: skip
    put(home, *mine, ".config/opencode/opencode.json", ".config/opencode/services/a.json")
    (home / ".config/opencode/service-dir.json").mkdir()
    assert found(home, PRIVATE) == mine


def test_what_the_user_is_logged_in_with_is_found(home: Path) -> None:
    data = ".local/share/opencode"
    names = ("auth.json", "mcp-auth.json", "account.json", "opencode.db", "opencode-next.db")
    mine = {f"{data}/{name}" for name in names}
    put(home, *mine, f"{data}/log/a.log", f"{data}/storage.json")
    assert found(home, LOGINS) == mine


SHOWN = (
    '{"provider": {"x": {"options": {"apiKey": "sk-0123456789"}}}}',
    '{"mcp": {"x": {"headers": {"Authorization": "Bearer 0123456789ab"}, "environment": {}}}}',
    '{"mcp": {"x": {"environment": {\n"EXA_API_KEY" : "0123456789ab"}}}}',
)
NAMED = (
    '{"options": {"apiKey": "{env:KEY}", "maxTokens": 5, "api_key": "not-needed"}}',
    '{"headers": {"Authorization": "Bearer {file:~/.secret}"}, "keybinds": {"leader": "ctrl+x"}}',
    '{"permission": {"read": {"*secret": "deny", "token": "ask"}}}',
)


@pytest.mark.parametrize(("text", "told"), [*((each, True) for each in SHOWN),
                                            *((each, False) for each in NAMED)])  # fmt: skip
def test_a_key_in_a_configuration_is_told(home: Path, text: str, told: bool) -> None:
    put(home, ".config/opencode/opencode.json", ".config/opencode/service.json")
    place = home / ".config/opencode/opencode.jsonc"
    for each in (place, home / ".config/opencode/service.json"):
        each.write_text(text)
    found = agent_files.holding_keys(CONFIGURED, agent_files.find(PRIVATE))
    assert found == ((str(place),) if told else ())


def test_a_link_is_found_where_it_leads(home: Path) -> None:
    put(home, "dotfiles/s")
    (home / ".config/opencode").mkdir(parents=True)
    (home / ".config/opencode/service.json").symlink_to(home / "dotfiles/s")
    assert found(home, PRIVATE) == {"dotfiles/s"}


def test_directories_that_were_moved_count_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "moved"))
    put(home, "moved/opencode/service.json", ".config/opencode/SERVICE.json")
    assert found(home, PRIVATE) == {"moved/opencode/service.json", ".config/opencode/SERVICE.json"}
