"""The proxy's configuration: which requests get which credential, and what never goes through.

The settings are HAProxy's (https://docs.haproxy.org/3.0/configuration.html).
"""

import hashlib
import json
from collections.abc import Iterator

from jailoc.generators.assets import asset
from jailoc.model.address import written
from jailoc.model.bundle import File
from jailoc.model.credential import PLAIN_PORT, TLS_PORT, Credential, CredentialHost, Scheme
from jailoc.model.firewall import PROXY_RESOLVER
from jailoc.model.sandbox import DNS_PORT, GENERATED, PROXY_ADDRESS, PROXY_RUN
from jailoc.model.workspace import Workspace

CONNECTIONS = 2048
"""At the same time, on the sandbox's side; one more waits."""
NAMES_FILE = "wall/credential-names"
_REMOVED = (
    "authorization", "proxy-authorization", "http2-settings", "te", "trailer", "range", "if-range",
    "forwarded", "script-name", "unencoded-url", "x-host", "x-http-verb", "x-matched-path",
    "x-real-url", "x-script-name",
)  # fmt: skip
"""Headers of a request that would say who asks, what is asked for, or how it is to be answered."""
_OVERRIDES = "^(x-(.*-)?(method|override)(-.*)?|(http-)?(method-)?override)$"
"""Headers that frameworks take another method from."""
_SIGNS = "%(2[0-9a-f]|3[a-f]|40|5[b-f]|60|7[b-f]|[0189a-f][0-9a-f])"
_NAMES = f'query,lower,regsub("{_SIGNS}","_",g),url_dec,lower,regsub("[^a-z0-9&;=]+","_",g)'
"""A query with one `_` for what is neither a letter nor a digit of a name, escaped or not: PHP
reads blanks, dots and brackets so."""
_X = "x_?(http_?)?"
_ASKED = (
    f"(^|[&;])((_|_?{_X}|_?http_?)method(_?override)?"
    f"|_?({_X}(method_?)?|http_?(method_?)?|method_?)override)([_=&;]|$)"
)
"""Fields of it that frameworks take another method from.

No group is repeated: a compiled expression with such a one gives up on a long text, and that counts
as no match (pcre2jit(3)).
"""
_SECOND_PATH = (
    "(^|,)(destination(-account)?|x-([a-z]+-)?(copy|rename|move)-(source|from)[a-z-]*"
    "|x-object-manifest|x-symlink-target[a-z-]*|x-(vault|consul|nomad)-namespace"
    "|dropbox-api-(arg|path-root))(,|$)"
)
"""Headers that name another path of the host, in a list of names with commas: those of WebDAV (RFC
4918, 10.3), of stores of objects (S3, Azure, OpenStack Swift), of Vault and of Dropbox."""
_REMOVED_PREFIXES = (
    "x-forwarded-", "x-original-", "x-rewrite-", "x-invoke-", "x-waws-", "x-envoy-original-",
)  # fmt: skip
_ODD = (
    # Nothing but visible ASCII, and whole escapes.
    "[^!-~]", "%([^0-9a-f]|.[^0-9a-f]|.?$)",
    # Controls, a blank, and UTF-8 that is longer than it has to be (RFC 3629, sections 3 and 10).
    "%([01][0-9a-f]|20|7f|c0|c1|f[5-9a-f])", "%e0%[89]", "%f0%8",
)  # fmt: skip
"""Parts of a path that two programs could read differently."""


def files(workspace: Workspace) -> tuple[File, ...]:
    """Return what the proxy of a workspace is made from."""
    texts = {
        "certified": "".join(f"{name}\n" for name in names(workspace)),
        "feed.pl": asset("feed.pl"),
        "feed.sh": asset("feed.sh"),
        "haproxy.cfg": configuration(workspace),
        "hosts.map": "".join(
            f"{host.name}:{host.port} {_backend(each, index)}\n"
            for each in workspace.credentials
            for index, host in enumerate(each.hosts)
        ),
        "proxy.sh": asset("proxy.sh"),
        "scrub.lua": asset("scrub.lua"),
    }
    return tuple(File(path=f"proxy/{name}", mode=0o644, text=text) for name, text in texts.items())


