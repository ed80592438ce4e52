"""jailoc: sandboxes of headless OpenCode agents, compiled from one configuration file."""

__all__ = ["__version__"]

__version__ = "0.1.0"
