"""The powers that `[kubernetes]` gives, and the guards that it has."""

from collections.abc import Iterator

from jailoc.model.address import written
from jailoc.model.config import Config
from jailoc.model.document import dotted
from jailoc.model.host import Host
from jailoc.model.kubernetes.settings import KubernetesSettings
from jailoc.model.kubernetes.words import DOCKER_PRICE
from jailoc.model.power import Power


def stated_of_cluster(config: Config, workspace: str, host: Host) -> Iterator[Power]:
    """Yield what is said of a workspace's cluster; nothing where no cluster is named."""
    sources: dict[str, list[str]] = {}
    places: dict[str, int] = {}
    for index, each in enumerate(config.workspaces[workspace].kubernetes.sources):
        key = "" if each.secret is None else f", asked for with the key {each.secret} of its Secret"
        sources.setdefault(each.git, []).append(f"{each.ref}{key}")
        places.setdefault(each.git, index)
    for git, found in sources.items():
        yield Power(
            rule="run.source",
            subject=git,
            value="; ".join(found),
            origin=f"{dotted(('workspaces', workspace))}.kubernetes.sources[{places[git]}]",
        )
    settings = config.kubernetes
    if settings is None:
        return
    yield from _settings(settings)
    for tag, digest in host.locked.items():
        yield Power(rule="run.locked", subject=tag, value=digest, origin="kubernetes.registry")
    own, default = config.workspaces[workspace].enable_docker, config.defaults.enable_docker
    if settings.docker and (default if own is None else own) is not False:
        yield Power(
            rule="be.cluster-docker",
            subject=f"{DOCKER_PRICE} ({settings.tunnel_device})",
            origin="kubernetes.docker",
        )


def _settings(settings: KubernetesSettings) -> Iterator[Power]:
    def power(rule: str, subject: str, key: str) -> Power:
        return Power(rule=rule, subject=subject, origin=f"kubernetes.{key}")

    where = f"namespace {settings.namespace} of context {settings.context}"
    yield power("trust.cluster", where, "namespace")
    for index, network in enumerate(settings.cluster_networks):
        yield power("guard.cluster", written(network), f"cluster_networks[{index}]")
    for index, address in enumerate(settings.dns.addresses):
        yield power("trust.cluster-dns", address, f"dns.addresses[{index}]")
    labels = ",".join(f"{key}={value}" for key, value in sorted(settings.dns.labels.items()))
    pods = f"pods {labels or 'of any kind'} in {settings.dns.namespace}, port {settings.dns.port}"
    yield power("trust.cluster-dns", pods, "dns")
    for index, network in enumerate(settings.names_within):
        yield power("trust.names-within", written(network), f"names_within[{index}]")
    yield power("run.registry", settings.registry, "registry")
    for index, each in enumerate(settings.ingress_from):
        labels = ",".join(f"{key}={value}" for key, value in sorted(each.labels.items()))
        yield power(
            "be-reached.pods", f"{labels or 'every pod'} in {each.namespace}",
            f"ingress_from[{index}]",
        )  # fmt: skip
    if settings.secret is not None:
        yield power("hold.cluster-secret", settings.secret, "secret")
    for what, value, key in (
        ("Secrets that its registry is asked with",
         ", ".join(settings.image_pull_secrets), "image_pull_secrets"),
        ("class of its claims on a cluster", settings.storage_class, "storage_class"),
    ):  # fmt: skip
        yield Power(
            rule="note.other", subject=what, value=value or "none", origin=f"kubernetes.{key}"
        )
    if settings.user_namespace:
        yield power("guard.user-namespace", "a user namespace of its own", "user_namespace")
