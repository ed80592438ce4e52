"""Who has a port of this machine is found out on every engine, whatever it can be asked."""

import json
import socket

import pytest

from jailoc.bin.deploy import host_ports
from jailoc.bin.engine import door
from jailoc.bin.engine.door import Call, Reply
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.load import load
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document
from jailoc.model.host import Host

PODMAN = Reply(1, b"", b"Error response from daemon: publish is an invalid filter")


class Engine:
    """As much of an engine as is asked, with one wall that publishes a port."""

    def __init__(self, project: str, port: int, *, filters: bool, place: str = "") -> None:
        self.project, self.port, self.filters, self.place = project, port, filters, place

    def __call__(self, call: Call) -> Reply:
        match list(call.arguments):
            case ["ps", *words] if any(each.startswith("publish=") for each in words):
                return Reply(0, self.line()) if self.filters else PODMAN
            case ["ps", *_]:
                return Reply(0, self.line())
            case ["inspect", *_]:
                return Reply(0, json.dumps([self.shown()]).encode())
        raise AssertionError(call.arguments)

    def line(self) -> bytes:
        return json.dumps(
            ["1", f"{self.project}-firewall-1", "firewall", self.project, "/x"]
        ).encode()

    def shown(self) -> dict[str, object]:
        bound = [{"HostIp": "127.0.0.1", "HostPort": str(self.port)}]
        return {
            "Id": "1", "Name": "/firewall", "Image": "i", "Mounts": [], "HostConfig": {},
            "Config": {"Image": "i", "Labels": {
                "com.docker.compose.project": self.project,
                "com.docker.compose.project.working_dir": self.place,
                "com.docker.compose.service": "firewall"}},
            "State": {"Status": "running", "ExitCode": 0, "StartedAt": ""},
            "NetworkSettings": {"Ports": {"4096/tcp": bound}, "Networks": {}},
        }  # fmt: skip


@pytest.mark.parametrize("filters", [True, False], ids=["docker", "podman"])
def test_the_holder_of_a_port_is_known_whether_or_not_the_engine_can_filter(
    monkeypatch: pytest.MonkeyPatch, filters: bool
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    with socket.socket() as door_:
        door_.bind(("127.0.0.1", 0))
        port = door_.getsockname()[1]
    text = f"[workspaces.api]\nport = {port}\n"
    machine = Host(home="/home/alice")
    bundle = compile_workspace(load(Document(text, "c"), machine), "api", machine)
    with door.answered(Engine("jailoc-api", port, filters=filters)):
        assert host_ports.check(bundle), "it runs itself"
    with door.answered(Engine("jailoc-web", port + 1, filters=False)):
        assert not host_ports.check(bundle)
    for place, told in (("", "jailoc down web"), ("/home/bob/.cache/jailoc/web", "another user's")):
        with (
            door.answered(Engine("jailoc-web", port, filters=filters, place=place)),
            pytest.raises(Refused, match="published by the running workspace `web`") as refused,
        ):
            host_ports.check(bundle)
        assert told in (refused.value.diagnostics[0].hint or "")
