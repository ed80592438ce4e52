"""Credentials that the agent uses and never holds, against servers with TLS that the tests made."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jailoc.model.sandbox import PROXY_ID
from tests.engine import world
from tests.engine.clones import repository
from tests.engine.conftest import Sandbox, address
from tests.engine.keys import HOSTS, NAME, REQUESTS, Keys, prepared, ready, serve, started, value
from tests.engine.upstream import PLAIN

pytestmark = pytest.mark.engine

LOOP = r"""
import http.client, json, ssl, sys, time
context = ssl.create_default_context(cafile="/run/trust/bundle.pem")
end, seen, broken = time.time() + float(sys.argv[1]), [], 0
peer = http.client.HTTPSConnection("api.creds.test", context=context, timeout=20)
while time.time() < end:
    peer.request("GET", "/whoami")
    answer = peer.getresponse()
    word = answer.read().decode()
    if answer.status != 200:
        broken += 1
    seen.append((round(time.time(), 3), word))
print(json.dumps([broken, seen]))
"""
MANY = r"""
import concurrent.futures, http.client, socket, ssl, sys
# What is asked is the proxy: a thousand questions for one name are another test's.
found = socket.getaddrinfo("api.creds.test", 443, type=socket.SOCK_STREAM)
socket.getaddrinfo = lambda *words, **more: found
context = ssl.create_default_context(cafile="/run/trust/bundle.pem")
def one(number):
    peer = http.client.HTTPSConnection("api.creds.test", context=context, timeout=120)
    peer.request("POST", "/v1/echo", str(number))
    answer = peer.getresponse()
    body = answer.read().decode()
    return answer.status == 200 and body.endswith(f" and {number}")
with concurrent.futures.ThreadPoolExecutor(int(sys.argv[1])) as pool:
    print(sum(pool.map(one, range(int(sys.argv[2])))))
"""


@pytest.fixture(scope="module")
def keys(sandbox: Sandbox) -> Iterator[Keys]:
    """Start a workspace whose proxy also trusts the tests' own authority."""
    with world.home(NAME) as user:
        made = user.home / "made"
        for place in (user.home / "work", made):
            place.mkdir()
            place.chmod(0o777)
        found = Keys(user, made, {each: value(each) for each in ("api", "git", "npm")})
        (there,) = json.loads(world.call("docker", "inspect", sandbox.container("opencode")))
        prepared(found, there["Config"]["Image"])
        with started(found):
            yield found


def headers(request: dict[str, Any], name: str) -> list[str]:
    return [
        each.partition(":")[2].strip()
        for each in request["headers"]
        if each.lower().startswith(f"{name}:")
    ]


def http(line: str, *more: str, host: str = "api.creds.test", body: str = "") -> str:
    lines = [line, f"Host: {host}", *more]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def test_tools_that_know_nothing_of_it_are_authenticated(keys: Keys) -> None:
    keys.seen()
    name, node = (
        "https://api.creds.test/whoami",
        "fetch(process.argv[1]).then(a=>a.text()).then(console.log)",
    )
    end = keys.values["api"][-4:]
    assert keys.curl("--header", "Authorization: Bearer jailoc-api", name) == end
    assert keys.agent("node", "-e", node, name).strip() == end
    python = "import sys,urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"
    assert keys.agent("python3", "-c", python, name).strip() == end
    assert keys.curl("http://api.creds.test/whoami") == end
    assert keys.curl("https://api.creds.test:8443/whoami") == end
    requests = keys.seen()
    assert len(requests) == 5
    for each in requests:
        assert headers(each, "authorization") == [f"Bearer {keys.values['api']}"]
    assert requests[-1]["server"] == "tls 8443"
    keys.curl("https://git.creds.test/v1/x")
    keys.curl("--header", "X-Api-Key: mine", "https://npm.creds.test/v1/x")
    git, npm = keys.seen()
    assert headers(git, "authorization")[0].startswith("Basic ")
    assert headers(npm, "x-api-key") == [keys.values["npm"]]
    assert not headers(npm, "authorization")
    assert keys.agent("printenv", "API_KEY").strip() == "jailoc-api"


ORDINARY = (
    "method=flickr.photos&http=1&x=2&override=true&overrideSettings=1&overrides[]=1"
    "&q=a%26%20method%20b&url=https://e.test/?override=1&r=why?+override&a=_method&max_override=1"
)


