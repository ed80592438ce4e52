"""An agent that is not OpenCode: another program, another server, another client."""

from jailoc.model.agents.agent import Agent, Client, DataVolume, HealthRoute, HomeMount, Plugin
from jailoc.model.mount import Mode

OTHER = Agent(
    name="Other",
    major="3",
    package="@example/other",
    version="3.2.1",
    oldest="3.0.0",
    version_argument="OTHER_VERSION",
    binary="othr",
    serve=("othr", "listen", "{port}"),
    environment={"OTHER_LEVEL": "debug"},
    user="someone",
    passwords=("OTHER_KEY", "OLD_KEY"),
    health=HealthRoute(path="/well", body=("{", '"version":"3.')),
    data=".local/share/other",
    volumes=(DataVolume(name="other-data", path=".local/share/other"),),
    mounts=(HomeMount(path=".other", mode=Mode.READ_ONLY),),
    configuration=(".other",),
    project=".other",
    gitignore=("made",),
    protected=(".other",),
    client=Client(
        names=("othr", "othr-cli"),
        words=("--server", "{url}", "{session}", "{directory}"),
        session=("-s", "{id}"),
        last=("-c",),
        environment={"OTHER_PROJECT": "0"},
        hint="othr resume ",
    ),
    editor=("othr", "editor"),
    plugin=None,
)
PLUGIN = Plugin(
    script="tui.js",
    export="./other",
    configuration="other.json",
    key="extensions",
    variable="OTHER_CONFIG",
)
