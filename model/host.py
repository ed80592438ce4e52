"""The facts about the machine that the compiler may know. They are gathered once, outside."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from jailoc.model.base import Model


class Kind(StrEnum):
    """What a path is, symbolic links followed."""

    FILE = "file"
    DIRECTORY = "directory"
    SOCKET = "socket"
    OTHER = "other"


DESKTOPS = ("Docker Desktop", "OrbStack")
"""Engines in a virtual machine of their own, by the operating system that they name."""
DESKTOP_AGENT_SOCKET = "/run/host-services/ssh-auth.sock"
"""Where such a machine has the user's SSH agent; there is no such file on the host itself."""


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
    ipv6: bool = False
    """Whether the kernel speaks IPv6, so that a network with it can be made."""
    networks: tuple[str, ...] = ()
    """Its own addresses, and the IPv6 networks it is on, as ADDRESS/LENGTH."""
    links: dict[str, str] = Field(default_factory=dict)
    """Paths the configuration names whose real place differs, with that place."""
    hops: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Places on the way to such a path that decide where it leads: links, and what they leave by
    `..`, in their order."""
    kinds: dict[str, Kind] = Field(default_factory=dict)
    """What there is at the paths that the compiler asks about; what is missing is not there."""
    files: dict[str, str] = Field(default_factory=dict)
    """Text of the files that the configuration refers to, by absolute path or URL."""
    contexts: dict[str, str] = Field(default_factory=dict)
    """What lies in directories that images are built from, as a digest; too large ones are not
    there."""
    bases: dict[str, str] = Field(default_factory=dict)
    """What the engine had under the names of images that others are built on, when it was last
    asked: its identity of each."""
    sockets: tuple[str, ...] = ()
    """Sockets of the engines that are known there, absolute."""
    agent_socket: str | None = None
    """Socket of the SSH agent, absolute."""
    engine: str = ""
    """Operating system that the engine names; empty where nobody asked or none answered."""

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
