"""`render`: write what a configuration becomes; it needs no engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jailoc.bin.config import portable
from jailoc.bin.config.session import Session
from jailoc.bin.host import files as store
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.image_recipes import decision
from jailoc.model.bundle import Bundle, File
from jailoc.model.diagnostic import refuse
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import AGENT, SIDECAR, WALL
from jailoc.model.text import number_of


def run(
    session: Session, wanted: tuple[str, ...], out: str | None, as_json: bool, native: bool
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
        return _share(session, wanted, Path(out), as_json)
    origin, terminal = session.source(), session.terminal
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


def _share(session: Session, wanted: tuple[str, ...], out: Path, as_json: bool) -> int:
    origin, terminal = portable.read(session), session.terminal
    terminal.diagnose(origin.warnings)
    made = origin.compiled(wanted)
    for each in made:
        _write(terminal, each.files, out / each.bundle.workspace)
    if as_json:
        terminal.data({"workspaces": [_data(each.bundle) for each in made]})
    return 0


def _write(terminal: Terminal, files: tuple[File, ...], folder: Path) -> None:
    store.write_files(files, folder)
    terminal.say(f"{folder}: {number_of(len(files), 'file')}", Meaning.DONE)


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
