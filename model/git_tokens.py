"""Which settings of Git's hold a password or token, and go to every agent with it."""

import re

from jailoc.model.git_config import GitSetting

TOKENS = ("extraheader", "smtppass", "password", "passwd", "pass", "token")
"""Last words of settings that hold a secret."""
_LOGIN = re.compile(r"(?<=://)[^/@:\s]*:[^/@\s]+@")
"""A user with a password in an address (RFC 3986, section 3.2.1)."""


def token(setting: GitSetting) -> str | None:
    """Return the key of a setting that holds a password or token, without it; None for others."""
    shown = _LOGIN.sub("…@", setting.key)
    if shown != setting.key or _LOGIN.search(setting.value):
        return shown
    return shown if setting.key.rpartition(".")[2] in TOKENS and setting.value else None
