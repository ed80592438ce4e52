"""Fetch remote Dockerfiles, and keep their text for the compiler, which never asks the network."""

import hashlib

from jailoc.bin.config import facts
from jailoc.bin.host import files, regular
from jailoc.model.diagnostic import refuse

TIMEOUT = 30
"""Seconds."""


def fetch(url: str) -> tuple[str | None, str]:
    """Fetch a Dockerfile and keep it.

    Returns:
        The SHA-256 of the text that was kept before, None for the first one, and of this one.

    Raises:
        Refused: there was no answer, not status 200, too much text, or no text.
    """
    # Most of a start, for who has such a Dockerfile alone.
    import urllib.error

    from jailoc.bin.host import http

    try:
        status, body = http.get(url, timeout=TIMEOUT, limit=regular.LIMIT)
    except (OSError, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            raise _refused(url, f"status {error.code}") from None
        raise _refused(url, str(getattr(error, "reason", error))) from None
    if status != 200:
        raise _refused(url, f"status {status}")
    if len(body) > regular.LIMIT:
        raise _refused(url, "it is larger than 1 MiB")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise _refused(url, "it is not UTF-8 text") from None
    place = facts.fetched(url)
    files.make_private(place.parent)
    old = hashlib.sha256(place.read_bytes()).hexdigest() if place.exists() else None
    files.write(place, text, 0o600)
    return old, hashlib.sha256(body).hexdigest()


def _refused(url: str, what: str) -> Exception:
    return refuse(
        "fetch",
        f"cannot fetch the Dockerfile from `{url}`: {what}",
        allowed="status 200, UTF-8 text of at most 1 MiB, no redirect from https to http",
        hint="check the URL and the proxy variables",
    )
