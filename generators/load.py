"""Turn the text of a configuration file into a `Config`, or into everything wrong with it."""

import difflib
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jailoc.model.config import NOT_BUILT, Base, Config, Defaults, WorkspaceConfig, describe
from jailoc.model.diagnostic import Diagnostic, Refused, Severity
from jailoc.model.document import Document, Path, dotted
from jailoc.model.host import Host
from jailoc.model.path import clean, expand

_KNOWN: dict[Path, set[str]] = {
    (): set(Config.model_fields),
    ("base",): set(Base.model_fields),
    ("defaults",): set(Defaults.model_fields),
    ("workspaces", "*"): set(WorkspaceConfig.model_fields),
}

_WANTED = {
    "string_type": "a string in quotes",
    "bool_type": "true or false",
    "float_type": "a number",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "tuple_type": "an array",
}


def load(document: Document, host: Host) -> Config:
    """Check a parsed document as a whole.

    Args:
        document: The configuration file.
        host: The machine it is for; it decides what `~` and symbolic links mean.

    Raises:
        Refused: with one diagnostic a problem, in the order of the file.
    """
    try:
        return Config.model_validate(document.data, context={"host": host})
    except ValidationError as error:
        found = [_diagnostic(document, each) for each in error.errors(include_url=False)]
    raise Refused(tuple(sorted(found, key=_place)))


def warnings(document: Document, config: Config) -> tuple[Diagnostic, ...]:
    """Return what is accepted but worth a word: one path in two workspaces."""
    owners: dict[str, str] = {}
    found: list[Diagnostic] = []
    for name, workspace in sorted(config.workspaces.items()):
        for index, path in enumerate(workspace.paths):
            owner = owners.setdefault(path, name)
            if owner != name:
                place: Path = ("workspaces", name, "paths", index)
                position = document.value(place)
                found.append(
                    Diagnostic(
                        code="path-shared",
                        severity=Severity.WARNING,
                        message=f"path `{path}` is in workspace `{owner}` and in `{name}`",
                        file=document.file,
                        position=position,
                        where=dotted(place),
                        text=document.line(position) if position else None,
                        hint="the two agents can change each other's files",
                    )
                )
    return tuple(found)


def mentioned(document: Document, home: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the host paths a document names, and those whose text the compiler needs.

    It reads the document without believing it, since nothing has been checked yet.

    Returns:
        Cleaned absolute paths: all of them, and the files to be read.
    """
    paths: set[str] = set()
    files: set[str] = set()
    for scope in _scopes(document.data):
        for text in _texts(scope.get("paths")):
            paths.add(expand(text, home))
        for text in _texts(scope.get("mounts")):
            paths.add(expand(text.split(":", 1)[0], home))
    base = document.data.get("base")
    if isinstance(base, dict):
        for text in _texts(base.get("ca_certificates")):
            files.add(expand(text, home))
    return _absolute(paths | files), _absolute(files)


def _absolute(paths: set[str]) -> tuple[str, ...]:
    return tuple(sorted(clean(each) for each in paths if each.startswith("/") and "\0" not in each))


def _scopes(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    defaults, workspaces = data.get("defaults"), data.get("workspaces")
    if isinstance(defaults, dict):
        yield defaults
    if isinstance(workspaces, dict):
        yield from (each for each in workspaces.values() if isinstance(each, dict))


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _place(diagnostic: Diagnostic) -> tuple[int, int, str]:
    position = diagnostic.position
    return (position.line, position.column, diagnostic.code) if position else (0, 0, "")


def _diagnostic(document: Document, error: ErrorDetails) -> Diagnostic:
    path, kind = error["loc"], error["type"]
    # pydantic marks an error of a workspace's name itself this way; a key may be called that, too.
    at_key = len(path) == 3 and path[::2] == ("workspaces", "[key]") and kind != "extra_forbidden"
    if at_key:
        path = path[:2]
    if kind == "extra_forbidden":
        return _unknown(document, path)
    if kind == "jailoc":
        context = error.get("ctx", {})
        code, message = context["code"], context["message"]
        allowed, hint = context["allowed"], context["hint"]
    else:
        code, hint = "type", None
        allowed = _WANTED.get(kind)
        message = f"expected {allowed or error['msg']}, found {describe(error['input'])}"
    return _at(document, path, code, f"{message}", allowed, hint, at_key)


def _unknown(document: Document, path: Path) -> Diagnostic:
    key = str(path[-1])
    above = path[:-1]
    pattern: Path = ("workspaces", "*") if above[:1] == ("workspaces",) else above
    if key in NOT_BUILT.get(pattern, set()):
        return _at(
            document,
            path,
            "not-built",
            f"`{key}` is not supported by this version yet",
            None,
            "remove it: jailoc never accepts a key that it would ignore",
            True,
        )
    known = sorted(_KNOWN.get(pattern, set()))
    close = difflib.get_close_matches(key.lower(), known, n=1)
    return _at(
        document,
        path,
        "unknown-key",
        f"unknown key `{key}`",
        ", ".join(known),
        f"did you mean `{close[0]}`?" if close else None,
        True,
    )


def _at(
    document: Document,
    path: Path,
    code: str,
    message: str,
    allowed: str | None,
    hint: str | None,
    at_key: bool,
) -> Diagnostic:
    position = document.key(path) if at_key else document.value(path)
    return Diagnostic(
        code=code,
        message=message,
        file=document.file,
        position=position,
        where=dotted(path),
        text=document.line(position) if position else None,
        allowed=allowed,
        hint=hint,
    )
