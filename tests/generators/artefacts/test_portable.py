"""What is compiled for everybody, written down as models, and compared."""

import hashlib
import itertools
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.artefacts import portable
from jailoc.generators.artefacts.portable import HOME, Compiled
from jailoc.generators.config.load import load
from jailoc.generators.plan import golden_diff
from jailoc.generators.powers.review import Review, review
from jailoc.generators.views.golden import pull_request
from jailoc.generators.views.markdown import code
from jailoc.model.compose import Bind
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document
from jailoc.model.golden import SCHEMA, Difference, FileState, State
from jailoc.schemas import schema
from tests.strategies import configs, hostile, toml

EVERYTHING = """
[base]
ca_certificates = ["~/ca.crt"]
[defaults]
env_file = ["~/team.env"]
[workspaces.a]
paths = ["~/src/api"]
mounts = ["~/data:/data:ro"]
env = ["A=1"]
ssh_auth_sock = true
dockerfile = "~/images/Dockerfile"
allowed_hosts = [{ to = "x.example.com", until = 2020-01-01 }]
[workspaces.a.secrets.env.TOKEN]
from_env = "TOKEN"
[workspaces.a.secrets.file.key]
from_file = "~/keys/key"
"""


def compiled(text: str, name: str = "a") -> Compiled:
    document = Document(text, "config.toml")
    host = portable.host(document)
    return portable.compiled(host, load(document, host), name)


def folder(made: Compiled) -> dict[str, str]:
    return {each.path: each.text for each in made.files}


def compare(before: dict[str, str], after: Compiled) -> Difference:
    return golden_diff.compare("a", before, after.files, after.snapshot)


@given(configs)
def test_models_are_read_back_as_they_were_written(text: str) -> None:
    name = sorted(Document(text, "config.toml").data["workspaces"])[0]
    snapshot = compiled(text, name).snapshot
    written = portable.written(snapshot)
    assert golden_diff.read(written) == snapshot
    jsonschema.validate(json.loads(written), schema("bundle"))


@given(configs)
def test_models_are_written_as_the_standard_library_writes_json(text: str) -> None:
    name = sorted(Document(text, "config.toml").data["workspaces"])[0]
    snapshot = compiled(text, name).snapshot
    data = {"$schema": SCHEMA} | snapshot.model_dump(mode="json", exclude_defaults=True)
    assert portable.written(snapshot) == json.dumps(data, indent=1, ensure_ascii=False) + "\n"


@given(configs)
def test_a_workspace_does_not_differ_from_itself(text: str) -> None:
    name = sorted(Document(text, "config.toml").data["workspaces"])[0]
    made = compiled(text, name)
    found = golden_diff.compare(name, folder(made), made.files, made.snapshot)
    assert found == Difference(name=name, state=State.SAME)


@given(st.sampled_from([None, "", "{}", "[]", "<<<<<<< ours\n"]) | hostile)
def test_what_is_no_model_is_none(text: str | None) -> None:
    assert golden_diff.read(text) is None


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "", "a//b", "./a", "a/."])
def test_models_name_no_file_outside_of_their_folder(path: str) -> None:
    data = json.loads(portable.written(compiled("[workspaces.a]").snapshot))
    data["files"].append({"path": path, "sha256": "0" * 64})
    assert golden_diff.read(json.dumps(data)) is None


def test_the_portable_host_has_all_that_is_asked_for_and_the_text_of_nothing() -> None:
    made = compiled(EVERYTHING)
    agent = made.bundle.compose.services["opencode"]
    places = {each.target.text for each in agent.mounts if isinstance(each, Bind)}
    assert {"/home/agent/.gitconfig", "/home/agent/.ssh/known_hosts", "/run/ssh-agent.sock",
            f"{HOME}/src/api/.git/hooks", f"{HOME}/src/api/.envrc"} <= places  # fmt: skip
    assert made.bundle.compose.network.ipv6_subnet
    assert set(agent.environment) - {"A"} == {
        "OPENCODE_LOG", "JAILOC", "JAILOC_WORKSPACE", "DOCKER_HOST", "SSH_AUTH_SOCK",
    }  # fmt: skip
    assert {(each.rule, each.subject, each.value) for each in made.snapshot.stated} >= {
        ("trust.certificate", "~/ca.crt", ""), ("run.dockerfile", "~/images/Dockerfile", ""),
        ("hold.env-file", "~/team.env", ""),
    }  # fmt: skip
    assert {each.value for each in made.snapshot.stated if each.rule == "hold.secret"} == {
        "env TOKEN", "file key",
    }  # fmt: skip
    assert [each.until.isoformat() for each in made.bundle.firewall.names if each.until] == [
        "2020-01-01"
    ]


