"""What an agent asks the machine's kernel for: nothing beyond its work, and all that work needs."""

import json
import platform
import signal
from typing import Any

import pytest

from tests.engine import world
from tests.engine.conftest import Sandbox

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of the calls are its"),
]

EPERM, ENOSYS = 1, 38
CALLS = """
import ctypes, json, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    return 0 if libc.syscall(*arguments) >= 0 else ctypes.get_errno()
def alone(function, *arguments):
    # What it ends with in a process of its own, or the signal that ends that, below 0.
    child = os.fork()
    if not child:
        os._exit(function(*arguments))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
def code(text):
    room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    room.write(bytes.fromhex(text))
    place = ctypes.addressof(ctypes.c_char.from_buffer(room))
    return max(0, -ctypes.CFUNCTYPE(ctypes.c_int)(place)())
room = ctypes.create_string_buffer(512)
print(json.dumps({
    "io_uring": call(425, 1, room),
    "asynchronous": call(206, 1, ctypes.byref(ctypes.c_long())),
    "x32": alone(call, 0x40000000 | 425, 1, room),
    # io_uring_setup(1, NULL), then socket(AF_VSOCK, SOCK_STREAM, 0), by programs of 32 bits.
    "io_uring of i386": alone(code, "53b8a9010000bb0100000031c9cd805bc3"),
    "vsock of i386": alone(code, "53b867010000bb28000000b90100000031d2cd805bc3"),
    "socketcall": alone(code, "53b866000000bb0100000031c931d2cd805bc3"),
    "events of devices": call(41, 16, 3, 15),
    "events with a high half": call(
        41, ctypes.c_long(1 << 32 | 16), 3, ctypes.c_long(1 << 40 | 15)),
    "cryptography": call(41, 38, 5, 0),
    "vsock": call(41, 40, 1, 0),
    "key management": call(41, 15, 3, 2),
    "tipc": call(41, 30, 1, 0),
    "sctp": call(41, 2, 1, 132),
    "dccp": call(41, 2, 6, 33),
    "smc": call(41, 43, 1, 0),
    "secret memory": call(447, 0),
    "keyring": call(250, 0, ctypes.c_long(-3), 1),
    "user namespace": call(272, 0x10000000),
    "file handle": call(304, -1, 0, 0),
    "key of files": call(16, os.open("/", os.O_RDONLY), ctypes.c_ulong(0xC0406618), room),
    "snapshot": call(16, os.open("/", os.O_RDONLY), ctypes.c_ulong(0x50009417), room),
}))
"""
REACHED = ("io_uring", "asynchronous", "events of devices", "events with a high half")
"""What this machine's kernel gives whoever asks, in a container without a profile."""


def test_an_agent_reaches_no_call_that_its_work_does_not_need(sandbox: Sandbox) -> None:
    agent = sandbox.container("opencode")
    image = json.loads(world.call("docker", "inspect", agent))[0]["Image"]
    control: dict[str, Any] = json.loads(world.call(
        "docker", "run", "--rm", "--user", "1000:1000", "--network", "none", "--security-opt",
        "no-new-privileges:true", "--security-opt", "seccomp=unconfined", "--entrypoint", "python3",
        image, "-c", CALLS,
    ))  # fmt: skip
    assert {control[each] for each in REACHED} == {0}, control
    assert EPERM not in {control["key of files"], control["snapshot"]}, "the file system answers"
    told = json.loads(
        world.call("docker", "exec", "-u", "1000:1000", agent, "python3", "-c", CALLS)
    )
    wanted = {
        each: -signal.SIGSYS if each == "x32" or "i386" in each or each == "socketcall" else EPERM
        for each in control
    } | {"asynchronous": ENOSYS}
    assert told == wanted


WORK = """
import asyncio, ctypes, mmap, multiprocessing, os, select, signal, socket, sqlite3, subprocess
import tempfile, threading
def square(number):
    return number * number
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        assert pool.map(square, range(4)) == [0, 1, 4, 9]
    threads = [threading.Thread(target=square, args=(each,)) for each in range(8)]
    [each.start() for each in threads], [each.join() for each in threads]
    with tempfile.TemporaryDirectory() as place:
        os.mkfifo(f"{place}/pipe")
        with sqlite3.connect(f"{place}/db") as store:
            store.execute("PRAGMA journal_mode = wal")
            store.execute("create table t (x)")
    assert os.memfd_create("x") > 0
    assert asyncio.run(asyncio.wait_for(asyncio.sleep(0, 1), 5)) == 1
    libc = ctypes.CDLL(None, use_errno=True)
    for number, arguments in ((253, ()), (283, (1, 0))):
        assert libc.syscall(number, *arguments) >= 0, number
    for family, kind, protocol in ((2, 1, 0), (10, 1, 6), (2, 2, 17), (2, 2, 1), (10, 2, 58),
                                   (1, 5, 0), (16, 3, 0), (16, 3, 4)):
        socket.socket(family, kind, protocol).close()
    [each.close() for each in socket.socketpair()]
    socket.getaddrinfo("localhost", 80)
    assert subprocess.run(["setsid", "--wait", "true"]).returncode == 0
    print("done")
"""


def test_the_work_of_an_agent_goes_on_under_the_profile(sandbox: Sandbox) -> None:
    agent = sandbox.container("opencode")
    words = ["docker", "exec", "-u", "1000:1000", "-w", "/tmp", agent]  # noqa: S108 -- its own
    assert world.call(*words, "sh", "-c", f"cat >work.py <<'E'\n{WORK}\nE\npython3 work.py") == (
        "done\n"
    )
    script = """
        const { Worker } = require("worker_threads"), fs = require("fs"), http = require("http");
        fs.watch("/tmp").close();
        const server = http.createServer((_, to) => to.end("served")).listen(0, "127.0.0.1", () => {
            http.get({ port: server.address().port, host: "127.0.0.1" }, (from) =>
                from.on("data", (text) => {
                    new Worker("require('worker_threads').parentPort.postMessage(6 * 7)",
                        { eval: true }).on("message", (number) => {
                            console.log(`${text} ${number}`); server.close(); });
                }));
        });
    """
    assert world.call(*words, "node", "-e", script) == "served 42\n"
