"""Decide what of Git a workspace is given that no entry names.

That are the repositories of linked working trees, and the files of the user's configuration.
"""

from collections.abc import Iterable, Iterator

from jailoc.generators.config.conflicts import found
from jailoc.model.base import Model
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic, Severity
from jailoc.model.document import Document, Path, dotted
from jailoc.model.forbidden_paths import folded, trespass
from jailoc.model.host import GitFile, GitLink, Host
from jailoc.model.mount import Mode, Mount
from jailoc.model.path import CONTAINER_SYSTEM, expand, first_within, trusting, within
from jailoc.model.sandbox import AGENT_HOME
from jailoc.model.worktree import Worktree, needed


class Lacking(Model):
    """A working tree whose repository the agent does not see, and why it is not given it."""

    path: str
    """The workspace path that it is, or is in."""
    index: int
    what: str
    hint: str


def writes(config: Config, name: str) -> tuple[bool, str]:
    """Tell whether a workspace's agent may write Git directories, and which entry says so."""
    layers = ((config.scope(name), config.workspaces[name]), ("defaults", config.defaults))
    for at, each in layers:
        if each.git_write is not None:
            return each.git_write, f"{at}.git_write"
    return True, "built-in"


def worktrees(
    config: Config, name: str, mounts: Iterable[Mount], host: Host
) -> tuple[tuple[Worktree, ...], tuple[Lacking, ...]]:
    """Return the linked working trees of a workspace that are given what they need, and the others.

    A working tree is given its repository only if that names it: a file `.git` is easily made.
    """
    paths = config.workspaces[name].paths
    seen = (*paths, *(each.container for each in mounts if each.host == each.container))
    given: list[Worktree] = []
    lacking: list[Lacking] = []
    for index, path in enumerate(dict.fromkeys(paths)):
        for link in host.git.links:
            top = link.file.rpartition("/")[0]
            if not within(top, path) or _sees(seen, link):
                continue
            reason = _why_not(config, link, host)
            if reason is None:
                origin = dotted(("workspaces", name, "paths", index))
                given.append(needed(link, origin, writable=writes(config, name)[0]))
            elif top == path or link.worktree:
                lacking.append(Lacking(path=path, index=index, what=reason[0], hint=reason[1]))
        top = host.git.enclosing.get(path, "")
        if top and not any(within(top, each) for each in seen):
            lacking.append(Lacking(
                path=path, index=index,
                what=f"it is a part of the repository in `{top}`",
                hint=f"add `{top}` to `paths`, or give the agent a linked working tree of it",
            ))  # fmt: skip
    return tuple({each.directory: each for each in given}.values()), tuple(lacking)


def _sees(places: Iterable[str], link: GitLink) -> bool:
    return any(within(link.directory, each) and within(link.common, each) for each in places)


def _why_not(config: Config, link: GitLink, host: Host) -> tuple[str, str] | None:
    """Say why a repository is not handed over, and what to do; None if it is."""
    named = f"its `.git` names `{link.directory}`"
    if link.trouble is not None:
        return f"{named}, and {link.trouble}", "mend the file, or the repository"
    if not link.worktree:
        outer = link.common.partition("/.git/")[0]
        return f"{named}, which is not in the sandbox", f"add `{outer}` to `paths`"
    if link.late and first_within(link.common, config.trust) is None:
        return (
            f"{named}, and came where an agent could have made it",
            f"allow it by name, at the top of the file: {trusting(link.common)}",
        )
    for path in (link.common, link.directory):
        if (reason := trespass(path, host)) is not None:
            return f"{named}, and {reason}", "move the repository"
        if (place := first_within(path, (AGENT_HOME, *CONTAINER_SYSTEM))) is not None:
            return f"{named}, and `{place}` is the container's own", "move the repository"
        if (area := mercy(config, path, host)) is not None:
            return (
                f"{named}, which the agent of workspace `{area[1]}` could exchange for another one",
                f"add `{area[0]}` to `paths`, or allow it by name, at the top of the file: "
                + trusting(link.common),
            )
    return None


def mercy(config: Config, path: str, host: Host) -> tuple[str, str] | None:
    """Return the writable path that a place lies in, and whose agent it is.

    That of another configuration counts. What is trusted lies in none.
    """
    if any(within(path, each) for each in config.trust):
        return None
    ways = [*map(folded, host.places(path))]
    for name, area in (*_areas(config), *host.started):
        for theirs in dict.fromkeys(map(folded, (area, host.real(area)))):
            if any(within(place, theirs) for place in ways):
                return area, name
    return None


def _areas(config: Config) -> Iterator[tuple[str, str]]:
    """Yield what the agents of a configuration can write: workspace, place."""
    for name, workspace in sorted(config.workspaces.items()):
        yield from ((name, each) for each in workspace.paths)
        for each in (*config.defaults.mounts, *workspace.mounts):
            if each.host and each.mode is Mode.READ_WRITE:
                yield name, each.host


