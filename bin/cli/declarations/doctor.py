"""What `doctor` takes, and its help."""

from typing import Annotated

from cyclopts import Parameter

from jailoc.bin.cli.app import Switch, app, session


@app.command
def doctor(
    *, json: Switch = False, for_others: Annotated[Switch, Parameter(name="--report")] = False
) -> int:
    """Look at all that a sandbox needs of this machine, and say what mends what is wrong.

    It works without an engine and without a valid configuration, writes nothing, and ends with 1
    if something keeps sandboxes from working.

    Example: jailoc doctor

    Parameters
    ----------
    json
        Write JSON.
    for_others
        Write Markdown to paste into a bug report: no path, name, value or credential of yours.
    """
    from jailoc.bin.commands import doctor as body

    return body.run(session(), json, for_others)
