"""What strangers' bytes get to, each as one function that may only end as it says."""

import contextlib
import importlib.util
import struct
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import dns.exception
import dns.message
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from jailoc.generators.config import edit, load
from jailoc.generators.config.mentioned import mentioned
from jailoc.generators.runtime import blocked
from jailoc.generators.runtime.resolver_state import resolver_state
from jailoc.model import dockerfile, environment, ignore
from jailoc.model.deployed import Applied
from jailoc.model.diagnostic import Refused
from jailoc.model.document import Document
from jailoc.model.firewall import Protocol
from jailoc.model.host import Host
from jailoc.model.plan import SavedPlan

ROOT = Path(__file__).parents[2]
HOST = Host(home="/home/alice", ipv6=True)


def _asset(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"fuzzed_{name}", ROOT / f"generators/assets/{name}.py"
    )
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


resolver: Any = _asset("resolver")
evidence: Any = _asset("evidence")


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def config(data: bytes) -> None:
    """Read a configuration as far as that goes without a machine."""
    if (text := _text(data)) is None:
        return
    try:
        document = Document(text, "config.toml")
        mentioned(document, HOST.home)
        found = load.load(document, HOST)
        load.warnings(document, found, HOST)
    except Refused:
        return


def env_file(data: bytes) -> None:
    """Read an env file."""
    if (text := _text(data)) is None:
        return
    try:
        found = environment.parse_env_file("/f", text)
    except PydanticCustomError:
        return
    assert all("\0" not in each.value for each in found.entries)


def recipe(data: bytes) -> None:
    """Read a Dockerfile."""
    if (text := _text(data)) is None:
        return
    lines = len(text.splitlines())
    assert all(1 <= each.line <= lines for each in dockerfile.instructions(text))
    dockerfile.parents(text, {"BASE": "debian"})


def ignore_file(data: bytes) -> None:
    """Read an ignore file, and ask it."""
    if (text := _text(data)) is None:
        return
    head, _, path = text.partition("\n\n")
    ignore.ignored(ignore.parse(head), path or "a/b")


def toml_edit(data: bytes) -> None:
    """Add to a list in a configuration: it holds that and nothing else more, or is refused."""
    text = _text(data)
    try:
        before = tomllib.loads(text or "")
        table = before["workspaces"]["api"]
        listed = table.get("paths", [])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    if text is None or not isinstance(listed, list):
        return
    try:
        after = tomllib.loads(edit.append(text, "api", "paths", "/x"))
    except Refused:
        return
    assert after["workspaces"]["api"].pop("paths") == [*listed, "/x"]
    table.pop("paths", None)
    assert repr(after) == repr(before)


def kept_plan(data: bytes) -> None:
    """Read a plan that was kept."""
    try:
        SavedPlan.model_validate_json(data)
    except ValidationError:
        return


def name_service(data: bytes) -> None:
    """Read what the wall's resolver is sent: a question, and behind it an answer."""
    question, answer = data[:32], data[32:]
    resolver.answers(question, answer)
    resolver.asked_in(data)
    if len(data) > 2:
        resolver.unknown(data)
    for each in (data, answer):
        try:
            message = dns.message.from_wire(each)
        except (dns.exception.DNSException, ValueError):
            continue
        resolver.passed(message)
        for asked in message.question:
            resolver.spelt(asked.name)
            resolver.shown(asked.name.to_text())


def record(data: bytes) -> None:
    """Read what an engine and a wall give back: the record, the resolver's state, the sets."""
    text = data.decode(errors="replace")
    resolver_state(text)
    blocked.parse(text, Protocol.TCP)
    try:
        Applied.model_validate_json(data)
    except ValidationError:
        return


def packets(data: bytes) -> None:
    """Read what the kernel tells of packets, in which the sandbox chose most bytes."""
    recorder = evidence.Recorder(Path("/nowhere"), None)
    for each in evidence.events(data):
        assert 0 <= each.port < 1 << 16
        recorder.take(each)
    recorder.state()
    with contextlib.suppress(struct.error, IndexError, ValueError):
        evidence.destination(data)


class Target(NamedTuple):
    """One function, and what it begins with."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


QUESTION = (
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02db\x07example\x03com\x00\x00\x01\x00\x01"
)
ANSWER = (
    b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x02db\x07example\x03com\x00\x00\x01\x00\x01"
    b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x0a\x01\x02\x03"
)
CONFIG = b"""[defaults]
allowed_hosts = ["a.example:443", { to = "b.example", ports = [1], until = 2027-01-31 }]
[workspaces.api]
paths = ["~/src/api"] # why
allowed_networks = ["10.1.0.0/16:5432", "[fd00::]/32"]
mounts = ["~/x:/home/agent/x:rw"]
env = ["A=b"]
volumes = ["npm:~/.npm"]
ports = ["8000-8001:1-2"]
memory = "8g"
"""


def _told(packet: bytes) -> bytes:
    """Return what the kernel tells of a packet (linux/netfilter/nfnetlink_log.h)."""
    text = bytes(4)
    for kind, payload in ((9, packet), (10, b"r\0"), (12, b"\0\0\0\1"), (14, b"\0\0\xff\xfb")):
        text += struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)
    return struct.pack("=IHHII", 16 + len(text), 0x400, 0, 0, 0) + text


IPV4 = b"\x45\0\0\x3c\0\1\x40\0\x40\6\0\0\x0a\1\2\3\x0a\1\2\4\x30\x39\x01\xbb" + bytes(16)
IPV6 = (
    b"\x60\0\0\0\0\x18\0\x40"
    + b"\xfd" * 32
    + b"\x2c\0\0\0\0\0\0\1\6\0\0\0\0\0\0\1"
    + b"\1\xbb\0\x35"
)
TARGETS: dict[str, Target] = {
    "config": Target(config, (CONFIG, b"\xef\xbb\xbf[base]\nca_certificates = ['/x']\n")),
    "env_file": Target(env_file, (b'A=b\nexport C="d\\"\n e" # x\n#\nF=\'g\'\n',)),
    "recipe": Target(
        recipe,
        (b"# escape=`\nARG BASE\nFROM ${BASE:-x} AS a\nRUN <<E\nx\nE\nCOPY --from=a / /\n",),
    ),
    "ignore_file": Target(ignore_file, (b"**/a?\n!b/[a-c]\\*\n/c/\n\na/b",)),
    "toml_edit": Target(
        toml_edit, (CONFIG, b'workspaces.api.paths = [\n "/a", # b\n]\n', b"[workspaces.api]\n")
    ),
    "kept_plan": Target(kept_plan, (b'{"format":1,"config":"","plans":[]}',)),
    "name_service": Target(name_service, (QUESTION + ANSWER, QUESTION[:32] + ANSWER)),
    "packets": Target(packets, (_told(IPV4), _told(IPV6), _told(IPV4) + _told(IPV6), IPV6)),
    "record": Target(
        record,
        (b'{"version":1,"config":"","names":[],"bundle":"","files":{}}', b'{"readable":true}'),
    ),
}
