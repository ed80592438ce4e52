"""`render --target kubernetes`: write the objects of a cluster, without engine and kubectl."""

from pathlib import Path

from jailoc.bin.config import lock
from jailoc.bin.config.session import Session
from jailoc.bin.host import files as store
from jailoc.bin.host import folders
from jailoc.generators.config.resolve import chosen
from jailoc.generators.kubernetes import manifests
from jailoc.generators.kubernetes.compile import compile_cluster, rendered
from jailoc.model.diagnostic import refuse
from jailoc.model.kubernetes.bundle import ClusterBundle
from jailoc.model.palette import Meaning
from jailoc.model.text import number_of


def run(session: Session, wanted: tuple[str, ...], out: str | None, *, other: bool) -> int:
    """Write the objects of workspaces to a directory, ready for Kustomize."""
    if out is None or other:
        raise refuse(
            "usage",
            "--target writes to a directory, the same for every machine",
            hint="add --out DIR, and leave --json and --native out",
        )
    folders.refuse_file(Path(out), "--out")
    origin, terminal, top = session.source(), session.terminal, folders.settled(Path(out))
    terminal.diagnose(origin.warnings)
    known, every = lock.read(session.path), chosen(origin.config, wanted)
    settings = origin.config.kubernetes
    done: list[ClusterBundle] = []
    for name in every:
        found = compile_cluster(origin.document, origin.config, name, origin.host, known)
        files = manifests.files(found)
        store.write_files(files, top / "workspaces" / name, durable=False, shared=top)
        # Of very many only what the lists need is kept.
        done.append(found.model_copy(update={"maps": ()}))
    if settings is not None:
        store.write_files(rendered(settings, done), top, durable=False, shared=top)
    terminal.say(
        f"{top}: {number_of(len(done), 'workspace')} as objects of a cluster", Meaning.DONE
    )
    return 0
