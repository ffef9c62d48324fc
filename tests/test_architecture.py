"""The architecture as a test: the import arrow, what the core may not call, the sizes of files and functions, and where tests are.

Nothing is grandfathered. Each rule is a function from a source text to complaints, and is itself tried on a text that breaks it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODELS = sorted((ROOT / "models").rglob("*.py"))
STREAMS = sorted((ROOT / "streams").rglob("*.py"))
SDK = sorted((ROOT / "sdk" / "src").rglob("*.py"))
PRODUCT = MODELS + STREAMS + SDK + [ROOT / "dashboards" / "generate.py"]

FILE_LINES = 300
FUNCTION_LINES = 50
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "base", "misc"}
BANNED_MODULES = {
    "time",
    "random",
    "secrets",
    "socket",
    "ssl",
    "asyncio",
    "threading",
    "multiprocessing",
    "logging",
    "subprocess",
    "os",
    "pathlib",
    "io",
}
BANNED_CALLS = {
    "open",
    "print",
    "input",
    "hash",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "uuid.uuid1",
    "uuid.uuid4",
}
ANY_ALLOWED = {  # where untyped data enters: decoders of foreign formats, and edges to untyped libraries
    "models/decode.py",
    "streams/settings_file.py",
}
TESTED_THROUGH = {  # modules that no test imports by name -> the test file that would fail if they were wrong
    "models/conversion": "test_decode",
    "models/foreign": "test_kubernetes",
    "models/wire": "test_decode",
    "streams/demo/run": "test_demo",
    "streams/demo/screen": "test_demo",
    "streams/roles": "test_faults",
    "streams/sources/source": "test_kubernetes",
    "streams/status/log": "test_status",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of the modules that a file imports, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def arrow(path: str, tree: ast.AST) -> list[str]:
    """What the layer of `path` may import. models: stdlib, msgspec, models. sdk: neither of ours. streams: all but tests and dashboards."""
    layer = path.split("/")[0]
    complaints = []
    for module in imported(tree):
        top = module.split(".")[0]
        if module.startswith("."):
            complaints.append(f"{path}: relative import {module}; write the full name")
        elif layer == "models" and top not in {"models", "msgspec", "networkx"} | sys.stdlib_module_names:
            complaints.append(f"{path}: the core imports {module}")
        elif layer == "sdk" and top in {"models", "streams"}:
            complaints.append(f"{path}: the SDK imports {module}; agents install it alone")
        elif layer != "tests" and top in {"tests", "dashboards", "benchmarks", "conftest"}:
            complaints.append(f"{path}: imports {module}, which is not installed")
    return complaints


def impure(path: str, tree: ast.AST) -> list[str]:
    """Clock, environment, files, sockets, randomness, threads, async, logging and printing: none of it in the core."""
    complaints = [f"{path}: imports {m}" for m in imported(tree) if m.split(".")[0] in BANNED_MODULES]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in BANNED_CALLS:
            complaints.append(f"{path}:{node.lineno}: calls {ast.unparse(node.func)}")
        if isinstance(node, (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)):
            complaints.append(f"{path}:{node.lineno}: is async")
    return complaints


def oversized(path: str, text: str) -> list[str]:
    """Files and functions that no longer fit a reader's head."""
    lines = len(text.splitlines())
    complaints = [f"{path}: {lines} lines, at most {FILE_LINES}"] if lines > FILE_LINES else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                complaints.append(f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}")
    return complaints


def untyped(path: str, tree: ast.AST) -> list[str]:
    """`Any` outside the decoders."""
    uses = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "Any"]
    return [] if path in ANY_ALLOWED else [f"{path}:{line}: Any" for line in uses]


def undocumented(path: str, tree: ast.Module) -> list[str]:
    """Every file opens with a sentence on what it is for, every public function and class says what it does."""
    complaints = [] if ast.get_docstring(tree) else [f"{path}: no docstring"]
    for node in tree.body:
        if (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ):
            complaints.append(f"{path}:{node.lineno}: {node.name} has no docstring")
    return complaints


def imported_by_tests() -> set[str]:
    """Modules that a file below tests/ imports by name, as paths without suffix."""
    found: set[str] = set()
    for path in (ROOT / "tests").glob("*.py"):
        tree = ast.parse(path.read_text())
        found |= {module.replace(".", "/") for module in imported(tree)}
        for node in ast.walk(tree):  # `from models import decode`
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {f"{node.module.replace('.', '/')}/{alias.name}" for alias in node.names}
    return found


