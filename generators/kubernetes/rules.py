"""The wall of a pod: a workspace's policy with the cluster closed, and the rules that follow."""

import ipaddress

from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.config.conflicts import holds
from jailoc.model.address import Family
from jailoc.model.firewall import NEAR, Chain, Firewall, Policy, Rule, Ruleset, Target
from jailoc.model.host import Host
from jailoc.model.kubernetes.settings import KubernetesSettings
from jailoc.model.kubernetes.words import GATE
from jailoc.model.rule_match import Match
from jailoc.model.workspace import Workspace

THE_CLUSTER = "networks of the cluster"


def policy(workspace: Workspace, settings: KubernetesSettings, host: Host) -> Policy:
    """State what a sandbox may reach from a cluster: the same, with the cluster in a host's place.

    As the machine's, the cluster's networks are opened only by an entry that names an address or a
    network in them, never by a range that holds them or by a name. Nobody outside of the pod enters
    unless `ingress_from` names them.
    """
    plain = walls.policy(
        workspace, host.model_copy(update={"networks": (), "neighbours": (), "tables": ()})
    )
    named = [each for each in plain.decisions if each.accept and each.reason != "public"]
    inside = [
        each
        for each in named
        if any(holds(network, each.network) for network in settings.cluster_networks)
    ]
    return plain.model_copy(
        update={
            "alone": (*plain.alone, *inside),
            "machine": settings.cluster_networks,
            "decisions": tuple(each for each in plain.decisions if each not in inside),
            "published_port": plain.published_port if settings.ingress_from else None,
            "open_ports": (),
            "published_over": tuple(Family),
        }
    )


def lower(policy: Policy) -> Firewall:
    """Write a policy as rules of both families, with the one that the start gate asks for."""
    rules = walls.lower(policy)
    gate = Rule(
        chain=Chain.INPUT,
        target=Target.DROP,
        destination=ipaddress.ip_network(GATE),
        comment="the start gate asks here whether rules are in force",
    )
    own = tuple(map(_renamed, rules.ipv4.rules))
    first = next(index for index, each in enumerate(own) if each.match is Match.LOOPBACK_IN)
    return rules.model_copy(
        update={
            "ipv4": Ruleset(family=rules.ipv4.family, rules=(*own[:first], gate, *own[first:])),
            "ipv6": Ruleset(family=rules.ipv6.family, rules=tuple(map(_renamed, rules.ipv6.rules))),
        }
    )


def _renamed(rule: Rule) -> Rule:
    """Say what is closed: here it is no machine."""
    if rule.comment != NEAR:
        return rule
    return rule.model_copy(update={"comment": THE_CLUSTER})
