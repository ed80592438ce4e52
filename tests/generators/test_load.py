"""Every mistake has a code, an exact place, and says what is wrong, what is allowed, what to do."""

import ast
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jailoc.generators.compile import compile_workspace
from jailoc.generators.load import load, mentioned, warnings
from jailoc.generators.resolve import names, resolve
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic, Refused, Severity
from jailoc.model.document import Document
from jailoc.model.host import Host
from tests.strategies import HOST, bundle_of, config_of, configs, hostile, quote, toml

ROOT = Path(__file__).parents[2]
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
WITH_FILES = Host(
    home="/home/alice",
    links={"/data/link": "/etc/secrets"},
    files={
        "/ca.pem": PEM,
        "/text.pem": "hello",
        "/key.pem": PEM + "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
    },
)

Case = tuple[str, str, tuple[int, int], str, str, str | None, str | None]
"""Text; code; line and column; dotted path; essence of message, of what is allowed, of the hint."""

CASES: tuple[Case, ...] = (
    ("[base\n", "toml-syntax", (1, 6), "", "not valid TOML: expected", "TOML 1.0", "quotes"),
    ("a = 1\n", "unknown-key", (1, 1), "a", "unknown key `a`", "base, defaults, workspaces", None),
    ("[workspace.a]\n", "unknown-key", (1, 2), "workspace", "`workspace`", None,
     "did you mean `workspaces`?"),
    ("[workspaces.a]\n  pahts = []\n", "unknown-key", (2, 3), "workspaces.a.pahts", "`pahts`",
     "allowed_hosts, allowed_networks, cpu, enable_docker, env, expose_port, image, memory, "
     "mounts, paths", "did you mean `paths`?"),
    ("[defaults]\nPATHS = []\n", "unknown-key", (2, 1), "defaults.PATHS", "`PATHS`", "env",
     None),
    ("[defaults]\nENV = []\n", "unknown-key", (2, 1), "defaults.ENV", "`ENV`", "env",
     "did you mean `env`?"),
    ("base.ca_certificate = []\n", "unknown-key", (1, 1), "base.ca_certificate",
     "`ca_certificate`", "ca_certificates", "did you mean `ca_certificates`?"),
    ("mode = 'exec'\n", "not-built", (1, 1), "mode", "`mode` is not supported", None, "remove it"),
    ("[base]\ndockerfile = ''\n", "not-built", (2, 1), "base.dockerfile", "`dockerfile`", None,
     "never accepts a key that it would ignore"),
    ("[defaults.secrets.env.T]\nfrom_env = 'T'\n", "not-built", (1, 2), "defaults.secrets",
     "`secrets`", None, "remove it"),
    ("[workspaces.a]\nbuild_context = '.'\n", "not-built", (2, 1), "workspaces.a.build_context",
     "`build_context`", None, "remove it"),
    ("[workspaces.a]\npaths = '/a'\n", "type", (2, 9), "workspaces.a.paths",
     "expected an array, found a string", "an array: [ ... ]", None),
    ("[workspaces.a]\npaths = ['/a', 1]\n", "type", (2, 16), "workspaces.a.paths[1]",
     "found an integer", "a string in quotes", None),
    ("[workspaces.a]\nmounts = [[]]\n", "type", (2, 11), "workspaces.a.mounts[0]",
     "expected a string, found an array", "a string in quotes", None),
    ("[workspaces.a]\nenv = [true]\n", "type", (2, 8), "workspaces.a.env[0]", "found a boolean",
     "a string in quotes", None),
    ("[defaults]\nexpose_port = 'yes'\n", "type", (2, 15), "defaults.expose_port",
     "expected true or false, found a string", "true or false", None),
    ("[defaults]\nenable_docker = 1\n", "type", (2, 17), "defaults.enable_docker",
     "found an integer", "true or false", None),
    ("[defaults]\ncpu = '4'\n", "type", (2, 7), "defaults.cpu", "expected a number, found a string",
     "a number", None),
    ("[defaults]\ncpu = true\n", "type", (2, 7), "defaults.cpu", "found a boolean", "a number",
     None),
    ("[defaults]\nmemory = 4\n", "type", (2, 10), "defaults.memory", "found an integer",
     "a string in quotes", None),
    ("[defaults]\nimage = 1979-05-27\n", "type", (2, 9), "defaults.image", "found a date or time",
     "a string in quotes", None),
    ("workspaces = 1\n", "type", (1, 14), "workspaces", "found an integer", "a table", None),
    ("[[workspaces]]\n", "type", (1, 3), "workspaces", "found an array", "a table", None),
    ("[workspaces]\na = []\n", "type", (2, 5), "workspaces.a", "found an array", "a table", None),
    ("defaults = 'x'\n", "type", (1, 12), "defaults", "found a string", "a table", None),
    ("[workspaces.A]\n", "workspace-name", (1, 2), "workspaces.A", "`A` is invalid",
     "lower-case letters a-z, digits and hyphens", None),
    ('[workspaces."a\\n"]\n', "workspace-name", (1, 2), 'workspaces."a\n"', "is invalid", "a-z",
     None),
    ('[workspaces."[key]"]\n', "workspace-name", (1, 2), 'workspaces."[key]"', "`[key]`", "a-z",
     None),
    ("[workspaces.a]\npaths = [' ']\n", "path-empty", (2, 10), "workspaces.a.paths[0]",
     "empty path ` `", "an absolute path", None),
    ('[workspaces.a]\npaths = ["/a\\u0000"]\n', "path-text", (2, 10), "workspaces.a.paths[0]",
     "NUL", "any other text", None),
    ("[workspaces.a]\npaths = ['src']\n", "path-relative", (2, 10), "workspaces.a.paths[0]",
     "`src` is relative", "beginning with ~", None),
    ("[workspaces.a]\npaths = ['/data/../etc']\n", "path-forbidden", (2, 10),
     "workspaces.a.paths[0]", "(which is `/etc`) conflicts with", "outside", None),
    ("[workspaces.a]\npaths = [\n  '/data/ok',\n  '/data/link']\n", "path-forbidden", (4, 3),
     "workspaces.a.paths[1]", "`/data/link` (which is `/etc/secrets`)", "outside", None),
    ("[workspaces.a]\npaths = ['~']\n", "path-forbidden", (2, 10), "workspaces.a.paths[0]",
     "holds `/home/alice`", "below the home directory", None),
    ("[workspaces.a]\npaths = ['/']\n", "path-forbidden", (2, 10), "workspaces.a.paths[0]",
     "`/`", "outside", None),
    ("[workspaces.a]\npaths = ['~/.ssh/x']\n", "path-forbidden", (2, 10), "workspaces.a.paths[0]",
     "lies in `/home/alice/.ssh`", "without credentials", None),
    ("[workspaces.a]\npaths = ['~/.config/jailoc']\n", "path-forbidden", (2, 10),
     "workspaces.a.paths[0]", "lies in `/home/alice/.config/jailoc`", "jailoc's own", None),
    ("[defaults]\nallowed_hosts = ['a', 'b c_é']\n", "host-name", (2, 23),
     "defaults.allowed_hosts[1]", "`b c_é` is not a host name", "registry.example.com", "xn--"),
    ("[defaults]\nallowed_hosts = ['10.0.0.0/8']\n", "host-name", (2, 18),
     "defaults.allowed_hosts[0]", "`10.0.0.0/8`", "IP address", "allowed_networks"),
    ("[defaults]\nallowed_hosts = ['1.2.3']\n", "host-name", (2, 18),
     "defaults.allowed_hosts[0]", "`1.2.3`", "IP address", None),
    ("[defaults]\nallowed_hosts = ['fe80::1%eth0']\n", "host-name", (2, 18),
     "defaults.allowed_hosts[0]", "`fe80::1%eth0`", "IP address", None),
    ('[defaults]\nallowed_hosts = ["fd00::1%x\\n-A"]\n', "host-name", (2, 18),
     "defaults.allowed_hosts[0]", "is not a host name", "IP address", None),
    *(
        (f"[defaults]\nallowed_networks = [{quote(text)}]\n", "network", (2, 21),
         "defaults.allowed_networks[0]", f"`{text}` is not a network", "ADDRESS/PREFIXLENGTH", None)
        for text in ("10.0.0.0", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0/8", "010.0.0.0/8",
                     "10.0.0.0/+8", "10.0.0.0/-1", " 10.0.0.0/8", "", "/", "fe80::%eth0/64",
                     "fd00::/129", "10.0.0.0/8 # office", "10.0.0.0/8/8", "10.0.0.0/٨",
                     "10.0.0.0/8\n")
    ),
    ("[defaults]\nallowed_networks = ['0.0.0.0/0']\n", "network-everything", (2, 21),
     "defaults.allowed_networks[0]", "switch the firewall off", "ADDRESS/PREFIXLENGTH",
     "name the networks"),
    ("[defaults]\nallowed_networks = ['::/0']\n", "network-everything", (2, 21),
     "defaults.allowed_networks[0]", "`::/0`", "ADDRESS/PREFIXLENGTH", None),
    *(
        (f"[defaults]\ncpu = {text}\n", "cpu", (2, 7), "defaults.cpu", "out of range",
         "greater than 0", None)
        for text in ("0", "0.0", "-1.5", "nan", "inf", "-inf")
    ),
    *(
        (f"[defaults]\nmemory = {quote(text)}\n", "memory", (2, 10), "defaults.memory",
         f"`{text}`", "512m or 4g", None)
        for text in ("", "0", "0g", "4.5g", "4gb", "-1g", "4g\n", " 4g", "1024", "5m")
    ),
    ("[defaults]\nimage = ' '\n", "image", (2, 9), "defaults.image", "must not be empty",
     "image reference", None),
    ("[workspaces.a]\nimage = 'a b'\n", "image", (2, 9), "workspaces.a.image", "`a b`",
     "image reference", None),
    ("[base]\nca_certificates = ['ca.pem']\n", "certificate", (2, 20), "base.ca_certificates[0]",
     "is relative", "an absolute path", None),
    ("[base]\nca_certificates = ['/ca.pem', '/no.pem']\n", "certificate", (2, 31),
     "base.ca_certificates[1]", "`/no.pem` cannot be read", "an existing PEM file", None),
    ("[base]\nca_certificates = ['/text.pem']\n", "certificate", (2, 20),
     "base.ca_certificates[0]", "holds no certificate", "a PEM file", None),
    ("[base]\nca_certificates = ['/key.pem']\n", "certificate", (2, 20),
     "base.ca_certificates[0]", "holds a private key", "certificates alone", None),
    ("[defaults]\nmounts = ['/a']\n", "mount-grammar", (2, 11), "defaults.mounts[0]",
     "`/a` is not a mount", "HOST:CONTAINER:ro", None),
    ("[defaults]\nmounts = ['/a:/b', '/a:/etc/x']\n", "mount-container", (2, 20),
     "defaults.mounts[1]", "lies in `/etc`", "system directories", "/home/agent"),
    ("[workspaces.a]\nmounts = ['~/.ssh:/x']\n", "mount-host", (2, 11), "workspaces.a.mounts[0]",
     "lies in `/home/alice/.ssh`", "credential", None),
    ("[workspaces.a]\nmounts = ['~/.docker/run/docker.sock:/x']\n", "mount-host", (2, 11),
     "workspaces.a.mounts[0]", "an engine's socket", "no engine's socket", None),
    ("[workspaces.a]\npaths = ['/data/podman.sock']\n", "path-forbidden", (2, 10),
     "workspaces.a.paths[0]", "an engine's socket", None, None),
    ("[defaults]\nenv = ['A=1', 'B']\n", "env-entry", (2, 15), "defaults.env[1]", "`B` has no `=`",
     "KEY=VALUE", None),
    ("[workspaces.a]\nenv = ['JAILOC=1']\n", "env-reserved", (2, 8), "workspaces.a.env[0]",
     "`JAILOC` is reserved", "any name but", None),
)  # fmt: skip


