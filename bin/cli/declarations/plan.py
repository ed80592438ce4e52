"""What `plan` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Switch, app, session, wanted

Ignore = Annotated[tuple[str, ...], Parameter(negative=())]


@app.command
def plan(
    *workspaces: str,
    all: Switch = False,  # noqa: A002 -- the flag's name
    prune: Switch = False,
    ignore: Ignore = (),
    json: Switch = False,
    markdown: Switch = False,
    detailed_exitcode: Switch = False,
    files: Switch = False,
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
        Remove the volumes, the images and the password of those that left it, too.
    ignore
        Address of drift that is noise, such as service.opencode.memory; may be repeated.
    json
        Write JSON.
    markdown
        Write Markdown, for a comment.
    detailed_exitcode
        Exit with 2 if there is something to do.
    files
        Name each file that changes, with its digest.
    out
        Keep the plan in a file that apply takes.
    """
    from jailoc.bin.commands import plan as body

    choice = body.Selection(wanted=wanted(workspaces), everything=all, prune=prune, ignore=ignore)
    return body.run(
        session(), choice, as_json=json, as_markdown=markdown,
        detailed=detailed_exitcode, out=out, files=files,
    )  # fmt: skip
