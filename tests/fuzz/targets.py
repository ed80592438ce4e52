"""What strangers' bytes get to, each as one function that may only end as it says."""

import importlib.util
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


def _resolver() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "fuzzed_resolver", ROOT / "generators/assets/resolver.py"
    )
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


resolver: Any = _resolver()


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
        load.mentioned(document, HOST.home)
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
    "record": Target(
        record,
        (b'{"version":1,"config":"","names":[],"bundle":"","files":{}}', b'{"readable":true}'),
    ),
}
