"""Say in a word how a container is, and since when."""

from datetime import UTC, datetime

from jailoc.bin.engine import containers as engine
from jailoc.model.status import NOT_RUNNING


def state(container: engine.Container | None) -> str:
    """Return its state, with its health or exit code where that says more."""
    if container is None:
        return NOT_RUNNING
    if container.state == "exited":
        return f"exited (code {container.exit_code})"
    if container.state == "running" and container.health in {"starting", "unhealthy"}:
        return f"running ({container.health})"
    return container.state


def uptime(started: str) -> int:
    """Return for how many seconds it has run; 0 if the engine does not say."""
    try:
        begun = datetime.fromisoformat(started)
    except ValueError:
        return 0
    if begun.tzinfo is None:
        return 0
    return max(0, int((datetime.now(tz=UTC) - begun).total_seconds()))
