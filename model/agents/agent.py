"""What jailoc has to know of an agent: its program, server, client, directories and names.

Nothing else is asked of one: another version, or another agent, is another value of `Agent`.
Directories are relative to the agent's home; `mounts` are at the same place in the user's.
"""

import re
import shlex
from collections.abc import Sequence

from jailoc.model.base import Model
from jailoc.model.mount import Mode

ANSWER_SHOWN = 200
"""Characters of a server's answer that are kept where it is not the one that was wanted."""


class HomeMount(Model):
    """What of the user's home is mounted at the same place in the agent's."""

    path: str
    mode: Mode


class DataVolume(Model):
    """A named volume for what the agent keeps."""

    name: str
    """Followed by a dash and the workspace's name."""
    path: str


class HealthRoute(Model):
    """Where a server says how it is, and how its answer is judged."""

    path: str
    body: tuple[str, ...]
    """The text that the answer begins with, then texts that it holds in this order."""

    @property
    def pattern(self) -> str:
        """Return a pattern of `case` (sh(1)) that the body of a good answer matches."""
        return "".join(f"{shlex.quote(each)}*" for each in self.body)

    def refuses_login(self, status: int) -> bool:
        """Tell whether a server that was told a password wants another one (RFC 9110, 15.5.2)."""
        return status == 401


class Client(Model):
    """The program that a person works with."""

    names: tuple[str, ...]
    """What it is called on the host; the first that is found is used."""
    words: tuple[str, ...]
    """Its arguments; `{url}`, `{directory}` and `{session}`, each a word of its own, are filled in.
    The password is never one of them."""
    session: tuple[str, ...]
    """In place of `{session}`, to resume the one called `{id}`."""
    last: tuple[str, ...]
    """In place of `{session}`, to resume the last one."""
    environment: dict[str, str]
    """What it gets on the host, whatever the user's own environment says."""
    withheld: tuple[str, ...] = ()
    """Variables of the user's that it does not get on the host: by each the server could have it
    use a program of the host's or read what is none of the sandbox's."""
    hint: str
    """What it writes before a session's name when it ends; jailoc puts its own name there."""
    version: tuple[str, ...] = ("--version",)
    """Its arguments to be told its version; the last `N.N.N` of its answer counts."""

    def arguments(self, url: str, directory: str, session: str | None, last: bool) -> Sequence[str]:
        """Return its arguments for one server, directory and, if wanted, session."""
        resumed: list[str] = []
        if session:
            resumed += _filled(self.session, {"{id}": (session,)})
        if last:
            resumed += self.last
        return _filled(
            self.words, {"{url}": (url,), "{directory}": (directory,), "{session}": resumed}
        )


class ImportedFile(Model):
    """A file that another major version left, and what it is called by this one."""

    old: str
    new: str


class Import(Model):
    """What can be taken over from the major version before, on request."""

    label: str
    """Of that one, for people."""
    volume: str
    """Where it kept its data, less the workspace's name."""
    files: tuple[ImportedFile, ...]
    """The first must be there, and must not be there yet."""


class Plugin(Model):
    """How the client shows the workspace's name: a plugin, and a configuration that names it."""

    script: str
    """Name of the plugin's only module."""
    export: str
    """Under which name the client looks for it in its package."""
    configuration: str
    """Name of the file that names the plugin."""
    key: str
    """The key of that file under which plugins are listed."""
    variable: str
    """The client's variable with the path of that file."""


class Agent(Model):
    """All that is particular to an agent, or to one major version of it."""

    name: str
    """As people call it."""

    # The program, and how the embedded image gets it.
    major: str
    """The one that this record is for, as `opencode` in the configuration names it."""
    package: str
    """On npm."""
    version: str
    """The version that is installed: one edit here moves it."""
    oldest: str
    """The first version that has what this record says."""
    exact: bool = False
    """Whether the configuration named the version, so that an image must have just this one."""
    version_argument: str
    """The argument of the Dockerfile that holds it."""
    binary: str
    """What it is called on the PATH of an image."""

    # The server.
    serve: tuple[str, ...]
    """The command; `{port}`, a word of its own, is filled in."""
    environment: dict[str, str]
    """Its variables, besides the password."""
    user: str
    """The name that a client logs in with."""
    passwords: tuple[str, ...]
    """Variables that hold its password, for server and client alike; the first that is set in the
    user's environment is the one that `password_mode = "env"` takes."""
    health: HealthRoute
    sessions: str = ""
    """The route of what `last` chooses from, an empty JSON array where there is none; `{directory}`
    is filled in, quoted. Empty where the client itself begins a new one then."""
    exposed: bool = True
    """Whether its port is published where the configuration does not say."""

    # Directories and files.
    data: str
    """Where it keeps what must last; the embedded image makes it beforehand."""
    volumes: tuple[DataVolume, ...]
    imports: Import | None = None
    mounts: tuple[HomeMount, ...]
    configuration: tuple[str, ...]
    """Its configuration directories at home."""
    project: str
    """Its configuration directory in a project."""
    gitignore: tuple[str, ...]
    """Lines of the `.gitignore` that it insists on writing into such a directory: it ends at once
    if the directory is read-only and the file is missing. None if it does not insist."""
    protected: tuple[str, ...]
    """What the host's own copy of it executes inside a project."""
    identity: str = ""
    """A file in a Git directory with a name that the host's own copy of it gives a directory of
    the user's, in which it runs Git."""
    private: tuple[str, ...] = ()
    """Patterns (fnmatch(3)) of files at home that let one into the user's own server of it. No
    sandbox needs them: in each an empty file is in their place."""
    logins: tuple[str, ...] = ()
    """Patterns of files at home with what the user is logged in with."""
    configured: tuple[str, ...] = ()
    """Patterns of its files of configuration at home, in which a key may stand."""

    # The client.
    client: Client
    editor: tuple[str, ...]
    """The command that speaks the Agent Client Protocol, in the sandbox."""
    on_host: bool = True
    """Whether a client may run on the host: none may that executes what a server names."""
    plugin: Plugin | None

    @property
    def label(self) -> str:
        """Return its name and major version, as it is told apart from others."""
        return f"{self.name} {self.major}"

    @property
    def whole(self) -> str:
        """Return its name and version, as the label of its container has it."""
        return f"{self.name} {self.version}"

    def at(self, version: str) -> "Agent":
        """Return the same agent at a version that the configuration names."""
        return self.model_copy(update={"version": version, "exact": True})

    @property
    def reserved(self) -> tuple[str, ...]:
        """Return the variables that nobody else may set."""
        return (*self.environment, *self.passwords)

    def command(self, port: int) -> Sequence[str]:
        """Return the server's command."""
        return _filled(self.serve, {"{port}": (str(port),)})


VERSION = re.compile(r"(?<![\d.])\d{1,9}\.\d{1,9}\.\d{1,9}")


def version_in(text: str) -> str | None:
    """Return the version in what a program says of itself, the last one; None if there is none.

    >>> version_in("opencode v2.3.2")
    '2.3.2'
    """
    found = VERSION.findall(text)
    return found[-1] if found else None


def major_of(version: str) -> str:
    """Return the part of a version that server and client must have in common."""
    return version.partition(".")[0]


def order(version: str) -> tuple[int, ...]:
    """Return what versions `N.N.N` are sorted by (https://semver.org, 11)."""
    return tuple(int(part) for part in version.split("."))


def _filled(words: Sequence[str], values: dict[str, Sequence[str]]) -> list[str]:
    """Put values in place of words; a word that has no value stands for itself."""
    return [each for word in words for each in values.get(word, (word,))]
