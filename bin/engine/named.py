"""Networks and volumes of an engine by name, whoever has made them."""

from jailoc.bin.engine.docker import label, rows, run, table
from jailoc.model.sandbox import COMPOSE_PROJECT


def named(kind: str, part: str) -> dict[str, str]:
    """Return what has a text in its name, with the project that its labels say; empty for none.

    Args:
        kind: `network` or `volume`.
        part: Of the name.

    Raises:
        DockerError: the engine did not answer.
    """
    listing = [kind, "ls", "--filter", f"name={part}"]
    text = run([*listing, "--format", table(".Name", label(COMPOSE_PROJECT))],
               what=f"list {kind}s", timeout=60)  # fmt: skip
    return dict(rows(text))
