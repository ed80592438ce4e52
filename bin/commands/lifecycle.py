"""The commands of every day that change the engine: `up`, `down`, `restart` and `refresh`."""

from pathlib import Path

from jailoc.bin.config import facts, source
from jailoc.bin.deploy import apply, execute, machine, observe
from jailoc.bin.engine import containers, docker
from jailoc.bin.host import files
from jailoc.bin.terminal.terminal import Terminal
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model import sandbox
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import FIREWALL, WALL


def up(terminal: Terminal, config: str | None, wanted: str | None, pull: bool = False) -> int:
    """Make a workspace run as the configuration says, and wait until its server answers.

    With `pull`, the images that others are built on are fetched anew.
    """
    origin = apply.read(terminal, config, lambda each: (each.chosen(wanted),))
    name = origin.chosen(wanted)
    each = apply.item(terminal, config, origin, name, complete=True, pull=pull)
    if each.bundle is not None:
        execute.build_unknown(terminal, each.bundle)
    if apply.carry_out(terminal, config, each):
        terminal.say(f"{name} started {_where(each)}", "green")
    else:
        terminal.say(f"{name} already running {_where(each)}", "yellow")
    return 0


def _where(each: apply.Item) -> str:
    ports = each.bundle.compose.services[WALL].ports if each.bundle else ()
    return f"on port {ports[0].published}" if ports else "exec-only, port not exposed"


def restart(terminal: Terminal, config: str | None, wanted: str | None) -> int:
    """Stop a workspace and start it again; whatever could fail beforehand does so before that."""
    origin = apply.read(terminal, config, lambda each: (each.chosen(wanted),))
    each = apply.item(terminal, config, origin, origin.chosen(wanted), complete=True)
    if each.bundle is not None:
        execute.build(terminal, each.bundle)
    _stop(terminal, each.name)
    apply.carry_out(terminal, config, each)
    terminal.say(f"{each.name} started {_where(each)}", "green")
    return 0


def refresh(terminal: Terminal, config: str | None, wanted: str | None) -> int:
    """Bring the rules of a running workspace up to date: in one step, and nothing is restarted.

    Names are looked up anew, too.
    """
    origin = source.read(config)
    terminal.diagnose(origin.warnings)
    name = origin.chosen(wanted)
    bundle = compile_workspace(origin.config, name, origin.host)
    found = {each.service: each for each in containers.containers(bundle.compose.name)}
    wall = found.get(WALL)
    if wall is None or wall.state != "running":
        raise refuse(
            "not-running", f"workspace `{name}` is not running", hint=f"run `jailoc up {name}`"
        )
    directory = Path(bundle.directory)
    with files.locked(directory.with_name(f"{name}.lock")):
        files.write_files(bundle.rules, directory)
        machine.hand(directory)
        for line in containers.feed(wall.id, [*FIREWALL, "reload"], b"").splitlines():
            terminal.quote(line)
        observe.reloaded(bundle)
    terminal.say(f"{name}: rules reloaded", "green")
    if files.differs(bundle.fixed, directory):
        terminal.say(f"other changes wait for `jailoc up {name}`", "yellow")
    return 0


def down(terminal: Terminal, config: str | None, wanted: str | None) -> int:
    """Remove a workspace's containers and network; its volumes stay.

    A name that the configuration does not have (any more) works too: the engine knows its labels.
    """
    name = wanted or source.read(config).chosen(None)
    docker.check()
    if not containers.project_objects(sandbox.project(name)):
        if wanted:
            known = source.read(config).config.workspaces
            if name not in known:
                raise refuse(
                    "workspace-unknown",
                    f"workspace `{name}` not found, and the engine has nothing of that name",
                    allowed=", ".join(sorted(known)) or "none is configured",
                )
        terminal.say(f"{name} is not running", "yellow")
        return 0
    _stop(terminal, name)
    return 0


def _stop(terminal: Terminal, name: str) -> None:
    with files.locked(facts.cache_directory() / f"{name}.lock"):
        terminal.say(f"stopping {name}")
        containers.down(sandbox.project(name), terminal.quote)
    terminal.say(f"{name} stopped", "green")
