"""The walls of the house: who may import whom, and who may read the machine's clock or roll dice."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "src" / "cumulet" / "kernel"
FOREIGN_TO_ALL_BUT_THE_KERNEL = {"time", "random", "secrets", "uuid", "sched"}
CALLS_FOR_THE_KERNEL = {"now", "utcnow", "today", "urandom", "getrandom", "sleep", "call_later", "call_at"}
OWNERS_OF_SUCH_CALLS = {"datetime", "date", "os", "asyncio"}


def test_imports_point_down_only() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]

    answer = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_only_the_kernel_reads_the_time_sleeps_or_rolls_dice() -> None:
    modules = [path for path in (ROOT / "src").rglob("*.py") if KERNEL not in path.parents]
    assert modules

    found = {path: list(trespasses(ast.parse(path.read_text("utf-8")))) for path in modules}

    assert {str(path.relative_to(ROOT)): said for path, said in found.items() if said} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import time",
        "import time as clock",
        "from time import monotonic",
        "import random",
        "from uuid import uuid4",
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "await asyncio.sleep(1)",
        "from asyncio import sleep",
        "os.urandom(8)",
    ],
)
def test_each_way_around_the_kernel_is_noticed(code: str) -> None:
    assert len(list(trespasses(ast.parse(code)))) == 1


def trespasses(tree: ast.AST) -> Iterator[str]:
    """Yield what code outside the kernel must not say: imports of the machine's time and chance, calls for them."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                said = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), level=0, names=names):
                said = [module, *(f"{module}.{alias.name}" for alias in names)]
            case ast.Call(func=ast.Attribute(attr=attribute, value=ast.Name(id=owner) | ast.Attribute(attr=owner))):
                said = [f"{owner}.{attribute}"]
            case _:
                continue
        for name in said:
            owner, _, attribute = name.rpartition(".")
            if name in FOREIGN_TO_ALL_BUT_THE_KERNEL or (
                attribute in CALLS_FOR_THE_KERNEL and owner in OWNERS_OF_SUCH_CALLS
            ):
                yield f"line {node.lineno}: {name}"