def refused(text: str, host: Host = WITH_FILES) -> tuple[Diagnostic, ...]:
    with pytest.raises(Refused) as caught:
        config_of(text, host)
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("text", "code", "place", "where", "message", "allowed", "hint"),
    CASES,
    ids=[f"{case[1]} {index}" for index, case in enumerate(CASES)],
)
def test_a_mistake_is_reported_with_code_place_and_words(
    text: str,
    code: str,
    place: tuple[int, int],
    where: str,
    message: str,
    allowed: str | None,
    hint: str | None,
) -> None:
    (found,) = refused(text)
    assert found.position is not None
    assert (found.code, found.position.line, found.position.column) == (code, *place)
    assert (found.where or "") == where
    assert found.severity is Severity.ERROR
    assert found.file == "config.toml"
    assert found.text == text.split("\n")[place[0] - 1]
    assert message in found.message
    assert allowed is None or allowed in (found.allowed or "")
    if hint is not None:
        assert hint in (found.hint or "")


def test_every_code_in_the_source_has_a_case() -> None:
    outside = {"path-shared", "workspace-unknown"}  # a warning and a question, below
    used: set[str] = set()
    for folder in ("model", "generators"):
        for source in (ROOT / folder).glob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name):
                    first = node.args[0]
                    if node.func.id in {"problem", "refuse"} and isinstance(first, ast.Constant):
                        used.add(str(first.value))
    assert used - outside <= {case[1] for case in CASES}
    assert {case[1] for case in CASES} - used <= {"toml-syntax", "unknown-key", "not-built", "type"}


