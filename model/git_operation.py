"""What a merge, rebase or bisection that nobody has finished makes Git on the host do.

An agent can leave the files of one that nobody has begun.
"""

import re
import shlex
from collections.abc import Iterable, Iterator

from jailoc.model.git_config import parse
from jailoc.model.git_state import DO_NOT, WIDTH, Believed, few, of_shown, plain
from jailoc.model.path import trusting

STEPS = ("rebase-merge/msgnum", "rebase-merge/end", "rebase-apply/next", "rebase-apply/last")
"""Numbers of a rebase that a prompt shows (git-prompt.sh, `__git_ps1`)."""
BISECT = "BISECT_START"
"""What `git bisect reset` hands to `git checkout` (git-bisect(1))."""
STRATEGIES = ("rebase-merge/strategy", "sequencer/opts")
"""What names the program that merges when a rebase, cherry-pick or revert goes on (sequencer.c)."""
OPTIONS = "rebase-merge/strategy_opts"
"""The options of that program, where a rebase goes on."""
_STRATEGIES = ("", "ort", "recursive", "resolve", "octopus", "ours", "subtree")
_OPTION = re.compile(
    r"ours|theirs|patience|histogram|(no-)?renormalize|no-renames|ignore-(cr-at-eol|all-space|"
    r"space-(change|at-eol))|diff-algorithm=\w+|(find-renames|rename-threshold)(=\d+%?)?|"
    r"subtree(=[^-].*)?"
)
"""What git-merge(1) names."""
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
    """Yield what there is to say of a strategy, in one of `STRATEGIES`, that is none of Git's.

    Git runs `git-merge-STRATEGY`, and one with a `/` from where it stands, with the options.
    """
    text = data.decode(errors="replace")
    # What goes on of a cherry-pick is written as Git's configuration is (git-config(1)).
    opts = path.endswith("/opts")
    settings = parse(text) if opts else ()
    named = [one.value for one in settings if one.key == "options.strategy"] if opts else [text]
    hint = f"{DO_NOT}; `git rebase --quit` or `git cherry-pick --quit` removes it"
    others = sorted(
        {each.strip() for each in named} - {*_STRATEGIES}, key=lambda one: "/" not in one
    )
    if others:
        place = "/" in others[0]
        yield Believed(
            path=path,
            reason=f"the strategy is {few([others[0][:WIDTH]], 1)}, "
            f"{'a place' if place else 'none of its own'}: `git rebase --continue` "
            "and `git cherry-pick --continue` run the program there",
            hint=hint if place else f"{hint}, or allow it by name: {trusting(path)}",
            certain=place,
        )
    if opts:
        yield from _options(path, (e.value for e in settings if e.key == "options.strategy-option"))


def of_options(path: str, data: bytes) -> Iterator[Believed]:
    """Yield what there is to say of the options of a strategy, in `OPTIONS`."""
    yield from _options(path, (each.removeprefix("--") for each in _words(data)))


def _words(data: bytes) -> list[str]:
    """Return words that are quoted as for a shell (quote.c, sq_quote_argv); all as one if not."""
    text = data.decode(errors="replace")
    try:
        return shlex.split(text)
    except ValueError:
        return [text]


def _options(path: str, words: Iterable[str]) -> Iterator[Believed]:
    if others := [each for each in words if not _OPTION.fullmatch(each)]:
        yield Believed(
            path=path,
            reason=f"it has {few((each[:WIDTH] for each in others), len(others))}, no option of a "
            "strategy of Git's: some strategies hand it to other programs when a rebase or "
            "cherry-pick goes on, and `index-output` writes to any file",
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
    known = re.compile(rf"-[Cp]\d+|--({'|'.join(_HARMLESS)})(=.*)?", re.DOTALL)
    if others := [each for each in _words(data) if not known.fullmatch(each)]:
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
