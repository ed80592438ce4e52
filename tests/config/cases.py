"""The example files: what is accepted, what is refused, and what a schema cannot see.

`valid/NAME.toml` has beside it what is in effect, `invalid/NAME.toml` the diagnostics; the names
say which rule they are about. `pytest tests/config --update-golden` writes the texts anew.
"""

import tomllib
from pathlib import Path

from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.effective import Setting, of_workspace, shared
from jailoc.generators.config.load import load, warnings
from jailoc.generators.config.resolve import names
from jailoc.generators.runtime.expectations import meet
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.document import Document
from jailoc.model.host import FileKind, Host

HERE = Path(__file__).parent
VALID = sorted((HERE / "valid").glob("*.toml"))
INVALID = sorted((HERE / "invalid").glob("*.toml"))


def host() -> Host:
    data = tomllib.loads((HERE / "host.toml").read_text())
    data["kinds"] = {path: FileKind(kind) for path, kind in data["kinds"].items()}
    data["hops"] = {path: tuple(hops) for path, hops in data["hops"].items()}
    for name in ("suffixes", "sockets", "private", "logins"):
        data[name] = tuple(data[name])
    return Host.model_validate(data)


def beyond_schema() -> dict[str, str]:
    """Return the refused files that no schema can refuse, each with the reason."""
    found: dict[str, str] = tomllib.loads((HERE / "beyond-schema.toml").read_text())
    return found


def document(case: Path) -> Document:
    return Document(case.read_bytes().decode(), "config.toml")


def effect(case: Path) -> str:
    """Return what an accepted file means, after compiling it whole."""
    machine = host()
    source = document(case)
    config = load(source, machine)
    meet(source, config, machine)
    lines = [_line(each) for each in shared(config) if each.origin != "built-in"]
    for name in names(config):
        compile_workspace(config, name, machine)
        lines += ["", f"[workspaces.{name}]"]
        lines += [
            _line(each)
            for each in of_workspace(config, name, machine)
            if (each.key, each.origin) != ("protect", "built-in")
        ]
    lines += [block(each) for each in warnings(source, config, machine)]
    return "".join(f"{line}\n" for line in lines)


def verdict(case: Path) -> str:
    """Return the diagnostics of a refused file."""
    try:
        source, machine = document(case), host()
        meet(source, load(source, machine), machine)
    except Refused as error:
        return "\n".join(map(block, error.diagnostics))
    return "accepted\n"


def _line(each: Setting) -> str:
    return f"{each.key} = {each.value!r} from {each.origin}"


def block(diagnostic: Diagnostic) -> str:
    place = diagnostic.position
    lines = [
        f"{diagnostic.severity.value} {diagnostic.code}",
        f"at {diagnostic.file}:{place.line}:{place.column}" if place else "at no place",
        f"where {diagnostic.where or '-'}",
        f"text {diagnostic.text}",
        f"message {diagnostic.message}",
    ]
    lines += [f"allowed {diagnostic.allowed}"] if diagnostic.allowed else []
    lines += [f"hint {diagnostic.hint}"] if diagnostic.hint else []
    return "".join(f"{line}\n" for line in lines)
