#!/bin/sh
# The proxy's first process, already without any privilege: makes the workspace's
# authority and one certificate a host, deletes the authority's key, then serves.
# What it makes lies in memory and outlives this container while the wall runs, so
# that the agent goes on trusting it.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
HOME=/run/proxy
export PATH HOME
umask 077

run=/run/proxy
trust=/run/trust
etc=/etc/jailoc
days=3650
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

make_authority() {
    permitted=''
    while read -r name; do
        permitted="${permitted:+$permitted,}permitted;DNS:$name"
    done <"$etc/certified"
    rm -f ./*.pem made
    # shellcheck disable=SC2086
    openssl req -x509 $key -keyout ca.key -out ca.crt -days $days \
        -subj '/CN=jailoc workspace authority' \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' \
        -addext 'keyUsage=critical,keyCertSign' \
        -addext "nameConstraints=critical,$permitted" 2>/dev/null
    : >certificates.list
    while read -r name; do
        # shellcheck disable=SC2086
        openssl req -new $key -keyout leaf.key -out leaf.csr -subj '/CN=jailoc' 2>/dev/null
        printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n' "$name" >extensions
        openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -days $((days - 1)) \
            -extfile extensions -out leaf.crt 2>/dev/null
        cat leaf.crt leaf.key >"$name.pem"
        rm leaf.key leaf.csr leaf.crt
        echo "$run/$name.pem $name" >>certificates.list
    done <"$etc/certified"
    rm ca.key extensions
    (
        umask 022
        cp ca.crt "$trust/ca.new"
        cat /etc/ssl/certs/ca-certificates.crt ca.crt >"$trust/bundle.new"
        chmod 0444 "$trust/ca.new" "$trust/bundle.new"
        mv "$trust/ca.new" "$trust/ca.pem"
        mv "$trust/bundle.new" "$trust/bundle.pem"
    )
    rm ca.crt
    cp "$etc/certified" made
}

cd $run
rm -rf pid admin new
cmp -s "$etc/certified" made || make_authority
[ -f values.map ] || : >values.map
trap 'kill $! 2>/dev/null; exit 0' TERM INT
while :; do
    haproxy -W -db -p $run/pid -f "$etc/haproxy.cfg" &
    wait $! || true
    rm -f pid
    sleep 1
done
