#!/bin/sh
# Clone one commit's history of a repository to /clone: no hook, no setting, no other branch, no
# object that the commit does not reach. What it finds is one word a line.
set -eu
source=$1 revision=$2 branch=$3
shift 3

no_repository=64 empty=65 no_revision=66 partial=67 broken=68

words() { printf '%s\n' "$@"; }
# The directory is named: one that is broken would let Git take the working tree for a bare repository.
place=$source/.git
[ -e "$place" ] || place=$source
of() { git -C "$source" --git-dir="$place" -c core.fsmonitor=false -c core.hooksPath=/dev/null "$@"; }

# What is mounted, to be compared with what was looked at.
words "kernel $(cat /proc/sys/kernel/random/boot_id)"
stat --format='at %d %i' -- "$@"

of rev-parse --git-dir >/dev/null || exit "$no_repository"
case $(of rev-parse --is-bare-repository --is-inside-git-dir | tr '\n' ' ') in
true*) bare=yes ;;
*) bare= ;;
esac
if of config --get-regexp '^(remote\..*\.(promisor|partialclonefilter)|extensions\.partialclone)$' >/dev/null; then
    exit "$partial"
fi
if ! base=$(of rev-parse --verify --quiet --end-of-options "$revision^{commit}"); then
    if of rev-parse --verify --quiet HEAD >/dev/null; then
        [ "$revision" != HEAD ] || exit "$broken"
    elif [ -z "$(of for-each-ref --count=1)" ]; then
        exit "$empty"
    fi
    exit "$no_revision"
fi

# What is cloned is a repository with this one commit for a branch, and the objects of the other:
# every revision goes the same way, and no name or setting of the source is offered.
format=$(of rev-parse --show-object-format)
git init --quiet --bare --template= --object-format="$format" /tmp/view
mkdir -p /tmp/view/objects/info
of rev-parse --path-format=absolute --git-path objects >/tmp/view/objects/info/alternates
shallow=$(of rev-parse --path-format=absolute --git-path shallow)
if [ -f "$shallow" ]; then
    cp "$shallow" /tmp/view/shallow
    words shallow
fi
git -C /tmp/view update-ref "refs/heads/$branch" "$base"
git -C /tmp/view symbolic-ref HEAD "refs/heads/$branch"
set -- --quiet --no-checkout --no-local --single-branch --no-tags --template= --branch "$branch"
# With a reference nothing is packed twice; to one that is shallow Git does not refer.
[ -f /tmp/view/shallow ] || set -- "$@" --reference /tmp/view --dissociate
git clone "$@" /tmp/view /clone/.new

cd /clone/.new
git remote remove origin
# It leaves where the remote's HEAD led.
rm -rf .git/refs/remotes .git/logs/refs/remotes
mv .git ../.git
cd ..
rmdir .new
git checkout --quiet --force "$branch"

words "base $base"
if git ls-files --stage | grep -q '^160000 '; then words submodules; fi
if git grep --quiet --cached 'filter=lfs' -- '.gitattributes' '*/.gitattributes'; then words lfs; fi
# The user's own settings are not seen here: what is found is this repository's.
if of config --get user.email >/dev/null; then words identity; fi
[ -z "$bare" ] || exit 0
words worktree
# What is in the working tree is looked at elsewhere: for that Git runs filters, and for this it does not.
if [ "$revision" = HEAD ] && ! of diff-index --cached --quiet --no-ext-diff --ignore-submodules=all HEAD --; then
    words uncommitted
fi
