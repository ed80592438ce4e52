"""A file of certificates is taken as a whole, and what is none is named by its place."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.model.certificate import NoCertificateError, check
from tests.strategies import CERTIFICATE

DER = base64.b64decode("".join(CERTIFICATE.split("\n")[1:-2]))


def pem(data: bytes) -> str:
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "text",
    [
        CERTIFICATE,
        CERTIFICATE.rstrip("\n"),
        CERTIFICATE.replace("\n", "\r\n"),
        CERTIFICATE.replace("\n", " \n"),
        f"subject=the company\n{CERTIFICATE}\n# and again\n{CERTIFICATE}",
        pem(DER).replace("\n", "\n\n"),
    ],
)
def test_what_tools_write_is_taken(text: str) -> None:
    check(text)


@given(st.integers(0, len(DER) - 1))
def test_a_certificate_that_was_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(NoCertificateError, match=r"^holds certificate 2 \(line 8\), which "):
        check(CERTIFICATE + pem(DER[:length]))


@given(st.integers(0, len(CERTIFICATE) - 2))
def test_a_file_that_was_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(NoCertificateError):
        check(CERTIFICATE[:length])


@given(st.binary(max_size=200))
def test_other_bytes_are_no_certificate(data: bytes) -> None:
    with pytest.raises(NoCertificateError):
        check(pem(data))


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "])
def test_no_kind_of_private_key_is_taken(kind: str) -> None:
    key = f"-----BEGIN {kind}PRIVATE KEY-----\nMIIB\n-----END {kind}PRIVATE KEY-----\n"
    with pytest.raises(NoCertificateError, match="private key"):
        check(CERTIFICATE + key)
    with pytest.raises(NoCertificateError, match="private key"):
        check(key + CERTIFICATE)