def limits(workspace: Workspace) -> tuple[File, ...]:
    """Return those of the files that say where which credential goes, and with what."""
    says = {"proxy/haproxy.cfg", "proxy/hosts.map"}
    return tuple(each for each in files(workspace) if each.path in says)


def names(workspace: Workspace) -> tuple[str, ...]:
    """Return every host name that has a credential, once, in order."""
    return tuple(sorted({host.name for each in workspace.credentials for host in each.hosts}))


def held_as(credential: Credential) -> str:
    """Return by what the proxy finds a value: the credential's name, and a digest of its limits.

    A value that came under other hosts, methods or paths is none: neither does the proxy of before
    send a new one where that was, nor that of now an old one where it was not to go.
    """
    said = credential.model_dump(
        mode="json",
        include={"hosts", "scheme", "username", "header", "prefix", "methods", "paths", "scrub"},
    )
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return f"{credential.name}/{digest[:16]}"


def told(workspace: Workspace) -> File:
    """Return which hosts have which credential; another text is another authority to trust."""
    text = "".join(
        f"{each.name}: {', '.join(host.text for host in each.hosts)}\n"
        for each in workspace.credentials
    )
    return File(path="agent/credentials", mode=0o644, text=text)


def configuration(workspace: Workspace) -> str:
    """Write `haproxy.cfg`."""
    lines = [*_global(), *_front(workspace)]
    for each in workspace.credentials:
        for index, host in enumerate(each.hosts):
            lines += _back(each, index, host)
    return "".join(f"{line}\n" for line in lines)


def _backend(credential: Credential, index: int) -> str:
    return f"credential-{credential.name}-{index}"


def _said(status: int, text: str) -> str:
    return f'return status {status} content-type text/plain string "jailoc: {text}\\n"'


def _global() -> Iterator[str]:
    yield "# Generated by jailoc: edits are lost."
    yield "global"
    yield from _indented(
        f"maxconn {CONNECTIONS}",
        "nbthread 2",
        # Room for a value of 8 KiB beside what else a request has.
        "tune.bufsize 32768",
        "tune.maxrewrite 12288",
        "log stdout format raw daemon info",
        f"lua-load {GENERATED}/scrub.lua",
        "ssl-default-bind-options ssl-min-ver TLSv1.2",
        "ssl-default-server-options ssl-min-ver TLSv1.2",
        f"stats socket {PROXY_RUN}/admin mode 600 level admin",
        "hard-stop-after 12h",
    )
    yield "defaults"
    yield from _indented(
        "mode http",
        "log global",
        "timeout connect 10s",
        "timeout client 1h",
        # Else who connects and says nothing holds a place for that hour.
        "timeout client-hs 60s",
        "timeout server 1h",
        "timeout http-request 60s",
        "timeout http-keep-alive 60s",
        "timeout queue 60s",
        "timeout tunnel 12h",
        # The scrub holds something back, and the kernel would wait for that to fill a packet.
        "option http-no-delay",
        # Who begins with HTTP/2 unasked would get it at every port.
        "option disable-h2-upgrade",
        # One request a connection to a host: one that leaves a body unread would take that for a
        # request, and the next one's credential for its header.
        "option http-server-close",
    )
    for status, text in (
        (400, "the request is malformed"),
        (502, "the host does not answer as it should"),
        (503, "the host cannot be reached, or its certificate is not for it"),
        (504, "the host takes too long"),
    ):
        yield f'    http-error status {status} content-type text/plain string "jailoc: {text}\\n"'
    yield (
        # What the agent chooses stands last: a line is cut at its end.
        '    log-format "credential=%[var(txn.credential)] %ST %B bytes %Ta ms %ts '
        '%[var(txn.host)] %HM %[var(txn.path)]"'
    )
    yield "resolvers wall"
    yield from _indented(
        f"nameserver wall {written(PROXY_RESOLVER.network_address)}:{DNS_PORT}",
        "accepted_payload_size 1232",
        "resolve_retries 3",
        "timeout resolve 1s",
        "timeout retry 1s",
        "hold valid 10s",
        "hold obsolete 0s",
        "hold nx 1s",
        "hold other 1s",
        "hold refused 1s",
        "hold timeout 1s",
    )


