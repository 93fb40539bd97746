"""Imports go down, and torch comes in only where it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent

LEVELS = (
    {"__main__"},
    {"cli"},
    {"study"},
    {"training"},
    {"evaluation"},
    {"pipeline"},
    {"results"},
    {"diagnostics"},
    {"matrices"},
    {"verdicts", "budget"},
    {"diagrams", "runtime", "methods"},
    {"memory"},
    {"costs"},
    {"parts"},
    {"data"},
    {"assemble", "loading", "probe"},
    {"fixed_point", "feedback"},
    {"roll"},
    {"unroll"},
    {"graph"},
    {"spec", "specs"},
    {"units", "heads"},
    {"rewrites", "codegen", "schedule", "source", "lifting"},
    {"ir", "records"},
    {"errors", "values", "durable"},
)
"""From the top: a module imports those of lower levels only."""

TORCH = {"pipeline", "diagnostics", "results", "runtime", "data", "evaluation", "training", "study", "cli"}
TOLD_APART = {"rewrites": {"ir", "errors"}, "codegen": {"ir", "errors"}, "units": {"ir"}, "ir": {"errors"}}
"""What these may import at all."""


class Import(NamedTuple):
    """A file, its module below lvmc, what it imports, and whether late: in a function, or for types only."""

    file: Path
    module: str
    imported: str
    late: bool


def sources() -> Iterator[tuple[Path, str]]:
    """Every file of the package with its module (or package) right below lvmc."""
    for folder, name in ((ROOT / "lvmc", ""), (ROOT / "codegen", "codegen"), (ROOT / "specs", "specs")):
        for file in sorted(folder.rglob("*.py")):
            if "templates" not in file.parts:
                yield file, name or file.relative_to(folder).with_suffix("").parts[0]


def imports() -> list[Import]:
    """Every import statement of the package."""
    found: list[Import] = []
    for file, module in sources():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        late = {id(inner) for node in ast.walk(tree) if is_late(node) for inner in ast.walk(node)}
        for node in ast.walk(tree):
            found += [Import(file, module, name, id(node) in late) for name in names_of(node)]
    return found


def is_late(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def names_of(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module="lvmc", names=names):
            return [f"lvmc.{alias.name}" for alias in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
        case ast.ImportFrom(level=level) if level:
            raise AssertionError("imports are absolute")
        case _:
            return []


IMPORTS = imports()
OWN = [each for each in IMPORTS if each.imported.startswith("lvmc.") and not each.imported.startswith("lvmc.__")]


def level(module: str) -> int:
    found = [number for number, modules in enumerate(LEVELS) if module in modules]
    assert found, f"{module} is not in LEVELS of {Path(__file__).name}: say what it may import"
    return found[0]


def below(each: Import) -> str:
    return each.imported.split(".")[1]


def test_imports_go_down() -> None:
    wrong = [
        f"{each.file.relative_to(ROOT)} imports {each.imported}"
        for each in OWN
        if each.module not in ("__init__", below(each)) and level(below(each)) <= level(each.module)
    ]
    assert not wrong


def test_every_module_has_a_level() -> None:
    for _, module in sources():
        assert module == "__init__" or level(module) >= 0


@pytest.mark.parametrize("module", TOLD_APART)
def test_some_know_little(module: str) -> None:
    known = {below(each) for each in OWN if each.module == module} - {module}
    assert known <= TOLD_APART[module]


def test_units_and_heads_know_neither_yaml_nor_torch() -> None:
    known = {each.imported.split(".")[0] for each in IMPORTS if each.module in ("units", "heads")}
    assert not known & {"torch", "ruamel"}


def test_torch_is_imported_late_and_only_where_it_is_used() -> None:
    torch = [each for each in IMPORTS if each.imported.split(".")[0] in ("torch", "safetensors")]
    assert torch
    assert all(each.late and each.module in TORCH for each in torch)


def test_rich_is_for_people_only() -> None:
    """Nothing but the tables of the command line knows rich, and `--json` does not load it."""
    rich = [each for each in IMPORTS if each.imported.split(".")[0] == "rich"]
    assert {each.file.name for each in rich} == {"output.py"}
    assert all(each.late for each in rich)


def test_import_load_and_draw_without_torch(tmp_path: Path) -> None:
    script = """
import sys, lvmc
assert "pydantic" not in sys.modules, "import lvmc is not lazy"
spec = lvmc.load("qp_faces")
lvmc.dump(spec)
lvmc.draw(spec, sys.argv[1])
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "net.mmd")], check=True)
