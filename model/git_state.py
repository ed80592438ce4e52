"""What Git on the host believes of its own files in a Git directory, and does to files of the user.

Nothing in them is executed, and no mount can hold them: Git renames others onto most of them.
"""

import re
import shlex
from collections.abc import Iterable, Iterator

from jailoc.model.base import Model
from jailoc.model.git_index import Index, odd
from jailoc.model.path import trusting


class Believed(Model):
    """A file or link in a Git directory that makes Git do, or not show, what its writer wants."""

    path: str
    """Absolute."""
    reason: str
    hint: str
    stops: bool = True
    """Whether nothing is started until somebody has looked at it."""
    certain: bool = True
    """Whether no honest one is like it. Others can be allowed by name."""
    written: bool = False
    """Whether it only counts where an agent may write it from now on."""


HEADS = ("HEAD", "rebase-merge/head-name", "rebase-apply/head-name")
"""Names of branches that one shows."""
SHOWN = (
    "rebase-merge/onto", "rebase-merge/done", "rebase-merge/git-rebase-todo",
    "rebase-apply/onto", "rebase-apply/applying", "BISECT_LOG", "BISECT_TERMS", "BISECT_NAMES",
    "gc.log",
)  # fmt: skip
"""What `git status` writes to the terminal as it is (wt-status.c), `git bisect` (bisect.c), and
whatever looks for garbage (builtin/gc.c), besides `HEADS` and `git_operation.BISECT`."""
LISTED = ("gitdir", "locked")
"""Files of a linked working tree that `git worktree list` writes to the terminal."""
_CONTROL = rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]"
_RUN = rb"`|\$[({]"
"""What Bash runs in PS1, or may run."""
DO_NOT = "do not run Git there before it is gone"
_EMPTYING = {
    "worktrees": "`git worktree prune` and `git gc`, which `git fetch` runs by itself,",
    "sequencer": "`git commit`, `git reset` and `git checkout`",
}


def emptied(path: str, name: str, target: str) -> Believed:
    """Return what there is to say of a link in the place of a directory that Git empties.

    Args:
        path: The link.
        name: `worktrees`, also for one in it, or the name of a directory beside it.
        target: Where it leads.
    """
    command = _EMPTYING.get(name, "`git rebase` and `git am`")
    return Believed(
        path=path,
        reason=f"it is a link to `{target}`, and {command} may delete what is there",
        hint=f"{DO_NOT}; remove the link (`rm`, no `/` behind it)",
    )


def linked(path: str, target: str) -> Believed:
    """Return what there is to say of a link in the place of a file that Git believes."""
    return unread(path, f"it is a symbolic link, to `{target}`")


def outside(path: str, target: str) -> Believed:
    """Return what there is to say of a working tree that is somewhere else (`core.worktree`)."""
    return Believed(
        path=path,
        reason=f"`core.worktree` puts its working tree at `{target}`: `git reset --hard` "
        "and `git checkout` write there what the agent wants, `git add -u` reads it for the "
        "agent",
        hint=f"{DO_NOT}; remove the setting, or allow it by name: {trusting(path)}",
        certain=False,
    )


def unread(path: str, why: str) -> Believed:
    """Return what there is to say of a file that Git may read and jailoc does not."""
    return Believed(
        path=path,
        reason=f"it is not read: {why}, so what Git would write or read by it is not known",
        hint=f"look at it before you run Git there, or allow it by name: {trusting(path)}",
        certain=False,
    )


def waits(path: str) -> Believed:
    """Return what there is to say of a pipe or device in the place of what Git reads."""
    return Believed(
        path=path,
        reason="it is a pipe or a device: Git waits for what never comes, or reads without an end",
        hint=f"remove it before you run Git there, or allow it by name: {trusting(path)}",
        certain=False,
    )


def inner(path: str) -> Believed:
    """Return what there is to say of a repository in a directory that is Git's own."""
    return Believed(
        path=path,
        reason="it is a repository in what is Git's own: Git executes what its configuration and "
        "hooks say once a submodule or a file called `.git` leads there, and nothing covers it",
        hint=f"{DO_NOT}, or allow it by name: {trusting(path)}",
        certain=False,
    )


