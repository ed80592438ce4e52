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
        if container.state == "created":
            terminal.say(f"{container.service}: not begun, it waits for others", Meaning.WARNS)
        elif container.state != "running" or container.health not in {"healthy", ""}:
            ended = "" if container.state == "running" else f", exit code {container.exit_code}"
            lines = containers.tail(container.id).splitlines()
            state = f"{container.health or container.state}{ended}"
            last = "its last lines:" if lines else "it has written nothing"
            terminal.say(f"{container.service}: {state}; {last}", Meaning.WARNS)
            for line in lines:
                terminal.quote(line)
