"""The tools image, built when it is first needed, and as whom its programs work."""

from jailoc.bin.config import facts
from jailoc.bin.config.user import asked
from jailoc.bin.deploy import images, preflight, provenance
from jailoc.bin.engine import images as engine_images
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.images import embedded
from jailoc.model.host import Host, Ids
from jailoc.model.workspace import Workspace

TOOLS = "tools"


def image(terminal: Terminal, workspace: Workspace, host: Host) -> str:
    """Return the tools image of a workspace; build it if the engine does not have it.

    It is the engine's own name: something may take the tag before a container is made of it.

    Raises:
        DockerError: the engine did not answer.
        Refused: it cannot be built, or what it is built on cannot be pulled.
    """
    preflight.places()
    build = embedded(TOOLS, workspace, host)
    if new := images.record(terminal, (build,), engine_images.held((build.tag,))):
        known = host.model_copy(update={"bases": {**host.bases, **new}})
        build = embedded(TOOLS, workspace, known)
    there = engine_images.identity(build.tag)
    if there is None or not provenance.built(build.tag, there):
        with images.building():
            place = facts.cache_directory() / "tools.build"
            there = images.ensure_one(terminal, build, place, None)
    return there


def caller(host: Host) -> str:
    """Return who in a container is the user that runs jailoc, as docker(1) takes it.

    On an engine without root that is its root, which has no more rights than the user.
    """
    return "0:0" if asked(host).ids is Ids.SHIFTED else f"{host.uid}:{host.gid}"
