"""Reads a spec from a path, a zoo name, a stream, text or a dict, and builds its graph: `load` = read + build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from lvmc.errors import Problem, SpecError
from lvmc.graph import MAX_PARAMETERS, MAX_UNITS, EnergyGraph, Findings, build
from lvmc.records import nearest
from lvmc.source import Document, parse, read_text
from lvmc.spec import Spec, dump, read_spec
from lvmc.spec.files import anchored
from lvmc.spec.override import overridden

Source = str | Path | TextIO | Mapping[str, Any] | Document


def load(
    source: Source,
    *,
    changes: Sequence[str] = (),
    max_parameters: int = MAX_PARAMETERS,
    max_units: int = MAX_UNITS,
) -> Spec:
    """Read a spec and check it, sizes included.

    Args:
        source: A path, the name of a zoo model, an open text stream, a dict, or a document read before. Relative paths
            that a file names begin at its folder, and are absolute in the result.
        changes: Values to change first, such as `train.epochs=5`; relative paths begin at the current folder.
        max_parameters: More parameters than this are refused, before anything is allocated.
        max_units: More latent units than this are refused.

    Raises:
        SpecError: Every mistake of the spec, with place and remedy.
        FileNotFoundError: There is neither such a file nor such a zoo model.
    """
    return _load(_changed(_document(source), changes), max_parameters, max_units)[0]


def resolve(spec: Spec | Source, changes: Sequence[str] = ()) -> tuple[Spec, EnergyGraph]:
    """The spec and its graph, `changes` as in `load`. A `Spec` in memory was checked by it; it is checked again."""
    document = parse(dump(spec), spec.name) if isinstance(spec, Spec) else _document(spec)
    document = _changed(document, changes)
    limit = 10**15 if isinstance(spec, Spec) else None
    return _load(document, limit or MAX_PARAMETERS, limit or MAX_UNITS)


def _load(document: Document, max_parameters: int, max_units: int) -> tuple[Spec, EnergyGraph]:
    parsed = read_spec(document)
    findings = Findings(parsed.unsure)
    graph = None
    if parsed.spec is not None:
        graph = build(parsed.spec, findings, max_parameters=max_parameters, max_units=max_units)
    found = [Problem(document.place(f.path, on_key=f.on_key), f.fault, f.remedy) for f in findings.found]
    problems = [*parsed.problems, *found]
    if problems or parsed.spec is None or graph is None:
        raise SpecError(problems)
    return parsed.spec, graph


def _document(source: Source) -> Document:
    if isinstance(source, Document):
        return source
    if isinstance(source, Mapping):
        return Document("spec", dict(source))
    if isinstance(source, str | Path):
        path = find(source)
        return anchored(parse(read_text(path), str(path)), path.parent)
    return parse(source.read(), str(getattr(source, "name", "<stream>")))


def _changed(document: Document, changes: Sequence[str]) -> Document:
    return anchored(overridden(document, changes), Path.cwd()) if changes else document


def find(source: str | Path) -> Path:
    """The file of a path or of a zoo name."""
    from lvmc import specs

    path = Path(source)
    if path.is_file():
        return path
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder, not a spec; a compiled folder is opened with lvmc.open")
    if str(source) in specs.names():
        return specs.path(str(source))
    raise FileNotFoundError(f"no file and no zoo model is called '{source}': {nearest(str(source), specs.names())}")
