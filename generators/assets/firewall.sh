#!/bin/sh
# The wall: loads the firewall of the shared network namespace, proves that it
# is there, then gives up every privilege and answers the sandbox's questions for
# names. It fails closed: whatever goes wrong, the ready file is never written, and
# nothing else of the workspace starts.
#
#   firewall.sh          entrypoint: load, verify, own the volumes, resolve powerless
#   firewall.sh reload   (exec as root) load, verify, look the names up anew
#   firewall.sh verify   (exec as root) compare only, change nothing
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
# The legacy tools want a lock file, and the root file system is read-only.
XTABLES_LOCKFILE=/run/jailoc/xtables.lock
export PATH LC_ALL XTABLES_LOCKFILE
umask 022

etc=/etc/jailoc
run=/run/jailoc
mode=${1:-start}
tool4='' tool6='' told=''
resolver=65533 # the same as in the rules
sidecar=65532:65532

notice() { printf 'jailoc firewall: %s\n' "$*"; }
warn() { printf 'jailoc firewall: warning: %s\n' "$*" >&2; }

# Runs on every exit but the final exec. Not ready, and shut: a reload that went
# wrong must not leave an agent behind rules that nobody has verified.
finish() {
    status=$?
    trap - EXIT
    [ "$status" -ne 0 ] || exit 0
    [ -n "$told" ] || printf 'FATAL: jailoc firewall: stopped unexpectedly (status %s)\n' "$status" >&2
    if [ "$mode" != verify ]; then
        rm -f "$run/ready"
        # shellcheck disable=SC2086
        close $tool4 $tool6
    fi
    exit 1
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

fatal() {
    told=yes
    printf 'FATAL: jailoc firewall: %s\n' "$*" >&2
    exit 1
}

# 1. Which tools work here? Debian's plain names are the nft variant.
backend() { # backend iptables|ip6tables: prints the name of the working family of tools
    if error=$("$1" -t filter -S 2>&1 >/dev/null); then
        echo "$1"
    elif "$1-legacy" -t filter -S >/dev/null 2>&1; then
        warn "$1 does not work ($error), using $1-legacy"
        echo "$1-legacy"
    else
        warn "$1: $error"
        return 1
    fi
}

probe() {
    tool4=$(backend iptables) || fatal 'neither iptables nor iptables-legacy works (NET_ADMIN missing?)'
    if [ -e /proc/net/if_inet6 ]; then
        tool6=$(backend ip6tables) || fatal 'the kernel has IPv6, but neither ip6tables nor ip6tables-legacy works'
    else
        notice 'no IPv6 in the kernel, only IPv4 is filtered'
    fi
}

# 2. The generated rules must be what they claim before they are worth loading.
check_rules() { # check_rules FILE
    [ -r "$1" ] || fatal "$1 is missing"
    [ "$(grep '^\*' "$1")" = '*filter' ] || fatal "$1 is not one filter table"
    [ "$(tail -n 1 "$1")" = COMMIT ] || fatal "$1 is cut short"
    for chain in INPUT FORWARD OUTPUT; do
        grep -q "^:$chain DROP " "$1" || fatal "$1: the policy of $chain is not DROP"
    done
    for chain in JAILOC-DNS JAILOC-HOST JAILOC-MACHINE; do
        grep -q "^:$chain - " "$1" || fatal "$1: there is no chain $chain"
    done
}

# 3. Resolvers. The C library turns an address into its canonical text without
# asking anyone, which the comparison below needs.
canonical() { # canonical 4|6 ADDRESS
    case $2 in '' | *[!0-9A-Fa-f:.]*) return 1 ;; esac
    [ "$1" = 6 ] || printf '%s\n' "$2" |
        grep -Eqx '((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.|$)){4}' || return 1
    text=$(getent -A "ahostsv$1" "$2" | awk '{print $1}' | sort -u)
    case $1$text in
        4*[!0-9.]* | 6*[!0-9a-f:.]* | 4 | 6 | 6::ffff:*) return 1 ;;
    esac
    echo "$text"
}

