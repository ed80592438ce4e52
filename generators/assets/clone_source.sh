#!/bin/sh
# Clones a repository into an empty volume, and leaves one alone that holds anything.
# What was interrupted is begun again: nobody has worked there yet.
#
#   clone.sh URL REF PLACE [CREDENTIAL]
set -eu
PATH=/usr/local/bin:/usr/bin:/bin
HOME=/tmp
GIT_CONFIG_GLOBAL=/dev/null
GIT_TERMINAL_PROMPT=0
GIT_ALLOW_PROTOCOL=https
export PATH HOME GIT_CONFIG_GLOBAL GIT_TERMINAL_PROMPT GIT_ALLOW_PROTOCOL
url=$1 ref=$2 place=$3 credential=${4-}
new=$place/.jailoc-clone

if [ -d "$new" ]; then
    rm -rf "$new"
elif [ -n "$(find "$place" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit)" ]; then
    echo "jailoc clone: $place holds something: it is left as it is"
    exit 0
fi
mkdir "$new"
set --
# The helper is asked, and never told: the file is read-only.
[ -z "$credential" ] || set -- -c "credential.helper=!f() { test \"\$1\" != get || git credential-store --file '$credential' get; }; f"
git "$@" clone --quiet --no-checkout --template= -- "$url" "$new/tree"
git --git-dir="$new/tree/.git" --work-tree="$place" checkout --quiet --force "$ref" --
# Last, and in one step: before it there is no repository.
mv "$new/tree/.git" "$place/.git"
rm -rf "$new"
echo "jailoc clone: $place is $ref of $url"
