"""What the name of a variable tells of its value."""

import pytest

from jailoc.model.variable_names import CREDENTIAL


@pytest.mark.parametrize(
    "name", ["GITHUB_TOKEN", "DB_PASSWORD", "NPM_AUTH", "NPM_AUTH_TOKEN", "REGISTRY_AUTH_FILE"]
)
def test_what_proves_something_is_known_by_its_name(name: str) -> None:
    assert CREDENTIAL.fullmatch(name)


@pytest.mark.parametrize("name", ["POSTGRES_HOST_AUTH_METHOD", "SMTP_AUTH_TYPE", "AUTHOR"])
def test_how_something_is_proved_is_no_proof(name: str) -> None:
    assert not CREDENTIAL.fullmatch(name)
