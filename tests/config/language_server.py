"""A client of the language server that editors run, as far as the tests need one (LSP 3.17)."""

import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGE = "@taplo/lsp@0.8.0"
PATIENCE = 30
"""Seconds that an answer may take."""
ROUNDS = 3
"""It publishes what the syntax, the document and the schema say about a file, in this order."""

Message = dict[str, Any]


class LanguageServer:
    """One running server."""

    def __init__(self, process: "subprocess.Popen[str]", schema: Path) -> None:
        self._process, self._schema = process, schema
        self._answers: queue.Queue[Message] = queue.Queue()
        self._published: queue.Queue[Message] = queue.Queue()
        self._count = 0
        threading.Thread(target=self._listen, daemon=True).start()
        self.ask("initialize", {
            "processId": None, "rootUri": schema.parent.as_uri(),
            "capabilities": {"workspace": {"configuration": True}},
        })  # fmt: skip
        self._tell("initialized", {})

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            message: Message = json.loads(line)
            match message.get("method"):
                case "textDocument/publishDiagnostics":
                    self._published.put(message["params"])
                case "workspace/configuration":
                    settings = {"schema": {
                        "enabled": True, "links": False, "catalogs": [], "cache": {},
                        "associations": {".*": self._schema.as_uri()},
                    }}  # fmt: skip
                    self._send({"id": message["id"], "result": [settings]})
                case None:
                    self._answers.put(message)

    def _send(self, message: Message) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._process.stdin.flush()

    def _tell(self, method: str, params: Message) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Message) -> Any:
        """Send a request and return its result."""
        self._count += 1
        self._send({"id": self._count, "method": method, "params": params})
        while (answer := self._answers.get(timeout=PATIENCE)).get("id") != self._count:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path: Path) -> list[str]:
        """Open a file and return what is marked in it."""
        self._tell("textDocument/didOpen", {
            "textDocument": {"uri": path.as_uri(), "languageId": "toml", "version": 1,
                             "text": path.read_bytes().decode()},
        })  # fmt: skip
        for _ in range(ROUNDS):
            while (found := self._published.get(timeout=PATIENCE))["uri"] != path.as_uri():
                pass
            if found["diagnostics"]:
                return [each["message"] for each in found["diagnostics"]]
        return []

    def at(self, method: str, path: Path, line: int, character: int) -> Any:
        """Ask about a place in an open file; lines and characters count from 0."""
        return self.ask(method, {
            "textDocument": {"uri": path.as_uri()},
            "position": {"line": line, "character": character},
        })  # fmt: skip


@contextmanager
def running(node: Path, folder: Path, schema: Path) -> Iterator[LanguageServer]:
    """Run the server for as long as it is needed.

    Args:
        node: The interpreter.
        folder: Where npm has installed the package.
        schema: The schema of every file that is opened.
    """
    with subprocess.Popen(
        [str(node), str(Path(__file__).with_name("server.mjs")), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield LanguageServer(process, schema)
        finally:
            process.kill()
