"""What the configuration says of a cluster: `[kubernetes]`, and `kubernetes` of a workspace.

Names follow "Object Names and IDs" of Kubernetes' documentation (RFC 1123), labels "Labels and
Selectors", amounts "Resource Management".
"""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict

from jailoc.model import image_reference
from jailoc.model.address import Network, written
from jailoc.model.allow_entry import parse_any_network
from jailoc.model.base import Model
from jailoc.model.config_values import Array, Port, text_of
from jailoc.model.field_error import problem
from jailoc.model.kubernetes.words import DEVICE, TUNNEL
from jailoc.model.path import CONTAINER_SYSTEM, clean, expand, first_within, within
from jailoc.model.sandbox import AGENT_HOME
from jailoc.model.schema_patterns import NETWORK, string, words

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
"""A name of RFC 1123: of a namespace, and of each part of other names."""
NAME = rf"{LABEL}(\.{LABEL})*"
_KEY = r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"
_AMOUNT = r"[1-9][0-9]*(Mi|Gi|Ti)"
_SECRET_KEY = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}"  # noqa: S105 -- a pattern
_REMOTE = r"https://[^\s@'\"\\]+"
_WITH_PORT = "/[0-9]+:[0-9]+$"
_REF = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}"


def _word(value: str, pattern: str, code: str, what: str, allowed: str) -> str:
    if not re.fullmatch(pattern, value) or len(value) > 253:
        raise problem(code, f"`{value}` is no {what}", allowed)
    return value


_RFC = "lower-case letters, digits and hyphens, at most 63 characters (RFC 1123)"
"""What a name is made of."""


def _namespace(value: str) -> str:
    return _word(value, LABEL, "kubernetes-name", "name of a namespace", _RFC)


def _object(value: str) -> str:
    return _word(value, NAME, "kubernetes-name", "name of an object", f"{_RFC}, and dots between")


def _context(value: str) -> str:
    if not value.strip() or not value.isprintable() or value.startswith("-"):
        raise problem(
            "kubernetes-context",
            f"`{value}` is no name of a context",
            "a name that `kubectl config get-contexts -o name` shows",
        )
    return value


def _network(value: object) -> Network:
    entry = parse_any_network(text_of(value))
    if entry.ports:
        raise problem("network", f"`{value}` has a port", "a network as a whole")
    return entry.network


def _closed(value: object) -> Network:
    network = _network(value)
    if network.prefixlen == 0:
        raise problem(
            "kubernetes-network",
            f"`{value}` is every address there is",
            "the ranges of pods, of services and of nodes, and the addresses of the API",
        )
    return network


def _address(value: object) -> str:
    text = text_of(value)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise problem("kubernetes-dns", f"`{text}` is no address", "an address") from None
    if "%" in text or address.is_loopback or address.is_unspecified:
        raise problem(
            "kubernetes-dns",
            f"`{text}` is no address that pods can ask",
            "the address of the DNS service: `kubectl -n kube-system get service kube-dns`",
        )
    return written(address)


def _labels(value: dict[str, str]) -> dict[str, str]:
    for key, each in value.items():
        if not re.fullmatch(_KEY, key) or not re.fullmatch(_VALUE, each):
            raise problem(
                "kubernetes-label", f"`{key}={each}` is no label", "letters, digits and - _ ."
            )
    return value


def _registry(value: str) -> str:
    wrong = image_reference.wrong(f"{value}/jailoc-agent") or "@" in value
    if wrong or not re.match(r"[^/]*[.:]|localhost", value):
        raise problem(
            "kubernetes-registry",
            f"`{value}` is no registry",
            "a registry, and a path in it or none, such as registry.example.com/team",
        )
    return value


def _amount(value: str) -> str:
    return _word(value, _AMOUNT, "kubernetes-storage", "amount of storage", "such as 10Gi or 500Mi")


def _device(value: str) -> str:
    return _word(value, DEVICE, "kubernetes-device", "path of a device", "such as /dev/net/tun")


def _place(value: str) -> str:
    path = place_of(value, AGENT_HOME)
    system = "/" if path == "/" else first_within(path, CONTAINER_SYSTEM)
    if not value.startswith(("/", "~/")) or "\0" in value or system or within(AGENT_HOME, path):
        raise problem(
            "source-path",
            f"a source cannot be at `{value}`",
            "a directory of its own, such as ~/src/api or /work/api",
        )
    return value


def place_of(path: str, home: str) -> str:
    """Return where a source is, for a home directory: the agent's, or that of this machine's user.

    >>> place_of("~/src/api/", "/home/agent")
    '/home/agent/src/api'
    """
    return clean(expand(path, home))


def _remote(value: str) -> str:
    if not re.fullmatch(_REMOTE, value):
        raise problem(
            "source-git",
            f"`{value}` is no repository that a cluster can clone from",
            "an https URL without a user or a password in it",
            "a credential is a key of the Secret: secret = NAME",
        )
    return value


def _ref(value: str) -> str:
    wrong = ".." in value or "//" in value or value.endswith(("/", ".", ".lock"))
    if wrong or not re.fullmatch(_REF, value):
        raise problem("source-ref", f"`{value}` is no branch, tag or commit", "main, v1.2")
    return value


def _some(value: tuple[object, ...]) -> tuple[object, ...]:
    if not value:
        raise problem("kubernetes-empty", "an empty array says nothing", "one or more")
    return value


def _key(value: str) -> str:
    return _word(value, _SECRET_KEY, "source-secret", "key of a Secret", "letters, digits, . _ -")


