#!/bin/sh
# Can this image run the agent? Asked as the agent's user, in a container of its own without a network;
# one line for each thing that is missing, and a last line that says it was looked at.
set -eu
home='' found=''
while IFS=: read -r _ _ uid _ _ place _; do
    if [ "$uid" = @UID@ ]; then
        found=1 home=$place
        break
    fi
done </etc/passwd 2>/dev/null || true
if [ -z "$found" ]; then
    echo user
elif [ "$home" != /home/agent ]; then
    echo "home $home"
fi
for place in @DATA@ .local/state .cache .config; do
    # Both bits: a folder that cannot be entered cannot be written either.
    [ -d "/home/agent/$place" ] && [ -w "/home/agent/$place" ] && [ -x "/home/agent/$place" ] ||
        echo "folder /home/agent/$place"
done
for tool in cat curl sed; do
    command -v "$tool" >/dev/null 2>&1 || echo "tool $tool"
done
# The arguments are programs that Git's configuration names.
for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || [ -x "$(git --exec-path 2>/dev/null)/$program" ] ||
        echo "program $program"
done
if command -v @BINARY@ >/dev/null 2>&1; then
    if said=$(@BINARY@ --version 2>&1); then
        echo "version ${said##*
}"
    else
        echo "start ${said##*
}"
    fi
else
    echo @BINARY@
fi
echo end
