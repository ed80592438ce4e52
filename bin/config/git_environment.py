"""What the environment of this run tells Git (git(1), git-config(1), ENVIRONMENT)."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from jailoc.bin.config.git_settings import ConfigSource, at_home
from jailoc.model.git_config import EXEC_PATH, GitSetting

FILES = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")
"""Variables that name a file of configuration."""
MOST = 1_000
"""Settings."""
PROGRAMS = {
    "EDITOR": "core.editor",
    "GIT_ASKPASS": "core.askpass",
    "GIT_EDITOR": "core.editor",
    "GIT_EXEC_PATH": EXEC_PATH,
    "GIT_EXTERNAL_DIFF": "diff.external",
    "GIT_PAGER": "core.pager",
    "GIT_PROXY_COMMAND": "core.gitproxy",
    "GIT_SEQUENCE_EDITOR": "sequence.editor",
    "GIT_SSH": "core.sshcommand",
    "GIT_SSH_COMMAND": "core.sshcommand",
    "GIT_TEMPLATE_DIR": "init.templatedir",
    "PAGER": "core.pager",
    "SSH_ASKPASS": "core.askpass",
    "VISUAL": "core.editor",
}
"""Variables that stand in the place of a setting."""
NAMED = "the environment"
"""Stands for the file of a setting."""


def files() -> tuple[str, ...]:
    """Return the files of configuration that it names, absolute."""
    return tuple(str(Path(each).absolute()) for name in FILES if (each := os.environ.get(name)))


_QUOTED = r"(?:'[^']*'|\\['!])"
_PARAMETER = re.compile(rf"({_QUOTED}+)(?:(=)({_QUOTED}*))?(?=\s|$)")
"""One setting of `GIT_CONFIG_PARAMETERS`, which `git -c` hands to what it runs, an alias too."""


def settings() -> tuple[ConfigSource, ...]:
    """Return its settings, and what stands in the place of some."""
    found = [(key, value) for name, key in PROGRAMS.items() if (value := os.environ.get(name))]
    for written, value in (*_counted(), *_parameters()):
        section, dot, name = written.rpartition(".")
        if dot:
            kind, middle, rest = section.partition(".")
            found.append((f"{kind.lower()}{middle}{rest}.{name.lower()}", value))
    every = (at_home(GitSetting(key=key, value=value)) for key, value in found)
    return tuple(ConfigSource(each, NAMED) for each in every)


def _counted() -> Iterator[tuple[str, str]]:
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    for index in range(min(int(count), MOST) if re.fullmatch(r"[0-9]{1,6}", count) else 0):
        key, value = (os.environ.get(f"GIT_CONFIG_{each}_{index}", "") for each in ("KEY", "VALUE"))
        yield key, value


def _parameters() -> Iterator[tuple[str, str]]:
    """Yield them; Git before 2.31 quotes key and value together."""
    for match in _PARAMETER.finditer(os.environ.get("GIT_CONFIG_PARAMETERS", "")):
        key, value = (" ".join(shlex.split(each or "")) for each in (match[1], match[3]))
        if match[2]:
            yield key, value
        else:
            key, given, value = key.partition("=")
            yield key, value if given else "true"