def of_index(path: str, found: Index, *, sparse: bool, marking: bool) -> Iterator[Believed]:
    """Yield what an index would make Git do, and what it hides.

    Args:
        path: The index.
        found: What it holds.
        sparse: Whether Git itself marks entries as left out (`core.sparseCheckout`).
        marking: Whether it marks them as unchanged (`core.ignoreStat`).
    """
    if found.total:
        told = few(map(plain, found.odd), found.total)
        yield Believed(
            path=path,
            reason=f"it has paths that no honest index has, {told}: `git checkout .` "
            "and `git restore .` would write these files, `git add` and `git commit -a` read them "
            "for the agent",
            hint=f"{DO_NOT}; remove the file, and `git reset` makes a new one",
        )
    hidden = {
        "--skip-worktree": 0 if sparse else found.skipped,
        "--assume-unchanged": 0 if marking else found.unchanged,
    }
    for option, count in hidden.items():
        if count:
            files = "1 file" if count == 1 else f"{count:,} files"
            yield _hides(
                path,
                f"it hides what changes in {files}: `git status`, `git diff` and `git commit -a` "
                f"pass over them (`{option}`)",
                f"`git ls-files -v` names them in lower case or with S, "
                f"`git update-index --no-{option[2:]}` shows them again",
            )


def recorded(data: bytes) -> Iterator[bytes]:
    """Yield the paths of a file `MERGE_RR` (rerere.c, read_rr): `ID TAB PATH NUL` each."""
    for each in data.split(b"\0"):
        _, tab, path = each.partition(b"\t")
        if tab:
            yield path


def of_merge(path: str, records: Iterable[bytes], linked_ways: Iterable[bytes]) -> list[Believed]:
    """Return what a file `MERGE_RR` would make Git do.

    Args:
        path: The file.
        records: The paths in it.
        linked_ways: Those of them that lead through a symbolic link.
    """
    ways = {*linked_ways}
    found = [each for each in records if odd(each) or each in ways]
    if not found:
        return []
    told = few(map(plain, found), len(found))
    return [
        Believed(
            path=path,
            reason=f"it names {told}: `git commit`, `git merge`, `git rebase` and `git rerere` "
            "would read these files for the agent, or write them",
            hint=f"{DO_NOT}; remove the file, and `rr-cache` beside it",
        )
    ]