def _front(workspace: Workspace) -> Iterator[str]:
    yield "frontend sandbox"
    for port in sorted({host.port for each in workspace.credentials for host in each.hosts}):
        # With h2 here, large bodies stop for good under the filter.
        yield (
            f"    bind {PROXY_ADDRESS}:{port} ssl crt-list {PROXY_RUN}/certificates.list "
            "strict-sni alpn http/1.1"
        )
    yield from _indented(
        f"bind {PROXY_ADDRESS}:{PLAIN_PORT}",
        "http-request set-var(txn.host) req.hdr(host),host_only,lower",
        "http-request set-var(txn.path) path",
        "http-request set-var(txn.sni) ssl_fc_sni,lower",
        f"http-request set-var(txn.port) str({TLS_PORT})",
        f"http-request set-var(txn.port) dst_port unless {{ dst_port {PLAIN_PORT} }}",
        "http-request set-var-fmt(txn.place) %[var(txn.host)]:%[var(txn.port)]",
        f"http-request {_said(421, 'the host is not the one that the connection is for')} "
        "if { ssl_fc } !{ var(txn.host),strcmp(txn.sni) eq 0 }",
        f"http-request {_said(405, 'this method never gets a credential')} "
        "if { method TRACE CONNECT TRACK DEBUG }",
        # What a server takes for one of these in small letters is none that anybody sends.
        f"http-request {_said(405, 'this is no method')} unless {{ method -m reg ^[A-Z-]+$ }}",
        f"http-request {_said(400, 'only a path of the host may be asked for')} "
        "unless { path -m beg / }",
        f"http-request {_said(400, 'only WebSocket may be upgraded to')} "
        "if { req.hdr(upgrade) -m found } !{ req.fhdr(upgrade) -i websocket }",
        f"http-request {_said(400, 'only WebSocket may be upgraded to')} "
        "if { req.fhdr_cnt(upgrade) gt 1 }",
        "http-request set-var(txn.upgrade) bool(true) "
        "if { req.hdr(connection) -i upgrade } { req.fhdr(upgrade) -i websocket }",
        # What it names is taken out on the way: it could name the credential.
        "http-request del-header connection",
        "http-request set-header connection upgrade if { var(txn.upgrade) -m bool }",
        "http-request del-header upgrade unless { var(txn.upgrade) -m bool }",
        *(f"http-request del-header {each}" for each in _REMOVED),
        *(f"http-request del-header {each} -m beg" for each in _REMOVED_PREFIXES),
        f"http-request del-header '{_OVERRIDES}' -m reg",
        # Some servers read an underscore, or any other sign, as a hyphen.
        "http-request del-header '[^A-Za-z0-9-]' -m reg",
        "http-request set-header accept-encoding identity",
        "http-request set-uri %[pathq]",
        f"use_backend %[var(txn.place),map_str({GENERATED}/hosts.map)]",
        "default_backend none",
    )
    yield "backend none"
    yield from _indented(f"http-request {_said(421, 'this host has no credential')}")


