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

_jailoc_take .server-password @PASSWORD@
while read -r _jailoc_name || [ -n "$_jailoc_name" ]; do
    [ -z "$_jailoc_name" ] || _jailoc_take "$_jailoc_name" "$_jailoc_name"
done </etc/jailoc/secret-env
unset _jailoc_place _jailoc_value _jailoc_name
exec "$@"
