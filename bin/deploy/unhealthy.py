"""Show the last words of services that are not well."""

from jailoc.bin.engine import containers, docker
from jailoc.bin.terminal.terminal import Terminal
from jailoc.model.palette import Meaning


def tell(terminal: Terminal, project: str) -> None:
    """Show the last words of every service that is not well."""
    try:
        found = containers.containers(project)
    except docker.DockerError:
        return
    for container in found:
        if container.state != "running" or container.health not in {"healthy", ""}:
            state = f"{container.health or container.state}, exit code {container.exit_code}"
            terminal.say(f"{container.service}: {state}; its last lines:", Meaning.WARNS)
            for line in containers.tail(container.id).splitlines():
                terminal.quote(line)
