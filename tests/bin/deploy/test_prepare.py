"""What `up` makes on the host before the engine sees it; the engine is one that fails to start."""

import os
import stat
from pathlib import Path

import pytest

from tests.engine.world import Result, User, home

CONFIG = 'password_mode = "file"\n[workspaces.a]\nexpose_port = false\nimage = "x:1"\n'
BUILT_IN = (".config/opencode", ".opencode", ".claude/transcripts", ".agents")


def up(user: User, folder: Path) -> Result:
    """Run `up` against a docker that lists the home directory when it should start something."""
    place = folder / "fake"
    place.mkdir()
    script = place / "docker"
    script.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        "  version*) echo 1.43 ;;\n"
        '  "compose version"*) echo 2.26.1 ;;\n'
        f"  compose*up*) find {user.home} -printf '%P %u %y\\n' >{folder}/seen; exit 1 ;;\n"
        "  run*) echo end ;;\n"
        # image inspect --format TEMPLATE -- REFERENCES
        """  image*) shift 5; for each; do printf 'sha256:1\\tnull\\n'; done ;;\n"""
        "  *) ;;\n"
        "esac\n"
    )
    script.chmod(0o755)
    return user.run("up", "a", PATH=f"{place}:{os.environ['PATH']}")


def test_what_is_not_there_is_not_mounted_and_nobody_makes_it(
    tmp_path: Path,
) -> None:
    with home("prepare") as user:
        user.write(CONFIG)
        result = up(user, tmp_path)
    assert result.status == 1
    seen = (tmp_path / "seen").read_text().splitlines()
    assert not {line.split(" ")[0] for line in seen} & {*BUILT_IN}
    assert "created" not in result.stderr


@pytest.mark.parametrize("before", ["nothing in it", "a file of the user's", "no directory"])
def test_a_gitignore_that_cannot_be_written_is_a_warning_and_no_failure(
    tmp_path: Path, before: str
) -> None:
    with home("prepare") as user:
        user.write(CONFIG)
        place = user.home / ".config/opencode"
        if before == "no directory":
            place.touch()
        elif before == "nothing in it":
            place.mkdir(parents=True)
        elif before == "a file of the user's":
            place.mkdir()
            (place / ".gitignore").write_text("mine\n")
        result = up(user, tmp_path)
        assert (tmp_path / "seen").exists(), "it went on to the start"
        warned = f"cannot write {place}/.gitignore" in result.stderr
        assert warned is (before == "no directory")
        if before == "a file of the user's":
            assert (place / ".gitignore").read_text() == "mine\n"
        elif before == "nothing in it":
            assert "bun.lock\n" in (place / ".gitignore").read_text()
            assert stat.S_IMODE((place / ".gitignore").stat().st_mode) & 0o400
