"""Images on the engine: what a bundle needs and the engine lacks is built before all else."""

from jailoc.bin import engine
from jailoc.bin.terminal import Terminal
from jailoc.model.bundle import Bundle


def ensure(terminal: Terminal, bundle: Bundle) -> None:
    """Build the images of a bundle that the engine does not have yet.

    Raises:
        DockerError: a build failed; no other image is used in its place.
    """
    for build in bundle.builds:
        # What lies in a large directory may have changed; the engine knows.
        if not build.known or not engine.has_image(build.tag):
            terminal.say(f"building image {build.tag}")
            engine.build(build, lambda line: terminal.say(f"  {line}", "dim"))
