"""Code imports downward only, and the pure rooms import nothing that touches the world."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "model": {"model"},
    "schemas": {"schemas"},
    "generators": {"model", "schemas", "generators"},
    "bin": {"model", "schemas", "generators", "bin"},
}
FORBIDDEN = {
    "asyncio", "atexit", "builtins", "concurrent", "ctypes", "datetime", "fcntl", "fileinput",
    "getpass", "glob", "http", "io", "keyring", "logging", "mmap", "multiprocessing", "os",
    "pathlib", "platform", "pwd", "random", "secrets", "select", "shutil", "signal", "socket",
    "sqlite3", "ssl", "subprocess", "sys", "tempfile", "termios", "threading", "time", "urllib",
    "uuid",
}  # fmt: skip
READERS = {"generators/assets/__init__.py", "schemas/__init__.py"}
"""The two small modules that read packaged data; nothing else may use importlib.resources."""


EMITTED = {
    f"generators/assets/{name}.py"
    for name in (
        "evidence",
        "guard",
        "health",
        "machine",
        "names",
        "probe",
        "proxy_probe",
        "proxy_resolver",
        "proxy_sockets",
        "refusals",
        "resolver",
        "services",
        "sockets",
    )
}
"""Programs that are written out as text and run elsewhere; nothing imports them."""
VALUES = {"datetime.date", "datetime.timedelta", "urllib.parse.unquote"}
"""Types of the calendar that do not know what day it is, and a function on text."""


def sources(room: str) -> list[Path]:
    return [
        path
        for path in sorted((ROOT / room).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in EMITTED
    ]


def imports(path: Path) -> Iterator[str]:
    """Yield the full dotted name of everything a module imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{each.name}" for each in node.names)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_downward_only(room: str) -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in sources(room)
        for name in imports(path)
        if name.split(".")[0] == "jailoc"
        and len(name.split(".")) > 1
        and name.split(".")[1]
        not in MAY_IMPORT[room] | ({"__version__"} if room in {"bin", "generators"} else set())
    }
    assert not found


@pytest.mark.parametrize("room", ["model", "schemas", "generators"])
def test_the_pure_rooms_import_nothing_that_touches_the_world(room: str) -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in sources(room)
        for name in imports(path)
        if name.split(".")[0] in FORBIDDEN and name not in VALUES
    }
    assert not found


def test_nothing_imports_what_is_only_emitted() -> None:
    modules = {"jailoc." + each.removesuffix(".py").replace("/", ".") for each in EMITTED}
    for room in MAY_IMPORT:
        for path in sources(room):
            assert not modules & set(imports(path)), path


@pytest.mark.parametrize("room", ["model", "generators"])
def test_the_pure_rooms_never_ask_what_day_it_is(room: str) -> None:
    for path in sources(room):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asked = isinstance(node, ast.Attribute) and node.attr in {"today", "now", "utcnow"}
            assert not asked or ast.unparse(node) == "host.today", path


@pytest.mark.parametrize("room", ["model", "generators"])
def test_the_pure_rooms_open_nothing_and_evaluate_nothing(room: str) -> None:
    calls = {
        (str(path.relative_to(ROOT)), node.func.id)
        for path in sources(room)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"open", "eval", "exec", "print", "input", "__import__", "compile"}
    }
    assert not calls


def test_packaged_data_is_read_in_two_small_modules_only() -> None:
    found = {
        str(path.relative_to(ROOT))
        for room in ("model", "schemas", "generators")
        for path in sources(room)
        for name in imports(path)
        if name.startswith("importlib")
    }
    assert found == READERS


def test_no_module_is_known_by_a_second_name() -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for room in (*MAY_IMPORT, "tests")
        for path in sources(room)
        for name in imports(path)
        if name.split(".")[0] in MAY_IMPORT
    }
    assert not found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_every_module_says_in_one_sentence_what_it_holds(room: str) -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources(room)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent
