"""`down --target kubernetes`: the real kubectl removes what was listed from a stand-in."""

import sys

import pexpect
import pytest

from jailoc.generators.kubernetes import manifests
from tests.bin.commands.kubernetes_server import RESOURCES, Cluster, kubeconfig
from tests.bin.commands.test_cluster_plan import BIN, TEXT, cluster, jailoc
from tests.engine.world import ROOT, Result, User
from tests.generators.kubernetes.cluster import compiled

__all__ = ["cluster"]

CLAIM = "persistentvolumeclaims"
GONE = ["statefulsets", "services", "networkpolicies", "configmaps", "configmaps"]
SPACES = "/namespaces/agents"


def deployed(user: User, cluster: Cluster, *names: str) -> None:
    """Let the cluster have workspaces as an apply would have left them."""
    kubeconfig(cluster, user.home / "kubeconfig")
    for name in names or ("api",):
        for each in map(manifests.data, compiled(f"[workspaces.{name}]\n", name).objects):
            group, kinds = next(
                (place, kinds)
                for place, kinds in RESOURCES.items()
                if each["kind"] in kinds.values()
            )
            kind = next(word for word, called in kinds.items() if called == each["kind"])
            cluster.objects[f"{group}{SPACES}/{kind}/{each['metadata']['name']}"] = each


def down(user: User, *words: str) -> Result:
    """Run it without the helper that names the workspace `api`."""
    place = str(user.home / "kubeconfig")
    return user.run(
        "down", *words, "--target", "kubernetes", KUBECONFIG=place, PATH=f"{BIN}:/usr/bin:/bin"
    )


def removed(cluster: Cluster) -> list[str]:
    """Return the kinds of what was removed, in order."""
    return [path.split("/")[-2] for method, path, _ in cluster.asked if method == "DELETE"]


def left(cluster: Cluster) -> set[str]:
    return {each for kinds in RESOURCES.values() for each in kinds if cluster.named(each)}


def test_down_removes_who_runs_before_what_holds_it_in_and_keeps_claims(
    user: User, cluster: Cluster
) -> None:
    deployed(user, cluster)
    claims = cluster.named(CLAIM)
    done = jailoc(user, cluster, "down", "--yes")
    assert done.status == 0, done.stderr
    assert removed(cluster) == GONE
    (first,) = [told for _, path, told in cluster.asked
                if "/statefulsets/" in path and "propagationPolicy" in told]  # fmt: skip
    assert first["propagationPolicy"] == "Foreground"
    assert left(cluster) == {CLAIM, "namespaces"}
    assert cluster.named(CLAIM) == claims != []
    assert "- statefulset/jailoc-api: remove" in done.stdout
    assert f"persistentvolumeclaim/{claims[0]}: stays, as every claim does" in done.stdout
    again = jailoc(user, cluster, "down")
    assert (again.status, "nothing to do" in again.stdout) == (0, True), again.stderr


def test_down_with_volumes_removes_claims_last(user: User, cluster: Cluster) -> None:
    deployed(user, cluster)
    claims = cluster.named(CLAIM)
    done = jailoc(user, cluster, "down", "--volumes", "--yes")
    assert done.status == 0, done.stderr
    assert removed(cluster) == GONE + [CLAIM] * len(claims)
    assert left(cluster) == {"namespaces"}
    assert "! what is on the claims is lost, unless their storage class keeps it" in done.stdout


@pytest.mark.parametrize("more", [(), ("--volumes",)])
def test_nothing_goes_that_nobody_has_agreed_to(
    user: User, cluster: Cluster, more: tuple[str, ...]
) -> None:
    deployed(user, cluster)
    done = jailoc(user, cluster, "down", *more)
    assert done.status == 1
    assert "- statefulset/jailoc-api: remove" in done.stdout
    assert "give --yes" in done.stderr
    assert removed(cluster) == []


@pytest.mark.parametrize(("answer", "kinds"), [("n", []), ("y", GONE)])
def test_an_answer_decides(user: User, cluster: Cluster, answer: str, kinds: list[str]) -> None:
    deployed(user, cluster)
    user.write(TEXT)
    with pexpect.spawn(
        sys.executable, ["-P", "-m", "jailoc.bin", "down", "api", "--target", "kubernetes"],
        env={"HOME": str(user.home), "PYTHONPATH": str(ROOT / ".pkg"), "PATH": f"{BIN}:/usr/bin",
             "KUBECONFIG": str(user.home / "kubeconfig")},
        timeout=120,
    ) as terminal:  # fmt: skip
        terminal.expect_exact("remove this? [y/N]")
        terminal.sendline(answer)
        terminal.expect(pexpect.EOF)
    assert terminal.exitstatus == 0, terminal.before
    assert removed(cluster) == kinds


