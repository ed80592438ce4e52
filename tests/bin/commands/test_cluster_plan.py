"""`plan` and `apply` with `--target kubernetes`: the real kubectl, and a stand-in of a cluster."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from jailoc.schemas import schema
from tests.bin.commands.kubernetes_server import Cluster, kubeconfig, serving
from tests.engine.world import Result, User
from tests.generators.kubernetes.cluster import lock, settings

TEXT = settings() + '[workspaces.api]\nallowed_networks = ["10.77.0.16/28"]\n'
SPACE = "/api/v1/namespaces/agents"
BIN = str(Path(sys.executable).parent)
"""Where the real kubectl is: a wheel brings it."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    found = Cluster()
    found.add(SPACE, kind="Namespace", apiVersion="v1")
    with serving(found):
        yield found


def jailoc(
    user: User, cluster: Cluster, *words: str, text: str = TEXT, path: str = f"{BIN}:/usr/bin:/bin"
) -> Result:
    user.write(text)
    (user.config.parent / "images.lock").write_text(lock(text).text)
    place = kubeconfig(cluster, user.home / "kubeconfig")
    return user.run(*words, "api", "--target", "kubernetes", KUBECONFIG=str(place), PATH=path)


def applied(user: User, cluster: Cluster, text: str = TEXT) -> None:
    done = jailoc(user, cluster, "apply", "--yes", text=text)
    assert done.status == 0, done.stderr


def test_a_plan_of_nothing_there_creates_everything_and_changes_nothing(
    user: User, cluster: Cluster
) -> None:
    done = jailoc(user, cluster, "plan", "--detailed-exitcode")
    assert done.status == 2, done.stderr
    assert "+ statefulset/jailoc-api: create" in done.stdout
    assert "! the namespace must admit NET_ADMIN in `wall`" in done.stdout
    assert cluster.named("statefulsets") == []
    assert {method for method, _, _ in cluster.asked} == {"GET"}


def test_the_price_of_a_docker_is_told_before_it_is_applied(user: User, cluster: Cluster) -> None:
    text = TEXT.replace("[workspaces.api]", "docker = true\n[workspaces.api]")
    done = jailoc(user, cluster, "plan", text=text)
    assert done.status == 0, done.stderr
    assert "! the namespace must admit root's start with SETGID and SETUID" in done.stdout
    assert "the node's tunnel device, in `dind`" in done.stdout


def test_what_is_applied_is_there_and_then_there_is_nothing_to_do(
    user: User, cluster: Cluster
) -> None:
    applied(user, cluster)
    assert cluster.named("statefulsets") == ["jailoc-api"]
    assert cluster.named("networkpolicies") == ["jailoc-api"]
    assert len(cluster.named("configmaps")) == 2
    again = jailoc(user, cluster, "plan", "--detailed-exitcode")
    assert (again.status, "nothing to do" in again.stdout) == (0, True), again.stdout


def test_every_write_is_ours_and_is_tried_before_and_nothing_is_forced(
    user: User, cluster: Cluster
) -> None:
    applied(user, cluster)
    writes = [(path, told) for method, path, told in cluster.asked if method == "PATCH"]
    tries = [path for path, told in writes if told.get("dryRun") == "All"]
    real = [path for path, told in writes if "dryRun" not in told]
    assert tries == real
    assert len(real) == 7
    assert writes[: len(tries)] == [each for each in writes if "dryRun" in each[1]]
    assert {told["fieldManager"] for _, told in writes} == {"jailoc"}
    assert {told.get("force", "false") for _, told in writes} == {"false"}


def test_what_somebody_changed_by_hand_is_told_and_put_back(user: User, cluster: Cluster) -> None:
    applied(user, cluster)
    place = "/apis/apps/v1/namespaces/agents/statefulsets/jailoc-api"
    pod = cluster.objects[place]["spec"]["template"]["spec"]
    pod["hostNetwork"] = True
    pod["containers"][0]["image"] = "evil"
    done = jailoc(user, cluster, "plan")
    assert "spec.template.spec.hostNetwork: True -> None" in done.stdout
    assert "spec.template.spec.containers[agent].image: evil -> " in done.stdout
    assert "~ the sandbox is replaced: its agent ends, claims stay" in done.stdout
    applied(user, cluster)
    assert "nothing to do" in jailoc(user, cluster, "plan").stdout


