"""Compile for no machine in particular: the same configuration, the same bytes for everybody.

The portable host is one where all that a configuration asks for is there, so that what a sandbox
may get at most is what is shown: a user with Git configuration, known hosts and an SSH agent, IPv6,
and every file and directory that is named. It has no address, no date, and no text of any file.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jailoc.generators.artefacts import firewall as walls
from jailoc.generators.artefacts.compile import bundle
from jailoc.generators.artefacts.compose import compose
from jailoc.generators.config.conflicts import absolute, scopes, table, texts
from jailoc.generators.config.load import load
from jailoc.generators.config.mentioned import mentioned
from jailoc.generators.config.resolve import resolve
from jailoc.generators.config.stated import stated
from jailoc.model.bundle import Bundle, File
from jailoc.model.config import Config, WorkspaceConfig
from jailoc.model.diagnostic import Diagnostic, Position, Severity, refuse
from jailoc.model.document import Document
from jailoc.model.golden import BUNDLE_FILE, SCHEMA, Image, Snapshot, Written
from jailoc.model.host import TABLES, FileKind, Host
from jailoc.model.path import outermost, tilde, within
from jailoc.model.power import Sides
from jailoc.model.sandbox import AGENT, PROXY, SIDECAR, WALL

HOME = "/HOME"
"""Stands for the home directory of whoever uses the configuration."""
CERTIFICATES = "ca_certificates"
AGENT_SOCKET = "/SSH_AUTH_SOCK"
"""Stands for the socket of the user's SSH agent."""


def host(
    document: Document,
    beside: Mapping[str, str] | None = None,
    locked: Mapping[str, str] | None = None,
) -> Host:
    """Return the machine that a configuration is compiled for when it is for everybody.

    Args:
        document: The configuration.
        beside: Texts of what it names and what is kept beside it, by place.
        locked: Digests in the lock of images beside it, by tag.
    """
    asked = mentioned(document, HOME)
    kinds = dict.fromkeys(asked.paths, FileKind.DIRECTORY)
    kinds |= dict.fromkeys(asked.files, FileKind.FILE)
    kinds |= dict.fromkeys((f"{HOME}/.gitconfig", f"{HOME}/.ssh/known_hosts"), FileKind.FILE)
    return Host(
        home=HOME,
        portable=True,
        ipv6=True,
        tables=TABLES,
        kinds=kinds,
        files={each: _text(each) for each in (*asked.files, *asked.urls)},
        agent_socket=AGENT_SOCKET,
        beside=dict(beside or {}),
        locked=dict(locked or {}),
    )


def steering(document: Document) -> tuple[str, ...]:
    """Return the places of the Dockerfiles and certificates that a configuration names."""
    data = document.data
    base = table(data, "base")
    named: list[object] = [
        base.get("dockerfile"),
        *(text for _, text in texts(base.get(CERTIFICATES))),
    ]
    named += [scope.get("dockerfile") for _, scope in scopes(data)]
    return tuple(sorted({path for each in named if (path := absolute(each, HOME))}))


def told(text: str) -> str:
    """Write the home directory as everybody does, in words about a configuration.

    >>> told("`/HOME/.gnupg` is refused")
    '`~/.gnupg` is refused'
    """
    return text.replace(f"{HOME}/", "~/")


def ends(place: str) -> tuple[str, ...]:
    """Return what a place may be called from a directory on the way to it, the longest first.

    >>> ends("/HOME/team/agent.Dockerfile")
    ('HOME/team/agent.Dockerfile', 'team/agent.Dockerfile', 'agent.Dockerfile')
    """
    parts = place.strip("/").split("/")
    return tuple("/".join(parts[index:]) for index in range(len(parts)))


def _text(place: str) -> str:
    """Return what stands for the text of a file, whatever the file is: one comment.

    Whoever reads it takes it for any of the three: an env file, a Dockerfile, a certificate.
    """
    return (
        f"# The text of {json.dumps(place, ensure_ascii=False)}, which each machine has of its own "
        "(-----BEGIN CERTIFICATE----- if it is one).\n"
    )


