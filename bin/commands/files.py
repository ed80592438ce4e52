"""The commands that need no engine: `render`, `validate` and `schema`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jailoc.bin.config import portable, source
from jailoc.bin.host import files as store
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.image_recipes import decision
from jailoc.model.bundle import Bundle, File
from jailoc.model.diagnostic import Refused, refuse
from jailoc.model.sandbox import AGENT, SIDECAR, WALL
from jailoc.schemas import NAMES
from jailoc.schemas import text as schema_text


def render(
    terminal: Terminal,
    config: str | None,
    wanted: tuple[str, ...],
    out: str | None,
    as_json: bool,
    native: bool,
) -> int:
    """Write what the configuration becomes, to a directory or to standard output.

    A directory gets what is the same for everybody, unless it is to be this machine's own.
    """
    if native and out is None:
        raise refuse(
            "usage",
            "--native is for --out: what is printed is always this machine's own",
            hint="add --out DIR, or leave --native out",
        )
    if out is not None and not native:
        return _share(terminal, config, wanted, Path(out), as_json)
    origin = source.read(config)
    terminal.diagnose(origin.warnings)
    bundles = [
        compile_workspace(origin.config, name, origin.host) for name in origin.chosen_many(wanted)
    ]
    if out is not None:
        for bundle in bundles:
            _write(terminal, bundle.files, Path(out, bundle.workspace))
    if as_json:
        terminal.data({"workspaces": [_data(bundle) for bundle in bundles]})
    elif out is None:
        for bundle in bundles:
            for line in _images(bundle):
                terminal.result(f"# {bundle.workspace}: {line}")
            for file in bundle.files:
                terminal.result(f"# ==> {bundle.workspace}/{file.path} (mode {file.mode:04o})")
                terminal.result(file.text)
    return 0


def _share(
    terminal: Terminal, config: str | None, wanted: tuple[str, ...], out: Path, as_json: bool
) -> int:
    origin = portable.read(config)
    terminal.diagnose(origin.warnings)
    made = origin.compiled(wanted)
    for each in made:
        _write(terminal, each.files, out / each.bundle.workspace)
    if as_json:
        terminal.data({"workspaces": [_data(each.bundle) for each in made]})
    return 0


def _write(terminal: Terminal, files: tuple[File, ...], folder: Path) -> None:
    store.write_files(files, folder)
    terminal.say(f"{folder}: {len(files)} files", "green")


def _images(bundle: Bundle) -> Iterator[str]:
    """Yield which image each service runs, and how that was decided."""
    yield f"{AGENT} runs {bundle.choice.reference}: {decision(bundle.choice)}"
    for build in bundle.builds:
        if build.name in SERVICES:
            yield f"{SERVICES[build.name]} runs {build.tag}: {build.step.value} ({build.origin})"


SERVICES = {"wall": WALL, "dind": SIDECAR}
"""The services whose image is always jailoc's own, by the name of the image."""


def _data(bundle: Bundle) -> dict[str, Any]:
    return {
        "name": bundle.workspace,
        "directory": bundle.directory,
        "digest": bundle.digest,
        "agent": bundle.choice.model_dump(mode="json"),
        "images": [each.recipe.model_dump(mode="json") for each in bundle.builds],
        "files": [
            {"path": file.path, "mode": f"{file.mode:04o}", "text": file.text}
            for file in bundle.files
        ],
        "firewall": bundle.firewall.model_dump(mode="json"),
    }


def validate(terminal: Terminal, config: str | None, as_json: bool) -> int:
    """Check a configuration; every problem is reported."""
    try:
        origin = source.read(config)
        for name in origin.config.workspaces:
            compile_workspace(origin.config, name, origin.host)
        found, path = origin.warnings, origin.path
    except Refused as refused:
        if not as_json:
            raise
        terminal.data(
            {
                "valid": False,
                "diagnostics": [each.model_dump(mode="json") for each in refused.diagnostics],
            }
        )
        return 1
    if as_json:
        terminal.data(
            {"valid": True, "diagnostics": [each.model_dump(mode="json") for each in found]}
        )
    else:
        terminal.diagnose(found)
        terminal.result(f"{path}: valid, {len(origin.config.workspaces)} workspaces")
    return 0


def schema(terminal: Terminal, name: str) -> int:
    """Print a JSON Schema."""
    if name not in NAMES:
        raise refuse("schema", f"there is no schema `{name}`", allowed=", ".join(NAMES))
    terminal.result(schema_text(name))
    return 0
