"""What this program and its user obey of this machine's files, and an agent must not change.

A path of a workspace may hold such a file, or a link may lead from its place into one: into a
project that keeps configurations, or into a repository with the files of a home directory.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from jailoc.bin.config.changeable import Changeable, starter
from jailoc.bin.engine import endpoint
from jailoc.generators.powers.path_words import CREDENTIALS, EXECUTED, START_FILES
from jailoc.model.diagnostic import Diagnostic, Refused, Severity, refuse
from jailoc.model.path import trusting
from jailoc.model.sandbox import typed

ROOT = Path(__file__).absolute().parents[2]
"""Where this program is."""
_CODE = ("bin", "generators", "model", "schemas")
_SSH = (".ssh/config", ".ssh/authorized_keys", ".ssh/rc")
_GIT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")
"""Variables that name a file which Git obeys (git(1), ENVIRONMENT VARIABLES)."""
_KUBE = ("KUBECONFIG", ".kube/config"), ("KUBERC", ".kube/kuberc")
"""Variables that name kubectl's files, and where they are without (kubectl 1.33)."""
_PLUGINS = ("compose", "buildx")
MOST_LINKS = 10
"""Links of a home directory that are told."""


def check(file: str | None, changeable: Changeable) -> None:
    """Make sure that no agent can change what this program obeys.

    Args:
        file: The configuration file; None where it decides nothing.
        changeable: Tells what agents can change.

    Raises:
        Refused: one can, and the file is not in `trust`.
    """
    # The agent of another configuration could have written here what is trusted, too.
    others = file is not None and starter(file, but=file) is not None
    if file is not None and (others or changeable(file)):
        raise _refused(
            "the configuration", file, "it would decide what it may reach, and what the host runs",
            "keep it elsewhere, and copy it there when a change was reviewed", trust=not others,
        )  # fmt: skip
    for places, command, how in (
        (_docker(), "docker", "put a copy in the place of a link, or choose another DOCKER_CONFIG"),
        (_kubectl(), "kubectl", "keep it elsewhere, or choose another KUBECONFIG"),
    ):
        for place in places:  # one by one: what is not judged yet is not read
            if changeable(place):
                what = f"what the `{command}` command obeys"
                raise _refused(what, place, "the host would run what it wants", how)
    for place in _program():
        if changeable(place):
            named = place in os.environ.get("PYTHONPATH", "").split(os.pathsep)
            raise _refused(
                "what jailoc loads modules from (PYTHONPATH)" if named else "jailoc itself",
                place, "the next command would run what it wants",
                "leave it out of PYTHONPATH for jailoc" if named else
                "install jailoc outside of every project (`uv tool install`, `pipx install`)",
            )  # fmt: skip


def links(changeable: Changeable, home: str) -> tuple[Diagnostic, ...]:
    """Return warnings of links by which an agent changes what the owner of a home directory obeys.

    Args:
        changeable: Tells what agents can change.
        home: The home directory.
    """
    found = [
        place
        for name in dict.fromkeys((*START_FILES, *EXECUTED, *CREDENTIALS, *_SSH))
        if changeable.leads_astray(place := f"{home}/{name}")
    ]
    found += [each for key in _GIT if (each := os.environ.get(key, ""))
              and changeable(str(Path(each).absolute()))]  # fmt: skip
    more = f" and {len(found) - MOST_LINKS} more" if len(found) > MOST_LINKS else ""
    told = ", ".join(f"`{each}`" for each in found[:MOST_LINKS])
    if not found:
        return ()
    return (
        Diagnostic(
            code="home-link",
            severity=Severity.WARNING,
            message="an agent can change what you execute or log in with: a link leads there from "
            f"{told}{more}",
            hint="put a copy in the place of the link, or say that it is meant: "
            + trusting(found[0]),
        ),
    )


def _docker() -> Iterator[str]:
    """Yield what docker(1) reads of its own, and where it finds the plugins that are used."""
    folder = endpoint.settings_folder()
    if folder is None:
        return
    folder = folder.absolute()
    yield from (str(folder / each) for each in ("", "config.json", "contexts", "cli-plugins"))
    more = endpoint.settings(folder).get("cliPluginsExtraDirs")
    for place in (str(folder / "cli-plugins"), *(more if isinstance(more, list) else ())):
        if isinstance(place, str) and place.startswith("/") and "\0" not in place:
            yield place
            yield from (f"{place}/docker-{each}" for each in _PLUGINS)


def _kubectl() -> Iterator[str]:
    """Yield what kubectl(1) reads: it may name programs that get the credentials."""
    home = os.environ.get("HOME")
    for variable, usual in _KUBE:
        named = os.environ.get(variable) or (f"{home}/{usual}" if home else "")
        if (variable, named) == ("KUBERC", "off"):  # then it reads none
            continue
        yield from (str(Path(each).absolute()) for each in named.split(os.pathsep) if each)


def _program() -> Iterator[str]:
    yield from (str(ROOT / each) for each in _CODE)
    yield from (sys.prefix, sys.executable, *filter(os.path.isabs, sys.path))


def _refused(what: str, place: str, harm: str, how: str, *, trust: bool = True) -> Refused:
    name = starter(place)
    who = f" (of `{typed(name)}`, as it was last started)" if name else ""
    return refuse(
        "steering",
        f"{what}, `{place}`, can be changed by an agent{who}: {harm}",
        allowed="a place outside of every writable path and mount",
        hint=f"{how}; or allow it by name, at the top of the file: {trusting(place)}"
        if trust
        else how,
    )
