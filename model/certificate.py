"""Certificates in PEM text: whether tools that are given it will find each of them.

Text encoding: RFC 7468. Content: X.509, RFC 5280 section 4.1, in DER (X.690). Only the outer
structure is read: who signed what, and until when, is for those who use a certificate.
"""

import base64
import binascii
import re

_BEGIN = re.compile(r"-----BEGIN ([^-]*)-----[ \t\r]*")
_LABEL = "CERTIFICATE"

_INTEGER, _BITS, _SEQUENCE, _VERSION = 0x02, 0x03, 0x30, 0xA0


class NoCertificateError(ValueError):
    """A text that tools would not read as its author means it; the message says why."""


def check(text: str) -> None:
    """Make sure that a text holds certificates, each of them whole, and no private key.

    Text around them is an explanation to whoever reads it (RFC 7468, section 2).

    Raises:
        NoCertificateError: naming the first one that is none, with its line.
    """
    count, start, body = 0, 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        begin = _BEGIN.fullmatch(line)
        if begin and begin[1].endswith("PRIVATE KEY"):
            raise NoCertificateError(f"holds a private key (line {number})")
        if start and begin:
            break
        if begin and begin[1] == _LABEL:
            count, start, body = count + 1, number, []
        elif start and line.rstrip() == f"-----END {_LABEL}-----":
            if reason := _reason("".join(body)):
                raise NoCertificateError(f"{_which(count, start)} {reason}")
            start = 0
        elif start:
            body.append(line)
    if start:
        raise NoCertificateError(f"{_which(count, start)} is cut off: it has no END line")
    if not count:
        raise NoCertificateError("holds no certificate")


def _which(count: int, line: int) -> str:
    return f"holds certificate {count} (line {line}), which"


def _reason(body: str) -> str | None:
    """Say why the text between the two lines is no certificate."""
    try:
        data = base64.b64decode(re.sub(r"[ \t\r]", "", body), validate=True)
    except (binascii.Error, ValueError):
        return "is no base64"
    try:
        if _is_certificate(data):
            return None
    except _CutError:
        return "is cut off: it says that it is longer than it is"
    return "is no X.509 certificate"


class _CutError(ValueError):
    """A value reaches beyond the end of what holds it."""


def _is_certificate(data: bytes) -> bool:
    whole = _values(data)
    if [tag for tag, _ in whole] != [_SEQUENCE]:
        return False
    parts = _values(whole[0][1])
    if [tag for tag, _ in parts] != [_SEQUENCE, _SEQUENCE, _BITS]:
        return False
    tags = [tag for tag, _ in _values(parts[0][1])]
    if tags[:1] == [_VERSION]:
        del tags[0]
    # serial number; algorithm, issuer, validity, subject and public key
    return tags[:6] == [_INTEGER, *[_SEQUENCE] * 5]


def _values(data: bytes) -> list[tuple[int, bytes]]:
    """Return the values that stand one after the other, each with its tag (X.690, section 8.1)."""
    found = []
    place = 0
    while place < len(data):
        tag = data[place]
        size, place = _length(data, place + 1)
        if place + size > len(data):
            raise _CutError
        found.append((tag, data[place : place + size]))
        place += size
    return found


def _length(data: bytes, place: int) -> tuple[int, int]:
    """Return the length at a place, and the place after it; DER has no indefinite one."""
    if place >= len(data):
        raise _CutError
    first = data[place]
    if first < 0x80:
        return first, place + 1
    end = place + 1 + (first & 0x7F)
    if end > len(data):
        raise _CutError
    return int.from_bytes(data[place + 1 : end]), end
