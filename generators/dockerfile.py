"""The images that jailoc builds itself: their Dockerfiles and build contexts."""

from jailoc.generators.assets import asset
from jailoc.model.image import Build, ContextFile
from jailoc.model.workspace import Workspace


def build(name: str, workspace: Workspace) -> Build:
    """Return the build of the `wall`, `agent` or `dind` image, with the user's certificates."""
    certificates = tuple(
        # update-ca-certificates(8) reads files that end in .crt
        ContextFile(path=f"ca/{index:02}.crt", text=each.text.rstrip("\n") + "\n")
        for index, each in enumerate(workspace.certificates)
    )
    return Build(
        name=name,
        context=(
            ContextFile(path="Dockerfile", text=asset(f"{name}.Dockerfile")),
            # COPY fails on a folder that is not there; an empty one cannot be written down.
            ContextFile(path="ca/.keep", text=""),
            *certificates,
        ),
    )
