"""The loop between an editor and a program: every byte in order, bounded, and nothing left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jailoc.bin.attach.pipes import PipeLines
from tests.engine.world import ROOT

START = """
import json, sys
from jailoc.bin.attach import pipes
from jailoc.generators.attach.acp import Bridge
between = Bridge(lambda path: True, lambda path: True, lambda path: True, mcp=False)
ended = pipes.run(sys.argv[1:], {}, between, lambda line: print("said:", line, file=sys.stderr),
                  lambda: None)
print(json.dumps([ended.code, ended.signal, between.refused]), file=sys.stderr)
"""
ECHO = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"],
                      "result": {"stopReason": asked["params"].get("prompt", "")}}), flush=True)
"""


def start(program: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-c", START, sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / ".pkg"), "PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def prompt(number: int, text: str) -> bytes:
    message = {"jsonrpc": "2.0", "id": number, "method": "session/prompt",
               "params": {"sessionId": "s", "prompt": text}}  # fmt: skip
    return json.dumps(message).encode() + b"\n"


def outcome(stderr: bytes) -> list[object]:
    found: list[object] = json.loads(stderr.splitlines()[-1])
    return found


def test_messages_larger_than_any_pipe_come_back_whole_and_in_order() -> None:
    sizes = (1, 70_000, 3_000_000, 5)
    with start(ECHO) as running:
        said = b"".join(prompt(number, "x" * size) for number, size in enumerate(sizes))
        output, told = running.communicate(said, timeout=60)
    found = [json.loads(each) for each in output.splitlines()]
    assert [each["id"] for each in found] == list(range(len(sizes)))
    assert [len(each["result"]["stopReason"]) for each in found] == list(sizes)
    assert outcome(told) == [0, 0, {}]


def test_an_agent_that_floods_and_never_reads_fills_no_memory() -> None:
    flood = 'import sys\nwhile True: sys.stdout.write(\'{"jsonrpc":"2.0","id":1,"method":"x"}\\n\')'
    with start(flood) as running:
        time.sleep(3)
        status = Path(f"/proc/{running.pid}/status").read_text()
        (size,) = (int(each.split()[1]) for each in status.splitlines() if "VmRSS" in each)
        assert size < 150_000, "kilobytes"
        running.send_signal(signal.SIGTERM)
        output, told = running.communicate(timeout=20)
    assert output == b""
    code, number, refused = outcome(told)
    assert (code, number) == (-15, 15)
    assert list(refused) == ["x of the agent"]  # type: ignore[call-overload]


def test_a_line_without_an_end_is_dropped_and_what_follows_it_passes() -> None:
    program = """
import sys
for _ in range(40): sys.stdout.write("x" * (1 << 20))
print()
print('{"jsonrpc":"2.0","method":"session/cancel"}')
update = '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":%s}}'
print(update % '{"sessionUpdate":"current_mode_update","currentModeId":"m"}', flush=True)
sys.stdin.read()
print("bye", file=sys.stderr)
sys.exit(3)
"""
    with start(program) as running:
        output, told = running.communicate(b"", timeout=60)
    assert [json.loads(each)["method"] for each in output.splitlines()] == ["session/update"]
    code, _, refused = outcome(told)
    assert code == 3
    assert sorted(refused) == [  # type: ignore[call-overload]
        "a message of more than 32 MiB of the agent", "session/cancel of the agent",
    ]  # fmt: skip
    assert b"said: bye" in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_what_does_not_listen(number: int) -> None:
    deaf = (
        "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint(flush=True)\ntime.sleep(99)"
    )
    with start(deaf) as running:
        time.sleep(1)
        begin = time.monotonic()
        running.send_signal(number)
        _, told = running.communicate(timeout=20)
        assert time.monotonic() - begin < 10
    assert outcome(told)[:2] == [-9, number]


def test_an_agent_that_never_reads_does_not_outlive_its_editor() -> None:
    deaf = (
        "import signal, sys, time\nsignal.signal(15, signal.SIG_IGN)\nfor _ in range(9000):"
        ' print(\'{"jsonrpc":"2.0","id":1,"method":"x"}\', flush=True)\ntime.sleep(99)'
    )
    with start(deaf) as running:
        # What it is answered, and never reads, is more than a pipe holds.
        begin = time.monotonic()
        _, told = running.communicate(b"", timeout=60)
        assert time.monotonic() - begin < 40
    assert outcome(told)[:2] == [-9, 0]


def test_an_editor_that_reads_no_more_ends_it() -> None:
    program = """
import sys, time
update = '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":%s}}'
mode = '{"sessionUpdate":"current_mode_update","currentModeId":"m"}'
while True: print(update % mode, flush=True)
"""
    with start(program) as running:
        assert running.stdout is not None
        assert running.stdout.readline()
        running.stdout.close()
        assert running.stderr is not None
        told = running.stderr.read()
        assert running.wait(20) == 0
    assert outcome(told)[0] in {-15, -9, 1}


def test_lines_are_the_same_however_they_are_cut() -> None:
    text = b"a\n\nbcd\r\n" + b"x" * 9 + b"\nlast\nrest"
    whole = list(PipeLines(5).feed(text))
    assert whole == [b"a", b"", b"bcd", None, b"last"]
    for size in range(1, len(text)):
        lines = PipeLines(5)
        found = [each for place in range(0, len(text), size)
                 for each in lines.feed(text[place : place + size])]  # fmt: skip
        assert found == whole
