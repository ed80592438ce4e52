"""The facts about the machine that the compiler may know. They are gathered once, outside."""

import ipaddress
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from jailoc.model.address import is_single, written
from jailoc.model.base import Model
from jailoc.model.git_state import Believed
from jailoc.model.permissions import Permissions


class FileKind(StrEnum):
    """What a path is, symbolic links followed."""

    FILE = "file"
    DIRECTORY = "directory"
    SOCKET = "socket"
    OTHER = "other"


class Named(Model):
    """A place that Git's configuration names, and what is there."""

    key: str
    text: str
    """The value, cut short; an agent may have written it."""
    path: str
    """Absolute and clean."""
    real: str
    """Where it leads once symbolic links are followed."""
    hops: tuple[str, ...] = ()
    """Links on the way there, each by its real directory."""
    kind: FileKind | None
    sure: bool
    """Whether the setting can mean nothing but this place."""
    followed: bool = False
    """Whether it is what a link in a covered place leads to."""
    hooks: tuple[str, ...] = ()
    """Hooks in it that can be executed, some of them."""


class Repository(Model):
    """A Git directory that an agent can write, in so far as it decides what the host executes."""

    directory: str
    """Absolute: a `.git`, a bare repository, or one of `.git/modules`."""
    top: str = ""
    """The working tree that it is the `.git` of; empty for others."""
    kinds: dict[str, FileKind] = Field(default_factory=dict)
    """What there is of what Git executes, by path in the directory; no links."""
    links: tuple[str, ...] = ()
    """What of it is a symbolic link."""
    elsewhere: dict[str, str] = Field(default_factory=dict)
    """Files `commondir` that lead to another repository than theirs, with where they lead."""
    trees: tuple[str, ...] = ()
    """Linked working trees with a configuration of their own (`extensions.worktreeConfig`), as
    directories in it; `.` for itself."""
    linked: bool = False
    """Whether it is that of a linked working tree alone, whose repository is elsewhere."""
    sealed: bool = False
    """Whether nothing can be made in it, by the user or anybody with the same user id."""
    hooks: tuple[str, ...] = ()
    """Hooks that can be executed, some of them."""
    alternates: tuple[str, ...] = ()
    """What it takes objects from elsewhere, some of it, cut short."""
    borrowed: tuple[Named, ...] = ()
    """The same as places, some of them."""
    settings: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Settings that execute something, some of them, cut short, by the path in the directory of the
    file that has or includes them."""
    remotes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """What `remotes` and `branches`, Git's older lists of remotes, name: some of it, cut short, by
    directory."""
    named: tuple[Named, ...] = ()


class Tree(Model):
    """What was found below a path that an agent can write."""

    repositories: tuple[Repository, ...] = ()
    places: dict[str, FileKind] = Field(default_factory=dict)
    """Absolute places of names that were looked for, and of files called `.git`; no links."""
    links: tuple[str, ...] = ()
    """Those of them that are symbolic links."""
    named: tuple[Named, ...] = ()
    """What is named for working trees whose `.git` is a file; their repository may be anywhere."""
    borrowed: tuple[Named, ...] = ()
    """Where such repositories take objects from, some of it."""
    followed: dict[str, str] = Field(default_factory=dict)
    """Links in the place of what Git itself reads and writes, with where they lead."""
    shared: dict[str, str | None] = Field(default_factory=dict)
    """Absolute places that the host executes from and that hold a file with a second name
    (link(2)), with that file: a cover shuts one name only. None where too much lies there to
    know."""
    troubles: dict[str, str] = Field(default_factory=dict)
    """Absolute places of what Git reads and cannot be covered, with the reason."""
    unread: dict[str, str] = Field(default_factory=dict)
    """Absolute places that could not be looked into, with the reason: anything may be there."""
    empty: dict[str, str | None] = Field(default_factory=dict)
    """Absolute places of submodules that are not there, or as far as their way is there, with why
    one cannot be covered, if so: Git goes into whatever repository comes there (gitsubmodules(7)).
    """
    sockets: tuple[str, ...] = ()
    """Sockets of programs (unix(7)), some of them."""
    believed: tuple[Believed, ...] = ()
    """Files of Git's own that make it do, or not show, what their writer wants."""
    limit: str | None = None
    """Why not all of it was looked through: anything may lie in the rest."""


