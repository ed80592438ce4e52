"""`render`: write what a configuration becomes; it needs no engine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jailoc.bin.config import portable
from jailoc.bin.config.session import Session
from jailoc.bin.host import files as store
from jailoc.bin.host import folders
from jailoc.bin.host.processes import mapped
from jailoc.bin.terminal.status_line import Live
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.artefacts.image_recipes import decision
from jailoc.generators.config.resolve import chosen
from jailoc.model.bundle import Bundle, File
from jailoc.model.diagnostic import refuse
from jailoc.model.golden import BUNDLE_FILE
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
    terminal, place = session.terminal, None if out is None else Path(out)
    if place is not None:
        folders.refuse_file(place, "--out")
    if place is not None and not native:
        shared = portable.read(session)
        terminal.diagnose(shared.warnings)

        def compiled(name: str) -> tuple[Bundle, tuple[File, ...]]:
            found = shared.compile(name)
            return found.bundle, found.files

        _render(terminal, chosen(shared.config, wanted), compiled, place, as_json)
    else:
        origin = session.source()
        terminal.diagnose(origin.warnings)

        def own(name: str) -> tuple[Bundle, tuple[File, ...]]:
            bundle = compile_workspace(origin.config, name, origin.host)
            return bundle, bundle.files

        _render(terminal, chosen(origin.config, wanted), own, place, as_json)
    if place is not None and not as_json:
        _tell_next(session)
    return 0


def _tell_next(session: Session) -> None:
    """Say what comes after files that were written: they are for reading, and start nothing."""
    if session.starter:
        session.terminal.say("this is the starter configuration; next: `jailoc init --here`")
    else:
        session.terminal.say("next: read them; `jailoc plan` says what a start would do with them")


class _Rendered(NamedTuple):
    """What is told of a workspace."""

    files: int
    more: int
    """Files of models beside them, which no start writes."""
    data: dict[str, Any] | None
    lines: tuple[str, ...]


def _render(
    terminal: Terminal,
    every: tuple[str, ...],
    compiled: Callable[[str], tuple[Bundle, tuple[File, ...]]],
    out: Path | None,
    as_json: bool,
) -> None:
    """Compile workspaces, several at once if there are very many; write them, or show them."""
    top = None if out is None else folders.settled(out)

    def rendered(name: str) -> _Rendered:
        bundle, files = compiled(name)
        if top is not None:
            # It can be rendered again, so no disk is waited for.
            store.write_files(files, top / name, durable=False, shared=top)
        shown = out is None and not as_json
        return _Rendered(
            len(bundle.files),
            len(files) - len(bundle.files),
            _data(bundle) if as_json else None,
            tuple(_lines(bundle)) if shown else (),
        )

    data = []
    with _Told(terminal, out, len(every)) as progress:
        for name, each in zip(every, mapped(rendered, every), strict=True):
            progress.tell(name, each.files, each.more)
            data.append(each.data)
            for line in each.lines:
                terminal.result(line)
    if as_json:
        terminal.data({"workspaces": data})


class _Told:
    """Tells of each workspace that is written, or of the number of very many."""

    def __init__(self, terminal: Terminal, out: Path | None, count: int) -> None:
        self._terminal, self._out, self._count = terminal, out, count
        self._done = self._files = 0
        self._line = Live(terminal)

    def __enter__(self) -> "_Told":
        return self

    def __exit__(self, *_: object) -> None:
        self._line.__exit__()
        if self._out is not None and self._done > MOST_TOLD:
            self._say(self._out, f"{self._done} workspaces, {number_of(self._files, 'file')}")

    def tell(self, name: str, files: int, more: int) -> None:
        """Tell that a workspace is written."""
        if self._out is None:
            return
        self._done, self._files = self._done + 1, self._files + files + more
        if self._count > MOST_TOLD:
            self._line.show(f"rendering {self._count} workspaces", f": {self._done}")
        else:
            beside = f", and {BUNDLE_FILE} with the models" if more else ""
            self._say(self._out / name, number_of(files, "file") + beside)

    def _say(self, place: Path, what: str) -> None:
        self._terminal.say(f"{place}: {what}", Meaning.DONE)


def _lines(bundle: Bundle) -> Iterator[str]:
    for line in _images(bundle):
        yield f"# {bundle.workspace}: {line}"
    for file in bundle.files:
        yield f"# ==> {bundle.workspace}/{file.path} (mode {file.mode:04o})"
        yield file.text


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
