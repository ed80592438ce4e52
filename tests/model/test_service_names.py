"""A service is called like nothing else that a sandbox knows by name."""

import pytest

from jailoc.generators.config.load import load
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document
from tests.strategies import HOST

TABLE = """
[workspaces.a]
paths = ["/srv/api"]
{more}
[workspaces.a.services.{name}]
image = "postgres:17"
ports = [5432]
user = "999:999"
healthcheck = ["true"]
"""


def codes(name: str, more: str = "") -> set[str]:
    try:
        load(Document(TABLE.format(name=name, more=more), "c"), HOST)
    except Refused as refused:
        return {each.code for each in refused.diagnostics}
    return set()


@pytest.mark.parametrize(
    "name",
    ["localhost", "dind", "firewall", "opencode", "agent", "wall", "proxy", "ip6-localhost",
     "ip6-loopback", "ip6-allnodes", "ip6-allrouters", "ip6-localnet", "ip6-mcastprefix"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """The sandbox's own, and what the hosts file of every container has."""
    assert codes(name) == {"service-name"}


@pytest.mark.parametrize("name", ["capabilities", "secrets", "host", "volumes", "networks", "db"])
def test_a_name_that_only_looks_like_a_word_of_ours_is_one(name: str) -> None:
    assert codes(name) == set()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ('allowed_hosts = ["db"]', "service-name"),
        ('allowed_hosts = ["DB:5432"]', "service-name"),
        ('allowed_hosts = ["db."]', "service-name"),
        ('allowed_hosts = [{to = "db", ports = [1, 2]}]', "service-name"),
        ('denied_hosts = ["db"]', "service-closed"),
    ],
)
def test_a_name_that_is_allowed_or_denied_is_none_of_a_service(more: str, code: str) -> None:
    assert codes("db", more) == {code}
