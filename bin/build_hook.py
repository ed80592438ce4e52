"""Put the manual page and the completion scripts into a wheel, where systems look for them."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
COMPLETIONS = {
    "bash": "share/bash-completion/completions/jailoc",
    "zsh": "share/zsh/site-functions/_jailoc",
    "fish": "share/fish/vendor_completions.d/jailoc.fish",
}


class ShareHook(BuildHookInterface[Any]):
    """What hatchling calls before it packs, and after."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to those that an installation puts below its prefix."""
        del version
        sys.path.insert(0, str(ROOT / ".pkg"))
        from jailoc.bin.cli import man

        self._place = Path(tempfile.mkdtemp(prefix="jailoc-build-"))
        page = self._place / "jailoc.1"
        page.write_text(man.page(), encoding="utf-8")
        shared = build_data.setdefault("shared_data", {})
        shared[str(page)] = "share/man/man1/jailoc.1"
        for shell, place in COMPLETIONS.items():
            shared[str(ROOT / f"generators/assets/completion.{shell}")] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take away what was made on the way."""
        del version, build_data, artifact_path
        shutil.rmtree(self._place, ignore_errors=True)
