"""The launcher of a checkout imports nothing from the directory it is called in."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = """
import sys
sys.path.insert(0, sys.argv[1])
import environment
environment.ROOT = environment.Path(sys.argv[2])
environment.VENV = environment.ROOT / ".venv"
environment.python()
"""


def test_making_the_environment_runs_nothing_of_the_current_directory(tmp_path: Path) -> None:
    hostile, checkout = tmp_path / "hostile", tmp_path / "checkout"
    hostile.mkdir()
    checkout.mkdir()
    # What cannot be built ends the second step soon after it has begun.
    (checkout / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "none"\n'
    )
    for name in ("venv", "ensurepip", "pip", "json", "subprocess", "pathlib", "typing"):
        (hostile / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name}')")
    done = subprocess.run(
        [sys.executable, "-P", "-c", START, str(ROOT / "bin"), str(checkout)],
        cwd=hostile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "pip install" in done.stderr, "both steps were taken"
    assert done.returncode == 1
    assert not (tmp_path / "ran").exists()
