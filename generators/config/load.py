"""Turn the text of a configuration file into a `Config`, or into everything wrong with it."""

import re
from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jailoc import __version__
from jailoc.generators.config import cluster
from jailoc.generators.config.agent_choice import doubtful, ruled_out
from jailoc.generators.config.conflicts import (
    conflicts,
    found,
    wide,
)
from jailoc.generators.config.credential_conflicts import (
    credential_conflicts,
    credential_doubts,
)
from jailoc.generators.config.doubts import doubts, scoped, shown_logins, shown_tokens
from jailoc.generators.config.exposures import exposures
from jailoc.generators.config.git_access import lacking, unfollowed, unmet, worktrees
from jailoc.generators.config.host_sets import set_conflicts
from jailoc.generators.config.identity import identity
from jailoc.generators.config.network_conflicts import network_conflicts, network_doubts
from jailoc.generators.config.ownership import inaccessible
from jailoc.generators.config.port_conflicts import port_conflicts
from jailoc.generators.config.resolve import holds, mounts_of, names
from jailoc.generators.config.service_conflicts import service_conflicts
from jailoc.generators.config.shared_places import shared_places
from jailoc.generators.config.sources import missing
from jailoc.generators.config.steering import steering
from jailoc.generators.config.volume_conflicts import volume_conflicts, volume_doubts
from jailoc.model.allow_entry import HostEntry, NetworkEntry
from jailoc.model.beside import ServiceConfig
from jailoc.model.config import (
    Base,
    Config,
    Defaults,
    Expect,
    Secrets,
    WorkspaceConfig,
)
from jailoc.model.config_values import describe
from jailoc.model.credential import CredentialConfig
from jailoc.model.diagnostic import Diagnostic, Refused, Severity
from jailoc.model.document import Document, Path, dotted
from jailoc.model.field_error import WANTED
from jailoc.model.host import Host
from jailoc.model.host_set import HostSet
from jailoc.model.network_settings import NetworkSettings
from jailoc.model.secret import Source
from jailoc.model.text import meant

_KNOWN: dict[Path, set[str]] = {
    (): set(Config.model_fields),
    ("base",): set(Base.model_fields),
    ("defaults",): set(Defaults.model_fields),
    ("workspaces", "*"): set(WorkspaceConfig.model_fields),
    ("expect",): set(Expect.model_fields),
    ("network",): set(NetworkSettings.model_fields),
    ("sets", "*"): set(HostSet.model_fields),
    ("services", "*"): set(ServiceConfig.model_fields),
    ("secrets",): set(Secrets.model_fields),
    ("secrets", "*"): set(Source.model_fields),
    ("credentials", "*"): set(CredentialConfig.model_fields),
    **cluster.KNOWN,
}

_PLACES = {(): "the top of the file", ("base",): "[base]", ("defaults",): "[defaults]",
           ("workspaces", "*"): "a workspace"}  # fmt: skip


def load(document: Document, host: Host) -> Config:
    """Check a parsed document as a whole, but for what it expects of its own rules.

    Args:
        document: The configuration file.
        host: The machine it is for; it decides what `~` and symbolic links mean.

    Raises:
        Refused: with one diagnostic a problem, in the order of the file.
    """
    problems = [
        *conflicts(document, host),
        *port_conflicts(document),
        *ruled_out(document),
        *set_conflicts(document),
        *steering(document, host),
    ]
    try:
        config = Config.model_validate(document.data, context={"host": host})
    except ValidationError as error:
        problems += [_diagnostic(document, each) for each in error.errors(include_url=False)]
    else:
        if not problems:
            problems += volume_conflicts(document, config, host)
            problems += network_conflicts(document, config)
            problems += credential_conflicts(document, config, host)
            problems += service_conflicts(document, config)
        if not problems:
            return config
    raise Refused(tuple(sorted(problems, key=lambda each: each.order)))


def warnings(document: Document, config: Config, host: Host) -> tuple[Diagnostic, ...]:
    """Return what is accepted but worth a word."""
    found_ones: list[Diagnostic] = []
    for name in sorted(config.workspaces):
        found_ones += exposures(document, config, name, host)
        found_ones += missing(document, config, name, host)
        found_ones += shown_logins(document, config, name, host)
        found_ones += shown_tokens(document, config, name, host)
        found_ones += inaccessible(document, config, name, host)[0]
        mounts = mounts_of(config, name, host)
        found_ones += lacking(document, name, worktrees(config, name, mounts, host)[1])
        found_ones += unmet(document, config, name, host)
    found_ones = list(dict.fromkeys((*found_ones, *_privileged(document, config))))
    found_ones += shared_places(document, config, host)
    found_ones += wide(document)
    found_ones += _ended(document, config, host)
    found_ones += doubts(document, config, host)
    found_ones += unfollowed(config, host)
    found_ones += identity(document, config, host)
    found_ones += volume_doubts(document, config)
    found_ones += network_doubts(document, config, host)
    found_ones += doubtful(document, config)
    found_ones += credential_doubts(document, config, host)
    # In the order of the file; what stands in others comes after it.
    found_ones.sort(key=lambda each: (each.file != document.file, each.file or "", each.order))
    return tuple(each.model_copy(update={"severity": Severity.WARNING}) for each in found_ones)