@pytest.mark.parametrize("host_name", ['"[key]" = 1', '[defaults]\n"[key]" = 1'])
def test_a_key_that_looks_like_an_internal_word_is_an_unknown_key(host_name: str) -> None:
    (found,) = refused(host_name)
    assert found.code == "unknown-key"
    assert "`[key]`" in found.message


def test_all_problems_are_reported_together_in_the_order_of_the_file() -> None:
    text = """\
[workspaces.b]
paths = ["src", "/etc"]
colour = "red"
[defaults]
memory = 4
cpu = -1
env = ["A", "JAILOC=1"]
[workspaces.B]
mounts = ["/a"]
"""
    found = refused(text)
    places = [each.position and (each.position.line, each.position.column) for each in found]
    assert [each.code for each in found] == [
        "path-relative", "path-forbidden", "unknown-key", "type", "cpu", "env-entry",
        "env-reserved", "workspace-name", "mount-grammar",
    ]  # fmt: skip
    assert places == [(2, 10), (2, 17), (3, 1), (5, 10), (6, 7), (7, 8), (7, 13), (8, 2), (9, 11)]


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("registry.example.com", "registry.example.com"),
        (" registry . example.com # the mirror", "registry.example.com"),
        ("# nothing", ""),
        ("", ""),
        ("10.0.0.7", "10.0.0.7"),
        ("fd00::7", "fd00::7"),
        ("host.docker.internal", "host.docker.internal"),
        ("_x.example.", "_x.example."),
    ],
)
def test_host_names_are_kept_without_blanks_and_comments(text: str, hosts: str) -> None:
    assert config_of(toml({"a": {"allowed_hosts": [text]}})).workspaces["a"].allowed_hosts == (
        hosts,
    )


