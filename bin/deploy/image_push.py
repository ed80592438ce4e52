"""Images for a cluster: pushed to the registry, and known by their digests."""

import re

from jailoc.bin.deploy import provenance
from jailoc.bin.engine import images
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.terminal import build_progress
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.runtime.build_log import Event, What
from jailoc.model.diagnostic import refuse
from jailoc.model.image import Build
from jailoc.model.kubernetes.image_lock import DIGEST


def pushed(terminal: Terminal, build: Build, registry: str) -> str:
    """Push an image, and return the digest that the registry has it under.

    Raises:
        Refused: the registry does not take it, or does not say its digest.
    """
    reference = f"{registry}/{build.tag}"
    said: list[str] = []
    try:
        images.tag(provenance.exact(build.tag), reference)
        with build_progress.shown(terminal, f"pushing {reference}") as show:

            def take(line: str) -> None:
                said.append(line)
                show(Event(what=What.SAID, step=reference, text=line))

            images.push(reference, take)
    except DockerError as error:
        problem = error.tail.rpartition("\n")[2]
        raise refuse(
            "image-push",
            f"{reference} cannot be pushed: {problem}",
            hint="check `registry` of [kubernetes], the network and `docker login`",
        ) from error
    # As docker-push(1) ends: TAG: digest: DIGEST size: BYTES.
    found = re.search(rf"digest: ({DIGEST})", "\n".join(said))
    if found is None:
        raise refuse("image-push", f"{reference} is pushed, and nobody said under which digest")
    return found[1]
