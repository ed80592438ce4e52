"""Which image the agent runs, what is built for it, and what makes it another one."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts.image_recipes import RECIPES, decision, previous, why
from jailoc.generators.artefacts.images import with_base_argument
from jailoc.generators.assets import asset
from jailoc.model.agents import choice
from jailoc.model.agents.opencode1 import OPENCODE_1
from jailoc.model.bundle import Bundle
from jailoc.model.host import Host
from jailoc.model.image import Build
from jailoc.model.version import PINNED
from tests.strategies import CERTIFICATE, bundle_of, file_of, toml

DEBIAN, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
URL = "https://example.com/Dockerfile"
HOST = Host(
    home="/home/alice",
    files={
        "/docker/base": "FROM node:22\n",
        "/docker/overlay": "FROM ${BASE}\nRUN x\n",
        "/other/overlay": "FROM ${BASE}\nRUN y\n",
        URL: "FROM node:22\nRUN remote\n",
        "/ca.pem": CERTIFICATE,
    },
    contexts={"/docker": "c" * 64, "/other": "d" * 64},
    bases={PINNED["BASE"]: DEBIAN, "node:22": DEBIAN, "registry.example.com/agent:1": DEBIAN},
)
GIVEN = "registry.example.com/agent:1"


def compiled(
    workspace: dict[str, str], defaults: dict[str, str] | None = None, base: str = "",
    host: Host = HOST,
) -> Bundle:  # fmt: skip
    text = toml({"a": workspace}, defaults or {}, {"dockerfile": base} if base else {})
    return bundle_of(text, "a", host)


def agents(bundle: Bundle) -> list[Build]:
    return [each for each in bundle.builds if each.name not in {"wall", "dind"}]


OVERLAY = {"dockerfile": "/docker/overlay"}
WAYS = [
    ({"image": "x:1"}, {"image": GIVEN}, "/docker/base", [], "given (workspaces.a.image)"),
    (OVERLAY, {"image": GIVEN}, "/docker/base", ["overlay"],
     "overlay (workspaces.a.dockerfile) on given (defaults.image)"),
    ({}, {"image": GIVEN}, "/docker/base", [], "given (defaults.image)"),
    ({}, {}, "/docker/base", ["base"], "base (base.dockerfile)"),
    ({}, {}, URL, ["base"], "base (base.dockerfile)"),
    (OVERLAY, {}, "/docker/base", ["base", "overlay"],
     "overlay (workspaces.a.dockerfile) on base (base.dockerfile)"),
    ({}, {}, "", ["agent"], "embedded (built-in)"),
    (OVERLAY, {}, "", ["agent", "overlay"],
     "overlay (workspaces.a.dockerfile) on embedded (built-in)"),
]  # fmt: skip


@pytest.mark.parametrize(("workspace", "defaults", "base", "built", "said"), WAYS)
def test_the_first_that_applies_wins_and_the_bundle_says_which(
    workspace: dict[str, str], defaults: dict[str, str], base: str, built: list[str], said: str
) -> None:
    bundle = compiled(workspace, defaults, base)
    builds = agents(bundle)
    assert [each.name for each in builds] == built
    assert decision(bundle.choice) == said
    last = builds[-1].tag if builds else workspace.get("image") or defaults["image"]
    assert bundle.choice.reference == last
    assert bundle.compose.services["opencode"].image.text == last
    for below, above in pairwise(builds):
        assert above.base == below.tag


def test_tags_are_of_all_that_goes_in() -> None:
    """Another base, context, certificate or text is another tag; another place is not."""
    tags = [
        agents(each)[-1].tag
        for each in (
            compiled(OVERLAY),
            compiled(OVERLAY, {"image": GIVEN}),
            compiled(OVERLAY, {}, "/docker/base"),
            compiled({"dockerfile": "/other/overlay"}),
            compiled({**OVERLAY, "build_context": "/other"}),
            compiled(OVERLAY, host=HOST.model_copy(update={"bases": {PINNED["BASE"]: OTHER}})),
        )
    ]
    assert len(set(tags)) == len(tags)
    assert all(each.startswith("jailoc-overlay:") and len(each) == 31 for each in tags)
    moved = HOST.model_copy(update={
        "files": {**HOST.files, "/moved/overlay": HOST.files["/docker/overlay"]},
        "contexts": {"/moved": "c" * 64},
    })  # fmt: skip
    assert agents(compiled({"dockerfile": "/moved/overlay"}, host=moved))[-1].tag == tags[0]


def test_a_floating_base_is_part_of_the_tag_once_it_is_recorded() -> None:
    fresh, recorded, moved = (
        compiled({}, host=HOST.model_copy(update={"bases": bases}))
        for bases in ({}, {PINNED["BASE"]: DEBIAN}, {PINNED["BASE"]: OTHER})
    )
    for builds in zip(fresh.builds, recorded.builds, moved.builds, strict=True):
        assert len({each.tag for each in builds}) == 3
        (base,) = builds[1].bases
        assert (base.reference, base.identity) == (PINNED["BASE"], DEBIAN)


def test_an_image_of_our_own_below_an_overlay_is_no_base_to_be_asked_about() -> None:
    assert agents(compiled(OVERLAY))[-1].bases == ()
    (base,) = agents(compiled(OVERLAY, {"image": GIVEN}))[-1].bases
    assert (base.reference, base.identity) == (GIVEN, DEBIAN)


def test_a_version_is_moved_by_one_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiled({})
    newer = OPENCODE_1.model_copy(update={"version": "9.9.9"})
    monkeypatch.setattr(choice, "DEFAULT", newer)
    after = compiled({})
    changed = {build.name for build, old in zip(after.builds, before.builds, strict=True)
               if build.tag != old.tag}  # fmt: skip
    assert changed == {"agent"}
    assert "ARG OPENCODE_VERSION=9.9.9\n" in file_of(after, "images/agent/Dockerfile")
    for name in ("agent", "wall", "dind"):
        text = asset(f"{name}.Dockerfile")
        versions = (*PINNED.values(), OPENCODE_1.version)
        assert not [each for each in versions if each in text], "no version stands in it"


def test_certificates_lie_in_the_context_of_a_users_base() -> None:
    text = toml({"a": {}}, base={"dockerfile": "/docker/base", "ca_certificates": ["/ca.pem"]})
    (build,) = agents(bundle_of(text, "a", HOST))
    assert [each.path for each in build.context] == ["Dockerfile", "ca/.keep", "ca/00.crt"]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (compiled(OVERLAY), None),
        (compiled({**OVERLAY, "build_context": "/other"}), "the context has changed"),
        (compiled(OVERLAY, {"image": GIVEN}), "the image below it has changed"),
        (compiled({"dockerfile": "/other/overlay"}), "the Dockerfile and the context have changed"),
    ],
)
def test_a_rebuild_says_why(now: Bundle, reason: str | None) -> None:
    before = previous(file_of(compiled(OVERLAY), RECIPES))
    assert why(agents(now)[-1], before["overlay"]) == reason


def test_certificates_and_newness_are_reasons_too() -> None:
    text = toml({"a": {}}, base={"ca_certificates": ["/ca.pem"]})
    before = previous(file_of(compiled({}), RECIPES))
    for build in bundle_of(text, "a", HOST).builds:
        assert why(build, before[build.name]) == "the certificates have changed"
        assert why(build, None) == "it is new"


@given(st.text() | st.sampled_from(["[]", "{}", '{"builds": [1]}', '{"builds": null}', "null"]))
def test_recipes_that_are_none_say_nothing(text: str) -> None:
    assert previous(text) == {}


def test_recipes_are_written_for_programs() -> None:
    data = json.loads(file_of(compiled(OVERLAY, {}, "/docker/base"), RECIPES))
    assert data["agent"]["steps"] == ["base", "overlay"]
    assert [each["step"] for each in data["builds"]] == ["embedded", "base", "overlay", "embedded"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM ${BASE}", 1),
        ("ARG BASE\nFROM ${BASE}", 1),
        ("# syntax=x\nFROM ${BASE}", 2),
        ("# escape=`\n# syntax=x\n\nFROM ${BASE}", 4),
        ("# a plain comment\nFROM ${BASE}", 1),
        ("# syntax=x\n# plain\nFROM ${BASE}", 2),
        ("# syntax=x\n\n", 4),
    ],
)
def test_the_argument_is_declared_after_the_parser_directives(text: str, line: int) -> None:
    found, place = with_base_argument(text)
    lines = found.split("\n")
    assert place == line
    assert lines[line - 1] == "ARG BASE"
    assert "\n".join(lines[: line - 1] + lines[line:]) == text
