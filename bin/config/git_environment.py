"""What the environment of this run tells Git (git(1), git-config(1), ENVIRONMENT)."""

import os
import re
from pathlib import Path

from jailoc.bin.config.git_settings import ConfigSource, at_home
from jailoc.model.git_config import GitSetting

FILES = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")
"""Variables that name a file of configuration."""
MOST = 1_000
"""Settings."""
PROGRAMS = {
    "EDITOR": "core.editor",
    "GIT_ASKPASS": "core.askpass",
    "GIT_EDITOR": "core.editor",
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


def settings() -> tuple[ConfigSource, ...]:
    """Return its settings, and what stands in the place of some."""
    found = [(key, value) for name, key in PROGRAMS.items() if (value := os.environ.get(name))]
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    for index in range(min(int(count), MOST) if re.fullmatch(r"[0-9]{1,6}", count) else 0):
        section, dot, name = os.environ.get(f"GIT_CONFIG_KEY_{index}", "").rpartition(".")
        if dot:
            kind, middle, rest = section.partition(".")
            key = f"{kind.lower()}{middle}{rest}.{name.lower()}"
            found.append((key, os.environ.get(f"GIT_CONFIG_VALUE_{index}", "")))
    every = (at_home(GitSetting(key=key, value=value)) for key, value in found)
    return tuple(ConfigSource(each, NAMED) for each in every)
