#!/bin/sh
# The agent's first process, already without any privilege: takes the secrets
# that are variables from memory, then becomes the agent. No value is ever an
# argument of a program.
#
#   agent.sh COMMAND...
set -eu
_jailoc_place=/run/secrets

_jailoc_fatal() {
    printf 'FATAL: jailoc agent: %s\n' "$*" >&2
    exit 1
}

_jailoc_take() { # _jailoc_take FILE VARIABLE
    [ -f "$_jailoc_place/$1" ] ||
        _jailoc_fatal "$_jailoc_place/$1 is missing, so $2 has no value; \`jailoc up\` brings it"
    [ -r "$_jailoc_place/$1" ] || _jailoc_fatal "$_jailoc_place/$1 cannot be read"
    _jailoc_value=$(cat "$_jailoc_place/$1")
    export "$2=$_jailoc_value"
}

# The password is handed over last, once somebody outside has seen that what is mounted here is what
# was checked. The tool is the image's own: what is on PATH may be the agent's.
_jailoc_tries=0
until [ -f "$_jailoc_place/.server-password" ] || [ "$_jailoc_tries" -ge 600 ]; do
    _jailoc_tries=$((_jailoc_tries + 1))
    PATH=/usr/bin:/bin sleep 0.1
done
_jailoc_take .server-password @PASSWORD@

# In the place of a linked working tree's repository is a directory in memory. Five links in a row
# are followed for a lock, so it is made here; what is read is the host's. What is in the way of a
# new `packed-refs` keeps Git from writing one, which nobody else would see.
_jailoc_link() { # _jailoc_link TARGET LINK
    [ -e "$2" ] || [ -L "$2" ] || PATH=/usr/bin:/bin ln -s "$1" "$2" || true
}
if [ -f /etc/jailoc/repositories ]; then
    while IFS= read -r _jailoc_name; do
        for _jailoc_value in HEAD config hooks info lfs modules shallow; do
            _jailoc_link ".host/$_jailoc_value" "$_jailoc_name/$_jailoc_value"
        done
        _jailoc_link .packed-1 "$_jailoc_name/packed-refs"
        for _jailoc_value in 1 2 3 4; do
            _jailoc_link ".packed-$((_jailoc_value + 1))" "$_jailoc_name/.packed-$_jailoc_value"
        done
        _jailoc_link .host/packed-refs "$_jailoc_name/.packed-5"
        printf '' >"$_jailoc_name/.packed-5.new" || true
    done </etc/jailoc/repositories
fi
while read -r _jailoc_name || [ -n "$_jailoc_name" ]; do
    [ -z "$_jailoc_name" ] || _jailoc_take "$_jailoc_name" "$_jailoc_name"
done </etc/jailoc/secret-env
unset _jailoc_place _jailoc_value _jailoc_name _jailoc_tries
command -v -- "$1" >/dev/null || {
    printf 'jailoc: there is no command %s in the sandbox\n' "$1" >&2
    exit 127
}
exec "$@"
