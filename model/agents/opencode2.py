"""OpenCode 2, as https://opencode.ai/v2/docs/ describes it and its source has it."""

from jailoc.model.agents.agent import Agent, Client, DataVolume, HealthRoute, Import, ImportedFile
from jailoc.model.agents.opencode1 import OPENCODE_1

_DATA = ".local/share/opencode"

OPENCODE_2 = Agent(
    name="OpenCode",
    major="2",
    package="@opencode/cli",
    version="2.3.2",
    # The first whose documentation has `/api/info`; before, it was called otherwise twice.
    oldest="2.0.22",
    version_argument="OPENCODE_VERSION",
    binary="opencode",
    serve=(
        "opencode", "serve", "--hostname", "0.0.0.0", "--port", "{port}",  # noqa: S104 -- behind the wall
    ),
    environment={
        # Its flag for the level takes lower case only, and ends the server otherwise.
        "OPENCODE_LOG_LEVEL": "DEBUG",
        "OPENCODE_PRINT_LOGS": "1",
        # The database of 1 would be altered at the first start, and 1 could not read it any more.
        "OPENCODE_DB": "opencode2.db",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
    },
    user="opencode",
    passwords=("OPENCODE_PASSWORD", "OPENCODE_SERVER_PASSWORD"),
    health=HealthRoute(path="/api/info", body=("{", '"version":"2.')),
    # Its page is given to everybody, and cookies of 127.0.0.1 go to every port of it.
    exposed=False,
    data=_DATA,
    volumes=(
        DataVolume(name="opencode2-data", path=_DATA),
        DataVolume(name="opencode2-cache", path=".cache"),
    ),
    imports=Import(
        label=OPENCODE_1.label,
        volume="opencode-data",
        files=(
            ImportedFile(old="opencode.db", new="opencode2.db"),
            ImportedFile(old="opencode.db-wal", new="opencode2.db-wal"),
            ImportedFile(old="opencode.db-shm", new="opencode2.db-shm"),
            ImportedFile(old="auth.json", new="auth.json"),
        ),
    ),
    mounts=OPENCODE_1.mounts,
    configuration=OPENCODE_1.configuration,
    project=OPENCODE_1.project,
    gitignore=OPENCODE_1.gitignore,
    protected=OPENCODE_1.protected,
    identity=OPENCODE_1.identity,
    private=OPENCODE_1.private,
    logins=OPENCODE_1.logins,
    configured=OPENCODE_1.configured,
    client=Client(
        names=("opencode", "opencode2"),
        words=("--server", "{url}", "{session}", "{directory}"),
        session=("--session", "{id}"),
        last=("--continue",),
        environment={},
        hint="opencode -s ",
    ),
    editor=OPENCODE_1.editor,
    # It runs the plugins that the server lists: code of the agent's.
    on_host=False,
    plugin=None,
)  # fmt: skip
