"""`render`: write what a configuration becomes; it needs no engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jailoc.bin.config import portable
from jailoc.bin.config.session import Session
from jailoc.bin.host import files as store
from jailoc.bin.terminal.status_line import Live
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.image_recipes import decision
from jailoc.generators.config.resolve import chosen
from jailoc.model.bundle import Bundle, File
from jailoc.model.diagnostic import refuse
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import AGENT, PROXY, SIDECAR, WALL
from jailoc.model.text import number_of

MOST_TOLD = 20
"""Workspaces that are told of one by one."""


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
    every, data = chosen(origin.config, wanted), []
    with _Writer(terminal, Path(out or ""), len(every)) as writer:
        for name in every:
            # One at a time: there may be thousands.
            bundle = compile_workspace(origin.config, name, origin.host)
            if out is not None:
                writer.write(name, bundle.files)
            if as_json:
                data.append(_data(bundle))
            elif out is None:
                _print(terminal, bundle)
    if as_json:
        terminal.data({"workspaces": data})
    elif out is not None:
        _tell_next(session)
    return 0


def _tell_next(session: Session) -> None:
    """Say what comes after files that were written: they are for reading, and start nothing."""
    if session.starter:
        session.terminal.say("this is the starter configuration; next: `jailoc init --here`")
    else:
        session.terminal.say("next: read them; `jailoc plan` says what a start would do with them")


def _share(session: Session, wanted: tuple[str, ...], out: Path, as_json: bool) -> int:
    origin, terminal = portable.read(session), session.terminal
    terminal.diagnose(origin.warnings)
    data = []
    with _Writer(terminal, out, len(wanted or origin.config.workspaces)) as writer:
        for each in origin.compiled(wanted):
            writer.write(each.bundle.workspace, each.files)
            if as_json:
                data.append(_data(each.bundle))
    if as_json:
        terminal.data({"workspaces": data})
    else:
        _tell_next(session)
    return 0


class _Writer:
    """Writes what is rendered, and tells of each workspace, or of the number of very many."""

    def __init__(self, terminal: Terminal, out: Path, count: int) -> None:
        self._terminal, self._out, self._count = terminal, out, count
        self._done = self._files = 0
        self._line = Live(terminal)

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._line.__exit__()
        if self._done > MOST_TOLD:
            self._say(self._out, f"{self._done} workspaces, {number_of(self._files, 'file')}")

    def write(self, name: str, files: tuple[File, ...]) -> None:
        """Write one workspace; it can be rendered again, so no disk is waited for."""
        store.write_files(files, self._out / name, durable=False, shared=self._out)
        self._done, self._files = self._done + 1, self._files + len(files)
        if self._count > MOST_TOLD:
            self._line.show(f"rendering {self._count} workspaces", f": {self._done}")
        else:
            self._say(self._out / name, number_of(len(files), "file"))

    def _say(self, place: Path, what: str) -> None:
        self._terminal.say(f"{place}: {what}", Meaning.DONE)


def _print(terminal: Terminal, bundle: Bundle) -> None:
    for line in _images(bundle):
        terminal.result(f"# {bundle.workspace}: {line}")
    for file in bundle.files:
        terminal.result(f"# ==> {bundle.workspace}/{file.path} (mode {file.mode:04o})")
        terminal.result(file.text)


def _images(bundle: Bundle) -> Iterator[str]:
    """Yield which image each service runs, and how that was decided."""
    yield f"{AGENT} runs {bundle.choice.reference}: {decision(bundle.choice)}"
    for build in bundle.builds:
        if build.name in SERVICES:
            yield f"{SERVICES[build.name]} runs {build.tag}: {build.step.value} ({build.origin})"
    for name, service in bundle.compose.beside.items():
        yield f"{name} runs {service.image.text}: used as it is ({service.image.origin})"


SERVICES = {"wall": WALL, "dind": SIDECAR, "proxy": PROXY}
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
