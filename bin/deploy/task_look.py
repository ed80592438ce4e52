"""What a task's clone holds now, as Git tells in a container: nothing here reads it."""

import re
from contextlib import suppress
from typing import NamedTuple

from jailoc.bin.config import clone_source
from jailoc.bin.deploy import task_clone, task_reference, tools
from jailoc.bin.engine import tools as container
from jailoc.bin.engine.tools import Tool, ToolMount
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.host import Host
from jailoc.model.sandbox import typed
from jailoc.model.task import OBJECT, Task
from jailoc.model.text import last_words
from jailoc.model.workspace import Workspace

SECONDS = 120
NO_PIPE = r"""
pipe=$(find "$1" \( -path '*/.git/*' -o -name '.git*' \) \
    \( -type p -o -type l -xtype p \) -print -quit 2>/dev/null) || true # its agent may be at work
[ -z "$pipe" ] || { echo "Git would wait for a pipe: ${pipe#"$1"/}" >&2; exit 1; }
"""
"""Ends a script of the shell where Git would wait for a writer (fifo(7)): a clone is an agent's."""
COPY = r"""
aside=$(mktemp -d) # nothing is written on the volume
[ ! -f .git/index ] || cp -p .git/index "$aside/index" # by its time Git knows what to read anew
export GIT_INDEX_FILE="$aside/index"
# An index can say that files are as they were (git-update-index(1)).
git ls-files -v -z | sed -z -n 's/^[a-z] //p' |
    git update-index -z --no-assume-unchanged --stdin
git ls-files -v -z | sed -z -n 's/^S //p' |
    xargs -0 -r sh -c 'for each; do
        if [ -e "$each" ] || [ -h "$each" ]; then printf "%s\000" "$each"; fi
    done' sh | git update-index -z --no-skip-worktree --stdin
"""
"""Has Git use a copy of the index in which no file is passed over, in a shell as the next one."""
STAGE = rf"""
{COPY}
mkdir "$aside/objects"
export GIT_OBJECT_DIRECTORY="$aside/objects"
export GIT_ALTERNATE_OBJECT_DIRECTORIES="$PWD/.git/objects"
git -c core.fsmonitor=false add --all
"""
"""Stages what is not committed, in a shell that ends at the first failure (`set -e`)."""
STATE = f"""
set -u
{NO_PIPE}
cd "$1" || exit 1
tip=$(git rev-parse --verify "refs/heads/$2^{{commit}}") || exit 1
echo "tip $tip"
home=$3 repository=$4 base=$5 # the first of the commits
shift 4
for each; do
    shift
    git cat-file -e "$each^{{commit}}" 2>/dev/null && set -- "$@" "$each"
done
# What a remote has is somewhere else, unless it is a place here.
set -f
for each in $(git remote); do
    case $(git config --get "remote.$each.url") in
    file:* | /* | .* | ext::* | *localhost* | *127.0.0.1* | *::1*) ;;
    *:*) set -- "$@" "--remotes=$each" ;;
    esac
done
set +f
# A stash, a tag and a HEAD on no branch hold work, too.
set_aside=
for each in .git/rebase-merge/autostash .git/rebase-apply/autostash .git/MERGE_AUTOSTASH; do
    [ ! -f "$each" ] || set_aside=$(git rev-parse --verify --quiet "$(cat "$each")^{{commit}}")
done
# Of a reference that names nothing, nothing can be lost.
new=$(git rev-list --count --ignore-missing --exclude='refs/remotes/*' --all $set_aside \
    --not "$@") || exit 1
echo "new $new"
[ "$new" = "$(git rev-list --count "$tip" --not "$@")" ] || echo elsewhere
# Of a repository inside, a commit has the name of a commit alone; of a file of Git LFS that of a
# digest (git-lfs-pointer(1)).
if git cat-file -e "$base" 2>/dev/null; then
    if git diff-tree -r --raw --no-renames "$base" "$tip" | grep -q '^:[0-7]* 160000 ' ||
        git diff --no-ext-diff --no-textconv --no-color --text "$base" "$tip" |
        grep -q '^+version https://git-lfs'; then echo inside; fi
fi
# A linked working tree is where the agent has it; here its place is another one.
for each in .git/worktrees/*/gitdir; do
    [ -f "$each" ] || continue
    place=$(cat "$each") place=${{place%/.git}}
    case $place in [!/]*) place=$(realpath -m "${{each%/gitdir}}/$place") ;; esac
    case $place in
    "$PWD"/*) ;;
    "$repository"/*) place=$PWD/${{place#"$repository"/}} ;;
    *) continue ;;
    esac
    [ -d "$place" ] || continue
    other=$(GIT_DIR=$PWD/${{each%/gitdir}} GIT_WORK_TREE=$place \
        git -c core.fsmonitor=false status --porcelain --untracked-files=normal) || exit 1
    [ -z "$other" ] || echo "linked"
done
state=$(set -e
{COPY}
git -c core.fsmonitor=false status --porcelain --untracked-files=normal) || exit 1
[ -n "$state" ] || exit 0
echo dirty
[ -n "$home" ] || exit 0
# What is staged and differs from the file, and what a repository inside holds, comes in no commit.
if printf '%s\\n' "$state" | grep -q '^[^ ?!][^ ?!]'; then echo beside; exit 0; fi
tree=$(set -e
{STAGE}
if git ls-files --stage | grep -q ^160000; then echo beside; exit 0; fi
git write-tree)
case $tree in "$home") echo home;; beside) echo beside;; esac
exit 0
"""
"""Tells of the clone in a directory, its branch, and what of it is home: a tree and commits."""


