"""What a merge, rebase or bisection that nobody has finished makes Git on the host do.

An agent can leave the files of one that nobody has begun.
"""

import re
import shlex
from collections.abc import Iterator

from jailoc.model.git_config import parse
from jailoc.model.git_state import DO_NOT, WIDTH, Believed, few, of_shown, plain
from jailoc.model.path import trusting

STEPS = ("rebase-merge/msgnum", "rebase-merge/end", "rebase-apply/next", "rebase-apply/last")
"""Numbers of a rebase that a prompt shows (git-prompt.sh, `__git_ps1`)."""
BISECT = "BISECT_START"
"""What `git bisect reset` hands to `git checkout` (git-bisect(1))."""
STRATEGIES = ("rebase-merge/strategy", "sequencer/opts")
"""What names the program that merges when a rebase, cherry-pick or revert goes on (sequencer.c)."""
AUTOSTASHES = ("MERGE_AUTOSTASH", "rebase-merge/autostash", "rebase-apply/autostash")
"""What names the changes that Git puts back when a merge or a rebase ends (git-merge(1),
`--autostash`); the first one also by a commit, and since 2.45 as a reference."""
APPLIED = "rebase-apply/apply-opt"
"""The options of `git apply` that `git am` and a rebase go on with (builtin/am.c)."""
_HARMLESS = ("whitespace", "directory", "exclude", "include", "reject", "ignore-space-change",
             "ignore-whitespace")  # fmt: skip


def of_step(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of a number of a rebase, one of `STEPS`, that is none."""
    shown = data.partition(b"\n")[0].strip()
    if shown and not shown.isdigit():
        yield Believed(
            path=path,
            reason=f"it is no number, {few([plain(shown)], 1)}: a prompt of Git's (`__git_ps1` "
            "in PROMPT_COMMAND) has Bash run what is in it, as soon as a shell is there",
            hint="remove its directory from elsewhere, before a shell goes there",
        )


def of_strategy(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of a strategy, in one of `STRATEGIES`, that is a place.

    Git runs `git-merge-STRATEGY`, and one with a `/` from where it stands.
    """
    text = data.decode(errors="replace")
    # What goes on of a cherry-pick is written as Git's configuration is (git-config(1)).
    opts = path.endswith("/opts")
    named = [one.value for one in parse(text) if one.key == "options.strategy"] if opts else [text]
    if places := [each.strip() for each in named if "/" in each]:
        shown = few([places[0][:WIDTH]], 1)
        yield Believed(
            path=path,
            reason=f"the strategy is {shown}, a place: `git rebase --continue` "
            "and `git cherry-pick --continue` run the program there",
            hint=f"{DO_NOT}; `git rebase --quit` or `git cherry-pick --quit` removes it",
        )


def of_autostash(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of changes that Git would put back, one of `AUTOSTASHES`."""
    if data.strip():
        when = (
            "`git rebase --continue`, `--abort` and `--quit`" if path.endswith("/autostash")
            else "`git commit`, `git merge` and `git pull`"
        )  # fmt: skip
        yield Believed(
            path=path,
            reason=f"it names changes that {when} put back: files of the agent's choice, also over "
            "what is covered",
            hint="end a merge or rebase of your own before; if you began none, remove it before "
            f"you run Git there, or allow it by name: {trusting(path)}",
            certain=False,
        )


def of_applied(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of options, in `APPLIED`, that no `git am` takes from a user."""
    text = data.decode(errors="replace")
    try:
        words = shlex.split(text)
    except ValueError:
        words = [text]
    known = re.compile(rf"-[Cp]\d+|--({'|'.join(_HARMLESS)})(=.*)?", re.DOTALL)
    if others := [each for each in words if not known.fullmatch(each)]:
        yield Believed(
            path=path,
            reason=f"it has {few((each[:WIDTH] for each in others), len(others))}, which `git am` "
            "and `git rebase` hand to `git apply` when they go on: `--build-fake-ancestor` writes "
            "to any file",
            hint=f"{DO_NOT}; `git am --quit` removes it",
        )


def of_bisect(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of a start of a bisection: an option, or what a terminal obeys."""
    yield from of_shown(path, data)
    if data.startswith(b"-"):
        yield Believed(
            path=path,
            reason=f"it is an option, {few([plain(data.strip())], 1)}: `git bisect reset` hands "
            "it to `git checkout`",
            hint=f"{DO_NOT}; remove the file",
        )
