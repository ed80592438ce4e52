"""Change one operator, number or condition of a module at a time, and see whether tests notice.

`python tests/mutation/run.py MODULE[:LINE,...] SAMPLE TEST...`, with the path of a module, or some
lines of it, and of its tests; JAILOC_EXAMPLES says how hard properties look. Each change lives in a
forked process, which has everything but jailoc loaded already: the known tools write changed files,
and want a layout without links. Prints what survived, with its line.
"""

# ruff: noqa: T201 -- its result is lines

import ast
import copy
import importlib.machinery
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import hypothesis  # noqa: F401 -- loaded once, before the forks
import pydantic  # noqa: F401
import pytest

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-o", "filterwarnings=ignore")
LIMIT = 600
"""Seconds of a run of the tests without a change; with one, five times what that took."""
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def changed(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield what a node can be changed to, with words for it."""
    match node:
        case ast.Compare(ops=[first, *_]) if type(first) in SWAPS:
            other: ast.AST = copy.deepcopy(node)
            after = SWAPS[type(first)]()
            setattr(other, "ops", [after, *node.ops[1:]])  # noqa: B010 -- of some kind of node
            yield f"{type(first).__name__} to {type(after).__name__}", other
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in SWAPS:
            other, after = copy.deepcopy(node), SWAPS[type(op)]()
            setattr(other, "op", after)  # noqa: B010
            yield f"{type(op).__name__} to {type(after).__name__}", other
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            yield "without `not`", inner
        case ast.Constant(value=bool(value)):
            yield f"{value} to {not value}", ast.copy_location(ast.Constant(not value), node)
        case ast.Constant(value=int(value)):
            yield f"{value} to {value + 1}", ast.copy_location(ast.Constant(value + 1), node)


def negated(place: str, node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the opposite of a condition that has no operator to change."""
    if place in {"test", "ifs"} and isinstance(node, ast.Name | ast.Attribute | ast.Call):
        yield "negated", ast.copy_location(ast.UnaryOp(ast.Not(), node), node)


def mutants(source: str) -> list[tuple[int, str, CodeType]]:
    """Return each changed program, with its line and words."""
    found = []
    tree = ast.parse(source)
    # What only a type checker reads changes nothing.
    idle = {
        id(below)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign | ast.arg | ast.FunctionDef)
        for part in [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if part is not None
        for below in ast.walk(part)
    }
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            nodes = value if isinstance(value, list) else [value]
            for index, node in enumerate(nodes):
                if not isinstance(node, ast.AST) or id(node) in idle:
                    continue
                for words, other in (*changed(node), *negated(name, node)):
                    _put(parent, name, value, index, other)
                    whole = ast.fix_missing_locations(copy.deepcopy(tree))
                    found.append((getattr(node, "lineno", 0), words, compile(whole, "m", "exec")))
                    _put(parent, name, value, index, node)
    return found


def _put(parent: ast.AST, name: str, value: object, index: int, node: ast.AST) -> None:
    if isinstance(value, list):
        value[index] = node
    else:
        setattr(parent, name, node)


def replace(place: Path, code: CodeType) -> None:
    """Give the changed program to whoever loads the file, by whatever name or link."""
    loader = importlib.machinery.SourceFileLoader
    get = loader.get_code

    def changed_code(self: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        return code if Path(self.path).resolve() == place else get(self, name)

    setattr(loader, "get_code", changed_code)  # noqa: B010 -- a method


def noticed(code: CodeType, place: Path, tests: list[str], limit: float) -> bool:
    """Tell whether the tests fail, or take longer than so many seconds."""
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        replace(place, code)
        status = 1
        try:
            status = int(pytest.main([*OPTIONS, *tests]))
        finally:
            os._exit(status)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def main(place: str, sample: str, *tests: str) -> int:
    """Try a sample of the changes; return 1 if one was not noticed."""
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT / ".pkg"), str(ROOT)]
    place, _, lines = place.partition(":")
    path = ROOT / place
    source = path.read_text(encoding="utf-8")
    start = time.monotonic()
    if noticed(compile(source, "m", "exec"), path, list(tests), LIMIT):
        raise SystemExit("the tests fail without any change")
    limit = 5 * (time.monotonic() - start) + 10
    every = [each for each in mutants(source) if not lines or str(each[0]) in lines.split(",")]
    some = random.Random(0).sample(every, min(int(sample), len(every)))  # noqa: S311
    survived = 0
    for line, words, code in sorted(some, key=lambda each: each[0]):
        if not noticed(code, path, list(tests), limit):
            survived += 1
            print(f"survived: {place}:{line}: {words}", flush=True)
    print(f"{place}: {len(some)} of {len(every)} changes, {survived} survived", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