def test_only_what_is_named_gets_the_credential(keys: Keys) -> None:
    """The same bytes, sent by somebody without a proxy, reach the server as they are."""
    keys.seen()
    wanted = {
        "names the header": http("GET /whoami HTTP/1.1", "Connection: close, authorization"),
        "method override": http("POST /v1/x HTTP/1.1", "X-HTTP-Method-Override: DELETE",
                                "X_HTTP_Method_Override: DELETE", "Content-Length: 0"),
        "other url": http("GET /v1/x HTTP/1.1", "X-Original-URL: /admin", "X-Rewrite-Url: /admin",
                          "X-Script-Name: /admin", "X-Invoke-Path: /admin", "X-HTTP-Verb: DELETE",
                          "X-Forwarded-Host: admin", "X-Original-Method: DELETE",
                          "X-HTTP-Method.Override: DELETE", "X-HTTP-Override: DELETE",
                          "X-Method: DELETE", "Method-Override: DELETE",
                          "Http-Method-Override: DELETE", "Override: DELETE"),
        "an ordinary query": http(f"GET /v1/x?{ORDINARY} HTTP/1.1"),
        "range": http("GET /v1/echo HTTP/1.1", "Range: bytes=9-", "If-Range: x"),
        "absolute": http("GET http://api.creds.test/whoami HTTP/1.1"),
        "old protocol": http("GET /v1/x HTTP/1.1", "HTTP2-Settings: AAMAAABkAAQAAP__"),
        "two credentials": http("GET /v1/x HTTP/1.1", "Authorization: a", "Authorization: b"),
        "h2c": http("GET /v1/x HTTP/1.1", "Connection: upgrade", "Upgrade: h2c"),
        "bare line feed": "GET /whoami HTTP/1.1\nHost: api.creds.test\n\n",
    }  # fmt: skip
    refused = {
        **{
            f"path {each}": (403, http(f"GET {each} HTTP/1.1"))
            for each in (
                "/v1/../admin",
                "/v1/%2e%2e/admin",
                "/v1/..%2fadmin",
                "/v1/%252e%252e/admin",
                "/v1//admin",
                "/v1/..;/admin",
                "/v1/x\\..\\admin",
                "/v1/.%2e/admin",
                "/V1/x",
                "/admin",
                "/v1/x%3fy",
                "/v1/%00",
                "/v1/..",
                "/whoami/x",
                "/v1/%23",
                "/v1/%c0%ae%c0%ae/admin",
                "/v1/%09",
                "/v1/%20",
                "/v1/%u002e%u002e/admin",
                "/v1/%e0%80%ae/admin",
                "/v1/%f8%80%80%80%ae/admin",
                "/v1/%fc%80%80%80%80%ae/admin",
                "/v1/%",
            )
        },
        "DELETE": (403, http("DELETE /v1/x HTTP/1.1")),
        "another path": (
            403,
            http("POST /v1/x HTTP/1.1", "Destination: /admin/y", "Content-Length: 0"),
        ),
        "another path to copy from": (
            403,
            http("POST /v1/x HTTP/1.1", "X-Goog-Copy-Source: /private/y", "Content-Length: 0"),
        ),
        **{
            f"another path by {each}": (
                403,
                http("POST /v1/x HTTP/1.1", f"{each}: /private/y", "Content-Length: 0"),
            )
            for each in (
                "X-Copy-From",
                "Destination-Account",
                "X-Object-Manifest",
                "X-Symlink-Target",
                "X-Vault-Namespace",
                "Dropbox-API-Arg",
            )
        },
        "method in the query": (
            403,
            http("POST /v1/x?a=1&_method=DELETE HTTP/1.1", "Content-Length: 0"),
        ),
        "escaped method in the query": (
            403,
            http("POST /v1/x?%5Fmethod=DELETE HTTP/1.1", "Content-Length: 0"),
        ),
        **{
            f"method in the query {each}": (
                403,
                http(f"POST /v1/x?{each}=DELETE HTTP/1.1", "Content-Length: 0"),
            )
            for each in (
                ".method",
                "+_method",
                "%20_method",
                "[method",
                "a&.method",
                "X-HTTP-Method-Override",
                "x.http.method.override",
                "_METHOD",
                "b;_method",
                "methodOverride",
                "_m%65thod",
                # As long as may be: an expression that gives up finds nothing.
                f"{'?' * 1500}a&_method",
                f"{'_.' * 5000}a&_method",
                f"{'%2e' * 4500}a&_method",
            )
        },
        "trace": (405, http("trace /v1/x HTTP/1.1")),
        "TRACK": (405, http("TRACK /v1/x HTTP/1.1")),
        "TRACE": (405, http("TRACE /v1/x HTTP/1.1")),
        "CONNECT": (405, "CONNECT api.creds.test:443 HTTP/1.1\r\nHost: api.creds.test\r\n\r\n"),
        "other host": (421, http("GET /whoami HTTP/1.1", host="other.test")),
        "host of another": (421, http("GET /v1/x HTTP/1.1", host="git.creds.test")),
        "final dot": (421, http("GET /whoami HTTP/1.1", host="api.creds.test.")),
        "two hosts": (400, http("GET /whoami HTTP/1.1", "Host: git.creds.test")),
        "absolute elsewhere": (400, http("GET http://git.creds.test/ HTTP/1.1")),
        "no path": (400, http("OPTIONS * HTTP/1.1")),
        "two upgrades": (
            400,
            http("GET /v1/x HTTP/1.1", "Connection: upgrade", "Upgrade: foo", "Upgrade: websocket"),
        ),
        "two lengths": (400, http("POST /v1/x HTTP/1.1", "Content-Length: 1", "Content-Length: 2")),
        "odd coding": (400, http("POST /v1/x HTTP/1.1", "Transfer-Encoding: xchunked")),
        "carriage return": (400, http("GET /whoami HTTP/1.1", "X-A: a\rb")),
    }
    place = ("127.0.0.54",)
    answers = keys.ask(
        *((name, 443, text, "api.creds.test", *place) for name, text in wanted.items()),
        *((name, 443, text, "api.creds.test", *place) for name, (_, text) in refused.items()),
        ("plain, other host", 80, http("GET / HTTP/1.1", host="other.test"), "", *place),
        ("foreign SNI", 443, http("GET / HTTP/1.1"), "somebody.test", *place),
    )  # fmt: skip
    assert {n for n in refused if answers[n][:5] != "HTTP/"} == set(), answers
    statuses = {name: answers[name][9:12] for name in (*wanted, *refused)}
    assert {name: statuses[name] for name in wanted} == dict.fromkeys(wanted, "200")
    assert {n: statuses[n] for n in refused} == {n: str(s) for n, (s, _) in refused.items()}
    assert answers["plain, other host"][9:12] == "421"
    assert answers["foreign SNI"].startswith("SSLError")
    requests = keys.seen()
    # Nothing that was refused arrived, and of the rest nothing that says something else.
    assert [each["first"] for each in requests] == [
        "GET /whoami HTTP/1.1", "POST /v1/x HTTP/1.1", "GET /v1/x HTTP/1.1",
        f"GET /v1/x?{ORDINARY} HTTP/1.1", "GET /v1/echo HTTP/1.1",
        "GET /whoami HTTP/1.1", "GET /v1/x HTTP/1.1", "GET /v1/x HTTP/1.1", "GET /v1/x HTTP/1.1",
        "GET /whoami HTTP/1.1",
    ]  # fmt: skip
    for each in requests:
        assert headers(each, "authorization") == [f"Bearer {keys.values['api']}"]
        text = "\n".join(each["headers"]).lower()
        for word in ("override", "x-method", "original-url", "rewrite-url", "range:",
                     "http2-settings", "h2c", "x-forwarded-host", "original-method",
                     ": close, authorization"):  # fmt: skip
            assert word not in text
    control = keys.ask(
        *((name, 443, text, "api.creds.test", "127.0.0.1") for name, text in wanted.items()
          if "feed" not in name),
        *((n, 443, text, "api.creds.test", "127.0.0.1") for n, (_, text) in refused.items()
          if n.startswith("path") or "method" in n
          or n in {"DELETE", "TRACE", "other host", "final dot"}),
        direct=True,
    )  # fmt: skip
    assert {each[9:12] for each in control.values()} == {"200"}
    text = json.dumps(keys.seen()).lower()
    for word in ("close, authorization", "override: delete", "x-original-url: /admin",
                 "x-script-name", "x-invoke-path", "x-http-verb", "x-forwarded-host: admin",
                 "x-original-method: delete", "method.override",
                 "x-http-override", "_method=delete", "range: bytes", "delete /v1/x",
                 "trace /v1/x", "/v1/../admin", "h2c"):  # fmt: skip
        assert word in text


