"""Credentials: what can be written is what can be served, and nothing that contradicts itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from jailoc.model.credential import PATH, CredentialConfig, parse_host

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=2, max_size=4).map(".".join)


def made(**values: object) -> CredentialConfig:
    given_ = {"hosts": ["a.example.com"], "from_env": "TOKEN"} | values
    return CredentialConfig.model_validate(given_)


@given(NAMES.filter(lambda name: not name.rpartition(".")[2].isdigit()), st.integers(54, 65535))
def test_a_host_is_read_back_as_it_is_written(name: str, port: int) -> None:
    if port in {80, 4096}:
        with pytest.raises(PydanticCustomError):
            parse_host(f"{name}:{port}")
        return
    if name == "host.docker.internal":
        return
    host = parse_host(f"{name.upper()}:{port}")
    assert (host.name, host.port) == (name, port)
    assert parse_host(host.text) == host


@given(st.text(max_size=40))
def test_whatever_a_host_is_read_from_it_can_stand_in_a_configuration(text: str) -> None:
    try:
        host = parse_host(text)
    except PydanticCustomError:
        return
    assert set(host.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert "." in host.name


@given(st.text(max_size=30))
def test_whatever_a_path_is_no_two_programs_read_it_differently(text: str) -> None:
    try:
        (path,) = made(paths=[f"/{text}"]).paths
    except ValidationError:
        return
    assert PATH.fullmatch(path)
    assert "//" not in path
    assert not {"", ".", ".."} & set(path.lower().replace("%2f", "/").split("/")[1:-1])
    assert not set(path) & set("\\;?#'\" \n\r\t\0")


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_header_that_is_accepted_breaks_a_message(header: str, prefix: str) -> None:
    try:
        found = made(scheme="header", header=header, prefix=prefix)
    except ValidationError:
        return
    assert found.header.replace("-", "").isalnum()
    assert found.header.isascii()
    assert found.header.lower() not in {"host", "connection", "content-length", "cookie", "te"}
    assert found.prefix.isprintable()


@pytest.mark.parametrize("values", [
    {"from_file": "/x"}, {"from_env": ""}, {"hosts": []}, {"username": "a"},
    {"scheme": "basic"}, {"scheme": "basic", "username": "a:b"}, {"scheme": "header"},
    {"scheme": "bearer", "prefix": "x"}, {"methods": ["CONNECT"]}, {"placeholder": "a b"},
])  # fmt: skip
def test_what_contradicts_itself_cannot_be_written(values: dict[str, object]) -> None:
    with pytest.raises((ValidationError, TypeError)):
        CredentialConfig.model_validate(
            {"hosts": ["a.example.com"], "from_env": "TOKEN"} | values,
            context={"host": type("Host", (), {"home": "/home/alice"})},
        )
