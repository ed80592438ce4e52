"""What Git's configuration runs by a line for a shell is found, however the line names it."""

import os
import pwd
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from jailoc.bin.config import git_repository, git_settings
from tests.bin.config.test_repositories import AUTHOR, git, look, made

LINES = (
    "sh tools/run",
    "$(git rev-parse --show-toplevel)/tools/run",
    "`git rev-parse --show-toplevel`/tools/run",
    '"$(git rev-parse --show-toplevel)"/tools/run',
    '"$PWD/tools/run"',
    "${PWD}/tools/run",
    "$(pwd)/tools/run",
    "$HOME/p/tools/run",
    '"${HOME}"/p/tools/run',
    "~/p/tools/run",
    "sh -c ./tools/run",
    'sh -c "exec ./tools/run %f"',
    "sh -c 'exec \"$PWD/tools/run\"'",
    "cd tools && ./run",
    "cd tools; cd ..; cd tools; sh run",
    'sh -c "cd tools && exec sh run"',
    "(tools/run)",
    "f() { tools/run; }; f",
    "${X:-tools/run}",
    "tools/run;",
    "tools/run|cat",
    "cat|tools/run",
    "true && tools/run",
    "if true;then tools/run;fi",
    "X=1 tools/run",
    "env X=1 tools/run",
    ". ./tools/run",
    "./tools/r*",
    "tools/ru[mn]",
    "tools/ru?",
    "eval tools/run",
    "$(echo $PWD)/tools/run",
    "$(git rev-parse --git-dir)/../tools/run",
    "$(git rev-parse --git-common-dir)/../tools/run",
    "$(git rev-parse --git-dir 2>/dev/null)/../tools/run",
    "true;to''ols/run",
    "true;to\\ols/run",
    "tool?/run",
    "t*/r*",
    "cd -P tools && ./run",
    "cd -- tools && ./run",
    "env -C tools ./run",
    "D=tools; $D/run",
    'D=tools && sh -c "$D/run"',
    "bash -c 'tools/{run,walk}'",
    "cat; : $(tools/run a)",
    "x=$(tools/run); cat",
    "cat; : `tools/run a`",
    "cat; : $(cat tools/run | ./tools/run)",
    '"$(git rev-parse --git-dir)"/../tools/run',
    "${GIT_DIR:-.git}/../tools/run",
    "$(dirname $PWD/x)/tools/run",
)


def cleaned(root: Path, line: str) -> None:
    """Add a file that Git hands to a filter."""
    git(root, "config", "filter.f.clean", line)
    (root / ".gitattributes").write_text("data filter=f\n")
    (root / "data").write_text("x\n")
    git(root, "add", "data")


@pytest.mark.parametrize("line", LINES)
def test_a_program_is_named_however_a_shell_is_told(tmp_path: Path, line: str) -> None:
    root = made(tmp_path / "p")
    (root / "tools").mkdir()
    program = root / "tools/run"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    cleaned(root, line)
    assert (tmp_path / "ran").exists(), "control: Git runs it"
    (repository,) = look(root, tmp_path).repositories
    assert str(program) in [each.path for each in repository.named]


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("python3 -m strip", "strip.py"),
        ("python3 -m strip", "strip/__main__.py"),
        ("/usr/bin/env python3 -W ignore -m strip.out", "strip/out.py"),
        ("sh -c 'exec python3 -m strip'", "strip.py"),
        ("cd tools && python3 -m strip", "tools/strip.py"),
        ("cd tools; cd more; exec python3 -m strip", "tools/more/strip.py"),
        ("PYTHONPATH=tools python3 -m strip", "tools/strip.py"),
        ('export PYTHONPATH="$PWD/tools:$PYTHONPATH"; python3 -m strip.out', "tools/strip/out.py"),
        ("env -C tools python3 -m strip", "tools/strip.py"),
        ("D=tools; PYTHONPATH=/x:$D python3 -m strip", "tools/strip.py"),
    ],
)
def test_a_module_that_python_runs_is_named(tmp_path: Path, line: str, file: str) -> None:
    root = made(tmp_path / "p")
    program = root / file
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"import os\nos.system('touch {tmp_path}/ran')\n")
    cleaned(root, line)
    assert (tmp_path / "ran").exists(), "control: Git runs it"
    (repository,) = look(root, tmp_path).repositories
    named = [each.path for each in repository.named]
    assert str(program) in named
    git(root, "config", "filter.f.clean", "git commit -m strip")
    (repository,) = look(root, tmp_path).repositories
    assert not repository.named, "a message is no module"


