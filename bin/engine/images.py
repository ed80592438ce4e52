"""What jailoc asks of the engine about images: is it there, build it, pull it, look inside."""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from jailoc.bin.engine import disk, docker
from jailoc.bin.engine.docker import DockerError, lines_of, rows, run, stream, table
from jailoc.bin.engine.shell import shell
from jailoc.bin.host import files
from jailoc.model.bundle import File
from jailoc.model.diagnostic import refuse
from jailoc.model.image import Build
from jailoc.model.sandbox import AGENT_USER

BUILDING = "jailoc-building"
"""What an image is called while it is built, with a tag that nobody else can know."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "FTP_PROXY", "ALL_PROXY")


class HeldImage(NamedTuple):
    """An image that the engine has."""

    identity: str
    """The engine's own name of it, which no other image ever has: a tag may be moved."""
    environment: dict[str, str]
    """The variables that it sets."""
    volumes: tuple[str, ...] = ()
    """Where a container of it gets a volume without a name, if nothing else is mounted there."""


def held(references: Iterable[str]) -> dict[str, HeldImage]:
    """Return what the engine has under names or identities of images; others are missing."""
    wanted = tuple(dict.fromkeys(references))
    if not wanted:
        return {}
    try:
        text = run(["image", "inspect", "--format", "{{.Id}}\t{{json .Config}}", "--", *wanted],
                    what="inspect images", timeout=30)  # fmt: skip
    except DockerError:
        text = ""
    lines = lines_of(text)
    if len(lines) == len(wanted):
        return dict(zip(wanted, map(_held, lines), strict=True))
    # Where it lacks one, it does not say whose the answers are.
    return {} if len(wanted) == 1 else {
        name: image for each in wanted for name, image in held((each,)).items()
    }  # fmt: skip


def _held(line: str) -> HeldImage:
    identity, _, config = line.partition("\t")
    # Asked for by itself, what an image does not set is an error of newer clients.
    found = json.loads(config or "null") or {}
    pairs = (entry.partition("=") for entry in found.get("Env") or [])
    variables = {key: value for key, _, value in pairs}
    return HeldImage(identity, variables, tuple(sorted(found.get("Volumes") or {})))


def identity(reference: str) -> str | None:
    """Return the engine's own name of an image; None if it has none."""
    found = held((reference,)).get(reference)
    return found.identity if found else None


def pull(reference: str, line: Callable[[str], None]) -> None:
    """Fetch an image from its registry, with the credentials that docker has.

    Raises:
        DockerError: there is no such image, no registry, or no permission.
    """
    stream(
        ["pull", "--", reference],
        what=f"pulling image {reference}",
        line=line,
        credentials=True,
    )


