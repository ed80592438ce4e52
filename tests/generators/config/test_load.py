"""Loading: any text is a configuration or is refused with places; what loads compiles."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.load import load, warnings
from jailoc.generators.config.mentioned import mentioned
from jailoc.generators.config.resolve import names, resolve
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic, Refused, Severity
from jailoc.model.document import Document
from jailoc.model.host import FileKind, Host
from tests.strategies import HOST, bundle_of, config_of, configs, hostile, quote, toml


def refused(text: str, host: Host = HOST) -> tuple[Diagnostic, ...]:
    with pytest.raises(Refused) as caught:
        config_of(text, host)
    return caught.value.diagnostics


@pytest.mark.parametrize("host_name", ['"[key]" = 1', '[defaults]\n"[key]" = 1'])
def test_a_key_that_looks_like_an_internal_word_is_an_unknown_key(host_name: str) -> None:
    (found,) = refused(host_name)
    assert found.code == "unknown-key"
    assert "`[key]`" in found.message


@pytest.mark.parametrize("name", ["a", "-", "--", "0", "a-b-9"])
def test_workspace_names_may_be_letters_digits_and_hyphens(name: str) -> None:
    assert names(config_of(toml({name: {}}))) == (name,)


@pytest.mark.parametrize(
    "path",
    ["/etcx", "/home/agent2", "/optional", "/data/a:b", "/srv", "/data/$x #y", " /a"[1:] + " "],
)
def test_harmless_paths_are_accepted_exactly(path: str) -> None:
    assert config_of(toml({"a": {"paths": [path]}})).workspaces["a"].paths == (path,)


def test_an_empty_file_is_a_configuration_without_workspaces() -> None:
    assert config_of("") == Config()


def test_an_integer_is_a_number_of_cpus() -> None:
    assert config_of("[defaults]\ncpu = 4\n").defaults.cpu == 4.0


def test_a_path_in_two_workspaces_is_a_warning_at_the_second_one() -> None:
    text = toml({"b": {"paths": ["/data/x"]}, "a": {"paths": ["/data/./x/", "/data/y"]}})
    document = Document(text, "config.toml")
    host = HOST.model_copy(
        update={"kinds": dict.fromkeys(("/data/x", "/data/y"), FileKind.DIRECTORY)}
    )
    (found,) = warnings(document, load(document, host), host)
    assert (found.code, found.severity) == ("path-shared", Severity.WARNING)
    assert found.where == "workspaces.b.paths[0]"
    assert found.position is not None
    assert (found.position.line, found.position.column) == (2, 10)
    assert "`/data/x` is in workspace `a` and in `b`" in found.message


def test_the_same_path_twice_in_one_workspace_is_no_warning() -> None:
    document = Document(toml({"a": {"paths": ["/data/x", "/data/x"]}}), "config.toml")
    host = HOST.model_copy(update={"kinds": {"/data/x": FileKind.DIRECTORY}})
    assert warnings(document, load(document, host), host) == ()


def test_an_unknown_workspace_is_refused_with_the_nearest_name() -> None:
    config = config_of(toml({"frontend": {}, "api": {}}))
    with pytest.raises(Refused) as caught:
        resolve(config, "fronted", HOST)
    (found,) = caught.value.diagnostics
    assert found.code == "workspace-unknown"
    assert found.message == "workspace `fronted` not found"
    assert found.allowed == "api, frontend"
    assert found.hint == "did you mean `frontend`?"


def test_the_paths_a_document_names_are_known_before_it_is_believed() -> None:
    text = """\
base.ca_certificates = ["~/ca.pem", 3, "x.pem"]
[defaults]
mounts = ["~/d:/d", ":/x", "vol:/x", 1]
env_file = ["~/e.env"]
[workspaces.a]
dockerfile = "https://example.com/D"
paths = ["/data//x/", "rel", true]
mounts = "nonsense"
[workspaces]
b = 3
"""
    found = mentioned(Document(text, "config.toml"), "/home/alice")
    own = {
        f"/home/alice/{name}"
        for name in (
            ".gitconfig",
            ".config/git/config",
            ".ssh/known_hosts",
            ".config/opencode",
            ".opencode",
            ".claude/transcripts",
            ".agents",
        )
    }
    named = {path for path in found.places if not path.startswith("/data/x/")}
    assert named == own | {"/data/x", "/home/alice/ca.pem", "/home/alice/d", "/home/alice/e.env"}
    assert {"/data/x/.git", "/data/x/.git/hooks"} <= set(found.places)
    assert found.files == ("/home/alice/ca.pem", "/home/alice/e.env")
    assert found.urls == ("https://example.com/D",)


LINES = st.sampled_from(
    ["[base]", "[defaults]", "[workspaces.a]", "[workspaces.b]", "[[workspaces]]", "paths = ['/a']",
     "paths = ['~']", "mounts = ['/a:/b:ro']", "mounts = [1]", "env = ['A=1']", "cpu = 1",
     "cpu = nan", "cpu = 1e400", "memory = '4g'", "memory = 4", "image = 'x'", "expose_port = true",
     "enable_docker = 0", "allowed_hosts = ['a']", "allowed_networks = ['10.0.0.0/8']", "mode = 1",
     "env_file = ['/srv/x']", "protect = ['.git']", "trust = ['/srv']", "dockerfile = '/data/D'",
     "build_context = '/data'", "secrets.file.A.from_file = '/data/x'", "secrets = 1",
     "secrets.env = 1", "[defaults.secrets.env.A]", "base.dockerfile = 'http://x/y'",
     "workspaces = 1", "defaults.cpu = 2", "colour = 07:32:00", "secrets.env.A.from_env = 'A'"]
)  # fmt: skip
keyed = st.builds(lambda key, value: f"{quote(key)} = {quote(value)}", hostile, hostile)


@given(st.text(max_size=80) | st.lists(LINES | keyed, max_size=8).map("\n".join))
@example('"[key]" = 1')
@example('[workspaces.a]\n"[key]" = 1')
@example("a = " + "9" * 5000)
@example("[defaults]\ncpu = " + "9" * 400)
@example(toml({"a": {"memory": "9" * 5000}}))
def test_any_text_is_a_configuration_or_refused_with_places(text: str) -> None:
    try:
        config_of(text)
        return
    except Refused as error:
        found = error.diagnostics
    assert found
    for each in found:
        assert each.position is not None
        assert each.text is not None
        assert "Value error" not in each.message


@given(configs)
@example(toml({"a": {"mounts": ["/home/alice/.docker/run/docker.sock:/data/docker.sock"]}}))
@example(toml({"a": {"paths": ["/\nx"]}}))
@example(toml({"a": {"paths": ["/data/podman.sock"]}}))
@example(toml({"a": {"allowed_hosts": ["fe80::1%eth0"]}}))
@example(toml({"a": {"memory": "99999999999999999999g"}}))
def test_what_loads_compiles(text: str) -> None:
    """Refusal belongs to loading: past it, every workspace has a valid bundle."""
    try:
        config = config_of(text)
    except Refused:
        return
    for name in names(config):
        compile_workspace(config, name, HOST)


@given(configs)
def test_the_configurations_of_these_tests_are_valid(text: str) -> None:
    assert config_of(text).workspaces


@pytest.mark.parametrize("memory", ["9223372036854775808", "99999999999999999999g"])
def test_memory_beyond_what_the_engine_can_count_is_refused(memory: str) -> None:
    with pytest.raises(Refused):
        bundle_of(toml({"a": {"memory": memory}}), "a")
