"""What a container is given of Git: linked working trees, whether it signs, what it trusts."""

from collections.abc import Iterator

from jailoc.model.compose import Bind, Literally, Service, Tmpfs, Volume
from jailoc.model.host import GitProgram, Host, Ids
from jailoc.model.mount import Mode
from jailoc.model.path import expand, within
from jailoc.model.sandbox import AGENT_HOME, PROJECT_VOLUME, SECRETS_PLACE
from jailoc.model.workspace import Workspace
from jailoc.model.worktree import SIZE, VIEW, Worktree, above

COUNT = "GIT_CONFIG_COUNT"
"""How many settings the environment brings; they win over every file (git-config(1))."""

SIGNS = ("commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated", "push.gpgsign")
TRUSTS = "safe.directory"
FALSE = {"false", "no", "off", "0", "", "if-asked"}
SSH_SIGNS = "ssh-keygen"
"""What signs with a key that an SSH agent has (git-config(1), gpg.ssh.program)."""


def mounts(worktree: Worktree) -> Iterator[Bind | Tmpfs]:
    """Yield what a linked working tree is given, what holds another first."""
    common = worktree.common
    origin = f"{worktree.origin} (a linked working tree)"

    def bind(source: str, target: str, mode: Mode) -> Bind:
        return Bind(
            source=Literally(text=source, origin=origin), target=Literally(text=target), mode=mode
        )

    if not worktree.writable:
        yield bind(common, common, Mode.READ_ONLY)
        return
    yield Tmpfs(target=common, size=SIZE, mode=0o1777)
    yield bind(common, f"{common}/{VIEW}", Mode.READ_ONLY)
    yield bind(above(worktree), above(worktree), Mode.READ_ONLY)
    yield bind(worktree.directory, worktree.directory, Mode.READ_WRITE)
    for name in worktree.shared:
        yield bind(f"{common}/{name}", f"{common}/{name}", Mode.READ_WRITE)


def clones(workspace: Workspace) -> Iterator[Volume]:
    """Yield what a task's repository is on, in the place of the host's."""
    for each in workspace.paths:
        if each.cloned:
            yield Volume(name=PROJECT_VOLUME, target=each.path, origin=each.origin)


def environment(workspace: Workspace, host: Host) -> dict[str, str]:
    """Return the variables that bring Git's settings: whether it signs, and what it trusts.

    It gets none where the configuration brings some itself.
    """
    if any(each.key.startswith("GIT_CONFIG_") for each in workspace.env):
        return {}
    pairs = [*_signing(workspace, host).items(), *_trusted(workspace, host)]
    found = {COUNT: str(len(pairs))} if pairs else {}
    for index, (key, value) in enumerate(pairs):
        found |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return found


def _signing(workspace: Workspace, host: Host) -> dict[str, str]:
    """Return the settings that keep Git from signing where it cannot, or let it where it can."""
    settings = host.git.repositories | (host.git.user if workspace.git_config else {})
    wanted = [each for each in SIGNS if settings.get(each, "").lower() not in FALSE]
    if not wanted:
        return {}
    if not _can_sign(workspace, host, settings):
        return dict.fromkeys(wanted, "false")
    return {"gpg.ssh.program": SSH_SIGNS} if "gpg.ssh.program" in settings else {}


def _trusted(workspace: Workspace, host: Host) -> Iterator[tuple[str, str]]:
    """Yield the repositories that Git would not touch, because they are not the agent's.

    A path with `/*` stands for what is below it, from Git 2.46 on (git-config(1), safe.directory).
    """
    owner = workspace.user.uid if host.ids is Ids.KEPT else (host.shifted or (None,))[0]
    for each in workspace.paths:
        place = host.permissions.get(each.path)
        if each.cloned:
            continue
        if place is not None and place.uid != owner and host.ids is not Ids.SHARED:
            yield from ((TRUSTS, each.path), (TRUSTS, f"{each.path}/*"))


def _can_sign(workspace: Workspace, host: Host, settings: dict[str, str]) -> bool:
    """Tell whether a key can be reached in the sandbox: by an agent, or in what is mounted."""
    places = [each.container for each in workspace.mounts] + [each.path for each in workspace.paths]
    key = expand(settings.get("user.signingkey", ""), AGENT_HOME)
    if settings.get("gpg.format", "openpgp").lower() == "ssh":
        agent = workspace.ssh_auth_sock and host.ssh_agent is not None
        public = any(each.key == "user.signingkey" for each in host.git.files)
        named = public if key.startswith("/") else bool(key)
        named = named or (not key and "gpg.ssh.defaultkeycommand" in settings)
        return (agent and named) or any(within(key, each) for each in (*places, SECRETS_PLACE))
    keyring = f"{AGENT_HOME}/.gnupg"
    return any(within(keyring, each) for each in places) or any(
        each.key == "GNUPGHOME" for each in workspace.env
    )


def unsigned(service: Service) -> bool:
    """Tell whether Git signs nothing in a service although its configuration asks for it."""
    return any(
        key.startswith("GIT_CONFIG_KEY_") and value.text in SIGNS
        for key, value in service.environment.items()
    )


def programs(workspace: Workspace, host: Host) -> tuple[GitProgram, ...]:
    """Return the programs that Git in a sandbox may want to run.

    Where it signs nothing, it needs nothing that signs.
    """
    found = (*(host.git.programs if workspace.git_config else ()), *host.git.repository_programs)
    set_ = environment(workspace, host).values()
    every = {each.name: each for each in found if not _interactive(each.key)}
    if SSH_SIGNS in set_:
        return (*every.values(), GitProgram(name=SSH_SIGNS, key="gpg.format"))
    return tuple(each for each in every.values() if not each.key.startswith("gpg."))


def _interactive(key: str) -> bool:
    """Tell whether Git runs a program only for somebody at a terminal."""
    return key in {"core.editor", "sequence.editor", "core.askpass"} or key.startswith(
        ("mergetool.", "difftool.")
    )
