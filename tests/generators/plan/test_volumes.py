"""Every volume that a workspace can have says in a plan what it is for."""

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.plan.inputs import Given
from jailoc.generators.plan.plan import plan
from jailoc.generators.plan.volumes import purpose
from jailoc.generators.views.plan import inheritance, notes
from jailoc.model.bundle import Bundle
from jailoc.model.deployed import Deployed
from tests.strategies import HOST, config_of

ALL = """
[workspaces.api]
volumes = ["npm:~/.npm"]
[workspaces.api.services.db]
image = "postgres:17"
ports = [5432]
user = "999:999"
volumes = ["data:/var/lib/postgresql/data"]
healthcheck = ["pg_isready"]
[workspaces.api.credentials.forge]
hosts = ["forge.example.com"]
from_env = "FORGE_TOKEN"
"""


def bundle(text: str) -> Bundle:
    return compile_workspace(config_of(text), "api", HOST)


def test_each_volume_has_a_purpose_of_its_own() -> None:
    made = bundle(ALL)
    names = [*made.compose.volumes, *(each.name for each in made.compose.memory)]
    told = {name: purpose(name, made) for name in names}
    assert all(told.values()), told
    assert len(set(told.values())) == len(told), told
    assert told["evidence"] == "what the wall sees of connections, for `blocked` and `learn`"
    assert told["refused"] == "by which the wall tells the agent what it was refused"
    assert told["volume-npm"] == "named by `volumes`"
    assert told["service-db--data"] == "of service db"
    assert told["opencode-data-api"] == "sessions and logins, of OpenCode"
    assert told["opencode-cache-api"] == "what can be fetched again, of OpenCode"


def test_of_a_name_that_means_nothing_nothing_is_said() -> None:
    assert purpose("other", bundle("[workspaces.api]\n")) == ""


def test_a_new_workspace_says_what_it_begins_with_of_an_earlier_one() -> None:
    made = bundle(ALL)
    names = ("dind-data", "evidence", "opencode-data-api", "other", "project")
    there = Deployed(workspace="api", volumes=names)
    new = plan(made, there, Given(config="/c", names=("api",)))
    assert new.inherited == ("dind-data", "opencode-data-api")
    assert "(dind-data, opencode-data-api)" in inheritance(new)
    assert "`jailoc destroy api` removes them first" in notes(new)[0]
    assert not inheritance(
        plan(made, Deployed(workspace="api"), Given(config="/c", names=("api",)))
    )
