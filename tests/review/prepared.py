"""Prepared pull requests: two configurations, and what their first screen has to say."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from jailoc.bin.commands.diff import compare
from jailoc.bin.config.revisions import version
from jailoc.generators.powers.review import Review
from jailoc.generators.views.review import LINES, screen

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
def reviewed(base: str, head: str) -> Review:
    return compare(version("base", base, "config.toml"), version("head", head, "config.toml"))


def first_screen(found: Review) -> str:
    return "\n".join(text for text, _ in list(screen(found))[:LINES])
