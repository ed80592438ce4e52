"""Images on the engine: what a bundle needs is there, and can run the agent, before all else."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from jailoc.bin.config import build_context, facts
from jailoc.bin.config import remote_dockerfile as remote
from jailoc.bin.deploy import digest_key, preflight, provenance
from jailoc.bin.engine import images
from jailoc.bin.engine.docker import DockerError
from jailoc.bin.host import authorities, files
from jailoc.bin.terminal import build_progress
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.image_recipes import FOREIGN, RECIPES, previous, why
from jailoc.generators.runtime.build_log import BuildLog, Event, Failure, What
from jailoc.generators.runtime.image_check import lacking, script, unnamed, unsuitable
from jailoc.model.bundle import Bundle
from jailoc.model.compose import Service
from jailoc.model.diagnostic import Diagnostic, Position, Refused
from jailoc.model.doctor import trust
from jailoc.model.image import BaseImage, Build, Recipe, Step
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import AGENT
from jailoc.model.user import AgentUser

BUILD_PATIENCE = 3600
"""Seconds to wait for another jailoc that builds images."""


def building() -> AbstractContextManager[object]:
    """Hold the lock of all builds, so that nobody builds the same image twice.

    Raises:
        Refused: another user can exchange what is built from.
    """
    preflight.places()
    return files.locked(facts.cache_directory() / "images.build.lock", BUILD_PATIENCE)


def fetched(terminal: Terminal, url: str) -> None:
    """Fetch a remote Dockerfile, and say so if it is another one than before.

    Raises:
        Refused: it cannot be fetched.
    """
    terminal.say(f"fetching {url}")
    old, new = remote.fetch(url)
    if old is not None and old != new:
        terminal.say(
            f"{url} has changed: its digest was {old[:12]} and is {new[:12]}", Meaning.WARNS
        )


def resolve(
    terminal: Terminal,
    bundle: Bundle,
    held: Mapping[str, images.HeldImage],
    *,
    pull: bool = False,
    fetch: bool = True,
) -> bool:
    """Record what the engine has under the names of images that others are built on.

    Only what is going to be built is asked about, so an unchanged world asks nobody anything.

    Args:
        terminal: Where it is told.
        bundle: What is going to run.
        held: What the engine has of it.
        pull: Fetch each of them anew, and an image that is used as it is too.
        fetch: Fetch what the engine lacks; without it that stays unknown.

    Returns:
        Whether something has been recorded: then the bundle must be compiled again.

    Raises:
        Refused: the engine lacks one of them, and it cannot be fetched.
    """
    changed = bool(record(terminal, bundle.builds, held, pull=pull, fetch=fetch))
    if pull and bundle.choice.steps == (Step.GIVEN,):
        _pull(terminal, bundle.choice.reference)
    return changed


def record(
    terminal: Terminal,
    builds: Iterable[Build],
    held: Mapping[str, images.HeldImage],
    *,
    pull: bool = False,
    fetch: bool = True,
) -> dict[str, str]:
    """Record what the engine has under the names that builds begin with; return what is new of it.

    Raises:
        Refused: as `resolve`.
    """
    changed: dict[str, str] = {}
    asked: dict[str, str] = {}
    for build in builds:
        there = build.known and (image := held.get(build.tag)) is not None and provenance.built(
            build.tag, image.identity
        )  # fmt: skip
        for base in build.bases:
            if there and base.identity and not pull:
                continue
            if not fetch and images.identity(base.reference) is None:
                continue
            if base.reference not in asked:
                asked[base.reference] = _identity(terminal, build, base, pull=pull)
            identity = asked[base.reference]
            if identity != base.identity:
                files.make_private(facts.recorded(base.reference).parent)
                files.write(facts.recorded(base.reference), f"{base.reference} {identity}\n", 0o600)
                changed[base.reference] = identity
                if base.identity:
                    terminal.say(
                        f"{base.reference} is another image now: {_short(base.identity)} before, "
                        f"{_short(identity)} now",
                        Meaning.WARNS,
                    )
    return changed


def _short(identity: str) -> str:
    return identity.removeprefix("sha256:")[:12]


def _identity(terminal: Terminal, build: Build, base: BaseImage, *, pull: bool) -> str:
    """Return what the engine has under a name, after pulling it if that is needed or wanted."""
    before = images.identity(base.reference)
    problem = _pull(terminal, base.reference) if pull or before is None else None
    found = images.identity(base.reference) if problem is None else before
    if found is None:
        raise Refused((_at(build, base.line, "image-base", f"image `{base.reference}`, on which "
                           f"`{build.name}` is built, cannot be pulled: {problem}",
                           "the engine does not have it either; check its name, the network and "
                           "`docker login`"),))  # fmt: skip
    return found


def _pull(terminal: Terminal, reference: str) -> str | None:
    """Pull an image; return why that was impossible, which is told if the engine has it anyway."""
    try:
        with build_progress.shown(terminal, f"pulling image {reference}") as show:
            images.pull(
                reference, lambda line: show(Event(what=What.SAID, step=reference, text=line))
            )
    except DockerError as error:
        problem = error.tail.rpartition("\n")[2].removeprefix("Error response from daemon: ")
        if images.identity(reference) is not None:
            terminal.say(f"cannot pull {reference} ({problem}): going on with the image that the "
                         "engine has", Meaning.WARNS)  # fmt: skip
        return problem
    return None


def ensure(terminal: Terminal, bundle: Bundle) -> None:
    """Build the images of a bundle that the engine does not have yet, and look at the agent's.

    The caller holds the lock of the workspace.

    Raises:
        Refused: a build failed, with its place, and no other image is used instead; or the agent's
            image lacks something, with everything that it lacks.
    """
    preflight.engine(bundle)
    preflight.limits(terminal, bundle)
    preflight.certificates(terminal, bundle)
    directory = Path(bundle.directory)
    try:
        before = previous((directory / RECIPES).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        before = {}
    for build in bundle.builds:
        ensure_one(
            terminal, build, directory.with_name(f"{directory.name}.build"), before.get(build.name)
        )
    _check_agent(terminal, bundle)
    _check_services(terminal, bundle)
    preflight.namespaces(terminal, bundle)
    preflight.letters(terminal, bundle)
    preflight.privilege(bundle)


def ensure_one(terminal: Terminal, build: Build, folder: Path, before: Recipe | None) -> str:
    """Build an image if the engine does not have it, or has another one under its tag.

    Args:
        terminal: Where progress is shown.
        build: The image.
        folder: A directory for its Dockerfile.
        before: Its recipe at the last start, if it is known.

    Returns:
        The engine's own name of it.

    Raises:
        Refused: the build failed, with its place.
    """
    there = images.identity(build.tag)
    # What lies in a large directory may have changed; the engine knows.
    if build.known and there is not None and provenance.built(build.tag, there):
        return there
    return built(terminal, build, folder, before, foreign=build.known and there is not None)


def built(
    terminal: Terminal,
    build: Build,
    folder: Path,
    before: Recipe | None,
    *,
    foreign: bool = False,
) -> str:
    """Build an image, and say why and how; return the engine's own name of it.

    Args:
        terminal: Where it is told.
        build: The image.
        folder: For its Dockerfile, removed at the end.
        before: What the last one was made of, if that is known.
        foreign: Whether the engine has an image under its tag that was not built here.

    Raises:
        Refused: a step failed, with its place.
    """
    reason = (FOREIGN if foreign else why(build, before)) or (
        "the engine does not have it" if build.known else "its context is too large to compare"
    )
    title = f"building image {build.tag}, because {reason}"
    if build.directory is not None:
        title += f"; sending the context {build.directory}"
        if (trouble := build_context.endless(build.directory)) is not None:
            message = f"image {build.tag} cannot be built: {trouble}"
            raise Refused((_at(build, 0, "image-build", message, "remove what is in its place"),))
    log = BuildLog()

    try:
        with build_progress.shown(terminal, title) as show:

            def take(line: str) -> None:
                if (event := log.read(line)) is not None:
                    show(event)

            # The lock of builds is this user's alone: what others build is called otherwise.
            mine = digest_key.digest(images.BUILDING.encode())
            aside = f"{images.BUILDING}:{mine}-{secrets.token_hex(16)}"
            below = provenance.exact(build.base) if build.base else None
            own = below if below != build.base else None
            made = images.build(build, folder, take, aside, own)
            provenance.note(build.tag, made)
            return made
    except DockerError as error:
        failure = log.failure(build.dockerfile)
        for line in failure.tail:
            terminal.quote(line)
        raise Refused((_failed(build, failure),)) from error


def _failed(build: Build, failure: Failure) -> Diagnostic:
    words = " ".join(failure.step.split("] ", 1)[-1].split())
    step = f"`{words[:60]}{'…' if len(words) > 60 else ''}` failed: " if words else ""
    hint = None
    said = " ".join((*failure.tail, failure.reason)).lower()
    if "certificate" in said or "ssl" in said:
        mine = authorities.own() or ("/PATH/TO/ITS/CERTIFICATE.pem",)
        hint = f"behind a proxy that inspects TLS, {trust(mine)}"
    message = f"image {build.tag} cannot be built: {step}{failure.reason}"
    return _at(build, failure.line or 0, "image-build", message, hint)


def _at(build: Build, line: int, code: str, message: str, hint: str | None) -> Diagnostic:
    """Build a diagnostic at a line of a build's Dockerfile, as its author counts."""
    lines = build.dockerfile.split("\n")
    # The engine's count may be off; a line that jailoc has put in is nobody's.
    known = 0 < line <= len(lines) and line != build.inserted
    shift = 1 if build.inserted and line > build.inserted else 0
    return Diagnostic(
        code=code,
        message=message,
        file=build.source or f"jailoc's own {build.name}.Dockerfile",
        position=Position(line=line - shift, column=1) if known else None,
        text=lines[line - 1] if known else None,
        where=build.origin if build.source else None,
        hint=hint,
    )