dns_rule() { # dns_rule MATCH: the two lines for one resolver
    for protocol in udp tcp; do
        echo "-A JAILOC-DNS $1-p $protocol -m $protocol --dport 53 -j ACCEPT"
    done
}

resolvers() {
    : >"$run/dns.4"
    : >"$run/dns.6"
    servers=$(awk '$1 == "nameserver" {print $2}' /etc/resolv.conf)
    case " $(echo "$servers" | tr '\n' ' ')" in
        *' 127.0.0.11 '*)
            # The engine's own resolver asks further servers: recent engines from
            # outside of this namespace, "host(...)", or from within it, and say so
            # in a comment. Old ones ask from within it and say nothing: there the
            # sockets are those of the engine, root, which no process behind the
            # wall ever is.
            if grep -q '^# ExtServers:' /etc/resolv.conf; then
                servers="$servers
$(sed -n 's/^# ExtServers: \[\(.*\)\]$/\1/p' /etc/resolv.conf | tr ' ' '\n' | grep -v '^host(' || true)"
            else
                for protocol in udp tcp; do
                    echo "-A JAILOC-DNS -p $protocol -m $protocol --dport 53 -m owner --uid-owner 0 -j ACCEPT"
                done | tee "$run/dns.4" >"$run/dns.6"
            fi
            ;;
    esac
    for server in $(echo "$servers" | sort -u); do
        case $server in
            *%*) warn "resolver $server: link-local, not allowed" && continue ;;
            127.* | ::1) continue ;; # loopback is open anyway
            *:*) family=6 bits=128 ;;
            *) family=4 bits=32 ;;
        esac
        if address=$(canonical "$family" "$server"); then
            dns_rule "-d $address/$bits " >>"$run/dns.$family"
        else
            warn "resolver $server: not an address, not allowed"
        fi
    done
}

# 4. The machine itself. Ports of it are opened at its doors; then every address of
# it is closed, before any range or name that could hold one.
look_around() { # look_around HANDED FILE
    python3 -I -S -B "$etc/machine.py" "$1" >"$2" || fatal 'cannot tell which addresses are the machine'
}

machine() {
    : >"$run/host.4"
    : >"$run/host.6"
    [ -r "$etc/host-ports" ] || fatal "$etc/host-ports is missing"
    cp "$etc/host-ports" "$run/host-ports"
    : >"$run/handed"
    [ ! -r "$etc/machine" ] || cp "$etc/machine" "$run/handed"
    look_around "$run/handed" "$run/machine.next"
    while read -r port _; do
        case $port in '' | *[!0-9]*) fatal "$etc/host-ports: '$port' is not a port" ;; esac
    done <"$etc/host-ports"
    while read -r kind address; do
        [ -n "$address" ] || continue
        case $address in *:*) family=6 bits=128 ;; *) family=4 bits=32 ;; esac
        if [ "$kind" = door ]; then
            while read -r port mark; do
                for protocol in tcp udp; do
                    [ -z "$mark" ] || echo "-A JAILOC-HOST -d $address/$bits -p $protocol -m $protocol --dport $port -m conntrack --ctstate NEW -m comment --comment \"port of this machine\" -j NFLOG --nflog-prefix $mark --nflog-group 7 --nflog-size 64 --nflog-threshold 1"
                    echo "-A JAILOC-HOST -d $address/$bits -p $protocol -m $protocol --dport $port -m comment --comment \"port of this machine\" -j ACCEPT"
                done
            done <"$etc/host-ports" >>"$run/host.$family"
        fi
        echo "-A JAILOC-MACHINE -d $address/$bits -m comment --comment \"this machine\" -j JAILOC-DENY" >>"$run/host.$family"
    done <"$run/machine.next"
    services
}

# Services beside the agent: what comes from them is closed, and of them all that no
# rule of a file has opened. Which interface leads there is only known now. A program
# may choose another (SO_BINDTODEVICE, socket(7)): by that one an address of a service
# is somebody else's, and opens nothing.
at_services() { # at_services FILE
    : >"$1"
    [ ! -r "$etc/services.py" ] || python3 -I -S -B "$etc/services.py" >"$1" ||
        fatal 'cannot tell which interface leads to the services'
}

