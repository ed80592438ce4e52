"""`plan` and `apply` with `--target kubernetes`: compare, show, ask, and do just that."""

import json

from jailoc.bin.config import lock
from jailoc.bin.config.session import Session
from jailoc.bin.engine.kubectl import Cluster
from jailoc.bin.terminal import prompt
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.config.resolve import names
from jailoc.generators.kubernetes.compile import compile_cluster
from jailoc.generators.kubernetes.manifests import data
from jailoc.generators.kubernetes.plan import admits, plan
from jailoc.generators.views.cluster_plan import lines
from jailoc.model.diagnostic import refuse
from jailoc.model.kubernetes.bundle import ClusterBundle
from jailoc.model.kubernetes.plan import ClusterPlan, ClusterPlans
from jailoc.model.palette import Meaning

ROLLOUT = 600
"""Seconds that a pod may take to be ready: images have to be pulled, sources cloned."""
KEEP = "give --yes"
Item = tuple[ClusterBundle, ClusterPlan]


def refuse_others(given: object) -> None:
    """Refuse flags that say nothing about a cluster.

    Raises:
        Refused: one was given.
    """
    if given:
        raise refuse(
            "usage",
            "this flag is about the engine of this machine, not about a cluster",
            allowed="--all, --json, --detailed-exitcode, --yes",
        )


def planned(session: Session, wanted: tuple[str, ...], everything: bool) -> tuple[Item, ...]:
    """Compile workspaces and compare each with what is on its cluster.

    Raises:
        Refused: one cannot be had there, or the cluster does not answer or admit it.
    """
    origin = session.source()
    session.terminal.diagnose(origin.warnings)
    known = lock.read(session.path)
    chosen = wanted or (names(origin.config) if everything else (session.chosen(origin),))
    bundles = [
        compile_cluster(origin.document, origin.config, name, origin.host, known) for name in chosen
    ]
    found: list[Item] = []
    for index, bundle in enumerate(bundles):
        cluster = Cluster(bundle.context, bundle.namespace)
        if index == 0:  # all are in one namespace
            admits(cluster.own_namespace(), bundle.namespace)
        found.append((bundle, plan(bundle, cluster.objects(bundle.workspace))))
    return tuple(found)


def show(
    session: Session, wanted: tuple[str, ...], *, everything: bool, as_json: bool, detailed: bool
) -> int:
    """Print what an apply would do; change nothing."""
    items = planned(session, wanted, everything)
    plans = tuple(each for _, each in items)
    if as_json:
        session.terminal.data(json.loads(ClusterPlans(plans=plans).model_dump_json()))
    else:
        _print(session.terminal, plans)
    return 2 if detailed and any(not each.empty for each in plans) else 0


def carry_out(session: Session, wanted: tuple[str, ...], *, everything: bool, yes: bool) -> int:
    """Show the plans, ask, and carry them out, one workspace after the other.

    Nothing is changed before the server has agreed to all of it.

    Raises:
        Refused: nobody has agreed, or the server does not.
    """
    items, terminal = planned(session, wanted, everything), session.terminal
    _print(terminal, tuple(each for _, each in items))
    todo = [each for each in items if not each[1].empty]
    if not todo:
        return 0
    for bundle, _ in todo:
        Cluster(bundle.context, bundle.namespace).apply(
            [data(each) for each in bundle.objects], try_only=True
        )
    if not yes and not prompt.agreed(terminal, "apply this?", "this plan", KEEP):
        return 0
    for bundle, found in todo:
        cluster = Cluster(bundle.context, bundle.namespace)
        cluster.apply([data(each) for each in bundle.objects])
        cluster.rolled_out(bundle.sandbox.metadata.name, ROLLOUT)
        # What the pod before was made from goes once the new one runs; claims never.
        for address in found.leftovers:
            cluster.delete(address)
        terminal.say(f"{bundle.workspace}: runs in {bundle.namespace}", Meaning.DONE)
    return 0


def _print(terminal: Terminal, plans: tuple[ClusterPlan, ...]) -> None:
    for text, meaning in lines(plans):
        terminal.colored(text, meaning)
