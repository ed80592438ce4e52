"""Sets of hosts: what is shipped, and what a client's own configuration becomes."""

import tomllib

import pytest

from jailoc.generators.assets import set_names
from jailoc.generators.config.edit import put_set
from jailoc.generators.config.host_sets import (
    MOST_GUESSES,
    MOST_NAMED,
    set_conflicts,
    shipped,
    sources,
)
from jailoc.generators.config.registries import hosts
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document


@pytest.mark.parametrize("name", set_names())
def test_every_shipped_host_has_a_port_a_reason_and_a_public_source(name: str) -> None:
    chosen = shipped(name)
    assert chosen.hosts
    assert chosen.as_of
    assert chosen.about
    assert all(each.ports and each.why for each in chosen.hosts)
    assert all(each.startswith("https://") for each in sources(name).values())
    assert len(sources(name)) == len(chosen.hosts)


@pytest.mark.parametrize(
    ("client", "text", "wanted"),
    [
        (
            "npm",
            "; registry=https://no.example.com\nregistry = https://a.example.com/\n"
            "@corp:registry=http://u:p@b.example.com:8081/x\n//a.example.com/:_authToken=x\n",
            ("a.example.com:443", "b.example.com:8081"),
        ),
        (
            "pip",
            "[global]\nindex-url = https://a.example.com/simple\n"
            "extra-index-url =\n  https://b.example.com/simple\n  https://[fd00::7]:8443/simple\n",
            ("a.example.com:443", "b.example.com:443", "[fd00::7]:8443"),
        ),
        (
            "apt",
            "# deb http://no.example.com x\n"
            "deb [signed-by=/k arch=amd64] http://a.example.com/d y\n"
            "Types: deb\nURIs: https://b.example.com/d\n https://c.example.com/d\nSuites: y\n",
            ("a.example.com:80", "b.example.com:443", "c.example.com:443"),
        ),
        (
            "cargo",
            '[source.x]\nreplace-with = "m"\n[source.m]\n'
            'registry = "sparse+https://a.example.com/"\n'
            '[registries.corp]\nindex = "https://b.example.com/git/index"\n',
            ("a.example.com:443", "b.example.com:443"),
        ),
    ],
)
def test_the_registries_of_a_client_are_read(
    client: str, text: str, wanted: tuple[str, ...]
) -> None:
    assert hosts(client, (text,)) == wanted


@pytest.mark.parametrize("client", ["npm", "pip", "apt", "cargo"])
def test_what_is_no_configuration_names_nothing(client: str) -> None:
    for text in ("", "\0", "[", "registry=ftp://x", "URIs: file:/x", "deb http://[ y", "= ="):
        assert hosts(client, (text,)) == ()


VALUE = {"about": "x", "hosts": ["a.example.com:443"]}


def test_a_set_is_written_at_the_end_and_nothing_else_changes() -> None:
    text = "# mine\n[workspaces.a]  # keep\nallow = [ '@npm' ]"
    after = put_set(text, "npm", VALUE)
    assert after.startswith(text)
    assert tomllib.loads(after) == {**tomllib.loads(text), "sets": {"npm": VALUE}}


def test_a_set_that_is_there_keeps_its_comments() -> None:
    text = "[sets.npm]  # by hand\nabout = 'y' # why\nhosts = []\n# after\n[workspaces.a]\n"
    after = put_set(text, "npm", VALUE)
    assert tomllib.loads(after)["sets"] == {"npm": VALUE}
    assert [line for line in ("# by hand", "# why", "# after") if line not in after] == []


def test_sets_that_cannot_be_edited_safely_are_refused() -> None:
    with pytest.raises(Refused):
        put_set("sets = { b = { hosts = [] } }\n", "npm", VALUE)


def test_of_very_many_names_of_no_set_each_is_told_and_some_are_guessed() -> None:
    """Each with each would take minutes of a review, and gigabytes of words."""
    sets = "".join(f"[sets.s{number}]\nhosts = ['a.example.com']\n" for number in range(1000))
    names = ", ".join(f"'@s{number}x'" for number in range(1000))
    told = [*set_conflicts(Document(f"{sets}[workspaces.w]\nallow = [{names}]\n", "c"))]
    assert len(told) == 1000
    guessed = ["did you mean" in (each.hint or "") for each in told]
    assert guessed == [True] * MOST_GUESSES + [False] * (1000 - MOST_GUESSES)
    assert all((each.allowed or "").count("@") == MOST_NAMED for each in told)