def lacking(document: Document, name: str, every: Iterable[Lacking]) -> Iterator[Diagnostic]:
    """Yield one diagnostic for each path in which Git does not find its repository."""
    told: set[str] = set()
    for each in every:
        if each.path not in told:
            told.add(each.path)
            where: Path = ("workspaces", name, "paths", each.index)
            yield found(
                document,
                where,
                "git-repository",
                f"Git does not find the repository of `{each.path}` in the sandbox: {each.what}",
                hint=each.hint,
            )


def files(config: Config, host: Host) -> tuple[Mount, ...]:
    """Return the mounts of the user's Git configuration, each where Git looks for it inside."""
    if host.git_config is None and not host.git.files:
        return ()
    places: dict[str, str] = {}
    if host.git_config is not None and host.git_config not in host.git.changeable:
        places[host.git_config] = f"{AGENT_HOME}/.gitconfig"
    for each in _followed(config, host):
        if each.path not in places and _may(config, each, host):
            inside = _inside(each, places)
            if inside is not None:
                places[each.path] = inside
    return tuple(
        Mount(host=path, container=place, mode=Mode.READ_ONLY, origin="built-in")
        for path, place in places.items()
    )


def _followed(config: Config, host: Host) -> tuple[GitFile, ...]:
    """Return what the user's configuration names, without what agents' files do.

    Whoever writes a file that Git includes would choose what of this machine agents get to read.
    """
    if not host.git.files:
        return ()
    believed = {f"{host.home}/.gitconfig", "", *(each.path for each in host.git.files
                                                 if not each.holder)}  # fmt: skip
    believed = {each for each in believed if not _agents(config, each, host)}
    # A file that includes another one may come after it: the other one may be named twice.
    for _ in host.git.files:
        more = {
            each.path
            for each in host.git.files
            if each.holder in believed and _included(each) and each.path not in believed
            and not _agents(config, each.path, host)
        }  # fmt: skip
        if not more:
            break
        believed |= more
    return tuple(each for each in host.git.files if each.holder in believed)


def _included(file: GitFile) -> bool:
    return file.key.startswith("include")


def _agents(config: Config, path: str, host: Host) -> bool:
    """Tell whether an agent decides what is at a place, and nobody trusts it."""
    return path in host.git.changeable or (
        path.startswith("/") and mercy(config, path, host) is not None
    )


def unfollowed(config: Config, host: Host) -> Iterator[Diagnostic]:
    """Yield one diagnostic that names files of the user's configuration which agents can write."""
    given = [
        config.defaults.git_config if each.git_config is None else each.git_config
        for each in config.workspaces.values()
    ]
    own = () if host.git_config is None else (host.git_config,)
    read = [each.path for each in _followed(config, host) if _included(each)]
    read += [each.path for each in host.git.files if not each.holder]
    told = [each for each in dict.fromkeys((*own, *read)) if _agents(config, each, host)]
    if not told or all(each is False for each in given):
        return
    more = f" and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    yield Diagnostic(
        code="git-agents-file",
        severity=Severity.WARNING,
        message="an agent can write what your Git configuration reads: "
        + ", ".join(f"`{each}`" for each in told[:_MOST_TOLD])
        + f"{more}: no agent is handed what that names in turn",
        hint="keep it where no agent writes, or say that all it names may be read by agents: "
        + trusting(told[0]),
    )


_MOST_TOLD = 4


def _may(config: Config, file: GitFile, host: Host) -> bool:
    if _agents(config, file.path, host):
        return False
    public = file.key == "user.signingkey" and file.path.endswith(".pub")
    return public or trespass(file.path, host) is None


def _inside(file: GitFile, places: dict[str, str]) -> str | None:
    """Return where Git looks for a file inside; None if it looks nowhere."""
    written = expand(file.written, AGENT_HOME)
    if written.startswith("/"):
        return written
    holder = places.get(file.holder)
    relative = file.key.startswith("include")
    return f"{holder.rpartition('/')[0]}/{written}" if holder and relative else None


def unmet(document: Document, config: Config, name: str, host: Host) -> Iterator[Diagnostic]:
    """Yield each condition of the user's configuration that holds here and never inside."""
    for each in host.git.files:
        kind, _, condition = each.key.removesuffix(".path").partition(":")
        if kind not in _CONDITIONS or not condition.startswith("~/"):
            continue
        here = expand(condition, host.home)
        top = here.rstrip("*").rstrip("/")
        for index, path in enumerate(config.workspaces[name].paths):
            if within(path, top):
                yield found(
                    document,
                    ("workspaces", name, "paths", index),
                    "git-include",
                    f"`{each.holder}` includes `{each.path}` where a repository is in "
                    f"`{condition}`, and `~` is another place in the sandbox",
                    hint=f"write `{kind.partition('.')[2]}:{here}` there, which is the same on "
                    "both sides",
                )
                break


_CONDITIONS = ("includeif.gitdir", "includeif.gitdir/i")