def of_head(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of a branch whose name a shell would run, or a terminal obey."""
    shown = data.strip()
    if re.search(_RUN + rb"|" + _CONTROL, shown):
        yield Believed(
            path=path,
            reason=f"the branch is called {few([plain(shown)], 1)}: a prompt that has it in PS1 "
            "has Bash run what is in it, or the terminal obey it, as soon as a shell is there",
            hint="write another one there (`ref: refs/heads/main`) before a shell goes there",
        )
    target = shown.removeprefix(b"ref:").strip()
    if target != shown and not target.startswith(b"refs/"):
        yield Believed(
            path=path,
            reason=f"it leads to {few([plain(target)], 1)}, which is no branch: Git takes any "
            "file of its directory for one, and what that says is not looked at",
            hint="write another one there (`ref: refs/heads/main`, or the name of a commit)",
        )


def of_tags(path: str, names: Iterable[bytes]) -> Iterator[Believed]:
    """Yield what there is to say of tags that a shell would run, in a file or directory."""
    found = [each for each in names if re.search(_RUN, each)]
    if found:
        told = few(map(plain, found), len(found))
        yield Believed(
            path=path,
            reason=f"a tag is called {told}: a prompt that shows the tag of a detached HEAD in PS1 "
            "has Bash run what is in it, as soon as a shell is there",
            hint="remove it from elsewhere (`git -C DIRECTORY tag -d NAME`, NAME in single "
            "quotes), before a shell goes there",
        )


PACKED_TAG = re.compile(rb"^[0-9A-Fa-f]+[ \t\r]refs/tags/([^\n]*)", re.MULTILINE)
"""A tag in a file `packed-refs`; Git takes any blank for what parts it (packed-backend.c)."""
PACKED_AUTOSTASH = re.compile(rb"^[0-9A-Fa-f]+[ \t\r]MERGE_AUTOSTASH", re.MULTILINE)
"""The first of `AUTOSTASHES` there."""
PACKED_REPLACEMENT = re.compile(rb"[ \t\r]refs/replace/")
"""The name of a replaced object there."""


def of_listed(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of a file, one of `LISTED`, that a terminal would obey."""
    shown = data.strip()
    if re.search(_CONTROL, shown):
        yield Believed(
            path=path,
            reason=f"it has control characters, {few([plain(shown)], 1)}: `git worktree list` "
            "writes them as they are, and the terminal obeys",
            hint="remove the directory that it lies in, with care for what that leads to",
        )


def of_shown(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of a file, as those of `SHOWN`, that a terminal would obey."""
    # A commit's subject may end with a carriage return, and is in the steps of a rebase.
    if found := re.search(rb"[^\n]*(?:" + _CONTROL + rb")[^\n]*", data.replace(b"\r\n", b"\n")):
        yield Believed(
            path=path,
            reason=f"it has control characters, {few([plain(found[0])], 1)}: Git writes them "
            "to the terminal as they are, `git status` the most, and the terminal obeys",
            hint=f"{DO_NOT}; remove it, or have `git rebase --quit` or `git bisect reset` do so, "
            f"its output to /dev/null, or allow it by name: {trusting(path)}",
            certain=False,
        )


def rewritten(path: str, root: str) -> Believed:
    """Return what there is to say of a configuration that Git LFS has not marked yet.

    Args:
        path: The configuration.
        root: The path that an agent writes, in which others may be like it.
    """
    value = "lfs.repositoryformatversion 0"
    every = (
        f"find {shlex.quote(root)} -type f -path '*.git/config' "
        f"-exec git config --file '{{}}' {value} ';'"
        if path.endswith(".git/config")
        else f"git config --file {shlex.quote(path)} {value}"
    )
    return Believed(
        path=path,
        reason="Git LFS of the host writes into it when it is first used there, as an agent can "
        "bring about, and with that the cover of this file ends until the next `up`",
        hint=f"before, in each repository of the path: `{every}`",
        stops=False,
        certain=False,
    )


def of_identity(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of a project's name that leads elsewhere as a directory's."""
    if re.search(rb"/|\\|\0|^\s*\.\.?\s*$", data):
        yield Believed(
            path=path,
            reason=f"it is a way, {few([plain(data.strip())], 1)}: the agent's program on the "
            "host takes it for the name of a directory, and runs Git in it",
            hint="do not start that program there before it is gone",
        )


def borrows(path: str) -> Believed:
    """Return what there is to say of a repository that takes objects from another one."""
    return _hides(
        path,
        "it has Git take objects from another repository, and an agent can write which",
        "look at the places in it",
    )


def linked_objects(path: str, objects: str) -> Believed:
    """Return what there is to say of objects that another repository has, too (hard links).

    Args:
        path: One of them.
        objects: Where all are.
    """
    old, new = shlex.quote(objects), shlex.quote(f"{objects}.new")
    return _hides(
        path,
        "it is a file of another repository, too, by a second name, as `git clone` of a path makes "
        "them: an agent that writes in it changes what that one checks out",
        f"copies are its own: `cp -r {old} {new} && rm -rf {old} && mv {new} {old}`",
        written=True,
    )


def replaces(path: str, count: int) -> Believed:
    """Return what there is to say of replaced objects (git-replace(1))."""
    return _hides(
        path,
        f"it replaces {count:,} of the objects: `git checkout` and `git reset --hard` write "
        "others, also over what is covered, and `git log`, `git show` and `git diff` show others "
        "than `git push` sends",
        "look with GIT_NO_REPLACE_OBJECTS=1 in the environment, or `git replace -d` them",
    )


def grafts(path: str) -> Believed:
    """Return what there is to say of grafts (gitrepository-layout(5))."""
    return _hides(
        path, "it hides commits: Git takes the parents that it names for theirs", "remove the file"
    )


def _hides(path: str, reason: str, hint: str, *, written: bool = False) -> Believed:
    own = f"; if it is your own, {trusting(path)}"
    return Believed(
        path=path, reason=reason, hint=hint + own, stops=False, certain=False, written=written
    )


MOST_TOLD, WIDTH = 3, 80
"""Paths that are told of one file, and characters of each."""


def few(paths: Iterable[str], count: int) -> str:
    """Return the first of some texts, and how many more there are.

    Args:
        paths: The texts; no more are read than are told.
        count: How many there are.
    """
    every = [f"`{each}`" for each, _ in zip(paths, range(MOST_TOLD), strict=False)]
    more = f" and {count - len(every):,} more" if count > len(every) else ""
    return ", ".join(every) + more


def plain(path: bytes) -> str:
    """Return the beginning of what a file holds, to be told."""
    return path[: 4 * WIDTH].decode(errors="replace")[:WIDTH]
