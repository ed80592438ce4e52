"""`validate`: check a configuration and report every problem in it."""

from jailoc.bin.config.session import Session
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.diagnostic import Refused
from jailoc.model.text import number_of


def run(session: Session, as_json: bool) -> int:
    """Check a configuration; every problem is reported."""
    terminal = session.terminal
    try:
        origin = session.source()
        for name in origin.config.workspaces:
            compile_workspace(origin.config, name, origin.host)
        found, path = origin.warnings, origin.path
    except Refused as refused:
        if not as_json:
            raise
        terminal.data(
            {
                "valid": False,
                "diagnostics": [each.model_dump(mode="json") for each in refused.diagnostics],
            }
        )
        return 1
    if as_json:
        terminal.data(
            {"valid": True, "diagnostics": [each.model_dump(mode="json") for each in found]}
        )
    else:
        terminal.diagnose(found)
        terminal.result(f"{path}: valid, {number_of(len(origin.config.workspaces), 'workspace')}")
    return 0