@pytest.mark.parametrize(
    ("home", "line", "essence"),
    [
        ("/home/bob", 'paths = ["/HOME/src"]', "cannot be told apart"),
        ("/home/bob", 'mounts = ["/SSH_AUTH_SOCK:/x"]', "cannot be told apart"),
    ],
)
def test_what_stands_for_something_else_is_no_path(home: str, line: str, essence: str) -> None:
    with pytest.raises(Refused) as caught:
        portable.check(Document(f"[workspaces.a]\n{line}\n", "c"), home)
    assert essence in caught.value.diagnostics[0].message


def test_a_home_directory_that_is_written_out_is_warned_about() -> None:
    document = Document('[workspaces.a]\npaths = ["/home/bob/src", "~/web", "/srv"]', "c")
    (found,) = portable.check(document, "/home/bob")
    assert found.hint == "write ~/src"
    assert portable.check(document, "/home/eve") == ()


def test_all_such_paths_are_one_warning_with_their_lines() -> None:
    text = '[defaults]\nmounts = ["/home/bob/x:/x"]\n[workspaces.a]\npaths = ["/home/bob/src"]\n'
    (found,) = portable.check(Document(text, "c"), "/home/bob")
    assert "`/home/bob/x` (line 2), `/home/bob/src` (line 4) are in your home" in found.message
    assert found.hint == "write ~/src, ~/x"


def test_powers_values_and_files_of_a_change_are_found() -> None:
    before = compiled("[workspaces.a]\n")
    after = compiled('[workspaces.a]\nmounts = ["~/data:/data:ro"]\nmemory = "8g"\n'
                     'allowed_networks = ["10.1.0.0/16"]\nenv_file = ["~/x.env"]\n')  # fmt: skip
    found = compare(folder(before), after)
    assert found.state is State.CHANGED
    assert [each.text for each in found.powers] == [
        "may reach 10.1.0.0/16 (65,536 addresses), every port: in the range 10.0.0.0/8, private "
        "(RFC 1918)",
        "holds every variable of the env file ~/x.env",
        "may read ~/data at /data: directly in the user's home",
        "memory of opencode 8g (it was 4g)",
        "memory of dind 8g (it was 4g)",
    ]
    values = [each.text for each in found.changes]
    assert 'compose.services.opencode.mem_limit: "4g" -> "8g"' in values
    assert (
        'compose.services.opencode.volumes."/data": nothing -> "bind /HOME/data, read-only"'
        in values
    )
    assert any(each.startswith("firewall.ipv4[") and "10.1.0.0/16" in each for each in values)
    assert not any("ipv6" in each for each in values), "a new rule moves no other one"
    assert {each.path for each in found.files} == {
        "bundle.json", "docker-compose.yml", "wall/rules.v4",
    }  # fmt: skip


def test_files_are_stale_missing_changed_or_edited() -> None:
    before = compiled('[workspaces.a]\nenv = ["A=1"]\n')
    after = compiled('[workspaces.a]\nenable_docker = false\nenv = ["A=2"]\n')
    there = folder(before)
    del there["wall/egress"]
    there["wall/firewall.sh"] += "echo mine\n"
    states = {each.path: each.state for each in compare(there, after).files}
    assert states["dind/dind.sh"] is FileState.STALE
    assert states["wall/egress"] is FileState.MISSING
    assert states["docker-compose.yml"] is FileState.CHANGED
    assert states["wall/firewall.sh"] is FileState.EDITED


def test_an_edit_by_hand_is_said_to_be_one() -> None:
    made = compiled("[workspaces.a]\n")
    found = compare(folder(made) | {"wall/rules.v4": "*filter\nCOMMIT\n"}, made)
    assert found.state is State.CHANGED
    assert found.first == "a: changed by hand: wall/rules.v4"


def test_models_that_cannot_be_read_are_a_difference() -> None:
    made = compiled("[workspaces.a]\n")
    found = compare(folder(made) | {"bundle.json": "<<<<<<< ours"}, made)
    assert found.state is State.UNREADABLE
    assert found.first is not None
    assert "cannot be read" in found.first


