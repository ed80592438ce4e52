"""`validate`: check a configuration and report every problem in it."""

from jailoc.bin.config.session import Session
from jailoc.generators.artefacts.compile import compile_workspace
from jailoc.model.diagnostic import Diagnostic, Refused, Severity
from jailoc.model.text import number_of


def run(session: Session, as_json: bool) -> int:
    """Check a configuration; every problem is reported."""
    terminal = session.terminal
    try:
        origin = session.source()
        for name in origin.config.workspaces:
            compile_workspace(origin.config, name, origin.host)
        found, what = origin.warnings, origin.path
        if origin.starter:
            found, what = (_starter(origin.path), *found), "starter configuration"
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
        terminal.told(f"{what}: valid, {number_of(len(origin.config.workspaces), 'workspace')}")
    return 0


def _starter(path: str) -> Diagnostic:
    return Diagnostic(
        code="starter",
        severity=Severity.WARNING,
        message=f"there is no configuration at `{path}`: the starter configuration was checked",
        hint="`jailoc init` writes it there, to be changed",
    )
