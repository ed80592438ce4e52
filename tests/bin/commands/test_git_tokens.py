"""A password in the user's Git configuration is warned about, with its key and without it."""

from tests.engine.world import User

CONFIG = "[workspaces.api]\npaths = []\n"


def test_a_token_that_agents_would_read_is_told(user: User) -> None:
    user.write(CONFIG)
    assert "git-token" not in user.run("validate").stderr
    (user.home / ".gitconfig").write_text(
        '[url "https://me:sesame@forge.test/"]\n\tinsteadOf = https://forge.test/\n'
    )
    told = user.run("validate")
    assert told.status == 0
    assert "[git-token]" in told.stderr
    assert "url.https://…@forge.test/.insteadof" in told.stderr
    assert "sesame" not in told.stdout + told.stderr
    user.write(CONFIG + "git_config = false\n")
    assert "git-token" not in user.run("validate").stderr
