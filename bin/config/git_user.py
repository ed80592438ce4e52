"""Gather of the user's Git configuration what a sandbox needs to work as Git does here."""

from collections.abc import Callable, Iterable, Iterator

from jailoc.bin.config.git_settings import ConfigSource, Settings, Sources
from jailoc.bin.host.entries import kind_at
from jailoc.model.git_config import absolute, included, program
from jailoc.model.git_tokens import token
from jailoc.model.host import FileKind, GitFacts, GitFile, GitProgram, Host

SIGNING = (
    "commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated", "push.gpgsign", "gpg.format",
    "user.signingkey", "gpg.program", "gpg.ssh.program", "gpg.ssh.defaultkeycommand",
)  # fmt: skip
"""What decides about signatures (git-config(1))."""

FILES = (
    "core.excludesfile", "core.attributesfile", "commit.template", "gpg.ssh.allowedsignersfile",
    "user.signingkey",
)  # fmt: skip
"""Settings that name a file which Git reads."""

STANDARD = ("config", "ignore", "attributes")
"""Files in the directory `git` of the user's configuration (git-config(1), gitignore(5))."""

MOST = 50
"""Files, and programs."""


def gather(settings: Settings, config_home: str, repositories: Iterable[Sources]) -> GitFacts:
    """Return what matters of the user's configuration and of that of repositories.

    Args:
        settings: Reads files of configuration.
        config_home: The user's directory of configuration.
        repositories: The settings of each repository.
    """
    settings.renew()  # whatever agents have left of it
    home = settings.home
    # As Git reads them inside: there is no configuration of this machine's system.
    user = settings.read((f"{config_home}/git/config", f"{home}/.gitconfig")).all
    theirs = tuple(each for source in repositories for each in source.all)
    standard = (
        GitFile(path=f"{config_home}/git/{name}", written=f"~/.config/git/{name}")
        for name in STANDARD
    )
    every = (*standard, *_files(user, home))
    files = (each for each in every if kind_at(each.path) is FileKind.FILE)
    return GitFacts(
        # Each with all that name it, and how: what one of them says does not count where an agent
        # wrote it, and what is included is more than what is read for its rules.
        files=tuple({(each.path, each.holder, each.key): each for each in files}.values())[:MOST],
        user=_signing(user),
        repositories=_signing(theirs),
        programs=_programs(user),
        tokens=tuple(
            GitFile(path=each.file, written=each.file, key=key[:200])
            for each in user
            if (key := token(each.setting)) is not None
        )[:MOST],
        repository_programs=_programs(theirs),
    )


def judged(host: Host, changeable: Callable[[str], bool]) -> Host:
    """Return a machine with what of the user's configuration agents can change.

    Args:
        host: The machine, with what its configuration names.
        changeable: Tells of an absolute path whether an agent decides what is there.
    """
    own = () if host.git_config is None else (host.git_config,)
    places = dict.fromkeys((*own, *(at for each in host.git.files
                                    for at in (each.holder, each.path) if at)))  # fmt: skip
    found = tuple(filter(changeable, places))
    git = host.git.model_copy(update={"changeable": found})
    return host.model_copy(update={"git": git}) if found else host


def _files(sources: Iterable[ConfigSource], home: str) -> Iterator[GitFile]:
    for source in sources:
        setting = source.setting
        if not (included(setting) or setting.key in FILES):
            continue
        path = absolute(setting.value, source.holder if included(setting) else "", home)
        if path is None:
            continue
        written = setting.value
        if setting.key == "user.signingkey" and not path.endswith(".pub"):
            # Never the private half: the agent of SSH has it.
            path, written = f"{path}.pub", f"{written}.pub"
        yield GitFile(path=path, written=written, holder=source.file, key=setting.key)


def _signing(sources: Iterable[ConfigSource]) -> dict[str, str]:
    return {
        each.setting.key: each.setting.value[:1000]
        for each in sources
        if each.setting.key in SIGNING
    }


def _programs(sources: Iterable[ConfigSource]) -> tuple[GitProgram, ...]:
    found: dict[str, str] = {}
    for each in sources:
        if (name := program(each.setting)) is not None:
            found.setdefault(name, each.setting.key[:100])
    return tuple(GitProgram(name=name, key=key) for name, key in found.items())[:MOST]
