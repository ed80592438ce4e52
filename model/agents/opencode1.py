"""OpenCode 1, as https://opencode.ai/docs/ describes it and its releases behave."""

from jailoc.model.agents.agent import Agent, Client, DataVolume, HealthRoute, HomeMount, Plugin
from jailoc.model.mount import Mode

_DATA = ".local/share/opencode"

OPENCODE_1 = Agent(
    name="OpenCode",
    major="1",
    package="opencode-ai",
    version="1.18.33",
    oldest="1.0.0",
    version_argument="OPENCODE_VERSION",
    binary="opencode",
    serve=(
        "opencode", "serve", "--hostname", "0.0.0.0", "--port", "{port}",  # noqa: S104 -- behind the wall
        "--print-logs", "--log-level", "DEBUG",
    ),
    environment={"OPENCODE_LOG": "debug"},
    user="opencode",
    passwords=("OPENCODE_SERVER_PASSWORD",),
    # Every other path has 200, too, with a page; the server of another major answers this one so.
    health=HealthRoute(
        path="/global/health", body=("{", '"healthy":true', '"version":"1.')
    ),
    # Without a session its client asks the server for one that is called "dummy", and stays there.
    sessions="/session?roots=true&limit=1&directory={directory}",
    data=_DATA,
    volumes=(
        DataVolume(name="opencode-data", path=_DATA),
        DataVolume(name="opencode-cache", path=".cache"),
    ),
    # What the host's own OpenCode executes (its binary, its plugins) is read-only; `mounts` in the
    # configuration can say otherwise.
    mounts=(
        HomeMount(path=".config/opencode", mode=Mode.READ_ONLY),
        HomeMount(path=".opencode", mode=Mode.READ_ONLY),
        HomeMount(path=".claude/transcripts", mode=Mode.READ_WRITE),
        HomeMount(path=".agents", mode=Mode.READ_ONLY),
    ),
    configuration=(".config/opencode", ".opencode"),
    project=".opencode",
    gitignore=("node_modules", "package.json", "package-lock.json", "bun.lock", ".gitignore"),
    protected=(".opencode", "opencode.json", "opencode.jsonc"),
    identity="opencode",
    # OpenCode 2 is at the same places: the password of its background service, with what is left
    # of writing it, and where that service listens.
    private=(".config/opencode/service*.json*", ".local/state/opencode/service*.json*"),
    # Of version 1 the first three; version 2 keeps all of it in its database.
    logins=tuple(f"{_DATA}/{name}" for name in
                 ("auth*.json", "mcp-auth*.json", "account*.json", "opencode*.db")),
    configured=tuple(
        f"{folder}/{name}"
        for folder in (".config/opencode", ".opencode")
        for name in ("opencode.json", "opencode.jsonc", "config.json")
    ),
    client=Client(
        names=("opencode", "opencode-cli"),
        words=("attach", "{url}", "--dir", "{directory}", "{session}"),
        session=("--session", "{id}"),
        last=("--continue",),
        environment={
            "OPENCODE_SERVER_USERNAME": "opencode",
            # The agent writes in the project, and a client would load plugins that it finds there.
            "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
        },
        # What its server says (`/tui/publish`) opens the editor, fills and reads the clipboard, and
        # asks an editor that listens (a port, Zed's terminal) what is selected there.
        withheld=(
            "VISUAL", "EDITOR", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET",
            "CLAUDE_CODE_SSE_PORT", "OPENCODE_EDITOR_SSE_PORT", "OPENCODE_ZED_DB", "ZED_TERM",
            "TERM_PROGRAM",
        ),
        hint="opencode -s ",
    ),
    editor=("opencode", "acp"),
    plugin=Plugin(
        script="tui.js",
        export="./tui",
        configuration="tui.json",
        key="plugin",
        variable="OPENCODE_TUI_CONFIG",
    ),
)  # fmt: skip
