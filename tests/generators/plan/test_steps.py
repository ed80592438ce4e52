"""What a step is called while it is done."""

import pytest

from jailoc.generators.plan.steps import words
from jailoc.model.plan import FeedProxy, HandSecrets
from jailoc.model.sandbox import PASSWORD_FILE


@pytest.mark.parametrize(
    ("secrets", "told"),
    [({PASSWORD_FILE}, "password"), ({PASSWORD_FILE, "env/TOKEN"}, "secrets"), (set(), "secrets")],
)
def test_what_is_handed_over_is_called_what_it_is(secrets: set[str], told: str) -> None:
    assert words(HandSecrets(), "api", secrets) == f"handing the {told} over"
    assert words(FeedProxy(), "api", secrets) == "handing the credentials over"
