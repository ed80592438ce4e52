"""Codes of what is valid and may not be meant: said, and nothing is refused."""

from jailoc.model.catalogue.entry import Entry

WARNINGS: dict[str, Entry] = {
    "agent-data-shared": Entry(
        "The agent keeps its data in a mount, where those of another major version may lie.",
        "Give it a place of its own: logins of two versions overwrite each other.",
    ),
    "allow-denied": Entry(
        "An allow opens nothing, for something that is denied covers all of it.",
        "Remove one of the two: what is denied wins.",
    ),
    "allow-ended": Entry(
        "The last day of an allow is over (UTC): it is closed.",
        "Remove the entry, or give it a later day.",
    ),
    "allow-meaning": Entry(
        "An allow opens nothing that the agent could reach, or means the sandbox itself.",
        "Remove it, or name what the agent needs.",
    ),
    "credential-direct": Entry(
        "The host of a credential is also allowed directly.",
        "Remove the allow: the credential opens the way through the proxy.",
    ),
    "credential-public": Entry(
        "The hosts of a credential can be reached without it, because the internet is open.",
        "Set `egress` to `allowlist` to close that way.",
    ),
    "credential-shared": Entry(
        "A credential and a secret have one source, so the agent holds the value.",
        "Remove the secret.",
    ),
    "deny-by-name": Entry(
        'With `egress = "public"` a denied name does not resolve, but its addresses stay open to '
        "who knows them.",
        'Deny their networks, too, or use `egress = "allowlist"`.',
    ),
    "deny-meaning": Entry(
        "Loopback is denied, which is the sandbox itself and cannot be closed.",
        "Remove the entry.",
    ),
    "dind-privileged": Entry(
        "The container of the agent's Docker is privileged: root in it is root on this machine. "
        "As an error: the engine starts no privileged container.",
        "Leave `dind_privileged` out unless the agent needs `docker run --privileged`.",
    ),
    "env-file-line": Entry(
        "A line of an env file is read in another way than a shell or Docker would read it.",
        "Write KEY=VALUE, without quotes or `export` that should be part of the value.",
    ),
    "git-agents-file": Entry(
        "An agent can write a file that the user's Git configuration reads: what it names is not "
        "handed in, because the agent would choose what of this machine agents read.",
        "Keep it where no agent writes, or name it in `trust`.",
    ),
    "git-forged": Entry(
        "A file or link in a Git directory that an agent can write makes Git write, read or delete "
        "files of the user elsewhere, or may do so, for it is not read; or has Git wait for ever. "
        "`up` refuses that.",
        "Run no Git there before you have removed it; the message says how. One that is not read "
        "can be named in `trust`.",
    ),
    "git-hides": Entry(
        "Something in a Git directory that an agent can write keeps Git from showing what changed.",
        "Look as the message says; what is your own can be named in `trust`.",
    ),
    "git-include": Entry(
        "The Git configuration includes a file under a condition with `~`, which is another place "
        "in the sandbox.",
        "Write the directory in full.",
    ),
    "git-link": Entry(
        "A path of a repository leads elsewhere by a link, so that it cannot be protected, and "
        "Git would execute what lies there.",
        "Replace the link, or look at what it leads to before you run Git.",
    ),
    "git-program": Entry(
        "The image lacks a program that the Git configuration names.",
        "Install it in the image if the agent needs it.",
    ),
    "git-repository": Entry(
        "Git does not find the repository of a path in the sandbox: its parts lie elsewhere.",
        "Do as the hint of the message says; most often a directory has to be in `paths`, too.",
    ),
    "git-token": Entry(
        "The user's Git configuration, which the agent reads, holds a password or token.",
        "Keep it in a credential helper, which is not handed over, or set `git_config = false`.",
    ),
    "logins-shown": Entry(
        "A mount shows the agent what the user is logged in with.",
        "Mount what it needs and no more; it can log in by itself, and a key in a file of "
        "configuration can be named by `{env:NAME}` or `{file:PATH}`.",
    ),
    "memory-little": Entry(
        "A limit of memory is below what an agent's server takes by itself: the kernel kills it.",
        'Leave `memory` out, or write "1g" or more.',
    ),
    "network-host-bits": Entry(
        "A network has bits set beyond its length: all of the network is open.",
        "Write the network as the message has it, or the full length for one address.",
    ),
    "network-wide": Entry(
        "A very wide network is open on every port.",
        "Name the networks that are needed; public addresses are open without it.",
    ),
    "path-shared": Entry(
        "Two workspaces have one place: what one agent writes, the other one runs.",
        "Give each its own checkout; a read-only mount holds one that works alone.",
    ),
    "permission": Entry(
        "Something belongs to somebody else, and the agent may not read or write it.",
        "Change its owner or mode, or leave it out.",
    ),
    "port-open": Entry(
        "The agent's server gives its page to everybody on this machine, and a browser sends it "
        "the cookies of other servers on 127.0.0.1.",
        "Leave `expose_port` out, or open NAME.localhost alone.",
    ),
    "protect-link": Entry(
        "A place that the host executes cannot be protected from the agent, for a link is on its "
        "way.",
        "Replace the link, or look at the place before you run anything.",
    ),
    "protect-many": Entry(
        "What the host executes lies in so many places that they cannot all be covered. `up` "
        "refuses that.",
        "Remove what the agent has made, or give it a smaller directory.",
    ),
    "protect-unread": Entry(
        "A place that an agent can write cannot be looked into, or is too large to be looked "
        "through, or the configuration of a repository there is not read whole, so what the host "
        "executes there would be seen by nobody. `up` refuses that.",
        "Give yourself the right to read it (`chmod u+rwx`) and look, give the agent a smaller "
        "directory, or name it in `trust`.",
    ),
    "secret-identity": Entry(
        "A secret's file proves who the user is, controls the sandbox, or is an engine's socket.",
        "Make a key or token for the agent alone, which can be withdrawn.",
    ),
    "socket-shown": Entry(
        "A socket lies in what an agent can write: no rule of the firewall is on the way to the "
        "program that listens there.",
        "Let the program listen in a directory that no agent sees.",
    ),
    "source-missing": Entry(
        "A path, or the host's side of a mount, is not there. `up` refuses that; nothing is made "
        "in its place.",
        "Make it, correct it, or leave it out.",
    ),
    "ssh-agent": Entry(
        "The agent may use every key of the SSH agent; or there is no SSH agent to hand in.",
        "Hand in an SSH agent of its own, with one key; or start one.",
    ),
    "starter": Entry(
        "There is no configuration: the starter configuration was checked.",
        "`jailoc init` writes it, to be changed.",
    ),
    "subnet-hides": Entry(
        "The sandbox's own network has addresses of a network that is allowed: packets to those "
        "would not leave it.",
        "Choose a `subnet` that nobody has.",
    ),
    "volume-parent": Entry(
        "A volume lies below a directory that the image does not have: the agent cannot write "
        "beside it.",
        "Mount the whole directory as the volume.",
    ),
    "volume-shared": Entry(
        "A volume is shared between workspaces: what one agent writes, the others may execute.",
        "Leave `shared:` out for a volume of the workspace's own.",
    ),
}
