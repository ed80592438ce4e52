"""The command line. Thin: it parses, calls one function a command, and maps errors to exit codes.

Exit codes: 0 fine, 1 any error, 2 differences where they are asked for (`verify`). Nothing heavy is
imported before a command needs it.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import App, Parameter

from jailoc import __version__

if TYPE_CHECKING:
    from jailoc.bin.terminal import Terminal

app = App(
    name="jailoc",
    help="Sandboxes for headless OpenCode agents, compiled from one configuration file.",
    version=__version__,
    version_flags=["--version", "-v"],
    help_flags=["--help", "-h"],
)


class Options:
    """The flags that every command understands; set once, before the command runs."""

    config: str | None = None
    workspace: str | None = None
    color: bool = True


def _terminal() -> "Terminal":
    from jailoc.bin.terminal import Terminal

    return Terminal(color=Options.color)


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    workspace: Annotated[str | None, Parameter(name=["--workspace", "-w"])] = None,
    config: str | None = None,
    color: Annotated[bool, Parameter(name="--color", negative="--no-color", show=True)] = True,
) -> int:
    """Run a command with the options that all commands share.

    Parameters
    ----------
    *tokens
        The command and its own arguments.
    workspace
        The workspace to act on, instead of the one of the current directory.
    config
        The configuration file, instead of ~/.config/jailoc/config.toml.
    color
        Use colours where the output is a terminal.
    """
    Options.workspace, Options.config, Options.color = workspace, config, color
    result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    return int(result or 0)


@app.command
def render(
    *workspaces: str, out: str | None = None, json: Annotated[bool, Parameter(negative=())] = False
) -> int:
    """Write the generated files, without an engine and without changing anything else.

    Example: jailoc render --out build

    Parameters
    ----------
    workspaces
        Workspaces to render; all by default.
    out
        Directory to write to, one folder a workspace; standard output by default.
    json
        Write one JSON document instead.
    """
    from jailoc.bin import files

    wanted = workspaces or ((Options.workspace,) if Options.workspace else ())
    return files.render(_terminal(), Options.config, wanted, out, json)


@app.command
def validate(
    file: str | None = None, /, *, json: Annotated[bool, Parameter(negative=())] = False
) -> int:
    """Check a configuration and report every problem in it.

    Example: jailoc validate config.toml --json

    Parameters
    ----------
    file
        The file to check; the configuration in use by default.
    json
        Write the diagnostics as JSON.
    """
    from jailoc.bin import files

    return files.validate(_terminal(), file or Options.config, json)


@app.command
def schema(name: str = "config", /) -> int:
    """Print a JSON Schema by its name, such as config or compose; a wrong name shows them all.

    Example: jailoc schema config > jailoc.schema.json
    """
    from jailoc.bin import files

    return files.schema(_terminal(), name)


@app.command
def init() -> int:
    """Write a commented starter configuration; an existing one is never touched.

    Example: jailoc init
    """
    from jailoc.bin import configure

    return configure.init(_terminal(), Options.config)


@app.command
def config(
    workspace: str | None = None, /, *, json: Annotated[bool, Parameter(negative=())] = False
) -> int:
    """Show what is in effect after merging, each value with the entry it came from.

    Example: jailoc config api

    Parameters
    ----------
    workspace
        The workspace to show; all by default.
    json
        Write JSON.
    """
    from jailoc.bin import configure

    return configure.config(_terminal(), Options.config, workspace or Options.workspace, json)


@app.command
def add(directory: str | None = None, /) -> int:
    """Add a directory to a workspace; a running one gets it at once.

    Example: jailoc add ~/src/api --workspace api

    Parameters
    ----------
    directory
        The directory; the current one by default.
    """
    from jailoc.bin import configure

    return configure.add(_terminal(), Options.config, Options.workspace, directory)


@app.command
def allow(target: str, /, *, why: str | None = None, until: date | None = None) -> int:
    """Let a workspace reach a host or a network, on every port or on one.

    Example: jailoc allow git.example.com:22 --workspace api

    Parameters
    ----------
    target
        HOST, *.HOST, ADDRESS or ADDRESS/LENGTH, each with :PORT or without.
    why
        A reason, for those who read the configuration.
    until
        The last day (UTC) on which it is open, such as 2027-01-31.
    """
    from jailoc.bin import configure

    return configure.allow(_terminal(), Options.config, Options.workspace, target, why, until)


@app.command
def explain(
    first: str,
    second: str | None = None,
    /,
    *,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Say whether a host, address or network is open, by which rule and from which line.

    Example: jailoc explain api 10.1.2.3:5432

    Parameters
    ----------
    first
        The workspace; left out, it is the one of the current directory.
    second
        HOST, ADDRESS or NETWORK, with :PORT or without.
    json
        Write JSON.
    """
    from jailoc.bin import explain as questions

    workspace, target = (first, second) if second else (Options.workspace, first)
    return questions.run(_terminal(), Options.config, workspace, target, json)


