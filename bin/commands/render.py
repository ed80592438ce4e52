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
from jailoc.generators.config.resolve import chosen
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
    data = []
    for name in chosen(origin.config, wanted):
        # One at a time: there may be thousands.
        bundle = compile_workspace(origin.config, name, origin.host)
        if out is not None:
            _write(terminal, bundle.files, Path(out, name))
        if as_json:
            data.append(_data(bundle))
        elif out is None:
            for line in _images(bundle):
                terminal.result(f"# {name}: {line}")
            for file in bundle.files:
                terminal.result(f"# ==> {name}/{file.path} (mode {file.mode:04o})")
                terminal.result(file.text)
    if as_json:
        terminal.data({"workspaces": data})
    return 0


def _share(session: Session, wanted: tuple[str, ...], out: Path, as_json: bool) -> int:
    origin, terminal = portable.read(session), session.terminal
    terminal.diagnose(origin.warnings)
    data = []
    for each in origin.compiled(wanted):
        _write(terminal, each.files, out / each.bundle.workspace)
        if as_json:
            data.append(_data(each.bundle))
    if as_json:
        terminal.data({"workspaces": data})
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
