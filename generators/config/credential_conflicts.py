"""Credentials against the rest of a configuration: what contradicts them, what gives them away."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.generators.config.credentials import credentials
from jailoc.generators.config.resolve import names, resolve, roots, shown
from jailoc.model.config import Config
from jailoc.model.credential import Credential, CredentialHost
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path, dotted
from jailoc.model.egress import Egress
from jailoc.model.host import Host
from jailoc.model.name_pattern import ClosedName, Name
from jailoc.model.path import clean, expand, first_within
from jailoc.model.secret import Destination
from jailoc.model.variable_names import steers
from jailoc.model.workspace import Workspace


def credential_conflicts(document: Document, config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield what makes a credential impossible, or visible to an agent."""
    problems: list[Diagnostic] = []
    every: dict[Credential, None] = {}
    for name in names(config):
        if not _every(config, name):
            continue
        workspace = resolve(config, name, host)
        problems += _egress(document, workspace)
        problems += _hosts(document, workspace)
        problems += _environment(document, workspace)
        problems += _published(document, workspace)
        every |= dict.fromkeys(workspace.credentials)
    # One of [defaults] is every workspace's, and what is said of it the same.
    for each in every:
        problems += _visible(document, config, each, host)
        problems += _changeable(document, config, each, host)
    yield from dict.fromkeys(problems)


