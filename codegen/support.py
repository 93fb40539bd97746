"""The functions an emitted file carries with it: those it uses, and those they use."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

_TEMPLATES = Path(__file__).parent / "templates" / "torch"
_SOURCES = tuple(
    _TEMPLATES / f"{name}.py" for name in ("functions", "constraint", "landmarks", "candidates", "lifting", "density")
)


@cache
def definitions() -> dict[str, str]:
    """Source of every function, class and alias that emitted files may carry, by name, in order."""
    found: dict[str, str] = {}
    for text in _texts():
        for node in ast.parse(text).body:
            source = ast.get_source_segment(text, node) or ""
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    found[name] = source
                case ast.Assign(targets=[ast.Name(id=name)]):
                    found[name] = source
                case _:
                    pass
    return found


@cache
def imports() -> dict[str, str]:
    """The module of every name that carried functions import, but for other carried ones, by name, in order."""
    found: dict[str, str] = {}
    for node in (node for text in _texts() for node in ast.parse(text).body):
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("lvmc."):
            found |= {alias.name: node.module or "" for alias in node.names}
    return found


def _texts() -> list[str]:
    return [source.read_text(encoding="utf-8") for source in _SOURCES]


def needed_imports(text: str) -> tuple[str, ...]:
    """`from … import …` of what `text` uses, a line a module, in alphabetical order."""
    used = _names_in(text)
    modules: dict[str, list[str]] = {}
    for name, module in imports().items():
        if name in used and module != "torch":
            modules.setdefault(module, []).append(name)
    return tuple(f"from {module} import {', '.join(names)}" for module, names in sorted(modules.items()))


@cache
def _names_in(source: str) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))


def needed(text: str) -> tuple[str, ...]:
    """Sources of what `text` (statements) uses, directly or through each other, in their own order."""
    known = definitions()
    wanted: set[str] = set()
    front = set(_names_in(text) & known.keys())
    while front:
        wanted |= front
        used = {name for carrier in front for name in _names_in(known[carrier])}
        front = (used & known.keys()) - wanted
    return tuple(source for name, source in known.items() if name in wanted)
