"""What every container of jailoc's own has that sees an agent's files: no socket, of no kind.

Over a socket (unix(7), SCM_RIGHTS) an agent could hand it a directory that it has open. In another
mount namespace nothing that is mounted over the files of a project holds their names in place, so
what an agent gets to run there could rename them (`mount_namespaces(7)`).
"""

from jailoc.bin.engine import ping
from jailoc.bin.host import files
from jailoc.bin.host.paths import cache_directory
from jailoc.generators.artefacts import seccomp

NAME = "reader-seccomp.json"


def options() -> tuple[str, ...]:
    """Return the options of docker-run(1); none where the engine takes no profile.

    The profile is written for docker's client, which reads it.
    """
    if ping.podman():
        return ()
    place, text = cache_directory() / NAME, seccomp.reader()
    try:
        same = place.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        same = False
    if not same:
        files.make_private(cache_directory())
        files.write(place, text, 0o600)
    return ("--security-opt", f"seccomp={place}")