def _check_agent(terminal: Terminal, bundle: Bundle) -> None:
    """Make sure that the agent's image can run the agent; a look inside is needed once an image.

    Raises:
        Refused: it lacks something, or cannot be pulled.
    """
    service = bundle.compose.services[AGENT]
    reference = service.image.text
    identity = _fetched(terminal, service).identity
    environment = {
        key: value.text for key, value in service.environment.items() if key in {"HOME", "PATH"}
    }
    user = AgentUser.read(service.user)
    question = script(bundle.agent, user, [each.name for each in bundle.programs])
    asked = hashlib.sha256(repr((identity, question, environment, user.text)).encode()).hexdigest()
    place = facts.cache_directory() / "images.suitable" / asked
    known = _answer(place)
    lines = known
    if not known:
        terminal.say(f"looking into image {reference}")
        lines = list(images.ask(identity, question, environment, user.text) or ())
    # What an image answered is the same for every agent; what that means is not.
    refusal = unsuitable(reference, service.image.origin, bundle.agent, lines, user)
    if refusal is not None:
        raise refusal
    if not known:
        files.make_private(place.parent)
        files.write(place, "\n".join((f"{reference} {identity}", *lines)) + "\n", 0o600)
    if (warning := lacking(reference, bundle.programs, lines)) is not None:
        terminal.diagnose((warning,), once=True)  # the plan after a build looks, too


