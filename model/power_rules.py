"""The one table of powers: what each rule is about, how grave it is, and why."""

from jailoc.model.base import Model
from jailoc.model.power import Rank


class PowerRule(Model):
    """What a kind of power is called, and how grave it is to gain it."""

    what: str
    ranks: tuple[Rank, ...]
    """From the gravest that it can have to the least."""
    when: str
    """What decides between them, and why it matters."""
    valued: bool = False
    """Whether another value is another power."""


_C, _H, _M, _L, _N = Rank
_TABLE: dict[str, tuple[str, tuple[Rank, ...], str]] = {
    "reach.network": (
        "addresses", (_C, _H, _M),
        "critical: a private network as a whole, a metadata address, this machine; high: more than "
        "32,768 addresses in all, the public internet, DNS past the resolver",
    ),
    "reach.name": (
        "names", (_C, _H, _M, _L),
        "critical: every port of this machine; high: a wildcard below which everybody can have a "
        "name; low: one name where the public internet is open anyway",
    ),
    "reach.machine": (
        "ports of this machine, and its addresses", (_C, _H),
        "critical: a port that hands the machine over, such as Docker's",
    ),
    "write.path": (
        "paths of the host that it changes", (_C, _H, _M, _L),
        "critical: what the host executes or reads as its configuration, credentials; high: a "
        "directory above one that it had, a whole top directory",
    ),
    "read.path": (
        "paths of the host that it reads", (_C, _H, _M, _L),
        "critical: where credentials are kept; otherwise as wide as the directory is",
    ),
    "write.shared": (
        "volumes that workspaces share", (_H, _M),
        "what one agent writes there, another one runs; medium: at another place, where nothing is "
        "known to be executed",
    ),
    "run.agent": ("the agent's version", (_L,), "another program, in the same sandbox"),
    "run.image": (
        "the image of the agent", (_H, _M),
        "high: another registry or repository, a lost digest; medium: another tag or digest",
    ),
    "run.service": (
        "services beside the agent, by image", (_M,),
        "another program on this machine's kernel, which the agent alone reaches and which reaches "
        "nobody but the workspace's other services",
    ),
    "run.dockerfile": (
        "Dockerfiles", (_C, _H),
        "the engine builds what it says; critical: fetched over plain http",
    ),
    "run.context": (
        "build contexts, and on this machine what lies in them", (_C, _H),
        "what lies in it can be copied into the image, and run; critical: credentials lie there",
    ),
    "run.source": ("repositories that a cluster clones", (_M,), "what is in them, an agent runs"),
    "run.registry": ("the registry of a cluster's images", (_H,), "who can write there"),
    "run.locked": (
        "digests that `images.lock` names for a cluster", (_H,),
        "who pushed what a digest is of decides what runs, the wall too; no text shows what it is",
    ),
    "run.command": (
        "programs that jailoc runs on this machine", (_C,),
        "the `from_command` of a credential runs as the user, outside of every sandbox",
    ),
    "run.variable": (
        "variables that steer programs", (_H, _M),
        "high: what loads code or sends everything elsewhere, such as a proxy",
    ),
    "hold.secret": (
        "secrets, by source", (_C, _H),
        "critical: the user's own identity, or a file among credentials",
    ),
    "hold.credential": (
        "credentials that a proxy uses for it, by source and host", (_C, _H, _M),
        "critical: the user's own identity without a limit to methods or paths; medium: more "
        "requests that only read, to a host that got the value before",
    ),
    "hold.unscrubbed": (
        "credentials whose value is not starred in answers", (_H,),
        "a host that repeats what it was asked with hands the value over",
    ),
    "hold.variable": ("credentials among variables", (_H,), "its value is in plain text"),
    "hold.env-file": (
        "env files", (_C, _H),
        "every variable of the file is handed over; critical: a file of credentials",
    ),
    "hold.ssh-agent": ("the SSH agent", (_C,), "each key of the user can be used to log in"),
    "hold.editor": (
        "what an editor hands over", (_H,),
        "the commands and tokens of the user's MCP servers, whichever they are",
    ),
    "hold.git-identity": ("the Git configuration", (_L,), "name, address and aliases of the user"),
    "hold.cluster-secret": (
        "a Secret of a cluster", (_H,), "one that workspaces share has what each of them needs",
    ),
    "be.privileged": ("privileged services", (_C,), "root in it is root on the machine"),
    "be.capability": ("capabilities", (_C, _H), "critical: a service beside jailoc's own"),
    "be.unconfined": ("lost confinement", (_H,), "no seccomp, AppArmor or no-new-privileges"),
    "be.root": ("services that run as root", (_H,), "one step nearer to the kernel"),
    "be.device": ("devices of the host", (_H,), "what the kernel offers behind them"),
    "be.service": ("services that jailoc does not know", (_C,), "nothing is known of it"),
    "be.docker": ("a Docker of its own", (_M,), "rootless, behind the same wall"),
    "be.cluster-docker": (
        "a Docker of its own on a cluster", (_H,),
        "a root's start without seccomp and AppArmor, and a device of the node",
    ),
    "be-reached.pods": ("pods that reach its server", (_M,), "it has a password"),
    "be-reached.port": (
        "ports on this machine's loopback", (_M, _L),
        "medium: what the agent itself serves there, whose pages run in your browser, outside the "
        "wall; low: its server, which has a password",
    ),
    "be-reached.moved": (
        "ports that lead to another workspace", (_M, _N),
        "whoever goes there with a client, a bookmark or a script meets another agent",
    ),
    "be-reached.subnet": (
        "addresses that the sandbox takes", (_M,),
        "programs of this machine that look for somebody there find the sandbox",
    ),
    "trust.certificate": ("certificates", (_H,), "its owner can read and change TLS traffic"),
    "trust.path": ("trusted paths and URLs", (_C, _H), "who can write it steers the host"),
    "trust.drift": ("drift that is ignored", (_H, _M), "changes by hand are not told any more"),
    "trust.attach": ("how the user's client attaches", (_C, _M), "remote: the agent steers it"),
    "trust.password": ("where the server's password is", (_M,), "who else could read it"),
    "trust.cluster": ("the namespace of a cluster", (_M,), "who else may run pods there"),
    "trust.cluster-dns": ("who answers names on a cluster", (_H,), "says where names are"),
    "trust.names-within": (
        "where names may lie on a cluster", (_H,), "the second wall is open there for all",
    ),
    "guard.egress": ("what is closed unless named", (_H,), "without it the internet is open"),
    "guard.denied": (
        "denied names and networks", (_H,), "without it what allows them counts",
    ),
    "guard.block": ("agreed: must stay closed", (_H,), "nobody is told when it opens"),
    "guard.reach": ("agreed: must stay open", (_M,), "nobody is told when it closes"),
    "guard.protect": (
        "what the agent cannot change in a project", (_C, _H, _M),
        "critical: what the host executes, such as Git's hooks; high: `.git` as a whole",
    ),
    "guard.cluster": ("the cluster's own networks", (_H,), "without it a range may open them"),
    "guard.user-namespace": ("users that are not the node's", (_H,), "the kernel's second fence"),
    "note.limits": ("limits", (_N,), "how much, not what"),
    "note.variable": ("other variables", (_N,), "an agent can set them itself"),
    "note.name": (
        "names within an open internet", (_N,), "of earlier versions; now they are `reach.name`",
    ),
    "note.place": ("where something is mounted", (_N,), "the same right at another place"),
    "note.other": ("everything else of a container", (_N,), "no power"),
}  # fmt: skip
_VALUED = {
    "hold.credential", "run.service", "run.source", "run.locked", "write.shared", "run.variable",
    "hold.variable", "note.limits", "note.variable", "note.other",
}  # fmt: skip
RULES = {
    name: PowerRule(what=what, ranks=ranks, when=when, valued=name in _VALUED)
    for name, (what, ranks, when) in _TABLE.items()
}
"""By name, in the order that changes of one rank are told in."""
ORDER = {name: index for index, name in enumerate(RULES)}
