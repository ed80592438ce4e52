"""What `completion` takes, and its help."""

from typing import Literal

from jailoc.bin.cli.app import app, terminal


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
