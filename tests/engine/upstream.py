"""A server with TLS that tests ask through the proxy: it tells what reached it, and misbehaves."""

PLAIN = 18200
"""Where `/v1/seen` tells, without TLS, every request since it was asked last."""

# As a program of its own: `python3 -c SERVER CERTIFICATE PORT...`.
SERVER = r"""
import base64
import hashlib
import io
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse
import zipfile

SEEN = []
END = re.compile(rb"(?:^|(?<=\r\n))0\r\n((?:[^\r\n]+\r\n)*)\r\n")
PLAIN = 18200


def answer(peer, status, body=b"", headers=(), length=True):
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"content-length: {len(body)}")
    peer.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def pieces(peer, parts, pause=0.0, kind="text/plain"):
    peer.sendall(
        f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    )
    for part in parts:
        peer.sendall(chunk(part))
        time.sleep(pause)
    peer.sendall(b"0\r\n\r\n")


def credential(headers):
    text = headers.get("authorization") or headers.get("x-api-key") or "none"
    if text.startswith("Basic "):
        text = base64.b64decode(text[6:]).decode().partition(":")[2]
    return text.removeprefix("Bearer ").encode()


def websocket(peer, headers):
    key = headers.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    answer(
        peer,
        "101 Switching Protocols",
        headers=(
            "connection: upgrade",
            "upgrade: websocket",
            f"sec-websocket-accept: {accept}",
        ),
        length=False,
    )
    while data := peer.recv(4096):
        peer.sendall(data)


def unchunked(data):
    found = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        count = int(size, 16)
        found, data = found + data[:count], data[count + 2:]
    return found


def backend(peer, method, path, query, headers, body):
    # Git's own server (git-http-backend(1)), over /srv.
    if not headers.get("authorization"):
        answer(peer, "401 Unauthorized", b"", ('www-authenticate: Basic realm="git"',))
        return
    if headers.get("transfer-encoding") == "chunked":
        body = unchunked(body)
    done = subprocess.run(
        ["git", "http-backend"], input=body, capture_output=True, check=False,
        env=os.environ | {
            "GIT_PROJECT_ROOT": "/srv", "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path[4:],
            "REQUEST_METHOD": method, "QUERY_STRING": query, "REMOTE_USER": "made",
            "CONTENT_TYPE": headers.get("content-type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
            "GIT_PROTOCOL": headers.get("git-protocol", ""),
        },
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    status = next((each[8:] for each in lines if each.startswith("Status: ")), "200 OK")
    answer(peer, status, content, [each for each in lines if not each.startswith("Status: ")])


def archives():
    # The same small package for npm and for pip.
    code, npm, wheel = b"made = 1\n", io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=npm, mode="w:gz") as tar:
        for name, data in (("package.json", b'{"name": "made", "version": "1.0.0"}'), ("x", code)):
            member = tarfile.TarInfo("package/" + name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    about = "made-1.0.0.dist-info/"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("made.py", code)
        file.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: made\nVersion: 1.0.0\n")
        file.writestr(about + "WHEEL", "Wheel-Version: 1.0\nGenerator: made\n"
                      "Root-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(about + "RECORD", "".join(
            f"{each},,\n" for each in ("made.py", about + "METADATA", about + "WHEEL",
                                       about + "RECORD")))
    return npm.getvalue(), wheel.getvalue()


NPM, WHEEL = archives()


def registry(peer, path, headers):
    # What npm and pip ask a registry of a company's own.
    if not headers.get("authorization"):
        answer(peer, "401 Unauthorized", b"", ('www-authenticate: Basic realm="registry"',))
    elif path.endswith(".tgz"):
        answer(peer, "200 OK", NPM, ("content-type: application/octet-stream",))
    elif path.endswith(".whl"):
        answer(peer, "200 OK", WHEEL, ("content-type: application/octet-stream",))
    elif path == "/v1/npm/made":
        place = f"https://{headers['host']}/v1/npm/made/-/made-1.0.0.tgz"
        one = {"name": "made", "version": "1.0.0",
               "dist": {"tarball": place, "shasum": hashlib.sha1(NPM).hexdigest()}}
        answer(peer, "200 OK", json.dumps({
            "name": "made", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": one},
        }).encode(), ("content-type: application/json",))
    elif path == "/simple/made/":
        answer(peer, "200 OK", b'<a href="/simple/made/made-1.0.0-py3-none-any.whl">made</a>',
               ("content-type: text/html",))
    else:
        answer(peer, "404 Not Found", b"")


def chat(peer):
    # A model that says one sentence (the API of OpenAI, streamed).
    def event(delta, reason=None):
        data = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "made",
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        return f"data: {json.dumps(data)}\n\n".encode()
    pieces(peer, [
        event({"role": "assistant", "content": ""}), event({"content": "The proxy "}),
        event({"content": "works."}), event({}, "stop"), b"data: [DONE]\n\n",
    ], 0.05, "text/event-stream")


def serve(peer, name):
    with peer:
        held = b""
        while True:
            while b"\r\n\r\n" not in held:
                data = peer.recv(65536)
                if not data:
                    return
                held += data
            head, _, held = held.partition(b"\r\n\r\n")
            first, *rest = head.decode("latin-1").split("\r\n")
            headers = {}
            for line in rest:
                key, _, value = line.partition(":")
                headers.setdefault(key.lower(), value.strip())
            chunked = headers.get("transfer-encoding") == "chunked"
            lazy = chunked or "/v1/lazy" in first
            size = 0 if lazy else int(headers.get("content-length", 0))
            while len(held) < size:
                held += peer.recv(65536)
            body, held = held[:size], held[size:]
            trailers = []
            if chunked:
                while not (last := END.search(held)):
                    data = peer.recv(65536)
                    if not data:
                        return
                    held += data
                trailers = last[1].decode("latin-1").split("\r\n")[:-1]
                body, held = held[:last.start()] + b"0\r\n\r\n", held[last.end():]
            method, target, _ = first.split(" ", 2)
            path, _, query = target.partition("?")
            if name:
                SEEN.append({"server": name, "first": first, "headers": rest, "body": len(body),
                             "trailers": trailers})
            word = credential(headers)
            if path == "/v1/seen" and not name:
                answer(peer, "200 OK", json.dumps(SEEN).encode())
                SEEN.clear()
            elif path.startswith("/git/"):
                backend(peer, method, path, query, headers, body)
            elif path.startswith(("/v1/npm/", "/simple/")):
                registry(peer, path, headers)
            elif path == "/v1/chat/completions":
                chat(peer)
            elif path == "/v1/echo":
                answer(peer, "200 OK", b"you said " + word + b" and " + body)
            elif path == "/v1/header":
                answer(peer, "200 OK", b"ok", (f"x-told: <{word.decode()}>",))
            elif path == "/v1/raw":
                answer(peer, "200 OK", urllib.parse.unquote(query).encode())
            elif path == "/v1/stream":
                pieces(peer, [urllib.parse.unquote(query).encode(), b"!"], 1)
            elif path == "/v1/reason":
                answer(peer, "200 bad " + word.decode(), b"ok")
            elif path == "/v1/named":
                answer(peer, "200 OK", b"ok", (f"x-{word.decode()}: 1",))
            elif path == "/v1/chunks":
                cut = int(query or 3)
                pieces(peer, [b"a" + word[:cut], word[cut:] + b"z"], 0.02)
            elif path == "/v1/sse":
                count, pause = (query or "5:0.1").split(":")
                pieces(
                    peer,
                    (f"data: {index}\n\n".encode() for index in range(int(count))),
                    float(pause),
                    "text/event-stream",
                )
            elif path == "/v1/big":
                size = int(query or 1)
                peer.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {size << 20}\r\n\r\n".encode())
                block = hashlib.sha256(b"block").digest() * 2048
                for _ in range(size << 20 >> 16):
                    peer.sendall(block)
            elif path == "/v1/planted":
                count = int(query or 1000)
                false = word[:-1] + b"!"
                pieces(peer, (false[: i % len(word)] + word + b"." for i in range(count)))
            elif path == "/v1/close":
                answer(peer, "200 OK", b"no end " + word, length=False)
                return
            elif path == "/v1/coded":
                answer(peer, "200 OK", b"..", ("content-encoding: gzip",))
            elif path == "/v1/cookie":
                answer(peer, "200 OK", b"ok", ("set-cookie: session=1", 'alt-svc: h3=":443"'))
            elif path == "/v1/away":
                answer(peer, "302 Found", b"", ("location: https://elsewhere.creds.test/v1/x",))
            elif path == "/v1/certificate":
                # As who has the same key for tickets may do: https://www.rfc-editor.org/rfc/rfc5077
                tls.load_cert_chain(f"/made/{query}.pem")
                answer(peer, "200 OK", b"ok")
            elif path == "/v1/ws":
                websocket(peer, headers)
                return
            elif path == "/v1/slow":
                time.sleep(float(query))
                answer(peer, "200 OK", word[-4:])
            else:
                answer(peer, "200 OK", word[-4:])


def listen(port, context, name):
    door = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    door.bind(("", port))
    door.listen(2000)

    def one(peer):
        try:
            serve(context.wrap_socket(peer, server_side=True) if context else peer, name)
        except OSError:
            pass

    while True:
        peer, _ = door.accept()
        # As servers do: else an answer waits until the session tickets before it are received.
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=one, args=(peer,), daemon=True).start()


if __name__ == "__main__":
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1])
    for each in map(int, sys.argv[2:]):
        threading.Thread(target=listen, args=(each, tls, f"tls {each}"), daemon=True).start()
    listen(PLAIN, None, "")
"""
