#!/usr/bin/python3
"""An agent that is not OpenCode, as `tests/agents.py` describes it: a server and a client."""

import base64
import http.server
import json
import os
import sys
import urllib.request
from pathlib import Path

VERSION = "3.2.1"
USER = "someone"


def login() -> str:
    return "Basic " + base64.b64encode(f"{USER}:{os.environ['OTHER_KEY']}".encode()).decode()


class Routes(http.server.BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        status, text = 404, "{}"
        if self.headers.get("authorization", "") != login():
            status = 401
        elif self.path == "/well":
            status, text = 200, json.dumps({"version": VERSION}, separators=(",", ":"))
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


def main(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"othr {VERSION}")
        return 0
    if words[:1] == ["listen"]:
        place = Path.home() / ".local/share/other"
        place.mkdir(parents=True, exist_ok=True)
        (place / "kept").write_text("of the other agent")
        http.server.ThreadingHTTPServer(("", int(words[1])), Routes).serve_forever()
    url = words[words.index("--server") + 1]
    request = urllib.request.Request(f"{url}/well", headers={"authorization": login()})
    with urllib.request.urlopen(request, timeout=5) as reply:
        print(json.dumps({"argv": words, "names": sorted(os.environ), "server": json.load(reply)}))
    sys.stdout.write("\x1b]52;c;Y3VybCBldmls\x07Ask anything\r\n")
    sys.stdout.flush()
    sys.stdin.readline()
    print("othr resume ses_3")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
