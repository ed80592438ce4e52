"""The commands of jailoc in the documentation, as somebody would type them."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^ *```(?:sh|console|bash)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


class Command(NamedTuple):
    """One line of a page."""

    page: str
    line: str
    """From `jailoc` on, without a comment; redirections are in it."""

    @property
    def words(self) -> list[str]:
        """Return what jailoc is given."""
        own = re.split(r" [|>&]| <\(", self.line)[0]
        return shlex.split(own)[1:]


def commands() -> list[Command]:
    """Return every command of every page, in order."""
    found = []
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                typed = re.match(r"\s*(?:\$ )?(?:bin/)?(jailoc(?: .*)?)$", line)
                if typed:
                    text = re.sub(r"\s+#.*", "", typed[1]).strip()
                    found.append(Command(str(page.relative_to(ROOT)), text))
    return found
