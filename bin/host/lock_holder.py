"""Who holds a lock on a file (flock(2)), as the kernel lists it (proc(5), /proc/locks)."""

import os
from contextlib import suppress
from pathlib import Path

from jailoc.bin.host import lock_table


def process(path: Path) -> int | None:
    """Return the number of the process that holds it; None where that cannot be seen.

    If that has ended, another one holds what it has inherited, and the kernel does not say which.

    Args:
        path: The lock file.
    """
    with suppress(OSError, ValueError, IndexError):
        there = path.stat()
        place = f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}:{there.st_ino}"
        for words in lock_table.rows()[0]:
            if words[1] == "FLOCK" and words[5] == place:
                number = int(words[4])
                return number if Path(f"/proc/{number}").exists() else None
    return None
