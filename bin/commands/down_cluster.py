"""`down --target kubernetes`: list what a workspace has on the cluster, ask, and remove it."""

import re

from jailoc.bin.commands import every
from jailoc.bin.config.session import Session
from jailoc.bin.engine.kubectl import Cluster
from jailoc.bin.terminal import prompt
from jailoc.generators.config.resolve import names
from jailoc.generators.config.select import unknown_workspace
from jailoc.generators.kubernetes.plan import removal
from jailoc.generators.views.cluster_plan import lines
from jailoc.model.diagnostic import refuse
from jailoc.model.kubernetes.plan import ClusterPlan
from jailoc.model.kubernetes.settings import KubernetesSettings
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import WORKSPACE
from jailoc.model.text import number_of


def run(session: Session, *, everything: bool, volumes: bool, yes: bool) -> int:
    """List what workspaces have on the cluster, ask, and remove it; claims only with `volumes`.

    Nothing is compiled: a workspace that left the configuration, or can no longer be had on a
    cluster, is found by its labels all the same.

    Raises:
        Refused: a name is nobody's; nobody has agreed; or the cluster does not do it.
    """
    if everything:
        every.alone(session.workspace)
    origin, terminal = session.source(expectations=False), session.terminal
    known, settings = names(origin.config), origin.config.kubernetes
    if settings is None:
        raise refuse(
            "kubernetes-target",
            "there is no [kubernetes], so no cluster is known",
            hint="docs/how-to/run-on-kubernetes.md has one to begin with",
        )
    chosen = known if everything else (session.workspace or session.chosen(origin),)
    plans: list[ClusterPlan] = []
    for name in chosen:
        # It becomes part of a selector, so it must look like a name.
        found = _looked_at(settings, name, volumes) if re.fullmatch(WORKSPACE, name) else None
        if name not in known and (found is None or (found.empty and not found.kept)):
            raise unknown_workspace(name, known)
        if found is not None:
            plans.append(found)
    for text, meaning in lines(plans):
        terminal.colored(text, meaning)
    todo = [each for each in plans if not each.empty]
    if not todo:
        return 0
    if not yes and not prompt.agreed(terminal, "remove this?", "this", "give --yes"):
        return 0
    by = {each.workspace: each for each in todo}
    return every.workspace(
        session, by, lambda mine: _removed(mine, settings, by[mine.workspace or ""], volumes)
    )


def _looked_at(settings: KubernetesSettings, name: str, volumes: bool) -> ClusterPlan:
    found = Cluster(settings.context, settings.namespace).objects(name)
    return removal(settings, name, found, volumes=volumes)


def _removed(
    session: Session, settings: KubernetesSettings, plan: ClusterPlan, volumes: bool
) -> int:
    """Remove what was listed, and make sure that nothing else is there."""
    cluster, name = Cluster(settings.context, settings.namespace), plan.workspace
    again = f"`jailoc down {name} --target kubernetes{' --volumes' if volumes else ''}`"
    gone: list[str] = []
    try:
        for address in plan.leftovers:
            cluster.delete(address, with_pods=address.startswith("statefulset/"))
            gone.append(address)
    finally:
        if len(gone) < len(plan.leftovers):
            session.terminal.say(
                f"{name}: {len(gone)} of {number_of(len(plan.leftovers), 'object')} removed; "
                f"{again} removes the rest",
                Meaning.WARNS,
            )
    if left := _looked_at(settings, name, volumes).leftovers:
        raise refuse(
            "moved",
            f"there is more of `{name}` now than was listed: {', '.join(left)}",
            hint=f"somebody applies it; {again} once more",
        )
    session.terminal.say(f"{name}: removed from {plan.namespace}", Meaning.DONE)
    return 0
