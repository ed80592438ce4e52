"""A configuration as it is for everybody who has it: what teams commit and review."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from jailoc.bin.config import beside, lock, policies
from jailoc.bin.config.session import Session
from jailoc.generators.artefacts import portable
from jailoc.generators.config.load import load, warnings
from jailoc.generators.config.resolve import chosen
from jailoc.generators.runtime.expectations import meet
from jailoc.model.config import Config
from jailoc.model.diagnostic import Diagnostic, Refused
from jailoc.model.document import Document
from jailoc.model.host import Host


@dataclass(frozen=True)
class Shared:
    """A configuration as it is for everybody who has it, whatever their machine."""

    path: str
    document: Document
    host: Host
    config: Config
    warnings: tuple[Diagnostic, ...]
    starter: bool

    def compiled(self, wanted: tuple[str, ...] = ()) -> Iterator[portable.Compiled]:
        """Compile the named workspaces, or all there are, one at a time.

        Raises:
            Refused: there is no such workspace.
        """
        return map(self.compile, chosen(self.config, wanted))

    def compile(self, name: str) -> portable.Compiled:
        """Compile one workspace.

        Raises:
            Refused: there is no such workspace.
        """
        return portable.compiled(self.host, self.config, name)


def read(session: Session) -> Shared:
    """Check the configuration file for no machine in particular.

    Raises:
        Refused: the file cannot be read, or something in it is wrong on every machine.
    """
    document = session.document()
    texts = beside.texts(document, beside.directory(session.path))
    host = portable.host(document, texts, lock.images(document, lambda: lock.read(session.path)))
    config = load(document, host)
    meet(document, config, host)
    refused, asks = policies.judge(document, config, host)
    if refused:
        raise Refused(refused)
    home = os.path.normpath(os.environ.get("HOME") or "/")
    found = (*warnings(document, config, host), *portable.check(document, home), *asks)
    return Shared(str(session.path), document, host, config, found, session.starter)