def _privileged(document: Document, config: Config) -> Iterator[Diagnostic]:
    """Yield each place that makes a sidecar privileged."""
    for name in names(config):
        mine, default = config.workspaces[name], config.defaults
        docker = default.enable_docker if mine.enable_docker is None else mine.enable_docker
        own = mine.dind_privileged is not None
        if (mine.dind_privileged if own else default.dind_privileged) and docker is not False:
            at: Path = ("workspaces", name) if own else ("defaults",)
            yield found(
                document,
                (*at, "dind_privileged"),
                "dind-privileged",
                "the container of the agent's Docker is privileged: whoever becomes root in it is "
                "root on this machine",
                hint="leave it out unless the agent needs `docker run --privileged`",
            )


def _ended(document: Document, config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield the allows whose last day is over: nothing of theirs is open any more."""
    lists: list[tuple[Path, tuple[HostEntry | NetworkEntry, ...]]] = [
        ((*at, key), getattr(scope, key))
        for at, scope in scoped(config)
        for key in ("allowed_hosts", "allowed_networks")
    ]
    lists += [(("sets", name, "hosts"), each.hosts) for name, each in config.sets.items()]
    for at, entries in lists:
        for index, entry in enumerate(entries):
            if not holds(entry, host):
                yield found(
                    document,
                    (*at, index),
                    "allow-ended",
                    f"ended on {entry.until} (today is {host.today}, UTC): it is closed",
                    hint="remove it, or give it a later day",
                )


def _diagnostic(document: Document, error: ErrorDetails) -> Diagnostic:
    path, kind = error["loc"], error["type"]
    # pydantic marks an error of a table's name itself this way; a key may be called that, too.
    at_key = path[-1:] == ("[key]",) and kind != "extra_forbidden"
    at_key = at_key and (len(path) in {3, 5, 6} or path[-3:-2] == ("credentials",))
    if at_key:
        path = path[:-1]
    if kind == "extra_forbidden":
        return _unknown(document, path)
    if kind == "jailoc":
        context = error.get("ctx", {})
        code, message = context["code"], context["message"]
        allowed, hint = context["allowed"], context["hint"]
    elif kind == "missing" and path[0] == "kubernetes":
        code, allowed, message = "kubernetes-missing", None, f"{dotted(path)} is missing"
        hint = cluster.HINTS.get(str(path[-1]))
    elif kind == "missing":
        code, hint, allowed = "key-missing", None, None
        message = f"`{path[-1]}` is missing"
    else:
        code, hint = "type", _unquoted(kind, error["input"])
        key, known = str(path[-1]), _KNOWN.get(_pattern(path[:-1]), set())
        if isinstance(error["input"], list) and f"{key}s" in known:
            hint = f"did you mean `{key}s`?"
        allowed = WANTED.get(kind)
        shown = describe(error["input"])
        message = f"expected {allowed}, found {shown}" if allowed else f"{shown} cannot stand here"
    return found(document, path, code, f"{message}", allowed, hint, at_key=at_key)


def _unquoted(kind: str, value: object) -> str | None:
    """Say how a value is written that stands in quotes and needs none."""
    text = value.strip().lower() if isinstance(value, str) else ""
    if kind in {"int_type", "float_type"} and re.fullmatch(r"[1-9][0-9]{0,17}", text):
        return f"write {text}, without quotes"
    if kind == "bool_type" and text in {"true", "false"}:
        return f"write {text}, without quotes"
    return None


def _unknown(document: Document, path: Path) -> Diagnostic:
    key = str(path[-1])
    above = _pattern(path[:-1])
    known = sorted(_KNOWN.get(above, set()))
    close = meant(key.lower(), known)
    other = next((place for where, place in _PLACES.items() if key in _KNOWN[where]), None)
    if close:
        hint = close
    elif other:
        hint = f"`{key}` belongs to {other}"
    else:
        hint = f"remove it; this is jailoc {__version__}, and a newer one may know it"
    return found(
        document, path, "unknown-key", f"unknown key `{key}`", ", ".join(known), hint, at_key=True
    )


def _pattern(above: Path) -> Path:
    """Return the kind of table that a path leads to."""
    if place := cluster.place(above):
        return place
    scope: Path = (above[0], "*") if above[:1] in {("workspaces",), ("sets",)} else above[:1]
    inner = above[len(scope) :]
    if not inner:
        return scope
    if inner[0] == "services":
        return ("services", "*")
    if inner[0] in {"expect", "network"}:
        return (inner[0],)
    if inner[0] == "credentials":
        return ("credentials", "*")
    return ("secrets",) if len(inner) == 1 else ("secrets", "*")
