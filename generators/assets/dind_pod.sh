#!/bin/sh
# Stands before dind.sh in a pod. Directories there belong to the pod's group, and all that is
# made in them inherits that (fsGroup): a group that the daemon's user namespace does not know, so
# that it could not give a file of an image to its owner. The daemon works in directories of its
# own user.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# Whoever has made it, where it is not root's; then nothing is inherited there either.
[ "$(stat -c %u /tmp)" != 0 ] || { chgrp 0 /tmp && chmod a=rwx,g-s,+t /tmp; }
# shellcheck disable=SC2016
setpriv --reuid=65532 --regid=65532 --clear-groups --inh-caps=-all /bin/sh -c '
    mkdir -p "$1" && chgrp 65532 "$1" && chmod u=rwx,g=,o=,g-s "$1"' \
    sh /home/rootless/.local/share/docker
exec /bin/sh /etc/jailoc/dind.sh