services() {
    at_services "$run/services"
    cut -d ' ' -f 1 "$run/services" | sort -u | while read -r interface; do
        echo "-A JAILOC-SERVICES -i $interface -m comment --comment \"from services\" -j DROP"
        echo "-A JAILOC-SERVICES -o $interface -m comment --comment \"ports of services that are not named\" -j JAILOC-DENY"
    done | tee -a "$run/host.4" >>"$run/host.6"
    : >"$run/first"
    [ ! -s "$run/services" ] ||
        awk '$2 == "00000000" && $8 == "00000000" {print $1}' /proc/net/route | sort -u | while read -r interface; do
            echo "-A JAILOC-SERVICES -o $interface -m comment --comment \"services are elsewhere\" -j RETURN"
        done >"$run/first"
}

# Kernels without one of these matches exist. Each stands in rules that open or
# count, so to leave those out closes more; but for the one that closes what becomes
# the machine's after the rules were loaded, which comes only with "recent", and the
# two about what an IPv6 packet says of itself, which is told; replies over IPv6 go with
# the first of these.
optional='recent hashlimit time addrtype rt'

supported() { # supported MATCH
    tool=$tool4
    case $1 in
        addrtype) tool=$tool6 rule='-m addrtype ! --src-type LOCAL' ;;
        rt) tool=$tool6 rule='-m rt' ;;
        recent) rule='-m recent --rcheck --seconds 1 --name jailoc-probe --mask 255.255.255.255 --rdest' ;;
        hashlimit) rule='-m hashlimit --hashlimit-upto 1/hour --hashlimit-mode dstip --hashlimit-name jailoc-probe' ;;
        time) rule='-m time --datestop 2038-01-01T00:00:00' ;;
    esac
    # In a chain that nothing leads to, and that the next load takes away again.
    printf '*filter\n:JAILOC-PROBE - [0:0]\n-A JAILOC-PROBE %s\nCOMMIT\n' "$rule" |
        "$tool-restore" --noflush 2>/dev/null
}

missing() { # find out, and say, what cannot be had here
    # What is refused is told by NFLOG; where a kernel lacks it, it is counted by xt_hashlimit.
    echo '-m hashlimit ' >"$run/missing"
    heard='-j NFLOG --nflog-prefix p --nflog-group 7'
    if ! printf '*filter\n:JAILOC-PROBE - [0:0]\n-A JAILOC-PROBE %s\nCOMMIT\n' "$heard" |
        "$tool4-restore" --noflush 2>/dev/null; then
        warn 'this kernel lacks xt_NFLOG: what passes is not told of'
        echo '-j NFLOG ' >"$run/missing"
    fi
    for match in $optional; do
        ! grep -q -e "-m $match " "$run/missing" || continue
        grep -q -e "-m $match " "$etc/rules.v4" "$etc/rules.v6" || continue
        case $match in addrtype | rt) [ -n "$tool6" ] || continue ;; esac
        supported "$match" && continue
        echo "-m $match " >>"$run/missing"
        case $match in
            recent) warn 'this kernel lacks xt_recent: allowed names stay closed, use addresses' ;;
            hashlimit) warn 'this kernel lacks xt_hashlimit: what is refused is not counted' ;;
            addrtype) warn 'this kernel lacks xt_addrtype for IPv6: the agent may send by a foreign address, and answers nobody over IPv6' ;;
            rt) warn 'this kernel lacks ip6t_rt: routing headers pass' ;;
            time) warn 'this kernel lacks xt_time: allows with a last day stay closed' ;;
        esac
    done
    [ "$(cat "$run/missing")" != "$1" ]
}

nothing_found() { # what is only known once it was looked for
    for each in first host.4 host.6; do : >"$run/$each"; done
}

# One transaction a family: at no instant is there half a set of rules.
wanted() { # wanted FAMILY: the whole table
    {
        sed -e '/^-A /,$d' "$etc/rules.v$1"
        cat "$run/first"
        sed -n -e '/^-A /p' "$etc/rules.v$1"
        cat "$run/dns.$1" "$run/host.$1"
    } | grep -v -F -f "$run/missing"
    echo COMMIT
}

