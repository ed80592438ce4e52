"""Prepared pull requests: two configurations, and what their first screen has to say."""

import tomllib
from functools import cache, partial
from pathlib import Path
from typing import Any

from jailoc.bin.commands.diff import compare
from jailoc.bin.config.revisions import version
from jailoc.generators.powers.review import Review
from jailoc.generators.views.review import LINES, screen
from jailoc.model.kubernetes.image_lock import ImageLock

PLACE = Path(__file__).parent / "pull_requests"
ALARMS = (
    "opens", "critical", "high", "medium", "may do more", "warning", "danger", "guard gone",
    "privileged", "!",
)  # fmt: skip
"""Words that make a reader look twice."""


def names(folder: str) -> list[str]:
    return sorted(each.stem for each in (PLACE / folder).glob("*.toml"))


def case(folder: str, name: str) -> dict[str, Any]:
    return tomllib.loads((PLACE / folder / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def reviewed(base: str, head: str, base_lock: str = "", head_lock: str = "") -> Review:
    old, new = (
        version(label, text, "config.toml", locked=partial(_lock, locked))
        for label, text, locked in (("base", base, base_lock), ("head", head, head_lock))
    )
    return compare(old, new)


def there(prepared: dict[str, Any]) -> Review:
    """Review a prepared pull request, with the locks of images beside it, if it has some."""
    locks = (prepared.get(each, "") for each in ("base_lock", "head_lock"))
    return reviewed(prepared["base"], prepared["head"], *locks)


def back(prepared: dict[str, Any]) -> Review:
    """Review what takes it back."""
    locks = (prepared.get(each, "") for each in ("head_lock", "base_lock"))
    return reviewed(prepared["head"], prepared["base"], *locks)


def _lock(text: str) -> ImageLock:
    return ImageLock.read(text) if text else ImageLock()


def first_screen(found: Review) -> str:
    return "\n".join(text for text, _ in list(screen(found))[:LINES])
