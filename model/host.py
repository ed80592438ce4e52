"""The facts about the machine that the compiler may know. They are gathered once, outside."""

from pydantic import Field

from jailoc.model.base import Model


class Host(Model):
    """A machine and its user, as a record. The compiler never asks the operating system.

    Directories follow the XDG Base Directory Specification 0.8.
    """

    home: str
    config_home: str = ""
    cache_home: str = ""
    ipv6: bool = False
    """Whether the kernel speaks IPv6, so that a network with it can be made."""
    networks: tuple[str, ...] = ()
    """Its own addresses, and the IPv6 networks it is on, as ADDRESS/LENGTH."""
    links: dict[str, str] = Field(default_factory=dict)
    """Paths the configuration names whose real place differs, with that place."""
    files: dict[str, str] = Field(default_factory=dict)
    """Text of the files that the configuration refers to, by absolute path."""

    @property
    def config(self) -> str:
        """Return jailoc's own configuration directory."""
        return f"{self.config_home or self.home + '/.config'}/jailoc"

    @property
    def cache(self) -> str:
        """Return the directory of generated files."""
        return f"{self.cache_home or self.home + '/.cache'}/jailoc"

    def real(self, path: str) -> str:
        """Return where a path leads once symbolic links are followed."""
        return self.links.get(path, path)