Some = AfterValidator(_some)
_MINIMUM: JsonDict = {"minItems": 1}
Namespace = Annotated[str, AfterValidator(_namespace), string(f"^{LABEL}$", maxLength=63)]
ObjectName = Annotated[str, AfterValidator(_object), string(f"^{NAME}$", maxLength=253)]
Context = Annotated[str, AfterValidator(_context), string("^[^-\\s].*$")]
ClusterNetwork = Annotated[Network, BeforeValidator(_closed), string(NETWORK, "/0+$", _WITH_PORT)]
AnyNetwork = Annotated[Network, BeforeValidator(_network), string(NETWORK, _WITH_PORT)]
DnsAddress = Annotated[
    str, BeforeValidator(_address), string("^[0-9A-Fa-f.:]+$", r"^127\.", r"^0\.0\.0\.0$", "^::1?$")
]
Labels = Annotated[
    dict[str, str],
    AfterValidator(_labels),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{_KEY}$"},
            "additionalProperties": {"type": "string", "pattern": f"^{_VALUE}$"},
        }
    ),
]
Registry = Annotated[
    str, AfterValidator(_registry), string(r"^([^/@\s]*[.:][^/@\s]*|localhost)(/[^@\s:]+)*$")
]
Amount = Annotated[str, AfterValidator(_amount), string(f"^{_AMOUNT}$")]
SourcePlace = Annotated[
    str,
    AfterValidator(_place),
    string("^(/|~/)", rf"^/+({words(*CONTAINER_SYSTEM)})(/|$)", "^~?/*$", "^/home(/agent)?/*$"),
]
Remote = Annotated[str, AfterValidator(_remote), string(f"^{_REMOTE}$")]
Ref = Annotated[str, AfterValidator(_ref), string(f"^{_REF}$", r"\.\.", "//", r"(/|\.|\.lock)$")]
SecretKey = Annotated[str, AfterValidator(_key), string(f"^{_SECRET_KEY}$")]


Device = Annotated[str, AfterValidator(_device), string(f"^{DEVICE}$", maxLength=253)]


class ClusterDns(Model):
    """Who answers names for pods."""

    addresses: Annotated[tuple[DnsAddress, ...], Array, Some] = Field(
        json_schema_extra=_MINIMUM,
        description="Addresses that pods ask: of the DNS service, or of the node's own cache.",
    )
    namespace: Namespace = Field(
        default="kube-system", description="Namespace of the pods that answer."
    )
    labels: Labels = Field(
        default={"k8s-app": "kube-dns"}, description="Labels of the pods that answer."
    )
    port: Port = Field(
        default=53, description="Port of those pods, which a service may translate to."
    )


class Visitor(Model):
    """Pods that may connect to the agent's server."""

    namespace: Namespace = Field(description="Their namespace.")
    labels: Labels = Field(default_factory=dict, description="Their labels; all pods by default.")


class KubernetesSettings(Model):
    """The cluster that `--target kubernetes` compiles for."""

    namespace: Namespace = Field(description="Namespace of the sandboxes, and of nothing else.")
    context: Context = Field(
        description="Context of kubectl's configuration; never the current one by itself."
    )
    cluster_networks: Annotated[tuple[ClusterNetwork, ...], Array, Some] = Field(
        json_schema_extra=_MINIMUM,
        description="Ranges of pods, of services and of nodes, and the addresses of the API, also "
        "public ones: closed, unless an entry names an address or a network in them.",
    )
    dns: ClusterDns = Field(description="Who answers the names that pods ask for.")
    names_within: Annotated[tuple[AnyNetwork, ...], Array] = Field(
        default=(),
        description="Ranges outside of the public internet where `allowed_hosts` may lie; for the "
        "network policy, which knows no names.",
    )
    registry: Registry = Field(
        description="Where `jailoc images build --push` puts images, such as "
        "registry.example.com/team."
    )
    image_pull_secrets: Annotated[tuple[ObjectName, ...], Array] = Field(
        default=(), description="Secrets of the namespace that the registry is asked with."
    )
    storage_class: ObjectName | None = Field(
        default=None, description="Class of the claims; by default the cluster's own."
    )
    storage: Amount = Field(default="10Gi", description="Size of each claim.")
    secret: ObjectName | None = Field(
        default=None,
        description="Secret that holds the password and the secrets of every workspace; by default "
        "jailoc-WORKSPACE.",
    )
    ingress_from: Annotated[tuple[Visitor, ...], Array] = Field(
        default=(),
        description="Pods that may connect to the server's port; by default none, and "
        "`kubectl port-forward` is the way in.",
    )
    user_namespace: bool = Field(
        default=True,
        description="Run pods in a user namespace of their own (Kubernetes 1.33 or newer).",
    )
    docker: bool = Field(
        default=False,
        description="Give agents a Docker of their own there, too, where `enable_docker` is not "
        "false: a container that starts as root, without seccomp and AppArmor, with a device of "
        "the node. Needs `user_namespace`.",
    )
    tunnel_device: Device = Field(
        default=TUNNEL,
        description="Where nodes have the tunnel device for that, on a file system that a pod with "
        "users of its own can mount: devtmpfs is none.",
    )


class GitSource(Model):
    """A repository that is cloned into an empty volume, behind the wall."""

    git: Remote = Field(description="The https URL of the repository.")
    ref: Ref = Field(default="HEAD", description="Branch, tag or commit.")
    path: SourcePlace = Field(
        description="Where it is, in the place of the entry of `paths` that says the same; ~ is "
        "the agent's home."
    )
    secret: SecretKey | None = Field(
        default=None,
        description="Key of the Secret with a line as git-credential-store(1) has it; only what "
        "clones sees it.",
    )


class ClusterWorkspace(Model):
    """What a workspace has on a cluster, and there alone."""

    sources: Annotated[tuple[GitSource, ...], Array] = Field(
        default=(), description="Repositories that stand for `paths` on a cluster."
    )
