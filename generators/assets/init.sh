# The wall of a pod, after the first part of firewall.sh: loads the rules of the pod's network,
# proves that they are there, says which network that is, and ends. Nobody holds the power to
# change them any more; other rules are another pod.
# shellcheck shell=sh disable=SC2154 # what is not set here is set there
set -eu

gate=/run/gate/gate
rm -f "$gate"
close iptables ip6tables 2>/dev/null
probe
check_rules "$etc/rules.v4"
[ -z "$tool6" ] || check_rules "$etc/rules.v6"
resolvers
echo '-m hashlimit ' >"$run/missing"
nothing_found
load
compare 4 "$tool4"
[ -z "$tool6" ] || compare 6 "$tool6"
{
    readlink /proc/self/ns/net
    cat /proc/sys/kernel/random/boot_id
} >"$gate.new"
mv "$gate.new" "$gate"
notice "rules loaded and verified: $(grep -c '^-' "$run/wanted.4") IPv4 ($tool4)${tool6:+, $(grep -c '^-' "$run/wanted.6") IPv6 ($tool6)}"
trap - EXIT HUP INT TERM
exit 0
