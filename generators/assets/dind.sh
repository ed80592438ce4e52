#!/bin/sh
# The agent's own Docker, without root: the daemon and all its containers live in
# a user namespace, and reach the network as ordinary processes of a user of
# their own, behind the wall. Starts as root only to open the tunnel device to
# that user, to give it what an older version kept as user 1000, and to make the
# socket where neither the agent nor a container of its can make another one.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
HOME=/home/rootless
export PATH HOME

self=/etc/jailoc/dind.sh
user=65532
before=1000 # whose the data was while the daemon shared the agent's UID
socket=/run/dind/docker.sock
data=$HOME/.local/share/docker

relay=65530 # nobody else's: no container of the daemon's can look into its processes

fatal() {
    printf 'FATAL: jailoc dind: %s\n' "$*" >&2
    exit 1
}

# Make the one socket that the agent and this container have in common, and hand bytes, nothing
# else, from there to the daemon. By a socket the agent could hand an open file of its mounts to a
# container (SCM_RIGHTS, unix(7)), where what is mounted over the files of a project holds nothing
# in place: rename(2) and unlink(2) ask for mount points of the caller's namespace alone. The
# daemon's own socket would do, for a container can be given power over the daemon's processes.
relay_bytes() {
    chmod 755 "${socket%/*}" || fatal "${socket%/*} is not root's"
    rm -f "$socket"
    # shellcheck disable=SC2016
    perl -e '
        use Socket; use POSIX ();
        my ($place, @next) = @ARGV;
        my $mask = umask 0111;
        my $door;
        socket($door, PF_UNIX, SOCK_STREAM, 0) && bind($door, sockaddr_un($place))
            && listen($door, SOMAXCONN) && POSIX::dup2(fileno($door), 0)
            or die "FATAL: jailoc dind: cannot make $place: $!\n";
        umask $mask;
        exec { $next[0] } @next or die "FATAL: jailoc dind: $next[0]: $!\n";
        ' "$socket" setpriv --reuid=$relay --regid=$user --clear-groups --inh-caps=-all \
        --ambient-caps=-all --no-new-privs perl -e '
        use Socket;
        $SIG{CHLD} = $SIG{PIPE} = "IGNORE";
        sub pass {
            my ($from, $to) = @_;
            while (sysread($from, my $piece, 65536)) {
                for (my $at = 0; $at < length $piece;) {
                    my $count = syswrite($to, $piece, length($piece) - $at, $at);
                    return unless defined $count;
                    $at += $count;
                }
            }
            shutdown($to, 1);
        }
        for (;;) {
            my ($agent, $daemon, $child);
            accept($agent, STDIN) or select(undef, undef, undef, 0.1), next;
            $child = fork;
            next if !defined $child || $child;
            for (glob "/tmp/rootless.*/docker.sock") {
                socket($daemon, PF_UNIX, SOCK_STREAM, 0) or exit;
                last if connect($daemon, sockaddr_un($_));
                undef $daemon;
            }
            exit unless $daemon;
            $child = fork;
            exit unless defined $child;
            $child ? pass($agent, $daemon) : pass($daemon, $agent);
            exit;
        }' &
    tries=0
    until [ -S "$socket" ]; do
        kill -0 $! 2>/dev/null || fatal "nothing serves $socket"
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || fatal "nothing serves $socket"
        sleep 0.02
    done
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

# Hand the data of user 1000 to the daemon's user. Only a user namespace that knows
# the owners of all the files may: this container's root has no power over files.
adopt() {
    echo "jailoc dind: giving the data of user $before to user $user, once"
    unshare --user --keep-caps /bin/sh "$self" adopt &
    child=$!
    tries=0
    # Before it has left this namespace, the map is that of the machine.
    while read -r _ <"/proc/$child/uid_map"; do
        tries=$((tries + 1))
        [ "$tries" -lt 500 ] || fatal 'cannot make a user namespace'
        sleep 0.02
    done
    map=$(printf '0 %s 1\n1 %s 1\n100000 100000 65536\n' "$user" "$before")
    for kind in gid uid; do
        printf '%s\n' "$map" >"/proc/$child/${kind}_map" || fatal "cannot map users $user and $before"
    done
    wait "$child" || fatal "cannot give the data of user $before to user $user"
}

case ${1:-start} in
    start)
        if [ ! -c /dev/net/tun ]; then fatal '/dev/net/tun is missing'; fi
        [ "$(stat -c %a /dev/net/tun)" = 666 ] || chmod 666 /dev/net/tun ||
            fatal "cannot open /dev/net/tun to user $user"
        # Root without capabilities may not read what is the user's.
        old=$(setpriv --reuid=$user --regid=$user --clear-groups --inh-caps=-all \
            find "$data" -mindepth 1 -maxdepth 1 -uid "$before" -print -quit)
        [ -z "$old" ] || adopt
        # A privileged container starts with every capability, among them those over the wall's
        # rules; no process that follows can have more than an unprivileged one.
        bounds=''
        if [ "$(sed -n 's/^CapBnd:[[:space:]]*0*//p' /proc/self/status)" != c0 ]; then
            bounds='--bounding-set=-all,+setuid,+setgid'
        fi
        relay_bytes
        # shellcheck disable=SC2086 # nothing is no argument
        exec setpriv --reuid=$user --regid=$user --clear-groups --inh-caps=-all \
            --ambient-caps=-all $bounds /bin/sh "$self" user
        ;;
    adopt)
        # In the new namespace, where the daemon's user is 0 and user 1000 is 1.
        until read -r _ </proc/self/uid_map; do sleep 0.02; done
        exec setpriv --reuid=0 --regid=0 --clear-groups /bin/sh "$self" own "$data"
        ;;
    own)
        # Depth first, so that what was interrupted is seen again. A new owner costs a file its
        # set-id bits and its capabilities: those files one by one, the others together.
        # shellcheck disable=SC2016
        exec find "$2" -xdev -depth \( -uid 1 -o -gid 1 \) -exec /bin/sh -c '
            set -eu
            capable=$(getcap -n "$@" 2>/dev/null) || true
            for file; do
                [ -f "$file" ] && [ ! -L "$file" ] || continue
                caps=""
                case $capable in
                    *"$file "*)
                        caps=$(getcap -n "$file")
                        caps=${caps#"$file "}
                        caps=${caps% \[*}
                        ;;
                esac
                if [ -u "$file" ] || [ -g "$file" ] || [ -n "$caps" ]; then
                    mode=$(stat -c %a "$file")
                    chown --from=1 0 "$file"
                    chown --from=:1 :0 "$file"
                    chmod "$mode" "$file"
                    [ -z "$caps" ] || setcap "$caps" "$file"
                fi
            done
            chown -h --from=1 0 "$@"
            chown -h --from=:1 :0 "$@"' sh {} +
        ;;
    user)
        [ -w "$data" ] || fatal "$data is not writable for user $user"
        [ ! -w "${socket%/*}" ] || fatal "${socket%/*} is writable for user $user"
        # A new folder for each start: the pid files and sockets of a killed daemon stop
        # the next one, and some of what it left belongs to its own users and stays.
        rm -rf /tmp/rootless.* 2>/dev/null || true
        XDG_RUNTIME_DIR=$(mktemp -d /tmp/rootless.XXXXXX)
        chmod 710 "$XDG_RUNTIME_DIR"
        export XDG_RUNTIME_DIR
        # tini reaps, as this user, what the daemon's helpers leave behind.
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
        # Not the one that the agent has: whoever carries bytes there may ask here, too.
        exec dockerd --rootless --group=0 --host="unix://$XDG_RUNTIME_DIR/docker.sock" \
            --data-root="$data" --storage-driver="$driver" --log-level=warn
        ;;
    *) fatal "unknown command '$1'" ;;
esac
