"""The images of a workspace: which are built, from what, in which order."""

from jailoc.generators.assets import asset
from jailoc.model.diagnostic import refuse
from jailoc.model.host import Host
from jailoc.model.image import Build, ContextFile
from jailoc.model.workspace import Dockerfile, Workspace


def embedded(name: str, workspace: Workspace) -> Build:
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


def agent(workspace: Workspace, host: Host) -> tuple[tuple[Build, ...], str]:
    """Return the builds of the agent's image in order, and the reference that follows.

    An image that is named is used as it is; else the user's base, else the embedded one is built.
    A workspace's own Dockerfile is laid over whichever it is.

    Raises:
        Refused: a Dockerfile cannot be read, or has not been fetched yet.
    """
    builds: tuple[Build, ...] = ()
    reference = workspace.image
    if reference is None:
        base = (
            Build(
                name="base",
                context=(ContextFile(path="Dockerfile", text=_text(workspace.base, host)),),
            )
            if workspace.base
            else embedded("agent", workspace)
        )
        builds, reference = (base,), base.tag
    if workspace.overlay:
        overlay = Build(
            name="overlay",
            context=(
                ContextFile(
                    path="Dockerfile", text=with_base_argument(_text(workspace.overlay, host))
                ),
            ),
            base=reference,
            directory=workspace.overlay.context,
            content=host.contexts.get(workspace.overlay.context or ""),
        )
        builds, reference = (*builds, overlay), overlay.tag
    return builds, reference


def with_base_argument(text: str) -> str:
    """Declare `ARG BASE` where it is first allowed: after the parser directives.

    See https://docs.docker.com/reference/dockerfile/#parser-directives.
    """
    lines = text.split("\n")
    place = 0
    for line in lines:
        bare = line.strip()
        if bare and not (bare.startswith("#") and "=" in bare):
            break
        place += 1
    return "\n".join([*lines[:place], "ARG BASE", *lines[place:]])


def _text(dockerfile: Dockerfile, host: Host) -> str:
    text = host.files.get(dockerfile.source)
    if text is None:
        remote = "://" in dockerfile.source
        raise refuse(
            "dockerfile-missing",
            f"{dockerfile.origin}: Dockerfile `{dockerfile.source}` "
            + ("has not been fetched yet" if remote else "cannot be read"),
            allowed="UTF-8 text of at most 1 MiB",
            hint="`jailoc up` fetches it" if remote else "check the path and its permissions",
        )
    if not text.strip():
        raise refuse(
            "dockerfile-missing",
            f"{dockerfile.origin}: Dockerfile `{dockerfile.source}` is empty",
            allowed="a Dockerfile with a FROM instruction",
        )
    return text
