"""The images of a workspace: which are built, from what, in which order."""

import re

from jailoc.generators.assets import asset_for
from jailoc.model.diagnostic import refuse
from jailoc.model.dockerfile import instructions, parents
from jailoc.model.host import Host
from jailoc.model.image import BaseImage, Build, Choice, ContextFile, Step
from jailoc.model.text import without_mark
from jailoc.model.version import PINNED
from jailoc.model.workspace import Dockerfile, Workspace

BUILT_IN = "built-in"


def embedded(name: str, workspace: Workspace, host: Host) -> Build:
    """Return the build of an image of jailoc's own, by its name, with the user's certificates."""
    versions = PINNED | {workspace.agent.version_argument: workspace.agent.version}
    text = re.sub(
        r"^ARG (\w+)$",
        lambda match: f"ARG {match[1]}={versions[match[1]]}",
        asset_for(workspace.agent, f"{name}.Dockerfile"),
        flags=re.MULTILINE,
    )
    return Build(
        name=name,
        step=Step.EMBEDDED,
        origin=BUILT_IN,
        context=(ContextFile(path="Dockerfile", text=text), *_certificates(workspace)),
        arguments={} if workspace.user.default else _arguments(text, workspace),
        bases=_bases(text, {}, host),
    )


def _arguments(text: str, workspace: Workspace) -> dict[str, str]:
    """Return the agent's user and group, for a Dockerfile that wants to know."""
    found = {"AGENT_UID": workspace.user.uid, "AGENT_GID": workspace.user.gid}
    asked = {
        word.partition("=")[0]
        for each in instructions(text)
        if each.word == "ARG"
        for word in each.value.split()
    }
    return {name: str(value) for name, value in found.items() if name in asked}


def _certificates(workspace: Workspace) -> tuple[ContextFile, ...]:
    return (
        # COPY fails on a folder that is not there; an empty one cannot be written down.
        ContextFile(path="ca/.keep", text=""),
        *(
            # update-ca-certificates(8) reads files that end in .crt
            ContextFile(path=f"ca/{index:02}.crt", text=each.text.rstrip("\n") + "\n")
            for index, each in enumerate(workspace.certificates)
        ),
    )


def agent(workspace: Workspace, host: Host) -> tuple[tuple[Build, ...], Choice]:
    """Return the builds of the agent's image in order, and the image that follows.

    An image that is named is used as it is; else the user's base, else the embedded one is built.
    A workspace's own Dockerfile is laid over whichever it is.

    Raises:
        Refused: a Dockerfile cannot be read, or has not been fetched yet.
    """
    builds: tuple[Build, ...] = ()
    reference, step, origin = workspace.image, Step.GIVEN, workspace.image_origin
    if reference is None:
        base = (
            _base(workspace.base, workspace, host)
            if workspace.base
            else embedded("agent", workspace, host)
        )
        builds, reference, step, origin = (base,), base.tag, base.step, base.origin
    steps, origins = [step], [origin]
    if workspace.overlay:
        overlay = _overlay(workspace.overlay, reference, workspace, host, own=bool(builds))
        builds, reference = (*builds, overlay), overlay.tag
        steps.append(overlay.step)
        origins.append(overlay.origin)
    return builds, Choice(reference=reference, steps=tuple(steps), origins=tuple(origins))


def _base(dockerfile: Dockerfile, workspace: Workspace, host: Host) -> Build:
    """Return the build of the user's base; the certificates are all that its context holds."""
    text = _text(dockerfile, host)
    return Build(
        name="base",
        step=Step.BASE,
        origin=dockerfile.origin,
        source=dockerfile.source,
        context=(ContextFile(path="Dockerfile", text=text), *_certificates(workspace)),
        arguments=_arguments(text, workspace),
        bases=_bases(text, {}, host),
    )


def _overlay(
    dockerfile: Dockerfile, below: str, workspace: Workspace, host: Host, *, own: bool
) -> Build:
    """Return the build of a workspace's own Dockerfile; `own` if what is below it is built too."""
    text, inserted = with_base_argument(_text(dockerfile, host))
    found = _bases(text, {"BASE": below}, host)
    if own:
        found = tuple(each for each in found if each.reference != below)
    return Build(
        name="overlay",
        step=Step.OVERLAY,
        origin=dockerfile.origin,
        source=dockerfile.source,
        inserted=inserted,
        context=(ContextFile(path="Dockerfile", text=text),),
        arguments=_arguments(text, workspace),
        base=below,
        bases=found,
        directory=dockerfile.context,
        content=host.contexts.get(dockerfile.context or ""),
    )


def _bases(text: str, arguments: dict[str, str], host: Host) -> tuple[BaseImage, ...]:
    return tuple(
        BaseImage(
            reference=each.reference, line=each.line, identity=host.bases.get(each.reference)
        )
        for each in parents(text, arguments)
    )  # fmt: skip


def with_base_argument(text: str) -> tuple[str, int]:
    """Declare `ARG BASE` where it is first allowed, after the parser directives; say on which line.

    See https://docs.docker.com/reference/dockerfile/#parser-directives.
    """
    lines = text.split("\n")
    place = 0
    for line in lines:
        bare = line.strip()
        if bare and not (bare.startswith("#") and "=" in bare):
            break
        place += 1
    return "\n".join([*lines[:place], "ARG BASE", *lines[place:]]), place + 1


def _text(dockerfile: Dockerfile, host: Host) -> str:
    text = without_mark(host.files.get(dockerfile.source, ""))
    if dockerfile.source not in host.files:
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
