"""Services beside the agent against all else that is said of names and of what is open."""

from collections.abc import Iterator

from jailoc.generators.config.conflicts import found
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic
from jailoc.model.document import Document, Path
from jailoc.model.egress import Egress
from jailoc.model.name_pattern import ClosedName


def service_conflicts(document: Document, config: Config) -> Iterator[Diagnostic]:
    """Yield every service that could not be reached, or whose name means something else, too."""
    for workspace, mine in sorted(config.workspaces.items()):
        scopes = (config.defaults, mine)
        allowed = {
            each.name.rstrip(".").lower() for scope in scopes for each in scope.allowed_hosts
        }
        denied = [
            ClosedName(name=each.name, origin="")
            for scope in scopes
            for each in scope.denied_hosts
            if each.is_name
        ]
        egress = mine.egress or config.defaults.egress
        for name in sorted(mine.services):
            at: Path = ("workspaces", workspace, "services", name)
            if egress is Egress.NONE:
                yield found(
                    document,
                    at,
                    "service-closed",
                    f"service `{name}` cannot be reached: `egress` is none",
                    'egress = "allowlist", which opens nothing that is not named',
                )
            elif name in allowed:
                yield found(
                    document,
                    at,
                    "service-name",
                    f"`{name}` is a service, and in allowed_hosts as well",
                    "a name each; a service is reached without being allowed",
                )
            elif any(each.covers(name) for each in denied):
                yield found(
                    document,
                    at,
                    "service-closed",
                    f"service `{name}` cannot be reached: denied_hosts has its name",
                    "another name, or a denial of other names",
                )
