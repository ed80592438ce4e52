"""Change one operator or number of a module at a time, and see whether its tests notice.

`python tests/mutation/run.py MODULE SAMPLE TEST...`, with the path of a module and of its tests.
Each change lives in a forked process, which has everything but jailoc loaded already: the known
tools write changed files, and want a layout without links. Prints what survived, with its line.
"""

# ruff: noqa: T201 -- its result is lines

import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis  # noqa: F401 -- loaded once, before the forks
import pydantic  # noqa: F401
import pytest

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-o", "filterwarnings=ignore")
LIMIT = 120
"""Seconds of a run of the tests; what never ends is noticed, too."""
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
                for words, other in changed(node):
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


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one changed module out, under its own name."""

    def __init__(self, name: str, code: CodeType, place: Path) -> None:
        self._name, self._code, self._place = name, code, place

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Take the one name."""
        del path, target
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._place, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed program."""
        exec(self._code, module.__dict__)  # noqa: S102 -- it is the module's own, but for one change


def noticed(name: str, code: CodeType, place: Path, tests: list[str]) -> bool:
    """Tell whether the tests fail, or never end."""
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        sys.meta_path.insert(0, Finder(name, code, place))
        status = 1
        try:
            status = int(pytest.main([*OPTIONS, *tests]))
        finally:
            os._exit(status)
    end = time.monotonic() + LIMIT
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
    path = ROOT / place
    name = "jailoc." + place.removesuffix(".py").replace("/", ".")
    source = path.read_text(encoding="utf-8")
    if noticed(name, compile(source, "m", "exec"), path, list(tests)):
        raise SystemExit("the tests fail without any change")
    every = mutants(source)
    some = random.Random(0).sample(every, min(int(sample), len(every)))  # noqa: S311
    survived = 0
    for line, words, code in sorted(some, key=lambda each: each[0]):
        if not noticed(name, code, path, list(tests)):
            survived += 1
            print(f"survived: {place}:{line}: {words}", flush=True)
    print(f"{place}: {len(some)} of {len(every)} changes, {survived} survived", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
