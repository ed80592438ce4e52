"""Names of images, as every engine reads them.

Source: the grammar of the distribution project, https://pkg.go.dev/github.com/distribution/reference
(`reference`, `identifier`), with its two rules beside it: the first part is a registry only if it
has a dot or a port, or is `localhost`; and a name has at most 255 characters.
"""

import re

MOST = 255
"""Characters of a name, without tag and digest."""

_COMPONENT = "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = (
    rf"(localhost(:[0-9]+)?|{_COMPONENT}(\.{_COMPONENT})+(:[0-9]+)?|{_COMPONENT}:[0-9]+"
    r"|\[[a-fA-F0-9:]+\](:[0-9]+)?)"
)
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_NAME = rf"({_REGISTRY}/)?{_PART}(/{_PART})*"
_TAG = "[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
_DIGEST = "(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})"
PATTERN = rf"{_NAME}(:{_TAG})?(@{_DIGEST})?"
"""An image's name, its tag and its digest; an identifier is also a name."""


def wrong(text: str) -> str | None:
    """Say what is wrong with a reference, or return None if an engine takes it.

    >>> wrong("registry.example.com:5000/agent:1.2")
    >>> wrong("UPPER/x")
    'has capitals in its name'
    """
    if re.fullmatch(PATTERN, text):
        name = re.sub(rf"(:{_TAG})?(@{_DIGEST})?\Z", "", text)
        return f"has a name of more than {MOST} characters" if len(name) > MOST else None
    name, _, digest = text.partition("@")
    if "://" in text:
        return "is a URL"
    if digest and not re.fullmatch(_DIGEST, digest):
        return "has a digest that is none"
    if name != name.lower() and re.fullmatch(PATTERN, text.lower()):
        return "has capitals in its name"
    return "is no image reference"


def familiar(text: str) -> str:
    """Return a name as one writes it: engines put the registry that they think of before it.

    >>> familiar("docker.io/library/debian:13"), familiar("localhost/jailoc-wall:1")
    ('debian:13', 'jailoc-wall:1')
    """
    return re.sub(r"\A(docker\.io/(library/)?|localhost/)", "", text)


def parts(text: str) -> tuple[str, str, str, str]:
    """Return registry, repository, tag and digest of a reference, as engines complete it.

    >>> parts("debian")
    ('docker.io', 'library/debian', 'latest', '')
    >>> parts("r.example:5000/a/b:1@sha256:" + 64 * "0")[:3]
    ('r.example:5000', 'a/b', '1')
    """
    name, _, digest = text.partition("@")
    head, slash, rest = name.partition("/")
    if not slash or not (set(head) & {".", ":"} or head == "localhost"):
        head, rest = "docker.io", name
    head = "docker.io" if head == "index.docker.io" else head.lower()
    repository, colon, tag = rest.rpartition(":")
    if not colon:
        repository, tag = rest, "" if digest else "latest"
    if head == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    return head, repository, tag, digest


def canonical(text: str) -> str:
    """Return a reference with what engines add to it.

    >>> canonical("debian"), canonical("docker.io/library/debian:latest")
    ('docker.io/library/debian:latest', 'docker.io/library/debian:latest')
    """
    registry, repository, tag, digest = parts(text)
    colon, at = ":" if tag else "", "@" if digest else ""
    return f"{registry}/{repository}{colon}{tag}{at}{digest}"
