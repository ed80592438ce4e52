"""Addresses of a plan: what is written is read back, as text and as JSON, and nothing else is."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from jailoc.model.plan import Action, Change, Drift, Plan
from jailoc.model.plan_address import (
    ChangeAddress,
    CredentialAddress,
    CredentialsAddress,
    DriftAddress,
    FieldAddress,
    FileAddress,
    FilesAddress,
    FoundAddress,
    ImageAddress,
    NetworkAddress,
    PasswordAddress,
    PlanAddress,
    RecordAddress,
    RulesAddress,
    SecretAddress,
    SecretsAddress,
    ServiceAddress,
    VolumeAddress,
    VolumesAddress,
    matches,
    parse,
)
from jailoc.model.sandbox import AGENT

UNIONS: dict[str, Any] = {
    "changes": ChangeAddress,
    "drift": DriftAddress,
    "what was found": FoundAddress,
}
AS_TEXT: dict[str, PlanAddress] = {
    "service.opencode": ServiceAddress(name="opencode"),
    "service.opencode.memory.swap": FieldAddress(service="opencode", field="memory.swap"),
    "service.opencode.mounts./a.b/c": FieldAddress(service="opencode", field="mounts./a.b/c"),
    "service.opencode.image id": FieldAddress(service="opencode", field="image id"),
    "file.wall/rules.v4": FileAddress(path="wall/rules.v4"),
    "image.jailoc-agent": ImageAddress(name="jailoc-agent"),
    "image.ghcr.io:443/a/b.c:1.2": ImageAddress(name="ghcr.io:443/a/b.c:1.2"),
    "volume.dind-socket": VolumeAddress(name="dind-socket"),
    "secret.TOKEN": SecretAddress(name="TOKEN"),
    "password": PasswordAddress(),
    "secrets": SecretsAddress(),
    "credential.forge": CredentialAddress("forge"),
    "credentials": CredentialsAddress(),
    "firewall.rules": RulesAddress(),
    "network": NetworkAddress(),
    "files": FilesAddress(),
    "volumes": VolumesAddress(),
    "record": RecordAddress(),
}


def kinds_of(union: Any) -> tuple[type[PlanAddress], ...]:
    return get_args(get_args(union)[0])


def addresses(kinds: Iterable[type[PlanAddress]]) -> st.SearchStrategy[PlanAddress]:
    """Addresses with names of all characters, dots and slashes above all."""
    text = st.text() | st.text("./:ab\n", max_size=8) | st.sampled_from(("rules", "a.memory", ""))
    plain = text.map(lambda each: each.replace(".", "_"))

    def of(kind: type[PlanAddress]) -> st.SearchStrategy[PlanAddress]:
        texts = {each.name: plain if each.name == "service" else text for each in fields(kind)}
        return st.builds(kind, **texts)

    return st.one_of([of(each) for each in kinds])


def test_every_kind_is_known_here_and_belongs_to_a_union() -> None:
    known = set(PlanAddress.__subclasses__())
    assert {type(each) for each in AS_TEXT.values()} == known
    assert {kind for union in UNIONS.values() for kind in kinds_of(union)} == known


@pytest.mark.parametrize("text", AS_TEXT)
def test_an_address_is_written_and_read_as_people_know_it(text: str) -> None:
    address = AS_TEXT[text]
    assert (str(address), f"{address}") == (text, text)
    homes = [kinds for union in UNIONS.values() if type(address) in (kinds := kinds_of(union))]
    assert homes
    for kinds in homes:
        assert parse(text, kinds) == address


@pytest.mark.parametrize("name", UNIONS)
@given(data=st.data())
def test_what_is_written_is_read_back(name: str, data: st.DataObject) -> None:
    kinds = kinds_of(UNIONS[name])
    address = data.draw(addresses(kinds))
    read = parse(str(address), kinds)
    assert read == address
    assert type(read) is type(address)
    # surrogates, which a name on a disk may have, are no text of JSON (RFC 8259, section 8.1)
    adapter: TypeAdapter[Any] = TypeAdapter(UNIONS[name])
    if not any("\ud800" <= char <= "\udfff" for char in str(address)):
        assert adapter.validate_json(adapter.dump_json(address)) == address
    assert adapter.dump_python(address, mode="json") == str(address)


@pytest.mark.parametrize("name", UNIONS)
@given(text=st.text() | st.text(".servicefl/", max_size=12))
def test_what_is_read_is_written_as_it_was(name: str, text: str) -> None:
    try:
        address = parse(text, kinds_of(UNIONS[name]))
    except PydanticCustomError:
        return
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [("", "changes"), ("service", "changes"), ("services.a", "changes"), ("file", "changes"),
     ("Network", "changes"), ("network.", "changes"), ("firewall", "changes"),
     ("firewall.rules.v4", "changes"), ("volumes", "changes"), ("service.opencode", "drift"),
     ("network", "drift"), ("secret.T", "what was found"), ("password", "what was found")],
)  # fmt: skip
def test_what_is_no_address_is_one_error_that_says_what_is(text: str, name: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse(text, kinds_of(UNIONS[name]))
    context = caught.value.context
    assert context is not None
    assert context["code"] == "plan-address"
    assert context["message"] == f"`{text}` is no address that a plan has here"
    assert "file.PATH" in context["allowed"].split(", ")
    adapter: TypeAdapter[Any] = TypeAdapter(UNIONS[name])
    with pytest.raises(ValidationError) as refused:
        adapter.validate_json(f'"{text}"')
    assert refused.value.error_count() == 1


def test_the_error_of_a_hostile_text_is_short_and_harmless() -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse("\x1b[2J" + "x" * 10_000, kinds_of(ChangeAddress))
    assert caught.value.context is not None
    message = str(caught.value.context["message"])
    assert message.isprintable()
    assert len(message) < 200


def test_a_plan_keeps_its_addresses_as_the_same_text() -> None:
    made = Plan(
        workspace="w",
        changes=(Change(address=ServiceAddress(name="a.memory"), action=Action.REMOVE),),
        drift=(Drift(address=FieldAddress(service=AGENT, field="a.b"), before=None, after="1"),),
        powers=(),
        notes=(),
        agent_restarts=False,
        engine=True,
        steps=(),
        bundle=None,
        world={FileAddress(path="wall/rules.v4"): "d", NetworkAddress(): "e"},
    )
    data = made.model_dump(mode="json")
    assert data["changes"][0]["address"] == "service.a.memory"
    assert data["drift"][0]["address"] == "service.opencode.a.b"
    assert data["world"] == {"file.wall/rules.v4": "d", "network": "e"}
    assert Plan.model_validate_json(made.model_dump_json()) == made


def test_text_is_no_address_until_it_is_read() -> None:
    with pytest.raises(ValidationError):
        Change.model_validate({"address": "service.opencode", "action": Action.CREATE})


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [("service.opencode.memory", False), ("service.opencode.mem*", True), ("service.*", True),
     ("*.swap", True), ("SERVICE.*", False), ("service.*.memory.?wap", True), ("file.*", False)],
)  # fmt: skip
def test_a_pattern_stands_for_addresses_as_they_are_written(pattern: str, matched: bool) -> None:
    address = FieldAddress(service=AGENT, field="memory.swap")
    assert matches(address, ("firewall.rules", pattern)) is matched