def untested(path: Path, seen: set[str]) -> list[str]:
    """A module needs a test that imports it, or a line in the table; a package is tested by what imports the package."""
    module = path.relative_to(ROOT).with_suffix("").as_posix().removesuffix("/__init__")
    defines = any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for node in ast.parse(path.read_text()).body
    )
    package = module.rsplit("/", 1)[0]
    known = module in seen or module in TESTED_THROUGH or package in TESTED_THROUGH or ("/" in package and package in seen)
    return [] if known or not defines else [f"{name(path)}: no test imports it, and it is not in the table"]


def all_of(rule, paths: list[Path], *, parse: bool = True) -> list[str]:
    complaints: list[str] = []
    for path in paths:
        text = path.read_text()
        complaints += rule(name(path), ast.parse(text) if parse else text)
    return complaints


def test_there_is_something_to_check() -> None:
    assert len(MODELS) > 10 and len(STREAMS) > 10 and len(SDK) >= 1


def test_the_import_arrow() -> None:
    assert all_of(arrow, PRODUCT) == []


def test_networkx_is_imported_by_one_module_at_most() -> None:
    assert len([p for p in MODELS if any(m.startswith("networkx") for m in imported(ast.parse(p.read_text())))]) <= 1


def test_the_core_is_pure() -> None:
    assert all_of(impure, MODELS) == []


def test_sizes() -> None:
    assert all_of(oversized, PRODUCT, parse=False) == []


def test_any_stays_at_the_edge() -> None:
    assert all_of(untyped, MODELS + STREAMS) == []


def test_docstrings() -> None:
    assert all_of(undocumented, MODELS + STREAMS + SDK) == []


def test_names_say_something() -> None:
    assert [name(p) for p in PRODUCT if p.stem in BANNED_NAMES or p.parent.name in BANNED_NAMES] == []


def test_each_module_is_tested() -> None:
    seen = imported_by_tests()
    assert [complaint for path in MODELS + STREAMS for complaint in untested(path, seen)] == []


def test_the_table_names_modules_and_tests_that_exist() -> None:
    missing = [module for module in TESTED_THROUGH if not (ROOT / f"{module}.py").is_file() and not (ROOT / module).is_dir()]
    assert missing + [test for test in TESTED_THROUGH.values() if not (ROOT / "tests" / f"{test}.py").is_file()] == []


def test_nothing_refers_to_what_is_not_in_the_repository() -> None:
    text_files = [
        p
        for folder in ("models", "streams", "sdk", "dashboards", "deploy", "scripts", "docs", "benchmarks")
        for p in (ROOT / folder).rglob("*")
    ]
    text_files += [p for p in ROOT.glob("*") if p.is_file() and p.name != ".git"]  # a file in a second worktree
    outside = re.compile(r"\.\./shared|/work/|\bTODO\b|\bFIXME\b")
    kinds = {".py", ".md", ".toml", ".yml", ".yaml", ".sh", ".sql", ".xml", ".json", ""}
    readable = [p for p in text_files if p.is_file() and p.suffix in kinds and ".egg-info" not in str(p)]
    assert [name(p) for p in readable if outside.search(p.read_text(errors="replace"))] == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (arrow, "models/x.py", "from streams.settings import Settings"),
        (arrow, "models/x.py", "import orjson"),
        (arrow, "sdk/src/interplay_sdk/x.py", "import models.events"),
        (arrow, "streams/x.py", "from .settings import Settings"),
        (arrow, "streams/x.py", "def f():\n    import tests.conftest"),
        (impure, "models/x.py", "from time import time"),
        (impure, "models/x.py", "import os.path"),
        (impure, "models/x.py", "from datetime import datetime\nx = datetime.now()"),
        (impure, "models/x.py", "async def f(): pass"),
        (impure, "models/x.py", "print(1)"),
        (impure, "models/x.py", "hash('a')"),
        (untyped, "models/x.py", "from typing import Any\nx: Any = 1"),
        (undocumented, "models/x.py", "def f(): pass"),
    ],
)
def test_a_rule_sees_what_it_forbids(rule, path: str, text: str) -> None:
    assert rule(path, ast.parse(text))


def test_the_size_rule_sees_what_it_forbids() -> None:
    assert oversized("models/x.py", "def f():\n" + "    x = 1\n" * FUNCTION_LINES)
    assert oversized("models/x.py", "x = 1\n" * (FILE_LINES + 1))
