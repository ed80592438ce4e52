"""What does not carry over to a cluster is refused by name, at its line."""

import pytest

from jailoc.generators.config.load import load
from jailoc.generators.kubernetes.compile import compile_cluster
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document
from jailoc.model.kubernetes.image_lock import ImageLock
from tests.generators.kubernetes.cluster import NAMED, compiled, loaded, settings
from tests.strategies import HOST

FIRST = settings().count("\n") + 1
"""The line on which a test's own text begins."""
CASES = {
    "paths": ('[workspaces.api]\npaths = ["/data/x"]', 1, "a host path does not exist on"),
    "mounts": ('[defaults]\nmounts = ["/m:/m:ro"]\n[workspaces.api]', 1, "a host path does not"),
    "host_ports": ("[workspaces.api]\nhost_ports = [5432]", 1, "ports of this machine cannot"),
    "volumes": ('[workspaces.api]\nvolumes = ["shared:npm:~/.npm"]', 1, "a claim is one pod's"),
    "nested": ('[workspaces.api]\nvolumes = ["npm:~/.cache/npm"]', 1, "a volume in another"),
    "enable_docker": (
        "[workspaces.api]\nenable_docker = true", 1, "the agent has no Docker of its own",
    ),
    "in defaults": ("[defaults]\nobserve = true\n[workspaces.api]", 1, "nobody in a pod may hear"),
    "show_refused": ("[workspaces.api]\nshow_refused = true", 1, "nobody in a pod may hear"),
    "ssh_auth_sock": ("[workspaces.api]\nssh_auth_sock = true", 1, "the SSH agent of this machine"),
    "git_config": ("[workspaces.api]\ngit_config = true", 1, "the Git configuration of this"),
    "pids": ("[workspaces.api]\npids = 3000", 1, "how many processes"),
    "mtu": ("[workspaces.api]\nnetwork = { mtu = 1400 }", 1, "`mtu` of a pod's network"),
    "name": (f"[workspaces.{46 * 'a'}]\n", 0, "has 53 characters"),
    "sources": (
        '[workspaces.api]\n[workspaces.api.kubernetes]\nsources = [{ git = "https://a.test/x.git", '
        'path = "~/.cache/x" }]', 2, "lies in another volume",
    ),
    "nothing open": (
        '[workspaces.api]\negress = "none"\n[workspaces.api.kubernetes]\nsources = '
        '[{ git = "https://a.test/x.git", path = "/x" }]', 3, "nothing can be cloned",
    ),
    "host not allowed": (
        '[workspaces.api]\negress = "allowlist"\nallowed_hosts = ["b.test", "a.test:22"]\n'
        '[workspaces.api.kubernetes]\nsources = [{ git = "https://a.test/x.git", path = "/x" }]',
        4, "`a.test` is not open",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_cluster_cannot_have_is_refused_at_its_line(name: str) -> None:
    text, line, message = CASES[name]
    document, config = loaded(text)
    (workspace,) = config.workspaces
    with pytest.raises(Refused) as refused:
        compile_cluster(document, config, workspace, HOST, ImageLock())
    (problem,) = refused.value.diagnostics
    assert problem.code == "kubernetes-target"
    assert message in problem.message
    assert problem.position is not None
    assert problem.position.line == FIRST + line


def test_every_refusal_is_told_at_once_and_in_order() -> None:
    document, config = loaded("[workspaces.api]\npids = 3000\nhost_ports = [1]\nobserve = true")
    with pytest.raises(Refused) as refused:
        compile_cluster(document, config, "api", HOST, ImageLock())
    lines = [each.position.line for each in refused.value.diagnostics if each.position]
    assert lines == [FIRST + 1, FIRST + 2, FIRST + 3]


def test_what_a_workspace_says_otherwise_than_the_defaults_is_not_refused() -> None:
    compiled("[defaults]\nobserve = true\n[workspaces.api]\nobserve = false")


def test_docker_is_left_out_where_nobody_asks_for_it() -> None:
    spec = compiled("[workspaces.api]").sandbox.spec.template.spec
    assert [each.name for each in spec.containers] == ["agent"]


@pytest.mark.parametrize("said", ["", "enable_docker = true"])
def test_docker_is_there_where_the_cluster_may_have_it(said: str) -> None:
    bundle = compiled(f"[workspaces.api]\n{said}", docker="true")
    assert bundle.sidecar
    assert bundle.images.keys() == {"wall", "agent", "dind"}


def test_docker_without_users_of_the_pods_own_is_refused() -> None:
    document, config = loaded("[workspaces.api]", docker="true", user_namespace="false")
    with pytest.raises(Refused, match="an unmasked /proc") as refused:
        compile_cluster(document, config, "api", HOST, ImageLock())
    (problem,) = refused.value.diagnostics
    assert problem.position is not None
    text = settings(docker="true", user_namespace="false")
    assert text.splitlines()[problem.position.line - 1] == "docker = true"


def test_a_source_stands_for_the_path_that_says_the_same() -> None:
    bundle = compiled(
        '[workspaces.api]\npaths = ["~/src/api"]\n[workspaces.api.kubernetes]\n'
        'sources = [{ git = "https://a.test/x.git", path = "~/src/api" }]'
    )
    assert bundle.sandbox.spec.template.spec.containers[0].working_dir == "/home/agent/src/api"


def test_without_a_cluster_it_is_said_that_none_is_known() -> None:
    document = Document("[workspaces.api]\n", "config.toml")
    with pytest.raises(Refused, match=r"there is no \[kubernetes\]"):
        compile_cluster(document, load(document, HOST), "api", HOST, ImageLock())


def test_an_image_without_a_digest_names_the_command_that_makes_one() -> None:
    document, config = loaded("[workspaces.api]")
    with pytest.raises(Refused) as refused:
        compile_cluster(document, config, "api", HOST, ImageLock())
    (problem,) = refused.value.diagnostics
    assert problem.message == "workspace `api`: wall and agent have no digest"
    assert problem.hint == "jailoc images build --push"


@pytest.mark.parametrize("key", NAMED)
def test_a_key_that_must_be_there_is_missed_by_name(key: str) -> None:
    text = "".join(line for line in settings().splitlines(True) if not line.startswith(key))
    with pytest.raises(Refused) as refused:
        load(Document(text, "config.toml"), HOST)
    (problem,) = refused.value.diagnostics
    assert problem.code == "kubernetes-missing"
    assert problem.message == f"kubernetes.{key} is missing"
    assert problem.hint
    assert problem.position is not None
    assert problem.position.line == 1


def test_what_is_expected_is_held_against_the_clusters_rules() -> None:
    """The API of the cluster is public here, and so open on a machine."""
    text = '[workspaces.api]\n[workspaces.api.expect]\nreach = ["1.2.3.4:443"]'
    document, config = loaded(text, cluster_networks='["10.96.0.0/12", "1.2.3.4/32"]')
    with pytest.raises(Refused, match=r"is expected to reach `1\.2\.3\.4:443`"):
        compile_cluster(document, config, "api", HOST, ImageLock())
