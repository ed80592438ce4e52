"""Git that is asked for the bytes of a file runs nothing of the repository."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from jailoc.bin.engine import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")


def plant(place: Path, mark: Path) -> None:
    """Make a repository that lacks an object, and whose remote, a command, promises it."""
    evil = place.with_name("evil")
    evil.write_text(f"#!/bin/sh\ntouch {mark}\n")
    evil.chmod(0o755)
    place.mkdir()
    (place / "file").write_text("text\n")

    def call(*words: str) -> str:
        settings = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        done = subprocess.run(["git", "-C", str(place), *settings, *words],
                              capture_output=True, text=True, check=True, timeout=60)  # fmt: skip
        return done.stdout.strip()

    call("init", "--quiet")
    call("add", ".")
    call("commit", "--quiet", "--message=x")
    blob = call("rev-parse", "HEAD:file")
    (place / ".git/objects" / blob[:2] / blob[2:]).unlink()
    for key, value in (
        ("core.repositoryFormatVersion", "1"), ("extensions.partialClone", "evil"),
        ("remote.evil.url", f"ext::{evil}"), ("remote.evil.promisor", "true"),
        ("protocol.ext.allow", "always"),
    ):  # fmt: skip
        call("config", key, value)


def test_no_remote_that_is_a_command_is_fetched_from_also_by_an_older_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, place, tools = tmp_path / "executed", tmp_path / "repository", tmp_path / "tools"
    plant(place, mark)
    tools.mkdir()
    older = f'#!/bin/sh\nunset GIT_NO_LAZY_FETCH\nexec {shutil.which("git")} "$@"\n'
    (tools / "git").write_text(older)
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    assert git.ask(place, "cat-file", "blob", "HEAD:./file") is None
    assert not mark.exists()
    # The control: asked without jailoc it is.
    subprocess.run(["git", "-C", str(place), "cat-file", "blob", "HEAD:./file"],
                   capture_output=True, check=False, timeout=60)  # fmt: skip
    assert mark.exists()
