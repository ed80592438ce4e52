"""The powers of a cluster in plain words: how grave each is, what is said as it comes or goes."""

from jailoc.generators.powers.image_words import DIGEST
from jailoc.model.power import Power, Rank

CLUSTER_WORDS: dict[str, tuple[Rank, str, str]] = {
    "run.registry": (
        Rank.HIGH,
        "on a cluster its images come from {}: who can write there decides what a new lock names",
        "on a cluster its images no longer come from {}",
    ),
    "hold.cluster-secret": (
        Rank.HIGH,
        "on a cluster it holds what is in the Secret {}, which is not its own alone",
        "on a cluster it no longer holds what is in the Secret {}",
    ),
    "be.cluster-docker": (
        Rank.HIGH,
        "on a cluster it has a Docker of its own behind the same wall, with {}",
        "on a cluster it no longer has a Docker of its own, which needed {}",
    ),
    "be-reached.pods": (
        Rank.MEDIUM,
        "on a cluster its server is reached by {}, with a password",
        "on a cluster its server is no longer reached by {}",
    ),
    "trust.cluster": (
        Rank.MEDIUM,
        "runs in {}: whoever may run pods there is next to it",
        "no longer runs in {}",
    ),
    "trust.cluster-dns": (
        Rank.HIGH,
        "on a cluster names are answered by {}, who says where allowed names are",
        "on a cluster names are no longer answered by {}",
    ),
    "trust.names-within": (
        Rank.HIGH,
        "on a cluster the network policy opens {} to whatever has an allowed name",
        "on a cluster the network policy closes {} to names",
    ),
    "guard.cluster": (
        Rank.HIGH,
        "guard gone: {} is no longer named as the cluster's own (cluster_networks), so what holds "
        "it may open it",
        "{} is closed as the cluster's own",
    ),
    "guard.user-namespace": (
        Rank.HIGH,
        "guard gone: on a cluster it no longer has {}: its users are the node's",
        "on a cluster it has {}",
    ),
}
"""By rule: the rank, and the words of one that is gained and of one that is lost, of a guard the
other way round."""


def source(power: Power, before: Power | None) -> tuple[Rank, str, str]:
    """Return the words of a repository that is cloned, at which place of it and how."""
    was = f" (it was {before.value})" if before and before.value != power.value else ""
    return (
        Rank.MEDIUM,
        f"on a cluster it works on a clone of {power.subject}, {power.value}{was}",
        f"on a cluster it no longer works on a clone of {power.subject}, {power.value}",
    )


def locked(power: Power, before: Power | None) -> tuple[Rank, str, str]:
    """Return the words of an image that a lock names by its digest."""
    other = before is not None and before.value != power.value
    was = f" (it was {before.value[:DIGEST]})" if before is not None and other else ""
    digest = power.value[:DIGEST]
    return (
        Rank.HIGH,
        f"on a cluster runs {'another' if other else 'an'} image as {power.subject}, by "
        f"images.lock: {digest}{was}: who pushed it decides what runs",
        f"on a cluster no longer runs the image {digest} as {power.subject}",
    )
