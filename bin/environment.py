"""Make the environment of a checkout. Standard library only: it runs before anything is there.

The stamp is written last, so an interrupted run is one that never happened.
"""

import fcntl
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
MINIMUM = (3, 11)


def python(extra: str = "") -> Path:
    """Return the interpreter of the checkout's environment; make or renew it where needed.

    Args:
        extra: The optional dependencies that must be there, `dev` or none.

    Raises:
        SystemExit: with one line that says what is missing.
    """
    if sys.version_info < MINIMUM:
        raise SystemExit(f"jailoc: needs Python 3.11 or newer, this is {sys.version.split()[0]}")
    interpreter = VENV / "bin" / "python"
    if not _fresh(extra):
        try:
            lock = (ROOT / ".venv.lock").open("w")
        except OSError as error:
            raise SystemExit(
                f"jailoc: the environment of this checkout cannot be made ({error.strerror}): "
                f"make a copy of {ROOT} that is yours, or let its owner run jailoc once"
            ) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _fresh(extra):
                _make(interpreter, extra)
    return interpreter


def _wanted() -> str:
    return f"{ROOT}\n{(ROOT / 'pyproject.toml').read_text()}"


def _fresh(extra: str) -> bool:
    # What has the development tools has all else, too.
    for name in {extra, "dev"}:
        try:
            if (VENV / f"stamp-{name}").read_text() == _wanted():
                return True
        except OSError:
            continue
    return False


def _make(interpreter: Path, extra: str) -> None:
    print("jailoc: preparing the environment of this checkout, once", file=sys.stderr)  # noqa: T201 -- no terminal module yet
    for stamp in VENV.glob("stamp-*"):
        stamp.unlink()
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    steps = (
        # -I: an agent may write to the current directory; nothing is imported from there
        (
            [sys.executable, "-I", "-m", "venv", "--clear", str(VENV)],
            "install Python's venv module",
        ),
        (
            [str(interpreter), "-I", "-m", "pip", "install", "--quiet",
             "--disable-pip-version-check", "--editable", target],
            "check the connection to the package index",
        ),
    )  # fmt: skip
    for command, hint in steps:
        done = subprocess.run(command, stdout=sys.stderr, cwd=ROOT, check=False)
        if done.returncode != 0:
            raise SystemExit(f"jailoc: `{' '.join(command)}` failed\n  hint: {hint}")
    (VENV / f"stamp-{extra}").write_text(_wanted())


if __name__ == "__main__":
    try:
        print(python(*sys.argv[1:]))  # noqa: T201 -- its one result
    except KeyboardInterrupt:
        # 128 and the number of the signal, as a shell has it; the next call begins anew.
        print("interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)