def _again(jumps: int) -> list[dict[str, str]]:
    """Return rules of which a walk would come by the last ones 2 ** jumps times."""
    chains = ["OUTPUT", *(f"JAILOC-{number}" for number in range(jumps))]
    pairs = [(*pair,) for pair in itertools.pairwise(chains)]
    return [{"chain": a, "jump": b} for a, b in pairs for _ in range(2)] + [
        {"chain": chains[-1], "target": "ACCEPT", "destination": "192.0.2.1/32"}
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"rules": [{"chain": "OUTPUT", "jump": "OUTPUT"}]},
        {"rules": [{"chain": "JAILOC-A", "jump": "JAILOC-B"},
                   {"chain": "JAILOC-B", "jump": "JAILOC-A"}]},
        {"rules": _again(40)},
        {"stated": [{"rule": "made.up", "subject": "x"}]},
        {"files": [{"path": "x" * 256, "sha256": "0" * 64}]},
        {"files": [{"path": "/".join(["x" * 200] * 30), "sha256": "0" * 64}]},
    ],
    ids=["itself", "circle", "again and again", "power", "name", "way"],
)  # fmt: skip
def test_models_that_no_jailoc_made_are_a_difference_and_keep_nobody_waiting(
    change: dict[str, list[dict[str, str]]],
) -> None:
    made = compiled("[workspaces.a]\n")
    data = json.loads(folder(made)["bundle.json"])
    data["firewall"]["ipv4"]["rules"] += [
        {"comment": "x"} | each for each in change.get("rules", [])
    ]
    data["stated"] += change.get("stated", [])
    data["files"] += change.get("files", [])
    found = compare(folder(made) | {"bundle.json": json.dumps(data)}, made)
    assert found.state is State.UNREADABLE


def test_chains_of_which_a_walk_ends_are_read() -> None:
    """The control: a few that lead to each other, and very many that lead to one."""
    made = compiled("[workspaces.a]\n")
    data = json.loads(folder(made)["bundle.json"])
    many = [
        {
            "chain": "OUTPUT",
            "jump": "JAILOC-DENY",
            "destination": f"10.0.{each >> 8}.{each & 255}/32",
        }
        for each in range(5000)
    ]
    data["firewall"]["ipv4"]["rules"] += [{"comment": "x"} | each for each in (*_again(4), *many)]
    found = compare(folder(made) | {"bundle.json": json.dumps(data)}, made)
    assert found.state is State.CHANGED


def reviewed(before: portable.Compiled, after: portable.Compiled) -> Review:
    old, new = ({"a": each.snapshot.sides} for each in (before, after))
    return review(old, new, portable.bare(), portable.HOME)


def test_a_workspace_comes_and_goes() -> None:
    made = compiled("[workspaces.a]\n")
    come = golden_diff.compare("a", {}, made.files, made.snapshot)
    gone = golden_diff.compare("a", folder(made), (), None)
    assert (come.state, gone.state) == (State.ADDED, State.REMOVED)
    assert {each.state for each in gone.files} == {FileState.STALE}
    assert not [each for each in come.powers if each.widens], "it has what every one has"
    assert not [each for each in gone.powers if each.widens]
    assert gone.powers


def test_a_unified_diff_applies_to_what_is_there() -> None:
    before, after = compiled("[workspaces.a]\n"), compiled('[workspaces.a]\nmemory = "8g"\n')
    file = next(each for each in compare(folder(before), after).files
                if each.path == "docker-compose.yml")  # fmt: skip
    text = golden_diff.unified("a", file)
    assert text.startswith("--- a/a/docker-compose.yml\n+++ b/a/docker-compose.yml\n@@ ")
    lines = text.splitlines()
    assert '-    mem_limit: "4g"' in lines
    assert '+    mem_limit: "8g"' in lines


@given(hostile)
def test_code_in_markdown_holds_whatever_stands_in_it(text: str) -> None:
    found = code(text)
    fence = found[: len(found) - len(found.lstrip("`"))]
    assert found.endswith(fence)
    inner = found[len(fence) : -len(fence)]
    assert fence not in inner
    assert "\n" not in inner


def test_markdown_tells_what_is_newly_possible_first_and_fits_into_a_comment() -> None:
    before = compiled("[workspaces.a]\n")
    after = compiled('[workspaces.a]\nmemory = "8g"\nallowed_networks = ["10.1.0.0/16"]\n')
    text = pull_request((compare(folder(before), after),), reviewed(before, after), diff=True)
    assert text.startswith("### jailoc: 1 of 1 workspace may do more: 1 high\n")
    assert text.index("high**\n\n- `a`: `may reach 10.1.0.0/16") < text.index("<details>")
    assert "```diff\n--- a/a/docker-compose.yml" in text
    many = ", ".join(f'"10.{each // 250}.{each % 250}.0/24"' for each in range(2000))
    large = compiled(f"[workspaces.a]\nallowed_networks = [{many}]\n")
    long = pull_request((compare(folder(before), large),), reviewed(before, large), diff=True)
    assert len(long) < 65_536
    assert "too long to show" in long


def test_nothing_in_markdown_is_up_to_date() -> None:
    made = compiled(toml({"a": {}}))
    found = compare(folder(made), made)
    assert (
        pull_request((found,), reviewed(made, made))
        == "### jailoc: the generated files are up to date\n"
    )
    digest = hashlib.sha256(made.files[0].text.encode()).hexdigest()
    assert made.snapshot.files[0].sha256 == digest
