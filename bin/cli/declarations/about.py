"""Commands about the command line itself."""

from typing import Literal

from jailoc.bin.cli.app import app, terminal


@app.command(name="help")
def help_(*command: str) -> int:
    """Show what jailoc can do, or how a command is used.

    Example: jailoc help up

    Parameters
    ----------
    command
        The command; all by default.
    """
    from jailoc.bin.cli import help as manual

    terminal().result(manual.named(command))
    return 0


@app.command
def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print the script by which a shell completes commands, options and workspaces.

    Example: source <(jailoc completion bash)

    Parameters
    ----------
    shell
        The shell.
    """
    from jailoc.generators.assets import asset

    terminal().result(asset(f"completion.{shell}"))
    return 0
