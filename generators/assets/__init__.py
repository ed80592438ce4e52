"""Scripts and Dockerfiles that are emitted as they stand."""

from functools import cache
from importlib.resources import files


@cache
def asset(name: str) -> str:
    """Return the text of a packaged asset."""
    return (files("jailoc.generators.assets") / name).read_text(encoding="utf-8")
