"""`secrets --target kubernetes`: a workspace's values as a Secret, through a pipe alone."""

import base64
import json
import os
import stat
import sys

from jailoc.bin.config import facts
from jailoc.bin.config.session import Session
from jailoc.bin.deploy import password
from jailoc.bin.deploy.secrets import values
from jailoc.generators.kubernetes import refusals
from jailoc.generators.kubernetes.compile import settled
from jailoc.model.diagnostic import refuse
from jailoc.model.kubernetes.words import labels, project
from jailoc.model.sandbox import PASSWORD_FILE


def run(session: Session, _target: object) -> int:
    """Write the Secret that a workspace's pod needs: its password, and its secrets.

    Raises:
        Refused: standard output is no pipe, or a value is not to be had.
    """
    origin = session.source()
    name = session.chosen(origin)
    if not stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
        raise refuse(
            "secrets-pipe",
            "secrets are written to a pipe, never to a terminal or a file",
            hint="jailoc secrets --target kubernetes | kubectl --context ... apply -f -",
        )
    workspace = settled(origin.config, name, origin.host).workspace
    settings = origin.config.kubernetes
    refusals.check(origin.document, origin.config, workspace, origin.host.home)
    if settings is None:  # refused above
        return 1
    found = values(workspace) | {
        PASSWORD_FILE: password.password(
            origin.config.password_mode, facts.state_directory(), name, workspace.agent
        ).encode()
    }
    data = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": settings.secret or project(name),
            "namespace": settings.namespace,
            "labels": labels(name),
        },
        "type": "Opaque",
        "data": {key: base64.b64encode(value).decode() for key, value in sorted(found.items())},
    }
    session.terminal.result(json.dumps(data))
    return 0
