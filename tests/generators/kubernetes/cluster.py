"""A cluster for tests: configurations for it, and what they become."""

import re
from functools import cache

from jailoc.generators.config.load import load
from jailoc.generators.kubernetes.compile import builds, compile_cluster
from jailoc.model.config import Config
from jailoc.model.document import Document
from jailoc.model.kubernetes.bundle import ClusterBundle
from jailoc.model.kubernetes.image_lock import ImageLock
from tests.strategies import HOST

NAMED = {
    "namespace": '"agents"',
    "context": '"team"',
    "cluster_networks": '["10.244.0.0/16", "10.96.0.0/12", "203.0.113.0/28", "fd10:96::/108"]',
    "dns": '{ addresses = ["10.96.0.10"] }',
    "registry": '"registry.example.com/team"',
}
"""What must be said of a cluster."""


def settings(**more: str) -> str:
    lines = (NAMED | more).items()
    return "[kubernetes]\n" + "".join(f"{key} = {value}\n" for key, value in lines)


def document(text: str, **more: str) -> Document:
    return Document(settings(**more) + text, "config.toml")


def loaded(text: str, **more: str) -> tuple[Document, Config]:
    found = document(text, **more)
    return found, load(found, HOST)


@cache
def lock(text: str) -> ImageLock:
    """Return a lock with every image that jailoc builds for a configuration."""
    config = load(Document(text, "config.toml"), HOST)
    tags = {each.tag for name in config.workspaces for each in builds(config, name, HOST)}
    return ImageLock(images=dict.fromkeys(tags, f"sha256:{64 * '5'}"))


def compiled(text: str, name: str = "api", **more: str) -> ClusterBundle:
    found, config = loaded(text, **more)
    return compile_cluster(found, config, name, HOST, lock(settings(**more) + text))


def lines(text: str) -> str:
    """Return a text with its indentation folded, to look for pieces in."""
    return re.sub(r"\s+", " ", text)
