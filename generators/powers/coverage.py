"""Every key of the configuration: the powers that it gives, or why it gives none.

Whoever adds a key adds it here, and a prepared pull request to `tests/review/pull_requests`. Where
its power comes from a container, a mount or a rule, nothing else is needed; otherwise it is added
to `jailoc.generators.config.stated`, its words to `jailoc.generators.powers.words` and its rule to
`jailoc.model.power_rules`.
"""

from jailoc.model.agents.choice import KEY

POWERS: dict[str, tuple[str, ...]] = {
    "mode": ("trust.attach",),
    "password_mode": ("trust.password",),
    "trust": ("trust.path",),
    "ignore_drift": ("trust.drift",),
    "base.dockerfile": ("run.dockerfile",),
    "kubernetes": (
        "trust.cluster", "guard.cluster", "trust.cluster-dns", "trust.names-within",
        "run.registry", "run.locked", "hold.cluster-secret", "be-reached.pods",
        "guard.user-namespace", "be.cluster-docker",
    ),
    "workspace.kubernetes": ("run.source",),
    "base.ca_certificates": ("trust.certificate",),
    "scope.mounts": ("write.path", "read.path"),
    "scope.env": ("run.variable", "hold.variable", "note.variable"),
    "scope.env_file": ("hold.env-file",),
    "scope.secrets.env": ("hold.secret", "run.variable"),
    "scope.secrets.file": ("hold.secret",),
    "scope.credentials": ("hold.credential", "hold.unscrubbed", "run.command", "run.variable"),
    "scope.egress": ("guard.egress",),
    "scope.allow": ("reach.name", "reach.network"),
    "scope.allowed_hosts": ("reach.name", "reach.network", "reach.machine"),
    "scope.allowed_networks": ("reach.network",),
    "scope.denied_hosts": ("guard.denied", "reach.network"),
    "scope.denied_networks": ("guard.denied", "reach.network"),
    "scope.host_ports": ("reach.machine",),
    "scope.protect": ("guard.protect",),
    "scope.image": ("run.image",),
    f"scope.{KEY}": ("run.agent",),
    "scope.ssh_auth_sock": ("hold.ssh-agent",),
    "scope.git_config": ("hold.git-identity",),
    "scope.git_write": ("guard.protect",),
    "scope.expose_port": ("be-reached.port",),
    "scope.enable_docker": ("be.docker",),
    "scope.dind_privileged": ("be.privileged",),
    "scope.cpu": ("note.limits",),
    "scope.memory": ("note.limits",),
    "scope.pids": ("note.limits",),
    "scope.network": ("be-reached.subnet", "note.other"),
    "scope.volumes": ("write.shared", "note.other"),
    "workspace.paths": ("write.path",),
    "workspace.port": ("be-reached.moved",),
    "workspace.ports": ("be-reached.port",),
    "workspace.mode": ("trust.attach",),
    "workspace.services": (
        "run.service",
        "reach.name",
        "be.root",
        "be.capability",
        "hold.variable",
        "note.variable",
    ),
    "workspace.acp_mcp": ("hold.editor",),
    "workspace.expect.reach": ("guard.reach",),
    "workspace.expect.block": ("guard.block",),
    "workspace.dockerfile": ("run.dockerfile",),
    "workspace.build_context": ("run.context",),
}  # fmt: skip
"""By key: `scope` is what may stand in `[defaults]` and in a workspace alike."""

NONE: dict[str, str] = {
    "sets": "hosts by name: what they open is a power of each workspace that allows the set",
    "scope.show_refused": "the agent reads what it was refused, which it knows already",
    "scope.observe": "where connections go is written down in the wall; what may pass is the same",
    "scope.snapshots": "copies that the host keeps and no sandbox sees: what it may do is the same",
    "scope.tasks": "how many clones run beside it, and where: none may more than the workspace",
}
"""Keys that give no power, with the reason."""
