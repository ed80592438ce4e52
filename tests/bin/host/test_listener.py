"""Who listens on a port of this machine is found by looking, and nothing else."""

import os
import socket

from jailoc.bin.host.listener import listener


def test_the_program_that_listens_is_named() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
        assert listener(port) is None
        door.listen()
        assert (listener(port) or "").endswith(f"(PID {os.getpid()})")
    assert listener(port) is None
