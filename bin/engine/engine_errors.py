"""What docker(1) says when it gets to no engine, in words that say what is wrong and what to do."""

import os
import re
import stat

from jailoc.bin.engine.endpoint import Endpoint

ADDRESSES = "unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST"
"""What docker(1) takes for an engine's address."""

_NO_ADDRESS = re.compile(r"invalid bind address|resolve docker endpoint|parse \"|invalid proto|"
                         r"unable to parse|invalid port")  # fmt: skip
_TIME = re.compile(r"i/o timeout|timed out|deadline exceeded|no answer within", re.IGNORECASE)
_ANSWERS = (
    (re.compile(r"lookup ([^\s:]+).*no such host"), "no resolver knows the name `{0}`"),
    (re.compile(r"network is unreachable|no route to host"), "no network leads there"),
    (re.compile(r"HTTP response to HTTPS client"),
     "it speaks without TLS, and docker asks with it"),
    (re.compile(r"HTTP request to an HTTPS|malformed HTTP response"),
     "it speaks TLS, and docker asks without it"),
    (re.compile(r"x509|certificate|tls:"), "its TLS certificate does not suit"),
    (re.compile(r"Is the docker daemon running|connection refused", re.IGNORECASE),
     "nothing answers there"),
)  # fmt: skip
"""The first that fits."""
_SSH = re.compile(r"stderr=(.*)", re.DOTALL)
_MOST = 200
"""Characters of another program's words that are quoted."""


def meaning(text: str, asked: Endpoint) -> tuple[str, str]:
    """Return why no engine answers, and what to do.

    Args:
        text: The last words of docker(1).
        asked: The engine.
    """
    start = "start Docker, or set DOCKER_HOST to the engine to use"
    if _NO_ADDRESS.search(text):
        return "this is no address of an engine", f"write {ADDRESSES}, or unset {asked.source}" \
            if asked.source == "DOCKER_HOST" else f"write {ADDRESSES}"  # fmt: skip
    if asked.text.startswith("unix://"):
        return _socket(asked.text.removeprefix("unix://") or "/var/run/docker.sock", text, start)
    if said := _SSH.search(text):
        quoted = said[1].strip().removeprefix("ssh: ")[:_MOST]
        why = f"ssh says: {quoted}" if quoted else "ssh ended without a word"
        return why, f"try it: `ssh {asked.text} docker version`"
    if _TIME.search(text):
        return "it does not answer in time", start
    for pattern, words in _ANSWERS:
        if found := pattern.search(text):
            return words.format(*found.groups()), start
    return f"docker says: {text.strip()[:_MOST]}", start


def _socket(place: str, text: str, start: str) -> tuple[str, str]:
    """Return what is wrong at a socket of this machine."""
    if "permission denied" in text.lower():
        return (
            "you may not use this socket",
            "ask who runs this machine to let you (`usermod -aG docker USER`, then log in again), "
            "or use an engine of your own (rootless Docker, Podman)",
        )
    try:
        found = os.stat(place)  # noqa: PTH116 -- as it is written
    except FileNotFoundError:
        return "there is no such file", start
    except OSError as error:
        return f"{error.strerror}", start
    if not stat.S_ISSOCK(found.st_mode):
        return "this is no socket", start
    if _TIME.search(text):
        return "it does not answer in time", start
    return "nothing answers there", start