@pytest.mark.parametrize(
    "line",
    [
        "PATH=tools:$PATH run",
        'PATH="$PWD/tools:$PATH" run',
        'PATH="$PATH":"$PWD"/tools run',
        'export PATH="$(git rev-parse --show-toplevel)/tools:$PATH"; run',
        "env PATH=tools:/usr/bin:/bin run",
        "sh -c 'PATH=tools:$PATH; exec run'",
        "D=tools; PATH=$D:$PATH run",
    ],
)
def test_where_a_line_has_programs_looked_for_is_named(tmp_path: Path, line: str) -> None:
    root = made(tmp_path / "p")
    (root / "tools").mkdir()
    program = root / "tools/run"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    cleaned(root, line)
    assert (tmp_path / "ran").exists(), "control: Git runs it"
    (repository,) = look(root, tmp_path).repositories
    # The directory, for anything else could be put beside it.
    assert (str(root / "tools"), True) in [(each.path, each.sure) for each in repository.named]
    git(root, "config", "filter.f.clean", "cat")
    git(root, "config", "alias.x", f"!{line}")
    (repository,) = look(root, tmp_path).repositories
    named = [each.path for each in repository.named]
    assert str(program) in named
    assert str(root / "tools") not in named, "an alias leaves what package managers fill"


@pytest.mark.parametrize(
    "line",
    [
        "ssh -F tools/config", "ssh -Ftools/config", "ssh -o ProxyCommand=tools/config",
        "ssh -oProxyCommand=tools/config", "ssh -o 'ProxyCommand tools/config %h'",
        "ssh '-oProxyCommand tools/config %h %p'", 'ssh -F "$PWD/tools/config"',
    ],
)  # fmt: skip
def test_what_a_command_of_ssh_obeys_is_named(tmp_path: Path, line: str) -> None:
    root = made(tmp_path / "p")
    (root / "tools").mkdir()
    (root / "tools/config").touch()
    git(root, "config", "core.sshCommand", line)
    (repository,) = look(root, tmp_path).repositories
    assert str(root / "tools/config") in [each.path for each in repository.named]


def test_what_is_named_by_somebodys_home_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = made(tmp_path / "p")
    me = pwd.getpwuid(os.getuid())
    there = subprocess.run(
        ["git", "config", "--type=path", "core.hooksPath"], cwd=root, text=True, check=True,
        capture_output=True, env={"PATH": os.environ["PATH"], "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": f"~{me.pw_name}/p/hooks"},
    ).stdout  # fmt: skip
    assert there == f"{me.pw_dir}/p/hooks\n", "control: Git looks there"
    monkeypatch.setattr(git_settings, "_HOMES", {})
    monkeypatch.setattr(pwd, "getpwnam", {"u": SimpleNamespace(pw_dir=str(tmp_path))}.__getitem__)
    git(root, "config", "core.hooksPath", "~u/p/hooks")
    git(root, "config", "core.fsmonitor", "sh ~u/p/watch")
    git(root, "config", "core.attributesFile", "~nobody-there/p/attributes")
    (root / "watch").touch()
    (repository,) = look(root, tmp_path / "home").repositories
    assert {each.path for each in repository.named} >= {f"{root}/hooks", f"{root}/watch"}


@pytest.mark.parametrize("line", ["cat {}/*.sh", "cat /proc/1/root/nowhere/*", "cat \udce9/*"])
def test_a_pattern_in_what_is_no_directory_is_none(tmp_path: Path, line: str) -> None:
    root = made(tmp_path / "p")
    git(root, "config", "filter.f.clean", line.replace("{}", "b" * 300))
    assert look(root, tmp_path).repositories[0].named == ()


def test_patterns_without_end_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made(tmp_path / "p")
    (root / "d").mkdir()
    for index in range(100):
        (root / f"d/{index}").touch()
    git(root, "config", "filter.f.clean", " ".join(f"d/*{index}.sh" for index in range(50)))
    assert look(root, tmp_path).unread == {}
    monkeypatch.setattr(git_repository, "MOST_COMPARED", 1000)
    assert "names more than" in look(root, tmp_path).unread[f"{root}/.git"]


def test_a_file_that_git_copies_is_named_and_where_a_link_leads(tmp_path: Path) -> None:
    """A template of messages in the project: Git copies what it leads to where an agent reads."""
    root, key = made(tmp_path / "p"), tmp_path / "key"
    key.write_text("KEY\n")
    template = root / ".gitmessage"
    template.write_text("what and why\n")
    git(root, "config", "commit.template", ".gitmessage")
    (repository,) = look(root, tmp_path).repositories
    assert [each.path for each in repository.named] == [str(template)]
    template.unlink()
    template.symlink_to(key)
    subprocess.run(["git", *AUTHOR, "commit", "--allow-empty"], cwd=root, check=False,
                   env=os.environ | {"GIT_EDITOR": "true"}, capture_output=True)  # fmt: skip
    assert (root / ".git/COMMIT_EDITMSG").read_text().startswith("KEY"), "control: Git copies it"
    (repository,) = look(root, tmp_path).repositories
    (named,) = repository.named
    assert named.real == str(key)
