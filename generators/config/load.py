"""Turn the text of a configuration file into a `Config`, or into everything wrong with it."""

import difflib
from collections.abc import Iterator
from functools import lru_cache

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from jailoc import __version__
from jailoc.generators.config import cluster
from jailoc.generators.config.agent_choice import doubtful, ruled_out
from jailoc.generators.config.conflicts import (
    Table,
    absolute,
    conflicts,
    found,
    scopes,
    table,
    texts,
    wide,
)
from jailoc.generators.config.credential_conflicts import (
    credential_conflicts,
    credential_doubts,
)
from jailoc.generators.config.doubts import doubts, scoped, shown_logins, shown_tokens
from jailoc.generators.config.exposures import exposures
from jailoc.generators.config.git_access import lacking, unmet, worktrees
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
from jailoc.model import protect
from jailoc.model.agents.known import DEFAULT
from jailoc.model.allow_entry import HostEntry, NetworkEntry, parse_host
from jailoc.model.base import Model
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
from jailoc.model.forbidden_paths import SYSTEM
from jailoc.model.host import Host
from jailoc.model.host_set import HostSet
from jailoc.model.mount import Mode, host_side
from jailoc.model.network_settings import NetworkSettings
from jailoc.model.path import clean, first_within, within
from jailoc.model.secret import Source

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

_WANTED = {
    "string_type": "a string in quotes",
    "bool_type": "true or false",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "tuple_type": "an array",
}


class Search(Model):
    """A path that is looked through for what the host executes."""

    root: str
    """Absolute and clean."""
    names: tuple[str, ...]
    """Relative paths that are looked for at every level."""
    git: bool
    """Whether repositories are looked for."""


class Mentioned(Model):
    """What of the host a document names: the edge looks it up, the compiler never does."""

    paths: tuple[str, ...]
    """Absolute and clean; where do they lead, and what is there?"""
    files: tuple[str, ...]
    """Those of them whose text is needed."""
    urls: tuple[str, ...]
    """Dockerfiles that are fetched."""
    contexts: tuple[str, ...]
    """Directories that are sent to the engine as build contexts."""
    worked: tuple[str, ...] = ()
    """Those of them that agents work in."""
    searches: tuple[Search, ...] = ()
    """Paths that an agent can write."""
    work: tuple[str, ...] = ()
    """Workspace paths: are they working trees of Git?"""
    wildcards: tuple[str, ...] = ()
    """Names that everything below is allowed of; are they public suffixes?"""
    ssh_agent: bool
    """Whether a workspace wants the SSH agent, so that it matters what the engine runs on."""


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
    found_ones += identity(document, config, host)
    found_ones += volume_doubts(document, config)
    found_ones += network_doubts(document, config, host)
    found_ones += doubtful(document, config)
    found_ones += credential_doubts(document, config, host)
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


