"""`outdated`: say which newer versions of the agents there are; only this command asks."""

from collections import defaultdict

from jailoc.bin.config.session import Session
from jailoc.bin.engine import docker, images, registry
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.generators.config.resolve import names
from jailoc.model.agents.agent import Agent, order
from jailoc.model.agents.choice import KEY
from jailoc.model.base import Model
from jailoc.model.diagnostic import refuse
from jailoc.model.palette import Meaning
from jailoc.model.sandbox import AGENT


class OutdatedAgent(Model):
    """The agent of one workspace, and the newest one of its kind."""

    workspace: str
    agent: str
    version: str
    newest: str | None

    @property
    def newer(self) -> bool:
        """Tell whether there is a newer one."""
        return self.newest is not None and order(self.newest) > order(self.version)

    @property
    def said(self) -> str:
        """Return it in words."""
        if self.newest is None:
            return "the registry gave no version"
        return f"{self.newest} is there" if self.newer else "no newer one is there"


def run(session: Session, as_json: bool) -> int:
    """Ask the registry for the newest version of each agent that the configuration has."""
    origin, terminal = session.source(), session.terminal
    wanted = [session.chosen(origin)] if session.workspace else names(origin.config)
    docker.check()
    used: dict[str, list[tuple[str, Agent]]] = defaultdict(list)
    asking: tuple[str, str] | None = None
    for name in wanted:
        bundle = compile_workspace(origin.config, name, origin.host)
        used[bundle.agent.package].append((name, bundle.agent))
        # An image that somebody else made might answer anything.
        tag = next((each.tag for each in bundle.builds if each.name == "agent"), None)
        if asking is None and tag is not None and images.identity(tag):
            asking = tag, bundle.compose.services[AGENT].user
    if asking is None:
        raise refuse(
            "image-missing",
            "no image for an agent that jailoc builds is there, and one of them has to ask",
            hint="`jailoc up` builds one",
        )
    image, user = asking
    found = {package: registry.newest(package, image, user) for package in used}
    rows = [
        OutdatedAgent(
            workspace=name, agent=agent.name, version=agent.version, newest=found[package]
        )
        for package, workspaces in sorted(used.items())
        for name, agent in workspaces
    ]
    if as_json:
        terminal.data({"workspaces": [each.model_dump() for each in rows]})
        return 0
    for row in rows:
        terminal.say(
            f"{row.workspace}: {row.agent} {row.version}: {row.said}",
            Meaning.WARNS if row.newer else Meaning.DONE,
        )
    if any(each.newer for each in rows):
        terminal.say(f'{KEY} = "VERSION" in the configuration takes one; `jailoc plan` shows it')
    return 0
