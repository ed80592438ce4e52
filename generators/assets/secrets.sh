#!/bin/sh
# Takes the secrets of a workspace as a tar archive on standard input and keeps
# them in memory, readable for root and for the agent's group only. Prints
# "changed" or "same".
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
umask 077

place=/run/secrets
new=$place/.new

fatal() {
    printf 'FATAL: jailoc secrets: %s\n' "$*" >&2
    exit 1
}

# Podman gives an empty volume to the user of each container that mounts it, so to the agent, who
# can only read it; root without power over files could not write there.
[ "$(stat -c %u "$place")" = 0 ] || chown 0:0 "$place" || fatal "$place is not root's"

rm -rf "$new"
mkdir "$new"
trap 'rm -rf "$new"' EXIT
tar --extract --file=- --directory="$new" --no-same-owner --no-same-permissions ||
    fatal 'the archive is not whole, or does not fit into memory'

result=same
for file in "$place"/* "$place"/.[!.]*; do
    name=${file##*/}
    [ -f "$file" ] || continue
    if [ ! -f "$new/$name" ]; then
        rm -f "$file"
        result=changed
    fi
done
for file in "$new"/* "$new"/.[!.]*; do
    [ -f "$file" ] || continue
    name=${file##*/}
    cmp -s "$file" "$place/$name" && continue
    chmod 0440 "$file"
    chgrp @GID@ "$file"
    mv "$file" "$place/$name"
    result=changed
done
echo "$result"
