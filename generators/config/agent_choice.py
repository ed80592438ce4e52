"""What the choice of an agent rules out, and what it makes doubtful."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import Table, found, table, workspaces
from jailoc.generators.config.resolve import agent_of, names
from jailoc.model.agents.agent import Agent
from jailoc.model.agents.choice import KEY, UnknownAgentError, named
from jailoc.model.agents.known import DEFAULT
from jailoc.model.config import Config
from jailoc.model.config_values import LONGEST_NAME
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.sandbox import AGENT_HOME, longest_workspace


def ruled_out(document: Document) -> Iterator[Diagnostic]:
    """Yield each place that asks for what an agent cannot be or have."""
    data = document.data
    for name, mine in workspaces(data):
        agent = _chosen(mine, table(data, "defaults"))
        longest = longest_workspace(each.name for each in agent.volumes)
        if longest < len(name) <= LONGEST_NAME:
            yield found(
                document,
                ("workspaces", name),
                "workspace-name",
                f"workspace name `{name}` has {len(name)} characters: the volumes of "
                f"{agent.label}, whose names hold it twice, could not be made",
                f"at most {longest} characters",
                at_key=True,
            )
        own = "mode" in mine
        if agent.on_host or (mine if own else data).get("mode") != "remote":
            continue
        yield found(
            document,
            ("workspaces", name, "mode") if own else ("mode",),
            "client-host-forbidden",
            f"workspace `{name}` has {agent.label}, whose client runs on this machine what the "
            "server names: remote mode would run the agent's code here",
            "exec, or nothing",
            f'set mode = "exec" in [workspaces.{name}]',
        )


def _chosen(mine: Table, defaults: Table) -> Agent:
    for each in (mine, defaults):
        value = each.get(KEY)
        if isinstance(value, str):
            try:
                return named(value)
            except UnknownAgentError:
                break
    return DEFAULT


def doubtful(document: Document, config: Config) -> Iterator[Diagnostic]:
    """Yield what an agent can have and should not."""
    for name in names(config):
        agent = agent_of(config, name)
        mine, defaults = config.workspaces[name], config.defaults
        scopes: tuple[tuple[Path, bool | None], ...] = (
            (("workspaces", name), mine.expose_port),
            (("defaults",), defaults.expose_port),
        )
        wanted = next(((at, value) for at, value in scopes if value is not None), None)
        if wanted and wanted[1] and not agent.exposed:
            yield found(
                document,
                (*wanted[0], "expose_port"),
                "port-open",
                f"the server of {agent.label} gives its page to everybody on this machine, and a "
                "browser sends it the cookies of every other server on 127.0.0.1",
                hint=f"leave it out, or open http://{name}.localhost:PORT alone",
            )
        if agent.major == DEFAULT.major:
            continue
        places = {f"{AGENT_HOME}/{agent.data}", AGENT_HOME}
        for at, mounts in ((("workspaces", name), mine.mounts), (("defaults",), defaults.mounts)):
            for index, each in enumerate(mounts):
                if each.container in places and each.host:
                    yield found(
                        document,
                        (*at, "mounts", index),
                        "agent-data-shared",
                        f"{agent.label} keeps its data in a mount, where those of another major "
                        "may lie",
                        hint="its database has a name of its own, its logins have not: give it a "
                        "place of its own",
                    )
