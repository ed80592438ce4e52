"""What `golden` and the commands below it take, and their help."""

from cyclopts import App

from jailoc.bin.cli.app import Switch, app, session

golden = App(
    name="golden",
    help="""Keep generated files under review, such as in a repository.

    Example: jailoc golden check sandboxes/generated
    """,
    version_flags=(),
    help_flags=(),
)
app.command(golden)


@golden.command
def check(
    directory: str,
    /,
    *,
    diff: Switch = False,
    files: Switch = False,
    json: Switch = False,
    markdown: Switch = False,
) -> int:
    """Compare committed files with what the configuration becomes; exit status 2 if they differ.

    Says first what the sandboxes may do that they could not, the gravest first.

    Example: jailoc golden check sandboxes/generated --config sandboxes/config.toml

    Parameters
    ----------
    directory
        Where `golden update` has written them.
    diff
        Show the difference of every file, too.
    files
        Name the files and values that differ.
    json
        Write JSON.
    markdown
        Write Markdown, for a comment on a pull request.
    """
    from jailoc.bin.commands import golden as review

    style = review.style(json=json, markdown=markdown)
    return review.check(session(), directory, style, diff, files)


@golden.command
def update(directory: str, /, *, force: Switch = False) -> int:
    """Make committed files what the configuration becomes, and say what that changes.

    Example: jailoc golden update sandboxes/generated --config sandboxes/config.toml

    Parameters
    ----------
    directory
        Where they are, one folder a workspace; it is made where it is missing.
    force
        Do it although CI is set, where nobody reviews the difference.
    """
    from jailoc.bin.commands import golden as review

    return review.update(session(), directory, force)
