"""Each danger of a prepared pull request is named on the first screen, and nothing harmless is."""

import re

import pytest

from jailoc.bin.config.revisions import version
from jailoc.generators.artefacts import portable
from jailoc.generators.powers.review import review
from jailoc.generators.views.review import LINES, WIDTH, quiet, screen
from jailoc.generators.views.review_data import markdown
from jailoc.model.power import Direction, Power
from tests.review.prepared import ALARMS, back, case, first_screen, names, reviewed, there


@pytest.mark.parametrize("name", names("dangerous"))
def test_a_danger_is_named_on_the_first_screen(name: str) -> None:
    prepared = case("dangerous", name)
    found = there(prepared)
    text = first_screen(found)
    assert [each for each in prepared["shows"] if each not in text] == []
    assert found.worst == prepared["rank"]
    assert not quiet(found)
    # The grave comes before all else, and the line of the configuration stands beside it.
    grave = found.of(Direction.WIDENS)[0]
    assert grave.change.rank == prepared["rank"]
    assert re.search(r"\[(was )?config\.toml:", text)
    assert "no power changes" not in text


@pytest.mark.parametrize("name", names("harmless"))
def test_what_is_harmless_is_quiet(name: str) -> None:
    prepared = case("harmless", name)
    found = there(prepared)
    lines = [text for text, _ in screen(found)]
    text = "\n".join(lines)
    assert quiet(found)
    # A new workspace that may do something is no "no": what the end of a plan counts, it says.
    new = bool(found.of(Direction.WIDENS))
    quietly = ("new is ",) if new else ("no power changes: ", "no power is added: ")
    assert lines[0].startswith(quietly)
    assert lines[0].endswith("; no other power changes") == new
    assert [each for each in prepared["says"] if each not in text] == []
    assert [each for each in ALARMS if each in text.lower()] == []
    assert len(lines) <= 5


@pytest.mark.parametrize("name", names("dangerous"))
def test_the_way_back_takes_it_away_again(name: str) -> None:
    prepared = case("dangerous", name)
    if name.startswith("new-workspace-"):
        return  # the way back removes it, and that is one line
    gained = there(prepared).of(Direction.WIDENS)
    lost = back(prepared).of(Direction.NARROWS)
    assert {each.change.rule for each in gained} - {"be-reached.moved"} <= {
        each.change.rule for each in lost
    }


@pytest.mark.parametrize("name", names("dangerous"))
def test_the_comment_of_a_danger_has_the_words_of_the_screen(name: str) -> None:
    prepared = case("dangerous", name)
    text = markdown(there(prepared))
    assert [each for each in prepared["shows"] if each not in text] == []


def test_there_are_prepared_ones_enough() -> None:
    assert len(names("dangerous")) >= 40
    assert len(names("harmless")) >= 40


def test_five_hundred_workspaces_fit_on_the_first_screen() -> None:
    """One line that matters, late in the alphabet, and five hundred that are high by themselves."""
    plain = version("", "[workspaces.w]\n", "c").sides["w"]
    grave = version("", "[workspaces.w]\nssh_auth_sock = true\n", "c").sides["w"]
    before = {f"w{number:03}": plain for number in range(500)}
    after = {
        name: (grave if name == "w487" else plain).model_copy(
            update={
                "stated": (
                    *plain.stated,
                    Power(rule="hold.env-file", subject=f"~/env/{name}.env"),
                )
            }
        )
        for name in before
    }
    lines = [text for text, _ in screen(review(before, after, portable.bare(), portable.HOME))]
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    text = "\n".join(lines)
    assert "w487: holds the user's SSH agent" in text
    assert "500 of 500 workspaces may do more: 1 critical, 500 high" in lines[0]
    assert "more high (hold); --json has all" in text


def test_text_that_deceives_is_made_visible() -> None:
    """Invisible characters, other directions, look-alikes, and controls (Trojan Source)."""
    workspace = "[workspaces.api]\npaths = ['~/code/api']\n"
    found = reviewed(
        workspace,
        workspace
        + 'mounts = ["~/d\\u0430ta\\u202E\\u200B:/data", "~/x\\u001b[31m:/x"]\n'
        + 'env = ["A=1", "\\u0410B=1"]\n',
    )
    text = first_screen(found)
    assert "~/d\u0430<U+0430>ta<U+202E><U+200B>" in text
    for char in ("\u202e", "\u200b", "\x1b"):
        assert char not in text
        assert char not in markdown(found)


def test_long_names_keep_their_end() -> None:
    workspace = "[workspaces.api]\npaths = ['~/code/api']\n"
    path = f"~/{'a' * 150}/.bashrc-backup/end"
    text = first_screen(reviewed(workspace, workspace + f"mounts = ['{path}:/x']\n"))
    assert "/.bashrc-backup/end" in text
    assert "a" * 100 not in text


def test_what_is_alike_is_one_line_and_what_is_not_has_its_own() -> None:
    prepared = case("dangerous", "two-names-among-eighty")
    lines = first_screen(there(prepared)).splitlines()
    assert any("and 77 more, every port" in each for each in lines)
    assert len(lines) == 6
    prepared = case("dangerous", "one-name-of-others-among-sixty-workspaces")
    lines = first_screen(there(prepared)).splitlines()
    # It is the last but two of the workspaces, and the first that is told of.
    assert "zz.ngrok.io" in lines[3]