@app.command
def verify(
    workspace: str | None = None,
    /,
    *,
    all: Annotated[bool, Parameter(negative=())] = False,  # noqa: A002 -- the flag's name
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Compare a running workspace with its model, from inside; exit status 2 if they differ.

    Example: jailoc verify api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    all
        Show every check, not only those that differ.
    json
        Write JSON.
    """
    from jailoc.bin import verify as checks

    return checks.run(_terminal(), Options.config, workspace or Options.workspace, json, all)


@app.command
def blocked(
    workspace: str | None = None,
    /,
    *,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"], negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Show what a running workspace was refused, how often, when last, and what would open it.

    Example: jailoc blocked api --follow

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    follow
        Go on, and show what is refused from now on, until interrupted.
    json
        Write JSON; with --follow one object a line.
    """
    from jailoc.bin import blocked as refusals

    return refusals.run(_terminal(), Options.config, workspace or Options.workspace, follow, json)


@app.command
def up(workspace: str | None = None, /) -> int:
    """Start a workspace and wait until its server answers.

    Example: jailoc up api
    """
    from jailoc.bin import lifecycle

    return lifecycle.up(_terminal(), Options.config, workspace or Options.workspace)


@app.command
def refresh(workspace: str | None = None, /) -> int:
    """Reload the firewall of a running workspace, names looked up anew; nothing is restarted.

    Example: jailoc refresh api
    """
    from jailoc.bin import lifecycle

    return lifecycle.refresh(_terminal(), Options.config, workspace or Options.workspace)


@app.command
def down(workspace: str | None = None, /) -> int:
    """Stop a workspace: its containers and network go, its volumes stay.

    Example: jailoc down api
    """
    from jailoc.bin import lifecycle

    return lifecycle.down(_terminal(), Options.config, workspace or Options.workspace)


@app.command
def status(
    workspace: str | None = None, /, *, json: Annotated[bool, Parameter(negative=())] = False
) -> int:
    """Show the state of every workspace, or of one.

    Example: jailoc status --json

    Parameters
    ----------
    workspace
        The workspace to show; all by default.
    json
        Write JSON.
    """
    from jailoc.bin import observe

    return observe.status(_terminal(), Options.config, workspace or Options.workspace, json)


@app.command
def logs(
    workspace: str | None = None,
    /,
    *,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"], negative=())] = False,
    tail: int | None = None,
    service: str | None = None,
) -> int:
    """Show what the containers of a workspace wrote.

    Example: jailoc logs api --follow

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    follow
        Go on until interrupted.
    tail
        Number of lines to begin with; all by default.
    service
        Only this service: firewall, opencode or dind.
    """
    from jailoc.bin import observe

    return observe.logs(
        _terminal(), Options.config, workspace or Options.workspace, follow, tail, service
    )


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return the exit status; no error ever shows a traceback."""
    try:
        status = app.meta(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_value"
        )
        return int(status or 0)
    except KeyboardInterrupt:
        _terminal().say("interrupted", "yellow")
        return 1
    except (Exception, cyclopts.CycloptsError) as error:
        from jailoc.bin.failure import report

        return report(error, _terminal())