restore() { # restore FAMILY TOOL
    wanted "$1" | "$2-restore" && return
    missing "$(cat "$run/missing")" || fatal "$2-restore refused the rules"
    wanted "$1" | "$2-restore" || fatal "$2-restore refused the rules"
}

load() {
    restore 4 "$tool4"
    [ -z "$tool6" ] || restore 6 "$tool6"
    apart "$tool4"
    [ -z "$tool6" ] || apart "$tool6"
}

# What closes later addresses of the machine is not tracked as a connection: the agent
# can fill the table of those, and what finds no room there is dropped before any rule
# of the filter counts it.
untracked="-A OUTPUT -p udp -m udp --sport 1023 -m owner --uid-owner $resolver -j CT --notrack"

apart() { # apart TOOL
    [ ! -e "$run/tracked.$1" ] || return 0
    printf '*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n%s\nCOMMIT\n' "$untracked" |
        "$1-restore" 2>/dev/null && return
    : >"$run/tracked.$1"
    warn "$1: this kernel lacks xt_CT: an agent that fills the table of connections keeps open what becomes the machine's later"
}

# 5. Chains, policies, and the rules of each chain in their order; no counters,
# and no quotes round a comment of one plain word: the tools print it without.
normal() {
    sed -n -e 's/^:\([^ ]*\) \([^ ]*\).*/: \1 \2/p' \
        -e '/^-A /s/ --comment "\([A-Za-z0-9_-]*\)" / --comment \1 /' -e '/^-A /p' | sort -s -k 1,2
}

compare() { # compare FAMILY TOOL
    wanted "$1" | normal >"$run/wanted.$1"
    "$2-save" -t filter | normal >"$run/loaded.$1"
    diff -U 0 "$run/wanted.$1" "$run/loaded.$1" >&2 ||
        fatal "the rules in the kernel (+) are not the ones wanted (-), IPv$1"
    [ -e "$run/tracked.$2" ] || [ "$("$2-save" -t raw | grep '^-A')" = "$untracked" ] ||
        fatal "what closes later addresses is tracked as a connection, IPv$1"
}

verify() {
    cmp -s "$etc/host-ports" "$run/host-ports" || fatal 'the ports of this machine have changed since they were opened'
    look_around "$run/handed" "$run/machine.now"
    cmp -s "$run/machine.now" "$run/machine" || fatal 'the machine has other addresses here than when the rules were loaded'
    at_services "$run/services.now"
    cmp -s "$run/services.now" "$run/services" || fatal 'the services are elsewhere than when the rules were loaded'
    looked_up || fatal 'the allowed names have changed since they were looked up'
    compare 4 "$tool4"
    [ -z "$tool6" ] || compare 6 "$tool6"
}

# 6. The resolver, powerless from its first instruction on. Only who is the same
# user may send it a signal.
names=$run/names
as_resolver() {
    setpriv --reuid=$resolver --regid=$resolver --clear-groups --no-new-privs \
        --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$@"
}

looked_up() {
    want=$(cat "$etc/egress" "$etc/names" | sha256sum)
    grep -q "\"${want%% *}\"" "$names/state.json" 2>/dev/null
}

look_up() {
    # shellcheck disable=SC2016
    as_resolver /bin/sh -c 'rm -f "$1/state.json"; kill -HUP "$(cat "$1/pid")"' sh "$names" ||
        fatal 'the resolver does not run'
    tries=0
    until looked_up; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || fatal 'the resolver has not looked the allowed names up in time'
        sleep 0.05
    done
}

# 7. New volumes belong to root; the other services are never root. What the agent kept while
# it was another user goes with it: handed over by that user, who alone may enter all of
# its folders, and who is given no other power. Depth first, the volume itself last, so
# that what was interrupted is seen again.
hand_over() { # hand_over FROM TO VOLUME
    notice "giving ${3##*/} of user $1 to user $2, once"
    setpriv --reuid="${1%:*}" --regid="${1#*:}" --clear-groups --no-new-privs \
        --inh-caps=-all,+chown --ambient-caps=-all,+chown --bounding-set=-all,+chown \
        find "$3" -xdev -depth -mindepth 1 -uid "${1%:*}" \
        -exec chown -h --from="${1%:*}" "$2" {} +
}