class TaskClone(NamedTuple):
    """A task's clone, and what is needed to look at it."""

    terminal: Terminal
    """Where it is told that the tools image is built."""
    workspace: Workspace
    """The task's sandbox, resolved."""
    task: Task
    host: Host

    def tool(self, *words: str) -> Tool:
        """Return a program of the tools image that reads it as its agent."""
        mount = ToolMount(task_clone.volume(self.task.sandbox), task_clone.PLACE, volume=True)
        return Tool(
            tools.image(self.terminal, self.workspace, self.host), self.task.sandbox,
            self.workspace.user.text, words, (mount,),
            {"LC_ALL": "C.UTF-8", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )  # fmt: skip


class CloneState(NamedTuple):
    """What a clone holds."""

    tip: str
    """The last commit of its branch."""
    new: int
    """Commits of any branch, tag or stash, or where HEAD is, that did not come home."""
    dirty: bool
    """Whether something is not committed."""
    home: bool = False
    """Whether all that is not committed came home with the last `--uncommitted`."""
    beside: bool = False
    """Whether some of it comes home with no commit, though such a fetch was there."""
    elsewhere: bool = False
    """Whether some of the commits are on another branch than the task's, or on none."""
    inside: bool = False
    """Whether a commit may have but the name of what a repository inside or Git LFS holds."""
    linked: bool = False
    """Whether something is not committed in a linked working tree."""


def look(clone: TaskClone) -> CloneState:
    """Return what a task's clone holds.

    Raises:
        Refused: it cannot be told.
        DockerError: the engine refused, or it took too long.
    """
    task = clone.task
    tree, parent = _pending(clone)
    known = [each for each in (task.base, _fetched(clone), parent) if each]
    words = ("/bin/sh", "-c", STATE, "look", task_clone.PLACE, task.branch, tree, task.repository,
             *known)  # fmt: skip
    reply = container.ask(
        clone.tool(*words), what=f"looking at {typed(task.sandbox)}", timeout=SECONDS
    )
    parts = (line.partition(" ") for line in reply.stdout.decode(errors="replace").splitlines())
    found = {key: rest for key, _, rest in parts}
    tip, new = found.get("tip", ""), found.get("new", "")
    if reply.status != 0 or re.fullmatch(OBJECT, tip) is None or not new.isdecimal():
        raise unreadable(task, reply.stderr)
    flags = ("home", "beside", "elsewhere", "inside", "linked")
    return CloneState(tip, int(new), "dirty" in found, *(each in found for each in flags))


def _fetched(clone: TaskClone) -> str:
    """Return the commit that came home, if the repository still has all of it; else nothing.

    An agent that writes there can take references and objects away.
    """
    task = clone.task
    with suppress(Refused):
        place = clone_source.git_directory(task.repository, clone.host)
        if task.fetched and _there(place, task.fetched, task.base):
            return task.fetched
    return ""


def _there(repository: str, tip: str, base: str) -> bool:
    return task_reference.reached(repository, tip) and task_reference.whole(repository, tip, base)


def _pending(clone: TaskClone) -> tuple[str, str]:
    """Return the tree that came home with `--uncommitted`, and the commit that it stood on."""
    with suppress(Refused):
        place = clone_source.git_directory(clone.task.repository, clone.host)
        pending = clone.task.pending
        tip, tree, parent = (
            task_reference.names(place, f"{pending}{each}")
            for each in ("^{commit}", "^{tree}", "^1^{commit}")
        )
        named = all(re.fullmatch(OBJECT, each) for each in (tip, tree, parent))
        if named and _there(place, tip, clone.task.base):
            return tree, parent
    return "", ""


LISTING = 16 << 20
"""Bytes of what is shown."""


def unreadable(task: Task, told: bytes) -> Refused:
    """Return the refusal of a clone that Git cannot read."""
    why = last_words(told) or "it says nothing of use"
    return refuse(
        "task-clone",
        f"the clone of task `{typed(task.sandbox)}` cannot be read: {why}",
        hint=f"look inside: `jailoc shell {typed(task.sandbox)}`",
    )