def _fetched(terminal: Terminal, service: Service) -> images.HeldImage:
    """Return the image of a service, which is pulled if the engine does not have it.

    Raises:
        Refused: it cannot be pulled.
    """
    reference, problem = service.image.text, None
    found = images.held((reference,)).get(reference)
    if found is None:
        problem = _pull(terminal, reference)
        found = images.held((reference,)).get(reference)
    if problem is not None or found is None:
        raise Refused((Diagnostic(
            code="image-missing",
            message=f"image `{reference}` cannot be pulled: {problem}",
            where=service.image.origin,
            hint="check its name, the network and `docker login`",
        ),))  # fmt: skip
    return found


def _check_services(terminal: Terminal, bundle: Bundle) -> None:
    """Make sure that services beside the agent write nowhere but where the configuration says.

    The engine makes a volume for each `VOLUME` of an image that nothing is mounted at: without a
    name, and without a bound.

    Raises:
        Refused: with every such place; or an image cannot be pulled.
    """
    found = [
        problem
        for name, service in bundle.compose.services.items()
        if service.namespace == "services"
        and (problem := unnamed(name, service, _fetched(terminal, service).volumes)) is not None
    ]
    if found:
        raise Refused(tuple(found))


def _answer(place: Path) -> list[str]:
    """Return what an image is known to have answered; nothing if it was not asked yet."""
    try:
        return place.read_text(encoding="utf-8").splitlines()[1:]
    except (OSError, UnicodeDecodeError):
        return []