def _back(credential: Credential, index: int, host: CredentialHost) -> Iterator[str]:
    yield f"backend {_backend(credential, index)}"
    yield f"    http-request set-var(txn.credential) str({credential.name})"
    if credential.methods:
        yield from _indented(
            f"acl allowed_method method {' '.join(credential.methods)}",
            f"http-request {_said(403, 'the credential is not for this method')} "
            "unless allowed_method",
            # Frameworks for forms take another one from here.
            f"http-request set-var(txn.asked) '{_NAMES}'",
            f"http-request {_said(403, 'another method may not be asked for')} "
            "if { var(txn.asked) -m reg '" + _ASKED + "' }",
        )
    if credential.paths:
        yield from _paths(credential)
    header = credential.header if credential.scheme is Scheme.HEADER else "authorization"
    yield from _indented(
        f"http-request set-var(txn.both) str({held_as(credential)}),map({PROXY_RUN}/values.map)",
        f"http-request {_said(503, 'the credential has no value; `jailoc up` brings it')} "
        "unless { var(txn.both) -m found }",
        "http-request set-var(txn.needle) var(txn.both),field(1,|),b64dec",
        "http-request set-var(txn.value) var(txn.both),field(2,|,0)",
        f"http-request set-header host {host.text}",
        f"http-request set-header {header} %[var(txn.value)]",
    )
    if credential.scrub:
        yield from _scrub()
    # A session is a credential, too; another way to the host would lead past the proxy.
    yield from _indented(
        "http-response del-header set-cookie",
        "http-response del-header set-cookie2",
        "http-response del-header alt-svc",
    )
    if credential.scrub:
        yield "    http-response lua.scrub"
    yield (
        f"    server upstream {host.name}:{host.port} ssl verify required "
        f"ca-file /etc/ssl/certs/ca-certificates.crt sni str({host.name}) verifyhost {host.name} "
        # A session that is resumed shows no certificate (RFC 8446, 2.2).
        "no-ssl-reuse alpn http/1.1 resolvers wall init-addr none resolve-prefer ipv4"
    )


def _paths(credential: Credential) -> Iterator[str]:
    """Yield the limit to paths; one that two programs could read differently gets nothing."""
    slash = any("%2f" in each.lower() for each in credential.paths)
    codes = "2e|5c|25|3b|3f|23|00" + ("" if slash else "|2f")
    yield f"    acl odd path -m reg -i %({codes})"
    yield "    acl odd path -m sub // /./ /../ \\\\ ;"
    yield "    acl odd path -m end /. /.."
    if slash:
        yield "    acl odd path -m reg -i (/|%2f)\\.{1,2}(/|%2f|$)"
        yield "    acl odd path -m reg -i (/|%2f)%2f|%2f/"
    for each in _ODD:
        yield f"    acl odd path -m reg -i '{each}'"
    for each in credential.paths:
        how = "beg" if each.endswith("/") else "str"
        yield f"    acl allowed path -m {how} -- '{each}'"
    text = _said(403, "the credential is not for this path")
    yield f"    http-request {text} if odd"
    yield f"    http-request {text} unless allowed"
    # COPY and MOVE write where another header says (RFC 4918, section 10.3); stores of objects read
    # from there.
    text = _said(403, "the credential is not for another path beside this one")
    yield f"    http-request {text} if {{ req.hdr_names -m reg -i '{_SECOND_PATH}' }}"


def _scrub() -> Iterator[str]:
    """Yield the filter, and refuse answers whose end it could not know, or not read."""
    text = _said(502, "an answer without a length, or encoded, cannot be looked through")
    yield from _indented(
        "filter lua.scrub",
        "http-request set-var(txn.head) bool(true) if METH_HEAD",
        f"http-response {text} unless {{ res.hdr(content-length) -m found }} || "
        "{ res.hdr(transfer-encoding) -m found } || { status 100:199 204 304 } || "
        "{ var(txn.head) -m bool }",
        f"http-response {text} if {{ res.hdr(content-encoding) -m found }}",
    )


def _indented(*lines: str) -> Iterator[str]:
    yield from (f"    {line}" for line in lines)
