"""A run of jailoc with all that docker said in it, to be had again without an engine.

A recording is one JSON line a call: arguments, status and both streams. Places below the home of
who recorded it are those of who replays it.
"""

import json
from collections import defaultdict, deque
from pathlib import Path
from threading import Lock

from jailoc.bin.engine import door
from jailoc.bin.engine.door import Call, Reply

STATUS = Path(__file__).parent / "recordings/status.jsonl"
"""`status --json` of the sandbox that the engine tests share."""
HOME = "{home}"
Entry = tuple[tuple[str, ...], Reply]


class Recorder:
    """Asks docker, and keeps what it answered."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._lock = Lock()

    def __call__(self, call: Call) -> Reply:
        reply = door.really(call)
        with self._lock:
            self.entries.append((call.arguments, reply))
        return reply

    def save(self, path: Path, home: Path, root: str) -> None:
        """Write the calls, in an order that does not hang on how threads ran.

        Args:
            path: The file to write.
            home: Whose run it was.
            root: Where the engine keeps its data; in the recording it is the usual place.
        """
        rows = [
            json.dumps({
                "arguments": arguments, "status": reply.status,
                "stdout": reply.stdout.decode(), "stderr": reply.stderr.decode(),
            }).replace(str(home), HOME).replace(root, "/var/lib/docker")
            for arguments, reply in sorted(self.entries, key=lambda entry: entry[0])
        ]  # fmt: skip
        path.write_text("".join(f"{each}\n" for each in rows), encoding="utf-8")


class Player:
    """Answers each call as it was answered then, in that order; the last answer stays."""

    def __init__(self, entries: list[Entry]) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._answers: dict[tuple[str, ...], deque[Reply]] = defaultdict(deque)
        for arguments, reply in entries:
            self._answers[arguments].append(reply)
        self._lock = Lock()

    def __call__(self, call: Call) -> Reply:
        with self._lock:
            self.asked.append(call.arguments)
            answers = self._answers.get(call.arguments)
            if answers is None:
                raise LookupError(f"not recorded: {call.shown}")
            return answers.popleft() if len(answers) > 1 else answers[0]


def load(path: Path, home: Path) -> list[Entry]:
    """Read a recording for somebody with another home."""
    rows = [json.loads(line.replace(HOME, str(home)))
            for line in path.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    return [
        (tuple(row["arguments"]),
         Reply(row["status"], row["stdout"].encode(), row["stderr"].encode()))
        for row in rows
    ]  # fmt: skip
