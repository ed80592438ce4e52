"""Whom this machine trusts beyond everybody's authorities."""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

FOLDERS = (
    "/usr/local/share/ca-certificates",  # Debian, Alpine
    "/etc/pki/ca-trust/source/anchors",  # Fedora
    "/etc/ca-certificates/trust-source/anchors",  # Arch
    "/etc/pki/trust/anchors",  # SUSE
)
"""Where an administrator puts authorities of the machine's own."""
VARIABLE = "NODE_EXTRA_CA_CERTS"
"""The variable of Node.js that names a file of more authorities, for this user alone."""
MOST = 16
"""Files that are looked at."""


def own(folders: Collection[str] = FOLDERS) -> tuple[str, ...]:
    """Return the files with authorities that somebody has added to this machine's."""
    found = [
        str(each)
        for folder in folders
        for each in sorted(Path(folder).glob("**/*"))
        if each.suffix in {".crt", ".pem", ".cer"} and each.is_file()
    ]
    named = os.environ.get(VARIABLE, "")
    if named.startswith("/") and Path(named).is_file():
        found.append(named)
    return tuple(dict.fromkeys(each for each in found if _readable(each)))[:MOST]


def _readable(path: str) -> bool:
    import ssl  # noqa: PLC0415 -- few commands do this

    with suppress(OSError, ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
        return True
    return False
