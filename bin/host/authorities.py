"""Whom this machine trusts beyond everybody's authorities, and who has signed what a host shows.

Nothing is asked of the host but its certificate: the handshake ends the connection.
"""

import base64
import http.client
import os
import ssl
import urllib.request
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jailoc.model.doctor import ShownCertificate, Signed

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
"""Files that are looked at, and handshakes at most."""
PATIENCE = 5.0
"""Seconds for one handshake."""


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


def _context(files: Collection[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # An authority of the middle is trusted as it is, as Node.js and OpenSSL's tools would.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for each in files:
        context.load_verify_locations(cafile=each)
    return context


def _readable(path: str) -> bool:
    with suppress(OSError, ssl.SSLError):
        _context([path])
        return True
    return False


def signer(
    host: str, port: int, files: Sequence[str], patience: float = PATIENCE
) -> ShownCertificate:
    """Say who has signed the certificate of a host, as it is seen from here.

    Args:
        host: Its name.
        port: Its port; a proxy of the environment is asked to lead there, if there is one.
        files: Authorities of this machine's own; each alone has to bear the certificate.
        patience: Seconds for each handshake.
    """
    try:
        if files and _bears(host, port, _context(files), patience):
            mine = (each for each in files if _bears(host, port, _context([each]), patience))
            return ShownCertificate(host=host, signed=Signed.OWN, authority=next(mine, files[0]))
        _handshake(host, port, ssl.create_default_context(), patience)
    except ssl.SSLCertVerificationError as error:
        return ShownCertificate(host=host, signed=Signed.UNKNOWN, reason=error.verify_message)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ShownCertificate(host=host, signed=Signed.UNSEEN, reason=reason)
    return ShownCertificate(host=host, signed=Signed.PUBLIC)


def _bears(host: str, port: int, context: ssl.SSLContext, patience: float) -> bool:
    try:
        _handshake(host, port, context, patience)
    except ssl.SSLCertVerificationError:
        return False
    return True


def _handshake(host: str, port: int, context: ssl.SSLContext, patience: float) -> None:
    """Connect, through the proxy that the environment names, and end it when TLS stands."""
    proxy = urllib.request.getproxies().get("https", "")
    if proxy and not urllib.request.proxy_bypass(host):
        place = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
        connection = http.client.HTTPSConnection(
            place.hostname or "", place.port or 80, timeout=patience, context=context
        )
        connection.set_tunnel(host, port, _who(place.username, place.password))
    else:
        connection = http.client.HTTPSConnection(host, port, timeout=patience, context=context)
    try:
        connection.connect()
    finally:
        connection.close()


def _who(user: str | None, password: str | None) -> dict[str, str]:
    """Return the header that says to a proxy who asks (RFC 7617)."""
    if user is None:
        return {}
    plain = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(plain).decode()}"}