def build(
    image: Build, folder: Path, line: Callable[[str], None], aside: str, below: str | None = None
) -> str:
    """Build an image; return the engine's own name of what was built.

    Whoever builds, tags or loads an image could take its tag before the engine is asked whose it
    is: until it has been, what was built has another one.

    Args:
        image: What to build.
        folder: Directory for its Dockerfile, removed at the end. What a killed build has left
            there goes first; the caller holds the lock that keeps others out.
        line: Called with each line of the build's log.
        aside: What it is called first, which nobody else can know; up to its last hyphen it is the
            same for each build that the caller's lock keeps out.
        below: What it is built on, for `BASE`, by the engine's own name; so that has one, too.

    Raises:
        DockerError: a step failed; the tail is that of the build's log.
        Refused: the engine does not have what was built.
    """
    shutil.rmtree(folder, ignore_errors=True)
    files.make_private(folder)
    _sweep(f"{aside.rpartition('-')[0]}-")
    try:
        # An image gets the modes along with the files, and must not depend on a umask.
        files.write_files(
            (File(path=each.path, mode=0o644, text=each.text) for each in image.context), folder
        )
        words = [
            word
            for name in PROXIES
            for variable in (name, name.lower())
            if variable in os.environ
            # Without a value docker takes it from its environment: none is on the command line.
            for word in ("--build-arg", variable)
        ]
        for name, value in image.arguments.items():
            words += ["--build-arg", f"{name}={value}"]
        if below is not None:
            tag(below, f"{aside}-below")
        if image.base is not None:
            words += ["--build-arg", f"BASE={f'{aside}-below' if below else image.base}"]
        context = image.directory or str(folder)
        words += ["--file", str(folder / "Dockerfile"), "--", context]
        stream(
            ["build", "--tag", aside, *words],
            what=f"building image {image.tag}",
            line=line,
            # Of equal inputs an attestation makes another image each time: it holds when (buildx).
            extra={"BUILDKIT_PROGRESS": "plain", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
            | _buildkit(),
            credentials=True,
        )
        if (made := identity(aside)) is None:
            raise refuse(
                "image-build",
                f"image {image.tag} was built, and the engine does not have it",
                hint="run it again if something removes images meanwhile; a builder that keeps "
                "what it builds to itself (`docker buildx ls`) is left by `docker buildx use "
                "default`",
            )
        tag(made, image.tag)
        return made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        disk.remove_image(aside)
        if below is not None:
            disk.remove_image(f"{aside}-below")


def _sweep(beginning: str) -> None:
    """Take away the names that a killed build has left: other users build at this moment."""
    form = table(".Repository", ".Tag")
    text = run(["image", "ls", "--format", form, "--", BUILDING], what="list images", timeout=60)
    for each in map(":".join, rows(text)):
        if each.startswith(beginning):
            disk.remove_image(each)


def tag(image: str, reference: str) -> None:
    """Give an image another name, whatever has that now.

    Raises:
        DockerError: the engine does not have it.
    """
    run(["tag", "--", image, reference], what=f"tagging image {image}", timeout=30)


def push(reference: str, line: Callable[[str], None]) -> None:
    """Send an image to its registry, with the credentials that docker has.

    Raises:
        DockerError: there is no registry, or no permission.
    """
    stream(
        ["push", "--", reference], what=f"pushing image {reference}", line=line, credentials=True
    )


def _buildkit() -> dict[str, str]:
    """Return what makes docker use BuildKit where it can: old clients wait to be asked.

    Podman builds by itself, and has no BuildKit: Buildx would go and fetch one.
    """
    if "DOCKER_BUILDKIT" in os.environ:
        return {}
    if docker.product() is docker.Product.PODMAN:
        return {"DOCKER_BUILDKIT": "0"}
    try:
        run(["buildx", "version"], what="buildx version", timeout=30)
    except DockerError:
        return {}
    return {"DOCKER_BUILDKIT": "1"}


def refused_privilege(image: str) -> str | None:
    """Return why the engine starts no privileged container of an image; None if it does."""
    try:
        run(["run", "--rm", "--pull", "never", "--privileged", "--network", "none", "--read-only",
             "--user", "0:0", "--no-healthcheck", "--entrypoint", "/bin/true", image],
            what="starting a privileged container", timeout=60)  # fmt: skip
    except DockerError as error:
        return error.tail
    return None


def makes_namespaces(image: str, user: str) -> bool:
    """Tell whether the engine's own seccomp profile lets an agent make namespaces.

    Args:
        image: One of our own, by reference or identity.
        user: The agent's, as docker(1) takes it.

    Raises:
        DockerError: nobody could try.
    """
    try:
        run(["run", "--rm", "--pull", "never", "--network", "none", "--read-only", "--user", user,
             "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--no-healthcheck",
             "--entrypoint", "/usr/bin/unshare", image, "--user", "--mount", "/bin/true"],
            what="trying to make namespaces", timeout=60)  # fmt: skip
    except DockerError as error:
        if error.cut or error.status != 1:  # unshare's own where the kernel refuses
            raise
        return False
    return True


def ask(
    image: str,
    script: str,
    environment: dict[str, str],
    user: str = AGENT_USER,
    limit: int = 120,
) -> list[str] | None:
    """Run a shell script in an image as the agent would run, without a network.

    Args:
        image: The image, by reference or identity.
        script: What /bin/sh runs.
        environment: Variables that differ from those of the image.
        user: As whom, by number.
        limit: Seconds.

    Returns:
        The lines it wrote, or None where no shell could be started.

    Raises:
        DockerError: the engine refused, or there was no end.
    """
    # On a pipe: no value of a variable is on a command line. A line break ends one there.
    values = "".join(f"{key}={value}\n" for key, value in environment.items() if "\n" not in value)
    try:
        return shell(
            image, user, script,
            options=("--network", "none", "--pids-limit", "256", "--workdir", "/",
                     "--env-file", "/dev/stdin"),
            what=f"looking into image {image}", timeout=limit, stdin=values.encode(),
        ).splitlines()  # fmt: skip
    except DockerError as error:
        # The engine cannot start /bin/sh (docker-run(1), EXIT STATUS), or it cannot run.
        if not error.cut and error.status in {1, 126, 127}:
            return None
        raise
