"""What `task` and the commands below it take, and their help."""

from typing import Annotated

from cyclopts import App, Parameter

from jailoc.bin.cli.app import Switch, app, session

task = App(
    name="task",
    help="""Sandboxes beside a workspace, each with a clone of its project on a branch of its own.

    Where other commands take a workspace, WORKSPACE/TASK names one of them.

    Example: jailoc task new fix-login
    """,
    version_flags=(),
    help_flags=(),
)
app.command(task)


@task.command
def new(name: str, /, *, revision: Annotated[str | None, Parameter(name="--from")] = None) -> int:
    """Clone the project of a workspace, and start a sandbox on the clone.

    Example: jailoc task new fix-login --from main

    Parameters
    ----------
    name
        The task: a-z, 0-9 and -; its branch is task/NAME.
    revision
        The commit that it begins at, in Git's words; what is checked out by default.
    """
    from jailoc.bin.commands import task as body

    return body.new(session(), name, revision)


@task.command(name="list")
def list_(*, json: Switch = False) -> int:
    """List the tasks that there are.

    Example: jailoc task list

    Parameters
    ----------
    json
        Write JSON.
    """
    from jailoc.bin.commands import task as body

    return body.list_(session(), json)


@task.command
def rm(name: str, /, *, force: Switch = False) -> int:
    """Remove a task with its clone, unless work would be lost that did not come home.

    Example: jailoc task rm fix-login

    Parameters
    ----------
    name
        The task.
    force
        Remove it whatever is lost.
    """
    from jailoc.bin.commands import task as body

    return body.remove(session(), name, force=force)


@task.command
def fetch(name: str, /, *, unrelated: Switch = False, uncommitted: Switch = False) -> int:
    """Bring the commits of a task home as refs/jailoc/WORKSPACE/NAME; nothing of them runs here.

    Example: jailoc task fetch fix-login

    Parameters
    ----------
    name
        The task.
    unrelated
        Take them although their history is another one than the task began with.
    uncommitted
        Commit what is not committed, too, and bring that as refs/jailoc/WORKSPACE/NAME.wip.
    """
    from jailoc.bin.commands import task as body

    return body.fetch(session(), name, unrelated=unrelated, uncommitted=uncommitted)


@task.command
def log(name: str, /) -> int:
    """Show the commits of a task.

    Example: jailoc task log fix-login

    Parameters
    ----------
    name
        The task.
    """
    from jailoc.bin.commands import task as body

    return body.show(session(), name, body.LOG)


@task.command
def diff(name: str, /, *, stat: Switch = False, uncommitted: Switch = False) -> int:
    """Show what the commits of a task change.

    Example: jailoc task diff fix-login --stat

    Parameters
    ----------
    name
        The task.
    stat
        Only how much of which file.
    uncommitted
        What is not committed, too.
    """
    from jailoc.bin.commands import task as body

    options = (*(["--stat"] if stat else []), *([body.UNCOMMITTED] if uncommitted else []))
    return body.show(session(), name, body.DIFF, options)
