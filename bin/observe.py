"""The commands that only look: `status` and `logs`."""

from typing import Any

from jailoc.bin import docker, engine, source
from jailoc.bin.terminal import Terminal
from jailoc.generators.compose import AGENT, SIDECAR, WALL
from jailoc.generators.resolve import names, resolve
from jailoc.model.diagnostic import refuse


def status(terminal: Terminal, config: str | None, wanted: str | None, as_json: bool) -> int:
    """Show the state of one workspace, or of all."""
    origin = source.read(config)
    if wanted is not None:
        resolve(origin.config, wanted, origin.host)
    docker.check()
    running = engine.containers()
    chosen = (wanted,) if wanted else names(origin.config)
    rows = [_row(name, tuple(each for each in running if each.project == f"jailoc-{name}"),
                 resolve(origin.config, name, origin.host).port) for name in chosen]  # fmt: skip
    if as_json:
        terminal.data({"workspaces": rows})
        return 0
    heads = ("workspace", "state", "wall", "docker", "port", "image")
    table = [heads, *(tuple(str(row[head]) for head in heads) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(heads))]
    for line in table:
        terminal.result("  ".join(cell.ljust(width) for cell, width in
                                  zip(line, widths, strict=True)).rstrip())  # fmt: skip
    for row in rows:
        if row["unresolved"]:
            terminal.say(
                f"{row['workspace']}: no address yet for {', '.join(row['unresolved'])}; "
                "asked again every few seconds",
                "yellow",
            )
        if row["state"] not in {"running", "not running", "running (starting)"}:
            terminal.say(f"see: jailoc logs {row['workspace']}", "yellow")
    return 0


def _row(name: str, found: tuple[engine.Container, ...], port: int) -> dict[str, Any]:
    services = {each.service: each for each in found}
    agent, wall = services.get(AGENT), services.get(WALL)
    # The real port of a running workspace; the configuration may have moved on since.
    real = wall.ports[0] if wall and wall.ports else None
    return {
        "workspace": name,
        "state": _state(agent),
        "wall": _state(wall),
        "docker": _state(services.get(SIDECAR)),
        "port": real if real is not None else ("-" if wall else port),
        "image": agent.image if agent else "-",
        "unresolved": _unresolved(wall),
    }


def _unresolved(wall: engine.Container | None) -> list[str]:
    """Return the allowed names that have no address now; a wildcard never needs one."""
    if wall is None or wall.state != "running":
        return []
    names = engine.names(wall.id)["names"]
    return [name for name, found in names.items() if not found and not name.startswith("*.")]


def _state(container: engine.Container | None) -> str:
    if container is None:
        return "not running"
    if container.state == "exited":
        return f"exited (code {container.exit_code})"
    if container.state == "running" and container.health in {"starting", "unhealthy"}:
        return f"running ({container.health})"
    return container.state


def logs(
    terminal: Terminal,
    config: str | None,
    wanted: str | None,
    follow: bool,
    tail: int | None,
    service: str | None,
) -> int:
    """Show what the containers of a workspace wrote, each line with its service."""
    name = wanted or source.read(config).chosen(None)
    docker.check()
    if not engine.containers(f"jailoc-{name}"):
        raise refuse(
            "not-running", f"workspace `{name}` is not running", hint=f"run `jailoc up {name}`"
        )
    arguments = ["--follow"] if follow else []
    arguments += ["--tail", str(tail)] if tail is not None else []
    arguments += [] if terminal.colors else ["--no-color"]
    arguments += [service] if service else []
    return 1 if engine.logs(f"jailoc-{name}", arguments) else 0