class Ids(StrEnum):
    """What an engine makes of the users and groups of files that it mounts."""

    KEPT = "kept"
    """They are the machine's: an engine of root's, on the machine's own kernel."""
    SHIFTED = "shifted"
    """They lie in a range of the machine's subordinate ids (user_namespaces(7)): an engine without
    root, or one with `userns-remap`."""
    SHARED = "shared"
    """A virtual machine shares the files, and maps their owners in its own way."""


class GitLink(Model):
    """A file `.git`, and the repository that it names (gitrepository-layout(5))."""

    file: str
    directory: str
    """The Git directory that it names, absolute and clean."""
    common: str
    """Where the repository is: the directory that `commondir` names there, else the same."""
    worktree: bool = False
    """Whether the repository names this very file as that of a linked working tree. Only who can
    write in the repository can say so; whoever makes a file `.git` cannot."""
    late: bool = False
    """Of such a working tree, whether an agent could have made the file, as it was last started: a
    repository knows one also when it is long gone."""
    shared: tuple[str, ...] = ()
    """Directories of `common` that a working tree writes and that are there; no links."""
    trouble: str | None = None
    """Why it cannot be mounted where Git looks for it."""


class GitFile(Model):
    """A file that the user's Git configuration is in, or that it names."""

    path: str
    """On the host, absolute and clean."""
    written: str
    """As the setting has it; the place below the home directory for Git's own places."""
    holder: str = ""
    """The file that names it."""
    key: str = ""
    """The setting."""


class GitProgram(Model):
    """A program that Git's configuration names, and that an image may lack."""

    name: str
    """A word that can be looked up in PATH, or an absolute path."""
    key: str


class GitFacts(Model):
    """What Git on this machine is like, as far as a sandbox depends on it."""

    files: tuple[GitFile, ...] = ()
    user: dict[str, str] = Field(default_factory=dict)
    """Settings about signing of the user's own configuration; the last of a key counts."""
    repositories: dict[str, str] = Field(default_factory=dict)
    """The same of all repositories that an agent sees."""
    programs: tuple[GitProgram, ...] = ()
    repository_programs: tuple[GitProgram, ...] = ()
    tokens: tuple[GitFile, ...] = ()
    """Files of the user's configuration with a password or token, and the settings that hold it."""
    changeable: tuple[str, ...] = ()
    """Of `files`, what names them, and the user's own configuration: what an agent can change, by
    any path of a configuration or by what agents were started with, and nobody trusts."""
    links: tuple[GitLink, ...] = ()
    enclosing: dict[str, str] = Field(default_factory=dict)
    """Workspace paths that lie in the working tree of a repository, with its top."""


TABLES = tuple(f"/proc/1/net/{name}" for name in ("fib_trie", "if_inet6", "anycast6"))
"""Files of the kernel's that name the machine's addresses (proc(5)): those of process 1, because
other processes come and go."""
DESKTOPS = ("Docker Desktop", "OrbStack")
"""Engines in a virtual machine of their own, by the operating system that they name."""
DESKTOP_AGENT_SOCKET = "/run/host-services/ssh-auth.sock"
"""Where such a machine has the user's SSH agent; there is no such file on the host itself."""


class Gathered(NamedTuple):
    """What was found in the paths that agents can write, and what Git is like on this machine."""

    trees: dict[str, Tree]
    named: tuple[Named, ...]
    """What the user's own configuration names."""
    git: GitFacts