def check(document: Document, home: str) -> tuple[Diagnostic, ...]:
    """Return what makes a portable output less than that.

    Args:
        document: The configuration.
        home: The home directory of who compiles it.

    Raises:
        Refused: a path begins with what stands for something else.
    """
    for path in mentioned(document, home).paths:
        for taken in (HOME, AGENT_SOCKET):
            if within(path, taken) and not within(home, taken):
                raise refuse(
                    "portable",
                    f"`{path}` cannot be told apart from `{taken}`, which stands for a place that "
                    "every user has elsewhere",
                    hint="name another directory, or render with --native",
                )
    # What is written out is the same for every home directory.
    if home == "/":
        return ()
    mine = [path for path in mentioned(document, HOME).paths if within(path, home) and path != home]
    outer = outermost(mine)
    if not outer:
        return ()
    places = _mentions(document, home, outer)
    every = sorted(place for found in places.values() for place in found)
    told = ", ".join(
        f"`{path}`{_lines(found)}"
        for path, found in sorted(places.items(), key=lambda each: each[1])
    )
    verb = "is" if len(outer) == 1 else "are"
    return (
        Diagnostic(
            code="portable",
            severity=Severity.WARNING,
            message=f"{told} {verb} in your home directory, which others do not have",
            file=document.file,
            position=Position(line=every[0], column=1) if every else None,
            hint="write " + ", ".join(tilde(path, home) for path in sorted(outer)),
        ),
    )


def _mentions(document: Document, home: str, paths: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return the lines where each path is written, or something in it."""
    found: dict[str, list[int]] = {path: [] for path in paths}
    written = re.compile(re.escape(home) + r"/[^\"':, ]*")
    for number, line in enumerate(document.lines, 1):
        if line.lstrip().startswith("#"):
            continue
        for match in written.finditer(line):
            path = match[0]
            while path and path not in found:
                path = path.rpartition("/")[0]
            if path and number not in found[path][-1:]:
                found[path].append(number)
    return {path: tuple(lines) for path, lines in found.items()}


def _lines(found: tuple[int, ...]) -> str:
    return f" (line{'s' * (len(found) > 1)} {', '.join(map(str, found))})" if found else ""


@dataclass(frozen=True)
class Compiled:
    """One workspace as it is for everybody."""

    bundle: Bundle
    snapshot: Snapshot

    @property
    def files(self) -> tuple[File, ...]:
        """Return all that is written for it."""
        models = File(path=BUNDLE_FILE, mode=0o644, text=written(self.snapshot))
        return (*self.bundle.files, models)


def compiled(machine: Host, config: Config, name: str) -> Compiled:
    """Compile one workspace for everybody.

    Args:
        machine: The portable host of the configuration file.
        config: What was loaded for it.
        name: The workspace.

    Raises:
        Refused: there is no such workspace.
    """
    workspace = resolve(config, name, machine)
    made = bundle(workspace, machine)
    snapshot = Snapshot(
        workspace=name,
        compose=made.compose,
        firewall=made.firewall,
        builds=tuple(
            Image(name=each.name, tag=each.tag, base=each.base, directory=each.directory)
            for each in made.builds
        ),
        stated=stated(config, workspace, machine),
        files=tuple(
            Written(path=each.path, sha256=hashlib.sha256(each.text.encode()).hexdigest())
            for each in made.files
        ),
    )
    return Compiled(made, snapshot)


def sides(config: Config, name: str, machine: Host) -> Sides:
    """Return what of a workspace decides what it may do, without its files and images.

    Args:
        config: What was loaded for the portable host.
        name: The workspace.
        machine: That host.
    """
    workspace = resolve(config, name, machine)
    images: dict[str, str] = dict.fromkeys((WALL, AGENT, SIDECAR, PROXY), "jailoc")
    return Sides(
        compose=compose(
            workspace,
            machine,
            images,
            dict.fromkeys((*images, *(each.name for each in workspace.services)), ""),
        ),
        firewall=walls.lower(walls.policy(workspace, machine)),
        stated=stated(config, workspace, machine),
    )


def inherited(config: Config, machine: Host) -> Sides:
    """Return a workspace that has what a configuration gives all of them, and nothing of its own.

    Args:
        config: What was loaded for the portable host.
        machine: That host.
    """
    # A copy would keep the order of the others.
    fields = {**dict(config), "workspaces": {"inherits": WorkspaceConfig()}}
    return sides(Config.model_construct(**fields), "inherits", machine)


def bare(machine: Host | None = None) -> Sides:
    """Return a workspace of which a configuration says nothing, on a machine or on none."""
    document = Document("[workspaces.bare]\n", "")
    machine = machine or host(document)
    return sides(load(document, machine), "bare", machine)


def written(snapshot: Snapshot) -> str:
    """Write the models as JSON; what a field has by default is left out."""
    text = snapshot.model_dump_json(indent=1, exclude_defaults=True)
    return f'{{\n "$schema": "{SCHEMA}",{text.removeprefix("{")}\n'
