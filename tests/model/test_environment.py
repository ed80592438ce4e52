"""Environment entries are split at the first `=` and otherwise kept exactly."""

import pytest
from hypothesis import given
from pydantic_core import PydanticCustomError

from jailoc.model.environment import RESERVED, EnvEntry, parse_env
from tests.strategies import env_keys, hostile


@given(env_keys, hostile)
def test_any_key_and_value_are_kept_exactly(key: str, value: str) -> None:
    assert parse_env(f"{key}={value}") == EnvEntry(key=key, value=value)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("K=", "K", ""), ("K=a=b=c", "K", "a=b=c"), (" K = v ", " K ", " v "),
        ("K=$HOME ${X} $$", "K", "$HOME ${X} $$"), ("K=a\nb", "K", "a\nb"), ("K==", "K", "="),
        ("jailoc=1", "jailoc", "1"), ("DOCKER_HOST =1", "DOCKER_HOST ", "1"),
    ],
)  # fmt: skip
def test_an_entry_is_split_at_its_first_equals_sign(text: str, key: str, value: str) -> None:
    assert parse_env(text) == EnvEntry(key=key, value=value)


@pytest.mark.parametrize(
    ("text", "code", "essence"),
    [
        ("", "env-entry", "no `=`"),
        ("KEY", "env-entry", "no `=`"),
        ("=v", "env-entry", "empty key"),
        ("=", "env-entry", "empty key"),
        ("K=\0", "env-entry", "NUL"),
        ("K\0=v", "env-entry", "NUL"),
        *((f"{key}=v", "env-reserved", f"`{key}` is reserved") for key in RESERVED),
    ],
)
def test_what_is_no_entry_is_refused(text: str, code: str, essence: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse_env(text)
    assert caught.value.context is not None
    assert caught.value.context["code"] == code
    assert essence in str(caught.value.context["message"])
