"""Codes of what is about a cluster: what the configuration says of it, and what kubectl answers."""

from jailoc.model.catalogue.entry import Entry

CLUSTER: dict[str, Entry] = {
    "kubectl": Entry(
        "kubectl failed, did not answer in time, or answered no object.",
        "Look at what it said; `kubectl --context ... version` tries the way to the cluster.",
    ),
    "kubectl-missing": Entry(
        "There is no `kubectl` on PATH.",
        "Install the one of your cluster's version.",
    ),
    "kubernetes-conflict": Entry(
        "Somebody else owns a field that jailoc would set (server-side apply, 409).",
        "Let the owner go of it; jailoc never forces.",
    ),
    "kubernetes-context": Entry(
        "`context` of `[kubernetes]` is no name of a context.",
        "Take one that `kubectl config get-contexts -o name` shows.",
    ),
    "kubernetes-device": Entry(
        "`tunnel_device` is no absolute path of plain names.",
        "Write it as /dev/net/tun, or where your nodes have the device.",
    ),
    "kubernetes-dns": Entry(
        "An address of `dns` is none, or one that no pod can ask.",
        "Take the one of `kubectl -n kube-system get service kube-dns`, or of the node's cache.",
    ),
    "kubernetes-empty": Entry(
        "A list that must name something is empty.",
        "Name what there is.",
    ),
    "kubernetes-forbidden": Entry(
        "The cluster does not let you do that (403).",
        "Ask for what docs/how-to/run-on-kubernetes.md lists; `kubectl auth can-i --list`.",
    ),
    "kubernetes-image": Entry(
        "An image has no digest, so whoever can move its tag decides what runs on the cluster.",
        "`jailoc images build --push` writes the digests of jailoc's own into `images.lock`; an "
        "`image` of yours is written as NAME@sha256:....",
    ),
    "kubernetes-label": Entry(
        "A label or its value has characters that none may have, or too many.",
        "Use letters, digits, - _ and ., at most 63.",
    ),
    "kubernetes-lock": Entry(
        "`images.lock` cannot be read, or is none of this jailoc's.",
        "Take it from version control, or write it anew with `jailoc images build --push`.",
    ),
    "kubernetes-missing": Entry(
        "`[kubernetes]` lacks a key that has no good default: a wrong guess would open something.",
        "Say it; the hint has the command that tells.",
    ),
    "kubernetes-name": Entry(
        "A name is none that a cluster takes (RFC 1123).",
        "Use lower-case letters, digits and hyphens.",
    ),
    "kubernetes-namespace": Entry(
        "The namespace is not there, or enforces a Pod Security level that refuses the wall.",
        "An administrator applies namespace.yaml and cluster/ of the rendered directory.",
    ),
    "kubernetes-network": Entry(
        "A network of the cluster is every address there is.",
        "Name the ranges of pods, services and nodes, and the addresses of the API.",
    ),
    "kubernetes-registry": Entry(
        "`registry` is none, or has a tag or digest.",
        "Give a host with a dot or a port, and a path or none, such as registry.example.com/team.",
    ),
    "kubernetes-size": Entry(
        "The rules of a workspace are more than an object of a cluster has room for.",
        "Name fewer, wider networks.",
    ),
    "kubernetes-storage": Entry(
        "`storage` is no amount.",
        "Write it as 10Gi or 500Mi.",
    ),
    "kubernetes-target": Entry(
        "Something in the configuration cannot be had on a cluster.",
        "Leave it out for this target; docs/how-to/run-on-kubernetes.md has what carries over.",
    ),
    "secrets-pipe": Entry(
        "`jailoc secrets` was to write to a terminal or a file.",
        "Write to a pipe, into `kubectl apply -f -`.",
    ),
    "source-git": Entry(
        "`git` of a source is no https URL, or has a user or a password in it.",
        "Give an https URL; a credential is a key of the Secret: secret = NAME.",
    ),
    "source-path": Entry(
        "`path` of a source is the container's own, or no absolute one.",
        "Give a directory of its own, such as ~/src/api or /work/api.",
    ),
    "source-ref": Entry(
        "`ref` of a source is no branch, tag or commit.",
        "Name one, such as main or v1.2.",
    ),
    "source-secret": Entry(
        "`secret` of a source is no key of a Secret.",
        "Use letters, digits, and . _ -.",
    ),
}
