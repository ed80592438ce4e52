"""`secrets --target kubernetes` writes a Secret to a pipe, and to nothing else."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.engine.world import ROOT, User
from tests.generators.kubernetes.cluster import settings

TEXT = (
    settings()
    + '[workspaces.api]\nsecrets.env.TOKEN.from_env = "MINE"\n'
    + 'secrets.file.key.from_file = "~/key"\n'
)


def written(user: User, stdout: int) -> "subprocess.CompletedProcess[str]":
    user.write(TEXT)
    (user.home / "key").write_bytes(b"\xffkey\n")
    return subprocess.run(
        [sys.executable, "-P", "-m", "jailoc.bin", "secrets", "api", "--target", "kubernetes"],
        env={"HOME": str(user.home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / ".pkg"),
             "MINE": "v$lue", "OPENCODE_SERVER_PASSWORD": "pa55"},
        stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False,
        cwd=user.home,
    )  # fmt: skip


def test_values_go_through_a_pipe(user: User) -> None:
    done = written(user, subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["metadata"]["name"] == "jailoc-api"
    assert found["metadata"]["namespace"] == "agents"
    values = {key: base64.b64decode(each) for key, each in found["data"].items()}
    assert values == {"TOKEN": b"v$lue", "key": b"\xffkey\n", ".server-password": b"pa55"}
    assert "v$lue" not in done.stderr


def test_neither_a_file_nor_a_terminal_gets_them(user: User, tmp_path: Path) -> None:
    place = tmp_path / "out"
    with place.open("w") as file:
        done = written(user, file.fileno())
    assert done.returncode == 1
    assert "never to a terminal or a file" in done.stderr
    assert place.read_text() == ""
