"""What of the host a configuration names: the edge looks it up, the compiler never does."""

from collections.abc import Iterator
from functools import lru_cache

from pydantic_core import PydanticCustomError

from jailoc.generators.config.conflicts import Table, absolute, scopes, table, texts
from jailoc.model import protect_entry
from jailoc.model.agents.known import DEFAULT
from jailoc.model.allow_entry import parse_host
from jailoc.model.base import Model
from jailoc.model.document import Document
from jailoc.model.forbidden_paths import SYSTEM
from jailoc.model.mount import Mode, host_side
from jailoc.model.path import clean, first_within, within
from jailoc.model.repository import moved


class Search(Model):
    """A path that is looked through for what the host executes."""

    root: str
    """Absolute and clean."""
    names: tuple[str, ...]
    """Relative paths that are looked for at every level."""
    git: bool
    """Whether repositories are looked for."""


class Protected(Model):
    """Names that are covered where they are there, and the paths in which they are asked about."""

    names: tuple[str, ...]
    """Relative, each with all that lies on the way to it."""
    roots: tuple[str, ...]
    """Absolute and clean."""


class Mentioned(Model):
    """What of the host a document names: the edge looks it up, the compiler never does."""

    paths: tuple[str, ...]
    """Absolute and clean; where do they lead, and what is there?"""
    protected: tuple[Protected, ...]
    """More of the same: of very many workspaces most have the same names."""
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

    @property
    def places(self) -> tuple[str, ...]:
        """Return the paths, with all protected names in them, in their order."""
        covered = {
            f"{root.rstrip('/')}/{name}"
            for each in self.protected
            for root in each.roots
            for name in each.names
        }
        return tuple(sorted(covered.union(self.paths)))


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
    protected: dict[tuple[str, ...], list[str]] = {}
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
        paths += _ways(scope, defaults, home)
        for kind in ("env", "file"):
            for name in table(scope, "secrets", kind):
                paths.append(table(scope, "secrets", kind, name).get("from_file"))
        for name in table(scope, "credentials"):
            paths.append(table(scope, "credentials", name).get("from_file"))
        stated = scope.get("protect", defaults.get("protect"))
        entries = protect_entry.EVERYWHERE if stated is None else tuple(
            text for _, text in texts(stated)
        )  # fmt: skip
        if scope.get("git_write", defaults.get("git_write")) is False:
            entries = (*protect_entry.READ_ONLY, *entries)
        roots = protected.setdefault(protect_entry.steps(entries), [])
        for _, text in texts(scope.get("paths")):
            root = absolute(text, home)
            paths.append(root)
            work += _sane(root, home) if root else ()
            roots += [root] if root else []
        if scope is not defaults:
            anywhere = _anywhere(entries)
            for root in _writable(scope, defaults, home) if anywhere else ():
                # Nearly all have the same, which is kept once.
                known = searches.setdefault(root, anywhere)
                if known is not anywhere:
                    searches[root] = known | anywhere
    files += sources
    paths += files
    # The directory of a Dockerfile is its build context.
    paths += [path.rpartition("/")[0] for each in sources if (path := absolute(each, home))]
    return Mentioned(
        paths=_absolute(paths, home),
        protected=tuple(
            Protected(names=names, roots=tuple(roots)) for names, roots in protected.items()
        ),
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


def _ways(scope: Table, defaults: Table, home: str) -> Iterator[str]:
    """Yield what lies on the way to a mount, or to a path, that is in another one."""
    seen = {path: path for _, text in texts(scope.get("paths")) if (path := absolute(text, home))}
    for _, text in (*texts(defaults.get("mounts")), *texts(scope.get("mounts"))):
        parts = text.split(":")
        place = absolute(parts[1], home) if len(parts) > 1 else None
        if place is not None:
            seen[place] = absolute(parts[0], home) or seen.get(place, "")
    for place in seen:
        for container, path in seen.items():
            if path and place != container and within(place, container):
                steps = (*protect_entry.between(container, place), place)
                yield from (moved(step, container, path) for step in steps)


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
    return frozenset(each for each in entries if each.startswith(protect_entry.ANYWHERE))


@lru_cache(maxsize=64)
def _names(entries: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        sorted(protect_entry.plain(each) for each in entries if not protect_entry.is_git(each))
    )


def _search(root: str, entries: frozenset[str]) -> Search:
    return Search(root=root, names=_names(entries), git=any(map(protect_entry.is_git, entries)))


_OWN = (".gitconfig", ".config/git/config", ".ssh/known_hosts")


def _absolute(paths: list[object], home: str) -> tuple[str, ...]:
    return tuple(sorted({path for each in paths if (path := absolute(each, home))}))
