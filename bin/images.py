"""Images on the engine: what a bundle needs is there, and can run the agent, before all else."""

import hashlib

from jailoc.bin import builder, facts, store
from jailoc.bin.terminal import Terminal
from jailoc.generators.compose import AGENT, SIDECAR
from jailoc.generators.suitable import SCRIPT, unsuitable
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Sidecar
from jailoc.model.diagnostic import refuse


def ensure(terminal: Terminal, bundle: Bundle) -> None:
    """Build the images of a bundle that the engine does not have yet, and look at the agent's.

    Raises:
        DockerError: a build failed; no other image is used in its place.
        Refused: the agent's image lacks something, with everything that it lacks.
    """
    for build in bundle.builds:
        # What lies in a large directory may have changed; the engine knows.
        if not build.known or builder.identity(build.tag) is None:
            terminal.say(f"building image {build.tag}")
            builder.build(build, lambda line: terminal.say(f"  {line}", "dim"))
    check(terminal, bundle)
    _check_privilege(bundle)


def check(terminal: Terminal, bundle: Bundle) -> None:
    """Make sure that the agent's image can run the agent; a look inside is needed once an image.

    Raises:
        DockerError: the image cannot be pulled.
        Refused: it lacks something.
    """
    agent = bundle.compose.services[AGENT]
    reference = agent.image.text
    identity = builder.identity(reference)
    if identity is None:
        terminal.say(f"pulling image {reference}")
        builder.pull(reference, lambda line: terminal.say(f"  {line}", "dim"))
        identity = builder.identity(reference) or reference
    environment = {
        key: value.text for key, value in agent.environment.items() if key in {"HOME", "PATH"}
    }
    asked = hashlib.sha256(repr((identity, SCRIPT, environment)).encode()).hexdigest()
    place = facts.cache_directory() / "suitable" / asked
    if place.exists():
        return
    terminal.say(f"looking into image {reference}")
    refusal = unsuitable(
        reference, agent.image.origin, builder.ask(identity, SCRIPT, environment) or ()
    )
    if refusal is not None:
        raise refusal
    store.make_private(place.parent)
    store.write(place, f"{reference} {identity}\n", 0o600)


def _check_privilege(bundle: Bundle) -> None:
    """Try a privileged container before anything that runs is touched.

    Raises:
        Refused: the sidecar should be privileged, and the engine refuses such containers.
    """
    sidecar = bundle.compose.services.get(SIDECAR)
    if not (isinstance(sidecar, Sidecar) and sidecar.privileged):
        return
    if why := builder.refused_privilege(sidecar.image.text):
        lines = why.splitlines()
        reason = next((each for each in lines if "rror" in each), lines[-1])
        raise refuse(
            "dind-privileged",
            f"the engine starts no privileged container: {reason.removeprefix('docker: ')}",
            hint="leave `dind_privileged = true` out: the agent's Docker works without it, but for "
            "`docker run --privileged`",
        )