def test_one_request_is_never_taken_for_two(keys: Keys) -> None:
    """CL and TE together: the rest is judged as a request of its own."""
    keys.seen()
    inner = http("GET /admin HTTP/1.1")
    text = http("POST /v1/x HTTP/1.1", f"Content-Length: {5 + len(inner)}",
                "Transfer-Encoding: chunked", body="0\r\n\r\n" + inner)  # fmt: skip
    keys.ask(("both", 443, text, "api.creds.test", "127.0.0.54"))
    assert "/admin" not in json.dumps([each["first"] for each in keys.seen()])
    keys.ask(("both", 443, text, "api.creds.test", "127.0.0.1"), direct=True)
    assert "/admin" in json.dumps([each["first"] for each in keys.seen()])


def test_a_body_that_the_host_leaves_unread_gets_no_credential(keys: Keys) -> None:
    """It takes the body for a request; what follows it on that connection would be its headers."""
    keys.seen()
    inner = "DELETE /admin HTTP/1.1\r\nHost: api.creds.test\r\nX-A: "
    text = http("GET /v1/lazy HTTP/1.1", f"Content-Length: {len(inner)}", body=inner)
    text += http("GET /v1/b HTTP/1.1", "Authorization: made")
    keys.ask(("x", 443, text + http("GET /v1/c HTTP/1.1"), "api.creds.test", "127.0.0.54"))
    assert "DELETE /admin" not in json.dumps(keys.seen())
    # The control: on one connection the host does so, with the credential of the next request.
    keys.ask(("x", 443, text, "api.creds.test", "127.0.0.1"), direct=True)
    time.sleep(1)
    (taken,) = [each for each in keys.seen() if each["first"].startswith("DELETE /admin")]
    assert headers(taken, "authorization") == ["made"]


