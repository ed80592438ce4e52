"""What `learn` takes, and its help."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Switch, app, session


@app.command
def learn(
    workspace: str | None = None,
    /,
    *,
    start: Switch = False,
    unused: Switch = False,
    days: float | None = None,
    exact: Switch = False,
    addresses: Switch = False,
    apply: Switch = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative=())] = False,
    out: Path | None = None,
    export: Path | None = None,
    evidence: Annotated[
        tuple[Path, ...], Parameter(name="--from", consume_multiple=False, negative=())
    ] = (),
    json: Switch = False,
) -> int:
    """Propose what to write from what was seen: an allowlist, or what can go.

    Example: jailoc learn api --out allowlist.patch

    Parameters
    ----------
    workspace
        The workspace; that of the current directory by default.
    start
        Write `observe = true` into the configuration, and begin to look.
    unused
        Name the entries that were never used, and propose their removal.
    days
        With --unused: days that have to be watched before an entry counts as unused (7).
    exact
        Propose every name by itself, and no wildcard.
    addresses
        Propose addresses that no name led to, too.
    apply
        Write the change after asking; a running workspace has it at once.
    yes
        Do not ask.
    out
        Write the change as a patch into this file.
    export
        Write what was seen into this file, and nothing else.
    evidence
        A file that --export wrote, instead of the running workspace; may be repeated.
    json
        Write JSON.
    """
    from jailoc.bin.commands import learn as body

    if days is not None and not unused:
        from jailoc.model.diagnostic import refuse

        raise refuse(
            "usage",
            "--days is for --unused: what is proposed counts from the first connection on",
            hint="add --unused, or leave --days out",
        )
    return body.run(
        session(workspace),
        body.LearnOptions(
            start=start, unused=unused, days=7.0 if days is None else days, exact=exact,
            addresses=addresses, apply=apply, yes=yes, out=out, export=export, evidence=evidence,
            as_json=json,
        ),
    )  # fmt: skip
