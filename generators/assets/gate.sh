#!/bin/sh
# Stands before a command in a pod, and lets it start only behind the wall: in the
# network that the wall has closed, while its rules are in force. A pod may come up
# again in a new network, without what closes it.
#
#   gate.sh COMMAND...
set -eu

_jailoc_fatal() {
    printf 'FATAL: jailoc gate: %s\n' "$*" >&2
    exit 1
}

# Numbers of networks are used again, so the file alone proves nothing.
_jailoc_here=$(
    PATH=/usr/bin:/bin
    readlink /proc/self/ns/net
    cat /proc/sys/kernel/random/boot_id
)
[ -f /run/wall/gate ] && [ "$(PATH=/usr/bin:/bin && cat /run/wall/gate)" = "$_jailoc_here" ] ||
    _jailoc_fatal 'the wall has not closed this network'

# An address of the sandbox itself: the wall's rules drop what goes there, and without
# them the kernel refuses it. No setting of anybody's counts: the home is the agent's.
_jailoc_seen=0
if [ -x /usr/bin/curl ] || [ -x /bin/curl ]; then
    _jailoc_tool=curl _jailoc_dropped=28
    PATH=/usr/bin:/bin env -i PATH=/usr/bin:/bin curl -q --silent --noproxy '*' \
        --connect-timeout 0.5 --max-time 2 telnet://127.0.0.54:9 </dev/null >/dev/null 2>&1 ||
        _jailoc_seen=$?
else
    _jailoc_tool=bash _jailoc_dropped=124
    PATH=/usr/bin:/bin env -i PATH=/usr/bin:/bin timeout -k 1 0.5 \
        bash --norc --noprofile -c ': <>/dev/tcp/127.0.0.54/9' </dev/null >/dev/null 2>&1 ||
        _jailoc_seen=$?
fi
[ "$_jailoc_seen" = "$_jailoc_dropped" ] ||
    _jailoc_fatal "the wall's rules are not in force ($_jailoc_tool: $_jailoc_seen)"
unset _jailoc_here _jailoc_seen _jailoc_tool _jailoc_dropped
exec "$@"
