"""What `diff` takes, and its help."""

from enum import StrEnum

from jailoc.bin.cli.app import Switch, app, session


class FailOn(StrEnum):
    """From which rank on something newly possible counts for the exit status."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    ANY = "any"


@app.command
def diff(
    base: str,
    head: str | None = None,
    /,
    *,
    json: Switch = False,
    markdown: Switch = False,
    sarif: Switch = False,
    fail_on: FailOn | None = None,
    policy: str | None = None,
) -> int:
    """Say what one configuration newly makes possible, compared with another; no engine is asked.

    Example: jailoc diff origin/main --config sandboxes/config.toml --fail-on high

    Parameters
    ----------
    base
        A file, a directory that holds one, a Git revision, or REVISION:FILE.
    head
        The same; by default the configuration file.
    json
        Write JSON.
    markdown
        Write Markdown, for a comment on a pull request.
    sarif
        Write SARIF, which forges show at the changed line.
    fail_on
        Exit with 2 if something of this rank or a graver one is newly possible.
    policy
        A policy that holds beside those of this machine: a file, or REVISION:FILE.
    """
    from jailoc.bin.commands import diff as body

    form = body.form(json=json, markdown=markdown, sarif=sarif)
    least = None if fail_on is None else fail_on.value
    return body.run(session(), base, head, form, least, policy)
