"""Whoever runs jailoc in a test: root, or somebody with numbers of their own."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.engine.world import ROOT


@dataclass(frozen=True)
class Identity:
    """A UID, which is the GID as well, and what its processes are given beside it (setpriv(1))."""

    uid: int = 0
    umask: str = "022"
    groups: tuple[int, ...] = ()
    """Of the user beside its own and the one of the engine's socket."""

    def words(self) -> tuple[str, ...]:
        """Return what makes a command theirs."""
        shell = ("/bin/sh", "-c", f'umask {self.umask}; exec "$@"', "sh")
        if not self.uid:
            return shell
        groups = ",".join(map(str, (self.uid, *self._engine(), *self.groups)))
        who = ("setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", f"--groups={groups}")
        return (*who, *shell)

    def _engine(self) -> Iterator[int]:
        """Yield the group that lets in to the engine, where its socket is not theirs or root's."""
        place = urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")).path
        if place and (found := Path(place)).exists() and found.stat().st_uid != self.uid:
            yield found.stat().st_gid

    def jailoc(self) -> tuple[tuple[str, ...], str]:
        """Return the words that run jailoc as them, and its `PYTHONPATH`."""
        python, path = sys.executable, [str(ROOT / ".pkg")]
        if subprocess.run([*self.words(), python, "-c", ""], check=False).returncode:
            # Root's own interpreter is nobody else's; the machine's may use its modules.
            python = "/usr/bin/python3"
            path.append(sysconfig.get_path("purelib"))
        return (*self.words(), python, "-B", "-P", "-m", "jailoc.bin"), ":".join(path)
