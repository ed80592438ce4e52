"""Where the generated files of a workspace are on the host, and how a service gets its own."""

from jailoc.model.compose import Bind, Literally
from jailoc.model.host import Host
from jailoc.model.mount import Mode
from jailoc.model.sandbox import GENERATED
from jailoc.model.workspace import Workspace


def generated(workspace: Workspace, host: Host) -> str:
    """Return the directory of the workspace's generated files on the host."""
    return f"{host.cache}/{workspace.name}"


def folder(workspace: Workspace, host: Host, name: str) -> Bind:
    """Return the mount of a service's own files."""
    return Bind(
        source=Literally(text=f"{generated(workspace, host)}/{name}"),
        target=Literally(text=GENERATED),
        mode=Mode.READ_ONLY,
    )