def test_what_is_somebody_elses_stays(user: User, cluster: Cluster) -> None:
    """Whether it has another workspace's labels, or another manager's."""
    deployed(user, cluster)
    ours = {"app.kubernetes.io/instance": "api", "app.kubernetes.io/name": "jailoc",
            "app.kubernetes.io/component": "sandbox"}  # fmt: skip
    for name, labels in {
        "web": ours | {"app.kubernetes.io/instance": "web",
                       "app.kubernetes.io/managed-by": "jailoc"},
        "theirs": ours | {"app.kubernetes.io/managed-by": "helm"},
        "half": {"app.kubernetes.io/instance": "api", "app.kubernetes.io/managed-by": "jailoc"},
    }.items():  # fmt: skip
        cluster.add(f"/api/v1{SPACES}/configmaps/{name}", kind="ConfigMap", apiVersion="v1",
                    metadata={"labels": labels})  # fmt: skip
    done = jailoc(user, cluster, "down", "--volumes", "--yes")
    assert done.status == 0, done.stderr
    assert cluster.named("configmaps") == ["half", "theirs", "web"]


def test_a_workspace_that_left_the_configuration_or_cannot_be_had_there_is_removed(
    user: User, cluster: Cluster
) -> None:
    deployed(user, cluster)
    for text in (TEXT.replace("workspaces.api", "workspaces.other"), TEXT + "pids = 3000\n"):
        done = jailoc(user, cluster, "down", text=text)
        assert "- statefulset/jailoc-api: remove" in done.stdout, done.stderr
    done = jailoc(user, cluster, "down", "--yes", text=TEXT.replace(".api]", ".other]"))
    assert done.status == 0, done.stderr
    assert cluster.named("statefulsets") == []


@pytest.mark.parametrize("name", ["nobody", "api,app.kubernetes.io/name!=x", "api_fix"])
def test_a_name_that_nobody_has_is_refused(user: User, cluster: Cluster, name: str) -> None:
    deployed(user, cluster)
    user.write(TEXT)
    done = down(user, name, "--yes")
    assert done.status == 1
    assert "workspace" in done.stderr
    assert removed(cluster) == []


def test_all_are_those_of_the_configuration(user: User, cluster: Cluster) -> None:
    deployed(user, cluster, "api", "web", "other")
    user.write(TEXT + "[workspaces.web]\n")
    done = down(user, "--all", "--yes")
    assert done.status == 0, done.stderr
    assert cluster.named("statefulsets") == ["jailoc-other"]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((403, "Forbidden", 'services "jailoc-api" is forbidden: User "me" cannot delete'),
         ("the cluster does not let you delete", 'User "me" cannot delete')),
        ((409, "Conflict", "Operation cannot be fulfilled: the object has been modified"),
         ("kubectl delete in context `team` ended with 1", "has been modified")),
    ],
)  # fmt: skip
def test_a_cluster_that_refuses_half_way_is_told_with_what_is_left(
    user: User, cluster: Cluster, refusal: tuple[int, str, str], words: tuple[str, ...]
) -> None:
    deployed(user, cluster)
    cluster.refusals["DELETE", "services"] = refusal
    done = jailoc(user, cluster, "down", "--volumes", "--yes")
    assert done.status == 1
    for each in (*words, "api: 1 of 7 objects removed; `jailoc down api --target kubernetes "
                 "--volumes` removes the rest"):  # fmt: skip
        assert each in done.stderr
    assert left(cluster) == {"services", "networkpolicies", "configmaps", CLAIM, "namespaces"}
    cluster.refusals.clear()
    assert jailoc(user, cluster, "down", "--volumes", "--yes").status == 0
    assert left(cluster) == {"namespaces"}


def test_what_somebody_makes_meanwhile_is_told(user: User, cluster: Cluster) -> None:
    deployed(user, cluster)
    place = f"/api/v1{SPACES}/configmaps"
    one = next(each for path, each in cluster.objects.items() if path.startswith(place))
    cluster.made[f"{place}/new"] = one | {"metadata": one["metadata"] | {"name": "new"}}
    done = jailoc(user, cluster, "down", "--yes")
    assert done.status == 1
    assert "there is more of `api` now than was listed: configmap/new" in done.stderr


def test_without_a_cluster_it_is_said_that_none_is_known(user: User) -> None:
    user.write("[workspaces.api]\n")
    done = user.run("down", "api", "--target", "kubernetes")
    assert done.status == 1
    assert "there is no [kubernetes]" in done.stderr
