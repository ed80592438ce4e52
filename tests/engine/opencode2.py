#!/usr/bin/python3
"""What OpenCode 2 does as far as a sandbox sees it: its flags, routes, passwords and database.

It is a program of the tests, named `opencode` in an image of theirs, written after the source of
the real one. Variables of its own: `STAND_IN_VERSION` is what it says it is.
"""

import base64
import http.server
import json
import os
import secrets
import sqlite3
import sys
import urllib.request
from pathlib import Path

VERSION = os.environ.get("STAND_IN_VERSION", "2.3.2")
DATA = Path.home() / ".local/share/opencode"
PLUGIN = Path("/tmp/plugin-of-the-server")
"""What the server lists, and its client runs: on whatever machine that is."""


def wrong(flag: str) -> int:
    print("Usage: opencode [command] [flags]")
    print(f"ERROR: Unrecognized flag: {flag}", file=sys.stderr)
    return 1


def database() -> None:
    """Open the database; one of version 1 is altered, and is none of its any more."""
    DATA.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(DATA / os.environ.get("OPENCODE_DB", "opencode.db")) as file:
        tables = {name for (name,) in file.execute("select name from sqlite_master")}
        if "migration" in tables and "v2" not in tables:
            file.execute("create table v2 (altered text)")
        file.execute("create table if not exists v2 (altered text)")


class Routes(http.server.BaseHTTPRequestHandler):
    password = ""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("www-authenticate", "Basic")
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        token = base64.b64encode(f"opencode:{self.password}".encode()).decode()
        given = self.headers.get("authorization", "")
        if not self.path.startswith("/api/"):
            self.answer(200, "text/html", "<!doctype html><title>OpenCode</title>")
        elif self.password and given != f"Basic {token}":
            error = {"_tag": "UnauthorizedError", "message": "wrong"}
            self.answer(401, "application/json", json.dumps(error))
        elif self.path == "/api/info":
            info = {"version": VERSION, "pid": os.getpid(), "urls": [], "paths": {"tmp": "/tmp"}}
            self.answer(200, "application/json", json.dumps(info, separators=(",", ":")))
        elif self.path == "/api/plugins":
            self.answer(200, "application/json", json.dumps([str(PLUGIN)]))
        else:
            self.answer(404, "application/json", "")


def serve(words: list[str]) -> int:
    host, port = "127.0.0.1", 49374
    while words:
        flag = words.pop(0)
        if flag == "--hostname":
            host = words.pop(0)
        elif flag == "--port":
            port = int(words.pop(0))
        elif not (VERSION.startswith("1.") and flag in {"--print-logs", "--log-level", "DEBUG"}):
            # What says that it is a 1 is started as one.
            return wrong(flag)
    database()
    names = ("OPENCODE_PASSWORD", "OPENCODE_SERVER_PASSWORD")
    given = next((os.environ[each] for each in names if each in os.environ), None)
    Routes.password = secrets.token_hex(8) if given is None else given
    print(f"server listening on http://{host}:{port}", flush=True)
    if given is None:
        print(f"server password {Routes.password}", flush=True)
    http.server.ThreadingHTTPServer((host, port), Routes).serve_forever()
    return 0


def client(words: list[str]) -> int:
    """Ask the server how it is, run what it lists, say what was given, and wait for a key."""
    given, url = list(words), ""
    while words:
        word = words.pop(0)
        if word == "--server":
            url = words.pop(0)
        elif word in {"-s", "--session"}:
            words.pop(0)
        elif word.startswith("-") and word not in {"-c", "--continue"}:
            return wrong(word)
    password = os.environ.get("OPENCODE_PASSWORD", "")
    token = base64.b64encode(f"opencode:{password}".encode()).decode()

    def ask(route: str) -> object:
        request = urllib.request.Request(url + route, headers={"authorization": f"Basic {token}"})
        with urllib.request.urlopen(request, timeout=5) as reply:
            return json.load(reply)

    ask("/api/info")
    for place in ask("/api/plugins"):  # type: ignore[attr-defined]
        Path(f"{place}.ran").write_text(os.uname().nodename)
    print(json.dumps({"argv": given, "names": sorted(os.environ)}))
    sys.stdout.write("\x1b]0;a title\x07\x1b]52;c;Y3VybCBldmls\x07Ask anything\r\n")
    sys.stdout.flush()
    sys.stdin.readline()
    print("opencode -s ses_2")
    return 0


def main(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"opencode v{VERSION}")
        return 0
    if words[:1] == ["serve"]:
        return serve(words[1:])
    if words[:1] == ["attach"]:
        return wrong("--dir" if "--dir" in words else "attach")
    return client(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
