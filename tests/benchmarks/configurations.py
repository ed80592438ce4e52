"""Configurations and lists of any size, the same in every run."""

import ipaddress
import random


def many(count: int) -> str:
    """Return a configuration with so many workspaces, each with some of what people write.

    No configuration may be longer than 1 MiB; ten thousand are not.
    """
    lines = [
        "[defaults]",
        'allowed_hosts = ["packages.example.com", "*.github.com:443"]',
        'allowed_networks = ["10.9.0.0/16"]',
    ]
    for index in range(count):
        lines += [
            f"[workspaces.w{index:05d}]",
            f'paths = ["~/p{index:05d}", "~/q{index:05d}"]',
            f'allowed_hosts = ["h{index}.test"]',
            f'env = ["A{index}=b"]',
        ]
    return "\n".join(lines) + "\n"


def of_cluster(count: int) -> str:
    """Return a configuration of a cluster with so many workspaces."""
    lines = [
        "[kubernetes]",
        'namespace = "agents"',
        'context = "team"',
        'cluster_networks = ["10.244.0.0/16", "10.96.0.0/12"]',
        'dns = { addresses = ["10.96.0.10"] }',
        'registry = "registry.example.com/team"',
        "[defaults]",
        'allowed_networks = ["10.9.0.0/16"]',
    ]
    for index in range(count):
        lines += [f"[workspaces.w{index:05d}]", f'allowed_hosts = ["h{index}.example.com"]']
    return "\n".join(lines) + "\n"


def networks(count: int) -> list[str]:
    """Return so many different private networks, in order."""
    numbers = random.Random(1).sample(range(1 << 20), count)  # noqa: S311 -- no secret
    return [str(ipaddress.ip_network(((10 << 24) + (each << 4), 28))) for each in sorted(numbers)]
