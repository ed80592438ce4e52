"""Why an image is built again: two builds of the same name, compared part by part."""

from collections.abc import Iterator

from jailoc.model.image import Build


def differences(new: Build, old: Build) -> tuple[str, ...]:
    """Return what has changed between two builds, in words."""
    return tuple(dict.fromkeys(_differences(new, old)))


def _differences(new: Build, old: Build) -> Iterator[str]:
    before = {file.path: file.text for file in old.context}
    after = {file.path: file.text for file in new.context}
    if before.get("Dockerfile") != after.get("Dockerfile"):
        yield "the Dockerfile"
    for path in sorted({*before, *after} - {"Dockerfile"}):
        if before.get(path) != after.get(path):
            yield "the list of certificates" if path.startswith("ca/") else f"`{path}`"
    if new.base != old.base:
        yield f"the image below it (`{old.base}` -> `{new.base}`)"
    if (new.directory, new.content) != (old.directory, old.content):
        yield "its build context"