@pytest.mark.parametrize(
    ("text", "network"),
    [("10.0.0.1/8", "10.0.0.0/8"), ("10.0.0.0/08", "10.0.0.0/8"), ("FD00::1/16", "fd00::/16")],
)
def test_networks_may_have_host_bits(text: str, network: str) -> None:
    found = config_of(toml({"a": {"allowed_networks": [text]}})).workspaces["a"].allowed_networks
    assert [str(each) for each in found] == [network]


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
    (found,) = warnings(document, load(document, HOST))
    assert (found.code, found.severity) == ("path-shared", Severity.WARNING)
    assert found.where == "workspaces.b.paths[0]"
    assert found.position is not None
    assert (found.position.line, found.position.column) == (2, 10)
    assert "`/data/x` is in workspace `a` and in `b`" in found.message


def test_the_same_path_twice_in_one_workspace_is_no_warning() -> None:
    document = Document(toml({"a": {"paths": ["/data/x", "/data/x"]}}), "config.toml")
    assert warnings(document, load(document, HOST)) == ()


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
[workspaces.a]
paths = ["/data//x/", "rel", true]
mounts = "nonsense"
[workspaces]
b = 3
"""
    every, files = mentioned(Document(text, "config.toml"), "/home/alice")
    assert every == ("/data/x", "/home/alice/ca.pem", "/home/alice/d")
    assert files == ("/home/alice/ca.pem",)


LINES = st.sampled_from(
    ["[base]", "[defaults]", "[workspaces.a]", "[workspaces.b]", "[[workspaces]]", "paths = ['/a']",
     "paths = ['~']", "mounts = ['/a:/b:ro']", "mounts = [1]", "env = ['A=1']", "cpu = 1",
     "cpu = nan", "cpu = 1e400", "memory = '4g'", "memory = 4", "image = 'x'", "expose_port = true",
     "enable_docker = 0", "allowed_hosts = ['a']", "allowed_networks = ['10.0.0.0/8']", "mode = 1",
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
