#!/bin/sh
# The agent's own Docker, without root: the daemon and all its containers live in
# a user namespace, and reach the network as ordinary processes of user 1000,
# behind the wall. Starts as root only to open the tunnel device to that user.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
HOME=/home/rootless
export PATH HOME

self=/etc/jailoc/dind.sh
socket=/run/dind/docker.sock
data=$HOME/.local/share/docker

fatal() {
    printf 'FATAL: jailoc dind: %s\n' "$*" >&2
    exit 1
}

# Can this kernel mount overlay in a user namespace, on the file system of the data?
overlay_works() {
    probe=$data/.overlay-probe
    rm -rf "$probe"
    mkdir -p "$probe/lower" "$probe/upper" "$probe/work" "$probe/merged"
    echo ok >"$probe/lower/file"
    works=1
    if mount -t overlay overlay \
        -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work,userxattr" \
        "$probe/merged" 2>/dev/null; then
        # Writing matters too: some file systems mount, then refuse.
        if echo more >>"$probe/merged/file" && rm "$probe/merged/file"; then works=0; fi 2>/dev/null
        umount "$probe/merged"
    fi
    rm -rf "$probe"
    return $works
}

case ${1:-start} in
    start)
        if [ ! -c /dev/net/tun ]; then fatal '/dev/net/tun is missing'; fi
        [ "$(stat -c %a /dev/net/tun)" = 666 ] || chmod 666 /dev/net/tun ||
            fatal 'cannot open /dev/net/tun to user 1000'
        # A privileged container starts with every capability, among them those over the wall's
        # rules; no process that follows can have more than an unprivileged one.
        bounds=''
        if [ "$(sed -n 's/^CapBnd:[[:space:]]*0*//p' /proc/self/status)" != c0 ]; then
            bounds='--bounding-set=-all,+setuid,+setgid'
        fi
        # shellcheck disable=SC2086 # nothing is no argument
        exec setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all --ambient-caps=-all \
            $bounds /bin/sh "$self" user
        ;;
    user)
        [ -w "$data" ] || fatal "$data is not writable for user 1000"
        [ -w "${socket%/*}" ] || fatal "${socket%/*} is not writable for user 1000"
        # A new folder for each start: the pid files and sockets of a killed daemon stop
        # the next one, and some of what it left belongs to its own users and stays.
        rm -rf /tmp/rootless.* 2>/dev/null || true
        rm -f "$socket"
        XDG_RUNTIME_DIR=$(mktemp -d /tmp/rootless.XXXXXX)
        export XDG_RUNTIME_DIR
        # tini reaps, as user 1000, what the daemon's helpers leave behind.
        exec tini -- rootlesskit --net=slirp4netns --mtu=65520 --slirp4netns-sandbox=auto \
            --slirp4netns-seccomp=auto --disable-host-loopback --port-driver=builtin \
            --copy-up=/etc --copy-up=/run --propagation=rslave \
            /bin/sh "$self" daemon
        ;;
    daemon)
        # Root of the user namespace only. The copied-up /run and /etc are ours to change.
        rm -f /run/docker /run/containerd /run/xtables.lock
        driver=vfs
        if overlay_works; then
            driver=overlay2
        elif [ -c /dev/fuse ]; then
            driver=fuse-overlayfs
        fi
        echo "jailoc dind: storage driver $driver"
        # The socket on the shared volume is the only door; its group is that of user 1000.
        exec dockerd --rootless --group=0 --host="unix://$socket" \
            --data-root="$data" --storage-driver="$driver" --log-level=warn
        ;;
    *) fatal "unknown command '$1'" ;;
esac
