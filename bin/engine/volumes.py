"""Named volumes: those that workspaces share, making one as Compose does, copying from another."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from jailoc.bin.engine import named, reader
from jailoc.bin.engine.docker import DockerError, lines_of, run
from jailoc.bin.engine.shell import shell
from jailoc.generators.plan.inputs import keyed
from jailoc.model.agents.agent import Import
from jailoc.model.diagnostic import refuse
from jailoc.model.sandbox import (
    COMPOSE_PROJECT,
    MADE_LABEL,
    ORIGIN_LABEL,
    SHARED_LABEL,
    SHARED_USER_LABEL,
    shared_volume,
)

COMPOSE_VOLUME = "com.docker.compose.volume"
DONE, FULL, NOTHING = 0, 3, 4
"""How a copy ends: it was made, the new place has such data, the old one has none."""
_COPY = """
set -eu
new=$1; shift
main=${1#*=}
[ ! -e "$new/$main" ] || exit 3
[ -f "/from/${1%%=*}" ] && [ ! -L "/from/${1%%=*}" ] || exit 4
rm -rf "$new/.jailoc-import"
mkdir "$new/.jailoc-import"
for pair in "$@"; do
    if [ -f "/from/${pair%%=*}" ] && [ ! -L "/from/${pair%%=*}" ]; then
        cp -p "/from/${pair%%=*}" "$new/.jailoc-import/${pair#*=}"
    fi
done
sync
# The one that is looked for comes last: until then another run begins anew.
shift
for pair in "$@"; do
    [ ! -e "$new/.jailoc-import/${pair#*=}" ] || mv "$new/.jailoc-import/${pair#*=}" "$new/"
done
mv "$new/.jailoc-import/$main" "$new/"
rmdir "$new/.jailoc-import"
"""


def proof(volume: str, key: bytes) -> str:
    """Return what only this user's jailoc writes on a volume: labels else are anybody's words.

    Args:
        volume: Its whole name.
        key: That of digests which cannot be guessed back.
    """
    return keyed(key, f"volume {volume}")


def share(name: str, user: int, key: bytes) -> None:
    """Make a volume that a user's workspaces share, if it is not there; it is of no project.

    Args:
        name: As the configuration has it.
        user: The number of the user on this machine.
        key: For the proof that it was made here.

    Raises:
        DockerError: the engine refused.
        Refused: it is another user's.
    """
    whole = shared_volume(name)
    labels = {SHARED_LABEL: name, SHARED_USER_LABEL: str(user), MADE_LABEL: proof(whole, key)}
    run(
        ["volume", "create",
         *(word for key, value in labels.items() for word in ("--label", f"{key}={value}")),
         whole],
        what="making a shared volume",
        timeout=60,
    )  # fmt: skip
    # Where there is one already, it stays as it is, and so do its labels.
    template = f'{{{{index .Labels "{SHARED_USER_LABEL}"}}}}'
    owner = run(
        ["volume", "inspect", "--format", template, whole], what="looking whose it is", timeout=60
    ).strip()
    if owner not in {"", "<no value>", str(user)}:
        raise refuse(
            "foreign",
            f"the shared volume `{name}` is that of another user of this engine ({owner}): what "
            "is in it would be handed over",
            hint="give yours another name",
        )


def origins(project: str) -> dict[str, str]:
    """Return the volumes of a project, by whole name, with what each was made from.

    That is a directory of generated files; empty where nobody knows.

    Raises:
        DockerError: the engine did not answer.
    """
    of = f"label={COMPOSE_PROJECT}={project}"
    return dict(named.told("volume", of, ORIGIN_LABEL, timeout=60))


def own(project: str, names: Iterable[str], directory: str, key: bytes) -> None:
    """Make those volumes of a project that are not there, each with whose it is.

    Args:
        project: The Compose project.
        names: In the project.
        directory: Of the generated files.
        key: For the proof that it was made here.

    Raises:
        DockerError: the engine refused.
    """
    there = origins(project)
    missing = [each for each in names if f"{project}_{each}" not in there]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda each: make(project, each, directory, key), missing))


def make(
    project: str, name: str, directory: str, key: bytes, labels: Mapping[str, str] | None = None
) -> None:
    """Make a volume as Compose would, which takes it for its own (its labels say so).

    Args:
        project: The Compose project.
        name: Of the volume, in the project.
        directory: Of the generated files of whose it is.
        key: For the proof that it was made here.
        labels: More of them.

    Raises:
        DockerError: the engine refused.
    """
    whole = f"{project}_{name}"
    every = {COMPOSE_PROJECT: project, COMPOSE_VOLUME: name, ORIGIN_LABEL: directory}
    every |= {MADE_LABEL: proof(whole, key), **(labels or {})}
    run(
        ["volume", "create",
         *(word for key, value in every.items() for word in ("--label", f"{key}={value}")),
         whole],
        what=f"making volume {name}",
        timeout=60,
    )  # fmt: skip


def exists(name: str) -> bool:
    """Tell whether there is a volume of a name, whoever's.

    Raises:
        DockerError: the engine did not answer.
    """
    text = run(
        ["volume", "ls", "--quiet", "--filter", f"name={name}"], what="list volumes", timeout=60
    )
    return name in lines_of(text)


def labelled(label: str) -> dict[str, str]:
    """Return the volumes that have a label, by whole name, each with what it says.

    Raises:
        DockerError: the engine did not answer.
    """
    return dict(named.told("volume", f"label={label}", label, timeout=60))


def copy(wanted: Import, old: str, new: str, place: str, image: str, user: str) -> int:
    """Copy files from one volume to another, in a container without a network.

    Args:
        wanted: What is copied, and what it is called there.
        old: The volume that they are in; it is mounted read-only.
        new: The volume that they come to.
        place: Where the image has the folder that the new volume is mounted on.
        image: Whose tools do it.
        user: As whom.

    Returns:
        `DONE`, `FULL` or `NOTHING`.

    Raises:
        DockerError: anything else.
    """
    pairs = [f"{each.old}={each.new}" for each in wanted.files]
    try:
        shell(
            image, user, _COPY, place, *pairs,
            options=(*reader.options(), "--network", "none", "--pids-limit", "64",
                     "--memory", "512m", "--log-driver", "none", "--read-only", "--workdir", "/",
                     "--mount", f"type=volume,source={old},target=/from,readonly",
                     "--mount", f"type=volume,source={new},target={place}"),
            what="copying sessions",
            timeout=600,
        )  # fmt: skip
    except DockerError as error:
        if error.status in {FULL, NOTHING}:
            return error.status
        raise
    return DONE
