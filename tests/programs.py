"""Programs of Debian that some tests talk to; `.ci/run` installs them."""

import os
import shutil

import pytest


def need(*programs: str) -> None:
    """Skip the test by name where a program is missing; on CI none may be."""
    missing = [each for each in programs if shutil.which(each) is None]
    if not missing:
        return
    reason = f"not installed: {', '.join(missing)}"
    if os.environ.get("JAILOC_REQUIRE_ENGINE") == "1":
        pytest.fail(f"{reason}, but JAILOC_REQUIRE_ENGINE=1", pytrace=False)
    pytest.skip(reason)
