"""How long a look through a large tree takes, against a bare walk and a Git process each."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from jailoc.bin.config import repositories
from jailoc.generators.config.mentioned import Search
from jailoc.model.protected_names import DEFAULT


def tree(root: Path, count: int, folders: int) -> None:
    """Make repositories with directories in them."""
    first = root / "r0"
    first.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(first)], check=True)
    for folder in range(folders):
        (first / f"d{folder % 7}" / f"e{folder}").mkdir(parents=True)
        (first / f"d{folder % 7}" / f"e{folder}" / "file").touch()
    for index in range(1, count):
        shutil.copytree(first, root / f"g{index % 20}" / f"r{index}")


def measure(count: int = 200, folders: int = 45) -> dict[str, float]:
    """Return the ratios."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "p"
        tree(root, count, folders)
        names = tuple(each for each in DEFAULT if not each.startswith(".git/"))
        search = Search(root=str(root), names=names, git=True)

        def walk() -> object:
            return [len(each) for _, *each in os.walk(root)]

        def look() -> object:
            trees, _, _ = repositories.gather([search], place, f"{place}/.config")
            found = trees[str(root)].repositories
            assert len(found) == count
            return found

        def ask() -> object:
            return [
                subprocess.run(
                    ["git", "-C", str(each.parent), "config", "--includes", "--list"],
                    stdout=subprocess.DEVNULL,
                    check=True,
                )
                for each in root.rglob(".git")
            ]

        walk()
        return {
            "look against walk": _seconds(look) / _seconds(walk),
            "git against look": _seconds(ask) / _seconds(look),
        }


def _seconds(work: Callable[[], object]) -> float:
    def once() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return min(once() for _ in range(3))


if __name__ == "__main__":
    for name, ratio in measure().items():
        print(f"{name}: {ratio:.2f}")  # noqa: T201 -- its purpose
