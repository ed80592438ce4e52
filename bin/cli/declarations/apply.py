"""What `apply` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Switch, TargetName, app, session, wanted

Ignore = Annotated[tuple[str, ...], Parameter(negative=())]


@app.command
def apply(
    *workspaces: str,
    all: Switch = False,  # noqa: A002 -- the flag's name
    prune: Switch = False,
    ignore: Ignore = (),
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative=())] = False,
    rollback: Annotated[bool, Parameter(name="--rollback", negative="--no-rollback")] = True,
    target: TargetName | None = None,
) -> int:
    """Show the plan, ask, and do just that; a failure returns to what was there before.

    Example: jailoc apply --all --yes

    Parameters
    ----------
    workspaces
        Workspaces, or the file of a plan that was kept; that of the current directory by default.
    all
        Every workspace, every task that runs, and those that left the configuration.
    prune
        Remove the volumes, the images and the password of those that left it, too.
    ignore
        Address of drift that is noise, such as service.opencode.memory; may be repeated.
    yes
        Do not ask.
    rollback
        Leave things as a failure has left them; without it, what was there before comes back.
    target
        Apply to the cluster that [kubernetes] names, through kubectl.
    """
    if target is not None:
        from jailoc.bin.commands import cluster_plan

        cluster_plan.refuse_others(prune or ignore or not rollback)
        return cluster_plan.carry_out(session(), wanted(workspaces), everything=all, yes=yes)
    from jailoc.bin.commands import apply as body
    from jailoc.bin.commands.plan import Selection

    choice = Selection(wanted=wanted(workspaces), everything=all, prune=prune, ignore=ignore)
    return body.run(session(), choice, yes=yes, back=rollback)
