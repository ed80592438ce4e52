"""Whether an image can run the agent: the question, and what its answer means."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from jailoc.generators.assets import asset_for
from jailoc.model.agents.agent import Agent, major_of, order, version_in
from jailoc.model.agents.choice import KEY
from jailoc.model.agents.known import AGENTS
from jailoc.model.compose import Service, Tmpfs, Volume
from jailoc.model.diagnostic import Diagnostic, Refused, Severity
from jailoc.model.host import GitProgram
from jailoc.model.path import clean, expand
from jailoc.model.sandbox import AGENT_HOME
from jailoc.model.user import DEFAULT_USER, AgentUser

END = "end"
"""The last line of an answer; without it the answer is none."""
MOST_PROGRAMS = 6
"""Programs of one image that are told."""
NO_SHELL = "shell"
"""The line that stands for an answer that never came."""


def script(agent: Agent, user: AgentUser = DEFAULT_USER, programs: Iterable[str] = ()) -> str:
    """Return what /bin/sh runs as the agent; it writes one line for each thing that is missing.

    Args:
        agent: What the image is to run.
        user: As whom.
        programs: What Git's configuration names; an image without one is suitable all the same.
    """
    words = " ".join(shlex.quote(expand(each, AGENT_HOME)) for each in programs)
    return f"set -- {words}\n{asset_for(agent, 'suitable.sh', user)}"


def lacking(
    reference: str, programs: Iterable[GitProgram], lines: Sequence[str]
) -> Diagnostic | None:
    """Return the warning about programs that Git's configuration names and the image lacks.

    Args:
        reference: The image.
        programs: What was asked for.
        lines: What the script wrote.
    """
    missing = {each.removeprefix("program ") for each in lines if each.startswith("program ")}
    found = [each for each in programs if expand(each.name, AGENT_HOME) in missing]
    if not found:
        return None
    words = ", ".join(f"{each.name} ({each.key})" for each in found[:MOST_PROGRAMS])
    if len(found) > MOST_PROGRAMS:
        words += f" and {len(found) - MOST_PROGRAMS} more"
    filters = any(each.key.startswith("filter.") for each in found)
    return Diagnostic(
        code="git-program",
        severity=Severity.WARNING,
        message=f"image `{reference}` lacks what the Git configuration names: {words}",
        hint="`git add` and `git checkout` fail for files with such a filter; install it in the "
        "image" if filters else "Git does without, or fails where it is needed; install it in the "
        "image if the agent needs it",
    )  # fmt: skip


def unnamed(name: str, service: Service, volumes: Iterable[str]) -> Diagnostic | None:
    """Return the refusal of a service whose image writes where the configuration names nothing.

    Args:
        name: The service.
        service: Its container.
        volumes: Where its image wants volumes (`VOLUME`).
    """
    named = {
        clean(each.target if isinstance(each, Tmpfs | Volume) else each.target.text)
        for each in service.mounts
    }
    left = sorted({clean(each) for each in volumes} - named)
    if not left:
        return None
    places = ", ".join(f"`{each}`" for each in left[:MOST_PROGRAMS])
    if len(left) > MOST_PROGRAMS:
        places += f" and {len(left) - MOST_PROGRAMS} more"
    words = [f'"data{number or ""}:{each}"' for number, each in enumerate(left[:MOST_PROGRAMS])]
    return Diagnostic(
        code="service-writes",
        message=f"image `{service.image.text}` of service `{name}` declares {places} as `VOLUME`: "
        "the engine would make a volume without a name or a bound there",
        where=service.image.origin,
        allowed="`volumes` or `tmpfs` of the service at each such place",
        hint=f"volumes = [{', '.join(words)}] keeps what it writes until `jailoc destroy`; what "
        "may be lost goes into `tmpfs`, by its place alone",
    )


def unsuitable(
    reference: str,
    origin: str | None,
    agent: Agent,
    lines: Sequence[str],
    user: AgentUser = DEFAULT_USER,
) -> Refused | None:
    """Return the refusal of an image with everything it lacks; None if it can run the agent.

    Args:
        reference: The image.
        origin: The configuration entry that it comes from.
        agent: What it should run.
        lines: What the script wrote.
        user: As whom.
    """
    if not lines or lines[-1] != END:
        lines = [NO_SHELL]
    found = tuple(
        Diagnostic(
            code="image-unsuitable",
            message=f"image `{reference}` {what}",
            where=origin,
            hint=hint,
        )
        for what, hint in _missing(reference, agent, lines, user)
    )
    return Refused(found) if found else None


def _missing(
    reference: str, agent: Agent, lines: Sequence[str], user: AgentUser
) -> Iterator[tuple[str, str]]:
    uid = user.uid
    said: dict[str, list[str]] = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        said.setdefault(word, []).append(rest)
    if NO_SHELL in said:
        yield (
            f"has no /bin/sh that UID {uid} can start",
            "the agent is started by a shell; take an image that has one",
        )
    if "user" in said:
        yield (
            f"has no user with UID {uid}",
            f"RUN {_useradd(user)}, as root{_overlaid(user)}",
        )
    for home in said.get("home", ()):
        yield (
            f"has a user with UID {uid} whose home is `{home}`, not {AGENT_HOME}",
            f"RUN usermod --move-home --home {AGENT_HOME} NAME, as root",
        )
    if folders := said.get("folder"):
        yield (
            f"lacks directories that UID {uid} can write: {', '.join(folders)}",
            f"RUN mkdir -p {' '.join(folders)} && chown -R {_words(user)} {AGENT_HOME}, "
            f"as root{_overlaid(user)}",
        )
    if tools := said.get("tool"):
        yield (
            f"lacks {', '.join(tools)}",
            "install what is missing: the start and the health check need it",
        )
    if agent.binary in said:
        yield (
            f"has no `{agent.binary}` on its PATH",
            f"RUN npm install --global {agent.package}, or name its directory in ENV PATH",
        )
    for words in said.get("version", ()):
        yield from _other(agent, version_in(words))
    for words in said.get("start", ()):
        yield (
            f"has an `{agent.binary}` that does not start: {words or 'it ended without a word'}",
            f"try: docker run --rm --user {user.text} --entrypoint {agent.binary} {reference} "
            "--version",
        )


def _useradd(user: AgentUser) -> str:
    if user.default:
        return f"useradd --uid {user.uid} --create-home --home-dir {AGENT_HOME} agent"
    return (
        "groupadd --non-unique --gid ${AGENT_GID} agent && useradd --non-unique "
        f"--uid ${{AGENT_UID}} --gid ${{AGENT_GID}} --create-home --home-dir {AGENT_HOME} agent"
    )


def _words(user: AgentUser) -> str:
    return user.text if user.default else "${AGENT_UID}:${AGENT_GID}"


def _overlaid(user: AgentUser) -> str:
    """Say where the numbers come from: an image that is somebody's own has those of nobody else."""
    if user.default:
        return ""
    return (
        ", after ARG AGENT_UID and ARG AGENT_GID: every Dockerfile of the configuration is given "
        "both; over an `image` that is the workspace's `dockerfile`, FROM ${BASE}"
    )


def _other(agent: Agent, version: str | None) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the version that an image has; one that it does not say is none."""
    if version is None:
        return
    has = f"has {agent.name} {version}, the configuration says"
    if agent.exact and version != agent.version:
        yield f"{has} {agent.version}", f'{KEY} = "{version}", or an image that has it'
    elif (major := major_of(version)) != agent.major:
        known = any(each.major == major for each in AGENTS)
        choice = f'{KEY} = "{major}", or ' if known else ""
        yield f"{has} {agent.major}", f"{choice}an image that has {agent.label}"
    elif order(version) < order(agent.oldest):
        yield (
            f"has {agent.name} {version}, and the first that jailoc can run is {agent.oldest}",
            f"RUN npm install --global {agent.package}@{agent.version}",
        )