class Host(Model):
    """A machine and its user, as a record. The compiler never asks the operating system.

    Directories follow the XDG Base Directory Specification 0.8.
    """

    home: str
    config_home: str = ""
    cache_home: str = ""
    data_home: str = ""
    today: date = date.min
    """The day in UTC, on which some allows have ended."""
    uid: int = 1000
    """Who runs jailoc. As whom an agent works follows from it: `agent_user`."""
    gid: int = 1000
    groups: tuple[int, ...] = ()
    """Further groups of theirs."""
    sudo: tuple[int, int] | None = None
    """UID and GID of who called sudo(8)."""
    ids: Ids = Ids.KEPT
    shifted: tuple[int, int] | None = None
    """UID and GID of the machine behind 1000:1000 in a container, where ids are shifted and it is
    known."""
    permissions: dict[str, Permissions] = Field(default_factory=dict)
    """Who may do what at paths that the configuration names and that are there."""
    ipv6: bool = False
    """Whether the kernel speaks IPv6, so that a network with it can be made."""
    networks: tuple[str, ...] = ()
    """Its own addresses, and the IPv6 networks it is in, as ADDRESS/LENGTH."""
    neighbours: tuple[str, ...] = ()
    """The IPv4 networks it is in."""
    started: tuple[tuple[str, str], ...] = ()
    """What agents of other configurations can write, as last started: workspace, place."""
    left: tuple[tuple[str, str], ...] = ()
    """The same of its own agents, and of those that they replace: what may be theirs no more."""
    tables: tuple[str, ...] = ()
    """Those of `TABLES` that its engine can mount."""
    links: dict[str, str] = Field(default_factory=dict)
    """Paths the configuration names whose real place differs, with that place."""
    hops: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Places on the way to such a path that decide where it leads: links, and what they leave by
    `..`, in their order."""
    kinds: dict[str, FileKind] = Field(default_factory=dict)
    """What there is at the paths that the compiler asks about; what is missing is not there."""
    unread: dict[str, str] = Field(default_factory=dict)
    """Of the same paths those of which nobody knows whether there is something, with the reason."""
    files: dict[str, str] = Field(default_factory=dict)
    """Text of the files that the configuration refers to, by absolute path or URL."""
    portable: bool = False
    """Whether it stands for every machine, so that `files` holds what stands for their texts, and
    every protected name is there."""
    beside: dict[str, str] = Field(default_factory=dict)
    """Where it stands for every machine: texts of Dockerfiles and certificates that are kept beside
    the configuration, by the places that it names."""
    locked: dict[str, str] = Field(default_factory=dict)
    """Where it stands for every machine: what the lock beside the configuration says a cluster runs
    (`ImageLock`), a digest by each tag."""
    suffixes: tuple[str, ...] = ()
    """Names of allowed wildcards below which everybody can have a name (publicsuffix.org)."""
    contexts: dict[str, str] = Field(default_factory=dict)
    """What lies in directories that images are built from, as a digest; too large ones are not
    there."""
    bases: dict[str, str] = Field(default_factory=dict)
    """What the engine had under the names of images that others are built on, when it was last
    asked: its identity of each."""
    trees: dict[str, Tree] = Field(default_factory=dict)
    """What was found below the paths that an agent can write."""
    named: tuple[Named, ...] = ()
    """Absolute places that the user's own Git configuration names."""
    git: GitFacts = GitFacts()
    sockets: tuple[str, ...] = ()
    """Sockets of the engines that are known there, absolute."""
    agent_socket: str | None = None
    """Socket of the SSH agent, absolute."""
    private: tuple[str, ...] = ()
    """Real places of files that let one into a server of the user's own."""
    logins: tuple[str, ...] = ()
    """Real places of files with what the user is logged in with."""
    profiles: bool = True
    """Whether its engine takes seccomp profiles; where nobody asked, one is taken to."""
    engine: str = ""
    """Operating system that the engine names; empty where nobody asked or none answered."""

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """Return its single addresses, but for loopback."""
        networks = map(ipaddress.ip_network, self.networks)
        return tuple(
            written(each.network_address)
            for each in networks
            if is_single(each) and not each.is_loopback
        )

    @property
    def config(self) -> str:
        """Return jailoc's own configuration directory."""
        return f"{self.config_home or self.home + '/.config'}/jailoc"

    @property
    def cache(self) -> str:
        """Return the directory of generated files."""
        return f"{self.cache_home or self.home + '/.cache'}/jailoc"

    @property
    def data(self) -> str:
        """Return the directory of passwords."""
        return f"{self.data_home or self.home + '/.local/share'}/jailoc"

    def real(self, path: str) -> str:
        """Return where a path leads once symbolic links are followed."""
        return self.links.get(path, path)

    def places(self, path: str) -> tuple[str, ...]:
        """Return a path, every place on its way that decides where it leads, and that place."""
        return tuple(dict.fromkeys((path, *self.hops.get(path, ()), self.real(path))))

    @property
    def ssh_agent(self) -> str | None:
        """Return the socket of the SSH agent where the engine sees it.

        A virtual machine cannot mount a socket of the host, so the engine's platform decides.
        """
        desktop = any(self.engine.startswith(each) for each in DESKTOPS)
        return DESKTOP_AGENT_SOCKET if desktop else self.agent_socket

    @property
    def git_config(self) -> str | None:
        """Return the user's Git configuration (git-config(1), FILES)."""
        places = (f"{self.home}/.gitconfig", f"{self.home}/.config/git/config")
        return next((each for each in places if each in self.kinds), None)

    @property
    def known_hosts(self) -> str | None:
        """Return the user's list of SSH host keys (ssh(1), FILES)."""
        place = f"{self.home}/.ssh/known_hosts"
        return place if place in self.kinds else None
