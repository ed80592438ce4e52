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
while read -r _jailoc_name || [ -n "$_jailoc_name" ]; do
    [ -z "$_jailoc_name" ] || _jailoc_take "$_jailoc_name" "$_jailoc_name"
done </etc/jailoc/secret-env
unset _jailoc_place _jailoc_value _jailoc_name _jailoc_tries
exec "$@"