def mentioned(document: Document, home: str) -> Mentioned:
    """Return the host paths and URLs a document names.

    It reads the document without believing it, since nothing has been checked yet.
    """
    data = document.data
    paths: list[object] = [
        f"{home}/{name}" for name in (*_OWN, *(each.path for each in DEFAULT.mounts))
    ]
    files: list[object] = [text for _, text in texts(table(data, "base").get("ca_certificates"))]
    sources: list[object] = [table(data, "base").get("dockerfile")]
    contexts: list[object] = []
    defaults = table(data, "defaults")
    searches: dict[str, frozenset[str]] = {}
    covered: set[str] = set()
    work: list[object] = []
    for _, scope in scopes(data):
        files += [text for _, text in texts(scope.get("env_file"))]
        sources.append(scope.get("dockerfile"))
        paths.append(scope.get("build_context"))
        overlay = absolute(scope.get("dockerfile"), home)
        contexts.append(
            scope.get("build_context") or (overlay and (overlay.rpartition("/")[0] or "/"))
        )
        paths += [host_side(text) for _, text in texts(scope.get("mounts"))]
        for kind in ("env", "file"):
            for name in table(scope, "secrets", kind):
                paths.append(table(scope, "secrets", kind, name).get("from_file"))
        for name in table(scope, "credentials"):
            paths.append(table(scope, "credentials", name).get("from_file"))
        stated = scope.get("protect", defaults.get("protect"))
        protected = protect.EVERYWHERE if stated is None else tuple(
            text for _, text in texts(stated)
        )  # fmt: skip
        for _, text in texts(scope.get("paths")):
            root = absolute(text, home)
            paths.append(root)
            work += _sane(root, home) if root else ()
            if root:
                covered.update(f"{root.rstrip('/')}/{each}" for each in protect.steps(protected))
        if scope is not defaults:
            anywhere = _anywhere(protected)
            for root in _writable(scope, defaults, home) if anywhere else ():
                searches[root] = anywhere | searches.get(root, anywhere)
    files += sources
    paths += files
    # The directory of a Dockerfile is its build context.
    paths += [path.rpartition("/")[0] for each in sources if (path := absolute(each, home))]
    return Mentioned(
        paths=tuple(sorted(covered.union(_absolute(paths, home)))),
        files=_absolute(files, home),
        urls=tuple(sorted({each for each in sources if isinstance(each, str)
                           and each.startswith(("http://", "https://"))})),
        contexts=_absolute(contexts, home),
        worked=_absolute(
            [text for _, scope in scopes(data) for _, text in texts(scope.get("paths"))], home
        ),
        searches=tuple(_search(root, searches[root]) for root in sorted(searches)),
        work=_absolute(work, home),
        wildcards=tuple(sorted(set(_wildcards(data)))),
        ssh_agent=any(scope.get("ssh_auth_sock") is True for _, scope in scopes(data)),
    )  # fmt: skip


def _wildcards(data: Table) -> Iterator[str]:
    lists = [scope.get("allowed_hosts") for _, scope in scopes(data)]
    lists += [table(data, "sets", name).get("hosts") for name in table(data, "sets")]
    for entries in lists:
        for each in entries if isinstance(entries, list) else ():
            try:
                text = each.get("to") if isinstance(each, dict) else each
                name = parse_host(text).name if isinstance(text, str) else ""
            except PydanticCustomError:
                continue
            if name.startswith("*."):
                yield name.removeprefix("*.").rstrip(".").lower()


def _writable(scope: Table, defaults: Table, home: str) -> Iterator[str]:
    """Yield what an agent may be able to write; what will be refused is not looked through."""
    for _, text in texts(scope.get("paths")):
        if path := absolute(text, home):
            yield from _sane(path, home)
    for _, text in (*texts(defaults.get("mounts")), *texts(scope.get("mounts"))):
        parts = text.split(":")
        if len(parts) > 1 and parts[-1] != "ro" and (path := absolute(parts[0], home)):
            yield from _sane(path, home)
    for each in DEFAULT.mounts:
        if each.mode is Mode.READ_WRITE:
            yield clean(f"{home}/{each.path}")


def _sane(path: str, home: str) -> Iterator[str]:
    if "\0" not in path and not within(home, path) and not first_within(path, SYSTEM):
        yield path


@lru_cache(maxsize=64)
def _anywhere(entries: tuple[str, ...]) -> frozenset[str]:
    return frozenset(each for each in entries if each.startswith(protect.ANYWHERE))


@lru_cache(maxsize=64)
def _names(entries: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(protect.plain(each) for each in entries if not protect.is_git(each)))


def _search(root: str, entries: frozenset[str]) -> Search:
    return Search(root=root, names=_names(entries), git=any(map(protect.is_git, entries)))


_OWN = (".gitconfig", ".config/git/config", ".ssh/known_hosts")


def _absolute(paths: list[object], home: str) -> tuple[str, ...]:
    return tuple(sorted({path for each in paths if (path := absolute(each, home))}))


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
        code, hint = "type", None
        allowed = _WANTED.get(kind)
        shown = describe(error["input"])
        message = f"expected {allowed}, found {shown}" if allowed else f"{shown} cannot stand here"
    return found(document, path, code, f"{message}", allowed, hint, at_key=at_key)


def _unknown(document: Document, path: Path) -> Diagnostic:
    key = str(path[-1])
    above = _pattern(path[:-1])
    known = sorted(_KNOWN.get(above, set()))
    close = difflib.get_close_matches(key.lower(), known, n=1)
    other = next((place for where, place in _PLACES.items() if key in _KNOWN[where]), None)
    if close:
        hint = f"did you mean `{close[0]}`?"
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
