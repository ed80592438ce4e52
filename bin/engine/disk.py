"""What lies on the engine's disk: images and volumes, how much they take, and their removal."""

from contextlib import suppress

from jailoc.bin.engine.docker import LARGE, DockerError, label, lines_of, rows, run, table
from jailoc.model.quantity import amount
from jailoc.model.sandbox import COMPOSE_PROJECT

MEASURING = 30.0
"""Seconds for the engine to measure its volumes: it walks through all of them."""
MEASURING_CACHE = 10.0
"""Seconds for it to measure the cache of builds, after all that was asked for is done."""


def images() -> dict[str, int | None]:
    """Return every image that has a tag, by reference, with its bytes.

    Raises:
        DockerError: the engine did not answer.
    """
    text = run(
        ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}\t{{.Size}}"],
        what="list images", timeout=60, limit=LARGE,
    )  # fmt: skip
    rows = (line.partition("\t") for line in lines_of(text))
    return {name: amount(size) for name, _, size in rows}


def in_use() -> dict[str, set[str]]:
    """Return the images that containers were made from, by reference, with their projects.

    Raises:
        DockerError: the engine did not answer.
    """
    text = run(
        ["ps", "--all", "--no-trunc", "--format", table(".Image", label(COMPOSE_PROJECT))],
        what="list containers", timeout=30, limit=LARGE,
    )  # fmt: skip
    found: dict[str, set[str]] = {}
    for image, project in rows(text):
        found.setdefault(image, set()).add(project)
    return found


def volume_sizes() -> dict[str, int]:
    """Return the bytes of volumes, by whole name; nothing where the engine does not say."""
    with suppress(DockerError):
        text = run(
            ["system", "df", "--verbose", "--format",
             "{{range .Volumes}}{{.Name}}\t{{.Size}}\n{{end}}"],
            what="measure volumes", timeout=MEASURING, limit=LARGE,
        )  # fmt: skip
        rows = (line.partition("\t") for line in lines_of(text))
        return {name: size for name, _, told in rows if (size := amount(told)) is not None}
    return {}


def build_cache() -> str | None:
    """Return how much the cache of builds takes, in the engine's words; empty if nothing.

    Returns:
        None where the engine, which may be busy with what a cancelled build has left, does not say.
    """
    try:
        text = run(
            ["system", "df", "--format", "{{.Type}}\t{{.Size}}"],
            what="measure the build cache", timeout=MEASURING_CACHE, limit=LARGE,
        )  # fmt: skip
    except DockerError:
        return None
    rows = dict(line.split("\t", 1) for line in lines_of(text) if "\t" in line)
    size = rows.get("Build Cache", "")
    return size if amount(size) else ""


def remove_volume(name: str) -> None:
    """Remove a volume; one that is gone already does no harm.

    Raises:
        DockerError: a container uses it.
    """
    run(["volume", "rm", "--force", "--", name], what=f"removing volume {name}", timeout=120)


def remove_image(reference: str) -> str | None:
    """Take an image's tag away, and with its last one the image.

    Returns:
        Why it stays, if it does.
    """
    try:
        run(["image", "rm", "--", reference], what="remove image", timeout=300)
    except DockerError as error:
        last = error.tail.rpartition("\n")[2]
        return None if "no such image" in last.lower() else last
    return None
