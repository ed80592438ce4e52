"""Where jailoc's files are. Light: what must be quick at start asks here, and imports no model."""

import os
from pathlib import Path


def home() -> str:
    """Return the home directory.

    Raises:
        Refused: `HOME` is unset or relative; a guess would put files into the wrong place.
    """
    text = os.environ.get("HOME", "")
    if not text.startswith("/"):
        from jailoc.model.diagnostic import refuse

        raise refuse(
            "home",
            "the home directory is unknown: HOME is not set to an absolute path",
            hint="set HOME",
        )
    return os.path.normpath(text)


def base(variable: str, default: str) -> str:
    """Return an XDG base directory; a relative value is ignored, as the specification says."""
    value = os.environ.get(variable, "")
    return os.path.normpath(value) if value.startswith("/") else f"{home()}/{default}"


def config_file(flag: str | None) -> Path:
    """Return the configuration file: the flag, else `JAILOC_CONFIG`, else the XDG place."""
    chosen = flag or os.environ.get("JAILOC_CONFIG")
    if chosen:
        return Path(chosen).absolute()
    return Path(base("XDG_CONFIG_HOME", ".config")) / "jailoc" / "config.toml"


def config_label(flag: str | None) -> str | None:
    """Return what people named the configuration file by, from where they are; None if none did."""
    chosen = flag or os.environ.get("JAILOC_CONFIG")
    return os.path.normpath(chosen) if chosen else None


def config_is_named(flag: str | None) -> bool:
    """Tell whether somebody has named the configuration file, so that it must be there."""
    return bool(flag or os.environ.get("JAILOC_CONFIG"))


def state_directory() -> Path:
    """Return the directory of what must survive a cleaned cache: passwords, what was applied."""
    return Path(base("XDG_DATA_HOME", ".local/share")) / "jailoc"


def kept() -> dict[str, Path]:
    """Return what decides what the engine runs, by what it is: nobody else may change it."""
    return {"generated files": cache_directory(), "passwords": state_directory()}


def cache_directory() -> Path:
    """Return the directory of generated files, locks and the log."""
    return Path(base("XDG_CACHE_HOME", ".cache")) / "jailoc"
