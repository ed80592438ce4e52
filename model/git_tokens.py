"""Which settings of Git's hold a password or token, and go to every agent with it."""

import re

from jailoc.model.git_config import GitSetting

TOKENS = ("extraheader", "smtppass", "password", "passwd", "token", "secret", "apikey")
"""Ends of the last words of settings that hold a secret."""
_LOGIN = re.compile(
    r"(?<=://)[^/@:\s]*:[^/@\s]+@"
    r"|(?<=http://|ttps://)(?:gh[a-z]_|github_pat_|gl[a-z]+-|(?=[^/@:\s]*\d)[^/@:\s]{24})"
    r"[^/@:\s]{12,}@"
)
"""A user with a password in an address (RFC 3986, section 3.2.1), or a token in its place."""


def token(setting: GitSetting) -> str | None:
    """Return the key of a setting that holds a password or token, without it; None for others."""
    if setting.key.startswith("alias."):
        return None
    shown = _LOGIN.sub("…@", setting.key)
    if shown != setting.key or _LOGIN.search(setting.value):
        return shown
    word = setting.key.rpartition(".")[2].lower()
    return shown if (word == "pass" or word.endswith(TOKENS)) and setting.value else None
