"""An image under a tag of jailoc's counts if it was built here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.bin.deploy import images, provenance
from jailoc.bin.engine import containers
from jailoc.bin.engine import images as engine
from jailoc.bin.engine.containers import Container
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused
from jailoc.model.image import Build, ContextFile, Step

WALL, TOOLS = "jailoc-wall:" + "a" * 16, "jailoc-tools:" + "b" * 16
IDENTITIES = st.integers(0, 30).map(lambda number: f"sha256:{number:064x}")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    yield tmp_path / "jailoc/images.built"
    provenance.forget((WALL, TOOLS))


@given(st.lists(st.tuples(st.sampled_from((WALL, TOOLS)), IDENTITIES), max_size=20))
def test_the_last_that_were_built_under_a_tag_are_known(
    built: list[tuple[str, str]],
) -> None:
    provenance.forget((WALL, TOOLS))
    for tag, identity in built:
        provenance.note(tag, identity)
        assert provenance.built(tag, identity)
    for tag in (WALL, TOOLS):
        mine = [identity for each, identity in reversed(built) if each == tag]
        kept = [*dict.fromkeys(mine)][: provenance.MOST]
        assert [*reversed(provenance.known().get(tag, ()))] == kept


def test_what_cannot_be_read_was_not_built(cache: Path) -> None:
    provenance.note(WALL, "sha256:" + "1" * 64)
    assert provenance.known() == {WALL: ("sha256:" + "1" * 64,)}
    assert cache.stat().st_mode & 0o777 == 0o600
    cache.write_text(f"{WALL} sha256:1 or another\n{TOOLS} sha256:2\n\xff\n", "latin-1")
    assert not provenance.known()
    cache.write_text(f"{WALL} sha256:1 or another\n{TOOLS} sha256:2\n")
    assert provenance.known() == {TOOLS: ("sha256:2",)}
    provenance.forget((TOOLS,))
    assert not cache.exists()


@pytest.mark.parametrize("there", [None, "sha256:1", "sha256:2"])
def test_only_what_was_built_here_is_not_built(
    there: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = ContextFile(path="Dockerfile", text="FROM scratch\n")
    build = Build(name="wall", step=Step.EMBEDDED, origin="built-in", context=(file,))
    provenance.note(build.tag, "sha256:1")
    now = {build.tag: there}
    monkeypatch.setattr(engine, "identity", now.get)
    monkeypatch.setattr(engine, "build", lambda *_: now.setdefault("aside", "sha256:3"))
    images.ensure_one(Terminal(color=False), build, tmp_path / "build", None)
    told = capsys.readouterr().err
    assert ("aside" in now) == (there != "sha256:1")
    assert provenance.built(build.tag, "sha256:3") == (there != "sha256:1")
    assert ("was not built here" in told) == (there == "sha256:2")


def test_a_container_of_an_image_that_has_taken_the_tag_meanwhile_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Compose takes an image by its tag, after all looks."""
    gone: list[str] = []
    monkeypatch.setattr(containers, "remove", gone.append)
    provenance.note(WALL, "sha256:1")

    def made(image: str, identity: str) -> Container:
        return Container(
            id=f"{image} {identity}", service="any", project="jailoc-api", state="running",
            health="", exit_code=0, ports=(), started="", image=image, image_id=identity,
        )  # fmt: skip

    fine = [made(WALL, "sha256:1"), made("postgres:17", "sha256:7"), made(TOOLS, "sha256:8")]
    provenance.check(fine)
    assert gone == []
    with pytest.raises(Refused) as refused:
        provenance.check([*fine, made(WALL, "sha256:2")])
    assert gone == [f"{WALL} sha256:2"]
    assert f"`{WALL}` is another image" in refused.value.diagnostics[0].message


def test_a_container_is_made_of_what_was_built_here_and_of_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provenance.note(WALL, "sha256:1")
    there = {WALL: "sha256:1", TOOLS: "sha256:7", "postgres:17": "sha256:8"}
    monkeypatch.setattr(engine, "identity", there.get)
    assert provenance.exact(WALL) == "sha256:1"
    # One of the user's is his affair, and of an earlier version's nothing is known.
    assert provenance.exact("postgres:17") == "postgres:17"
    assert provenance.exact(TOOLS) == "sha256:7"
    there[WALL] = "sha256:2"
    with pytest.raises(Refused, match="something has taken the tag since"):
        provenance.exact(WALL)
