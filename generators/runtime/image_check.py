"""Whether an image can run the agent: the question, and what its answer means."""

from collections.abc import Iterator, Sequence

from jailoc.generators.assets import asset_for
from jailoc.model.agents.agent import Agent, order, version_in
from jailoc.model.agents.choice import KEY
from jailoc.model.agents.known import AGENTS
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.sandbox import AGENT_HOME, AGENT_USER

END = "end"
"""The last line of an answer; without it the answer is none."""
NO_SHELL = "shell"
"""The line that stands for an answer that never came."""


def script(agent: Agent) -> str:
    """Return what /bin/sh runs as the agent; it writes one line for each thing that is missing."""
    return asset_for(agent, "suitable.sh")


def unsuitable(
    reference: str, origin: str | None, agent: Agent, lines: Sequence[str]
) -> Refused | None:
    """Return the refusal of an image with everything it lacks; None if it can run the agent.

    Args:
        reference: The image.
        origin: The configuration entry that it comes from.
        agent: What it should run.
        lines: What the script wrote.
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
        for what, hint in _missing(reference, agent, lines)
    )
    return Refused(found) if found else None


def _missing(reference: str, agent: Agent, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    said: dict[str, list[str]] = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        said.setdefault(word, []).append(rest)
    if NO_SHELL in said:
        yield (
            "has no /bin/sh that UID 1000 can start",
            "the agent is started by a shell; take an image that has one",
        )
    if "user" in said:
        yield (
            "has no user with UID 1000",
            f"RUN useradd --uid 1000 --create-home --home-dir {AGENT_HOME} agent",
        )
    for home in said.get("home", ()):
        yield (
            f"has a user with UID 1000 whose home is `{home}`, not {AGENT_HOME}",
            f"RUN usermod --move-home --home {AGENT_HOME} NAME, as root",
        )
    if folders := said.get("folder"):
        yield (
            f"lacks directories that UID 1000 can write: {', '.join(folders)}",
            f"RUN mkdir -p {' '.join(folders)} && chown -R {AGENT_USER} {AGENT_HOME}, as root",
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
            f"try: docker run --rm --user {AGENT_USER} --entrypoint {agent.binary} {reference} "
            "--version",
        )


def _other(agent: Agent, version: str | None) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the version that an image has; one that it does not say is none."""
    if version is None:
        return
    has = f"has {agent.name} {version}, the configuration says"
    if agent.exact and version != agent.version:
        yield f"{has} {agent.version}", f'{KEY} = "{version}", or an image that has it'
    elif version.split(".")[0] != agent.major:
        known = any(each.major == version.split(".")[0] for each in AGENTS)
        choice = f'{KEY} = "{version.split(".")[0]}", or ' if known else ""
        yield f"{has} {agent.major}", f"{choice}an image that has {agent.label}"
    elif order(version) < order(agent.oldest):
        yield (
            f"has {agent.name} {version}, and the first that jailoc can run is {agent.oldest}",
            f"RUN npm install --global {agent.package}@{agent.version}",
        )