def credential_doubts(document: Document, config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield what takes from a credential some of what it is for."""
    problems: list[Diagnostic] = []
    for name in names(config):
        if not _every(config, name):
            continue
        workspace = resolve(config, name, host)
        for each in workspace.credentials:
            problems += _direct(document, workspace, each)
            problems += _shared(document, workspace, each)
            if workspace.egress is Egress.PUBLIC:
                problems.append(
                    found(
                        document,
                        _place(each),
                        "credential-public",
                        f"the agent of `{name}` can also reach the hosts of credential "
                        f"`{each.name}` directly, without it, because the public internet is open",
                        hint='egress = "allowlist" closes that way',
                        at_key=True,
                    )
                )
    yield from dict.fromkeys(problems)


def _every(config: Config, name: str) -> tuple[Credential, ...]:
    mine = config.workspaces[name]
    return credentials((("defaults", config.defaults), (dotted(("workspaces", name)), mine)))


def _place(credential: Credential, *below: str | int) -> Path:
    """Return the path of a credential, or of something in it, in the document."""
    *above, name = _parts(credential.origin)
    return (*above, name, *below)


def _parts(origin: str) -> list[str]:
    # Neither the name of a workspace nor that of a credential can have a dot in it.
    return [each.strip('"') for each in origin.split(".")]


def _egress(document: Document, workspace: Workspace) -> Iterator[Diagnostic]:
    for each in workspace.credentials:
        if workspace.egress is Egress.NONE:
            yield found(
                document,
                _place(each),
                "credential-egress",
                f"workspace `{workspace.name}` reaches nothing ({workspace.egress_origin}), so "
                f"credential `{each.name}` cannot be used",
                'egress = "allowlist" or "public"',
                at_key=True,
            )
            continue
        for index, host in enumerate(each.hosts):
            mine = Name(name=host.name, origin="")
            for closed in workspace.denied_names:
                if ClosedName(name=closed.name, origin="").includes(mine):
                    yield found(
                        document,
                        _place(each, "hosts", index),
                        "credential-egress",
                        f"`{host.text}` does not resolve in workspace `{workspace.name}`: "
                        f"{closed.origin} denies it",
                        "a host that is not denied",
                    )


def _hosts(document: Document, workspace: Workspace) -> Iterator[Diagnostic]:
    holders: dict[CredentialHost, Credential] = {}
    for each in workspace.credentials:
        for index, host in enumerate(each.hosts):
            other = holders.setdefault(host, each)
            if other is not each:
                yield found(
                    document,
                    _place(each, "hosts", index),
                    "credential-twice",
                    f"`{host.text}` also has credential `{other.name}` ({other.origin})",
                    "one credential for a host and port",
                )


def _environment(document: Document, workspace: Workspace) -> Iterator[Diagnostic]:
    taken = {each.key: each.origin for each in workspace.env}
    taken |= {
        each.name: each.origin
        for each in workspace.secrets
        if each.destination is Destination.ENVIRONMENT
    }
    for each in workspace.credentials:
        for index, variable in enumerate(each.env):
            if steers(variable):
                yield found(
                    document,
                    _place(each, "env", index),
                    "credential-env",
                    f"variable `{variable}` steers programs: its value is obeyed, and is no key",
                    "a variable that holds a key, such as API_TOKEN",
                    hint="what steers programs stands in env, where a reviewer sees it",
                )
            other = taken.setdefault(variable, each.origin)
            if other != each.origin:
                yield found(
                    document,
                    _place(each, "env", index),
                    "credential-env",
                    f"variable `{variable}` has a value already: {other}",
                    "a variable that nothing else sets",
                )


def _published(document: Document, workspace: Workspace) -> Iterator[Diagnostic]:
    """Yield ports that the proxy has, so that the agent could not serve there."""
    served = {each.target: each.origin for each in workspace.ports}
    for each in workspace.credentials:
        for index, host in enumerate(each.hosts):
            port = next((port for port in (host.port, 80) if port in served), None)
            if port is not None:
                yield found(
                    document,
                    _place(each, "hosts", index),
                    "credential-host",
                    f"port {port} inside workspace `{workspace.name}` is the proxy's, and "
                    f"{served[port]} publishes it",
                    "another port inside for what the agent serves",
                )


def _visible(
    document: Document, config: Config, credential: Credential, host: Host
) -> Iterator[Diagnostic]:
    if not credential.from_file:
        return
    way = host.places(credential.from_file)
    for name in names(config):
        places = [each.place for each in shown(config, name, host, way)]
        if places:
            yield found(
                document,
                _place(credential, "from_file"),
                "credential-visible",
                f"`{credential.from_file}` can be read by the agent of workspace `{name}`, as "
                f"`{places[0]}`",
                "a file outside of every path and mount",
                "move it; an agent that reads the file has the credential itself",
            )
            return


def _changeable(
    document: Document, config: Config, credential: Credential, host: Host
) -> Iterator[Diagnostic]:
    """Yield words of a command that name what an agent can change; links are followed at `up`."""
    for index, word in enumerate(credential.from_command):
        if not word.startswith(("/", "~/")):
            continue
        path = host.real(clean(expand(word, host.home)))
        if first_within(path, config.trust):
            continue
        for name in names(config):
            seen = roots(config, name, host)
            if first_within(path, [host.real(each.path) for each in seen if each.writable]):
                yield found(
                    document,
                    _place(credential, "from_command", index),
                    "credential-source",
                    f"`{word}` can be changed by the agent of workspace `{name}`, and would run "
                    "on this machine",
                    "a program outside of every path and writable mount",
                )
                return


def _direct(
    document: Document, workspace: Workspace, credential: Credential
) -> Iterator[Diagnostic]:
    for index, host in enumerate(credential.hosts):
        for each in workspace.allowed_names:
            if each.name.rstrip(".").lower() == host.name:
                yield found(
                    document,
                    _place(credential, "hosts", index),
                    "credential-direct",
                    f"`{host.name}` is also allowed directly ({each.origin}): the agent can reach "
                    "its addresses without the credential",
                    hint="remove the allow; the credential opens the way through the proxy",
                )
                break


def _shared(
    document: Document, workspace: Workspace, credential: Credential
) -> Iterator[Diagnostic]:
    for each in workspace.secrets:
        both = (each.from_env, credential.from_env), (each.from_file, credential.from_file)
        if any(mine and mine == other for mine, other in both):
            yield found(
                document,
                _place(credential),
                "credential-shared",
                f"credential `{credential.name}` and secret `{each.name}` ({each.origin}) have one "
                "source: the agent holds the value itself",
                hint="remove the secret",
                at_key=True,
            )