volumes() {
    for volume in /volumes/*; do
        [ -d "$volume" ] || continue
        # In the one that they share neither the agent nor its Docker can make a socket.
        case ${volume##*/} in
            dind-socket) owner=0:0 ;;
            dind-*) owner=$sidecar ;;
            *) owner=@UID@:@GID@ ;;
        esac
        before=$(stat -c %u:%g "$volume")
        [ "$before" != "$owner" ] || continue
        case $before:${volume##*/} in
            0:* | *:dind-*) ;;
            *) hand_over "$before" "$owner" "$volume" || warn "some of $volume stays user $before's" ;;
        esac
        chown "$owner" "$volume" || fatal "cannot change the owner of $volume"
    done
}

# Where a volume lies in another one: the engine would make the way there as root's.
places() {
    [ -r "$etc/places" ] || return 0
    while read -r volume place; do
        setpriv --reuid=@UID@ --regid=@GID@ --clear-groups --no-new-privs --inh-caps=-all \
            --ambient-caps=-all --bounding-set=-all mkdir -p "/volumes/$volume/$place" ||
            warn "cannot make $place in volume $volume"
    done <"$etc/places"
}

close() {
    for tool in "$@"; do
        printf '*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\nCOMMIT\n' | "$tool-restore" || true
    done
}

case $mode in start | reload | verify) ;; *) fatal "unknown command '$mode'" ;; esac
# The very first thing: nothing is open while it is found out how things are.
[ "$mode" != start ] || close iptables ip6tables 2>/dev/null
[ "$mode" = verify ] || rm -f "$run/ready"
probe
check_rules "$etc/rules.v4"
[ -z "$tool6" ] || check_rules "$etc/rules.v6"

if [ "$mode" = verify ]; then
    verify
    notice 'the rules are as wanted'
    exit 0
fi

resolvers
[ -s "$run/missing" ] || echo '-m hashlimit ' >"$run/missing"
if [ "$mode" = start ]; then
    nothing_found
    load # closed before anything is looked up
fi
machine
load
compare 4 "$tool4"
[ -z "$tool6" ] || compare 6 "$tool6"
# Only now: what this file names, the guard leaves to the rules.
mv "$run/machine.next" "$run/machine"
notice "rules loaded and verified: $(grep -c '^-' "$run/wanted.4") IPv4 ($tool4)${tool6:+, $(grep -c '^-' "$run/wanted.6") IPv6 ($tool6)}"
if [ "$mode" = reload ]; then
    look_up
    : >"$run/ready"
    exit 0
fi

volumes
places
mkdir -p "$names"
chown $resolver:$resolver "$names" /evidence
[ ! -d /run/jailoc-refused ] || chown $resolver:$resolver /run/jailoc-refused
as_resolver /bin/sh -c "rm -f '$names'/*" || fatal 'cannot give up privileges'
if [ -d /etc/jailoc-machine ]; then
    as_resolver python3 -I -S -B "$etc/guard.py" "$run/machine" "$names/guard" &
    tries=0
    until [ -s "$names/guard" ]; do
        kill -0 $! 2>/dev/null || fatal 'what closes later addresses of the machine does not run'
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || fatal 'what closes later addresses of the machine does not start'
        sleep 0.05
    done
fi
: >"$run/ready"
trap - EXIT HUP INT TERM
# The sockets outlive the resolver: nobody else ever gets the port. A shell, so that
# it ends at once on a signal even as process 1; it starts the resolver again should
# that ever end.
# shellcheck disable=SC2016
exec python3 -I -S -B "$etc/sockets.py" \
    setpriv --reuid=$resolver --regid=$resolver --clear-groups --no-new-privs \
    --inh-caps=-all --ambient-caps=-all --bounding-set=-all \
    /bin/sh -c 'trap "kill \$!; wait \$!; exit 0" TERM INT
        while :; do
            python3 -I -B "$1/resolver.py" "$@" &
            wait $!
            sleep 1
        done' sh "$etc" "$names"
