"""From a configuration file on disk to a checked `Config` and the `Host` it is for."""

import os
from dataclasses import dataclass
from pathlib import Path

from jailoc.bin.config import facts, git_user, obeyed_files, policies
from jailoc.bin.config.changeable import Changeable, writable
from jailoc.bin.host import programs, regular
from jailoc.bin.host.exposure import exposed
from jailoc.bin.host.links import Links
from jailoc.generators.assets import asset
from jailoc.generators.config.conflicts import workspaces
from jailoc.generators.config.load import load, warnings
from jailoc.generators.config.mentioned import mentioned
from jailoc.generators.config.select import select
from jailoc.generators.runtime.expectations import meet
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic, Refused, Severity, refuse
from jailoc.model.doctor import TAKE_AWAY
from jailoc.model.document import Document
from jailoc.model.host import Host
from jailoc.model.path import clean, expand

DEFAULT = "default"


@dataclass(frozen=True)
class LoadedConfig:
    """A configuration, with where it came from and the machine it is for."""

    path: str
    document: Document
    config: Config
    host: Host
    urls: tuple[str, ...]
    """Dockerfiles that are fetched."""
    warnings: tuple[Diagnostic, ...]
    starter: bool
    """There is no file, so the starter configuration is in effect."""

    def chosen(self, name: str | None, at: str | None = None) -> str:
        """Return the named workspace, else the one of a directory, else `default`.

        The name is not checked here: `Session.chosen` refuses an unknown one.

        Args:
            name: The one that was named, if one was.
            at: The directory; the current one by default.
        """
        return name or select(self.config, at or current_directory()) or DEFAULT


def check(text: str, path: Path) -> LoadedConfig:
    """Check the text of a configuration file.

    Raises:
        Refused: something in it is wrong.
    """
    return gathered(Document(text, str(path)))


def gathered(
    document: Document, *, starter: bool = False, expectations: bool = True, removes: bool = False
) -> LoadedConfig:
    """Gather what a configuration says of this machine, and check it against that.

    Args:
        document: The configuration.
        starter: Whether it stands in for a file that is not there.
        expectations: Whether those that the rules do not meet count as problems.
        removes: Whether it only says what is to be removed: then an agent may have written it.

    Raises:
        Refused: something in it is wrong.
    """
    asked = mentioned(document, facts.home())
    host = facts.gather(asked)
    if not removes:
        own = [name for name, _ in workspaces(document.data)]
        host = host.model_copy(
            update={
                "started": writable(document.file, own, others=True),
                "left": writable(document.file, own, others=False),
            }
        )
    config = load(document, host)
    # What a refused file trusts, an agent may have written.
    untrusting = Changeable(config.model_copy(update={"trust": ()}), host)
    programs.pass_over(untrusting)
    changeable = untrusting if removes else Changeable(config, host)
    obeyed_files.check(None if removes else document.file, changeable)
    programs.pass_over(changeable)
    host = git_user.judged(host, changeable)
    if expectations:
        meet(document, config, host)
    refused, asks = policies.judge(document, config, host)
    if refused:
        raise Refused(refused)
    return LoadedConfig(
        path=document.file,
        document=document,
        config=config,
        host=host,
        urls=asked.urls,
        warnings=(
            *warnings(document, config, host),
            *obeyed_files.links(changeable, host.home),
            *(() if starter else _open(document.file)),
            *asks,
        ),
        starter=starter,
    )


def _open(file: str) -> tuple[Diagnostic, ...]:
    """Return a warning if another user of this machine can change a configuration."""
    why = exposed(Path(file).absolute())
    told = Diagnostic(
        code="exposed-config",
        severity=Severity.WARNING,
        message=f"another user of this machine can change what agents may do: {why}",
        file=file,
        hint=f"{TAKE_AWAY}, or keep the file in a directory of yours",
    )
    return (told,) if why else ()


def current_directory() -> str:
    """Return the directory as the user went there: `$PWD` if it is truly the current one."""
    logical = os.environ.get("PWD", "")
    try:
        if logical.startswith("/") and Path(logical).samefile("."):
            return clean(logical)
        return str(Path.cwd())
    except OSError:
        return "/"


def directory(text: str | None, option: str = "") -> str:
    """Return the directory that an argument means, as the user spells it.

    Args:
        text: The argument; None for the current directory.
        option: Its name, if it has one.

    Raises:
        Refused: there is none.
    """
    if text is None:
        return current_directory()
    path = expand(text, facts.home())
    path = clean(path if path.startswith("/") else f"{current_directory()}/{path}")
    where = f"{option} `{path}`" if option else f"`{path}`"
    if not Path(path).exists():
        raise refuse("directory", f"{where} does not exist")
    if not Path(path).is_dir():
        raise refuse("directory", f"{where} is not a directory")
    return path


def text_of(path: Path, named: bool) -> tuple[str, bool]:
    """Return the text of a configuration file, and whether it is the starter's instead.

    Raises:
        Refused: it cannot be read, or is missing although it was named.
    """
    try:
        return regular.read(str(path)).decode("utf-8"), False
    except FileNotFoundError:
        place, hops = Links().trace(str(path))
        if any(not Path(hop).exists() for hop in hops):
            what, hint = f"leads to `{place}`, which does not exist", "make it, or mend the link"
        elif not named:
            return asset("starter.toml"), True
        else:
            what, hint = "does not exist", "check the path, or let `jailoc init` write a first one"
    except UnicodeDecodeError as error:
        what, hint = f"is not UTF-8 (byte {error.start})", "save it as UTF-8"
    except regular.NotRegular as error:
        what, hint = str(error), "a configuration is a regular file of at most 1 MiB"
    except OSError as error:
        what, hint = f"cannot be read: {error.strerror}", "check its permissions"
    raise refuse("config-file", f"configuration file `{path}` {what}", hint=hint)