def test_other_rules_are_another_object_and_the_old_one_goes_afterwards(
    user: User, cluster: Cluster
) -> None:
    applied(user, cluster)
    before = cluster.named("configmaps")
    other = TEXT.replace("10.77.0.16/28", "10.77.0.32/28")
    (old,) = [each for each in before if "-wall-" in each]
    done = jailoc(user, cluster, "plan", text=other)
    assert f"- configmap/{old}: remove" in done.stdout
    applied(user, cluster, other)
    assert old not in cluster.named("configmaps")
    assert len(cluster.named("configmaps")) == 2


def test_a_claim_that_is_no_longer_wanted_stays_and_is_told(user: User, cluster: Cluster) -> None:
    more = TEXT + 'volumes = ["npm:~/.npm"]\n'
    applied(user, cluster, more)
    assert "jailoc-api-volume-npm" in cluster.named("persistentvolumeclaims")
    applied(user, cluster)
    assert "jailoc-api-volume-npm" in cluster.named("persistentvolumeclaims")
    done = jailoc(user, cluster, "plan")
    assert "persistentvolumeclaim/jailoc-api-volume-npm: stays, as every claim does" in done.stdout
    assert not any(method == "DELETE" and "persistentvolumeclaims" in path
                   for method, path, _ in cluster.asked)  # fmt: skip


def test_a_conflict_names_the_owner_and_nothing_has_changed(user: User, cluster: Cluster) -> None:
    message = 'Apply failed with 1 conflict: conflict with "argocd-controller": .spec.replicas'
    cluster.refusals["PATCH", "statefulsets"] = (409, "Conflict", message)
    done = jailoc(user, cluster, "apply", "--yes")
    assert done.status == 1
    assert "`argocd-controller` owns fields that jailoc would set" in done.stderr
    assert cluster.named("configmaps") == []
    assert cluster.named("statefulsets") == []


@pytest.mark.parametrize(("method", "command"), [("GET", "plan"), ("PATCH", "apply")])
def test_what_the_cluster_does_not_allow_is_said_as_that(
    user: User, cluster: Cluster, method: str, command: str
) -> None:
    message = 'statefulsets.apps is forbidden: User "me" cannot do that'
    cluster.refusals[method, "statefulsets"] = (403, "Forbidden", message)
    done = jailoc(user, cluster, command, *(["--yes"] if command == "apply" else []))
    assert done.status == 1
    assert "the cluster does not let you" in done.stderr
    assert 'User "me" cannot do that' in done.stderr
    assert cluster.named("configmaps") == []


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_a_namespace_that_refuses_the_wall_is_refused(
    user: User, cluster: Cluster, level: str
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": level}
    cluster.add(SPACE, kind="Namespace", apiVersion="v1", metadata={"labels": labels})
    done = jailoc(user, cluster, "plan")
    assert done.status == 1
    assert f"namespace `agents` enforces `{level}`" in done.stderr


def test_a_namespace_that_is_not_there_is_named(user: User, cluster: Cluster) -> None:
    cluster.objects.clear()
    done = jailoc(user, cluster, "plan")
    assert done.status == 1
    assert "there is no namespace `agents`" in done.stderr


def test_without_kubectl_it_is_named(user: User, cluster: Cluster) -> None:
    done = jailoc(user, cluster, "plan", path="/nonexistent")
    assert done.status == 1
    assert "`kubectl` command is not installed" in done.stderr


def test_nobody_agrees_by_silence(user: User, cluster: Cluster) -> None:
    done = jailoc(user, cluster, "apply")
    assert done.status == 1
    assert "--yes" in done.stderr
    assert cluster.named("statefulsets") == []


def test_a_plan_for_programs_meets_its_schema(user: User, cluster: Cluster) -> None:
    applied(user, cluster)
    done = jailoc(user, cluster, "plan", "--json", text=TEXT.replace("10.77.0.16", "10.77.0.32"))
    data = json.loads(done.stdout)
    jsonschema.validate(data, schema("cluster-plan"))
    (plan,) = data["plans"]
    assert {each["action"] for each in plan["changes"]} == {"create", "update in place"}
    assert len(plan["leftovers"]) == 1


@pytest.mark.parametrize("flag", ["--prune", "--files", "--markdown"])
def test_a_flag_about_the_engine_is_refused(user: User, cluster: Cluster, flag: str) -> None:
    done = jailoc(user, cluster, "plan", flag)
    assert done.status == 1
    assert "not about a cluster" in done.stderr
