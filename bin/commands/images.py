"""`images build`: build what a cluster runs, push it, and write down under which digests it is."""

from jailoc.bin.config import lock
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import image_push, images
from jailoc.bin.engine import docker
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.generators.config.resolve import chosen
from jailoc.generators.kubernetes.compile import builds
from jailoc.model.diagnostic import refuse
from jailoc.model.image import Build
from jailoc.model.kubernetes.image_lock import ImageLock
from jailoc.model.palette import Meaning
from jailoc.model.text import number_of


def run(session: Session, wanted: tuple[str, ...], *, push: bool, as_json: bool) -> int:
    """Build the images of workspaces as a cluster runs them; pushed ones go into the lock.

    Raises:
        Refused: an image cannot be built or pushed; what was pushed before it is in the lock.
    """
    origin, terminal = session.source(), session.terminal
    terminal.diagnose(origin.warnings)
    settings = origin.config.kubernetes
    if push and settings is None:
        raise refuse(
            "kubernetes-target",
            "there is no [kubernetes], so no registry is known",
            hint="docs/how-to/run-on-kubernetes.md has one to begin with",
        )
    every: dict[str, Build] = {}
    for name in chosen(origin.config, wanted):
        every |= {each.tag: each for each in builds(origin.config, name, origin.host)}
    docker.check_engine()
    # One that another is built on comes before it.
    with images.building():
        for build in every.values():
            images.ensure_one(terminal, build, cache_directory() / "images.build", None)
            if push and settings is not None:
                digest = image_push.pushed(terminal, build, settings.registry)
                known = lock.read(session.path)
                now = ImageLock(images=known.images | {build.tag: digest})
                files.write(lock.place(session.path), now.text, 0o644)
    if as_json:
        terminal.data({"images": list(every)})
    done = f"{number_of(len(every), 'image')} {'pushed' if push else 'built'}"
    where = f", in {lock.place(session.path)}" if push else ""
    terminal.say(f"{done}{where}", Meaning.DONE)
    return 0
