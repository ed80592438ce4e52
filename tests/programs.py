"""Programs that some tests talk to (`.ci/run` installs them), and what they are run with."""

import os
import shutil

import pytest

from tests.engine.world import ROOT, User


def need(*programs: str) -> None:
    """Skip the test by name where a program is missing; on CI none may be."""
    missing = [each for each in programs if shutil.which(each) is None]
    if not missing:
        return
    reason = f"not installed: {', '.join(missing)}"
    if os.environ.get("JAILOC_REQUIRE_ENGINE") == "1":
        pytest.fail(f"{reason}, but JAILOC_REQUIRE_ENGINE=1", pytrace=False)
    pytest.skip(reason)


def environment(user: User, **more: str) -> dict[str, str]:
    """Return the variables of somebody at a terminal, with programs of their own in `~/bin`."""
    return {
        "HOME": str(user.home),
        "PATH": f"{user.home}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / ".pkg"),
        "TERM": "xterm",
        **more,
    }
