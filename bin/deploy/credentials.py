"""Read the values of credentials, check them, and feed them to the proxy's memory, on a pipe."""

import base64
import os
from collections.abc import Sequence
from pathlib import Path

from jailoc.bin.deploy import observe
from jailoc.bin.deploy.secrets import Unusable, read_file, read_variable
from jailoc.bin.engine import containers, exchange
from jailoc.bin.host import keyring, programs
from jailoc.generators.artefacts import container_fields
from jailoc.generators.artefacts.proxy import held_as
from jailoc.model.credential import PATIENCE, VALUE_LIMIT, Credential, Scheme
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.path import expand
from jailoc.model.plan_address import FieldAddress, matches
from jailoc.model.sandbox import COMPOSE_SERVICE, FEED_PROXY, PROXY, PROXY_ID, WALL, project
from jailoc.model.workspace import Workspace

MOST_PRINTED = 1 << 20
"""Bytes that a command may print, errors too."""

Lines = dict[str, bytes]
"""By credential, the line that the proxy is fed: what it holds of it."""


def lines(workspace: Workspace) -> Lines:
    """Return what the proxy of a workspace is to hold.

    Raises:
        Refused: with every credential that has no usable value.
    """
    found: Lines = {}
    problems = []
    for each in workspace.credentials:
        try:
            found[each.name] = _line(each, _value(each))
        except Unusable as error:
            problems.append(
                Diagnostic(
                    code="credential-value",
                    where=each.origin,
                    message=f"credential `{each.name}`: {error}",
                    hint=error.hint,
                )
            )
    if problems:
        raise Refused(tuple(problems))
    return found


def known(workspace: Workspace) -> tuple[Lines, tuple[str, ...]]:
    """Return what is to be had here without running anything, and the names of the rest."""
    found: Lines = {}
    for each in workspace.credentials:
        if each.from_command or each.from_keyring:
            continue
        try:
            found[each.name] = _line(each, _value(each))
        except Unusable:
            continue
    return found, tuple(each.name for each in workspace.credentials if each.name not in found)


def as_made(name: str, ignore: Sequence[str]) -> bool:
    """Tell whether the proxy is as it was just after the last apply had made it.

    Its name and labels are what somebody else may have given it: Compose makes it anew of any file
    that it is told.

    Args:
        name: The workspace.
        ignore: Patterns of what may differ (`ignore_drift`).

    Raises:
        DockerError: the engine did not answer.
    """
    there = {each["Config"]["Labels"][COMPOSE_SERVICE]: each
             for each in containers.inspected(project(name))}  # fmt: skip
    applied, data, wall = observe.last(name), there.get(PROXY), there.get(WALL)
    if applied is None or data is None or PROXY not in applied.compose.services:
        return False
    image = applied.images.get(applied.compose.services[PROXY].image.text)
    now = container_fields.found(data, wall["Id"] if wall else None)
    then = applied.observed.get(PROXY, {})
    return data["Image"] == image and all(
        now.get(each) == then.get(each) or matches(FieldAddress(service=PROXY, field=each), ignore)
        for each in now.keys() | then.keys()
    )


def feed(project: str, held: Lines) -> None:
    """Have the proxy of a project hold these values, and no others.

    Raises:
        DockerError: there is no proxy, or it did not take them.
    """
    text = b"".join(each + b"\n" for _, each in sorted(held.items())) + b"end\n"
    for each in containers.containers(project):
        if each.service == PROXY:
            containers.feed(each.id, [*FEED_PROXY], text, user=f"{PROXY_ID}:{PROXY_ID}")
            return


def _line(credential: Credential, value: bytes) -> bytes:
    """Return the line of a credential in the proxy's map: what is starred out, and the header."""
    if credential.scheme is Scheme.BASIC:
        both = credential.username.encode() + b":" + value
        header = b"Basic " + base64.b64encode(both)
    else:
        prefix = "Bearer " if credential.scheme is Scheme.BEARER else credential.prefix
        header = prefix.encode() + value
    return held_as(credential).encode() + b" " + base64.b64encode(value) + b"|" + header


def _value(credential: Credential) -> bytes:
    if credential.from_env:
        value = read_variable(credential.from_env)
    elif credential.from_file:
        value = read_file(credential.from_file)
    elif credential.from_keyring:
        value = _kept(credential.from_keyring)
    else:
        value = _output(credential.from_command)
    # Files and programs end with a line break, which is none of the value's.
    value = value.rstrip(b"\r\n") if not credential.from_env else value
    if not value:
        raise Unusable(f"{credential.source} is empty")
    if len(value) > VALUE_LIMIT:
        raise Unusable(f"{credential.source} is longer than {VALUE_LIMIT >> 10} KiB")
    if any(each < 0x20 or each == 0x7F for each in value) or value.strip(b" ") != value:
        raise Unusable(
            f"{credential.source} cannot stand in a header",
            "one line, without control characters, and without blanks at its ends",
        )
    return value


def _kept(entry: str) -> bytes:
    """Return what the system's keyring has under SERVICE/USER."""
    service, _, user = entry.partition("/")
    try:
        return keyring.get(user, service).encode()
    except keyring.Unavailable as error:
        raise Unusable(f"the keyring cannot be read: {error}", "unlock it, then again") from None


def _files(arguments: tuple[str, ...]) -> list[str]:
    """Return the files that arguments name: `/x`, `~/x`, `--option=/x`."""
    words = [word for each in arguments for word in (each, each.partition("=")[2])]
    return [expand(word, str(Path.home())) for word in words if word.startswith(("/", "~/"))]


def _output(command: tuple[str, ...]) -> bytes:
    """Run a command without a shell, and return what it prints."""
    for each in (programs.passed_over(command[0]), *_files(command[1:])):
        if each is not None and programs.changeable(each):
            raise Unusable(
                f"`{each}` is not run: an agent can change it, and it is not in `trust`",
                "a program outside of every path and writable mount",
            )
    environment = os.environ | {"PATH": programs.search_path()}
    try:
        reply = exchange.whole(exchange.start(command, environment), b"", PATIENCE, MOST_PRINTED)
    except OSError as error:
        raise Unusable(f"`{command[0]}` cannot be run: {error.strerror}") from None
    if reply.cut:
        raise Unusable(f"`{command[0]}`: {reply.cut}")
    if reply.status != 0:
        raise Unusable(f"`{command[0]}` ended with status {reply.status}")
    return reply.stdout
