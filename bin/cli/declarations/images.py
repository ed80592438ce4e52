"""What `images` and the command below it take, and their help."""

from cyclopts import App

from jailoc.bin.cli.app import Switch, app, session, wanted

images = App(
    name="images",
    help="""Build the images of workspaces for a cluster, and write down their digests.

    Example: jailoc images build --push
    """,
    version_flags=(),
    help_flags=(),
)
app.command(images)


@images.command
def build(*workspaces: str, push: Switch = False, json: Switch = False) -> int:
    """Build the images that a cluster runs; pushed ones are named in images.lock by their digests.

    Example: jailoc images build --push

    Parameters
    ----------
    workspaces
        Workspaces whose images are built; all by default.
    push
        Push them to the registry of [kubernetes], and write images.lock beside the configuration.
    json
        Write their tags as JSON.
    """
    from jailoc.bin.commands import images as body

    return body.run(session(), wanted(workspaces), push=push, as_json=json)
