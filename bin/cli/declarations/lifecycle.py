"""Commands that change what runs."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Switch, app, session, wanted

Ignore = Annotated[tuple[str, ...], Parameter(negative=())]


@app.command
def up(workspace: str | None = None, /, *, pull: Switch = False) -> int:
    """Start a workspace and wait until its server answers.

    Example: jailoc up api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    pull
        Fetch the images anew that others are built on, or that are used as they are.
    """
    from jailoc.bin.commands import up as body

    return body.run(session(workspace), pull)


@app.command
def down(workspace: str | None = None, /) -> int:
    """Stop a workspace: its containers and network go, its volumes stay.

    Example: jailoc down api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin.commands import down as body

    return body.run(session(workspace))


@app.command
def restart(workspace: str | None = None, /) -> int:
    """Stop a workspace and start it again; it is checked and built before it is stopped.

    Example: jailoc restart api

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    """
    from jailoc.bin.commands import restart as body

    return body.run(session(workspace))


@app.command
def plan(
    *workspaces: str,
    all: Switch = False,  # noqa: A002 -- the flag's name
    prune: Switch = False,
    ignore: Ignore = (),
    json: Switch = False,
    markdown: Switch = False,
    detailed_exitcode: Switch = False,
    out: str | None = None,
) -> int:
    """Show what apply would change, what that opens, and what has drifted; change nothing.

    Example: jailoc plan api --out api.plan

    Parameters
    ----------
    workspaces
        Workspaces to look at; that of the current directory by default.
    all
        Every workspace, and those that left the configuration.
    prune
        Remove the volumes and the password of those that left it, too.
    ignore
        Address of drift that is noise, such as service.opencode.memory; may be repeated.
    json
        Write JSON.
    markdown
        Write Markdown, for a comment.
    detailed_exitcode
        Exit with 2 if there is something to do.
    out
        Keep the plan in a file that apply takes.
    """
    from jailoc.bin.commands import plan as body

    choice = body.Choice(wanted=wanted(workspaces), everything=all, prune=prune, ignore=ignore)
    return body.run(
        session(), choice, as_json=json, as_markdown=markdown,
        detailed=detailed_exitcode, out=out,
    )  # fmt: skip


@app.command
def apply(
    *workspaces: str,
    all: Switch = False,  # noqa: A002 -- the flag's name
    prune: Switch = False,
    ignore: Ignore = (),
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative=())] = False,
    rollback: Annotated[bool, Parameter(name="--rollback", negative="--no-rollback")] = True,
) -> int:
    """Show the plan, ask, and do just that; a failure returns to what was there before.

    Example: jailoc apply --all --yes

    Parameters
    ----------
    workspaces
        Workspaces, or the file of a plan that was kept; that of the current directory by default.
    all
        Every workspace, and those that left the configuration.
    prune
        Remove the volumes and the password of those that left it, too.
    ignore
        Address of drift that is noise, such as service.opencode.memory; may be repeated.
    yes
        Do not ask.
    rollback
        Leave things as a failure has left them; without it, what was there before comes back.
    """
    from jailoc.bin.commands import apply as body
    from jailoc.bin.commands.plan import Choice

    choice = Choice(wanted=wanted(workspaces), everything=all, prune=prune, ignore=ignore)
    return body.run(session(), choice, yes=yes, back=rollback)
