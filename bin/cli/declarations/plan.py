"""What `plan` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Switch, TargetName, app, session, wanted

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
    target: TargetName | None = None,
) -> int:
    """Show what apply would change, what that opens, and what has drifted; change nothing.

    Example: jailoc plan api --out api.plan

    Parameters
    ----------
    workspaces
        Workspaces to look at; that of the current directory by default.
    all
        Every workspace, every task that runs, and those that left the configuration.
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
    target
        Compare with the cluster that [kubernetes] names, through kubectl.
    """
    if target is not None:
        from jailoc.bin.commands import cluster_plan

        cluster_plan.refuse_others(prune or ignore or markdown or files or out)
        return cluster_plan.show(
            session(), wanted(workspaces), everything=all, as_json=json, detailed=detailed_exitcode
        )
    from jailoc.bin.commands import plan as body

    choice = body.Selection(wanted=wanted(workspaces), everything=all, prune=prune, ignore=ignore)
    return body.run(
        session(), choice, as_json=json, as_markdown=markdown,
        detailed=detailed_exitcode, out=out, files=files,
    )  # fmt: skip