def test_what_comes_after_a_declined_upgrade_is_a_request_of_its_own(keys: Keys) -> None:
    """The host answers a question for WebSocket as any other; no tunnel is open then."""
    keys.seen()
    asked = http(
        "GET /v1/x HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )  # fmt: skip
    text = asked + http("GET /admin HTTP/1.1") + http("DELETE /v1/x HTTP/1.1")
    answer = keys.ask(("x", 443, text, "api.creds.test", "127.0.0.54"))["x"]
    assert answer.startswith("HTTP/1.1 200")
    time.sleep(1)
    assert [each["first"] for each in keys.seen()] == ["GET /v1/x HTTP/1.1"]
    # The control: without the proxy all three arrive on that connection.
    keys.ask(("x", 443, text, "api.creds.test", "127.0.0.1"), direct=True)
    time.sleep(1)
    assert len(keys.seen()) == 3


def test_a_body_that_waits_for_a_word_is_one_request(keys: Keys) -> None:
    """`Expect: 100-continue` (RFC 9110, section 10.1.1), with and without waiting for it."""
    keys.seen()
    body = http("GET /admin HTTP/1.1")
    text = http("POST /v1/echo HTTP/1.1", "Expect: 100-continue",
                f"Content-Length: {len(body)}", body=body)  # fmt: skip
    keys.ask(("at once", 443, text, "api.creds.test", "127.0.0.54"))
    (seen,) = keys.seen()
    assert (seen["first"], seen["body"]) == ("POST /v1/echo HTTP/1.1", len(body))
    assert headers(seen, "authorization") == [f"Bearer {keys.values['api']}"]
    end = keys.curl("--header", "Expect: 100-continue", "--expect100-timeout", "1", "--data", "a=1",
                    "https://api.creds.test/v1/echo")  # fmt: skip
    assert end.endswith(" and a=1")
    odd = http("POST /v1/x HTTP/1.1", "Expect: 200-made", "Content-Length: 0")
    answer = keys.ask(("odd", 443, odd, "api.creds.test", "127.0.0.54"))["odd"]
    assert answer[9:12] in {"200", "417"}
    requests = keys.seen()
    assert {each["first"] for each in requests} <= {"POST /v1/echo HTTP/1.1", "POST /v1/x HTTP/1.1"}


def test_what_follows_a_body_in_pieces_names_no_credential_and_no_request(keys: Keys) -> None:
    """Trailers (RFC 9112, section 7.1.2): the credential stays the header, and the end the end."""
    keys.seen()
    tail = "Authorization: made\r\nX-HTTP-Method-Override: DELETE\r\nX-Mine: 1\r\n\r\n"
    text = http("POST /v1/x HTTP/1.1", "Transfer-Encoding: chunked", "Trailer: Authorization",
                body=f"1\r\na\r\n0\r\n{tail}")  # fmt: skip
    after = http("GET /admin HTTP/1.1")
    answers = keys.ask(
        ("x", 443, text + after, "api.creds.test", "127.0.0.54"),
        ("none", 443, text.replace(tail, "\r\n") + after, "api.creds.test", "127.0.0.54"),
    )
    assert {each[9:12] for each in answers.values()} == {"200"}, answers
    time.sleep(1)
    requests = keys.seen()
    assert [each["first"] for each in requests] == ["POST /v1/x HTTP/1.1"] * 2
    for each in requests:
        assert headers(each, "authorization") == [f"Bearer {keys.values['api']}"]
        assert not headers(each, "trailer")
    # They pass as trailers, which nobody may take for headers (RFC 9110, section 6.5.1).
    assert "authorization: made" in requests[0]["trailers"]
    # The control: without the proxy they arrive, and so does the request behind them.
    keys.ask(("x", 443, text + after, "api.creds.test", "127.0.0.1"), direct=True)
    time.sleep(1)
    first, second = keys.seen()
    assert "Authorization: made" in first["trailers"]
    assert second["first"] == "GET /admin HTTP/1.1"


IDLE = r"""
import resource, select, socket, sys, time
most, port = int(sys.argv[1]), int(sys.argv[2])
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, most + 100), hard))
held = []
for _ in range(most):
    peer = socket.socket()
    peer.settimeout(2)
    try:
        peer.connect(("127.0.0.54", port))
    except OSError:
        break
    held.append(peer)
print(len(held), flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("port", [443, 80])
def test_idle_connections_close_the_proxy_and_never_open_it(keys: Keys, port: int) -> None:
    """Full, it answers nobody; when they go, it serves as before, and nothing left without it."""
    keys.seen()
    address = "https://api.creds.test/whoami"
    holder = subprocess.Popen(
        ["docker", "exec", "--interactive", "--user", "1000:1000", keys.container("opencode"),
         "python3", "-c", IDLE, "2300", str(port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    try:
        assert int(holder.stdout.readline()) > 2048
        told = keys.curl("--max-time", "5", "--write-out", "%{http_code}", address)
        assert told == "000", told
        assert keys.seen() == []
    finally:
        holder.communicate("\n", timeout=60)
    end = keys.values["api"][-4:]
    for _ in range(30):
        if keys.curl("--max-time", "5", address) == end:
            break
        time.sleep(1)
    else:
        raise AssertionError(world.logs(keys.container("proxy"))[-3000:])
    for each in keys.seen():
        assert headers(each, "authorization") == [f"Bearer {keys.values['api']}"]


def test_a_name_that_leads_to_another_host_later_gets_no_credential(keys: Keys) -> None:
    """Whoever runs the zone can move it; the certificate is asked for each connection."""
    (there,) = json.loads(world.call("docker", "inspect", keys.upstream))
    ((net, facts),) = there["NetworkSettings"]["Networks"].items()
    good = [each for each in facts["Aliases"] if each.endswith(".creds.test")]
    thief = ""
    try:
        world.call("docker", "network", "disconnect", net, keys.upstream)
        thief = serve(keys.sandbox, keys.made, "other", "api.creds.test")
        told = ""
        for _ in range(30):
            told = keys.curl("--max-time", "20", "https://api.creds.test/whoami")
            if "its certificate is not for it" in told and thief_was_asked(keys, thief):
                break
            time.sleep(1)
        else:
            raise AssertionError(told)
        assert Keys(keys.user, keys.made, keys.values, thief).seen() == []
    finally:
        if thief:
            world.call("docker", "rm", "--force", thief, check=False)
        world.call(
            "docker",
            "network",
            "connect",
            *(word for each in good for word in ("--alias", each)),
            net,
            keys.upstream,
        )
    ready(keys)


def test_a_session_that_is_resumed_hides_no_certificate(keys: Keys) -> None:
    def swapped(name: str) -> str:
        send = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{PLAIN}" \
               f"/v1/certificate?{name}').read().decode())"  # fmt: skip
        return world.call("docker", "exec", keys.upstream, "python3", "-c", send)

    code = ("--output", "/dev/null", "--write-out", "%{http_code}")
    assert keys.curl("https://api.creds.test/whoami") == keys.values["api"][-4:]
    try:
        swapped("other")
        keys.seen()
        answers = [keys.curl(*code, "https://api.creds.test/whoami") for _ in range(5)]
        assert answers == ["503"] * 5
        assert keys.seen() == []
    finally:
        swapped("good")
    assert keys.curl("https://api.creds.test/whoami") == keys.values["api"][-4:]


def thief_was_asked(keys: Keys, thief: str) -> bool:
    """Tell whether the name leads to another host by now, for the wall's resolver."""
    (there,) = json.loads(world.call("docker", "inspect", thief))
    ((_, facts),) = there["NetworkSettings"]["Networks"].items()
    state = world.call("docker", "exec", keys.container("firewall"), "sh", "-c",
                       "cat /run/jailoc/names/*.json")  # fmt: skip
    return facts["IPAddress"] in state


def test_nobody_gets_a_second_protocol_by_beginning_with_it(keys: Keys) -> None:
    """HTTP/2 with prior knowledge (RFC 9113, section 3.3), without TLS and after a handshake."""
    request = "".join(
        f"\0{chr(len(key))}{key}{chr(len(text))}{text}"
        for key, text in ((":method", "GET"), (":scheme", "http"), (":path", "/v1/x"),
                          (":authority", "api.creds.test"))
    )  # fmt: skip
    frames = f"\0\0\0\4\0\0\0\0\0\0\0{chr(len(request))}\1\5\0\0\0\1{request}"
    begun = f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{frames}"
    keys.seen()
    answers = keys.ask(
        ("plain", 80, begun, "", "127.0.0.54"),
        ("tls", 443, begun, "api.creds.test", "127.0.0.54"),
    )
    assert {each[9:12] for each in answers.values()} == {"400"}, answers
    assert keys.seen() == []
    # The control: the same question in the first protocol is answered and arrives.
    plain = ("x", 80, http("GET /v1/x HTTP/1.1"), "", "127.0.0.54")
    assert keys.ask(plain)["x"][9:12] == "200"
    assert len(keys.seen()) == 1


def test_an_answer_that_holds_the_value_is_starred_or_refused(keys: Keys) -> None:
    token = keys.values["api"]
    place, stars = "https://api.creds.test/v1", "*" * len(token)
    assert keys.curl("--data", "more", f"{place}/echo") == f"you said {stars} and more"
    assert token not in keys.curl("--include", f"{place}/header")
    for cut in range(1, len(token), 4):
        assert keys.curl(f"{place}/chunks?{cut}") == f"a{stars}z"
    planted = keys.curl(f"{place}/planted?3000")
    assert token not in planted
    assert planted.count(stars + ".") == 3000
    assert len(planted) == sum(i % len(token) for i in range(3000)) + 3000 * (len(token) + 1)
    code = ("--output", "/dev/null", "--write-out", "%{http_code}")
    assert keys.curl(*code, f"{place}/close") == "502"
    assert keys.curl(*code, f"{place}/coded") == "502"
    assert "session" not in keys.curl("--include", f"{place}/cookie")
    assert "h3=" not in keys.curl("--include", f"{place}/cookie")
    basic = keys.curl("--data", "x", "https://git.creds.test/v1/echo")
    assert keys.values["git"] not in basic
    # Without the filter it comes through: what the server is told, it says.
    assert keys.values["npm"] in keys.curl("--data", "x", "https://npm.creds.test/v1/echo")
    assert "session=1" in keys.ask(
        ("x", 443, http("GET /v1/cookie HTTP/1.1"), "api.creds.test", "127.0.0.1"), direct=True
    )["x"]  # fmt: skip


EARLY = r"""
import http.client, json, ssl, sys, urllib.parse
context = ssl.create_default_context(cafile="/run/trust/bundle.pem")
peer = http.client.HTTPSConnection("api.creds.test", context=context, timeout=20)
found = {}
for text in json.load(sys.stdin):
    peer.request("GET", "/v1/raw?" + urllib.parse.quote(text, safe=""))
    whole = peer.getresponse().read().decode()
    peer.request("GET", "/v1/stream?" + urllib.parse.quote(text, safe=""))
    answer = peer.getresponse()
    first = answer.read1(1000).decode()
    answer.read()
    found[text] = [whole, first]
print(json.dumps(found))
"""


def test_no_answer_tells_whether_a_guess_of_the_value_is_right(keys: Keys) -> None:
    """The agent has a host repeat its guesses; without the value in whole all look alike."""
    token = keys.values["api"]
    right = [token[:size] for size in (1, 9, len(token) // 2, len(token) - 1)]
    wrong = ["#" * len(each) for each in right]
    lines = [f"data: {each}\n" for each in right[1:3]]
    found = json.loads(
        keys.agent("python3", "-c", EARLY, stdin=json.dumps([*right, *wrong, *lines, f"<{token}>"]))
    )
    for good, bad in zip(right, wrong, strict=True):
        assert found[good][0] == good
        assert len(found[good][1]) == len(found[bad][1])
    # The controls: what is a line comes at once, and the whole is starred.
    assert all(found[each] == [each, each] for each in lines)
    assert found[f"<{token}>"][0] == f"<{'*' * len(token)}>"


def test_neither_the_reason_nor_the_name_of_a_header_tells_the_value(keys: Keys) -> None:
    token = keys.values["api"].lower()
    for place in ("reason", "named"):
        told = keys.curl("--include", f"https://api.creds.test/v1/{place}").lower()
        assert told.endswith("ok")
        assert token not in told
        # The control: to who asks the host itself, it is told.
        request = http(f"GET /v1/{place} HTTP/1.1", f"Authorization: Bearer {token}")
        direct = keys.ask(("x", 443, request, "api.creds.test", "127.0.0.1"), direct=True)["x"]
        assert token in direct.lower()


def test_nobody_but_the_proxy_answers_at_its_address(keys: Keys) -> None:
    """In a moment without a proxy its ports are free: who takes one, gets no connection."""
    take = (
        "import socket,sys\n"
        "for host in ('127.0.0.54', '127.0.0.56'):\n"
        "    door = socket.socket(); door.bind((host, 9999)); door.listen()\n"
        "    try:\n"
        "        socket.create_connection((host, 9999), 2).close(); print('open')\n"
        "    except OSError as error:\n"
        "        print(type(error).__name__)\n"
    )
    assert keys.agent("python3", "-c", take).split() == ["TimeoutError", "open"]
    assert keys.curl("https://api.creds.test/whoami") == keys.values["api"][-4:]


def test_who_is_not_the_host_gets_no_request(keys: Keys) -> None:
    """A trusted certificate with another name, and a host that is not there."""
    code = ("--output", "/dev/null", "--write-out", "%{http_code}")
    assert keys.curl(*code, "https://bad.creds.test/v1/x") == "503"
    assert keys.curl(*code, "https://gone.creds.test/v1/x") == "503"
    answer = keys.curl(
        "--location", "--write-out", "%{http_code}", "https://api.creds.test/v1/away"
    )
    assert answer.endswith("000") or "302" in answer


def test_there_is_no_way_around_the_proxy_and_none_for_it(keys: Keys) -> None:
    there = address(keys.upstream)
    probe = (
        "import socket,sys\n"
        "for place in sys.argv[1:]:\n"
        "    host, port = place.rsplit(':', 1)\n"
        "    try:\n"
        "        socket.create_connection((host, int(port)), 3).close(); print('open')\n"
        "    except OSError as error:\n"
        "        print(type(error).__name__)\n"
    )
    control = world.call("docker", "exec", keys.upstream, "python3", "-c", probe,
                         f"{there}:443", f"{there}:9443", f"{there}:{PLAIN}")  # fmt: skip
    assert control.split() == ["open"] * 3
    closed = keys.agent("python3", "-c", probe, f"{there}:443", f"{there}:{PLAIN}",
                        "127.0.0.55:53").split()  # fmt: skip
    assert "open" not in closed
    # What the proxy's user may: its hosts on their ports, and nothing else.
    wall = keys.container("firewall")
    mine = world.call(
        "docker", "exec", "--user", f"{PROXY_ID}:{PROXY_ID}", wall, "python3", "-c", probe,
        f"{there}:443", f"{there}:9443", f"{there}:{PLAIN}", "127.0.0.1:4096", "127.0.0.55:53",
    ).split()  # fmt: skip
    assert [each == "open" for each in mine] == [True, False, False, False, True]
    # Nobody else can become it, or take its port.
    become = f"import os; os.setresuid({PROXY_ID}, {PROXY_ID}, {PROXY_ID})"
    take = "import socket; s=socket.socket(); s.bind(('127.0.0.54', 443)); s.listen()"
    for program in (become, take):
        assert "refused" in keys.agent(
            "sh", "-c", 'python3 -c "$1" 2>/dev/null || echo refused', "sh", program
        )


def test_the_value_is_in_the_proxys_memory_and_nowhere_else(keys: Keys) -> None:
    assert not keys.arguments
    values = tuple(keys.values.values())
    project = f"label=com.docker.compose.project=jailoc-{NAME}"
    every = world.call("docker", "ps", "--quiet", "--filter", project).split()
    assert len(every) == 3
    texts = {"inspect": world.call("docker", "inspect", *every)}
    texts |= {each: world.logs(each) for each in every}
    for command in (
        ("plan", NAME, "--json"), ("config", NAME), ("status", NAME, "--json"),
        ("render", NAME, "--json"), ("explain", "api.creds.test", "--json"),
    ):  # fmt: skip
        texts[" ".join(command)] = keys.jailoc(*command).stdout
    cache = keys.user.home / ".cache"
    for place in cache.rglob("*"):
        if place.is_file():
            texts[str(place)] = place.read_bytes().decode(errors="replace")
    look = (
        "for place in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do tr '\\0' '\\n' <$place; done; "
        "find / -xdev -type f -newer /etc/hostname -size -2000k -exec cat {} + ; "
        "find /run /etc /home /tmp /held -type f -exec cat {} +"
    )
    for service, user in (("opencode", "1000:1000"), ("firewall", "0:0")):
        done = subprocess.run(
            ["docker", "exec", "--user", user, keys.container(service), "sh", "-c", look],
            capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        texts[service] = done.stdout.decode(errors="replace")
    assert not [name for name, text in texts.items() if any(each in text for each in values)]
    # The control: it is where it should be, and the same look finds it there.
    held = world.call(
        "docker", "exec", "--user", f"{PROXY_ID}:{PROXY_ID}", keys.container("proxy"), "sh", "-c",
        "find /run -type f -exec cat {} +; ls /run/proxy; cat /proc/1/status",
    )  # fmt: skip
    assert keys.values["api"] in held
    assert "ca.key" not in held
    assert "CapBnd:\t0000000000000000" in held


def test_a_new_value_is_used_at_once_and_nothing_breaks(keys: Keys) -> None:
    old, new = keys.values["api"], value("api")
    started = json.loads(world.call("docker", "inspect", keys.container("opencode")))[0]["State"]
    with subprocess.Popen(
        ["docker", "exec", keys.container("opencode"), "curl", "--silent", "--no-buffer",
         "https://api.creds.test/v1/sse?100:0.2"], stdout=subprocess.PIPE,
    ) as stream, subprocess.Popen(
        ["docker", "exec", keys.container("opencode"), "python3", "-c", LOOP, "14"],
        stdout=subprocess.PIPE,
    ) as loop:  # fmt: skip
        time.sleep(2)
        keys.values["api"] = new
        keys.ok("refresh", NAME)
        fed = time.time()
        broken, seen = json.loads(loop.communicate(timeout=120)[0])
        events = stream.communicate(timeout=120)[0]
    assert broken == 0
    words = [word for _, word in seen]
    assert {*words} == {old[-4:], new[-4:]}
    # Once it is in use, the old one is not, on connections that were there before, too.
    first = words.index(new[-4:])
    assert set(words[first:]) == {new[-4:]}
    assert seen[first][0] < fed + 2
    assert events.count(b"data: ") == 100
    now = json.loads(world.call("docker", "inspect", keys.container("opencode")))[0]["State"]
    assert (now["Pid"], now["StartedAt"]) == (started["Pid"], started["StartedAt"])
    assert keys.jailoc("plan", NAME, "--detailed-exitcode").status == 0


def test_streams_and_sockets_pass_as_they_come(keys: Keys) -> None:
    read = (
        "import ssl,http.client,time\n"
        "c=http.client.HTTPSConnection('api.creds.test',context=ssl.create_default_context("
        "cafile='/run/trust/bundle.pem'))\n"
        "c.request('GET','/v1/sse?5:0.5'); a=c.getresponse(); t=time.time()\n"
        "for _ in range(5):\n"
        "    a.readline(); a.readline(); print(round(time.time()-t,1))\n"
    )
    times = [float(each) for each in keys.agent("python3", "-c", read).split()]
    assert times[-1] - times[0] > 1.2
    upgrade = http(
        "GET /v1/ws HTTP/1.1", "Connection: keep-alive, Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        body="frame",
    )  # fmt: skip
    program = REQUESTS.replace("if not part or (mark", "if body == b'frame' or not part or (mark")
    text = keys.agent("python3", "-c", program, stdin=json.dumps(
        [("ws", 443, upgrade, "api.creds.test", "127.0.0.54")]
    ))  # fmt: skip
    answer = json.loads(text)["ws"]
    assert answer.startswith("HTTP/1.1 101")
    assert answer.endswith("frame")
    size = keys.curl("--output", "/dev/null", "--write-out", "%{http_code} %{size_download}",
                     "https://api.creds.test/v1/big?20")  # fmt: skip
    assert size == f"200 {20 << 20}"


def test_git_clones_and_pushes_without_a_password(keys: Keys) -> None:
    world.call("docker", "exec", keys.upstream, "sh", "-c",
               "cd /srv && git init -q --bare made.git && cd made.git && "
               "git config http.receivepack true && git config --global safe.directory '*'",
               )  # fmt: skip
    script = """
        set -e
        rm -rf /tmp/made && git clone -q https://git.creds.test/git/made.git /tmp/made 2>/dev/null
        cd /tmp/made
        head -c 3000000 /dev/urandom >file && git add file
        git -c user.name=a -c user.email=a@b commit -q -m file
        git push -q origin HEAD
        git clone -q https://git.creds.test/git/made.git /tmp/again
        cmp file /tmp/again/file && echo same
        rm -rf /tmp/made /tmp/again
    """
    assert "same" in keys.agent("sh", "-c", script)
    direct = (
        "GIT_TERMINAL_PROMPT=0 git -c http.sslVerify=false clone -q "
        "https://127.0.0.1/git/made.git /tmp/x"
    )
    refused = world.call("docker", "exec", keys.upstream, "sh", "-c", f"{direct} || echo refused")
    assert "refused" in refused


def test_npm_and_pip_install_from_registries_that_want_a_login(keys: Keys) -> None:
    script = """
        set -e
        rm -rf /tmp/packages && mkdir /tmp/packages && cd /tmp/packages
        npm install --silent --no-audit --no-fund --registry https://api.creds.test/v1/npm/ made
        cat node_modules/made/x
        python3 -m venv there
        there/bin/pip install --quiet --disable-pip-version-check \
            --index-url https://git.creds.test/simple/ made
        there/bin/python -c 'import made; print(made.made)'
        rm -rf /tmp/packages
    """
    assert keys.agent("sh", "-c", script).split() == ["made", "=", "1", "1"]
    for place in ("v1/npm/made", "simple/made/"):
        refused = world.call("docker", "exec", keys.upstream, "curl", "--silent", "--insecure",
                             "--include", f"https://127.0.0.1/{place}")  # fmt: skip
        assert refused.startswith("HTTP/1.1 401")


def test_a_proxy_that_is_killed_or_replaced_comes_back_with_what_it_held(keys: Keys) -> None:
    end = keys.values["api"][-4:]
    keys.seen()
    world.call("docker", "exec", "--user", f"{PROXY_ID}:{PROXY_ID}", keys.container("proxy"),
               "sh", "-c", "kill -9 $(cat /run/proxy/pid)")  # fmt: skip
    wait(keys, end)
    world.call("docker", "rm", "--force", keys.container("proxy"))
    assert keys.curl("https://api.creds.test/whoami") == ""
    keys.ok("up", NAME)
    wait(keys, end)
    assert all(headers(each, "authorization") for each in keys.seen())


def wait(keys: Keys, end: str) -> None:
    for _ in range(60):
        if keys.curl("https://api.creds.test/whoami") == end:
            return
        time.sleep(0.5)
    raise AssertionError(world.logs(keys.container("proxy")))


@pytest.mark.thorough
def test_a_thousand_requests_side_by_side(keys: Keys) -> None:
    assert keys.agent("python3", "-c", MANY, "1000", "1000").strip() == "1000"


@pytest.mark.thorough
def test_forty_five_thousand_planted_values_and_a_hundred_megabytes(keys: Keys) -> None:
    token = keys.values["api"]
    text = keys.curl("https://api.creds.test/v1/planted?45000")
    assert token not in text
    assert text.count("*" * len(token) + ".") == 45000
    size = keys.curl("--limit-rate", "20M", "--output", "/dev/null", "--write-out",
                     "%{size_download}", "https://api.creds.test/v1/big?100")  # fmt: skip
    assert size == str(100 << 20)


@pytest.mark.thorough
def test_opencode_does_a_whole_turn_with_a_provider_whose_key_it_never_holds(keys: Keys) -> None:
    for scheme in ("https", "http"):
        config = json.dumps({
            "provider": {"made": {
                "npm": "@ai-sdk/openai-compatible", "name": "made",
                "options": {"baseURL": f"{scheme}://api.creds.test/v1", "apiKey": "jailoc-api"},
                "models": {"made": {"name": "made"}},
            }},
            "model": "made/made", "small_model": "made/made",
        })  # fmt: skip
        said = keys.agent(
            "sh", "-c", 'cd ~ && mkdir -p turn && cd turn && OPENCODE_CONFIG_CONTENT="$1" '
            "timeout 500 opencode run --model made/made hello", "sh", config,
        )  # fmt: skip
        assert "The proxy works." in said
    assert all(headers(each, "authorization") == [f"Bearer {keys.values['api']}"]
               for each in keys.seen() if "completions" in each["first"])  # fmt: skip


@pytest.mark.thorough
def test_the_value_is_in_no_file_of_the_engines(keys: Keys) -> None:
    """Everything that the engine has written since the start: layers, volumes, records, logs."""
    root = Path(world.call("docker", "info", "--format", "{{.DockerRootDir}}").strip())
    if not root.is_dir():
        pytest.skip("the engine's files are not on this machine")
    (wall,) = json.loads(world.call("docker", "inspect", keys.container("firewall")))
    keys.agent("sh", "-c", "printf %s controlofthesearch > ~/.cache/control; sync")
    places: dict[str, str] = {}
    for word in (*keys.values.values(), "controlofthesearch"):
        # Memory is another file system.
        places[word] = world.call(
            "find", str(root), "-xdev", "-type", "f", "-newermt", wall["Created"], "-size", "-4M",
            "-exec", "grep", "--files-with-matches", "--fixed-strings", word, "{}", "+",
            check=False,
        )  # fmt: skip
    assert places.pop("controlofthesearch")
    assert [*places.values()] == ["", "", ""]


def test_the_authority_is_for_the_hosts_alone_and_signs_no_more(keys: Keys) -> None:
    text = keys.agent("openssl", "x509", "-in", "/run/trust/ca.pem", "-noout", "-text")
    constraints = text.partition("X509v3 Name Constraints: critical")[2]
    names = {each for each in constraints.split() if each.startswith("DNS:")}
    assert names == {f"DNS:{each}" for each in (*HOSTS, "gone.creds.test")}
    assert "CA:TRUE, pathlen:0" in text
    forged = """
        set -e
        cd /tmp && rm -rf forged && mkdir forged && cd forged
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key \\
            -out ca.pem -days 2 -subj /CN=made \\
            -addext basicConstraints=critical,CA:TRUE,pathlen:0 \\
            -addext keyUsage=critical,keyCertSign \\
            -addext "nameConstraints=critical,permitted;DNS:api.creds.test"
        for name in api.creds.test other.test; do
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out r \\
                -subj /CN=made
            echo "subjectAltName=DNS:$name" >e
            openssl x509 -req -in r -CA ca.pem -CAkey ca.key -days 2 -extfile e -out leaf
            openssl verify -CAfile ca.pem leaf && echo "good $name" || echo "bad $name"
        done
    """
    # Had somebody its key, tools would still refuse any other name.
    said = keys.agent("sh", "-c", f"({forged}) 2>&1").splitlines()
    assert [each for each in said if each.startswith(("good", "bad"))] == [
        "good api.creds.test", "bad other.test",
    ]  # fmt: skip


@pytest.mark.thorough
def test_with_an_open_internet_the_host_is_reached_without_the_credential_or_with_it(
    keys: Keys,
) -> None:
    text = keys.user.config.read_text()
    keys.user.write(text.replace('egress = "allowlist"', 'egress = "public"'))
    try:
        assert "credential-public" in keys.jailoc("validate").stderr
        keys.ok("up", NAME)
        ready(keys)
        wait(keys, keys.values["api"][-4:])
        keys.seen()
        assert keys.curl("https://api.creds.test/whoami") == keys.values["api"][-4:]
        assert [headers(each, "authorization") for each in keys.seen()] == [
            [f"Bearer {keys.values['api']}"]
        ]
    finally:
        keys.user.write(text)
        keys.ok("up", NAME)


@pytest.mark.thorough
def test_after_a_restart_of_everything_no_request_leaves_without_the_value(keys: Keys) -> None:
    """As after a restart of the engine: what lay in memory is gone."""
    end = keys.values["api"][-4:]
    keys.seen()
    services = ("opencode", "proxy", "firewall")
    world.call("docker", "stop", *map(keys.container, services))
    for each in reversed(services):
        world.call("docker", "start", keys.container(each))
    code = keys.curl("--output", "/dev/null", "--write-out", "%{http_code}",
                     "https://api.creds.test/whoami")  # fmt: skip
    assert code != "200"
    assert not [each for each in keys.seen() if not headers(each, "authorization")]
    keys.ok("up", NAME)
    wait(keys, end)
    assert all(headers(each, "authorization") for each in keys.seen())


@pytest.mark.thorough
def test_the_page_of_the_documentation_works_as_it_is_written(keys: Keys) -> None:
    """Its configuration and commands, with made hosts, and programs in place of `gh`, `pass`."""
    page = (world.ROOT / "docs/how-to/keep-keys-out-of-the-sandbox.md").read_text()
    config, command = (
        re.findall(rf"^```{kind}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[0]
        for kind in ("toml", "sh")
    )
    with world.home("page") as user:
        (user.home / "project").mkdir(mode=0o777)
        (user.home / "project").chmod(0o777)
        programs = user.home / "bin"
        programs.mkdir()
        for name, says in (("gh", "made-forge-token"), ("pass", "made-models-key")):
            (programs / name).write_text(f"#!/bin/sh\necho {says}\n")
            (programs / name).chmod(0o755)
        (programs / "jailoc").write_text(
            f'#!/bin/sh\nPYTHONPATH={world.ROOT}/.pkg exec {sys.executable} -P -m jailoc.bin "$@"\n'
        )
        (programs / "jailoc").chmod(0o755)
        base = keys.user.config.read_text().partition("[workspaces")[0]
        image = json.loads(world.call("docker", "inspect", keys.container("opencode")))[0]["Config"]
        more = f'port = 4297\nenable_docker = false\nimage = "{image["Image"]}"'
        user.write(base + config.replace('["~/project"]', f'["~/project"]\n{more}'))
        environment = {**os.environ, "HOME": str(user.home),
                       "PATH": f"{programs}:{os.environ['PATH']}"}  # fmt: skip
        server = ""
        try:
            for line in (command.strip(), "jailoc refresh api"):
                done = subprocess.run(["sh", "-c", line], env=environment, cwd=user.home,
                                      capture_output=True, text=True, check=False)  # fmt: skip
                assert done.returncode == 0, done.stderr[-3000:]
                environment["MODELS_API_KEY"] = "made-models-key"
            sandbox = Sandbox(user, "api")
            server = serve(sandbox, keys.made, "page", "models.example.com", "forge.example.com")
            said = [
                world.call(
                    "docker", "exec", sandbox.container("opencode"), "sh", "-c",
                    f"for _ in $(seq 60); do curl --silent --fail {place} && break; sleep 0.5; "
                    "done", check=False,
                )
                for place in ("https://models.example.com/v1/x", "https://forge.example.com/acme/x")
            ]  # fmt: skip
            assert said == ["-key", "oken"]
        finally:
            if server:
                world.call("docker", "rm", "--force", server, check=False)
            world.remove("jailoc-api")


@pytest.mark.thorough
def test_a_task_has_the_credentials_of_its_workspace(keys: Keys) -> None:
    """By a proxy of its own; the value is in nothing that the task's agent can read."""
    repository(keys.user.home / "work")
    (keys.user.home / ".gitconfig").write_text("[user]\n\tname = a\n\temail = a@b.test\n")
    project, token = f"jailoc-{NAME}_work", keys.values["api"]
    try:
        keys.ok("task", "new", "work", "-w", NAME)
        world.call("docker", "network", "connect", "--alias", "api.creds.test",
                   f"{project}_jailoc", keys.upstream)  # fmt: skip
        keys.seen()
        curl = ("exec", f"{NAME}/work", "--", "curl", "--silent", "https://api.creds.test/whoami")
        end = time.monotonic() + 60
        while keys.jailoc(*curl).stdout != token[-4:] and time.monotonic() < end:
            time.sleep(1)
        assert keys.ok(*curl) == token[-4:]
        assert headers(keys.seen()[-1], "authorization") == [f"Bearer {token}"]
        seen = keys.ok("exec", f"{NAME}/work", "--", "sh", "-c",
                       "env; cat /run/secrets/* /run/trust/* 2>/dev/null; true")  # fmt: skip
        assert "API_KEY=jailoc-api" in seen
        assert token not in seen
        (row,) = json.loads(keys.ok("status", f"{NAME}/work", "--json"))["workspaces"]
        assert {each["name"] for each in row["credentials"]} == {"api", "bad", "git", "npm"}
        # A renewed value is the task's with `refresh`, as it is the workspace's.
        keys.values["api"] = value("api")
        keys.ok("refresh", f"{NAME}/work")
        assert keys.ok(*curl) == keys.values["api"][-4:]
        assert keys.curl("https://api.creds.test/whoami") == token[-4:]
        # What somebody else has put into its network keeps that.
        world.call("docker", "network", "disconnect", f"{project}_jailoc", keys.upstream)
        keys.ok("task", "rm", f"{NAME}/work")
    finally:
        keys.values["api"] = token
        world.call("docker", "network", "disconnect", "--force", f"{project}_jailoc",
                   keys.upstream, check=False)  # fmt: skip
        world.remove(project)


def test_no_value_goes_to_a_proxy_that_another_compose_file_has_made(keys: Keys) -> None:
    """Of the right name, with every label that jailoc gives: only what it was made of differs."""
    place = keys.user.home / "other.json"
    place.write_text('{"services": {"proxy": {"environment": {"PERL5LIB": "/elsewhere"}}}}')
    made = keys.user.home / f".cache/jailoc/{NAME}/docker-compose.yml"
    before = world.call("docker", "inspect", "--format", "{{.Id}}", keys.container("proxy"))
    try:
        world.call(
            "docker",
            "compose",
            "--project-name",
            f"jailoc-{NAME}",
            "--file",
            str(made),
            "--file",
            str(place),
            "up",
            "--detach",
            "--no-deps",
            "--no-build",
            "proxy",
        )
        after = world.call("docker", "inspect", "--format", "{{.Id}}", keys.container("proxy"))
        assert after != before
        told = keys.jailoc("refresh", NAME)
        assert told.status == 0
        assert "credentials are not read again" in told.stderr
    finally:
        keys.ok("up", NAME)
    # Control: it is what was made that counts.
    assert "credentials read again" in keys.jailoc("refresh", NAME).stderr
