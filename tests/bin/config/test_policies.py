"""Policies of this machine hold at every load, whichever command it is for."""

from pathlib import Path

import pytest

from tests.bin.commands.test_files import NO_ENGINE
from tests.engine.world import User

CONFIG = "[workspaces.api]\ndind_privileged = true\n"
POLICY = '[[forbid]]\npower = "be.privileged"\n'


@pytest.fixture
def policy(user: User) -> str:
    (user.home / ".config/jailoc").mkdir(parents=True)
    (user.home / ".config/jailoc/config.toml").write_text(CONFIG)
    place = user.home / "policy.toml"
    place.write_text(POLICY)
    return str(place)


@pytest.mark.parametrize(
    "command",
    [("validate",), ("render",), ("plan", "api"), ("config", "api"), ("golden", "update", "out")],
    ids=" ".join,
)
def test_a_policy_holds_for_every_command(
    user: User, policy: str, command: tuple[str, ...]
) -> None:
    refused = user.run(*command, **NO_ENGINE, JAILOC_POLICY=policy)
    assert refused.status == 1
    assert f"forbidden by {policy}:1" in refused.stderr
    assert "config.toml:2:" in refused.stderr
    assert "forbidden" not in user.run(*command, **NO_ENGINE).stderr


def test_a_policy_that_cannot_be_read_stops_everything(user: User, policy: str) -> None:
    Path(policy).unlink()
    refused = user.run("validate", **NO_ENGINE, JAILOC_POLICY=policy)
    assert refused.status == 1
    assert "cannot be read: No such file or directory [policy]" in refused.stderr


def test_what_a_policy_refuses_depends_on_no_shell(user: User, policy: str) -> None:
    user.write("[workspaces.api]\nssh_auth_sock = true\n")
    Path(policy).write_text('[[forbid]]\npower = "hold.ssh-agent"\n')
    given = {"JAILOC_POLICY": policy, **NO_ENGINE}
    for socket in ("", "/nowhere/agent"):
        refused = user.run("validate", **given, SSH_AUTH_SOCK=socket)
        assert (refused.status, f"forbidden by {policy}:1" in refused.stderr) == (1, True), socket
    user.write("[workspaces.api]\n")
    assert user.run("validate", **given).status == 0


def test_diff_takes_a_policy_of_its_own(user: User, policy: str) -> None:
    (user.home / "base.toml").write_text("[workspaces.api]\n")
    found = user.run("diff", "base.toml", "--policy", policy, **NO_ENGINE)
    assert found.status == 1
    assert found.stdout.startswith("refused: workspace `api`: forbidden by policy.toml:1")


def test_a_place_is_found_behind_links_of_this_machine(user: User, policy: str) -> None:
    """Also where the policy names the link, and for what holds the place."""
    for name in ("src/wd/sub", "other"):
        (user.home / name).mkdir(parents=True)
    (user.home / "zlink").symlink_to("src/wd")
    config = user.home / ".config/jailoc/config.toml"
    for named in ("~/src/wd", "~/zlink", "~/zlink/*"):
        Path(policy).write_text(f'[[forbid]]\npower = "write.path"\nabout = ["{named}"]\n')
        for path in ("~/src/wd", "~/src/wd/sub", "~/src", "~/zlink", "~/zlink/sub"):
            config.write_text(f'[workspaces.api]\nmounts = ["{path}:/m:rw"]\n')
            refused = user.run("validate", **NO_ENGINE, JAILOC_POLICY=policy)
            assert f"forbidden by {policy}:1" in refused.stderr, (named, path)
            assert "config.toml:2:" in refused.stderr
            assert user.run("validate", **NO_ENGINE).status == 0
        config.write_text('[workspaces.api]\nmounts = ["~/other:/m:rw"]\n')
        assert user.run("validate", **NO_ENGINE, JAILOC_POLICY=policy).status == 0
